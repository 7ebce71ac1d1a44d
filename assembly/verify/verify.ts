/**
 * Holds every structure against every other: index against records, chains against versions, live counts against what is live, records against their
 * checks, the tail against the frames. Costs a pass over everything. The debug build runs it after each mutation.
 */
import { hashKey } from '../hash/keyhash';
import { startCursor, nextSlot, isPlaced, find, Cursor, Index } from '../index/directory';
import { bodySizeOf, frameFlagsOf, frameSizeOf, hasBody, hasDeclarations, hasHead } from '../log/frame';
import { examineHeader } from '../log/header';
import { Log } from '../log/log';
import { checkRecord, flagsOf, keyOf, keySizeOf, partAddress, partCountOf, sizeOf, versionOf } from '../log/record';
import { FIELD_MASK, Geometry, Segment, Segments, resolve, segmentOf } from '../log/segment';
import { Begun } from '../image/read';
import { damage } from '../memory/control';
import { relieve } from '../paging/evict';
import { peek } from '../paging/fault';
import { presentBlock } from '../paging/window';
import * as format from '../shared/format';
import * as status from '../shared/status';
import { Space } from '../space/live';
import { previousOf } from '../versions/chain';
import { KEPT_BY_PIN, Old, OldCursor, countOf, nextList, oldAddressAt, oldReasonsAt, oldVersionAt } from '../versions/old';
import { Pins } from '../versions/pins';
import { isOrderSound } from './order';
import { requires, requiresAddress, requiresBlock, requiresRecord } from './contract';

/** The records between two offsets of a segment, each by its own check. Links may have changed since the frame was closed, so its hash does not count. */
function areRecordsIntact(segment: Segment, offset: u32, end: u32): bool {
  requires(segment.isKept && offset <= end && end <= Geometry.segmentSize);
  const block = presentBlock(segment);
  while (offset < end) {
    const record = block + offset;
    if (!checkRecord(record, end - offset, segment.seed, offset)) return false;
    offset += sizeOf(record);
  }
  return offset == end;
}

function verifyFrames(segment: Segment): i32 {
  let offset = segment.headerEnd;
  while (offset < segment.end) {
    const frame = presentBlock(segment) + offset;
    if (!hasHead(frame, Geometry.segmentSize - offset, segment.seed, offset) || !hasDeclarations(frame, segment.seed, offset)) {
      return damage(segment.sequence, segment.slot, offset, 0, status.REASON_FRAME_HEAD);
    }
    const records = offset + format.FRAME_HEAD_SIZE;
    if (!areRecordsIntact(segment, records, records + bodySizeOf(frame))) {
      return damage(segment.sequence, segment.slot, offset, 0, status.REASON_FRAME_BODY);
    }
    offset += frameSizeOf(frame);
  }
  if (offset != segment.end) return damage(segment.sequence, segment.slot, offset, 0, status.REASON_SEGMENT_CUT);
  if (segment !== Log.segment || Log.frame == 0) return status.STATUS_OK;
  return areRecordsIntact(segment, Log.frame + format.FRAME_HEAD_SIZE, Log.tail)
    ? status.STATUS_OK : damage(segment.sequence, segment.slot, Log.frame, 0, status.REASON_FRAME_BODY);
}

function countLive(address: u64, size: u32): bool {
  requiresAddress(address);
  const segment = segmentOf(address);
  if (segment === null) return false;
  segment.counted += size;
  return true;
}

function verifySlot(slot: u64): bool {
  const address = slot & FIELD_MASK;
  const record = resolve(address);
  if (record == 0 || !isPlaced(slot) || versionOf(record) > Log.version) return false;
  const before = previousOf(record);
  if (before != 0 && versionOf(resolve(before)) >= versionOf(record)) return false;
  segmentOf(address)!.countedNewest += sizeOf(record);
  return countRecord(address, record);
}

/** Counts a record and its parts. */
function countRecord(address: u64, record: usize): bool {
  requiresRecord(record);
  if (!countLive(address, sizeOf(record))) return false;
  if ((flagsOf(record) & format.RECORD_FLAG_LARGE) == 0) return true;
  for (let index: u32 = 0; index < partCountOf(record); index++) {
    const part = partAddress(record, index);
    const segment = segmentOf(part);
    if (segment === null || !countLive(part, sizeOf(peek(segment, part)))) return false;
  }
  return true;
}

/** Whether the old versions of one key are in order, at their addresses, and older than its newest. */
function verifyList(list: usize): bool {
  let before: u64 = 0;
  for (let index: u32 = 0; index < countOf(list); index++) {
    const address = oldAddressAt(list, index);
    const record = resolve(address);
    if (record == 0 || versionOf(record) != oldVersionAt(list, index) || versionOf(record) <= before) return false;
    before = versionOf(record);
    if (!countRecord(address, record)) return false;
  }
  const first = resolve(oldAddressAt(list, 0));
  const newest = find(keyOf(first), keySizeOf(first), hashKey(keyOf(first), keySizeOf(first)));
  return newest != 0 && versionOf(newest) > before;
}

/** Whether every old version is kept for a reason, and those that are kept for a pin are on dead lists. */
function verifyOld(): bool {
  let versions: u64 = 0;
  let pinned: u64 = 0;
  let keys: u32 = 0;
  for (let list = nextList(0); list != 0; list = nextList(OldCursor.position)) {
    if (!verifyList(list)) return false;
    for (let index: u32 = 0; index < countOf(list); index++) {
      if (oldReasonsAt(list, index) == 0) return false;
      if ((oldReasonsAt(list, index) & KEPT_BY_PIN) != 0) pinned++;
    }
    versions += countOf(list);
    keys++;
  }
  return versions == Old.versionCount && keys == Old.keyCount && pinned == Pins.deadCount;
}

/** STATUS_OK, or STATUS_CORRUPT with the place in the control block. */
export function verifyAll(): i32 {
  for (let segment: Segment | null = Segments.first; segment !== null; segment = segment!.next) {
    segment.counted = 0;
    segment.countedNewest = 0;
    if (!segment.isKept) continue;
    const result = verifyFrames(segment);
    if (result != status.STATUS_OK) return result;
  }
  const hash = Index.hash;
  const found = Index.slot;
  startCursor();
  let count: u64 = 0;
  for (let slot = nextSlot(); slot != 0; slot = nextSlot()) {
    const position = Cursor.position;
    const entry = Cursor.entry;
    if (!verifySlot(slot)) return damage(0, 0, 0, 0, status.REASON_CONTENT);
    Cursor.position = position;
    Cursor.entry = entry;
    count++;
    relieve();
  }
  const isSound = verifyOld() && isOrderSound(count);
  Index.hash = hash;
  Index.slot = found;
  if (!isSound) return damage(0, 0, 0, 0, status.REASON_CONTENT);
  if (count != Space.keyCount + Space.tombstoneCount) return damage(0, 0, 0, 0, status.REASON_CONTENT);
  let live: u64 = 0;
  for (let segment: Segment | null = Segments.first; segment !== null; segment = segment!.next) {
    if (segment.live != segment.counted || segment.newest != segment.countedNewest) return damage(segment.sequence, segment.slot, 0, 0, status.REASON_CONTENT);
    live += segment.live;
  }
  return live == Space.liveSize ? status.STATUS_OK : damage(0, 0, 0, 0, status.REASON_CONTENT);
}

/** Holds the bytes of a slot, as they were read from the file into `block`, against what the store wrote there. */
export function verifyBytes(segment: Segment, block: usize): i32 {
  requiresBlock(block, Geometry.segmentSize);
  // What the device was never given is not there yet.
  if (segment.written == 0) return status.STATUS_OK;
  if (examineHeader(block, segment.slot, Geometry.segmentSize) != status.STATUS_OK) {
    return damage(segment.sequence, segment.slot, 0, 0, status.REASON_SEGMENT_HEADER);
  }
  let offset = segment.headerEnd;
  while (offset < segment.written) {
    const frame = block + offset;
    if (!hasHead(frame, Geometry.segmentSize - offset, segment.seed, offset)) return damage(segment.sequence, segment.slot, offset, 0, status.REASON_FRAME_HEAD);
    if (!hasDeclarations(frame, segment.seed, offset) || !hasBody(frame, segment.seed, offset)) {
      return damage(segment.sequence, segment.slot, offset, 0, status.REASON_FRAME_BODY);
    }
    offset += frameSizeOf(frame);
    if ((frameFlagsOf(frame) & format.FRAME_FLAG_END) != 0) break;
  }
  return status.STATUS_OK;
}

/** Called at the end of every mutation; costs nothing in the release build. */
export function assertHealthy(): void {
  if (ASC_OPTIMIZE_LEVEL == 0 && Debug.checks && Index.directory != 0 && !Begun.isBehind) assert(verifyAll() == status.STATUS_OK);
}

export class Debug {
  static checks: bool = false;
}
