/**
 * What leaves memory when the headroom is touched: CLOCK over all blocks. The hand goes over the segments, of which those stay that were read since it last came by, and then over the chunks of
 * the record cache, the oldest first. Nothing leaves but at the end of an operation, when nobody holds a pointer into the log; scans, which hold some between operations, get copies first.
 */
import { Log } from '../log/log';
import { Geometry, Segment, Segments, addressOf, detachBlock, wasRecent } from '../log/segment';
import { release } from '../memory/allocator';
import { rescueScans } from '../order/open';
import { Cache, takeOldestChunk } from './cache';
import { Room, hasRoom } from './room';
import { giveWindow } from './window';
import { ensures, requires, requiresSegment } from '../verify/contract';

/** How many blocks leave beyond what makes the headroom whole, so that the next operation need not come here again. */
const SURPLUS_COUNT: u32 = 1;
/** How many segments the hand passes at once, at most. */
const PASSED_COUNT_MAX: u32 = 4096;

class Clock {
  /** The chunks that the hand has yet to pass before it comes to the first segment again. */
  static chunksLeft: u32 = 0;
}

/** Whether a segment may leave: the file has all of it, durably. */
function canLeave(segment: Segment): bool {
  requiresSegment(segment);
  if (segment.block == 0 || !segment.isKept || segment === Log.segment || segment === Log.output) return false;
  return segment.written == segment.end && addressOf(segment.sequence, segment.end) <= Log.seal;
}

/** The block of whatever the hand finds next that may leave; 0 where it has gone far, or all the way round twice, in vain. */
function takeNext(): usize {
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
      Clock.chunksLeft = Cache.chunkCount;
      Segments.hand = Segments.first;
      continue;
    }
    Segments.hand = segment.next;
    if (canLeave(segment) && !wasRecent(segment)) return detachBlock(segment);
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
  // Where nothing could leave, the next block that is taken, or written, has it tried again.
  Room.isPressed = false;
  ensures(Cache.chunkCount == 0 || Cache.newest != 0);
  return count;
}

/** To be called where an operation begins, or has come to a place where it holds no pointer into the log. */
export function relieve(): void {
  if (Room.isPressed) evict(SURPLUS_COUNT);
}

/** As `relieve`, where an operation is about to take `size` bytes for something that is not the log. */
export function provide(size: u32): void {
  const wanted = (size >> Geometry.segmentShift) + 1;
  if (Room.isPaged && !hasRoom(wanted)) evict(wanted);
}
