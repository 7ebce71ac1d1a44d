/**
 * A consistent copy of the store on its way to another log: a walk over this one, in its order, that takes each record which the copy's version shows, under the version that it has, and
 * lays it out in segments of the copy. It works in steps; commits come between them. A record that compaction moves meanwhile goes towards the end of the log, which the walk has yet to
 * come to: nothing is missed, and what is met twice counts once.
 */
import { hashKey } from '../hash/keyhash';
import { find, slotAddress } from '../index/directory';
import { frameFlagsOf, frameTimeOf, hasHead } from '../log/frame';
import { Log } from '../log/log';
import { checkRecord, flagsOf, isMeaningful, keyOf, keySizeOf, hasMovedTime, movedTimeOf, settleRecord, sizeOf, valueSizeOf, versionOf } from '../log/record';
import { Geometry, Segment, Segments, addressOf, allocateSegmentBlock, offsetOf } from '../log/segment';
import { LOG_CURSOR_SIZE, LogCursor, nextRecord, placeAt, resume } from '../log/since';
import { release } from '../memory/allocator';
import { damage, setNumber } from '../memory/control';
import { allocateSmall, releaseSmall } from '../memory/small';
import { presentBlock } from '../paging/window';
import * as format from '../shared/format';
import * as layout from '../shared/layout';
import { REASON_FRAME_BODY, STATUS_CORRUPT, STATUS_MEMORY_FULL } from '../shared/status';
import { KEPT_BY_HISTORY, addressOfOld, findOld, isKeptFor } from '../versions/old';
import { isVisible } from '../versions/visible';
import { requires, requiresAddress, requiresBlock, requiresRecord, requiresSegment } from '../verify/contract';
import { LARGE_NEEDS_ROOM, continueLarge, forgetLarge, startLarge } from './large';
import { TARGET_SIZE, Target, beginSegment, endLog, endSegment, offsetIn, place, restartLog, roomOf, turnTo } from './target';

@unmanaged
export class Copy {
  /** What is copied: the store as this version and this clock, in epoch milliseconds, show it. */
  version: u64;
  clock: u64;
  target: Target;
  cursor: LogCursor;
  /** The large value that is being copied: its key, 0 where there is none, its version, its size, and how much of it is done. */
  largeKey: usize;
  largeVersion: u64;
  largeSize: u64;
  largeDone: u64;
  /** The addresses of its parts in the copy, as a record has them, and the exponent of their block. */
  parts: usize;
  partsShift: u32;
  partCount: u32;
  /** Whether versions that the history keeps are copied too. */
  hasHistory: bool;
  /** Whether the segment that is laid out was begun. */
  hasBegun: bool;
  hasEnded: bool;
  /** Bytes of the log that lie behind the walk, and that there were when it began; where it stands, for that. */
  done: u64;
  total: u64;
  doneSequence: u64;
  /** The segment that was the last when it began: what stands behind it only compaction can have brought. */
  lastSequence: u64;
  recordCount: u64;
  byteCount: u64;
  /** Over what was read back. */
  readHash: u64;
  /** In a damaged log: the commit time of the last frame that was met. */
  time: u64;
}

const COPY_SHIFT: u32 = 9;
const TARGET_AT: usize = 192;
const CURSOR_AT: usize = 384;
if (offsetof<Copy>() > TARGET_AT || TARGET_AT + TARGET_SIZE > CURSOR_AT || CURSOR_AT + LOG_CURSOR_SIZE > 512) ERROR('a copy outgrew its room');

/** Commits of one frame of a copy without history are at most so many milliseconds apart: a frame for each would take as much room as the records. */
const TIME_TOLERANCE: u64 = 1000;
/** Frames that are left out cost as much of a step as one record that is looked at. */
const FRAMES_PER_UNIT: u32 = 16;
/** Bytes whose copying costs as much as looking at one record. */
const BYTES_PER_UNIT_SHIFT: u32 = 7;

/** Begins a copy of a version that is pinned. Null where memory is at its limit. The target gets its identity from the caller. */
export function openCopy(version: u64, clock: u64, hasHistory: bool): Copy | null {
  requires(version <= Log.version && Segments.first !== null);
  const at = allocateSmall(COPY_SHIFT);
  if (at == 0) return null;
  memory.fill(at, 0, 1 << COPY_SHIFT);
  const block = allocateSegmentBlock();
  if (block == 0) {
    releaseSmall(at, COPY_SHIFT);
    return null;
  }
  const copy = changetype<Copy>(at);
  copy.target = changetype<Target>(at + TARGET_AT);
  copy.cursor = changetype<LogCursor>(at + CURSOR_AT);
  copy.version = version;
  copy.clock = clock;
  copy.time = clock;
  copy.hasHistory = hasHistory;
  copy.target.block = block;
  copy.target.version = version;
  copy.lastSequence = Log.segment!.sequence;
  for (let segment: Segment | null = Segments.first; segment !== null; segment = segment!.next) {
    if (segment.isKept) copy.total += bytesOf(segment);
  }
  placeAt(copy.cursor, Segments.first!, true);
  return copy;
}

/**
 * Begins a copy that has ended anew, to lay it out once more: now it is known how long it gets. Where compaction has moved records meanwhile, or the history has given some up, it gets longer, or is filled
 * up to that.
 */
export function restartCopy(copy: Copy): void {
  requires(copy.hasEnded && copy.largeKey == 0);
  restartLog(copy.target);
  copy.hasBegun = false;
  copy.hasEnded = false;
  copy.done = 0;
  copy.doneSequence = 0;
  copy.recordCount = 0;
  copy.byteCount = 0;
  copy.time = copy.clock;
  placeAt(copy.cursor, Segments.first!, true);
}

/** Gives back what a copy holds. */
export function closeCopy(copy: Copy): void {
  requiresBlock(changetype<usize>(copy), 1 << COPY_SHIFT);
  forgetLarge(copy);
  release(copy.target.block, Geometry.segmentShift);
  releaseSmall(changetype<usize>(copy), COPY_SHIFT);
}

/** The bytes of a segment that a walk goes over. */
function bytesOf(segment: Segment): u64 {
  requiresSegment(segment);
  if (Log.isDamaged) return Geometry.segmentSize;
  return (segment === Log.segment ? Log.tail : segment.end) - segment.headerEnd;
}

/** Has the walk go on after the log has changed: behind a segment that was given up it goes on with the next. */
function resumeWalk(copy: Copy): void {
  const cursor = copy.cursor;
  requires(cursor.sequence != 0);
  if (resume(cursor)) return;
  let segment: Segment = Segments.last!;
  while (segment.previous !== null && segment.previous!.sequence > cursor.sequence) segment = segment.previous!;
  placeAt(cursor, segment, true);
}

/** Whether the copy shows a record: as what its version sees of the key, or as a version that the history keeps. */
function isShown(copy: Copy, record: usize, address: u64): bool {
  requiresRecord(record);
  requiresAddress(address);
  const version = versionOf(record);
  if (version > copy.version || (flagsOf(record) & format.RECORD_FLAG_PART) != 0) return false;
  const key = keyOf(record);
  const keySize = keySizeOf(record);
  const hash = hashKey(key, keySize);
  const newest = find(key, keySize, hash);
  if (newest == 0) return false;
  const newestAddress = slotAddress();
  const isNewest = versionOf(newest) <= copy.version;
  const seen = isNewest ? newest : findOld(key, keySize, hash, copy.version);
  const isSeen = seen != 0 && version == versionOf(seen) && (isNewest ? newestAddress : addressOfOld(hash, version)) == address;
  if (!copy.hasHistory) return isSeen && isVisible(seen, copy.clock);
  return isSeen || (addressOfOld(hash, version) == address && isKeptFor(hash, version, KEPT_BY_HISTORY));
}

/** Whether all records of the frame that the walk stands in are newer than the copy: compaction alone writes what is older than the records before it. */
function isFrameNewer(copy: Copy, record: usize): bool {
  requiresRecord(record);
  const cursor = copy.cursor;
  const segment = cursor.segment!;
  if (versionOf(record) <= copy.version) return false;
  const isClosed = cursor.frame < segment.end;
  return isClosed && (frameFlagsOf(presentBlock(segment) + cursor.frame) & format.FRAME_FLAG_COMPACTION) == 0;
}

/** What a step may still do. */
class Step {
  static left: i32 = 0;
  static frames: u32 = 0;
}

/** The next record of a log that has no damage: 0 at its end, or when the step is over. */
function nextShown(copy: Copy): usize {
  const cursor = copy.cursor;
  requires(cursor.segment !== null && !Log.isDamaged);
  while (Step.left > 0) {
    const record = nextRecord(cursor);
    noteProgress(copy);
    if (record == 0) return 0;
    if (isFrameNewer(copy, record)) {
      cursor.offset = cursor.end;
      if (++Step.frames % FRAMES_PER_UNIT == 0) Step.left--;
      continue;
    }
    Step.left--;
    const segment = cursor.segment!;
    const block = presentBlock(segment);
    const address = addressOf(segment.sequence, <u32>(record - block));
    const time = cursor.frame < segment.end ? frameTimeOf(block + cursor.frame) : copy.clock;
    if (!isShown(copy, record, address)) continue;
    // Where the index reads what is not in memory, the walk's segment may have made room for it.
    const shown = presentBlock(segment) + offsetOf(address);
    copy.time = hasMovedTime(shown) ? movedTimeOf(shown) : time;
    return shown;
  }
  return 0;
}

/**
 * The next record of a log with damage, which cannot be walked from frame to frame: whatever the index knows, at any place. Such a store is read-only, so nothing moves.
 */
function nextIntact(copy: Copy): usize {
  const cursor = copy.cursor;
  requires(cursor.segment !== null && Log.isDamaged);
  while (Step.left > 0) {
    const segment = cursor.segment!;
    cursor.offset = max<u32>(cursor.offset, segment.headerEnd);
    const block: usize = segment.isKept ? presentBlock(segment) : 0;
    while (block != 0 && cursor.offset + format.RECORD_HEADER_SIZE <= Geometry.segmentSize) {
      const offset = cursor.offset;
      const record = block + offset;
      const limit = Geometry.segmentSize - offset;
      if (hasHead(record, limit, segment.seed, offset)) copy.time = frameTimeOf(record);
      const isRecord = isMeaningful(record, limit, Log.version) && checkRecord(record, limit, segment.seed, offset);
      cursor.offset += isRecord ? sizeOf(record) : 8;
      if (!isRecord) continue;
      Step.left--;
      if (isShown(copy, record, addressOf(segment.sequence, offset))) return record;
    }
    if (segment.next === null) return 0;
    Step.left--;
    placeAt(cursor, segment.next!, true);
    noteProgress(copy);
  }
  return 0;
}

/** Counts the segments that lie behind the walk. */
function noteProgress(copy: Copy): void {
  const sequence = copy.cursor.sequence;
  if (copy.doneSequence == sequence) return;
  const before = copy.cursor.segment!.previous;
  copy.doneSequence = sequence;
  if (before !== null && before.isKept) copy.done = min<u64>(copy.done + bytesOf(before), copy.total);
}

/** Copies a record that is whole in itself. False where the segment has no room for it: the walk then stands before it. */
function copyRecord(copy: Copy, record: usize): bool {
  requiresRecord(record);
  const target = copy.target;
  const size = sizeOf(record);
  turn(copy);
  if (size > roomOf(target)) {
    copy.cursor.offset -= size;
    return false;
  }
  const to = place(target, size, versionOf(record));
  memory.copy(to, record, size);
  settleRecord(to, target.seed, offsetIn(target, to));
  countCopied(copy, keySizeOf(record) + valueSizeOf(record));
  return true;
}

/** Has the copy's next record stand in a frame that says when it was committed. */
export function turn(copy: Copy): void {
  turnTo(copy.target, copy.time, copy.hasHistory ? 0 : TIME_TOLERANCE);
}

/** Counts a record that was copied, with so many bytes of key and value. */
export function countCopied(copy: Copy, size: u64): void {
  copy.recordCount++;
  copy.byteCount += size;
  spend(<u32>min<u64>(size, 1 << 30));
}

/** Counts bytes that were copied as work of the step. */
export function spend(size: u32): void {
  requires(size <= 1 << 30);
  Step.left -= <i32>(size >> BYTES_PER_UNIT_SHIFT);
}

/** Whether the step is over. */
export function isSpent(): bool {
  return Step.left <= 0;
}

/** A record in memory that fails its check is damage, and no copy of it is made. */
export function checkSource(segment: Segment, offset: u32, record: usize): bool {
  requiresRecord(record);
  if (checkRecord(record, Geometry.segmentSize - offset, segment.seed, offset)) return true;
  damage(segment.sequence, segment.slot, offset, sizeOf(record), REASON_FRAME_BODY);
  return false;
}

function publish(copy: Copy): void {
  requires(copy.done <= copy.total);
  const isBehind = copy.hasEnded || copy.cursor.sequence > copy.lastSequence;
  setNumber(layout.CONTROL_COPY_DONE, isBehind ? copy.total : copy.done);
  setNumber(layout.CONTROL_COPY_TOTAL, copy.total);
  setNumber(layout.CONTROL_COPY_RECORDS, copy.recordCount);
  setNumber(layout.CONTROL_COPY_BYTES, copy.byteCount);
}

/** Goes on with the copy until a segment is laid out, or until the step has done `work`, in records that are looked at. Returns how it ended, or a status. */
export function stepCopy(copy: Copy, work: i32): i32 {
  requires(!copy.hasEnded && work > 0);
  const result = step(copy, work);
  if (result == layout.COPY_SEGMENT) copy.hasBegun = false;
  if (result == layout.COPY_LAST) copy.hasEnded = true;
  publish(copy);
  return result;
}

function step(copy: Copy, work: i32): i32 {
  Step.left = work;
  const target = copy.target;
  if (!copy.hasBegun) beginSegment(target);
  copy.hasBegun = true;
  resumeWalk(copy);
  while (true) {
    if (copy.largeKey != 0) {
      const status = continueLarge(copy);
      if (status < 0) return status;
      if (status == LARGE_NEEDS_ROOM) {
        endSegment(target);
        return layout.COPY_SEGMENT;
      }
    }
    if (isSpent()) return layout.COPY_PAUSED;
    const record = Log.isDamaged ? nextIntact(copy) : nextShown(copy);
    if (record == 0) {
      if (isSpent()) return layout.COPY_PAUSED;
      return endLog(target) ? layout.COPY_LAST : layout.COPY_SEGMENT;
    }
    if (!checkSource(copy.cursor.segment!, copy.cursor.offset - sizeOf(record), record)) return STATUS_CORRUPT;
    if ((flagsOf(record) & format.RECORD_FLAG_LARGE) != 0) {
      if (!startLarge(copy, record)) return STATUS_MEMORY_FULL;
      continue;
    }
    if (!copyRecord(copy, record)) {
      endSegment(target);
      return layout.COPY_SEGMENT;
    }
  }
}
