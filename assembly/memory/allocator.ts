/**
 * Blocks of linear memory: powers of two from 4 KiB on, recycled whole through one free list a size. A larger block may be split for a
 * smaller one. Where memory is bounded, blocks from some size on are joined again with their other halves (Knowlton, 1965); elsewhere they are not, because what the core frees is either a segment,
 * which the next segment takes, or an outgrown directory, which becomes index pages.
 * Guarantees: a block is aligned to its size or to 64 KiB, whichever is less; a refusal (0) has changed nothing.
 */
import { ensures, requires, requiresBlock } from '../verify/contract';
const SHIFT_MIN: u32 = 12;
/** Half of what linear memory can be: sorting more keys at once than this holds fails as memory at its limit does. */
const SHIFT_MAX: u32 = 31;
const ALIGNMENT_SHIFT_MAX: u32 = 16;
const WASM_PAGE_SHIFT: u32 = 16;
/** Where the last block ends at most: a page before addresses do, so that none that stands behind a block, and not the frontier either, is 0 for want of a bit. */
const END_MAX: u64 = (1 << 32) - (1 << WASM_PAGE_SHIFT);
/**
 * How much to ask for at a time, at least, and as a share of what there is. V8 takes every growth for a new buffer of the whole size and collects garbage for it: a million
 * inserts in steps of 256 KiB spent four fifths of their time there, and the longest pause of an insert is such a collection. Pages that were never touched cost address space
 * and no memory.
 */
const GROWTH_MIN: u64 = 64 << 20;
const GROWTH_SHARE_SHIFT: u64 = 1;

const heads: usize = memory.data((31 + 1) * 4, 8);
// A block in a free list: the next, the one before, and the exponent of its size.
const FREE_BEFORE: usize = 4;
const FREE_SHIFT: usize = 8;
/** How many blocks each free list has. */
const counts: usize = memory.data((31 + 1) * 4, 8);

class Memory {
  /** The first byte that no block has had yet. */
  static frontier: usize = 0;
  static idleSize: u64 = 0;
  /** How far memory may grow, as far as it is known: what the store was given, or less where the platform has refused more. */
  static limit: u64 = END_MAX;
  /** A bit for each block of `1 << joinShift` bytes that there can be: whether a free block begins there. 0 where blocks are not joined. */
  static map: usize = 0;
  static joinShift: u32 = 0;
  static alignmentShiftMax: u32 = ALIGNMENT_SHIFT_MAX;
}

/** The exponent of the block that holds `size` bytes. */
export function shiftFor(size: usize): u32 {
  if (size <= 1 << SHIFT_MIN) return SHIFT_MIN;
  return 32 - <u32>clz<u32>(<u32>(size - 1));
}

function adjustCount(shift: u32, by: i32): void {
  requires(shift >= SHIFT_MIN && shift <= SHIFT_MAX);
  const at = counts + (<usize>shift << 2);
  store<u32>(at, load<u32>(at) + by);
}

/** Whether a block has a bit in the map. */
function isMapped(block: usize, shift: u32): bool {
  requires(block != 0 && (block & 4095) == 0);
  return Memory.map != 0 && shift >= Memory.joinShift && (block & ((<usize>1 << Memory.joinShift) - 1)) == 0;
}

function mark(block: usize, isFree: bool): void {
  requires(isMapped(block, Memory.joinShift));
  const number = block >> Memory.joinShift;
  const at = Memory.map + (number >> 3);
  const bit: u8 = 1 << <u8>(number & 7);
  store<u8>(at, isFree ? load<u8>(at) | bit : load<u8>(at) & ~bit);
}

function push(block: usize, shift: u32): void {
  requires(shift >= SHIFT_MIN && shift <= SHIFT_MAX && block != 0 && (block & 4095) == 0);
  const head = heads + (<usize>shift << 2);
  const following = load<u32>(head);
  store<u32>(block, following);
  store<u32>(block, 0, FREE_BEFORE);
  store<u32>(block, shift, FREE_SHIFT);
  if (following != 0) store<u32>(following, <u32>block, FREE_BEFORE);
  store<u32>(head, <u32>block);
  if (isMapped(block, shift)) mark(block, true);
  adjustCount(shift, 1);
  Memory.idleSize += <u64>1 << shift;
}

/** Takes a block out of its free list. */
function unlink(block: usize, shift: u32): void {
  requires(load<u32>(block, FREE_SHIFT) == shift);
  const following = load<u32>(block);
  const before = load<u32>(block, FREE_BEFORE);
  if (before == 0) store<u32>(heads + (<usize>shift << 2), following);
  else store<u32>(before, following);
  if (following != 0) store<u32>(following, before, FREE_BEFORE);
  if (isMapped(block, shift)) mark(block, false);
  adjustCount(shift, -1);
  Memory.idleSize -= <u64>1 << shift;
}

function pop(shift: u32): usize {
  const block = <usize>load<u32>(heads + (<usize>shift << 2));
  if (block != 0) unlink(block, shift);
  return block;
}

/** The size of the free block of at least `1 << joinShift` bytes that begins at a block, as an exponent; 0 where none does. */
export function freeShift(block: usize): u32 {
  requires(Memory.map != 0);
  if (block == 0 || block >= Memory.frontier || !isMapped(block, Memory.joinShift)) return 0;
  const number = block >> Memory.joinShift;
  return ((load<u8>(Memory.map + (number >> 3)) >> <u8>(number & 7)) & 1) != 0 ? load<u32>(block, FREE_SHIFT) : 0;
}

/** Puts the gap between the frontier and `until` into the free lists. */
function donate(until: usize): void {
  requires(until >= Memory.frontier && (until & 4095) == 0);
  while (Memory.frontier < until) {
    let shift = <u32>ctz<u32>(<u32>Memory.frontier);
    if (shift > SHIFT_MAX) shift = SHIFT_MAX;
    while (Memory.frontier + (<usize>1 << shift) > until) shift--;
    push(Memory.frontier, shift);
    Memory.frontier += <usize>1 << shift;
  }
}

function extend(shift: u32): usize {
  requires(shift <= SHIFT_MAX && (Memory.frontier & 4095) == 0);
  if (Memory.frontier == 0) Memory.frontier = (__heap_base + 4095) & ~4095;
  const alignment = <u64>1 << min<u32>(shift, Memory.alignmentShiftMax);
  const begin = (<u64>Memory.frontier + alignment - 1) & ~(alignment - 1);
  const end = begin + (<u64>1 << shift);
  if (end > END_MAX) return 0;
  const available = <u64>memory.size() << WASM_PAGE_SHIFT;
  if (end > available) {
    const needed = <i32>((end - available + 0xffff) >> WASM_PAGE_SHIFT);
    let wanted = max<i32>(needed, <i32>(max<u64>(GROWTH_MIN, available >> GROWTH_SHARE_SHIFT) >> WASM_PAGE_SHIFT));
    while (memory.grow(wanted) < 0) {
      if (wanted == needed) {
        Memory.limit = min<u64>(Memory.limit, available);
        return 0;
      }
      wanted = max<i32>(needed, wanted >> 1);
    }
  }
  donate(<usize>begin);
  Memory.frontier = <usize>end;
  ensures((begin & (alignment - 1)) == 0 && end <= <u64>memory.size() << WASM_PAGE_SHIFT);
  return <usize>begin;
}

/** A block of `1 << shift` bytes with whatever its last owner left in it, or 0 where memory is at its limit. O(1), but for growth. */
export function allocate(shift: u32): usize {
  assert(shift >= SHIFT_MIN);
  for (let larger = shift; larger <= SHIFT_MAX; larger++) {
    const block = pop(larger);
    if (block == 0) continue;
    while (larger > shift) {
      larger--;
      push(block + (<usize>1 << larger), larger);
    }
    ensures(block != 0 && (block & 4095) == 0);
    return block;
  }
  return extend(shift);
}

/** Gives a block back. It must have come from `allocate` with the same `shift`. */
export function release(block: usize, shift: u32): void {
  requiresBlock(block, <usize>1 << shift);
  assert(block != 0 && (block & 4095) == 0);
  while (isMapped(block, shift) && shift < SHIFT_MAX && (block & ((<usize>1 << shift) - 1)) == 0) {
    const other = block ^ (<usize>1 << shift);
    if (freeShift(other) != shift) break;
    unlink(other, shift);
    block = min<usize>(block, other);
    shift++;
  }
  push(block, shift);
}

/** The bytes in free lists. */
export function idleSize(): u64 {
  return Memory.idleSize;
}

/** The bytes that were ever touched: behind them, memory is reserved and costs nothing. */
export function touchedSize(): u64 {
  return Memory.frontier;
}

/** Says how far memory may grow, in bytes, and that blocks of `1 << shift` bytes and more are to be joined again. False where memory is at its limit already. */
export function limitMemory(size: u64, shift: u32): bool {
  requires(size != 0 && Memory.map == 0);
  Memory.limit = min<u64>(size, END_MAX);
  const mapShift = shiftFor(<usize>(size >> (shift + 3)) + 1);
  const map = allocate(mapShift);
  if (map == 0) return false;
  memory.fill(map, 0, <usize>1 << mapShift);
  Memory.map = map;
  Memory.joinShift = shift;
  Memory.alignmentShiftMax = SHIFT_MAX;
  for (let larger = shift; larger <= SHIFT_MAX; larger++) {
    for (let block = <usize>load<u32>(heads + (<usize>larger << 2)); block != 0; block = <usize>load<u32>(block)) {
      if (isMapped(block, larger)) mark(block, true);
    }
  }
  return true;
}

/** How many bytes blocks of `1 << shift` bytes can still take, in steps of a block. */
export function availableSize(shift: u32): u64 {
  requires(shift >= SHIFT_MIN && shift <= SHIFT_MAX);
  let size: u64 = 0;
  for (let larger = shift; larger <= SHIFT_MAX; larger++) size += <u64>load<u32>(counts + (<usize>larger << 2)) << larger;
  const alignment = (<u64>1 << min<u32>(shift, Memory.alignmentShiftMax)) - 1;
  const frontier = (<u64>Memory.frontier + alignment) & ~alignment;
  return frontier >= Memory.limit ? size : size + (((Memory.limit - frontier) >> shift) << shift);
}
