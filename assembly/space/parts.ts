/**
 * Which record each part of a large value belongs to: parts have no key, and whoever moves one must find the list that names it. A table of addresses, open addressing, which only
 * stores with large values have.
 */
import { partAddress, partCountOf } from '../log/record';
import { allocate, release } from '../memory/allocator';
import { ensures, requires, requiresAddress, requiresRecord } from '../verify/contract';

const ENTRY_SHIFT: u32 = 4;
const ENTRY_SIZE: usize = 16;
const OWNER: usize = 8;
const TABLE_SHIFT_MIN: u32 = 12;

class Parts {
  static table: usize = 0;
  static tableShift: u32 = 0;
  static count: u32 = 0;
}

function mask(): usize {
  return (<usize>1 << Parts.tableShift) - ENTRY_SIZE;
}

function home(part: u64): usize {
  requires(Parts.tableShift >= TABLE_SHIFT_MIN);
  return <usize>((part * 0x9e3779b97f4a7c15) >> (64 - Parts.tableShift)) & mask();
}

/** The entry of a part, or the empty one where it would stand. */
function entryOf(part: u64): usize {
  requiresAddress(part);
  let offset = home(part);
  while (true) {
    const found = load<u64>(Parts.table + offset);
    if (found == part || found == 0) return Parts.table + offset;
    offset = (offset + ENTRY_SIZE) & mask();
  }
}

function build(shift: u32): bool {
  requires(shift >= TABLE_SHIFT_MIN);
  const table = allocate(shift);
  if (table == 0) return false;
  memory.fill(table, 0, <usize>1 << shift);
  const before = Parts.table;
  const shiftBefore = Parts.tableShift;
  Parts.table = table;
  Parts.tableShift = shift;
  if (before == 0) return true;
  for (let at = before; at < before + (<usize>1 << shiftBefore); at += ENTRY_SIZE) {
    if (load<u64>(at) != 0) memory.copy(entryOf(load<u64>(at)), at, ENTRY_SIZE);
  }
  release(before, shiftBefore);
  return true;
}

/** Makes room for so many parts more. False where memory is at its limit. */
export function reserveParts(count: u32): bool {
  requires(count != 0);
  let shift = max<u32>(Parts.tableShift, TABLE_SHIFT_MIN);
  while ((<u64>(Parts.count + count) << (ENTRY_SHIFT + 1)) > <u64>1 << shift) shift++;
  return shift == Parts.tableShift || build(shift);
}

/** The record at `owner` names these parts now. Room for them was reserved. */
export function ownParts(record: usize, owner: u64): void {
  requiresRecord(record);
  requiresAddress(owner);
  const count = partCountOf(record);
  for (let index: u32 = 0; index < count; index++) {
    const part = partAddress(record, index);
    const entry = entryOf(part);
    if (load<u64>(entry) == 0) Parts.count++;
    store<u64>(entry, part);
    store<u64>(entry, owner, OWNER);
  }
  ensures(<u64>Parts.count << (ENTRY_SHIFT + 1) <= <u64>1 << Parts.tableShift);
}

/** Nothing names the part any more. Moves up the entries that only stood behind it. */
export function disownPart(part: u64): void {
  requiresAddress(part);
  requires(Parts.count != 0);
  let hole = entryOf(part) - Parts.table;
  assert(load<u64>(Parts.table + hole) == part);
  Parts.count--;
  for (let offset = (hole + ENTRY_SIZE) & mask(); load<u64>(Parts.table + offset) != 0; offset = (offset + ENTRY_SIZE) & mask()) {
    if (((offset - home(load<u64>(Parts.table + offset))) & mask()) < ((offset - hole) & mask())) continue;
    memory.copy(Parts.table + hole, Parts.table + offset, ENTRY_SIZE);
    hole = offset;
  }
  memory.fill(Parts.table + hole, 0, ENTRY_SIZE);
}

/** The record that names a part; 0 where none does that anybody may still read. */
export function ownerOf(part: u64): u64 {
  return Parts.count == 0 ? 0 : load<u64>(entryOf(part), OWNER);
}

/** Whether any value is kept in parts. */
export function hasParts(): bool {
  return Parts.count != 0;
}
