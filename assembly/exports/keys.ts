/** The exports that read and write one key. */
import * as puts from '../commit/put';
import * as log from '../log/log';
import { valueOf, valueSizeOf } from '../log/record';
import { FIELD_MASK, segmentOf } from '../log/segment';
import { setU32 } from '../memory/control';
import { relieve } from '../paging/evict';
import { peek } from '../paging/fault';
import * as layout from '../shared/layout';
import { assertHealthy } from '../verify/verify';
import { Windows } from '../memory/windows';
import { requires, requiresRange } from '../verify/contract';
import { MAX_KEY_SIZE, MAX_VALUE_SIZE } from '../shared/limits';

export function put(keySize: u32, valueSize: u32, flags: u32): f64 {
  relieve();
  const result = puts.put(keySize, valueSize, flags);
  assertHealthy();
  return result;
}

export function del(keySize: u32): f64 {
  relieve();
  const result = puts.del(keySize);
  assertHealthy();
  return result;
}

export function cas(keySize: u32, valueSize: u32, flags: u32, expected: f64): f64 {
  relieve();
  const result = puts.cas(keySize, valueSize, flags, expected);
  assertHealthy();
  return result;
}

/** Looks up the key in the key window. */
export function get(keySize: u32): i32 {
  requires(keySize != 0 && keySize <= <u32>MAX_KEY_SIZE);
  relieve();
  return puts.get(Windows.key, keySize);
}

/** The number of parts of the large value that `get` found. */
export function partCount(): u32 {
  requires(load<u32>(layout.CONTROL_VALUE_SIZE) >= 16);
  return (load<u32>(layout.CONTROL_VALUE_SIZE) >> 3) - 1;
}

/** The total size of the large value that `get` found. */
export function largeSize(): u32 {
  requiresRange(load<u32>(layout.CONTROL_VALUE_POINTER), 16);
  return load<u32>(load<u32>(layout.CONTROL_VALUE_POINTER));
}

/** Shows part `index` of the large value whose list stands at `list`: its size; where it stands is in the output fields, until the next one is shown. */
export function partAt(list: usize, index: u32): u32 {
  requiresRange(list, 8 + (<usize>(index + 1) << 3));
  const address = load<u64>(list + 8 + (<usize>index << 3)) & FIELD_MASK;
  const part = peek(segmentOf(address)!, address);
  setU32(layout.CONTROL_OUTPUT_POINTER, <u32>valueOf(part));
  return valueSizeOf(part);
}

/** The room that the next record needs; `reserved` for deletes, which may use the last block. */
export function makeRoom(size: u32, reserved: bool): i32 {
  requires(size <= <u32>MAX_VALUE_SIZE + MAX_KEY_SIZE);
  relieve();
  return log.makeRoom(size, 0, reserved);
}
