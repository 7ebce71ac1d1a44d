/**
 * The old versions that are kept: for each key that has any, a list of them in the order of their versions, found through a table by the key's hash. Reading an old version is a
 * binary search in that list, O(log n), and reading the newest never comes here. The chain of links through the records is the durable form; a version in its middle may be
 * given up while older ones are still needed, and then the chain ends there, and the list does not.
 */
import { hashKey } from '../hash/keyhash';
import { keyOf, keySizeOf, versionOf } from '../log/record';
import { resolve } from '../log/segment';
import { allocate, release } from '../memory/allocator';
import { equal } from '../memory/bytes';
import { allocateSmall, releaseSmall } from '../memory/small';
import { subtractBytes } from '../space/live';

// A list: the hash of the key, how many versions, the exponent of its size, then for each its version and its address.
const LIST_COUNT: usize = 8;
const LIST_SHIFT: usize = 12;
const LIST_ENTRIES: usize = 16;
const LIST_SHIFT_MIN: u32 = 6;
const ENTRY_SHIFT: u32 = 4;
const ENTRY_SIZE: u32 = 16;
const SMALL_SHIFT_LIMIT: u32 = 12;
const TABLE_SHIFT_MIN: u32 = 12;
const SLOT_SHIFT: u32 = 2;

export class Old {
  /** The table: a list's pointer a slot. */
  static table: usize = 0;
  static tableShift: u32 = 0;
  /** Keys that have old versions, and how many versions these are. */
  static keyCount: u32 = 0;
  static versionCount: u64 = 0;
}

function slotMask(): usize {
  return (<usize>1 << (Old.tableShift - SLOT_SHIFT)) - 1;
}

function slotAt(position: usize): usize {
  return Old.table + (position << SLOT_SHIFT);
}

function entryAt(list: usize, index: u32): usize {
  return list + LIST_ENTRIES + (<usize>index << ENTRY_SHIFT);
}

function versionAt(list: usize, index: u32): u64 {
  return load<u64>(entryAt(list, index));
}

function addressAt(list: usize, index: u32): u64 {
  return load<u64>(entryAt(list, index), 8);
}

/** The position of a key's list in the table, or of the empty slot where it would stand. */
function positionOf(key: usize, keySize: u32, hash: u64): usize {
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

function allocateList(shift: u32): usize {
  return shift < SMALL_SHIFT_LIMIT ? allocateSmall(shift) : allocate(shift);
}

function releaseList(list: usize): void {
  const shift = load<u32>(list, LIST_SHIFT);
  if (shift < SMALL_SHIFT_LIMIT) releaseSmall(list, shift);
  else release(list, shift);
}

/** Where `reserveOld` found room, for `addOld`. */
class Reserved {
  static position: usize = 0;
}

/** Makes room for one more old version of a key. False where memory is at its limit. `addOld` or nothing must follow. */
export function reserveOld(key: usize, keySize: u32, hash: u64): bool {
  if (Old.table == 0 || <usize>Old.keyCount * 10 >= (slotMask() + 1) * 7) {
    if (!growTable()) return false;
  }
  const position = positionOf(key, keySize, hash);
  Reserved.position = position;
  const list = <usize>load<u32>(slotAt(position));
  if (list == 0) return prepareList(LIST_SHIFT_MIN, 0);
  const shift = load<u32>(list, LIST_SHIFT);
  if (LIST_ENTRIES + <usize>((load<u32>(list, LIST_COUNT) + 1) << ENTRY_SHIFT) <= <usize>1 << shift) return true;
  return prepareList(shift + 1, list);
}

/** A spare list, made when one may be needed: a larger copy of `list`, or a first one. */
class Spare {
  static list: usize = 0;
}

function prepareList(shift: u32, list: usize): bool {
  if (Spare.list != 0) releaseList(Spare.list);
  Spare.list = 0;
  const fresh = allocateList(shift);
  if (fresh == 0) return false;
  if (list != 0) memory.copy(fresh, list, <usize>1 << load<u32>(list, LIST_SHIFT));
  else store<u32>(fresh, 0, LIST_COUNT);
  store<u32>(fresh, shift, LIST_SHIFT);
  Spare.list = fresh;
  return true;
}

/** Keeps a version that was superseded, for which `reserveOld` made room. */
export function addOld(record: usize, address: u64, hash: u64): void {
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
  store<u64>(entryAt(list, count), versionOf(record));
  store<u64>(entryAt(list, count), address, 8);
  store<u32>(list, count + 1, LIST_COUNT);
  Old.versionCount++;
}

/** The index of the newest version of a list that is not above `version`; -1 where all are. */
function search(list: usize, version: u64): i32 {
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
  if (Old.keyCount == 0) return 0;
  const list = <usize>load<u32>(slotAt(positionOf(key, keySize, hash)));
  if (list == 0) return 0;
  const index = search(list, version);
  return index < 0 ? 0 : resolve(addressAt(list, <u32>index));
}

/** Takes the list of a key out of the table, and moves up those that only stood behind it. */
function removeList(position: usize): void {
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

/** Takes one version out of its key's list; its bytes still count as live. */
export function removeOld(address: u64): void {
  const record = resolve(address);
  const keySize = keySizeOf(record);
  const position = positionOf(keyOf(record), keySize, hashKey(keyOf(record), keySize));
  const list = <usize>load<u32>(slotAt(position));
  const index = <u32>search(list, versionOf(record));
  const count = load<u32>(list, LIST_COUNT) - 1;
  assert(addressAt(list, index) == address);
  Old.versionCount--;
  if (count == 0) {
    removeList(position);
    return;
  }
  memory.copy(entryAt(list, index), entryAt(list, index + 1), <usize>(count - index) * ENTRY_SIZE);
  store<u32>(list, count, LIST_COUNT);
}

/** Gives an old version up. */
export function drop(address: u64): void {
  removeOld(address);
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

export function countOf(list: usize): u32 {
  return load<u32>(list, LIST_COUNT);
}

export { versionAt as oldVersionAt, addressAt as oldAddressAt };
