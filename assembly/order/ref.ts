/**
 * How the ordered index names a key: by the hash of the key, through which the hash index finds its newest record. A name stays right when the key is written
 * again, wherever its records go, so an overwrite does not touch the ordered index at all. Of keys that share a hash, each is named by a copy of the key.
 */
import { SPARE_HASH_BIT, findHash, isShared } from '../index/by-hash';
import { findHashed } from '../index/directory';
import { keyOf, keySizeOf } from '../log/record';
import { bytesOfBuffer, freeBuffer, makeBuffer, sizeOfBuffer } from '../memory/buffer';
import { Entry, entryKey } from '../sessions/session';
import { requires, requiresBlock, requiresRange, requiresRecord } from '../verify/contract';

/** Set in a name that points at a copy, and with the bit below at an entry of a session: the pointer stands in the high half. */
const REF_POINTER: u64 = SPARE_HASH_BIT;
const REF_OF_ENTRY: u64 = SPARE_HASH_BIT | (SPARE_HASH_BIT >> 1);

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
  requires((ref & REF_OF_ENTRY) == REF_OF_ENTRY);
  requiresBlock(<usize>(ref >> 32), 64);
  return changetype<Entry>(<usize>(ref >> 32));
}

/** The name of a key that is in the hash index; 0 where memory is at its limit. */
export function refOf(record: usize, hash: u64): u64 {
  requiresRecord(record);
  return isShared(hash) ? copyKey(keyOf(record), keySizeOf(record)) : refOfHash(hash);
}

/** The name of a key whose hash no other key has. */
export function refOfHash(hash: u64): u64 {
  return hash & ~REF_POINTER;
}

/** The name of a key by a copy of it; 0 where memory is at its limit. */
function copyKey(key: usize, size: u32): u64 {
  requires(size != 0);
  requiresRange(key, size);
  const copy = makeBuffer(key, size, false);
  return copy == 0 ? 0 : (<u64>copy << 32) | REF_POINTER;
}

/** Gives back what a name holds. */
export function releaseRef(ref: u64): void {
  if ((ref & REF_POINTER) != 0) freeBuffer(<usize>(ref >> 32));
}

/** The newest record of the key that is named, or 0. */
export function recordOf(ref: u64): usize {
  requires((ref & REF_OF_ENTRY) != REF_OF_ENTRY);
  if ((ref & REF_POINTER) == 0) return findHash(ref);
  const copy = <usize>(ref >> 32);
  return findHashed(bytesOfBuffer(copy), sizeOfBuffer(copy));
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
