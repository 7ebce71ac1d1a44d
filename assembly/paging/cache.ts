/**
 * The record cache: records of cold segments, one behind the other in chunks as large as a segment, and a table that finds them by their addresses. The oldest chunk goes first, and what of it
 * was read again since it came moves on to the newest: a second chance for each record, as CLOCK gives it.
 */
import { sizeOf } from '../log/record';
import { FIELD_MASK, Geometry, Segment, Segments, allocateSegmentBlock, segmentOf } from '../log/segment';
import { allocate, release } from '../memory/allocator';
import { noteBlocks } from './room';
import { SLACK } from './scratch';
import { ensures, requires, requiresAddress, requiresBlock, requiresRecord } from '../verify/contract';

// A chunk: the next newer one, up to where it is filled, and entries. An entry: the address of the record, with the mark of one that was read again, and the record.
const CHUNK_USED: usize = 4;
const CHUNK_ENTRIES: u32 = 8;
export const ENTRY_HEADER: u32 = 8;
const WAS_READ: u64 = 1 << 63;
const TABLE_SHIFT_MIN: u32 = 12;
const SLOT_SHIFT: u32 = 2;
/** Odd, and its bits in no order: what spreads addresses over the table (Knuth's multiplicative hashing). */
const SPREAD: u64 = 0x9e3779b97f4a7c15;

export class Cache {
  static oldest: usize = 0;
  static newest: usize = 0;
  static chunkCount: u32 = 0;
  /** The table: a pointer to a record a slot, 0 where it is empty. */
  static table: usize = 0;
  static tableShift: u32 = 0;
  /** How many records the table finds. */
  static count: u32 = 0;
}

function slotMask(): usize {
  return (<usize>1 << (Cache.tableShift - SLOT_SHIFT)) - 1;
}

function slotAt(position: usize): usize {
  requires(Cache.table != 0 && position <= slotMask());
  return Cache.table + (position << SLOT_SHIFT);
}

function homeOf(address: u64): usize {
  requiresAddress(address);
  return <usize>((address * SPREAD) >> 32) & slotMask();
}

function addressAt(record: usize): u64 {
  requiresBlock(record - ENTRY_HEADER, ENTRY_HEADER);
  return load<u64>(record - ENTRY_HEADER) & FIELD_MASK;
}

/** The record at an address, if the cache holds it, or 0. */
export function findCached(address: u64): usize {
  requiresAddress(address);
  if (Cache.count == 0) return 0;
  let position = homeOf(address);
  while (true) {
    const record = <usize>load<u32>(slotAt(position));
    if (record == 0) return 0;
    const word = load<u64>(record - ENTRY_HEADER);
    if ((word & FIELD_MASK) == address) {
      Segments.reads++;
      if ((word & WAS_READ) == 0) store<u64>(record - ENTRY_HEADER, word | WAS_READ);
      return record;
    }
    position = (position + 1) & slotMask();
  }
}

function growTable(): bool {
  const shift = Cache.table == 0 ? TABLE_SHIFT_MIN : Cache.tableShift + 1;
  const table = allocate(shift);
  if (table == 0) return false;
  memory.fill(table, 0, <usize>1 << shift);
  const before = Cache.table;
  const shiftBefore = Cache.tableShift;
  Cache.table = table;
  Cache.tableShift = shift;
  ensures(<usize>Cache.count <= slotMask());
  if (before == 0) return true;
  for (let at = before; at < before + (<usize>1 << shiftBefore); at += <usize>1 << SLOT_SHIFT) {
    const record = <usize>load<u32>(at);
    if (record != 0) enter(record);
  }
  release(before, shiftBefore);
  return true;
}

function enter(record: usize): void {
  requires(Cache.table != 0);
  requiresRecord(record);
  let position = homeOf(addressAt(record));
  while (load<u32>(slotAt(position)) != 0) position = (position + 1) & slotMask();
  store<u32>(slotAt(position), <u32>record);
}

/** The position of a record in the table; -1 where the table does not find it there. */
function positionOf(record: usize): i32 {
  requiresRecord(record);
  if (Cache.count == 0) return -1;
  let position = homeOf(addressAt(record));
  while (true) {
    const found = <usize>load<u32>(slotAt(position));
    if (found == record) return <i32>position;
    if (found == 0) return -1;
    position = (position + 1) & slotMask();
  }
}

/** Takes a slot out of the table, and moves up those that only stood behind it. */
function removeAt(position: usize): void {
  requires(Cache.count != 0);
  const mask = slotMask();
  let hole = position;
  let at = (hole + 1) & mask;
  while (load<u32>(slotAt(at)) != 0) {
    const home = homeOf(addressAt(load<u32>(slotAt(at))));
    if (((at - home) & mask) >= ((at - hole) & mask)) {
      store<u32>(slotAt(hole), load<u32>(slotAt(at)));
      hole = at;
    }
    at = (at + 1) & mask;
  }
  store<u32>(slotAt(hole), 0);
  Cache.count--;
}

/** Where a record of up to `size` bytes may be read to; 0 where memory is at its limit. It counts when `keepRecord` says so, and until then the next one goes to the same place. */
export function roomForRecord(size: u32): usize {
  requires((size & 7) == 0 && size + ENTRY_HEADER + CHUNK_ENTRIES + SLACK <= Geometry.segmentSize);
  const newest = Cache.newest;
  if (newest != 0) {
    const used = load<u32>(newest, CHUNK_USED);
    if (used + ENTRY_HEADER + size + SLACK <= Geometry.segmentSize) return newest + used + ENTRY_HEADER;
  }
  const chunk = allocateSegmentBlock();
  if (chunk == 0) return 0;
  store<u32>(chunk, 0);
  store<u32>(chunk, CHUNK_ENTRIES, CHUNK_USED);
  if (newest == 0) Cache.oldest = chunk;
  else store<u32>(newest, <u32>chunk);
  Cache.newest = chunk;
  Cache.chunkCount++;
  noteBlocks();
  return chunk + CHUNK_ENTRIES + ENTRY_HEADER;
}

/** Keeps the record that was read to where `roomForRecord` has said. Without memory for the table it stays there for this operation, and is not found again. */
export function keepRecord(segment: Segment, record: usize, address: u64): void {
  requiresRecord(record);
  requiresAddress(address);
  const size = sizeOf(record);
  store<u64>(record - ENTRY_HEADER, address);
  store<u32>(Cache.newest, load<u32>(Cache.newest, CHUNK_USED) + ENTRY_HEADER + size, CHUNK_USED);
  ensures(load<u32>(Cache.newest, CHUNK_USED) <= Geometry.segmentSize);
  if (Cache.table == 0 || <usize>Cache.count * 10 >= (slotMask() + 1) * 7) {
    if (!growTable()) return;
  }
  enter(record);
  Cache.count++;
  segment.cached += size;
}

/** Takes a record out of the table. Returns whether it was read again since it came. */
function forgetRecord(record: usize): bool {
  requiresRecord(record);
  const position = positionOf(record);
  if (position < 0) return false;
  removeAt(<usize>position);
  const segment = segmentOf(addressAt(record));
  if (segment !== null) segment.cached -= sizeOf(record);
  return (load<u64>(record - ENTRY_HEADER) & WAS_READ) != 0;
}

/** Moves a record on to the newest chunk. Where there is no memory for another, it goes. */
function moveOn(record: usize): void {
  requiresRecord(record);
  const address = addressAt(record);
  const size = sizeOf(record);
  const segment = segmentOf(address);
  // What is resident or given up is not looked for here any more.
  if (segment === null || segment.block != 0) return;
  const moved = roomForRecord(size);
  if (moved == 0) return;
  memory.copy(moved, record, size);
  keepRecord(segment, moved, address);
}

/** The chunk behind another in the order of their ages, or 0. */
export function chunkAfter(chunk: usize): usize {
  requiresBlock(chunk, CHUNK_ENTRIES);
  return <usize>load<u32>(chunk);
}

/** Gives a chunk up that is not the newest, with every record in it. O(chunks + records of a chunk). */
export function takeChunk(chunk: usize): void {
  requires(chunk != Cache.newest && Cache.chunkCount > 1);
  if (Cache.oldest == chunk) Cache.oldest = chunkAfter(chunk);
  else {
    let before = Cache.oldest;
    while (chunkAfter(before) != chunk) before = chunkAfter(before);
    store<u32>(before, <u32>chunkAfter(chunk));
  }
  Cache.chunkCount--;
  const end = chunk + load<u32>(chunk, CHUNK_USED);
  for (let record = chunk + CHUNK_ENTRIES + ENTRY_HEADER; record < end; record += sizeOf(record) + ENTRY_HEADER) forgetRecord(record);
}

/**
 * Gives the oldest chunk up, and moves on what of it was read again, up to half of it. Returns its block; 0 where there is none but the newest. O(records of a chunk).
 */
export function takeOldestChunk(): usize {
  requires((Cache.oldest == 0) == (Cache.newest == 0));
  const chunk = Cache.oldest;
  if (chunk == Cache.newest) return 0;
  Cache.oldest = <usize>load<u32>(chunk);
  Cache.chunkCount--;
  const end = chunk + load<u32>(chunk, CHUNK_USED);
  let left = Geometry.segmentSize >> 1;
  for (let record = chunk + CHUNK_ENTRIES + ENTRY_HEADER; record < end; record += sizeOf(record) + ENTRY_HEADER) {
    if (!forgetRecord(record) || sizeOf(record) > left) continue;
    left -= sizeOf(record);
    moveOn(record);
  }
  ensures(Cache.oldest != 0 && Segments.table != 0);
  return chunk;
}
