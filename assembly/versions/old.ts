/**
 * The old versions that are kept: for each key that has any, a list of them in the order of their versions, found through a table by the key's hash. Reading an old version is a
 * binary search in that list, O(log n), and reading the newest never comes here. The chain of links through the records is the durable form; a version in its middle may be
 * given up while older ones are still needed, and then the chain ends there, and the list does not.
 */
import { findHashed } from '../index/directory';
import { keyOf, keySizeOf, versionOf } from '../log/record';
import { FIELD_MASK, resolve } from '../log/segment';
import { allocate, release } from '../memory/allocator';
import { equal } from '../memory/bytes';
import { giveBlock, takeBlock } from '../memory/small';
import { subtractBytes } from '../space/live';
import { forgetTime } from './times';
import { ensures, requires, requiresAddress, requiresBlock, requiresRange, requiresRecord } from '../verify/contract';

/** Why a version is kept: a pin has it on its dead list; the history wants it. */
export const KEPT_BY_PIN: u64 = 1 << 62;
export const KEPT_BY_HISTORY: u64 = 1 << 63;

// A list: the hash of the key, how many versions, the exponent of its size, then for each its version, with why it is kept, and its address.
const LIST_COUNT: usize = 8;
const LIST_SHIFT: usize = 12;
const LIST_ENTRIES: usize = 16;
const LIST_SHIFT_MIN: u32 = 6;
const ENTRY_SHIFT: u32 = 4;
const ENTRY_SIZE: u32 = 16;
const TABLE_SHIFT_MIN: u32 = 12;
const SLOT_SHIFT: u32 = 2;

export class Old {
  /** The table: a list's pointer a slot. */
  static table: usize = 0;
  static tableShift: u32 = 0;
  /** Keys that have old versions, and how many versions these are. */
  static keyCount: u32 = 0;
  static versionCount: u64 = 0;
  /** The bytes that the table and the lists take. */
  static size: u64 = 0;
}

function slotMask(): usize {
  return (<usize>1 << (Old.tableShift - SLOT_SHIFT)) - 1;
}

function slotAt(position: usize): usize {
  requires(Old.table != 0 && position <= slotMask());
  return Old.table + (position << SLOT_SHIFT);
}

function entryAt(list: usize, index: u32): usize {
  requiresBlock(list, LIST_ENTRIES + (<usize>index << ENTRY_SHIFT));
  return list + LIST_ENTRIES + (<usize>index << ENTRY_SHIFT);
}

function versionAt(list: usize, index: u32): u64 {
  return load<u64>(entryAt(list, index)) & FIELD_MASK;
}

function reasonsAt(list: usize, index: u32): u64 {
  return load<u64>(entryAt(list, index)) & (KEPT_BY_PIN | KEPT_BY_HISTORY);
}

function addressAt(list: usize, index: u32): u64 {
  return load<u64>(entryAt(list, index), 8);
}

/** The position of a key's list in the table, or of the empty slot where it would stand. */
function positionOf(key: usize, keySize: u32, hash: u64): usize {
  requires(keySize != 0);
  requiresRange(key, keySize);
  let position = <usize>hash & slotMask();
  while (true) {
    const list = <usize>load<u32>(slotAt(position));
    if (list == 0) return position;
    if (load<u64>(list) == hash) {
      const record = resolve(addressAt(list, 0));
      if (keySizeOf(record) == keySize && equal(keyOf(record), key, keySize)) return position;
    }
    position = (position + 1) & slotMask();
  }
}

function growTable(): bool {
  const shift = Old.table == 0 ? TABLE_SHIFT_MIN : Old.tableShift + 1;
  const table = allocate(shift);
  if (table == 0) return false;
  memory.fill(table, 0, <usize>1 << shift);
  Old.size += (<u64>1 << shift) - (Old.table == 0 ? 0 : <u64>1 << Old.tableShift);
  const before = Old.table;
  const shiftBefore = Old.tableShift;
  Old.table = table;
  Old.tableShift = shift;
  if (before == 0) return true;
  for (let at = before; at < before + (<usize>1 << shiftBefore); at += <usize>1 << SLOT_SHIFT) {
    const list = load<u32>(at);
    if (list == 0) continue;
    let position = <usize>load<u64>(list) & slotMask();
    while (load<u32>(slotAt(position)) != 0) position = (position + 1) & slotMask();
    store<u32>(slotAt(position), list);
  }
  release(before, shiftBefore);
  return true;
}

function releaseList(list: usize): void {
  requiresBlock(list, LIST_ENTRIES);
  Old.size -= <u64>1 << load<u32>(list, LIST_SHIFT);
  giveBlock(list, load<u32>(list, LIST_SHIFT));
}

/** Where `reserveOld` found room, for `addOld`. */
class Reserved {
  static position: usize = 0;
}

/** Makes room for one more old version of a key. False where memory is at its limit. `addOld` or nothing must follow. */
export function reserveOld(key: usize, keySize: u32, hash: u64): bool {
  requires(keySize != 0);
  requiresRange(key, keySize);
  if (Old.table == 0 || <usize>Old.keyCount * 10 >= (slotMask() + 1) * 7) {
    if (!growTable()) return false;
  }
  const position = positionOf(key, keySize, hash);
  Reserved.position = position;
  const list = <usize>load<u32>(slotAt(position));
  if (list == 0) return prepareList(LIST_SHIFT_MIN, 0);
  const shift = load<u32>(list, LIST_SHIFT);
  if (LIST_ENTRIES + <usize>((load<u32>(list, LIST_COUNT) + 1) << ENTRY_SHIFT) > <usize>1 << shift) return prepareList(shift + 1, list);
  dropSpare();
  return true;
}

/** A spare list, made when one may be needed: a larger copy of `list`, or a first one. */
class Spare {
  static list: usize = 0;
}

/** Gives back a spare list that nothing has used: it is a copy of the list of another key, or of what this one's was. */
function dropSpare(): void {
  if (Spare.list != 0) releaseList(Spare.list);
  Spare.list = 0;
}

function prepareList(shift: u32, list: usize): bool {
  requires(shift >= LIST_SHIFT_MIN);
  dropSpare();
  const fresh = takeBlock(shift);
  if (fresh == 0) return false;
  if (list != 0) memory.copy(fresh, list, <usize>1 << load<u32>(list, LIST_SHIFT));
  else store<u32>(fresh, 0, LIST_COUNT);
  store<u32>(fresh, shift, LIST_SHIFT);
  Old.size += <u64>1 << shift;
  Spare.list = fresh;
  return true;
}

/** Keeps a version that was superseded, for which `reserveOld` made room. */
export function addOld(record: usize, address: u64, hash: u64, reasons: u64): void {
  requiresRecord(record);
  requiresAddress(address);
  requires(reasons != 0 && (reasons & FIELD_MASK) == 0);
  const slot = slotAt(Reserved.position);
  let list = <usize>load<u32>(slot);
  if (Spare.list != 0) {
    if (list == 0) {
      store<u64>(Spare.list, hash);
      Old.keyCount++;
    } else releaseList(list);
    list = Spare.list;
    Spare.list = 0;
    store<u32>(slot, <u32>list);
  }
  const count = load<u32>(list, LIST_COUNT);
  store<u64>(entryAt(list, count), versionOf(record) | reasons);
  store<u64>(entryAt(list, count), address, 8);
  store<u32>(list, count + 1, LIST_COUNT);
  Old.versionCount++;
  ensures(LIST_ENTRIES + (<usize>(count + 1) << ENTRY_SHIFT) <= <usize>1 << load<u32>(list, LIST_SHIFT));
}

/** Puts an older version in its place among those that are kept, for which `reserveOld` made room: recovery meets what compaction has moved behind what superseded it. */
export function insertOld(record: usize, address: u64, hash: u64, reasons: u64): void {
  addOld(record, address, hash, reasons);
  const list = <usize>load<u32>(slotAt(Reserved.position));
  const count = load<u32>(list, LIST_COUNT);
  let index = count - 1;
  while (index != 0 && versionAt(list, index - 1) > versionOf(record)) index--;
  memory.copy(entryAt(list, index + 1), entryAt(list, index), <usize>(count - 1 - index) * ENTRY_SIZE);
  store<u64>(entryAt(list, index), versionOf(record) | reasons);
  store<u64>(entryAt(list, index), address, 8);
}

/** The index of the newest version of a list that is not above `version`; -1 where all are. */
function search(list: usize, version: u64): i32 {
  requiresBlock(list, LIST_ENTRIES);
  let low: u32 = 0;
  let high = load<u32>(list, LIST_COUNT);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (versionAt(list, middle) <= version) low = middle + 1;
    else high = middle;
  }
  return <i32>low - 1;
}

/** The newest old version of a key that is not above `version`: its record, or 0. */
export function findOld(key: usize, keySize: u32, hash: u64, version: u64): usize {
  requiresRange(key, keySize);
  if (Old.keyCount == 0) return 0;
  const list = <usize>load<u32>(slotAt(positionOf(key, keySize, hash)));
  if (list == 0) return 0;
  const index = search(list, version);
  return index < 0 ? 0 : resolve(addressAt(list, <u32>index));
}

/** Takes the list of a key out of the table, and moves up those that only stood behind it. */
function removeList(position: usize): void {
  requires(Old.keyCount != 0);
  releaseList(<usize>load<u32>(slotAt(position)));
  Old.keyCount--;
  const mask = slotMask();
  let hole = position;
  let at = (hole + 1) & mask;
  while (load<u32>(slotAt(at)) != 0) {
    const home = <usize>load<u64>(load<u32>(slotAt(at))) & mask;
    if (((at - home) & mask) >= ((at - hole) & mask)) {
      store<u32>(slotAt(hole), load<u32>(slotAt(at)));
      hole = at;
    }
    at = (at + 1) & mask;
  }
  store<u32>(slotAt(hole), 0);
}

/** Where the entry of an old version stands, for the functions below. */
class Found {
  static position: usize = 0;
  static list: usize = 0;
  static index: u32 = 0;
}

/**
 * Finds the entry of an old version, by the hash of its key and its version: no record is looked at. Of keys that share all 64 bits of a hash, at most one has a version of one commit but by an accident that nobody can bring
 * about, because the hash is keyed. False where it is not kept as an old one.
 */
function locate(hash: u64, version: u64): bool {
  requires(version != 0 && version <= FIELD_MASK);
  if (Old.keyCount == 0) return false;
  let position = <usize>hash & slotMask();
  for (let list = <usize>load<u32>(slotAt(position)); list != 0; list = <usize>load<u32>(slotAt(position))) {
    if (load<u64>(list) == hash) {
      const index = search(list, version);
      if (index >= 0 && versionAt(list, <u32>index) == version) {
        Found.position = position;
        Found.list = list;
        Found.index = <u32>index;
        return true;
      }
    }
    position = (position + 1) & slotMask();
  }
  return false;
}

/** Takes one version out of its key's list; its bytes still count as live. */
export function removeOld(hash: u64, version: u64): void {
  requires(Old.versionCount != 0);
  assert(locate(hash, version));
  const list = Found.list;
  const index = Found.index;
  const count = load<u32>(list, LIST_COUNT) - 1;
  Old.versionCount--;
  if (count == 0) {
    removeList(Found.position);
    return;
  }
  memory.copy(entryAt(list, index), entryAt(list, index + 1), <usize>(count - index) * ENTRY_SIZE);
  store<u32>(list, count, LIST_COUNT);
  ensures(index == count || versionAt(list, index) > version);
}

/** Where an old version stands in the log; 0 where it is not kept. */
export function addressOfOld(hash: u64, version: u64): u64 {
  return locate(hash, version) ? addressAt(Found.list, Found.index) : 0;
}

/** An old version that is kept has been copied to another address. */
export function moveOld(hash: u64, version: u64, address: u64): void {
  requiresAddress(address);
  assert(locate(hash, version));
  store<u64>(entryAt(Found.list, Found.index), address, 8);
}

/** The version that superseded an old one; 0 where that is not kept. */
export function supersederOf(hash: u64, version: u64): u64 {
  if (!locate(hash, version)) return 0;
  if (Found.index + 1 < load<u32>(Found.list, LIST_COUNT)) return versionAt(Found.list, Found.index + 1);
  const record = resolve(addressAt(Found.list, Found.index));
  return versionOf(findHashed(keyOf(record), keySizeOf(record)));
}

/** Takes away a reason to keep an old version. Returns whether another is left. */
export function forgo(hash: u64, version: u64, reason: u64): bool {
  assert(locate(hash, version));
  const entry = entryAt(Found.list, Found.index);
  store<u64>(entry, load<u64>(entry) & ~reason);
  return reasonsAt(Found.list, Found.index) != 0;
}

/** Adds a reason to keep an old version. */
export function keep(hash: u64, version: u64, reason: u64): void {
  assert(locate(hash, version));
  const entry = entryAt(Found.list, Found.index);
  store<u64>(entry, load<u64>(entry) | reason);
}

/** Whether there is a reason to keep an old version; false where it is not kept. */
export function isKeptFor(hash: u64, version: u64, reason: u64): bool {
  return locate(hash, version) && (reasonsAt(Found.list, Found.index) & reason) != 0;
}

/** The `rank`th newest old version of a key, from 1 on; 0 where there are not so many. */
export function oldByRank(key: usize, keySize: u32, hash: u64, rank: u32): u64 {
  requires(rank != 0);
  requiresRange(key, keySize);
  if (Old.keyCount == 0) return 0;
  const list = <usize>load<u32>(slotAt(positionOf(key, keySize, hash)));
  if (list == 0) return 0;
  const count = load<u32>(list, LIST_COUNT);
  return rank > count ? 0 : versionAt(list, count - rank);
}

/** Gives an old version up, for which there is no reason any more. */
export function drop(hash: u64, version: u64): void {
  const address = addressOfOld(hash, version);
  requiresAddress(address);
  removeOld(hash, version);
  forgetTime(version);
  subtractBytes(resolve(address), address);
}

/** A walk over all lists, for verification: the list at or behind a position of the table; 0 at the end. */
export function nextList(position: usize): usize {
  if (Old.table == 0) return 0;
  while (position <= slotMask()) {
    const list = <usize>load<u32>(slotAt(position));
    if (list != 0) {
      OldCursor.position = position + 1;
      return list;
    }
    position++;
  }
  return 0;
}

export class OldCursor {
  static position: usize = 0;
}

/** The hash of the key that a list is of. */
export function hashOf(list: usize): u64 {
  return load<u64>(list);
}

export function countOf(list: usize): u32 {
  return load<u32>(list, LIST_COUNT);
}

export { versionAt as oldVersionAt, addressAt as oldAddressAt, reasonsAt as oldReasonsAt };
