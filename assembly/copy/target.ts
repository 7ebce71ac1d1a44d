/**
 * A new log as it is laid out, segment by segment, in one block: its segments follow one another in number and slot, so its lists are one run, and nothing is remembered of those that
 * were handed on. Every frame says that all before it is durable, which is true of a copy that is whole: what a copy has lost is damage, and never taken for the work of a crash.
 */
import { mix, xxh64 } from '../hash/xxh64';
import { declarationsSizeMax, headHashOf, sealFrame } from '../log/frame';
import { seedOf, sealHeader, writeIdentity, writePlace, writeRun } from '../log/header';
import { FIELD_MASK, Geometry, addressOf, isAddressable } from '../log/segment';
import * as format from '../shared/format';
import { ensures, requires, requiresBlock } from '../verify/contract';

@unmanaged
export class Target {
  idLow: u64;
  idHigh: u64;
  /** The state that salts are drawn from. */
  entropy: u64;
  /** The version that the copy shows, and which it goes on from. */
  version: u64;
  /** The segment that is laid out, and the seed of its hashes. */
  sequence: u64;
  seed: u64;
  /** The head hash of the last frame, and where the segment before ends. */
  lastHash: u64;
  previousEnd: u64;
  /** Of the open frame: the commit time, and the highest version; of all before it, the highest version. */
  time: u64;
  frameVersion: u64;
  highestVersion: u64;
  /** Over every segment that was handed on, one after the other. */
  hash: u64;
  /** Up to where the superblock has promised that the log goes, at least; 0 where it has not. */
  promised: u64;
  /** Where the segment is laid out. */
  block: usize;
  /** The slot that it goes to. */
  slot: u32;
  headerEnd: u32;
  /** Where the next byte goes, where the open frame begins, 0 where none is, and how many records it has. */
  tail: u32;
  frame: u32;
  recordCount: u32;
}

export const TARGET_SIZE: usize = 152;
if (offsetof<Target>() > TARGET_SIZE) ERROR('a target outgrew its room');

/** Begins the next segment. */
export function beginSegment(target: Target): void {
  requiresBlock(target.block, Geometry.segmentSize);
  requires(isAddressable(target.sequence));
  memory.fill(target.block, 0, Geometry.segmentSize);
  target.entropy += 0x9e3779b97f4a7c15;
  const salt = mix(target.entropy, target.entropy >> 32);
  const header = target.block;
  writeIdentity(header, target.idLow, target.idHigh, target.sequence, salt, target.slot, target.slot + 1);
  // Nothing that stands in the copy is newer than its version, and not every commit up to there is: a watch may begin behind it, and not before.
  writePlace(header, target.previousEnd, target.lastHash, target.previousEnd, target.version, target.version);
  target.headerEnd = sealHeader(header, writeRun(header + format.SEGMENT_HEADER_SIZE, target.sequence - target.slot, target.slot));
  target.seed = seedOf(header);
  target.tail = target.headerEnd;
  target.frame = 0;
}

/** The most bytes of a record that fit behind what the segment holds. */
export function roomOf(target: Target): u32 {
  requires((target.tail & 7) == 0 && target.frame <= target.tail);
  const isOpen = target.frame != 0;
  const begin = isOpen ? target.frame : target.tail;
  const used = target.tail + (isOpen ? 0 : format.FRAME_HEAD_SIZE) + declarationsSizeMax(Geometry.segmentSize - begin) + format.FRAME_HEAD_SIZE;
  return used >= Geometry.segmentSize ? 0 : Geometry.segmentSize - used;
}

/** The most bytes of a record that fit into a segment that holds nothing. */
export function roomOfEmpty(target: Target): u32 {
  requires(target.headerEnd >= <u32>format.SEGMENT_HEADER_SIZE && (target.headerEnd & 7) == 0);
  const used = target.headerEnd + 2 * format.FRAME_HEAD_SIZE + declarationsSizeMax(Geometry.segmentSize - target.headerEnd);
  return used >= Geometry.segmentSize ? 0 : Geometry.segmentSize - used;
}

/** Whether the segment holds nothing yet. */
export function isEmpty(target: Target): bool {
  return target.tail == target.headerEnd;
}

/** Closes the open frame, or an empty one where none is. */
function closeFrame(target: Target, flags: u32): void {
  requires(target.frame == 0 || (target.recordCount != 0 && target.tail > target.frame + format.FRAME_HEAD_SIZE));
  const isOpen = target.frame != 0;
  const frame = isOpen ? target.frame : target.tail;
  const size = isOpen ? target.tail - frame - format.FRAME_HEAD_SIZE : 0;
  const version = isOpen ? target.frameVersion : target.highestVersion;
  const marks = flags | (version < target.highestVersion ? format.FRAME_FLAG_COMPACTION : 0);
  const at = target.block + frame;
  const whole = sealFrame(at, size, marks, isOpen ? target.recordCount : 0, 0, version, target.time, addressOf(target.sequence, frame), target.seed, frame);
  target.lastHash = headHashOf(at);
  target.highestVersion = max<u64>(target.highestVersion, version);
  target.tail = frame + whole;
  target.frame = 0;
  ensures(target.tail <= Geometry.segmentSize);
}

/** Has records that were committed at `time` follow: closes the open frame where the times of its commits would be more than `tolerance` milliseconds apart from it. */
export function turnTo(target: Target, time: u64, tolerance: u64): void {
  requires(time <= FIELD_MASK);
  if (target.frame == 0) {
    target.time = time;
    return;
  }
  const distance = time > target.time ? time - target.time : target.time - time;
  if (distance > tolerance) {
    closeFrame(target, 0);
    target.time = time;
  }
}

/** Takes a record of `size` bytes into the open frame. Returns where it goes: room was asked for. */
export function place(target: Target, size: u32, version: u64): usize {
  requires(size <= roomOf(target) && (size & 7) == 0 && version <= target.version);
  if (target.frame == 0) {
    target.frame = target.tail;
    target.tail += format.FRAME_HEAD_SIZE;
    target.recordCount = 0;
    target.frameVersion = 0;
  }
  const offset = target.tail;
  target.tail += size;
  target.recordCount++;
  target.frameVersion = max<u64>(target.frameVersion, version);
  return target.block + offset;
}

/** The offset of a record that was placed. */
export function offsetIn(target: Target, record: usize): u32 {
  requires(record > target.block && record < target.block + target.tail);
  return <u32>(record - target.block);
}

function handOn(target: Target): void {
  requires(target.frame == 0 && target.tail <= Geometry.segmentSize);
  requiresBlock(target.block, Geometry.segmentSize);
  target.hash = xxh64(target.block, Geometry.segmentSize, target.hash);
}

/** Ends the segment: the log goes on in another. The block is then to be taken. */
export function endSegment(target: Target): void {
  closeFrame(target, format.FRAME_FLAG_END);
  handOn(target);
  target.previousEnd = addressOf(target.sequence, target.tail);
  target.sequence++;
  target.slot++;
  ensures(target.slot < target.sequence);
}

/** Ends the log with a frame that seals all of it, or with more, where it was promised to be longer. False where the segment had no room for that, and was ended for another. */
export function endLog(target: Target): bool {
  if (target.frame != 0) closeFrame(target, 0);
  do {
    // Behind it there must be room for a frame that ends the segment one day.
    if (target.tail + 2 * format.FRAME_HEAD_SIZE > Geometry.segmentSize) {
      endSegment(target);
      return false;
    }
    closeFrame(target, format.FRAME_FLAG_SEAL);
  } while (addressOf(target.sequence, target.tail) < target.promised);
  handOn(target);
  return true;
}

/** Begins the log anew, as long as it was at least. */
export function restartLog(target: Target): void {
  requires(target.sequence > target.slot && target.frame == 0);
  target.promised = addressOf(target.sequence, target.tail);
  target.sequence -= target.slot;
  target.slot = 0;
  target.lastHash = 0;
  target.previousEnd = 0;
  target.highestVersion = 0;
  target.hash = 0;
}
