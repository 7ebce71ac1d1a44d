/**
 * Deletes that nothing needs any more. A tombstone hides the older versions of its key that still stand somewhere in the log; without it the next recovery would bring them back. So it may go only when no segment
 * that a header lists holds one, and nobody reads as of a version before it. Whether one does is found out for all tombstones at once, as a garbage collector marks: a first pass over the log notes
 * the keys that are deleted in a filter, a second notes in another which of them it met an older record of, and when the segments that could not be read, because they hold nothing live, have left the list, a third takes the
 * tombstones of the keys that were not met out of the index. Their records are dead from then on, as others are. A value that has expired is a tombstone here. Keys that share a bit of a filter are kept one time more.
 */
import { hashKey } from '../hash/keyhash';
import { standing } from '../index/by-hash';
import { find, remove, slotAddress } from '../index/directory';
import { bodySizeOf, frameSizeOf } from '../log/frame';
import { Log } from '../log/log';
import { flagsOf, keyOf, keySizeOf, sizeOf, versionOf } from '../log/record';
import { Geometry, Segment, Segments, addressOf } from '../log/segment';
import { allocate, release, shiftFor } from '../memory/allocator';
import { presentBlock } from '../paging/window';
import { removeKey } from '../order/order';
import { FRAME_HEAD_SIZE, RECORD_FLAG_LARGE, RECORD_FLAG_PART, RECORD_FLAG_TOMBSTONE } from '../shared/format';
import { Space, forsake, readParts } from '../space/live';
import { History } from '../versions/history';
import { Pins } from '../versions/pins';
import { expiryOf } from '../versions/visible';
import { requires, requiresBlock, requiresRecord } from '../verify/contract';

const IDLE: u32 = 0;
const NOTE: u32 = 1;
const MARK: u32 = 2;
const WAIT: u32 = 3;
const REMOVE: u32 = 4;

/** Bits of a filter for a key: of keys without older records, one in sixteen is then taken for one that has some. */
const BITS_PER_KEY: u64 = 16;
/** Fewer are not worth three passes. */
const COUNT_MIN: u64 = 64;
/** What share of the keys must be deleted, or able to expire, and by what share the store must have been written anew, before it is looked again. */
const SHARE_SHIFT: u64 = 3;
const WRITTEN_SHIFT: u32 = 1;

export class Sweep {
  static phase: u32 = IDLE;
  /** Deletes up to this version, and values that had expired by this time, are looked for. */
  static version: u64 = 0;
  static time: u64 = 0;
  /** The filters: keys that are deleted, and keys of which there are older records; the exponent of their size. */
  static deleted: usize = 0;
  static hiding: usize = 0;
  static shift: u32 = 0;
  /** Where the walk stands. */
  static sequence: u64 = 0;
  static frame: u32 = 0;
  static offset: u32 = 0;
  static budget: u32 = 0;
  /** Whether segments may be read from the file, and whether one would have to be. */
  static mayRead: bool = false;
  static isHeldUp: bool = false;
  /** Where the segment is in memory that the last record stands in. */
  static block: usize = 0;
  /** The last segment that the second pass has read. */
  static horizon: u64 = 0;
  /** The segment with which the last sweep ended. */
  static last: u64 = 0;
  /** Deletes and expired values that were taken out. */
  static removed: u64 = 0;
}

/** Whether enough keys are deleted or may have expired, and enough was written since the last time. */
export function isSweepDue(): bool {
  if (Sweep.phase != IDLE) return true;
  if (History.isKept) return false;
  const candidates = Space.tombstoneCount + Space.expiringCount;
  if (candidates < COUNT_MIN || candidates << SHARE_SHIFT < Space.keyCount + Space.tombstoneCount) return false;
  return Log.segment!.sequence - Sweep.last > <u64>(Segments.keptCount >> WRITTEN_SHIFT) + 1;
}

function walkFromStart(phase: u32): void {
  requires(phase > IDLE && phase <= REMOVE);
  Sweep.phase = phase;
  Segments.sweeping = Segments.first;
  Sweep.sequence = 0;
}

/** Begins. False where there is no memory for the filters: nothing is lost by that. */
export function startSweep(): bool {
  requires(Sweep.phase == IDLE && Sweep.deleted == 0);
  if (History.isKept) return false;
  Sweep.shift = shiftFor(<usize>(((Space.tombstoneCount + Space.expiringCount) * BITS_PER_KEY) >> 3));
  Sweep.deleted = allocate(Sweep.shift);
  Sweep.hiding = Sweep.deleted == 0 ? 0 : allocate(Sweep.shift);
  if (Sweep.hiding == 0) {
    endSweep();
    return false;
  }
  memory.fill(Sweep.deleted, 0, <usize>1 << Sweep.shift);
  memory.fill(Sweep.hiding, 0, <usize>1 << Sweep.shift);
  Sweep.version = Log.version;
  Sweep.time = Log.time;
  walkFromStart(NOTE);
  return true;
}

function endSweep(): void {
  requires(Log.segment !== null);
  if (Sweep.deleted != 0) release(Sweep.deleted, Sweep.shift);
  if (Sweep.hiding != 0) release(Sweep.hiding, Sweep.shift);
  Sweep.deleted = 0;
  Sweep.hiding = 0;
  Sweep.phase = IDLE;
  Sweep.last = Log.segment!.sequence;
}

function byteOf(filter: usize, hash: u64): usize {
  requires(filter != 0);
  return filter + (<usize>(hash >> 20) & ((<usize>1 << Sweep.shift) - 1));
}

function bitOf(hash: u64): u8 {
  return 1 << <u8>(hash >> 61);
}

function mark(filter: usize, hash: u64): void {
  requiresBlock(filter, <usize>1 << Sweep.shift);
  const at = byteOf(filter, hash);
  store<u8>(at, load<u8>(at) | bitOf(hash));
}

function isMarked(filter: usize, hash: u64): bool {
  requiresBlock(filter, <usize>1 << Sweep.shift);
  return (load<u8>(byteOf(filter, hash)) & bitOf(hash)) != 0;
}

/** Whether a record says that its key is not there, for all who begin to read from now on. */
function isGone(record: usize): bool {
  requiresRecord(record);
  if (versionOf(record) > Sweep.version) return false;
  const expiry = expiryOf(record);
  return (flagsOf(record) & RECORD_FLAG_TOMBSTONE) != 0 || (expiry != 0 && expiry <= Sweep.time);
}

/** The next record with a key, or 0 at the end of the log, or where the budget is used up. */
function nextRecord(): usize {
  while (Segments.sweeping !== null) {
    const segment = Segments.sweeping!;
    if (segment.sequence != Sweep.sequence) {
      Sweep.sequence = segment.sequence;
      Sweep.frame = segment.headerEnd;
      Sweep.offset = 0;
    }
    Sweep.isHeldUp = segment.isKept && segment.block == 0 && !Sweep.mayRead;
    if (Sweep.isHeldUp) return 0;
    const record = segment.isKept ? nextIn(segment) : 0;
    if (record != 0) return record;
    if (Sweep.budget == 0) return 0;
    Segments.sweeping = segment.next;
  }
  return 0;
}

function nextIn(segment: Segment): usize {
  requires(segment.isKept && Sweep.sequence == segment.sequence);
  const block = presentBlock(segment);
  Sweep.block = block;
  while (Sweep.budget != 0) {
    const isOpen = Sweep.frame >= segment.end;
    if (isOpen && (segment !== Log.segment || Log.frame == 0 || Log.frame != Sweep.frame)) return 0;
    const end = isOpen ? Log.tail : Sweep.frame + FRAME_HEAD_SIZE + bodySizeOf(block + Sweep.frame);
    if (Sweep.offset == 0) Sweep.offset = Sweep.frame + FRAME_HEAD_SIZE;
    if (Sweep.offset >= end) {
      if (isOpen) return 0;
      Sweep.frame += frameSizeOf(block + Sweep.frame);
      Sweep.offset = 0;
      continue;
    }
    const record = block + Sweep.offset;
    Sweep.offset += sizeOf(record);
    Sweep.budget--;
    if ((flagsOf(record) & RECORD_FLAG_PART) == 0) return record;
  }
  return 0;
}

/** The address of the record that `nextRecord` has just returned. */
function addressOfRecord(record: usize): u64 {
  requires(record > Sweep.block && record < Sweep.block + Geometry.segmentSize);
  return addressOf(Sweep.sequence, <u32>(record - Sweep.block));
}

function look(record: usize): void {
  requiresRecord(record);
  const hash = hashKey(keyOf(record), keySizeOf(record));
  if (Sweep.phase == NOTE) {
    if (isGone(record) && standing(hash, addressOfRecord(record)) != 0) mark(Sweep.deleted, hash);
  } else if (Sweep.phase == MARK) {
    if (isMarked(Sweep.deleted, hash) && standing(hash, addressOfRecord(record)) == 0) mark(Sweep.hiding, hash);
  } else if (isGone(record) && isMarked(Sweep.deleted, hash) && !isMarked(Sweep.hiding, hash) && standing(hash, addressOfRecord(record)) != 0) take(record, hash);
}

/** Takes a key out of the index that is not there, if nobody reads as of a version, or by a clock, for which it was. */
function take(record: usize, hash: u64): void {
  requires(Sweep.phase == REMOVE);
  requiresRecord(record);
  const version = versionOf(record);
  if ((flagsOf(record) & RECORD_FLAG_TOMBSTONE) != 0) {
    if (Pins.oldest !== null && Pins.oldest!.version < version) return;
  } else {
    // Whoever reads as of a later commit reads by its clock, by which the value has expired.
    if (Pins.newest !== null || Log.version == Sweep.version) return;
    Pins.floor = max<u64>(Pins.floor, Sweep.version + 1);
  }
  const address = addressOfRecord(record);
  const found = find(keyOf(record), keySizeOf(record), hash);
  assert(found != 0 && slotAddress() == address);
  if ((flagsOf(found) & RECORD_FLAG_LARGE) != 0) readParts(found);
  removeKey(found);
  remove();
  forsake(found, address);
  Sweep.removed++;
}

/** Whether a segment that the second pass could not read may still be listed. */
function isListHiding(): bool {
  for (let segment: Segment | null = Segments.first; segment !== null && segment!.sequence <= Sweep.horizon; segment = segment!.next) {
    if (!segment.isKept && segment.unlistedBy == 0) return true;
  }
  return false;
}

/** Looks at so many records at most. Without `mayRead` nothing is read from the file, so that no error comes out of it. */
export function sweepStep(budget: u32, mayRead: bool): void {
  requires(!Space.isHeld && Sweep.phase != IDLE);
  Sweep.mayRead = mayRead;
  if (Sweep.phase == WAIT) {
    if (isListHiding()) return;
    walkFromStart(REMOVE);
  }
  Sweep.budget = budget;
  for (let record = nextRecord(); record != 0; record = nextRecord()) look(record);
  if (Segments.sweeping !== null) return;
  if (Sweep.phase == NOTE) walkFromStart(MARK);
  else if (Sweep.phase == MARK) {
    Sweep.phase = WAIT;
    Sweep.horizon = Log.segment!.sequence;
  } else endSweep();
}

/** Whether the sweep waits for segments to leave the list, which takes a new segment and a flush. O(segments). */
export function isSweepWaiting(): bool {
  return Sweep.phase == WAIT && isListHiding();
}
