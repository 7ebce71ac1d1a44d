/** The numbers of the structured encoding, shared by its writer and its reader; they are part of the durable format. */

/** The extension types of MessagePack that are ours. */
export const TYPE_UNDEFINED = 0;
export const TYPE_NEGATIVE_ZERO = 1;
export const TYPE_BIGINT = 2;
export const TYPE_UTF16 = 3;
export const TYPE_BYTES = 4;
export const TYPE_DATE = 5;
export const TYPE_MAP = 6;
export const TYPE_SET = 7;
export const TYPE_ENTRIES = 8;
export const TYPE_TYPED_ARRAY = 9;
export const TYPE_ARRAY_BUFFER = 10;
export const TYPE_DATA_VIEW = 11;
export const TYPE_REGEXP = 12;
export const TYPE_ERROR = 13;

/** A typed array is stored with its place in this list, which only grows at its end. */
export const TYPED_ARRAY_NAMES = [
  'Int8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'Float32Array', 'Float64Array',
  'BigInt64Array', 'BigUint64Array', 'Float16Array',
];
