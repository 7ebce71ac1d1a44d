/**
 * The ordered index: every key of the store by its name, in the order of the keys. Leaves of 4 KiB hold up to 511 names of 8 bytes, and one array points at the leaves: a B+tree of two
 * levels, which stays flat because a leaf takes many names. It is made by the first scan, from the hash index; a store that is never scanned pays nothing for it. From then on
 * new keys gather in front of it, unsorted, and the next scan sorts them in.
 */
import { nextSlot, standing, startCursor, touch } from '../index/directory';
import { hashKey } from '../hash/keyhash';
import { keyOf, keySizeOf } from '../log/record';
import { addressSince, nextSince, startAll } from '../log/since';
import { FIELD_MASK, resolve } from '../log/segment';
import { allocate, release, shiftFor } from '../memory/allocator';
import { compare, equalSize } from '../memory/bytes';
import { STATUS_MEMORY_FULL, STATUS_OK } from '../shared/status';
import { Space } from '../space/live';
import { Front, clearFront, countOfChunk, nextChunk, refInChunk } from './front';
import { RefKey, loadKey, recordOf, refOf, refOfHash, releaseRef } from './ref';
import { PAIR_SHIFT, headAt, putPair, sortPairs } from './sort';

const LEAF_SHIFT: u32 = 12;
const LEAF_HEADER: usize = 8;
const LEAF_CAPACITY: u32 = 511;
/** How full leaves are made: a few keys may come between before one is split. */
const LEAF_FILL: u32 = 480;
const POINTER_SHIFT: usize = 2;
/** With more than a 32nd of all keys new, making everything anew is faster than putting each in its place. */
const REBUILD_SHARE_SHIFT: u32 = 5;
const REBUILD_COUNT_MIN: u32 = 64;

/** Records that are looked up together, so that their cache misses overlap: hash, address, record. */
const GROUP_SIZE: u32 = 32;
const GROUP_ENTRY_SHIFT: usize = 5;
const group: usize = memory.data(32 * 32, 8);

export class Tree {
  /** Whether it holds every key that is not in the front. */
  static isKept: bool = false;
  static leaves: usize = 0;
  static leavesShift: u32 = 0;
  static leafCount: u32 = 0;
  static count: u32 = 0;
  /** Changes whenever a name may have moved. */
  static generation: u32 = 0;
}

/** A place between two names: before the name `position` of a leaf. */
export class Place {
  static leaf: u32 = 0;
  static position: u32 = 0;
}

function leafAt(index: u32): usize {
  return <usize>load<u32>(Tree.leaves + (<usize>index << POINTER_SHIFT));
}

export function countOfLeaf(index: u32): u32 {
  return load<u32>(leafAt(index));
}

export function nameAt(leaf: u32, position: u32): u64 {
  return load<u64>(leafAt(leaf) + LEAF_HEADER + (<usize>position << 3));
}

/** Where names are, and how many: for `stats`. */
export function treeSize(): u64 {
  return (<u64>Tree.leafCount << LEAF_SHIFT) + (Tree.leaves == 0 ? 0 : <u64>1 << Tree.leavesShift) + Front.size;
}

/** Gives the tree up: the next scan makes it anew. */
export function forgetTree(): void {
  for (let leaf: u32 = 0; leaf < Tree.leafCount; leaf++) {
    for (let position: u32 = 0; position < countOfLeaf(leaf); position++) releaseRef(nameAt(leaf, position));
  }
  dropLeaves();
  clearFront();
  Tree.count = 0;
  Tree.isKept = false;
  Tree.generation++;
}

function dropLeaves(): void {
  for (let leaf: u32 = 0; leaf < Tree.leafCount; leaf++) release(leafAt(leaf), LEAF_SHIFT);
  if (Tree.leaves != 0) release(Tree.leaves, Tree.leavesShift);
  Tree.leaves = 0;
  Tree.leafCount = 0;
}

function compareTo(ref: u64, key: usize, size: u32): i32 {
  loadKey(ref);
  return compare(RefKey.pointer, RefKey.size, key, size);
}

/** Whether every key is below `key`. The bounds of keyspaces mostly lie outside of all keys, whose first and last are in the cache. */
export function isAboveAll(key: usize, size: u32): bool {
  const last = Tree.leafCount - 1;
  return Tree.leafCount == 0 || compareTo(nameAt(last, countOfLeaf(last) - 1), key, size) < 0;
}

/** Whether no key is below `key`. */
export function isBelowAll(key: usize, size: u32): bool {
  return Tree.leafCount == 0 || compareTo(nameAt(0, 0), key, size) >= 0;
}

/** Finds the place of the first name whose key is not below `key`. O(log n) lookups. */
export function seek(key: usize, size: u32): void {
  let low: u32 = 0;
  let high = Tree.leafCount;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareTo(nameAt(middle, 0), key, size) < 0) low = middle + 1;
    else high = middle;
  }
  Place.leaf = low;
  Place.position = 0;
  if (low == 0) return;
  const leaf = low - 1;
  low = 1;
  high = countOfLeaf(leaf);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareTo(nameAt(leaf, middle), key, size) < 0) low = middle + 1;
    else high = middle;
  }
  if (low == countOfLeaf(leaf)) return;
  Place.leaf = leaf;
  Place.position = low;
}

/** Makes room for one more leaf at `index`. */
function insertLeaf(index: u32, leaf: usize): bool {
  const size = <usize>(Tree.leafCount + 1) << POINTER_SHIFT;
  if (size > <usize>1 << Tree.leavesShift) {
    const leaves = allocate(Tree.leavesShift + 1);
    if (leaves == 0) return false;
    memory.copy(leaves, Tree.leaves, <usize>Tree.leafCount << POINTER_SHIFT);
    release(Tree.leaves, Tree.leavesShift);
    Tree.leaves = leaves;
    Tree.leavesShift++;
  }
  const at = Tree.leaves + (<usize>index << POINTER_SHIFT);
  memory.copy(at + (1 << POINTER_SHIFT), at, <usize>(Tree.leafCount - index) << POINTER_SHIFT);
  store<u32>(at, <u32>leaf);
  Tree.leafCount++;
  return true;
}

/** Splits a full leaf before a name is put at `position`: in two halves, but at its end for keys that only ever rise. */
function splitLeaf(index: u32, position: u32): bool {
  const leaf = allocate(LEAF_SHIFT);
  if (leaf == 0) return false;
  if (!insertLeaf(index + 1, leaf)) {
    release(leaf, LEAF_SHIFT);
    return false;
  }
  const stays = position == LEAF_CAPACITY ? LEAF_CAPACITY : LEAF_CAPACITY / 2;
  const full = leafAt(index);
  memory.copy(leaf + LEAF_HEADER, full + LEAF_HEADER + (<usize>stays << 3), <usize>(LEAF_CAPACITY - stays) << 3);
  store<u32>(leaf, LEAF_CAPACITY - stays);
  store<u32>(full, stays);
  return true;
}

function insertRef(ref: u64): bool {
  const record = recordOf(ref);
  if (record == 0) return false;
  seek(keyOf(record), keySizeOf(record));
  let index = Place.leaf;
  let position = Place.position;
  if (position == 0 && index != 0) {
    // Between two leaves: at the end of the one before.
    index--;
    position = countOfLeaf(index);
  }
  if (countOfLeaf(index) == LEAF_CAPACITY) {
    if (!splitLeaf(index, position)) return false;
    const stays = countOfLeaf(index);
    if (position > stays || stays == LEAF_CAPACITY) {
      position -= stays;
      index++;
    }
  }
  const leaf = leafAt(index);
  const count = load<u32>(leaf);
  const at = leaf + LEAF_HEADER + (<usize>position << 3);
  memory.copy(at + 8, at, <usize>(count - position) << 3);
  store<u64>(at, ref);
  store<u32>(leaf, count + 1);
  Tree.count++;
  return true;
}

/** How many bytes all keys have in common, as far as `gather` has seen: heads are taken behind them. */
class Gathered {
  static touched: u64 = 0;
  static common: u32 = 0;
  static count: u32 = 0;
  /** For how many there is room. */
  static capacity: u32 = 0;
  /** The first key. */
  static first: usize = 0;
}

/**
 * Makes a pair of every key, with heads taken at `depth`: a walk over the log, whose records come one after the other, while the slots that say which of them are the newest of their
 * keys are read in groups. False where memory is at its limit.
 */
function gather(pairs: usize, depth: u32): bool {
  Gathered.first = 0;
  Gathered.common = depth;
  Gathered.count = 0;
  startAll();
  for (let count = takeRecords(); count != 0; count = takeRecords()) {
    if (!pairUp(count, pairs, depth)) return false;
  }
  return true;
}

/** Makes pairs of those of the records that were taken that are the newest of their keys. A function of its own, like `takeRecords`, so that V8 gets to optimize it while it gathers. */
function pairUp(count: u32, pairs: usize, depth: u32): bool {
  for (let at = group; at < group + (<usize>count << GROUP_ENTRY_SHIFT); at += 1 << GROUP_ENTRY_SHIFT) {
    const hash = load<u64>(at);
    const stands = standing(hash, load<u64>(at, 8));
    if (stands == 0) continue;
    const record = <usize>load<u32>(at, 16);
    const key = keyOf(record);
    const size = keySizeOf(record);
    const ref = stands == 1 ? refOfHash(hash) : refOf(record, hash);
    if (ref == 0) return false;
    assert(Gathered.count < Gathered.capacity);
    if (Gathered.first == 0) Gathered.first = key;
    Gathered.common = equalSize(Gathered.first, key, min<u32>(Gathered.common, size));
    putPair(pairs, Gathered.count, headAt(key, size, depth), ref);
    Gathered.count++;
  }
  return true;
}

/** Takes the next records of the log, with their hashes, and has their slots in the cache when they are needed. */
function takeRecords(): u32 {
  let count: u32 = 0;
  while (count < GROUP_SIZE) {
    const record = nextSince();
    if (record == 0) break;
    const size = keySizeOf(record);
    // A part of a large value.
    if (size == 0) continue;
    const at = group + (<usize>count << GROUP_ENTRY_SHIFT);
    const hash = hashKey(keyOf(record), size);
    store<u64>(at, hash);
    store<u64>(at, addressSince(record), 8);
    store<u32>(at, <u32>record, 16);
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

function fillLeaf(leaf: usize, pairs: usize, count: u32): void {
  store<u32>(leaf, count);
  for (let position: u32 = 0; position < count; position++) store<u64>(leaf + LEAF_HEADER + (<usize>position << 3), load<u64>(pairs + (<usize>position << PAIR_SHIFT), 8));
}

/** Lays sorted pairs out over new leaves. False where memory is at its limit. */
function layOut(pairs: usize, count: u32): bool {
  const leafCount = (count + LEAF_FILL - 1) / LEAF_FILL;
  Tree.leavesShift = shiftFor(<usize>leafCount << POINTER_SHIFT);
  Tree.leaves = allocate(Tree.leavesShift);
  if (Tree.leaves == 0) return false;
  let pair = pairs;
  for (let index: u32 = 0; index < leafCount; index++) {
    const leaf = allocate(LEAF_SHIFT);
    if (leaf == 0) return false;
    const size = min<u32>(LEAF_FILL, count - index * LEAF_FILL);
    fillLeaf(leaf, pair, size);
    pair += <usize>size << PAIR_SHIFT;
    store<u32>(Tree.leaves + (<usize>index << POINTER_SHIFT), <u32>leaf);
    Tree.leafCount++;
  }
  Tree.count = count;
  return true;
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

/** Makes the tree from the hash index. */
function build(): i32 {
  forgetTree();
  const expected = <usize>(Space.keyCount + Space.tombstoneCount);
  Tree.isKept = true;
  if (expected == 0) return STATUS_OK;
  const shift = shiftFor(expected << PAIR_SHIFT);
  const pairs = allocate(shift);
  Gathered.capacity = 1 << (shift - <u32>PAIR_SHIFT);
  const scratch = pairs == 0 ? 0 : allocate(shift);
  let isDone = false;
  if (scratch != 0) {
    isDone = buildFrom(pairs, scratch);
    release(scratch, shift);
  }
  if (pairs != 0) release(pairs, shift);
  if (isDone) return STATUS_OK;
  forgetTree();
  return STATUS_MEMORY_FULL;
}

/** Sorts the keys that are new into the tree, or makes it. O(k log n) for k new keys, and never more than O(n). */
export function settle(): i32 {
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
