/** Encoding apart from the log, for keys and values whose exact size must be known before their place is. */
import { MAX_KEY_SIZE, MAX_VALUE_SIZE } from '../../assembly/shared/limits.js';
import { writeKey, type Key } from '../codec/key.js';
import type { ValueCodec } from '../codec/value.js';
import { TooLargeError } from '../errors.js';

/** Encodes a key where its exact size is needed before its place is known. */
export function encodeApart(key: Key, bound: number): Uint8Array {
  const bytes = new Uint8Array(bound);
  const size = writeKey(bytes, 0, key);
  if (size > MAX_KEY_SIZE) throw new TooLargeError(`A key takes ${size} bytes, and keys may take ${MAX_KEY_SIZE}: nothing was changed. Use a shorter key.`);
  return bytes.subarray(0, size);
}

/** Encodes a value: its bytes, which are valid until the codec is used again, and its kind. */
export function encodeValue<V>(value: V, codec: ValueCodec<V>): { bytes: Uint8Array; kind: number } {
  const bound = codec.bound(value);
  if (bound > MAX_VALUE_SIZE) throw valueTooLarge(bound);
  if (bound < 0) {
    const bytes = codec.toBytes(value);
    if (bytes.length > MAX_VALUE_SIZE) throw valueTooLarge(bytes.length);
    return { bytes, kind: codec.lastKind };
  }
  const bytes = new Uint8Array(bound);
  const written = codec.write(bytes, 0, value);
  return { bytes: bytes.subarray(0, Math.floor(written / 16)), kind: written % 16 };
}

/** The error for a value of so many bytes. */
export function valueTooLarge(size: number): TooLargeError {
  return new TooLargeError(`A value takes ${size} bytes, and values may take ${MAX_VALUE_SIZE}: nothing was changed. Split it over several keys.`);
}
