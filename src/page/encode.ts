/** Keys, values and ranges of a page as they cross: encoded here, where their codecs are. */
import { MAX_VALUE_SIZE, VALUE_KIND_COUNT } from '../../assembly/shared/limits.js';
import { checkKeySize } from '../codec/key.js';
import type { Space } from '../codec/space.js';
import type { ValueReader } from '../codec/value.js';
import { valueTooLarge } from '../engine/encode.js';
import type { ExchangeRecord } from '../exchange/record.js';
import type { Bounds } from '../range.js';
import { NO_EXPIRY, type FrameReader, type FrameWriter } from '../worker/frames.js';

const SIZE_BYTES = 4;
const VALUE_HEAD_SIZE = 5;

/** Writes a key of a space. @throws InvalidArgumentError, TooLargeError. */
export function writeKey<K>(frames: FrameWriter, key: K, space: Space<K, never>): void {
  const bound = space.bound(key);
  const at = frames.reserve(SIZE_BYTES + bound) + SIZE_BYTES;
  const size = space.write(frames.bytes, at, key) - at;
  checkKeySize(size);
  frames.word(size);
  frames.size += size;
}

/** Writes a value, which the schema of its space has checked. @throws InvalidArgumentError, TooLargeError. */
export function writeValue<V>(frames: FrameWriter, value: V, space: Space<never, V>): void {
  const codec = space.values;
  const bound = codec.bound(value);
  if (bound < 0) {
    const bytes = codec.toBytes(value);
    if (bytes.length > MAX_VALUE_SIZE) throw valueTooLarge(bytes.length);
    frames.value(codec.lastKind, bytes, 0, bytes.length);
    return;
  }
  if (bound > MAX_VALUE_SIZE) throw valueTooLarge(bound);
  const at = frames.reserve(VALUE_HEAD_SIZE + bound) + VALUE_HEAD_SIZE;
  const written = codec.write(frames.bytes, at, value);
  const size = Math.floor(written / VALUE_KIND_COUNT);
  frames.byte(written % VALUE_KIND_COUNT);
  frames.word(size);
  frames.size += size;
}

export function writeRange(frames: FrameWriter, { from, to, isReverse, limit }: Bounds): void {
  frames.block(from, 0, from.length);
  frames.block(to, 0, to.length);
  frames.byte(isReverse ? 1 : 0);
  frames.number(limit);
}

/** The next key. */
export function readKey<K>(frames: FrameReader, space: Space<K, never>): K {
  const size = frames.word();
  frames.at += size;
  return space.read(frames.bytes, frames.at - size, frames.at);
}

/** The next value; undefined where there is none. */
export function readValue<V>(frames: FrameReader, values: ValueReader<V>): V | undefined {
  const stored = frames.value();
  return stored === undefined ? undefined : values.read(stored.source, stored.start, stored.end, stored.kind);
}

/** The next record, as it is stored. */
export function readRecord(frames: FrameReader): ExchangeRecord {
  const keyBytes = frames.block();
  const { kind, source, start, end } = frames.value()!;
  const expiry = frames.number();
  return { keyBytes, bytes: source.subarray(start, end), kind, expiry: expiry === NO_EXPIRY ? undefined : expiry };
}
