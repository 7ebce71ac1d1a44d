/** The writes of one commit on their way into the log: each is staged at the tail, in parts where it is large. Within `engine.inBatch`. */
import * as format from '../../assembly/shared/format.js';
import { MAX_KEY_SIZE, PARTS_SHARE_SHIFT, PART_SIZE_MIN } from '../../assembly/shared/limits.js';
import * as status from '../../assembly/shared/status.js';
import type { Space } from '../codec/space.js';
import { encodeApart, encodeRecord, type EncodedRecord } from './encode.js';
import type { Engine } from './engine.js';
import { failure } from './failure.js';

const KIND_MASK = format.RECORD_KIND_MASK;

/** Stages a put. `expiry` is in epoch milliseconds. */
export function stagePut<K, V>(engine: Engine, key: K, value: V, space: Space<K, V>, expiry: number | undefined): void {
  const keyMost = space.bound(key);
  const bound = space.values.bound(value);
  if (expiry !== undefined || bound < 0 || bound + keyMost > engine.tailRoom || keyMost > MAX_KEY_SIZE) {
    stageEncoded(engine, encodeRecord(key, value, space, expiry, keyMost));
    return;
  }
  const start = engine.tailPointer;
  const keyEnd = space.write(engine.bytes, start, key);
  const written = space.values.write(engine.bytes, keyEnd, value);
  engine.core.stageRecord(keyEnd - start, written >>> 4, written & KIND_MASK);
}

/** Stages a delete, if there is anything to delete. */
export function stageDelete<K>(engine: Engine, key: K, space: Space<K, unknown>): void {
  const keyBytes = encodeApart(key, space);
  engine.tick();
  engine.setBound(keyBytes);
  if (engine.core.hasToDelete(keyBytes.length) !== 0) stageTombstone(engine, keyBytes);
}

/** Stages the delete of an encoded key. */
export function stageTombstone(engine: Engine, keyBytes: Uint8Array): void {
  engine.makeBatchRoom(keyBytes.length, true);
  engine.bytes.set(keyBytes, engine.tailPointer);
  engine.core.stageRecord(keyBytes.length, 0, format.RECORD_FLAG_TOMBSTONE);
}

/** Stages an encoded key and value. */
export function stageEncoded(engine: Engine, record: EncodedRecord): void {
  const { keyBytes, bytes, flags, size, expiry } = record;
  const keyOffset = size - keyBytes.length - bytes.length;
  const isWhole = size <= engine.tailRoom || size <= engine.segmentSize >> PARTS_SHARE_SHIFT;
  if (!isWhole) stageParts(engine, bytes);
  engine.makeBatchRoom(isWhole ? size : keyOffset + keyBytes.length + engine.core.partListSize(), false);
  if (expiry !== undefined) engine.core.setExpiry(expiry);
  const start = engine.tailPointer + keyOffset;
  engine.bytes.set(keyBytes, start);
  if (!isWhole) {
    engine.core.stageLarge(keyBytes.length, flags);
    return;
  }
  engine.bytes.set(bytes, start + keyBytes.length);
  engine.core.stageRecord(keyBytes.length, bytes.length, flags);
}

/** As `stageEncoded`, if the key has the version that is expected, where one is: looked at here, because whoever is told of what a batch needs before it begins may write. Returns whether it was staged. */
export function stageExpected(engine: Engine, record: EncodedRecord, expected: number | undefined): boolean {
  if (expected !== undefined && engine.versionOfBytes(record.keyBytes) !== expected) return false;
  stageEncoded(engine, record);
  return true;
}

function stageParts(engine: Engine, bytes: Uint8Array): void {
  for (let offset = 0; offset < bytes.length;) {
    if (engine.tailRoom < PART_SIZE_MIN) engine.makeBatchRoom(Math.min(bytes.length - offset, PART_SIZE_MIN), false);
    const part = Math.min(bytes.length - offset, engine.tailRoom);
    engine.bytes.set(bytes.subarray(offset, offset + part), engine.tailPointer);
    const code = engine.core.stagePart(part);
    engine.refresh();
    if (code !== status.STATUS_OK) throw failure(code, engine.name);
    offset += part;
  }
}
