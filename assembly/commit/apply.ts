/** Applying a record that stands in the log: the index shows it, and the version before it is counted dead. */
import { hashKey } from '../hash/keyhash';
import { find, insert, remove, reserveSlot, setSlot, slotAddress } from '../index/directory';
import { flagsOf, keyOf, keySizeOf, linkOf } from '../log/record';
import { resolve } from '../log/segment';
import { RECORD_FLAG_PART, RECORD_FLAG_TOMBSTONE } from '../shared/format';
import { forsake, retain } from '../space/live';

/** Looks the key of a record up. */
export function findKeyOf(record: usize): usize {
  const keySize = keySizeOf(record);
  return find(keyOf(record), keySize, hashKey(keyOf(record), keySize));
}

export function isTombstone(record: usize): bool {
  return (flagsOf(record) & RECORD_FLAG_TOMBSTONE) != 0;
}

/** Points the slot that the last lookup left at a record, whose link is already that of `existing`. `reserveSlot` was called where there is none. */
export function publish(record: usize, address: u64, existing: usize): void {
  if (existing != 0) {
    forsake(existing, slotAddress());
    setSlot(address);
  } else insert(address);
  retain(record, address);
}

/** Whether a record has no key of its own to show. */
export function isHidden(record: usize): bool {
  return (flagsOf(record) & RECORD_FLAG_PART) != 0;
}

/** Shows a staged record, whose link was set when it was staged. False where memory is at its limit, with nothing changed. */
export function applyStaged(record: usize, address: u64): bool {
  const existing = findKeyOf(record);
  if (existing == 0 && !reserveSlot(keyOf(record), keySizeOf(record))) return false;
  publish(record, address, existing);
  return true;
}

/** Takes back what `applyStaged` did, in the order in which it was done; `begin` is where the batch began. */
export function revert(record: usize, begin: u64): void {
  const newest = findKeyOf(record);
  // A key that stood twice in the batch was put right when its first record was.
  if (newest == 0 || slotAddress() < begin) return;
  const link = linkOf(record);
  forsake(newest, slotAddress());
  if (link == 0) remove();
  else {
    setSlot(link);
    retain(resolve(link), link);
  }
}
