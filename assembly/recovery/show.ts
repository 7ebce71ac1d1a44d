/**
 * Showing recovered records in the index. Every record costs the cache miss of its slot, so records wait until there are several, and the slots of all are touched in one
 * tight loop before the first is used: the processor then waits for all of them at once. A million records took half the time.
 */
import { hashKey } from '../hash/keyhash';
import { Begun } from '../image/read';
import { touch } from '../index/by-hash';
import { find, insert, reserveSlot, setSlot, slotAddress } from '../index/directory';
import { flagsOf, hasMovedTime, keyOf, keySizeOf, linkOf, setLink, sizeOf, versionOf } from '../log/record';
import { FIELD_MASK, resolve } from '../log/segment';
import { mix } from '../hash/xxh64';
import * as format from '../shared/format';
import { addRecord, forsake, forsakeRecord, retainRecord, subtractRecord, uncountNewest } from '../space/live';
import { History, noteSuperseded, reserveHistory } from '../versions/history';
import { KEPT_BY_HISTORY, addOld, addressOfOld, insertOld, moveOld, reserveOld, supersederOf } from '../versions/old';
import { requires, requiresAddress, requiresRecord } from '../verify/contract';

const WAITING_COUNT_MAX: u32 = 16;
const ENTRY_SHIFT: u32 = 5;
/** An entry: the hash of the key, the address of the record, where it stands. */
const waiting: usize = memory.data(16 << 5, 8);

class Show {
  static count: u32 = 0;
  static hasLargeValues: bool = false;
  static secret: u64 = 0;
  /** What the touched slots held, summed: a load whose result nobody uses would be left out. */
  static touched: u64 = 0;
}

/** Begins anew; `secret` goes into the marks of parts. */
export function startShow(secret: u64): void {
  Show.count = 0;
  Show.hasLargeValues = false;
  Show.secret = secret;
}

/** Whether a value in parts was among the records. */
export function hasLargeValues(): bool {
  return Show.hasLargeValues;
}

/**
 * What a part's link holds after recovery: proof that a record begins at this address. An address in a list comes from the file and is
 * not trusted, and nobody who made the file knows the secret.
 */
export function markOf(address: u64): u64 {
  return mix(Show.secret, address) & FIELD_MASK;
}

/** Takes a record, to be shown by the next `drain` at the latest. False where memory is at its limit. */
export function show(record: usize, address: u64): bool {
  requiresRecord(record);
  requiresAddress(address);
  requires(Show.count < WAITING_COUNT_MAX);
  const flags = flagsOf(record);
  if ((flags & format.RECORD_FLAG_PART) != 0) {
    setLink(record, markOf(address));
    return true;
  }
  if ((flags & format.RECORD_FLAG_LARGE) != 0) Show.hasLargeValues = true;
  const entry = waiting + (<usize>Show.count << ENTRY_SHIFT);
  store<u64>(entry, hashKey(keyOf(record), keySizeOf(record)));
  store<u64>(entry, address, 8);
  store<u32>(entry, <u32>record, 16);
  return ++Show.count < WAITING_COUNT_MAX || drain();
}

/** Shows every record that waits, in the order in which they came. False where memory is at its limit. */
export function drain(): bool {
  requires(Show.count <= WAITING_COUNT_MAX);
  const end = waiting + (<usize>Show.count << ENTRY_SHIFT);
  Show.count = 0;
  let touched: u64 = 0;
  for (let entry = waiting; entry < end; entry += 1 << ENTRY_SHIFT) touched += touch(load<u64>(entry));
  Show.touched = touched;
  for (let entry = waiting; entry < end; entry += 1 << ENTRY_SHIFT) {
    if (!showNow(<usize>load<u32>(entry, 16), load<u64>(entry, 8), load<u64>(entry))) return false;
  }
  return true;
}

/** Points a record at the version before it, unless the time of its commit stands there. */
function relink(record: usize, address: u64): void {
  if (!hasMovedTime(record)) setLink(record, address);
}

/** Shows one record, unless a newer version of its key is already there. */
function showNow(record: usize, address: u64, hash: u64): bool {
  requiresRecord(record);
  requiresAddress(address);
  const keySize = keySizeOf(record);
  const key = keyOf(record);
  const existing = find(key, keySize, hash);
  if (existing == 0) {
    if (!reserveSlot(key, keySize)) return false;
    relink(record, 0);
    insert(address);
  } else {
    const version = versionOf(record);
    const newest = versionOf(existing);
    if (version < newest) return !History.isKept || showOld(record, address, hash, versionOf(existing));
    relink(record, version != newest ? slotAddress() : hasMovedTime(existing) ? 0 : linkOf(existing));
    if (version != newest && History.isKept) {
      if (!reserveOld(key, keySize, hash) || !reserveHistory()) return false;
      uncountNewest(existing, slotAddress());
      addOld(existing, slotAddress(), hash, KEPT_BY_HISTORY);
      noteSuperseded(hash, newest, version);
    } else if (slotAddress() < Begun.address) forsake(existing, slotAddress());
    // The parts of values that are read here are counted when all is linked.
    else forsakeRecord(existing, slotAddress());
    setSlot(address);
  }
  retainRecord(record, address);
  return true;
}

/** Keeps a version that compaction has moved behind what superseded it, or notes that one that is kept was moved. */
function showOld(record: usize, address: u64, hash: u64, newest: u64): bool {
  requiresRecord(record);
  const version = versionOf(record);
  requires(version < newest);
  const before = addressOfOld(hash, version);
  if (before != 0) {
    subtractRecord(before, sizeOf(resolve(before)));
    moveOld(hash, version, address);
  } else {
    if (!reserveOld(keyOf(record), keySizeOf(record), hash) || !reserveHistory()) return false;
    insertOld(record, address, hash, KEPT_BY_HISTORY);
    noteSuperseded(hash, version, supersederOf(hash, version));
  }
  addRecord(address, sizeOf(record));
  return true;
}
