/**
 * What leaves memory when the headroom is touched: CLOCK over all blocks. The hand goes over the segments, of which those stay that were read more often than a block on average since it last came
 * by, and then over the chunks of the record cache, the oldest first. A bit would not do: of a segment with one record in demand and a chunk of two hundred, both have been read. Nothing leaves but at the end of an operation, when nobody holds a pointer into the log; scans, which hold some between operations, get copies first.
 */
import { Index } from '../index/directory';
import { Geometry, Segments, detachBlock, takeReads } from '../log/segment';
import { release, shiftFor } from '../memory/allocator';
import { setU32 } from '../memory/control';
import * as layout from '../shared/layout';
import { rescueScans } from '../order/open';
import { Cache, takeOldestChunk } from './cache';
import { canLeave } from './leave';
import { isLargeAvailable, makeLarge } from './region';
import { Room, hasRoom } from './room';
import { clearScratch } from './scratch';
import { giveWindow } from './window';
import { ensures, requires } from '../verify/contract';

/** How many blocks leave beyond what makes the headroom whole, so that the next operation need not come here again. */
const SURPLUS_COUNT: u32 = 1;
/** How many segments the hand passes at once, at most. */
const PASSED_COUNT_MAX: u32 = 4096;

class Clock {
  /** The chunks that the hand has yet to pass before it comes to the first segment again. */
  static chunksLeft: u32 = 0;
  /** How often a block was read in the round before, on average. */
  static mean: u32 = 0;
}

/** Begins another round of the hand. */
function startRound(): void {
  requires(Segments.hand === null);
  Clock.chunksLeft = Cache.chunkCount;
  Clock.mean = Segments.reads / max<u32>(Segments.residentCount + Cache.chunkCount, 1);
  Segments.reads = 0;
  Segments.hand = Segments.first;
}

/** The block of whatever the hand finds next that may leave; 0 where it has gone far, or all the way round twice, in vain. */
function takeNext(): usize {
  requires(Room.isPaged);
  let rounds: u32 = 0;
  for (let passed: u32 = 0; passed < PASSED_COUNT_MAX; passed++) {
    const segment = Segments.hand;
    if (segment === null) {
      if (Clock.chunksLeft != 0) {
        Clock.chunksLeft--;
        const chunk = takeOldestChunk();
        if (chunk != 0) return chunk;
      }
      if (rounds++ == 2) return 0;
      startRound();
      continue;
    }
    Segments.hand = segment.next;
    if (canLeave(segment) && takeReads(segment) <= Clock.mean) return detachBlock(segment);
  }
  return 0;
}

/** Lets blocks leave until the headroom is whole and `wanted` blocks beyond it can be taken. Returns how many did. */
export function evict(wanted: u32): u32 {
  requires(Geometry.segmentSize != 0);
  if (!Room.isPaged) return 0;
  let count: u32 = 0;
  while (!hasRoom(wanted)) {
    if (count == 0 && !rescueScans()) break;
    const block = takeNext();
    if (block == 0) break;
    count++;
    if (!giveWindow(block)) release(block, Geometry.segmentShift);
  }
  const large = max<u32>(Segments.tableShift, max<u32>(Index.directoryShift, Cache.tableShift)) + 1;
  if (large > Geometry.segmentShift && !isLargeAvailable(large)) clearFor(large);
  if (count == 0 && !hasRoom(0)) setU32(layout.CONTROL_IS_SHORT, 1);
  // Where nothing could leave, the next block that is taken, or written, has it tried again.
  Room.isShort = false;
  ensures(Cache.chunkCount == 0 || Cache.newest != 0);
  return count;
}

/** Makes a block available that is larger than a segment: for a table that doubles before anything can leave again, or for what an operation is about to build. */
function clearFor(shift: u32): bool {
  requires(shift >= 12 && shift < 32);
  if (!Room.isPaged || shift <= Geometry.segmentShift || isLargeAvailable(shift)) return true;
  return rescueScans() && makeLarge(shift);
}

/** To be called where an operation begins, or has come to a place where it holds no pointer into the log. */
export function relieve(): void {
  if (Room.isPressed) tidy();
}

function tidy(): void {
  clearScratch();
  Room.isPressed = false;
  if (Room.isShort) evict(SURPLUS_COUNT);
}

/** As `relieve`, where an operation is about to take `size` bytes for something that is not the log. */
export function provide(size: u32): void {
  if (!Room.isPaged) return;
  const wanted = (size >> Geometry.segmentShift) + 1;
  if (!hasRoom(wanted)) evict(wanted);
}

/** As `provide`, for bytes that are to be one block. */
export function provideBlock(size: u32): void {
  provide(size);
  clearFor(shiftFor(size));
}
