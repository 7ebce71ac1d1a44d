/**
 * A walk over the records of the log, in order. It stands between two records, and goes on from there when more were written. Of the records in segments that were given up none is the
 * newest of its key any more: a walk leaves them out, or, where it must not, says that it has lost them.
 */
import { FRAME_HEAD_SIZE } from '../shared/format';
import { bodySizeOf, frameSizeOf } from './frame';
import { Log } from './log';
import { sizeOf } from './record';
import { presentBlock } from '../paging/window';
import { FIELD_MASK, Geometry, Segment, Segments, addressOf, offsetOf, segmentOf, sequenceOf } from './segment';
import { requires, requiresBlock, requiresRecord, requiresSegment } from '../verify/contract';

@unmanaged
export class LogCursor {
  sequence: u64;
  /** The segment, as long as nothing was given up since `resume`. */
  segment: Segment | null;
  /** The frame that it stands in, or where the next will begin. */
  frame: u32;
  /** The next record, and where those of the frame end, as far as they are known. */
  offset: u32;
  end: u32;
  /** Whether it may go past segments that were given up. */
  mayLeaveOut: bool;
  /** Whether it came to one and may not. */
  isLost: bool;
}

export const LOG_CURSOR_SIZE: usize = 40;
if (offsetof<LogCursor>() > LOG_CURSOR_SIZE) ERROR('a cursor of the log outgrew its room');

/** The walk of those who need only one at a time. */
const shared: usize = memory.data(40, 8);

function enter(cursor: LogCursor, segment: Segment): void {
  requiresSegment(segment);
  cursor.sequence = segment.sequence;
  cursor.segment = segment;
  cursor.frame = segment.headerEnd;
  cursor.offset = 0;
  cursor.end = 0;
}

/** Sets a cursor to the beginning of a segment. */
export function placeAt(cursor: LogCursor, segment: Segment, mayLeaveOut: bool): void {
  requiresBlock(changetype<usize>(cursor), LOG_CURSOR_SIZE);
  cursor.mayLeaveOut = mayLeaveOut;
  cursor.isLost = false;
  enter(cursor, segment);
}

/** Sets a cursor to the end of the log. */
export function placeAtEnd(cursor: LogCursor): void {
  const segment = Log.segment!;
  placeAt(cursor, segment, false);
  cursor.frame = Log.frame == 0 ? Log.tail : Log.frame;
  cursor.offset = Log.frame == 0 ? 0 : Log.tail;
  cursor.end = cursor.offset;
}

/** Where the records of the frame of a cursor end, or 0 where there is no frame yet. */
function endOfFrame(cursor: LogCursor, segment: Segment): u32 {
  requires(segment.isKept && cursor.frame >= segment.headerEnd && cursor.frame <= Geometry.segmentSize);
  if (cursor.frame < segment.end) return cursor.frame + FRAME_HEAD_SIZE + bodySizeOf(presentBlock(segment) + cursor.frame);
  return segment === Log.segment && Log.frame != 0 && Log.frame == cursor.frame ? Log.tail : 0;
}

/** Goes on to where there is another record. False at the end of the log, or where the cursor is lost. */
function advance(cursor: LogCursor): bool {
  while (cursor.offset >= cursor.end) {
    const segment = cursor.segment!;
    const end: u32 = !segment.isKept ? 0 : endOfFrame(cursor, segment);
    if (end != 0) {
      cursor.end = end;
      if (cursor.offset == 0) cursor.offset = cursor.frame + FRAME_HEAD_SIZE;
      if (cursor.offset < end) return true;
      if (cursor.frame >= segment.end) return false;
      cursor.frame += frameSizeOf(presentBlock(segment) + cursor.frame);
      cursor.offset = 0;
      cursor.end = 0;
      continue;
    }
    const following = segment.next;
    if (following === null) return false;
    if (!cursor.mayLeaveOut && (following.sequence != cursor.sequence + 1 || !following.isKept)) {
      cursor.isLost = true;
      return false;
    }
    enter(cursor, following);
  }
  return true;
}

/** The next record, or 0. Of a cold segment it is right until the walk, or anybody else, comes to another segment. */
export function nextRecord(cursor: LogCursor): usize {
  requires(cursor.segment !== null);
  if (cursor.offset >= cursor.end && !advance(cursor)) return 0;
  const record = presentBlock(cursor.segment!) + cursor.offset;
  cursor.offset += sizeOf(record);
  return record;
}

/** Has a cursor go on after the log has changed. False where its segment was given up. */
export function resume(cursor: LogCursor): bool {
  requires(cursor.sequence != 0);
  if (cursor.isLost) return false;
  const segment = segmentOf(addressOf(cursor.sequence, 0));
  if (segment === null) {
    cursor.isLost = true;
    return false;
  }
  cursor.segment = segment;
  cursor.end = cursor.offset;
  return true;
}

/** Where the closed frame of a segment begins in which an offset stands; the segment's end where it stands behind them all. O(frames of the segment). */
export function frameAt(segment: Segment, offset: u32): u32 {
  requiresSegment(segment);
  const block = presentBlock(segment);
  let frame = segment.headerEnd;
  while (frame < segment.end && frame + frameSizeOf(block + frame) <= offset) frame += frameSizeOf(block + frame);
  return frame;
}

/** Begins the shared walk at the beginning of the log. */
export function startAll(): void {
  placeAt(changetype<LogCursor>(shared), Segments.first!, true);
}

/** Begins the shared walk at an address, at which a record or a frame begins or will. */
export function startSince(address: u64): void {
  requires(address != 0 && address <= FIELD_MASK);
  const cursor = changetype<LogCursor>(shared);
  let segment = Segments.last!;
  while (segment.previous !== null && segment.previous!.sequence >= sequenceOf(address)) segment = segment.previous!;
  placeAt(cursor, segment, true);
  if (segment.sequence != sequenceOf(address) || !segment.isKept) return;
  const begin = offsetOf(address);
  cursor.frame = frameAt(segment, begin);
  if (cursor.frame + FRAME_HEAD_SIZE < begin) cursor.offset = begin;
  cursor.end = cursor.offset;
}

/** The next record of the shared walk, or 0 at the end of the log. */
export function nextSince(): usize {
  return nextRecord(changetype<LogCursor>(shared));
}

/** The address of the record that `nextSince` has just returned. */
export function addressSince(record: usize): u64 {
  requiresRecord(record);
  const segment = changetype<LogCursor>(shared).segment!;
  return addressOf(segment.sequence, <u32>(record - presentBlock(segment)));
}
