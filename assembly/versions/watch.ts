/**
 * Watches: each reads the commits to a range of keys in the order of the log, from a version on. The log is their buffer: segments that hold nothing live any more stay for as long as a
 * watch has not come to their end, up to a bound; a watch that is behind that has lost its place.
 */
import { frameSizeOf, pendingCountOf } from '../log/frame';
import { LOG_CURSOR_SIZE, LogCursor, nextRecord, placeAt, placeAtEnd, resume } from '../log/since';
import { Log } from '../log/log';
import { presentBlock } from '../paging/window';
import { hasMovedTime, keyOf, keySizeOf, versionOf } from '../log/record';
import { Geometry, Segment, Segments, nominate } from '../log/segment';
import { freeBuffer, isWithin } from '../memory/buffer';
import { allocateSmall, releaseSmall } from '../memory/small';
import { requires } from '../verify/contract';

/** The dead segments that are kept for watches, at most: 16 MiB of them, and not so many small ones that a header could not list them. */
const KEPT_SIZE_MAX: u32 = 16 << 20;
const KEPT_COUNT_MIN: u32 = 4;
const KEPT_COUNT_MAX: u32 = 64;

@unmanaged
export class Watch {
  next: Watch | null;
  cursor: LogCursor;
  /** The bounds, the second exclusive, each a buffer or 0. */
  low: usize;
  high: usize;
  /** The commit that is being read, or was last. */
  version: u64;
}

const WATCH_SHIFT: u32 = 7;
const CURSOR_AT: usize = 64;
if (offsetof<Watch>() > 64 || CURSOR_AT + LOG_CURSOR_SIZE > 128) ERROR('a watch outgrew its room');

export class Watches {
  static first: Watch | null = null;
  /** The segments from this one on are needed. */
  static floor: u64 = u64.MAX_VALUE;
  /** Dead segments that wait for watches. */
  static kept: Segment | null = null;
  static keptCount: u32 = 0;
}

/** Whether a segment begins within a commit, which then is the first that is newer than its version. Where the segment before it was given up nobody knows. O(frames of one segment). */
function mayBeginWithin(segment: Segment): bool {
  const before = segment.previous;
  if (before === null || before.sequence + 1 != segment.sequence || !before.isKept) return segment.sequence != 1;
  const block = presentBlock(before);
  let pendingCount: u32 = 0;
  for (let offset = before.headerEnd; offset < before.end; offset += frameSizeOf(block + offset)) pendingCount = pendingCountOf(block + offset);
  return pendingCount != 0;
}

/** The segment in which everything newer than a version stands, or behind it; null where something of that was given up. */
function segmentSince(version: u64): Segment | null {
  let segment: Segment = Segments.last!;
  while (segment.isKept && (segment.version > version || (segment.version == version && mayBeginWithin(segment)))) {
    const before = segment.previous;
    if (before === null || before.sequence + 1 != segment.sequence) return null;
    segment = before;
  }
  return segment.isKept ? segment : null;
}

/** Whether the log still has every commit that is newer than a version. */
export function hasSince(version: u64): bool {
  requires(Segments.last !== null);
  return version == Log.version || segmentSince(version) !== null;
}

/** Begins a watch behind a version that `hasSince`. Null where memory is at its limit. */
export function openWatch(since: u64): Watch | null {
  requires(since <= Log.version);
  const block = allocateSmall(WATCH_SHIFT);
  if (block == 0) return null;
  const watch = changetype<Watch>(block);
  watch.cursor = changetype<LogCursor>(block + CURSOR_AT);
  watch.low = 0;
  watch.high = 0;
  watch.version = since;
  if (since == Log.version) placeAtEnd(watch.cursor);
  else placeAt(watch.cursor, segmentSince(since)!, false);
  watch.next = Watches.first;
  Watches.first = watch;
  refreshFloor();
  return watch;
}

export function closeWatch(watch: Watch): void {
  requires(Watches.first !== null);
  if (Watches.first === watch) Watches.first = watch.next;
  else {
    let before = Watches.first!;
    while (before.next !== watch) before = before.next!;
    before.next = watch.next;
  }
  freeBuffer(watch.low);
  freeBuffer(watch.high);
  releaseSmall(changetype<usize>(watch), WATCH_SHIFT);
  refreshFloor();
}

/** Finds what watches still need, and lets go of the segments that they do not. */
function refreshFloor(): void {
  let floor = u64.MAX_VALUE;
  for (let watch = Watches.first; watch !== null; watch = watch!.next) {
    if (!watch!.cursor.isLost) floor = min<u64>(floor, watch!.cursor.sequence);
  }
  if (floor == Watches.floor) return;
  Watches.floor = floor;
  let segment = Watches.kept;
  Watches.kept = null;
  Watches.keptCount = 0;
  while (segment !== null) {
    const current: Segment = segment;
    segment = current.nextCandidate;
    current.isCandidate = false;
    nominate(current);
  }
}

function keptMax(): u32 {
  return min<u32>(KEPT_COUNT_MAX, max<u32>(KEPT_COUNT_MIN, KEPT_SIZE_MAX >> Geometry.segmentShift));
}

/** Takes a dead segment that a watch needs, if there is room for it. */
export function keepForWatches(segment: Segment): bool {
  requires(segment.live == 0 && !segment.isCandidate);
  if (segment.sequence < Watches.floor || Watches.keptCount >= keptMax()) return false;
  segment.isCandidate = true;
  segment.nextCandidate = Watches.kept;
  Watches.kept = segment;
  Watches.keptCount++;
  return true;
}

/** The next record of the range: of the commit that is being read, or with `isNew` of the next one. 0 where there is none. */
function nextOf(watch: Watch, isNew: bool): usize {
  requires(watch.version <= Log.version);
  const cursor = watch.cursor;
  while (true) {
    const frame = cursor.frame;
    const offset = cursor.offset;
    const segment = cursor.segment;
    const record = nextRecord(cursor);
    if (record == 0) return 0;
    const version = versionOf(record);
    // What compaction moves was read where it came from, also where it belongs to the commit that is being read.
    if (version < watch.version || hasMovedTime(record) || (isNew && version == watch.version)) continue;
    if (!isNew && version != watch.version) {
      // The next commit has begun, perhaps with parts of a large value: it is read again, and until then the segments from here on are needed.
      cursor.offset = segment === cursor.segment && frame == cursor.frame ? offset : 0;
      cursor.end = cursor.offset;
      return 0;
    }
    // Parts have no key.
    if (keySizeOf(record) == 0 || !isWithin(keyOf(record), keySizeOf(record), watch.low, watch.high)) continue;
    watch.version = version;
    return record;
  }
}

/** Goes on to the next commit that has written in the range: its first record, 0 where there is none. `isLost` of the cursor says that there may have been one. */
export function nextCommit(watch: Watch): usize {
  if (!resume(watch.cursor)) {
    refreshFloor();
    return 0;
  }
  const record = nextOf(watch, true);
  refreshFloor();
  return record;
}

/** The next record of the commit that is being read, or 0. */
export function nextOfCommit(watch: Watch): usize {
  return resume(watch.cursor) ? nextOf(watch, false) : 0;
}
