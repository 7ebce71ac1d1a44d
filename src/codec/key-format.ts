/**
 * The numbers of the key encoding, shared by its writer and its reader. They are part of the durable format: none of
 * them may change once a store has been written with it. What they mean is told at the top of `key.ts`.
 */

/** What can be a key. A tuple is an array of keys; tuples nest. */
export type Key = null | boolean | number | bigint | string | Uint8Array | readonly Key[];

/** The largest encoded key, in bytes. */
export const MAX_KEY_SIZE = 131072;
/** No key that could fit has a larger bound: a part takes at most three times the bytes that it needs at least. */
export const MAX_KEY_BOUND = 3 * MAX_KEY_SIZE;
/** How deep tuples nest, the outermost counted. */
export const MAX_KEY_DEPTH = 64;

export const TAG_NULL = 0x10;
export const TAG_FALSE = 0x20;
export const TAG_TRUE = 0x21;
export const TAG_NUMBER = 0x30;
export const TAG_STRING = 0x40;
export const TAG_BYTES = 0x50;
export const TAG_TUPLE = 0x60;
export const TERMINATOR = 0x00;
/** Behind a 00 it says that the 00 is content; it is above every tag, so it also orders right. */
export const ESCAPE = 0xff;
