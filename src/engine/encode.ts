/** Encoding apart from the log, for keys and values whose exact size must be known before their place is. */
import { RECORD_EXPIRY_SIZE, RECORD_FLAG_EXPIRY } from '../../assembly/shared/format.js';
import { MAX_KEY_SIZE, MAX_VALUE_SIZE } from '../../assembly/shared/limits.js';
import type { Space } from '../codec/space.js';
import type { ValueFormat } from '../codec/value.js';
import { TooLargeError } from '../errors.js';

/** A record as it will stand behind its header. */
export interface EncodedRecord {
  readonly keyBytes: Uint8Array;
  /** Valid until the codec is used again. */
  readonly bytes: Uint8Array;
  readonly flags: number;
  /** When it expires, in epoch milliseconds. */
  readonly expiry: number | undefined;
  /** The bytes of expiry, key and value. */
  readonly size: number;
}

/** Encodes a key where its exact size is needed before its place is known. `keyMost` is its bound, where the space was asked for that last. */
export function encodeApart<K>(key: K, space: Space<K, unknown>, keyMost = space.bound(key)): Uint8Array {
  const bytes = new Uint8Array(keyMost);
  const size = space.write(bytes, 0, key);
  if (size > MAX_KEY_SIZE) throw keyTooLarge(size);
  return bytes.subarray(0, size);
}

/** Encodes a record. `keyMost` as for `encodeApart`. */
export function encodeRecord<K, V>(key: K, value: V, space: Space<K, V>, expiry: number | undefined, keyMost: number): EncodedRecord {
  const keyBytes = encodeApart(key, space, keyMost);
  const { bytes, kind } = encodeValue(value, space.values);
  const flags = expiry === undefined ? kind : kind | RECORD_FLAG_EXPIRY;
  return { keyBytes, bytes, flags, expiry, size: keyBytes.length + bytes.length + (expiry === undefined ? 0 : RECORD_EXPIRY_SIZE) };
}

/** Encodes a value: its bytes, which are valid until the codec is used again, and its kind. */
function encodeValue<V>(value: V, codec: ValueFormat<V>): { bytes: Uint8Array; kind: number } {
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

/** The error for a key of so many encoded bytes. */
export function keyTooLarge(size: number): TooLargeError {
  return new TooLargeError(`A key takes ${size} bytes, and keys may take ${MAX_KEY_SIZE}: nothing was changed. Use a shorter key.`);
}

/** The error for a value of so many bytes. */
export function valueTooLarge(size: number): TooLargeError {
  return new TooLargeError(`A value takes ${size} bytes, and values may take ${MAX_VALUE_SIZE}: nothing was changed. Split it over several keys.`);
}
