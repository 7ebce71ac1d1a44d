/**
 * Reads the encoding of keys that `key.ts` writes. Only what the writer can have written is accepted; everything else is
 * a `CorruptionError`, and no byte outside of `[start, end)` is looked at.
 */
import { CorruptionError } from '../errors.js';
import { copyToOwnBuffer } from './bytes.js';
import {
  ESCAPE, MAX_KEY_DEPTH, TAG_BYTES, TAG_FALSE, TAG_NULL, TAG_NUMBER, TAG_STRING, TAG_TRUE, TAG_TUPLE, TERMINATOR, type Key,
} from './key-format.js';
import { lastNumberEnd, readNumber } from './key-number.js';
import { readWtf8 } from './text.js';

/** Where the next part begins, while one key is read: reading never calls anything that could read another. */
let cursor = 0;

function damaged(): CorruptionError {
  return new CorruptionError('A key of the store is malformed: run verify(), or restore it from a backup.');
}

/** Decodes the key that fills `source[start, end)`. */
export function readKey(source: Uint8Array, start: number, end: number): Key {
  if (start >= end) throw damaged();
  switch (source[start]) {
    case TAG_STRING:
      return readWtf8(source, start + 1, end);
    case TAG_BYTES:
      return copyToOwnBuffer(source, start + 1, end);
    case TAG_TUPLE: {
      const parts: Key[] = [];
      cursor = start + 1;
      while (cursor < end) parts.push(readPart(source, end, 2));
      return parts;
    }
  }
  cursor = start;
  const key = readPart(source, end, 1);
  if (cursor !== end) throw damaged();
  return key;
}

function readPart(source: Uint8Array, end: number, depth: number): Key {
  const start = cursor + 1;
  switch (source[cursor]) {
    case TAG_NULL:
      cursor = start;
      return null;
    case TAG_FALSE:
      cursor = start;
      return false;
    case TAG_TRUE:
      cursor = start;
      return true;
    case TAG_NUMBER: {
      const value = readNumber(source, start, end);
      cursor = lastNumberEnd();
      return value;
    }
    case TAG_STRING: {
      const escapeCount = findEnd(source, start, end);
      if (escapeCount === 0) return readWtf8(source, start, cursor - 1);
      const bytes = unescape(source, start, cursor - 1, escapeCount);
      return readWtf8(bytes, 0, bytes.length);
    }
    case TAG_BYTES: {
      const escapeCount = findEnd(source, start, end);
      return unescape(source, start, cursor - 1, escapeCount);
    }
    case TAG_TUPLE:
      return readNestedTuple(source, start, end, depth);
  }
  throw damaged();
}

function readNestedTuple(source: Uint8Array, start: number, end: number, depth: number): Key[] {
  if (depth > MAX_KEY_DEPTH) throw damaged();
  const parts: Key[] = [];
  cursor = start;
  while (cursor < end) {
    if (source[cursor] === TERMINATOR) {
      cursor++;
      return parts;
    }
    parts.push(readPart(source, end, depth + 1));
  }
  throw damaged();
}

/** Sets the cursor behind the terminator of the string or bytes that begin at `start`, and returns the count of escapes before it. */
function findEnd(source: Uint8Array, start: number, end: number): number {
  let escapeCount = 0;
  for (let index = start; index < end; index++) {
    if (source[index] !== TERMINATOR) continue;
    if (index + 1 < end && source[index + 1] === ESCAPE) {
      escapeCount++;
      index++;
      continue;
    }
    cursor = index + 1;
    return escapeCount;
  }
  throw damaged();
}

function unescape(source: Uint8Array, start: number, end: number, escapeCount: number): Uint8Array {
  if (escapeCount === 0) return copyToOwnBuffer(source, start, end);
  const bytes = new Uint8Array(end - start - escapeCount);
  let size = 0;
  for (let index = start; index < end; index++) {
    const byte = source[index];
    bytes[size++] = byte;
    if (byte === TERMINATOR) index++;
  }
  return bytes;
}
