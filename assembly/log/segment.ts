/**
 * The segments that the store knows: a descriptor each, in the order of their sequence numbers, and the table that finds the memory block
 * of a log address. Both cost memory by segments that exist, not by the range of their numbers. A segment that is kept, because its records may still be read, is resident, in a block, or
 * cold: then its bytes stand in the file alone, and `assembly/paging` gets what is asked for.
 */
import { allocate, release, shiftFor } from '../memory/allocator';
import { fault } from '../paging/fault';
import { noteBlocks } from '../paging/room';
import { forgetWindow } from '../paging/window';
import { ADDRESS_UNIT_SHIFT } from '../shared/format';
import { FIELD_MASK, Geometry, addressOf, isAddressable, offsetOf, sequenceOf, setGeometry } from './address';
import { ensures, requires, requiresAddress, requiresBlock, requiresSegment } from '../verify/contract';

export { FIELD_MASK, Geometry, addressOf, isAddressable, offsetOf, sequenceOf, setGeometry };

/**
 * A descriptor:
 *
 *     ┌──────────┬──────┬────────┬────────────┬──────────┬───────────────────────────────┐
 *     │ sequence │ seed │ deadAt │ unlistedBy │ lastHash │ block, slot, offsets, links … │
 *     └──────────┴──────┴────────┴────────────┴──────────┴───────────────────────────────┘
 */
@unmanaged
export class Segment {
  sequence: u64;
  /** The seed of every hash in it: its identity. */
  seed: u64;
  /** The end of the log when its last live byte died; 0 while it lives. */
  deadAt: u64;
  /** The sequence of the segment whose header first left it out of the list; 0 while it is listed. */
  unlistedBy: u64;
  /** The head hash of its last frame. */
  lastHash: u64;
  /** What its header says: of the segment before, where it ends and the hash of its last frame; how far the log was durable, the ceiling, and the highest version. */
  previousEnd: u64;
  previousHash: u64;
  seal: u64;
  ceiling: u64;
  version: u64;
  /** The version of its first frame, which nothing before the segment is above; the greatest number where it has none. */
  firstVersion: u64;
  /** Its block of linear memory; 0 where it is cold or was given up. */
  block: u32;
  slot: u32;
  nextSlot: u32;
  /** Bytes of records that a read may still need. */
  live: u32;
  /** Where its valid bytes end. */
  end: u32;
  /** Up to where its bytes were handed to the device. */
  written: u32;
  /** Where its first frame begins. */
  headerEnd: u32;
  /** Whether its last frame says that the log goes on elsewhere. */
  isEnded: bool;
  /** Whether it is in the list of segments that may be given up. */
  isCandidate: bool;
  /** Whether compaction is emptying it, or has found that it cannot. */
  isVictim: bool;
  /** Whether its records may be read: its number is in the table. */
  isKept: bool;
  /** Whether recovery has marked the parts of large values in its block. */
  isMarked: bool;
  /** The keys and the tombstones whose newest records stand in it. */
  keyCount: u32;
  tombstoneCount: u32;
  /** Those of them that expire one day, or have. */
  expiringCount: u32;
  /** Bytes of the newest records in it: of what is live, all but old versions and parts of values. */
  newest: u32;
  /** The same figures as an image of the index that is being written has them. */
  imageSize: u32;
  imageKeyCount: u32;
  imageTombstoneCount: u32;
  imageExpiringCount: u32;
  /** Whether nothing but an image of the index has named it so far. */
  isFromImage: bool;
  /** Whether damage was met in it when it was read as a whole: from then on it is read record by record. */
  isDamaged: bool;
  /** How often it was read since the hand of the clock came by, where that is counted; of a cold one, how many records were read alone that `readAlone` asks for. */
  reads: u32;
  /** Bytes of its records in the record cache. */
  cached: u32;
  /** A second count of live bytes, and of those of newest records, made by verification. */
  counted: u32;
  countedNewest: u32;
  nextCandidate: Segment | null;
  previous: Segment | null;
  next: Segment | null;
}

const DESCRIPTOR_SIZE: u32 = 192;
const DESCRIPTOR_BLOCK_SHIFT: u32 = 12;
const TABLE_ENTRY_SHIFT: u32 = 4;
/** The lowest bit of the block's word in an entry: nobody counts how often the segment is read, because nothing has to leave. A lookup tests this bit and nothing else. */
const UNCOUNTED: u32 = 1;
const TABLE_SHIFT_MIN: u32 = 12;

if (offsetof<Segment>() > DESCRIPTOR_SIZE) ERROR('a descriptor outgrew its room');

export class Segments {
  static first: Segment | null = null;
  static last: Segment | null = null;
  static count: u32 = 0;
  /** Segments that a header has left out of the list, and whose slots are not free yet. */
  static unlistedCount: u32 = 0;
  /** Segments that may be given up: those that lost their last live byte. Few, and never all, so that no write looks at every segment. */
  static candidates: Segment | null = null;
  /** Descriptors of segments that never came to be, whose slots wait to be taken back. */
  static surplus: Segment | null = null;
  /** Segments that are kept: the entries of the table. */
  static keptCount: u32 = 0;
  /** Those of them that have a block. */
  static residentCount: u32 = 0;
  /** How often those were read that are counted, and records in the record cache, since the hand began its round. */
  static reads: u32 = 0;
  /** The segment at which the hand of the clock stands; null before the first. */
  static hand: Segment | null = null;
  static table: usize = 0;
  static tableShift: u32 = 0;
  static tableMask: u64 = 0;
  static idle: usize = 0;
  /** Where compaction stands that looks at all segments in many steps: to choose some, and for what deletes still hide. */
  static choosing: Segment | null = null;
  static sweeping: Segment | null = null;
  /** The next whose figures go into the image of the index that is being written. */
  static imaging: Segment | null = null;
}

function entryOf(sequence: u64): usize {
  requires(Segments.table != 0);
  return Segments.table + (<usize>(sequence & Segments.tableMask) << TABLE_ENTRY_SHIFT);
}

function following(entry: usize): usize {
  requires(entry >= Segments.table && ((entry - Segments.table) & 15) == 0);
  return Segments.table + ((entry - Segments.table + (1 << TABLE_ENTRY_SHIFT)) & (((<usize>1) << Segments.tableShift) - 1));
}

/** The entry of a segment that is kept, or the empty one where it would stand. */
function probe(sequence: u64): usize {
  requires(sequence != 0);
  let entry = entryOf(sequence);
  while (true) {
    const found = load<u64>(entry);
    if (found == sequence || found == 0) return entry;
    entry = following(entry);
  }
}

/**
 * Where in memory the record at `address` stands, or 0 where its segment was given up. A record of a cold segment is read from the file; what is returned stays where it is up to the end of the
 * operation. Where it cannot be read, an error comes out of the core.
 */
export function resolve(address: u64): usize {
  requiresAddress(address);
  const entry = probe(address >> Geometry.offsetBits);
  const word = load<u32>(entry, 8);
  if ((word & UNCOUNTED) == 0) return resolveSlowly(entry, address);
  return <usize>(word - UNCOUNTED) + (<usize>(address & Geometry.offsetMask) << ADDRESS_UNIT_SHIFT);
}

/** As `resolve`, for what is counted, is not in memory, or was given up. */
function resolveSlowly(entry: usize, address: u64): usize {
  requires(Segments.table != 0 && entry >= Segments.table);
  const word = load<u32>(entry, 8);
  const segment = changetype<Segment | null>(<usize>load<u32>(entry, 12));
  if (segment === null) return 0;
  if (word == 0) return fault(segment, address);
  segment.reads++;
  Segments.reads++;
  return <usize>word + (<usize>(address & Geometry.offsetMask) << ADDRESS_UNIT_SHIFT);
}

/** How often a resident segment was read since this was last asked; the first time, more often than can be counted. */
export function takeReads(segment: Segment): u32 {
  requiresSegment(segment);
  requires(segment.block != 0 && segment.isKept);
  const reads = segment.reads;
  segment.reads = 0;
  const entry = probe(segment.sequence);
  const word = load<u32>(entry, 8);
  if ((word & UNCOUNTED) == 0) return reads;
  store<u32>(entry, word & ~UNCOUNTED, 8);
  return <u32>-1;
}

/** The descriptor of the segment that holds `address`, as long as it is kept. */
export function segmentOf(address: u64): Segment | null {
  requiresAddress(address);
  return changetype<Segment | null>(<usize>load<u32>(probe(address >> Geometry.offsetBits), 12));
}

function buildTable(shift: u32): bool {
  requires(shift >= TABLE_SHIFT_MIN);
  const table = allocate(shift);
  if (table == 0) return false;
  memory.fill(table, 0, (<usize>1) << shift);
  const old = Segments.table;
  const oldShift = Segments.tableShift;
  Segments.table = table;
  Segments.tableShift = shift;
  Segments.tableMask = ((<u64>1) << (shift - TABLE_ENTRY_SHIFT)) - 1;
  for (let segment: Segment | null = Segments.first; segment !== null; segment = segment!.next) {
    if (segment.isKept) enter(segment);
  }
  if (old != 0) release(old, oldShift);
  return true;
}

function enter(segment: Segment): void {
  requiresSegment(segment);
  requires(segment.isKept);
  const entry = probe(segment.sequence);
  store<u64>(entry, segment.sequence);
  store<u32>(entry, segment.block == 0 ? 0 : segment.block | UNCOUNTED, 8);
  store<u32>(entry, <u32>changetype<usize>(segment), 12);
}

/** Takes an entry out and moves up those that only stood behind it. */
function leave(sequence: u64): void {
  let hole = probe(sequence);
  assert(load<u64>(hole) == sequence);
  let entry = following(hole);
  const span = ((<usize>1) << Segments.tableShift) - 1;
  while (load<u64>(entry) != 0) {
    const home = entryOf(load<u64>(entry));
    if (((entry - home) & span) >= ((entry - hole) & span)) {
      memory.copy(hole, entry, 1 << TABLE_ENTRY_SHIFT);
      hole = entry;
    }
    entry = following(entry);
  }
  memory.fill(hole, 0, 1 << TABLE_ENTRY_SHIFT);
}

/** Reserves what one more segment needs, beside its block, so that adding it cannot fail half-way. */
export function prepareSegment(): bool {
  if (Segments.table == 0 && !buildTable(TABLE_SHIFT_MIN)) return false;
  if (((Segments.keptCount + 1) << (TABLE_ENTRY_SHIFT + 1)) > (<u32>1 << Segments.tableShift) && !buildTable(Segments.tableShift + 1)) return false;
  if (Segments.idle == 0) {
    const block = allocate(DESCRIPTOR_BLOCK_SHIFT);
    if (block == 0) return false;
    for (let at = block; at + DESCRIPTOR_SIZE <= block + (1 << DESCRIPTOR_BLOCK_SHIFT); at += DESCRIPTOR_SIZE) {
      store<u32>(at, <u32>Segments.idle);
      Segments.idle = at;
    }
  }
  return true;
}

/** A new descriptor for a block, or with 0 for a cold segment, put in its place in the order; null where memory is at its limit, with nothing changed. */
export function addSegment(sequence: u64, block: usize, slot: u32): Segment | null {
  requires(sequence != 0);
  requires(block == 0 || (block & 7) == 0);
  if (!prepareSegment()) return null;
  const at = Segments.idle;
  Segments.idle = <usize>load<u32>(at);
  memory.fill(at, 0, DESCRIPTOR_SIZE);
  const segment = changetype<Segment>(at);
  segment.sequence = sequence;
  segment.block = <u32>block;
  segment.slot = slot;
  segment.firstVersion = <u64>-1;
  segment.isKept = true;
  let before: Segment | null = Segments.last;
  while (before !== null && before.sequence > sequence) before = before.previous;
  const after = before === null ? Segments.first : before.next;
  segment.previous = before;
  segment.next = after;
  if (before === null) Segments.first = segment;
  else before.next = segment;
  if (after === null) Segments.last = segment;
  else after.previous = segment;
  Segments.count++;
  Segments.keptCount++;
  enter(segment);
  if (block != 0) {
    Segments.residentCount++;
    noteBlocks();
  }
  ensures(before === null || before.sequence < sequence);
  ensures(after === null || after.sequence > sequence);
  ensures(segmentOf(addressOf(sequence, 0)) === segment);
  return segment;
}

/** Takes the block from a segment, which is cold from then on: its bytes must stand in the file. */
export function detachBlock(segment: Segment): usize {
  requiresSegment(segment);
  requires(segment.block != 0 && Segments.residentCount != 0);
  const block = <usize>segment.block;
  Segments.residentCount--;
  segment.block = 0;
  segment.isMarked = false;
  if (segment.isKept) enter(segment);
  return block;
}

/** Gives a cold segment a block that holds its bytes. */
export function attachBlock(segment: Segment, block: usize): void {
  requiresSegment(segment);
  requires(segment.block == 0 && segment.isKept);
  requiresBlock(block, Geometry.segmentSize);
  segment.block = <u32>block;
  Segments.residentCount++;
  enter(segment);
  noteBlocks();
}

/** Gives a segment up: its addresses no longer resolve, and its block is given back. The descriptor stays, because its slot may still be listed. */
export function giveUp(segment: Segment): void {
  requiresSegment(segment);
  requires(segment.isKept && Segments.keptCount != 0);
  if (segment.block != 0) release(detachBlock(segment), Geometry.segmentShift);
  leave(segment.sequence);
  forgetWindow(segment.sequence);
  Segments.keptCount--;
  segment.isKept = false;
  ensures(segment.block == 0 && segmentOf(addressOf(segment.sequence, 0)) === null);
}

/** Leaves a segment out of the list from the header of segment `by` on, or with 0 takes that back. */
export function setUnlisted(segment: Segment, by: u64): void {
  requires(by == 0 || by > segment.sequence);
  if ((segment.unlistedBy == 0) != (by == 0)) Segments.unlistedCount += by == 0 ? -1 : 1;
  segment.unlistedBy = by;
}

/** Notes that a segment may be given up. */
export function nominate(segment: Segment): void {
  requiresSegment(segment);
  if (segment.isCandidate) return;
  segment.isCandidate = true;
  segment.nextCandidate = Segments.candidates;
  Segments.candidates = segment;
}

function withdraw(segment: Segment): void {
  requires(segment.isCandidate && Segments.candidates !== null);
  let before: Segment | null = null;
  let candidate = Segments.candidates;
  while (candidate !== segment) {
    before = candidate;
    candidate = candidate!.nextCandidate;
  }
  if (before === null) Segments.candidates = segment.nextCandidate;
  else before.nextCandidate = segment.nextCandidate;
  segment.isCandidate = false;
}

function makeIdle(segment: Segment): void {
  store<u32>(changetype<usize>(segment), <u32>Segments.idle);
  Segments.idle = changetype<usize>(segment);
}

/** Takes a segment out of the order, and gives its block back. */
function unchain(segment: Segment): void {
  requires(segment.sequence != 0 && Segments.count != 0);
  if (segment.isKept) giveUp(segment);
  if (segment.isCandidate) withdraw(segment);
  if (Segments.hand === segment) Segments.hand = segment.next;
  setUnlisted(segment, 0);
  const before = segment.previous;
  const after = segment.next;
  if (Segments.choosing === segment) Segments.choosing = after;
  if (Segments.sweeping === segment) Segments.sweeping = after;
  if (Segments.imaging === segment) Segments.imaging = after;
  if (before === null) Segments.first = after;
  else before.next = after;
  if (after === null) Segments.last = before;
  else after.previous = before;
  Segments.count--;
}

/** Forgets a segment altogether. */
export function removeSegment(segment: Segment): void {
  unchain(segment);
  makeIdle(segment);
}

/** Forgets a segment that never came to be; the slot that it was to name as next waits for `takeSurplus`. */
export function abandonSegment(segment: Segment): void {
  unchain(segment);
  segment.slot = segment.nextSlot;
  segment.nextCandidate = Segments.surplus;
  Segments.surplus = segment;
}

/** A slot that an abandoned segment has left; -1 where there is none. */
export function takeSurplus(): i32 {
  const segment = Segments.surplus;
  if (segment === null) return -1;
  Segments.surplus = segment.nextCandidate;
  const slot = <i32>segment.slot;
  makeIdle(segment);
  return slot;
}

/** A block for a segment: shiftFor keeps 4 KiB segments on 4 KiB blocks. */
export function allocateSegmentBlock(): usize {
  return allocate(shiftFor(Geometry.segmentSize));
}
