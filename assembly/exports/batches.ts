/** The exports that stage and commit batches. */
import * as batch from '../commit/batch';
import { assertHealthy } from '../verify/verify';
import { Windows } from '../memory/windows';
import { relieve } from '../paging/evict';
import { requires } from '../verify/contract';
import { MAX_KEY_SIZE, MAX_VALUE_SIZE } from '../shared/limits';
import * as layout from '../shared/layout';

export function beginBatch(): i32 {
  return batch.beginBatch();
}

export function makeBatchRoom(size: u32, reserved: bool): i32 {
  requires(size <= <u32>MAX_VALUE_SIZE + MAX_KEY_SIZE);
  relieve();
  return batch.makeBatchRoom(size, reserved);
}

/** Whether a delete of the key in the key window has anything to delete. */
export function hasToDelete(keySize: u32): bool {
  requires(keySize != 0 && keySize <= <u32>MAX_KEY_SIZE);
  relieve();
  return batch.hasToDelete(Windows.key, keySize);
}

export function stageRecord(keySize: u32, valueSize: u32, flags: u32): void {
  requires(keySize + valueSize <= load<u32>(layout.CONTROL_WRITE_ROOM));
  relieve();
  batch.stageRecord(keySize, valueSize, flags);
}

export function stagePart(size: u32): i32 {
  requires(size <= load<u32>(layout.CONTROL_WRITE_ROOM));
  return batch.stagePart(size);
}

export function partListSize(): u32 {
  return batch.partListSize();
}

export function stageLarge(keySize: u32, kind: u32): void {
  requires(keySize != 0 && keySize <= <u32>MAX_KEY_SIZE);
  batch.stageLarge(keySize, kind);
}

export function commitBatch(): f64 {
  const result = batch.commitBatch();
  assertHealthy();
  return result;
}

export function abortBatch(): void {
  batch.abortBatch();
  assertHealthy();
}
