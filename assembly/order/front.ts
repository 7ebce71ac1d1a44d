/** The keys that came since the ordered index was last used, by their names, in the order in which they came. */
import { SPARE_HASH_BIT } from '../index/by-hash';
import { allocate, release } from '../memory/allocator';
import { requires, requiresBlock } from '../verify/contract';

const CHUNK_SHIFT: u32 = 12;
// A chunk: the next, the one before, how many names, the names.
const CHUNK_PREVIOUS: usize = 4;
const CHUNK_COUNT: usize = 8;
const CHUNK_REFS: usize = 16;
const CHUNK_CAPACITY: u32 = 510;

export class Front {
  static first: usize = 0;
  static last: usize = 0;
  static count: u32 = 0;
  /** Bytes of its chunks. */
  static size: u64 = 0;
}

export function nextChunk(chunk: usize): usize {
  requiresBlock(chunk, 1 << CHUNK_SHIFT);
  return <usize>load<u32>(chunk);
}

export function countOfChunk(chunk: usize): u32 {
  requiresBlock(chunk, 1 << CHUNK_SHIFT);
  return load<u32>(chunk, CHUNK_COUNT);
}

export function refInChunk(chunk: usize, position: u32): u64 {
  requires(position < CHUNK_CAPACITY);
  requiresBlock(chunk, 1 << CHUNK_SHIFT);
  return load<u64>(chunk + (<usize>position << 3), CHUNK_REFS);
}

/** Takes a key that is new, by its hash, which no other key has. False where memory is at its limit. */
export function addToFront(hash: u64): bool {
  let chunk = Front.last;
  if (chunk == 0 || countOfChunk(chunk) == CHUNK_CAPACITY) {
    const fresh = allocate(CHUNK_SHIFT);
    if (fresh == 0) return false;
    store<u32>(fresh, 0);
    store<u32>(fresh, <u32>chunk, CHUNK_PREVIOUS);
    store<u32>(fresh, 0, CHUNK_COUNT);
    if (chunk == 0) Front.first = fresh;
    else store<u32>(chunk, <u32>fresh);
    Front.last = fresh;
    Front.size += 1 << CHUNK_SHIFT;
    chunk = fresh;
  }
  const count = countOfChunk(chunk);
  store<u64>(chunk + (<usize>count << 3), hash & ~SPARE_HASH_BIT, CHUNK_REFS);
  store<u32>(chunk, count + 1, CHUNK_COUNT);
  Front.count++;
  return true;
}

/** Takes the key back that came last. */
export function removeFromFront(): void {
  requires(Front.count != 0 && Front.last != 0);
  const chunk = Front.last;
  const count = countOfChunk(chunk) - 1;
  store<u32>(chunk, count, CHUNK_COUNT);
  Front.count--;
  if (count != 0) return;
  Front.last = <usize>load<u32>(chunk, CHUNK_PREVIOUS);
  if (Front.last == 0) Front.first = 0;
  else store<u32>(Front.last, 0);
  release(chunk, CHUNK_SHIFT);
  Front.size -= 1 << CHUNK_SHIFT;
}

export function clearFront(): void {
  let chunk = Front.first;
  while (chunk != 0) {
    const following = nextChunk(chunk);
    release(chunk, CHUNK_SHIFT);
    chunk = following;
  }
  Front.first = 0;
  Front.last = 0;
  Front.count = 0;
  Front.size = 0;
}
