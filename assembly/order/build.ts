/** Making the ordered index: all of it from the log, or the keys that are new into it. */
import { standing, touch } from '../index/by-hash';
import { nextSlot, startCursor } from '../index/directory';
import { hashKey } from '../hash/keyhash';
import { keyOf, keySizeOf } from '../log/record';
import { Log } from '../log/log';
import { FIELD_MASK, resolve } from '../log/segment';
import { addressSince, nextSince, startAll } from '../log/since';
import { allocate, release, shiftFor } from '../memory/allocator';
import { equalSize } from '../memory/bytes';
import { STATUS_MEMORY_FULL, STATUS_OK } from '../shared/status';
import { Space } from '../space/live';
import { provideBlock, relieve } from '../paging/evict';
import { bytesOfBuffer, freeBuffer, makeBuffer } from '../memory/buffer';
import { Front, clearFront, countOfChunk, nextChunk, refInChunk } from './front';
import { refOf, refOfHash, releaseRef } from './ref';
import { PAIR_SHIFT, headAt, putPair, sortPairs } from './sort';
import { Tree, dropLeaves, forgetTree, insertRef, layOut } from './tree';
import { requires, requiresBlock } from '../verify/contract';

/** With more than a 32nd of all keys new, making everything anew is faster than putting each in its place. */
const REBUILD_SHARE_SHIFT: u32 = 5;
const REBUILD_COUNT_MIN: u32 = 64;

/** Records that are looked up together, so that their cache misses overlap: hash, address, head. */
const GROUP_SIZE: u32 = 32;
const GROUP_ENTRY_SHIFT: usize = 5;
const group: usize = memory.data(32 * 32, 8);

/** How many bytes all keys have in common, as far as `gather` has seen: heads are taken behind them. */
class Gathered {
  static touched: u64 = 0;
  static common: u32 = 0;
  static count: u32 = 0;
  /** For how many there is room. */
  static capacity: u32 = 0;
  /** A copy of the first key, or 0. */
  static first: usize = 0;
  /** The block of pairs, and the one that sorting takes beside it, which is as large; 0 where there is none. */
  static pairs: usize = 0;
  static scratch: usize = 0;
  static shift: u32 = 0;
  /** Where the record stands that was taken last. */
  static address: u64 = 0;
}

/**
 * Makes a pair of every key, with heads taken at `depth`: a walk over the log, whose records come one after the other, while the slots that say which of them are the newest of their
 * keys are read in groups. False where memory is at its limit.
 */
function gather(pairs: usize, depth: u32): bool {
  requiresBlock(pairs, <usize>Gathered.capacity << PAIR_SHIFT);
  freeBuffer(Gathered.first);
  Gathered.first = 0;
  Gathered.common = depth;
  Gathered.count = 0;
  startAll();
  startCursor();
  for (let count = takeRecords(depth); count != 0; count = takeRecords(depth)) {
    if (Gathered.first == 0 || !pairUp(count, pairs)) return false;
    relieve();
  }
  return true;
}

/** Makes pairs of those of the records that were taken that are the newest of their keys. A function of its own, like `takeRecords`, so that V8 gets to optimize it while it gathers. */
function pairUp(count: u32, pairs: usize): bool {
  requires(count <= GROUP_SIZE);
  for (let at = group; at < group + (<usize>count << GROUP_ENTRY_SHIFT); at += 1 << GROUP_ENTRY_SHIFT) {
    const hash = load<u64>(at);
    const stands = standing(hash, load<u64>(at, 8));
    if (stands == 0) continue;
    const ref = stands == 1 ? refOfHash(hash) : refOf(resolve(load<u64>(at, 8)), hash);
    if (ref == 0) return false;
    assert(Gathered.count < Gathered.capacity);
    putPair(pairs, Gathered.count, load<u64>(at, 16), ref);
    Gathered.count++;
  }
  return true;
}

/** The next record of the log; where salvage has left damage in it, of the hash index. 0 at the end. */
function takeNext(): usize {
  if (Log.isDamaged) {
    Gathered.address = nextSlot() & FIELD_MASK;
    return Gathered.address == 0 ? 0 : resolve(Gathered.address);
  }
  const record = nextSince();
  if (record != 0) Gathered.address = addressSince(record);
  return record;
}

/** Takes the hashes and heads of the next records, which need not be there any more when the next one is, and has their slots in the cache when they are needed. */
function takeRecords(depth: u32): u32 {
  let count: u32 = 0;
  while (count < GROUP_SIZE) {
    const record = takeNext();
    if (record == 0) break;
    const size = keySizeOf(record);
    // A part of a large value.
    if (size == 0) continue;
    const at = group + (<usize>count << GROUP_ENTRY_SHIFT);
    const key = keyOf(record);
    if (Gathered.first == 0) Gathered.first = makeBuffer(key, size, false);
    if (Gathered.first != 0) Gathered.common = equalSize(bytesOfBuffer(Gathered.first), key, min<u32>(Gathered.common, size));
    store<u64>(at, hashKey(key, size));
    store<u64>(at, Gathered.address, 8);
    store<u64>(at, headAt(key, size, depth), 16);
    count++;
  }
  let touched: u64 = 0;
  for (let at = group; at < group + (<usize>count << GROUP_ENTRY_SHIFT); at += 1 << GROUP_ENTRY_SHIFT) touched += touch(load<u64>(at));
  Gathered.touched = touched;
  return count;
}

/** Gives back what the pairs that were gathered hold. */
function discard(pairs: usize): void {
  for (let index: u32 = 0; index < Gathered.count; index++) releaseRef(load<u64>(pairs + (<usize>index << PAIR_SHIFT), 8));
}

/** Makes the sorted pairs of all keys, and the leaves for them. False where memory is at its limit. */
function buildFrom(pairs: usize, scratch: usize): bool {
  requiresBlock(scratch, <usize>Gathered.capacity << PAIR_SHIFT);
  const depth = guessDepth();
  let isWhole = gather(pairs, depth);
  if (isWhole && Gathered.common < depth) {
    discard(pairs);
    isWhole = gather(pairs, Gathered.common);
  }
  if (isWhole) {
    sortPairs(pairs, scratch, Gathered.count, 0);
    if (layOut(pairs, Gathered.count)) return true;
    dropLeaves();
  }
  discard(pairs);
  return false;
}

/** How many bytes the first keys have in common: a guess at what all have. */
function guessDepth(): u32 {
  let common: u32 = 0;
  let first: usize = 0;
  startCursor();
  for (let count: u32 = 0; count < 64; count++) {
    const slot = nextSlot();
    if (slot == 0) break;
    const record = resolve(slot & FIELD_MASK);
    if (first == 0) {
      first = keyOf(record);
      common = keySizeOf(record);
    } else common = equalSize(first, keyOf(record), min<u32>(common, keySizeOf(record)));
  }
  return common;
}

/** Gives back what making the tree has taken for itself: also what is left of a time when it was stopped by a record that could not be read. */
function releaseBlocks(): void {
  if (Gathered.scratch != 0) release(Gathered.scratch, Gathered.shift);
  if (Gathered.pairs != 0) release(Gathered.pairs, Gathered.shift);
  freeBuffer(Gathered.first);
  Gathered.scratch = 0;
  Gathered.pairs = 0;
  Gathered.first = 0;
}

/** Makes the tree from the hash index. */
function build(): i32 {
  forgetTree();
  releaseBlocks();
  const expected = <usize>(Space.keyCount + Space.tombstoneCount);
  Tree.isKept = true;
  if (expected == 0) return STATUS_OK;
  const shift = shiftFor(expected << PAIR_SHIFT);
  Gathered.shift = shift;
  Gathered.capacity = 1 << (shift - <u32>PAIR_SHIFT);
  provideBlock(<u32>1 << shift);
  Gathered.pairs = allocate(shift);
  if (Gathered.pairs != 0) {
    provideBlock(<u32>1 << shift);
    Gathered.scratch = allocate(shift);
  }
  const isDone = Gathered.scratch != 0 && buildFrom(Gathered.pairs, Gathered.scratch);
  releaseBlocks();
  if (isDone) return STATUS_OK;
  forgetTree();
  return STATUS_MEMORY_FULL;
}

/** Sorts the keys that are new into the tree, or makes it. O(k log n) for k new keys, and never more than O(n). */
export function settle(): i32 {
  // Where a record could not be read the last time, the tree is not whole.
  if (Tree.isChanging) forgetTree();
  Tree.isChanging = true;
  const status = settleNow();
  Tree.isChanging = false;
  return status;
}

function settleNow(): i32 {
  if (!Tree.isKept || (Front.count > REBUILD_COUNT_MIN && Front.count > Tree.count >> REBUILD_SHARE_SHIFT) || (Tree.count == 0 && Front.count != 0)) return build();
  if (Front.count == 0) return STATUS_OK;
  Tree.generation++;
  for (let chunk = Front.first; chunk != 0; chunk = nextChunk(chunk)) {
    const count = countOfChunk(chunk);
    for (let position: u32 = 0; position < count; position++) {
      if (!insertRef(refInChunk(chunk, position))) {
        forgetTree();
        return STATUS_MEMORY_FULL;
      }
    }
  }
  clearFront();
  return STATUS_OK;
}
