/**
 * Reading ahead: whoever reads cold records one behind the other, as a scan does of keys that were written in their order, or one before the other, gets the next ones with a single read of the file. The
 * bytes wait in a buffer, and each record is still held against its own check when it is asked for.
 */
import { Segment } from '../log/segment';
import { allocate } from '../memory/allocator';
import { readAhead, readSlot } from './host';
import { requires, requiresRange, requiresSegment } from '../verify/contract';

/** The most that is read at a time; a run begins with an eighth of it. */
const BUFFER_SHIFT: u32 = 16;
const SIZE_MIN: u32 = 1 << (BUFFER_SHIFT - 3);
/** Between two records of a run there may stand the head of a frame, or a record that is dead. */
const GAP_MAX: u32 = 512;
/** So many records in a row are a run. */
const RUN_COUNT: u32 = 3;

class Ahead {
  static buffer: usize = 0;
  /** What the buffer holds: bytes of a segment, which never change where that is cold. */
  static sequence: u64 = 0;
  static begin: u32 = 0;
  static end: u32 = 0;
  /** The record that was read last, and how many were that each stood beside the one before. */
  static lastSequence: u64 = 0;
  static lastBegin: u32 = 0;
  static lastEnd: u32 = 0;
  static runCount: u32 = 0;
  static isBackward: bool = false;
  /** How much is read the next time. */
  static size: u32 = SIZE_MIN;
}

function holds(segment: Segment, offset: u32, size: u32): bool {
  return Ahead.sequence == segment.sequence && offset >= Ahead.begin && offset + size <= Ahead.end;
}

/** Notes that a record is read, and whether it stands beside the one before. */
function follow(segment: Segment, offset: u32): void {
  requiresSegment(segment);
  const isSame = Ahead.lastSequence == segment.sequence;
  const isForward = isSame && offset >= Ahead.lastEnd && offset - Ahead.lastEnd <= GAP_MAX;
  const isBackward = isSame && offset < Ahead.lastBegin && Ahead.lastBegin - offset <= (Ahead.lastEnd - Ahead.lastBegin) + GAP_MAX;
  // A run goes on in the next segment at its first record.
  const isNext = !isSame && Ahead.runCount >= RUN_COUNT && !Ahead.isBackward && segment.sequence == Ahead.lastSequence + 1 && offset - segment.headerEnd <= GAP_MAX;
  if ((isForward || isNext || isBackward) && (isBackward == Ahead.isBackward || Ahead.runCount == 0)) Ahead.runCount++;
  else {
    Ahead.runCount = 0;
    Ahead.size = SIZE_MIN;
  }
  Ahead.isBackward = isBackward;
}

/** Reads what is likely to be asked for next, with the bytes that are asked for now. False where that cannot be had. */
function fill(segment: Segment, offset: u32, size: u32): bool {
  requires(size != 0 && offset + size <= segment.end);
  if (Ahead.buffer == 0) Ahead.buffer = allocate(BUFFER_SHIFT);
  if (Ahead.buffer == 0) return false;
  const wanted = max<u32>(Ahead.size, size);
  const end = Ahead.isBackward ? offset + size : min<u32>(segment.end, offset + wanted);
  const begin = Ahead.isBackward ? max<u32>(segment.headerEnd, end - min<u32>(end, wanted)) : offset;
  Ahead.sequence = 0;
  // Where that fails the record may be read all the same.
  if (!readAhead(segment.slot, begin, Ahead.buffer, end - begin)) return false;
  Ahead.sequence = segment.sequence;
  Ahead.begin = begin;
  Ahead.end = end;
  Ahead.size = min<u32>(Ahead.size << 1, 1 << BUFFER_SHIFT);
  return true;
}

/** Reads bytes of a cold segment, of which a record begins at `offset`. */
export function readRun(segment: Segment, offset: u32, target: usize, size: u32): void {
  requiresSegment(segment);
  requiresRange(target, size);
  follow(segment, offset);
  const isRun = Ahead.runCount >= RUN_COUNT && size <= 1 << BUFFER_SHIFT;
  if (!holds(segment, offset, size) && !(isRun && fill(segment, offset, size))) {
    readSlot(segment.slot, offset, target, size);
    return;
  }
  memory.copy(target, Ahead.buffer + (offset - Ahead.begin), size);
}

/** Reads what is left of the record that `readRun` has read the beginning of. */
export function readRest(segment: Segment, offset: u32, target: usize, size: u32): void {
  requiresSegment(segment);
  if (holds(segment, offset, size)) memory.copy(target, Ahead.buffer + (offset - Ahead.begin), size);
  else readSlot(segment.slot, offset, target, size);
}

/** Notes where the record ends that was read last. */
export function noteRead(segment: Segment, offset: u32, size: u32): void {
  requiresSegment(segment);
  Ahead.lastSequence = segment.sequence;
  Ahead.lastBegin = offset;
  Ahead.lastEnd = offset + size;
}
