/** Applying a record that stands in the log: the index shows it, and the version before it is kept for those who may still read it, or counted dead. */
import { hashKey } from '../hash/keyhash';
import { Index, find, insert, remove, reserveSlot, setSlot, slotAddress } from '../index/directory';
import { flagsOf, keyOf, keySizeOf, linkOf, versionOf } from '../log/record';
import { resolve } from '../log/segment';
import { forgetKey, noteKey } from '../order/order';
import { RECORD_FLAG_LARGE, RECORD_FLAG_PART } from '../shared/format';
import { countNewest, forsake, readParts, retain, uncountNewest } from '../space/live';
import { History, noteSuperseded, reserveHistory, trimKey } from '../versions/history';
import { KEPT_BY_HISTORY, KEPT_BY_PIN, addOld, removeOld, reserveOld } from '../versions/old';
import { forgetTime } from '../versions/times';
import { Pins, addDead, isPinned, removeDead, reserveDead } from '../versions/pins';
import { requires, requiresAddress, requiresRange, requiresRecord } from '../verify/contract';

/** Looks the key of a record up. */
function findKeyOf(record: usize): usize {
  requiresRecord(record);
  const keySize = keySizeOf(record);
  return find(keyOf(record), keySize, hashKey(keyOf(record), keySize));
}

/** Reserves what publishing needs, so that it cannot fail: a slot for a new key, or room to keep the version that is superseded. The key was just looked up. */
export function reserve(existing: usize, key: usize, keySize: u32): bool {
  requires(keySize != 0 && (existing & 7) == 0);
  requiresRange(key, keySize);
  if (existing == 0) return reserveSlot(key, keySize);
  if ((flagsOf(existing) & RECORD_FLAG_LARGE) != 0) readParts(existing);
  const isSeen = isPinned(versionOf(existing));
  if (!isSeen && !History.isKept) return true;
  if (isSeen && !reserveDead()) return false;
  return reserveOld(key, keySize, Index.hash) && (!History.isKept || reserveHistory());
}

/** Points the slot that the last lookup left at a record, whose link is already that of `existing`. `reserve` was called before. */
export function publish(record: usize, address: u64, existing: usize): void {
  requiresRecord(record);
  requiresAddress(address);
  if (existing != 0) {
    supersede(existing, slotAddress(), versionOf(record));
    setSlot(address);
  } else {
    insert(address);
    noteKey();
  }
  retain(record, address);
}

/** Keeps the newest version of a key for those who see it and for the history, or gives it up. */
function supersede(existing: usize, address: u64, superseder: u64): void {
  requiresRecord(existing);
  requires(versionOf(existing) <= superseder);
  const isSeen = isPinned(versionOf(existing));
  // Of a key that a commit writes twice nobody ever sees the first.
  const isOwn = versionOf(existing) == superseder;
  if (isOwn || (!isSeen && !History.isKept)) {
    const version = versionOf(existing);
    forsake(existing, address);
    if (isOwn) return;
    Pins.floor = superseder;
    forgetTime(version);
    return;
  }
  uncountNewest(existing, address);
  addOld(existing, address, Index.hash, (isSeen ? KEPT_BY_PIN : 0) | (History.isKept ? KEPT_BY_HISTORY : 0));
  if (isSeen) addDead(Index.hash, versionOf(existing));
  if (History.isKept) noteSuperseded(Index.hash, versionOf(existing), superseder);
}

/** What a commit of a key leaves to be done: the history goes no further than its limits. */
export function tidyKey(record: usize): void {
  requiresRecord(record);
  const size = keySizeOf(record);
  trimKey(keyOf(record), size, hashKey(keyOf(record), size));
}

/** Whether a record has no key of its own to show. */
export function isHidden(record: usize): bool {
  requiresRecord(record);
  return (flagsOf(record) & RECORD_FLAG_PART) != 0;
}

/** Shows a staged record, whose link was set when it was staged. False where memory is at its limit, with nothing changed. */
export function applyStaged(record: usize, address: u64): bool {
  requiresRecord(record);
  requiresAddress(address);
  const existing = findKeyOf(record);
  if (!reserve(existing, keyOf(record), keySizeOf(record))) return false;
  publish(record, address, existing);
  return true;
}

/** Takes back what `applyStaged` did, in the order in which it was done; `begin` is where the batch began. */
export function revert(record: usize, begin: u64): void {
  requiresRecord(record);
  requiresAddress(begin);
  const newest = findKeyOf(record);
  // A key that stood twice in the batch was put right when its first record was.
  if (newest == 0 || slotAddress() < begin) return;
  const link = linkOf(record);
  forsake(newest, slotAddress());
  if (link == 0) {
    remove();
    forgetKey();
  } else {
    const before = resolve(link);
    setSlot(link);
    const isSeen = isPinned(versionOf(before));
    if (!isSeen && !History.isKept) {
      retain(before, link);
      return;
    }
    countNewest(before, link);
    removeOld(Index.hash, versionOf(before));
    if (isSeen) removeDead(1);
  }
}
