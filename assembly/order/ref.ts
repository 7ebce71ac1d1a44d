/**
 * How the ordered index names a key: by the hash of the key, through which the hash index finds its newest record. A name stays right when the key is written
 * again, wherever its records go, so an overwrite does not touch the ordered index at all. Of keys that share a hash, each is named by a copy of the key.
 */
import { SPARE_HASH_BIT, find, findHash, isShared } from '../index/directory';
import { keyOf, keySizeOf } from '../log/record';
import { allocate, release } from '../memory/allocator';
import { allocateSmall, releaseSmall } from '../memory/small';
import { Entry, entryKey } from '../sessions/session';

/** Set in a name that points at a copy, and with the bit below at an entry of a session: the pointer stands in the high half. */
const REF_POINTER: u64 = SPARE_HASH_BIT;
const REF_OF_ENTRY: u64 = SPARE_HASH_BIT | (SPARE_HASH_BIT >> 1);

// A copy: the hash, the size, the exponent of the block, and the key.
const COPY_SIZE: usize = 8;
const COPY_SHIFT: usize = 12;
const COPY_KEY: usize = 16;
const SMALL_SHIFT_MIN: u32 = 5;
const SMALL_SHIFT_LIMIT: u32 = 12;

/** The key that `loadKey` has shown. */
export class RefKey {
  static pointer: usize = 0;
  static size: u32 = 0;
}

/** The name of an entry of a session, for sorting. */
export function refOfEntry(entry: Entry): u64 {
  return (<u64>changetype<usize>(entry) << 32) | REF_OF_ENTRY;
}

export function entryOf(ref: u64): Entry {
  return changetype<Entry>(<usize>(ref >> 32));
}

/** The name of a key that is in the hash index; 0 where memory is at its limit. */
export function refOf(record: usize, hash: u64): u64 {
  return isShared(hash, 1) ? copyKey(keyOf(record), keySizeOf(record), hash) : refOfHash(hash);
}

/** The name of a key whose hash no other key has. */
export function refOfHash(hash: u64): u64 {
  return hash & ~REF_POINTER;
}

function copyKey(key: usize, size: u32, hash: u64): u64 {
  const shift = max<u32>(SMALL_SHIFT_MIN, 32 - <u32>clz<u32>(<u32>COPY_KEY + size - 1));
  const copy = shift < SMALL_SHIFT_LIMIT ? allocateSmall(shift) : allocate(shift);
  if (copy == 0) return 0;
  store<u64>(copy, hash);
  store<u32>(copy, size, COPY_SIZE);
  store<u32>(copy, shift, COPY_SHIFT);
  memory.copy(copy + COPY_KEY, key, size);
  return (<u64>copy << 32) | REF_POINTER;
}

/** Gives back what a name holds. */
export function releaseRef(ref: u64): void {
  if ((ref & REF_POINTER) == 0) return;
  const copy = <usize>(ref >> 32);
  const shift = load<u32>(copy, COPY_SHIFT);
  if (shift < SMALL_SHIFT_LIMIT) releaseSmall(copy, shift);
  else release(copy, shift);
}

/** The newest record of the key that is named, or 0. */
export function recordOf(ref: u64): usize {
  if ((ref & REF_POINTER) == 0) return findHash(ref);
  const copy = <usize>(ref >> 32);
  return find(copy + COPY_KEY, load<u32>(copy, COPY_SIZE), load<u64>(copy));
}

/** Shows the key that is named in `RefKey`. */
export function loadKey(ref: u64): void {
  if ((ref & REF_OF_ENTRY) == REF_OF_ENTRY) {
    const entry = entryOf(ref);
    RefKey.pointer = entryKey(entry);
    RefKey.size = entry.keySize;
    return;
  }
  const record = recordOf(ref);
  assert(record != 0);
  RefKey.pointer = keyOf(record);
  RefKey.size = keySizeOf(record);
}
