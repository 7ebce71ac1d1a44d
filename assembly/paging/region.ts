/**
 * Large blocks where memory is full of segments: the tables of the core double now and then, and take a block as large as many segments. A stretch of memory in which nothing but segments and chunks
 * stands is cleared for it, and their blocks are joined.
 */
import { Segment, Segments, detachBlock, Geometry } from '../log/segment';
import { availableSize, freeShift, release, touchedSize } from '../memory/allocator';
import { Cache, chunkAfter, takeChunk } from './cache';
import { canLeave } from './leave';
import { ensures, requires } from '../verify/contract';

/** How many bytes of the stretch from `begin` on are free, or can be made so. */
function clearableSize(begin: usize, size: usize): usize {
  requires((begin & (size - 1)) == 0);
  let sum: usize = 0;
  for (let segment: Segment | null = Segments.first; segment !== null; segment = segment!.next) {
    if (segment.block - <u32>begin < <u32>size && canLeave(segment)) sum += Geometry.segmentSize;
  }
  for (let chunk = Cache.oldest; chunk != 0; chunk = chunkAfter(chunk)) {
    if (chunk - begin < size && chunk != Cache.newest) sum += Geometry.segmentSize;
  }
  for (let block = begin; block < begin + size; block += Geometry.segmentSize) {
    const shift = freeShift(block);
    if (shift != 0) sum += min<usize>(<usize>1 << shift, size);
  }
  return sum;
}

/** Has everything in a stretch leave. */
function clear(begin: usize, size: usize): void {
  requires(clearableSize(begin, size) == size);
  for (let segment: Segment | null = Segments.first; segment !== null; segment = segment!.next) {
    if (segment.block - <u32>begin < <u32>size && canLeave(segment)) release(detachBlock(segment), Geometry.segmentShift);
  }
  let chunk = Cache.oldest;
  while (chunk != 0) {
    const following = chunkAfter(chunk);
    if (chunk - begin < size && chunk != Cache.newest) {
      takeChunk(chunk);
      release(chunk, Geometry.segmentShift);
    }
    chunk = following;
  }
  ensures(freeShift(begin) != 0);
}

/** Whether a block of `1 << shift` bytes can be had without anything leaving. */
export function isLargeAvailable(shift: u32): bool {
  return availableSize(shift) != 0;
}

/** Makes a block of `1 << shift` bytes available. False where there is no stretch that can be cleared. O(stretches × (segments + chunks)). */
export function makeLarge(shift: u32): bool {
  requires(shift > Geometry.segmentShift);
  if (isLargeAvailable(shift)) return true;
  const size = <usize>1 << shift;
  for (let begin: usize = size; <u64>begin + size <= touchedSize(); begin += size) {
    if (clearableSize(begin, size) != size) continue;
    clear(begin, size);
    return true;
  }
  return false;
}
