/**
 * When commits were made whose records compaction has moved out of their frames, for those who read as of such a commit: a table of versions, open addressing. The records say it too, but nothing
 * finds a record by its version alone.
 */
import { allocate, release } from '../memory/allocator';
import { ensures, requires } from '../verify/contract';

const ENTRY_SIZE: usize = 16;
const TIME: usize = 8;
const TABLE_SHIFT_MIN: u32 = 12;

class Times {
  static table: usize = 0;
  static shift: u32 = 0;
  static count: u32 = 0;
}

function mask(): usize {
  return (<usize>1 << Times.shift) - ENTRY_SIZE;
}

function home(version: u64): usize {
  requires(version != 0 && Times.shift >= TABLE_SHIFT_MIN);
  return <usize>((version * 0x9e3779b97f4a7c15) >> (64 - Times.shift)) & mask();
}

/** The entry of a version, or the empty one where it would stand. */
function entryOf(version: u64): usize {
  requires(version != 0 && Times.table != 0);
  let offset = home(version);
  while (true) {
    const found = load<u64>(Times.table + offset);
    if (found == version || found == 0) return Times.table + offset;
    offset = (offset + ENTRY_SIZE) & mask();
  }
}

/** Makes room for one more. False where memory is at its limit. */
export function reserveTime(): bool {
  if (Times.table != 0 && (<u64>(Times.count + 1) << 5) <= <u64>1 << Times.shift) return true;
  const before = Times.table;
  const shiftBefore = Times.shift;
  const shift = max<u32>(Times.shift + 1, TABLE_SHIFT_MIN);
  const table = allocate(shift);
  if (table == 0) return false;
  memory.fill(table, 0, <usize>1 << shift);
  Times.table = table;
  Times.shift = shift;
  if (before == 0) return true;
  for (let at = before; at < before + (<usize>1 << shiftBefore); at += ENTRY_SIZE) {
    if (load<u64>(at) != 0) memory.copy(entryOf(load<u64>(at)), at, ENTRY_SIZE);
  }
  release(before, shiftBefore);
  return true;
}

/** Notes when a commit was made, in epoch milliseconds, for which `reserveTime` made room. */
export function noteTime(version: u64, time: u64): void {
  requires(version != 0 && Times.table != 0);
  const entry = entryOf(version);
  if (load<u64>(entry) == 0) Times.count++;
  store<u64>(entry, version);
  store<u64>(entry, time, TIME);
  ensures(<u64>Times.count << 5 <= <u64>1 << Times.shift);
}

/** When a commit was made, if that was noted; 0 where it was not. */
export function notedTime(version: u64): u64 {
  return Times.count == 0 || version == 0 ? 0 : load<u64>(entryOf(version), TIME);
}

/** Forgets when a commit was made, of which a record is given up: nobody can read as of it any more. Moves up the entries that only stood behind it. */
export function forgetTime(version: u64): void {
  requires(version != 0);
  if (Times.count == 0) return;
  let hole = entryOf(version) - Times.table;
  if (load<u64>(Times.table + hole) == 0) return;
  Times.count--;
  for (let offset = (hole + ENTRY_SIZE) & mask(); load<u64>(Times.table + offset) != 0; offset = (offset + ENTRY_SIZE) & mask()) {
    if (((offset - home(load<u64>(Times.table + offset))) & mask()) < ((offset - hole) & mask())) continue;
    memory.copy(Times.table + hole, Times.table + offset, ENTRY_SIZE);
    hole = offset;
  }
  memory.fill(Times.table + hole, 0, ENTRY_SIZE);
}
