/**
 * The first half of recovery: decides where the log validly ends, and changes nothing. Frames are checked in the order of the log. At the first that fails
 * there are two possibilities. A crash can have cut it: then nothing from there on was ever known to be flushed, and some sector of it
 * still holds what was there before, which is nothing. Everything else is damage, and is refused.
 */
import {
  areDeclarationsLost, bodySizeOf, frameFlagsOf, frameSizeOf, frameVersionOf, hasBody, hasDeclarations, hasHead, headHashOf, isBodyLost, isHeadLost, pendingCountOf,
  recordCountOf, sealOf,
} from '../log/frame';
import { Begun, firstToReplay } from '../image/read';
import { ListReader, nextListed, relist, startList } from '../log/header';
import { isMeaningful, sizeOf, versionOf } from '../log/record';
import { Geometry, Segment, Segments, addressOf, offsetOf, removeSegment } from '../log/segment';
import { makeTail, presentUnchecked } from '../paging/window';
import { isZero } from '../memory/bytes';
import { damage, setNumber } from '../memory/control';
import * as format from '../shared/format';
import * as layout from '../shared/layout';
import * as status from '../shared/status';
import { Superblock } from './superblock';
import { ensures, requires, requiresFrame } from '../verify/contract';

/** What the scan found. */
export class Scan {
  /** The newest seal: below it, nothing can be missing. */
  static seal: u64 = 0;
  static version: u64 = 0;
  static ceiling: u64 = 0;
  static frameCount: u64 = 0;
  static recordCount: u64 = 0;
  static byteCount: u64 = 0;
  /** The version of the commit whose records wait for a later frame; 0 where none does. */
  static carriedVersion: u64 = 0;
  /** Where that commit's first frame begins, and the hash of the frame before it. */
  static carriedSegment: Segment | null = null;
  static carriedOffset: u32 = 0;
  static carriedHash: u64 = 0;
  /** The segment that the last frame stood in. */
  static lastSequence: u64 = 0;
  static discardedCount: u32 = 0;
  static isTailDirty: bool = false;
  /** Where the frame that was examined last ends. */
  static reason: u32 = 0;
  static isExplained: bool = false;
}

/** Where an offset of a segment stands: right until another segment is asked for. */
function segmentPointer(segment: Segment, offset: u32): usize {
  requires(segment.isKept && offset <= Geometry.segmentSize);
  return presentUnchecked(segment) + offset;
}

function fail(reason: u32, isExplained: bool): bool {
  Scan.reason = reason;
  Scan.isExplained = isExplained;
  return false;
}

/** Whether the records of an intact frame are what this format writes. */
function areRecordsMeaningful(frame: usize): bool {
  requiresFrame(frame);
  const version = frameVersionOf(frame);
  const end = frame + format.FRAME_HEAD_SIZE + bodySizeOf(frame);
  let record = frame + format.FRAME_HEAD_SIZE;
  let count: u32 = 0;
  while (record < end) {
    if (!isMeaningful(record, <u32>(end - record), version)) return false;
    record += sizeOf(record);
    count++;
  }
  return count == recordCountOf(frame) && pendingCountOf(frame) <= count;
}

/** Follows commits that go over the end of a segment: whether this frame may stand behind those before it. */
function continues(segment: Segment, offset: u32): bool {
  requires(offset >= segment.headerEnd);
  const frame = segmentPointer(segment, offset);
  const count = recordCountOf(frame);
  const pending = pendingCountOf(frame);
  // A segment between that was freed since was durable, and with it the commit.
  if (segment.sequence > Scan.lastSequence + 1) Scan.carriedVersion = 0;
  Scan.lastSequence = segment.sequence;
  const isChained = Scan.carriedVersion != 0;
  if (isChained) {
    if (count == 0 || versionOf(frame + format.FRAME_HEAD_SIZE) != Scan.carriedVersion) return false;
    if (pending == count) return true;
    Scan.carriedVersion = 0;
  }
  if (pending == 0) return true;
  Scan.carriedVersion = frameVersionOf(frame);
  // A frame that completes one commit and begins another: without the second it goes, and the first is unfinished too.
  if (isChained) return true;
  Scan.carriedSegment = segment;
  Scan.carriedOffset = offset;
  Scan.carriedHash = segment.lastHash;
  return true;
}

/** Whether the hashes of the frame at an offset are right. */
function isFrameIntact(segment: Segment, offset: u32): bool {
  const frame = segmentPointer(segment, offset);
  const limit = Geometry.segmentSize - offset;
  if (!hasHead(frame, limit, segment.seed, offset)) return fail(status.REASON_FRAME_HEAD, isHeadLost(frame, limit, offset));
  if (!hasDeclarations(frame, segment.seed, offset)) return fail(status.REASON_DECLARATIONS, areDeclarationsLost(frame, offset));
  if (!hasBody(frame, segment.seed, offset)) {
    const isLost = isBodyLost(frame, offset);
    if (isLost || !hasBody(frame, segment.seed, offset)) return fail(status.REASON_FRAME_BODY, isLost);
  }
  return true;
}

/** Examines the frame at an offset: hashes, then meaning. */
export function examineFrame(segment: Segment, offset: u32): bool {
  requires(offset >= segment.headerEnd && (offset & 7) == 0);
  if (!isFrameIntact(segment, offset)) return false;
  const frame = segmentPointer(segment, offset);
  const isOrdered = (frameFlagsOf(frame) & format.FRAME_FLAG_COMPACTION) != 0 || frameVersionOf(frame) >= Scan.version;
  if (!isOrdered || sealOf(frame) > addressOf(segment.sequence, offset) || !areRecordsMeaningful(frame) || !continues(segment, offset)) {
    return fail(status.REASON_CONTENT, false);
  }
  return true;
}

export function countFrame(segment: Segment, offset: u32): void {
  requires(offset >= segment.headerEnd);
  const frame = segmentPointer(segment, offset);
  const size = frameSizeOf(frame);
  Scan.seal = max<u64>(Scan.seal, sealOf(frame));
  Scan.version = max<u64>(Scan.version, frameVersionOf(frame));
  Scan.frameCount++;
  Scan.recordCount += recordCountOf(frame);
  Scan.byteCount += size;
  segment.lastHash = headHashOf(frame);
  segment.isEnded = (frameFlagsOf(frame) & format.FRAME_FLAG_END) != 0;
  if (offset == segment.headerEnd) segment.firstVersion = frameVersionOf(frame);
  segment.end = offset + size;
  ensures(segment.end <= Geometry.segmentSize && (segment.end & 7) == 0);
}

/** The offset of the next intact head at or behind `offset`, or 0. */
export function findHead(segment: Segment, offset: u32): u32 {
  requires((offset & 7) == 0);
  for (; offset + format.FRAME_HEAD_SIZE <= Geometry.segmentSize; offset += 8) {
    if (hasHead(segmentPointer(segment, offset), Geometry.segmentSize - offset, segment.seed, offset)) return offset;
  }
  return 0;
}

/** The newest seal that any intact head from here on names. */
function latestSeal(segment: Segment | null, offset: u32): u64 {
  let seal = Scan.seal;
  while (segment !== null) {
    const current = segment;
    let at = findHead(current, offset);
    while (at != 0) {
      seal = max<u64>(seal, sealOf(segmentPointer(current, at)));
      at = findHead(current, at + 8);
    }
    segment = current.next;
    if (segment !== null) offset = segment.headerEnd;
  }
  return seal;
}

/** Begins a scan: what superblock and headers say of seals, versions and ceilings. */
export function startScan(): void {
  Scan.seal = Superblock.tail;
  Scan.version = Begun.version;
  Scan.ceiling = Superblock.versionCeiling;
  Scan.frameCount = 0;
  Scan.recordCount = 0;
  Scan.byteCount = 0;
  Scan.carriedVersion = 0;
  Scan.lastSequence = 0;
  Scan.discardedCount = 0;
  Scan.isTailDirty = false;
  for (let segment: Segment | null = Segments.first; segment !== null; segment = segment!.next) {
    if (!segment.isKept) continue;
    Scan.seal = max<u64>(Scan.seal, segment.seal);
    Scan.ceiling = max<u64>(Scan.ceiling, segment.ceiling);
  }
}

export function publishCounts(): void {
  setNumber(layout.CONTROL_FRAME_COUNT, Scan.frameCount);
  setNumber(layout.CONTROL_RECORD_COUNT, Scan.recordCount);
  setNumber(layout.CONTROL_BYTE_COUNT, Scan.byteCount);
}

/** Scans one segment from `offset` on. Returns true at its end, false where a frame failed: `segment.end` says where. */
export function scanSegment(segment: Segment, offset: u32): bool {
  requires(offset >= segment.headerEnd);
  segment.end = offset;
  while (segment.end + format.FRAME_HEAD_SIZE <= Geometry.segmentSize) {
    const at = segment.end;
    if (load<u64>(segmentPointer(segment, at)) == 0 && isZero(segmentPointer(segment, at), segmentPointer(segment, Geometry.segmentSize))) break;
    if (!examineFrame(segment, at)) return false;
    countFrame(segment, at);
    if (segment.isEnded) break;
  }
  if (segment.isEnded && segment !== Segments.last) return joins(segment);
  // A writer leaves room for the frame that ends a segment.
  if (!segment.isEnded && segment.end + format.FRAME_HEAD_SIZE > Geometry.segmentSize) return fail(status.REASON_CONTENT, false);
  if (segment === Segments.last) return addressOf(segment.sequence, segment.end) >= Scan.seal || fail(status.REASON_BELOW_SEAL, false);
  return fail(status.REASON_SEGMENT_CUT, true);
}

/** Whether the next segment's header agrees on where this one ends. */
export function joins(segment: Segment): bool {
  const next = segment.next;
  if (next === null || next.sequence != segment.sequence + 1 || !next.isKept) return true;
  const isSame = next.previousEnd == addressOf(segment.sequence, segment.end) && next.previousHash == segment.lastHash;
  return isSame || fail(status.REASON_CONTENT, false);
}

/** What is left from the last valid frame of a segment on, up to the last byte that is not zero. */
export function dirtySize(segment: Segment): u32 {
  requires(segment.end <= Geometry.segmentSize && (segment.end & 7) == 0);
  let end = Geometry.segmentSize;
  while (end > segment.end && load<u64>(segmentPointer(segment, end - 8)) == 0) end -= 8;
  return end - segment.end;
}

/**
 * Whether the list of the newest segment agrees with where segments are; both stand in the order of their numbers. Where a newer header was dropped, one that this had left out is listed, and not
 * here.
 */
function isListTrue(newest: Segment): bool {
  startList(presentUnchecked(newest));
  let segment: Segment | null = Segments.first;
  while (nextListed()) {
    while (segment !== null && segment.sequence < ListReader.sequence) segment = segment!.next;
    if (segment !== null && segment.sequence == ListReader.sequence && segment.slot != ListReader.slot) return false;
  }
  return true;
}

/** Ends the log where a crash cut it: what follows is dropped, and counted. STATUS_OK with that in the damage fields, STATUS_CORRUPT, or STATUS_MEMORY_FULL. */
function truncate(segment: Segment): i32 {
  requires(segment.end >= segment.headerEnd);
  let size = dirtySize(segment);
  Scan.isTailDirty = size != 0;
  while (Segments.last !== segment) {
    const dropped = Segments.last!;
    size += dirtySize(dropped);
    relist(dropped.sequence);
    removeSegment(dropped);
    Scan.discardedCount++;
  }
  if (segment.end == segment.headerEnd) segment.firstVersion = <u64>-1;
  if (!makeTail(segment)) return status.STATUS_MEMORY_FULL;
  memory.fill(segmentPointer(segment, segment.end), 0, Geometry.segmentSize - segment.end);
  if (Scan.discardedCount != 0 && !isListTrue(segment)) return damage(segment.sequence, segment.slot, 0, 0, status.REASON_SEGMENT_HEADER);
  damage(segment.sequence, segment.slot, segment.end, size, Scan.reason);
  return status.STATUS_OK;
}

/**
 * Whether what an image knows of the segment in which the replay begins is intact: that segment may stay in memory, where nobody holds a record against its check again. The image was named when the log
 * was durable up to there, so nothing of it can be torn.
 */
function isBeginningIntact(segment: Segment): bool {
  const begin = offsetOf(Begun.address);
  for (segment.end = segment.headerEnd; segment.end < begin; segment.end += frameSizeOf(segmentPointer(segment, segment.end))) {
    if (!isFrameIntact(segment, segment.end)) return false;
  }
  return segment.end == begin || fail(status.REASON_CONTENT, false);
}

/** Scans the whole log. STATUS_OK, with a cut tail in the damage fields when one was dropped, or STATUS_CORRUPT. */
export function scanLog(): i32 {
  startScan();
  const newest = Segments.last!;
  if (!isListTrue(newest)) return damage(newest.sequence, newest.slot, 0, 0, status.REASON_SEGMENT_HEADER);
  damage(0, 0, 0, 0, status.REASON_NONE);
  // What stands before is in the index that an image has given.
  const first = firstToReplay();
  if (first > newest.sequence) return damage(newest.sequence, newest.slot, 0, 0, status.REASON_BELOW_SEAL);
  let segment: Segment | null = Segments.first;
  while (segment !== null) {
    const next = segment.next;
    if (segment.isKept && segment.sequence == first && !isBeginningIntact(segment)) return damage(segment.sequence, segment.slot, segment.end, 0, Scan.reason);
    if (segment.isKept && segment.sequence >= first && !scanSegment(segment, segment.sequence == first ? offsetOf(Begun.address) : segment.headerEnd)) {
      const address = addressOf(segment.sequence, segment.end);
      const seal = latestSeal(segment, segment.end);
      publishCounts();
      if (address < seal || !Scan.isExplained) {
        return damage(segment.sequence, segment.slot, segment.end, 0, Scan.isExplained ? status.REASON_BELOW_SEAL : Scan.reason);
      }
      if (Scan.carriedVersion != 0) return cutCarried();
      return truncate(segment);
    }
    segment = next;
  }
  publishCounts();
  if (Scan.carriedVersion != 0) return cutCarried();
  return makeTail(newest) ? status.STATUS_OK : status.STATUS_MEMORY_FULL;
}

/**
 * Ends the log before a commit whose last frame never came. A seal never lies within a commit, because its frames are handed to the device together; nor was anything that shares a
 * frame with its beginning ever acknowledged.
 */
function cutCarried(): i32 {
  const segment = Scan.carriedSegment!;
  const address = addressOf(segment.sequence, Scan.carriedOffset);
  if (address < Scan.seal) return damage(segment.sequence, segment.slot, Scan.carriedOffset, 0, status.REASON_INCOMPLETE_COMMIT);
  segment.end = Scan.carriedOffset;
  segment.lastHash = Scan.carriedHash;
  segment.isEnded = false;
  Scan.reason = status.REASON_INCOMPLETE_COMMIT;
  return truncate(segment);
}
