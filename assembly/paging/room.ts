/**
 * How much of the log may be in memory. Blocks of one size, a segment's, hold either a segment or a chunk of the record cache. Below the limit some room is kept free, for what one operation may take
 * before anything can leave: when it is touched, blocks leave at the next end of an operation (`evict.ts`).
 */
import { Geometry, Segments } from '../log/segment';
import { availableSize, limitMemory } from '../memory/allocator';
import { Cache } from './cache';
import { requires } from '../verify/contract';

/** The room that is kept free, in blocks at least, and as a share of what there is. */
const HEADROOM_COUNT_MIN: u64 = 4;
const HEADROOM_SHARE_SHIFT: u64 = 5;

export class Room {
  /** Whether anything may leave: there is a file behind the log, and nothing of it is damaged. */
  static isPaged: bool = false;
  /** Whether there is something to do at the next end of an operation. */
  static isPressed: bool = false;
  /** Whether that is to let blocks leave. */
  static isShort: bool = false;
  /** The bytes that are kept free. */
  static headroom: u64 = 0;
  /** The most blocks that may be taken, whatever memory there is. */
  static blockMax: u32 = <u32>-1;
}

/** Begins to let blocks leave. `limit` is the most that memory may grow to, in bytes. */
export function startPaging(limit: u64, blockMax: u32): void {
  requires(limit != 0 && blockMax != 0);
  if (!limitMemory(limit, Geometry.segmentShift)) return;
  Room.isPaged = true;
  Room.blockMax = blockMax;
  Room.headroom = max<u64>(HEADROOM_COUNT_MIN << Geometry.segmentShift, limit >> HEADROOM_SHARE_SHIFT);
}

/** From now on nothing leaves. */
export function stopPaging(): void {
  Room.isPaged = false;
  Room.isShort = false;
  Room.isPressed = false;
}

/** Whether `count` more blocks can be taken and the headroom is still there. */
export function hasRoom(count: u32): bool {
  requires(Geometry.segmentSize != 0);
  if (!Room.isPaged) return true;
  if (Segments.residentCount + Cache.chunkCount + count > Room.blockMax) return false;
  return availableSize(Geometry.segmentShift) >= Room.headroom + (<u64>count << Geometry.segmentShift);
}

/** Looks whether the headroom is touched. Called by whoever takes memory by the block. */
export function noteBlocks(): void {
  if (!Room.isPaged || Room.isShort || hasRoom(0)) return;
  Room.isShort = true;
  Room.isPressed = true;
}
