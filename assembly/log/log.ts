/**
 * The end of the log: appending records, opening and closing frames, going on to the next segment, and what the device must be given.
 * Bytes of a segment are written in order; a frame that was closed is never changed, but for the frame that a failed batch reopens
 * before any of it has left memory.
 */
import { mix } from '../hash/xxh64';
import { setU32 } from '../memory/control';
import * as format from '../shared/format';
import * as layout from '../shared/layout';
import { STATUS_MEMORY_FULL, STATUS_NEED_SLOT, STATUS_NEED_TIME, STATUS_OK, STATUS_TOO_LARGE, STATUS_TOO_MANY_SEGMENTS } from '../shared/status';
import { release } from '../memory/allocator';
import { declarationsSizeMax, sealFrame } from './frame';
import { buildHeader } from './header';
import { presentBlock } from '../paging/window';
import { takeSlot, Slots, untakeSlot } from './slots';
import { FIELD_MASK, Geometry, Segment, addSegment, addressOf, allocateSegmentBlock, detachBlock, isAddressable, nominate, prepareSegment, removeSegment } from './segment';
import { ensures, requires, requiresSegment } from '../verify/contract';

export class Log {
  /** The segment that is appended to. */
  static segment: Segment | null = null;
  /** The offset in it at which the next byte goes: behind the last record of the open frame, or the last closed frame. */
  static tail: u32 = 0;
  /** The offset of the open frame, or 0 where none is open. */
  static frame: u32 = 0;
  static recordCount: u32 = 0;
  /** Whether the open frame holds what compaction has moved. */
  static hasMoved: bool = false;
  /** The highest version that was issued. */
  static version: u64 = 0;
  /** No version above this one may be issued before a higher ceiling is durable. */
  static ceiling: u64 = 0;
  /** The commit time of frames: epoch milliseconds, set from outside. */
  static time: u64 = 0;
  /** Whether the time was told for the frame that the next change of segments closes. */
  static isTimed: bool = false;
  /** Everything before this address is known to be flushed. */
  static seal: u64 = 0;
  /** A block kept for deletes when memory is at its limit. */
  static reserveBlock: usize = 0;
  /** Whether salvage has left damage in the log: then it cannot be walked from frame to frame. */
  static isDamaged: bool = false;
  /** The state that salts are drawn from. */
  static entropy: u64 = 0;
  /** Bytes appended and not yet handed to the device. */
  static pendingSize: u32 = 0;
  /** The segment whose bytes the device is given next. */
  static output: Segment | null = null;
}

export function nextSalt(): u64 {
  Log.entropy += 0x9e3779b97f4a7c15;
  return mix(Log.entropy, Log.entropy >> 32);
}

export function blockOf(segment: Segment | null): usize {
  return <usize>segment!.block;
}

export function tailAddress(): u64 {
  return addressOf(Log.segment!.sequence, Log.tail);
}

/** The offset at which the next record goes. */
export function recordOffset(): u32 {
  return Log.frame == 0 ? Log.tail + format.FRAME_HEAD_SIZE : Log.tail;
}

/** What must stay free behind the records of a frame: declarations, and the frame that ends the segment. */
function trailerSize(frame: u32): u32 {
  requires(frame <= Geometry.segmentSize);
  return declarationsSizeMax(Geometry.segmentSize - frame) + format.FRAME_HEAD_SIZE;
}

/** The most bytes of key and value that fit into a fresh segment whose header is as long as the tail's. */
export function roomOfSegment(headerEnd: u32): u32 {
  requires(headerEnd >= <u32>format.SEGMENT_HEADER_SIZE && (headerEnd & 7) == 0);
  const used = headerEnd + format.FRAME_HEAD_SIZE + format.RECORD_HEADER_SIZE + format.RECORD_EXPIRY_SIZE + trailerSize(headerEnd) + 8;
  return used >= Geometry.segmentSize ? 0 : Geometry.segmentSize - used;
}

/** Shows the facade where the next record goes. Called after everything that moves the tail. */
export function publishTail(): void {
  requiresSegment(Log.segment!);
  requires((Log.tail & 7) == 0 && Log.tail <= Geometry.segmentSize && Log.frame <= Log.tail);
  const offset = recordOffset();
  const used = offset + format.RECORD_HEADER_SIZE + format.RECORD_EXPIRY_SIZE + trailerSize(Log.frame == 0 ? Log.tail : Log.frame) + 8;
  setU32(layout.CONTROL_WRITE_POINTER, <u32>blockOf(Log.segment) + offset);
  // Behind a frame that ended a segment whose successor was lost, nothing more may stand.
  const isFull = used >= Geometry.segmentSize || Log.segment!.isEnded;
  setU32(layout.CONTROL_WRITE_ROOM, isFull ? 0 : Geometry.segmentSize - used);
  setU32(layout.CONTROL_PENDING_SIZE, Log.pendingSize);
}

/** Takes a record that was built at the tail into the open frame, opening one where none is. */
export function appendRecord(size: u32): void {
  requires(size >= <u32>format.RECORD_HEADER_SIZE && (size & 7) == 0);
  const offset = recordOffset();
  if (Log.frame == 0) {
    Log.frame = Log.tail;
    Log.recordCount = 0;
    Log.pendingSize += format.FRAME_HEAD_SIZE;
  }
  assert(offset + size <= Geometry.segmentSize);
  Log.tail = offset + size;
  Log.recordCount++;
  Log.pendingSize += size;
  ensures((Log.tail & 7) == 0 && Log.tail + trailerSize(Log.frame) <= Geometry.segmentSize + format.FRAME_HEAD_SIZE);
}

/** Closes the open frame, or an empty one where `flags` ask for it. */
export function closeFrame(flags: u32, pendingCount: u32): void {
  requires(Log.tail >= Log.frame && (Log.frame == 0 || Log.tail > Log.frame + format.FRAME_HEAD_SIZE));
  requires(pendingCount <= Log.recordCount);
  const segment = Log.segment!;
  if (Log.frame == 0) {
    if (flags == 0) return;
    Log.frame = Log.tail;
    Log.tail += format.FRAME_HEAD_SIZE;
    Log.recordCount = 0;
    Log.pendingSize += format.FRAME_HEAD_SIZE;
  }
  const at = <usize>segment.block + Log.frame;
  const bodySize = Log.tail - Log.frame - format.FRAME_HEAD_SIZE;
  // Records of a commit that is still being staged carry the next version.
  const version = pendingCount == 0 ? Log.version : Log.version + 1;
  if (Log.hasMoved) flags |= format.FRAME_FLAG_COMPACTION;
  Log.hasMoved = false;
  const size = sealFrame(at, bodySize, flags, Log.recordCount, pendingCount, version, Log.time, Log.seal, segment.seed, Log.frame);
  Log.pendingSize += Log.frame + size - Log.tail;
  Log.tail = Log.frame + size;
  assert(Log.tail <= Geometry.segmentSize);
  if (Log.frame == segment.headerEnd) segment.firstVersion = version;
  segment.end = Log.tail;
  segment.lastHash = load<u64>(at, format.FRAME_HEAD_HASH);
  segment.isEnded = (flags & format.FRAME_FLAG_END) != 0;
  Log.frame = 0;
  ensures(segment.written <= segment.end && (segment.end & 7) == 0);
}

/**
 * Goes on to the next segment, closing the open frame; `pendingCount` of its last records belong to a commit that goes on there.
 * With `reserved`, the block kept for deletes may be used. Nothing has changed when this fails, but that a time was used up.
 */
export function nextSegment(pendingCount: u32, reserved: bool): i32 {
  requires(Log.frame != 0 || pendingCount == 0);
  const before = Log.segment!;
  if (!isAddressable(before.sequence + 1)) return STATUS_TOO_MANY_SEGMENTS;
  if (!Geometry.inMemory && Slots.readyCount == 0) return STATUS_NEED_SLOT;
  if (!Geometry.inMemory && !Slots.isNextReady) return STATUS_NEED_SLOT;
  // The time that the log was last told is that of the frame before.
  if (!Log.isTimed) return STATUS_NEED_TIME;
  Log.isTimed = false;
  let block = allocateSegmentBlock();
  const usesReserve = block == 0 && reserved && Log.reserveBlock != 0;
  if (usesReserve) block = Log.reserveBlock;
  if (block == 0) return STATUS_MEMORY_FULL;
  const slot = before.nextSlot;
  const segment = addSegment(before.sequence + 1, block, slot);
  if (segment === null) {
    if (!usesReserve) release(block, Geometry.segmentShift);
    return STATUS_MEMORY_FULL;
  }
  // The block that is kept for deletes is of use only with what a segment needs beside it.
  if (!reserved && !prepareSegment()) {
    removeSegment(segment);
    return STATUS_MEMORY_FULL;
  }
  segment.nextSlot = takeSlot();
  const frameBefore = Log.frame;
  const tailBefore = Log.tail;
  const countBefore = Log.recordCount;
  const pendingBefore = Log.pendingSize;
  const wasEnded = before.isEnded;
  const hadMoved = Log.hasMoved;
  if (!wasEnded) closeFrame(format.FRAME_FLAG_END, pendingCount);
  const headerEnd = buildHeader(segment, before, Log.seal, Log.ceiling, Log.version, nextSalt());
  if (headerEnd == 0) {
    assert(untakeSlot(segment.nextSlot));
    Log.frame = frameBefore;
    Log.tail = tailBefore;
    Log.recordCount = countBefore;
    Log.pendingSize = pendingBefore;
    before.isEnded = wasEnded;
    Log.hasMoved = hadMoved;
    if (usesReserve) detachBlock(segment);
    removeSegment(segment);
    return STATUS_TOO_MANY_SEGMENTS;
  }
  if (usesReserve) Log.reserveBlock = 0;
  segment.end = headerEnd;
  Log.segment = segment;
  Log.tail = headerEnd;
  Log.pendingSize += headerEnd;
  // One that holds nothing that is live is not waited for to lose it.
  if (before.live == 0) nominate(before);
  publishTail();
  return STATUS_OK;
}

/** Makes room for `size` bytes of key and value, in the tail's segment or the next. */
export function makeRoom(size: u32, pendingCount: u32, reserved: bool): i32 {
  requires(Log.segment !== null);
  if (size <= load<u32>(layout.CONTROL_WRITE_ROOM)) return STATUS_OK;
  if (size > roomOfSegment(Log.segment!.headerEnd)) return STATUS_TOO_LARGE;
  const status = nextSegment(pendingCount, reserved);
  if (status != STATUS_OK) return status;
  return size <= load<u32>(layout.CONTROL_WRITE_ROOM) ? STATUS_OK : STATUS_TOO_LARGE;
}

/**
 * Shows the facade the next bytes for the device: a run of one segment that is closed and not yet written. Returns its size, 0 when all was given.
 */
export function nextOutput(): u32 {
  let segment: Segment | null = Log.output;
  while (segment !== null) {
    if (segment.written < segment.end) {
      setU32(layout.CONTROL_OUTPUT_POINTER, <u32>presentBlock(segment) + segment.written);
      setU32(layout.CONTROL_OUTPUT_SIZE, segment.end - segment.written);
      setU32(layout.CONTROL_OUTPUT_SLOT, segment.slot);
      setU32(layout.CONTROL_OUTPUT_OFFSET, segment.written);
      return segment.end - segment.written;
    }
    if (segment === Log.segment) return 0;
    segment = segment.next;
    Log.output = segment;
  }
  return 0;
}

/** The run that `nextOutput` showed has been accepted by the device. */
export function outputDone(): void {
  requires(Log.output !== null && Log.pendingSize >= Log.output!.end - Log.output!.written);
  const segment = Log.output!;
  Log.pendingSize -= segment.end - segment.written;
  segment.written = segment.end;
  setU32(layout.CONTROL_PENDING_SIZE, Log.pendingSize);
}

/** The address up to which everything was handed to the device. */
export function writtenAddress(): u64 {
  requires(Log.output !== null);
  const segment = Log.output!;
  return addressOf(segment.sequence, segment.written);
}

/** Keeps a block back, so that a store whose memory is at its limit can still take deletes. */
export function keepReserve(): bool {
  if (Log.reserveBlock == 0) Log.reserveBlock = allocateSegmentBlock();
  return Log.reserveBlock != 0;
}

export function setTime(time: u64): void {
  Log.time = time & FIELD_MASK;
}
