/**
 * The ordered encoding of keys: comparing two encodings byte by byte gives the documented order of the keys, different
 * keys have different encodings, and each key has exactly one, so equality of bytes is equality of keys.
 *
 *   null 10 · false 20 · true 21 · number 30 double · bigint 30 double suffix · string 40 · bytes 50 · tuple 60
 *
 * A string or bytes at the top is its tag and its bytes. Within a tuple it is closed by 00, and a 00 of its own becomes
 * 00 FF; a nested tuple is closed by 00 too. A tag is never 00 nor FF, so the shorter sorts first and the end is known.
 * Leading bytes 01 to 0F belong to the engine, 80 and above to keyspaces.
 *
 * Guarantees: no allocation for strings up to 48 units, numbers, booleans and null; `readKey` reads nothing outside of
 * `[start, end)` and refuses everything that `writeKey` would not have written. It leaves to the caller to reserve
 * `keyBound` bytes before, and to pass the size written to `checkKeySize` after.
 */
import { InvalidArgumentError, TooLargeError } from '../errors.js';
import { isBytes, sizeOfBytes } from './bytes.js';
import {
  ESCAPE, MAX_KEY_BOUND, MAX_KEY_DEPTH, MAX_KEY_SIZE, TAG_BYTES, TAG_FALSE, TAG_NULL, TAG_NUMBER, TAG_STRING, TAG_TRUE,
  TAG_TUPLE, TERMINATOR, type Key,
} from './key-format.js';
import { bigintBound, DOUBLE_SIZE, writeBigint, writeDouble } from './key-number.js';
import { isWellFormed, writeLongUtf8, writeWtf8 } from './text.js';

export { MAX_KEY_BOUND, MAX_KEY_DEPTH, MAX_KEY_SIZE, type Key } from './key-format.js';
export { readKey } from './key-read.js';

/** Above everything that may follow a string prefix or the parts of a tuple prefix, not above what would make the last part another one. */
const AFTER_PREFIX = 0xfe;
/** From here on the view that `TextEncoder` needs costs less than the loop. */
const LONG_TEXT_LENGTH = 48;

function invalidKey(problem: string): InvalidArgumentError {
  return new InvalidArgumentError(
    `${problem} Use null, a boolean, a number other than NaN, a bigint, a string, a Uint8Array, or an array of these.`,
  );
}

function tooLarge(): TooLargeError {
  return new TooLargeError(`A key takes more than ${MAX_KEY_SIZE} bytes when encoded: use a shorter one, such as a hash of it.`);
}

/** Throws `TooLargeError` for the encoded size of a key that the store cannot hold. */
export function checkKeySize(size: number): void {
  if (size > MAX_KEY_SIZE) throw tooLarge();
}

/** An upper bound of the encoded size, never above `MAX_KEY_BOUND`: a key that cannot fit is refused here, before it costs anything. */
export function keyBound(key: Key): number {
  const bound = typeof key === 'string' ? 1 + 3 * key.length : otherBound(key, 1);
  if (bound > MAX_KEY_BOUND) throw tooLarge();
  return bound;
}

function partBound(part: Key, depth: number): number {
  return typeof part === 'string' ? 2 + 3 * part.length : otherBound(part, depth);
}

/**
 * The bound of what is no string. V8 (11.3, in Node 20) reads a length that it meets behind two checks of one value before both of them, and takes a number for a pointer: whoever has asked whether a
 * key is a string does not come to where that is asked again.
 */
function otherBound(part: Exclude<Key, string>, depth: number): number {
  switch (typeof part) {
    case 'number':
      return 1 + DOUBLE_SIZE;
    case 'bigint':
      return 1 + bigintBound(part);
    case 'boolean':
      return 1;
    case 'object':
      if (part === null) return 1;
      if (isBytes(part)) return 2 + 2 * sizeOfBytes(part);
      if (Array.isArray(part)) return tupleBound(part as readonly Key[], depth, []);
  }
  throw invalidKey('This cannot be a key.');
}

/** Fills `copy` with the parts, each of which is read once. */
function tupleBound(parts: readonly Key[], depth: number, copy: Key[]): number {
  if (depth > MAX_KEY_DEPTH) throw invalidKey(`A key nests tuples deeper than ${MAX_KEY_DEPTH}, or contains itself.`);
  let bound = 2;
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index];
    if (isTuple(part)) {
      const nested: Key[] = [];
      bound += tupleBound(part, depth + 1, nested);
      copy.push(nested);
    } else {
      bound += partBound(part, depth + 1);
      copy.push(part);
    }
    // Stopping here keeps a huge or manifold shared array from being walked to its end.
    if (bound > MAX_KEY_BOUND) throw tooLarge();
  }
  return bound;
}

/** Whether a key is a tuple: a proxy of an array, or one with accessors, among them. */
export function isTuple(key: Key): key is readonly Key[] {
  return typeof key === 'object' && Array.isArray(key);
}

/** As `keyBound`, filling `copy` with the parts of a tuple: no code of the caller's stands behind those, and so it is what is to be encoded. */
export function takeTuple(parts: readonly Key[], copy: Key[]): number {
  const bound = tupleBound(parts, 1, copy);
  if (bound > MAX_KEY_BOUND) throw tooLarge();
  return bound;
}

/** Encodes `key` at `offset`, where `keyBound` bytes are free, and returns the end offset. */
export function writeKey(target: Uint8Array, offset: number, key: Key): number {
  if (typeof key === 'string') return writeString(target, offset, key);
  if (typeof key === 'object' && key !== null) {
    if (isBytes(key)) {
      target[offset++] = TAG_BYTES;
      target.set(key, offset);
      return offset + sizeOfBytes(key);
    }
    if (Array.isArray(key)) return writeParts(target, offset, key as readonly Key[], 1);
  }
  return writeOther(target, offset, key, 1);
}

function writeString(target: Uint8Array, offset: number, text: string): number {
  target[offset++] = TAG_STRING;
  const length = text.length;
  if (length > LONG_TEXT_LENGTH && isWellFormed(text)) return writeLongUtf8(target, offset, text);
  for (let index = 0; index < length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x80) return writeWtf8(target, offset, text, index);
    target[offset++] = unit;
  }
  return offset;
}

/** Writes the tag and the parts of a tuple, without the terminator that only a nested one has. */
function writeParts(target: Uint8Array, offset: number, parts: readonly Key[], depth: number): number {
  if (depth > MAX_KEY_DEPTH) throw invalidKey(`A key nests tuples deeper than ${MAX_KEY_DEPTH}, or contains itself.`);
  target[offset++] = TAG_TUPLE;
  for (let index = 0; index < parts.length; index++) offset = writePart(target, offset, parts[index], depth + 1);
  return offset;
}

function writePart(target: Uint8Array, offset: number, part: Key, depth: number): number {
  return typeof part === 'string' ? writeNestedString(target, offset, part) : writeOther(target, offset, part, depth);
}

function writeOther(target: Uint8Array, offset: number, part: Exclude<Key, string>, depth: number): number {
  switch (typeof part) {
    case 'number':
      if (Number.isNaN(part)) throw invalidKey('NaN cannot be a key, for it has no place in the order.');
      target[offset++] = TAG_NUMBER;
      return writeDouble(target, offset, part);
    case 'bigint':
      target[offset++] = TAG_NUMBER;
      return writeBigint(target, offset, part);
    case 'boolean':
      target[offset++] = part ? TAG_TRUE : TAG_FALSE;
      return offset;
    case 'object':
      if (part === null) {
        target[offset++] = TAG_NULL;
        return offset;
      }
      if (isBytes(part)) return writeNestedBytes(target, offset, part);
      if (Array.isArray(part)) {
        offset = writeParts(target, offset, part as readonly Key[], depth);
        target[offset++] = TERMINATOR;
        return offset;
      }
  }
  throw invalidKey('This cannot be a key.');
}

function writeNestedString(target: Uint8Array, offset: number, text: string): number {
  target[offset++] = TAG_STRING;
  const length = text.length;
  for (let index = 0; index < length; index++) {
    const unit = text.charCodeAt(index);
    if (unit === 0 || unit >= 0x80) {
      const start = offset;
      offset = escapeZeros(target, start, writeWtf8(target, start, text, index));
      break;
    }
    target[offset++] = unit;
  }
  target[offset++] = TERMINATOR;
  return offset;
}

function writeNestedBytes(target: Uint8Array, offset: number, bytes: Uint8Array): number {
  target[offset++] = TAG_BYTES;
  target.set(bytes, offset);
  offset = escapeZeros(target, offset, offset + sizeOfBytes(bytes));
  target[offset++] = TERMINATOR;
  return offset;
}

/** Turns each 00 of `target[start, end)` into 00 FF, in place from the back, and returns the new end. */
function escapeZeros(target: Uint8Array, start: number, end: number): number {
  let zeroCount = 0;
  for (let index = start; index < end; index++) if (target[index] === 0) zeroCount++;
  if (zeroCount === 0) return end;
  let to = end + zeroCount;
  for (let from = end - 1; to > from + 1; from--) {
    const byte = target[from];
    if (byte === 0) target[--to] = ESCAPE;
    target[--to] = byte;
  }
  return end + zeroCount;
}

/**
 * Writes the bytes with which every key begins that `prefix` matches, and returns the end offset. A key matches when it
 * lies from these bytes on and before those of `writeKeyPrefixEnd`: the beginning alone does not tell the tuple part
 * 1 from 1n, nor 'a' from a longer text with U+0000 behind the a. Prefixes of strings are taken by code point: half of a
 * surrogate pair at the end of a prefix matches only where that half stands alone.
 */
export function writeKeyPrefix(target: Uint8Array, offset: number, prefix: Key): number {
  if (typeof prefix === 'string' || isBytes(prefix) || Array.isArray(prefix)) return writeKey(target, offset, prefix);
  throw new InvalidArgumentError('A prefix is a string, a Uint8Array or an array of the first parts of a tuple.');
}

/** Writes bytes that lie above every key that `prefix` matches and not above any other key behind those, and returns the end offset: one byte more than the prefix at most. */
export function writeKeyPrefixEnd(target: Uint8Array, offset: number, prefix: Key): number {
  let end = writeKeyPrefix(target, offset, prefix);
  if (!isBytes(prefix)) {
    // No byte of WTF-8 is FE or above.
    target[end++] = AFTER_PREFIX;
    return end;
  }
  while (target[end - 1] === 0xff) end--;
  target[end - 1]++;
  return end;
}
