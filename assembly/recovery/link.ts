/**
 * The second half of recovery: shows every record of the frames that the scan found valid, in place. Links are made anew, by key and version, never by
 * what was read. Costs one index lookup a record.
 */
import { hashKey } from '../hash/keyhash';
import { Begun, firstToReplay } from '../image/read';
import { standing } from '../index/by-hash';
import { createIndex, find, nextSlot, remove, startCursor } from '../index/directory';
import { bodySizeOf, frameSizeOf, frameTimeOf, frameVersionOf, pendingCountOf, recordCountOf } from '../log/frame';
import { checkRecord, flagsOf, isMeaningful, keyOf, keySizeOf, linkOf, partAddress, partCountOf, sizeOf, valueOf, valueSizeOf, versionOf } from '../log/record';
import { FIELD_MASK, Geometry, Segment, Segments, addressOf, offsetOf, resolve, segmentOf } from '../log/segment';
import { addressSince, nextSince, startSince } from '../log/since';
import { damage } from '../memory/control';
import { provide, relieve } from '../paging/evict';
import { peek, readAlone } from '../paging/fault';
import { Room, noteBlocks } from '../paging/room';
import { presentBlock } from '../paging/window';
import * as format from '../shared/format';
import { REASON_CONTENT, STATUS_MEMORY_FULL, STATUS_OK } from '../shared/status';
import { forsakeRecord, nominateDead, retainParts } from '../space/live';
import { reserveParts } from '../space/parts';
import { History } from '../versions/history';
import { Clock } from '../versions/visible';
import { settleHistory } from './past';
import { Scan } from './scan';
import { drain, hasLargeValues, markOf, show, startShow } from './show';
import { requires, requiresAddress, requiresRecord, requiresSegment } from '../verify/contract';

/** A log is taken to hold at least one key for two records: an index that is made for them need not split its way up to that. */
const EXPECTED_KEYS_SHIFT: u64 = 1;
/** What the index takes of memory for each key, at most. */
const INDEX_SIZE_SHIFT: u64 = 5;
const MEMORY_SIZE_MAX: u64 = 1 << 31;

/** A commit that goes over the end of a segment: the frame in which it begins, where its records do, and how many have been met. */
class Carried {
  static segment: Segment | null = null;
  static frame: u32 = 0;
  static offset: u32 = 0;
  static count: u32 = 0;
  /** The segment that the last of them stands in. */
  static last: u64 = 0;
}

function linkRun(segment: Segment, offset: u32, count: u32): u32 {
  requiresSegment(segment);
  requires(offset + format.RECORD_HEADER_SIZE <= segment.end);
  const block = presentBlock(segment);
  for (; count != 0; count--) {
    const record = block + offset;
    if (!show(record, addressOf(segment.sequence, offset))) return 0;
    offset += sizeOf(record);
  }
  return offset;
}

/** Shows the records of a commit that its last frame has completed. */
function linkCarried(): bool {
  if (!leaveSegment()) return false;
  let segment = Carried.segment!;
  let offset = Carried.offset;
  let frame = Carried.frame;
  while (Carried.count != 0) {
    const end = frame + format.FRAME_HEAD_SIZE + bodySizeOf(presentBlock(segment) + frame);
    while (offset < end && Carried.count != 0) {
      offset = linkRun(segment, offset, 1);
      if (offset == 0) return false;
      Carried.count--;
    }
    if (Carried.count == 0) break;
    if (!leaveSegment()) return false;
    segment = segment.next!;
    frame = segment.headerEnd;
    offset = frame + format.FRAME_HEAD_SIZE;
  }
  return leaveSegment();
}

/** Shows the records of a frame, but for those of a commit that goes on behind it. False where memory is at its limit. */
export function linkFrame(segment: Segment, offset: u32): bool {
  requires(segment.isKept && offset >= segment.headerEnd);
  const frame = presentBlock(segment) + offset;
  // What is superseded here was so at that time.
  if (History.isKept) Clock.now = frameTimeOf(frame);
  const count = recordCountOf(frame);
  const pending = pendingCountOf(frame);
  let records = offset + format.FRAME_HEAD_SIZE;
  if (Carried.count != 0 && count != 0) {
    if (pending == count) {
      Carried.count += count;
      Carried.last = segment.sequence;
      return true;
    }
    if (!linkCarried()) return false;
  }
  if (pending != count) {
    records = linkRun(segment, records, count - pending);
    if (records == 0) return false;
  }
  if (pending != 0) {
    Carried.segment = segment;
    Carried.frame = offset;
    Carried.offset = records;
    Carried.count = pending;
    Carried.last = segment.sequence;
  }
  return true;
}

/** Links the valid frames of one segment from an offset on. False where memory is at its limit. */
function linkSegment(segment: Segment, offset: u32): bool {
  requires(segment.isKept && offset >= segment.headerEnd);
  // Whatever leaves memory meanwhile loses its marks.
  segment.isMarked = segment.block != 0;
  while (offset < segment.end) {
    if (!linkFrame(segment, offset)) return false;
    offset += frameSizeOf(presentBlock(segment) + offset);
  }
  return leaveSegment();
}

/** Shows what waits, because the bytes of its segment may be overwritten when another is looked at, or leave memory. False where memory is at its limit. */
function leaveSegment(): bool {
  if (!Room.isPaged) return true;
  if (!drain()) return false;
  // The index grows, and no block of the log is taken that would say so.
  noteBlocks();
  relieve();
  return true;
}

/** Links the intact records of a frame whose body is damaged; returns how many. For salvage. */
export function linkIntact(segment: Segment, offset: u32): u32 {
  requires(segment.block != 0 && offset >= segment.headerEnd);
  const frame = <usize>segment.block + offset;
  const end = offset + format.FRAME_HEAD_SIZE + bodySizeOf(frame);
  let at = offset + format.FRAME_HEAD_SIZE;
  let count: u32 = 0;
  while (at < end) {
    const record = <usize>segment.block + at;
    const limit = end - at;
    if (checkRecord(record, limit, segment.seed, at) && isMeaningful(record, limit, frameVersionOf(frame))) {
      if (!show(record, addressOf(segment.sequence, at))) return count;
      count++;
      at += sizeOf(record);
    } else at += 8;
  }
  return count;
}

/** Forgets a commit whose other half is lost. */
export function dropCarried(): void {
  Carried.count = 0;
}

/** Whether a record begins at an address that comes from the file and is not trusted: the mark says so, where recovery has left one, or else the record's own check. */
function isRecordAt(segment: Segment, address: u64): bool {
  requiresAddress(address);
  const offset = offsetOf(address);
  if (offset < segment.headerEnd || offset + format.RECORD_HEADER_SIZE > Geometry.segmentSize) return false;
  const block = presentBlock(segment);
  if (segment.isMarked) return linkOf(block + offset) == markOf(address);
  if (offset + format.RECORD_HEADER_SIZE > segment.end) return false;
  return checkRecord(block + offset, segment.end - offset, segment.seed, offset);
}

/** Whether the parts of a large value are all there and of one size with what its list says. */
export function isWhole(record: usize): bool {
  requiresRecord(record);
  const count = partCountOf(record);
  let total: u64 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const address = partAddress(record, index);
    const segment = segmentOf(address);
    if (segment === null || !isRecordAt(segment, address)) return false;
    const part = peek(segment, address);
    if ((flagsOf(part) & format.RECORD_FLAG_PART) == 0 || versionOf(part) != versionOf(record)) return false;
    total += valueSizeOf(part);
  }
  return total == load<u64>(valueOf(record));
}

/** Counts the parts of the large values that are current, once every record is shown: a walk over the log from an address on, because that is the order in which the file is read fastest. */
function countParts(from: u64): i32 {
  if (!hasLargeValues()) return STATUS_OK;
  startSince(from);
  for (let shown = nextSince(); shown != 0; shown = nextSince()) {
    if ((flagsOf(shown) & format.RECORD_FLAG_LARGE) == 0) continue;
    const address = addressSince(shown);
    if (standing(hashKey(keyOf(shown), keySizeOf(shown)), address) == 0) continue;
    const record = resolve(address);
    if (!isWhole(record)) {
      const segment = segmentOf(address)!;
      return damage(segment.sequence, segment.slot, offsetOf(address), sizeOf(record), REASON_CONTENT);
    }
    if (!reserveParts(partCountOf(record))) return STATUS_MEMORY_FULL;
    retainParts(record, address);
    relieve();
  }
  return STATUS_OK;
}

/** As `countParts`, for salvage: the log cannot be walked, and values that are not whole are left out. */
export function countIntactParts(): i32 {
  if (!drain()) return STATUS_MEMORY_FULL;
  if (!hasLargeValues()) return STATUS_OK;
  startCursor();
  for (let slot = nextSlot(); slot != 0; slot = nextSlot()) {
    const address = slot & FIELD_MASK;
    const record = resolve(address);
    if ((flagsOf(record) & format.RECORD_FLAG_LARGE) == 0) continue;
    if (isWhole(record)) {
      if (!reserveParts(partCountOf(record))) return STATUS_MEMORY_FULL;
      retainParts(record, address);
      continue;
    }
    find(keyOf(record), keySizeOf(record), hashKey(keyOf(record), keySizeOf(record)));
    forsakeRecord(record, address);
    remove();
  }
  return STATUS_OK;
}

/** Begins with an empty index, made for so many records. */
export function startLink(secret: u64, recordCount: u64): bool {
  requires(Segments.first !== null);
  Carried.count = 0;
  startShow(secret);
  const keyCount = recordCount >> EXPECTED_KEYS_SHIFT;
  provide(<u32>min<u64>(keyCount << INDEX_SIZE_SHIFT, MEMORY_SIZE_MAX));
  return createIndex(keyCount);
}

/** Begins with the index that an image has given. */
function startReplay(secret: u64): void {
  requires(Begun.address != 0);
  Carried.count = 0;
  startShow(secret);
  readAlone(Begun.address);
}

/** Links the log, from its beginning or from where an image ends. */
export function linkLog(secret: u64): i32 {
  const begin = firstToReplay();
  if (begin != 0) startReplay(secret);
  else if (!startLink(secret, Scan.recordCount)) return STATUS_MEMORY_FULL;
  for (let segment: Segment | null = Segments.first; segment !== null; segment = segment!.next) {
    if (!segment.isKept || segment.sequence < begin) continue;
    const from = segment.sequence == begin ? offsetOf(Begun.address) : segment.headerEnd;
    if (!completeAtGap(segment) || !linkSegment(segment, from)) return STATUS_MEMORY_FULL;
  }
  if (!drain()) return STATUS_MEMORY_FULL;
  readAlone(0);
  const first = Segments.first!;
  const status = countParts(begin != 0 ? Begun.address : addressOf(first.sequence, first.headerEnd));
  if (status != STATUS_OK) return status;
  if (History.isKept && !settleHistory()) return STATUS_MEMORY_FULL;
  nominateDead();
  return status;
}

/**
 * Shows a commit whose last frame stood in a segment that was freed since: such a segment was durable, so the commit was complete. False where memory is at
 * its limit.
 */
export function completeAtGap(segment: Segment): bool {
  requires(segment.isKept);
  if (Carried.count == 0 || Carried.last + 1 == segment.sequence) return true;
  return linkCarried();
}
