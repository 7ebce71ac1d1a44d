/**
 * Whole segments for those who walk from frame to frame. One that is cold gets a block where there is room; where there is none, it is read into a window, a block that the next one takes over:
 * what a walk has found there is right until it goes on to another segment.
 */
import { examineHeader, seedOf } from '../log/header';
import { Geometry, Segment, allocateSegmentBlock, attachBlock } from '../log/segment';
import { frameSizeOf, hasBody, hasDeclarations, hasHead, isBodyLost } from '../log/frame';
import { damage } from '../memory/control';
import * as status from '../shared/status';
import { readSlot, refuse } from './host';
import { hasRoom } from './room';
import { ensures, requires, requiresBlock, requiresSegment } from '../verify/contract';

class Window {
  static block: usize = 0;
  /** The number of the segment that stands in it; 0 for none. */
  static sequence: u64 = 0;
  /** A block that was taken for a segment whose reading has failed. */
  static spare: usize = 0;
}

/** Whether the header in a block is that of the segment. */
function hasOwnHeader(segment: Segment, block: usize): bool {
  requiresBlock(block, Geometry.segmentSize);
  return examineHeader(block, segment.slot, Geometry.segmentSize) == status.STATUS_OK && seedOf(block) == segment.seed;
}

/** What is wrong with the frame at an offset: a reason, or REASON_NONE. A sector that was declared to hold one bit gets it back. */
function whatIsWrong(segment: Segment, block: usize, offset: u32): u32 {
  requires(offset >= segment.headerEnd && (offset & 7) == 0);
  const frame = block + offset;
  if (!hasHead(frame, segment.end - offset, segment.seed, offset)) return status.REASON_FRAME_HEAD;
  if (!hasDeclarations(frame, segment.seed, offset)) return status.REASON_DECLARATIONS;
  if (hasBody(frame, segment.seed, offset) || (!isBodyLost(frame, offset) && hasBody(frame, segment.seed, offset))) return status.REASON_NONE;
  return status.REASON_FRAME_BODY;
}

/** Reads a segment whose end is known into a block, and holds header and frames against their hashes. STATUS_CORRUPT where they fail, the place in the control block. */
function readSegment(segment: Segment, block: usize): i32 {
  requiresSegment(segment);
  requiresBlock(block, Geometry.segmentSize);
  readSlot(segment.slot, 0, block, Geometry.segmentSize);
  if (!hasOwnHeader(segment, block)) return damage(segment.sequence, segment.slot, 0, 0, status.REASON_SEGMENT_HEADER);
  let offset = segment.headerEnd;
  while (offset < segment.end) {
    const reason = whatIsWrong(segment, block, offset);
    if (reason != status.REASON_NONE) return damage(segment.sequence, segment.slot, offset, 0, reason);
    offset += frameSizeOf(block + offset);
  }
  ensures(offset == segment.end);
  return status.STATUS_OK;
}

/** A block to read a segment into; 0 where memory is at its limit. It is kept until `useSpare`, so that a read that fails loses nothing. */
function takeSpare(): usize {
  requires(Geometry.segmentSize != 0);
  if (Window.spare == 0) Window.spare = allocateSegmentBlock();
  return Window.spare;
}

/** Reads a cold segment into a block of its own. False where there is no block, or where it is damaged: then what of it is intact can be read record by record. */
export function makeResident(segment: Segment): bool {
  requires(segment.block == 0 && segment.isKept);
  if (segment.isDamaged) return false;
  const block = takeSpare();
  if (block == 0) return false;
  if (readSegment(segment, block) != status.STATUS_OK) {
    segment.isDamaged = true;
    return false;
  }
  Window.spare = 0;
  attachBlock(segment, block);
  return true;
}

/** Makes the window, which a store needs from its first cold segment on. False where memory is at its limit. */
export function openWindow(): bool {
  requires(Geometry.segmentSize != 0);
  if (Window.block == 0) Window.block = allocateSegmentBlock();
  return Window.block != 0;
}

/** Takes a block for the window, if it has none. Returns whether it did. */
export function giveWindow(block: usize): bool {
  requiresBlock(block, Geometry.segmentSize);
  if (Window.block != 0) return false;
  Window.block = block;
  return true;
}

/** The window, for a segment that is now to be read into it. */
function claimWindow(sequence: u64): usize {
  requires(sequence != 0);
  if (!openWindow()) refuse(status.STATUS_MEMORY_FULL);
  Window.sequence = 0;
  return Window.block;
}

/** Where the bytes of a segment that is kept stand: right until another segment is presented, and up to the end of the operation at most. */
export function presentBlock(segment: Segment): usize {
  requires(segment.isKept);
  if (segment.block != 0) return <usize>segment.block;
  if (hasRoom(1) && makeResident(segment)) return <usize>segment.block;
  return presentInWindow(segment);
}

/** As `presentBlock`, and never in a block of the segment's own. */
export function presentInWindow(segment: Segment): usize {
  requires(segment.block == 0 && segment.isKept);
  if (Window.sequence == segment.sequence) return Window.block;
  const block = claimWindow(segment.sequence);
  if (readSegment(segment, block) != status.STATUS_OK) refuse(status.STATUS_CORRUPT);
  Window.sequence = segment.sequence;
  return block;
}

/** As `presentBlock`, for recovery, which finds out itself what of the segment is intact. */
export function presentUnchecked(segment: Segment): usize {
  requires(segment.isKept);
  if (segment.block != 0) return <usize>segment.block;
  if (Window.sequence == segment.sequence) return Window.block;
  const block = claimWindow(segment.sequence);
  readSlot(segment.slot, 0, block, Geometry.segmentSize);
  Window.sequence = segment.sequence;
  return block;
}

/** Where the bytes of a segment stand if the window holds them, or 0. */
export function windowOf(segment: Segment): usize {
  requires(segment.sequence != 0);
  return Window.sequence == segment.sequence ? Window.block : 0;
}

/** Forgets a segment: its number may come again. */
export function forgetWindow(sequence: u64): void {
  requires(sequence != 0);
  if (Window.sequence == sequence) Window.sequence = 0;
}

/** Makes the segment that is to be appended to resident, as recovery has found it. False where memory is at its limit. */
export function makeTail(segment: Segment): bool {
  requires(segment.isKept);
  if (segment.block != 0) return true;
  const block = takeSpare();
  if (block == 0) return false;
  memory.copy(block, presentUnchecked(segment), Geometry.segmentSize);
  Window.spare = 0;
  attachBlock(segment, block);
  return true;
}
