/** What the core's own tests call beside its exports. Compiled into the debug build only. */
import { hashKey, seedKeyHash } from '../../assembly/hash/keyhash';
import { xxh64 as hash } from '../../assembly/hash/xxh64';

import { areDeclarationsLost, hasBody, hasDeclarations, hasHead, isBodyLost, isHeadLost, sealFrame as seal } from '../../assembly/log/frame';
import { checkRecord as check, sealRecord as sealOne } from '../../assembly/log/record';
import { allocate as take, release as give } from '../../assembly/memory/allocator';

export function allocate(shift: u32): usize {
  return take(shift);
}

export function release(block: usize, shift: u32): void {
  give(block, shift);
}

/** The hash as two halves: high, then low at `pointer - 8`. */
export function xxh64(pointer: usize, size: u32, seed: u32): u32 {
  const result = hash(pointer, size, seed);
  store<u32>(pointer - 8, <u32>result);
  return <u32>(result >> 32);
}

export function seedHash(low: u32, high: u32): void {
  seedKeyHash(low, high);
}

/** The low and, in the high half, the high bits of a key's hash, folded to 32 bits. */
export function keyHash(pointer: usize, size: u32): u32 {
  const result = hashKey(pointer, size);
  return <u32>(result ^ (result >> 32));
}

export function sealRecord(record: usize, flags: u32, keySize: u32, valueSize: u32, offset: u32): u32 {
  return sealOne(record, flags, keySize, valueSize, 7, 0, 99, offset);
}

export function checkRecord(record: usize, limit: u32, offset: u32): bool {
  return check(record, limit, 99, offset);
}

export function sealFrame(frame: usize, size: u32, recordCount: u32, offset: u32): u32 {
  return seal(frame, size, 0, recordCount, 0, 7, 1000, 3, 99, offset);
}

/** What recovery would say of a frame: 0 intact, 1 torn, 2 damaged. A lost sector that can be restored is. */
export function judgeFrame(frame: usize, limit: u32, offset: u32): u32 {
  if (!hasHead(frame, limit, 99, offset)) return isHeadLost(frame, limit, offset) ? 1 : 2;
  if (!hasDeclarations(frame, 99, offset)) return areDeclarationsLost(frame, offset) ? 1 : 2;
  if (hasBody(frame, 99, offset)) return 0;
  if (isBodyLost(frame, offset)) return 1;
  return hasBody(frame, 99, offset) ? 0 : 2;
}
