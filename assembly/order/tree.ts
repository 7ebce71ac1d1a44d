/**
 * The ordered index: every key of the store by its name, in the order of the keys. Leaves of 4 KiB hold up to 511 names of 8 bytes, and one array points at the leaves: a B+tree of two
 * levels, which stays flat because a leaf takes many names. It is made by the first scan (`build.ts`); a store that is never scanned pays nothing for it. From then on
 * new keys gather in front of it, unsorted, and the next scan sorts them in.
 */
import { keyOf, keySizeOf } from '../log/record';
import { allocate, release, shiftFor } from '../memory/allocator';
import { compare } from '../memory/bytes';
import { Front, clearFront } from './front';
import { RefKey, loadKey, recordOf, releaseRef } from './ref';
import { PAIR_SHIFT } from './sort';
import { ensures, requires, requiresBlock, requiresRange } from '../verify/contract';

const LEAF_SHIFT: u32 = 12;
const LEAF_HEADER: usize = 8;
const LEAF_CAPACITY: u32 = 511;
/** How full leaves are made: a few keys may come between before one is split. */
const LEAF_FILL: u32 = 480;
const POINTER_SHIFT: usize = 2;

export class Tree {
  /** Whether it holds every key that is not in the front. */
  static isKept: bool = false;
  static leaves: usize = 0;
  static leavesShift: u32 = 0;
  static leafCount: u32 = 0;
  static count: u32 = 0;
  /** Whether keys are being put in order: where that is so at the beginning of another time, the last one was stopped, and the tree is not whole. */
  static isChanging: bool = false;
  /** Changes whenever a name may have moved. */
  static generation: u32 = 0;
}

/** A place between two names: before the name `position` of a leaf. */
export class Place {
  static leaf: u32 = 0;
  static position: u32 = 0;
}

function leafAt(index: u32): usize {
  requires(index < Tree.leafCount);
  return <usize>load<u32>(Tree.leaves + (<usize>index << POINTER_SHIFT));
}

export function countOfLeaf(index: u32): u32 {
  return load<u32>(leafAt(index));
}

export function nameAt(leaf: u32, position: u32): u64 {
  requires(position < countOfLeaf(leaf));
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

/** Gives the leaves back, and not what their names hold. */
export function dropLeaves(): void {
  for (let leaf: u32 = 0; leaf < Tree.leafCount; leaf++) release(leafAt(leaf), LEAF_SHIFT);
  if (Tree.leaves != 0) release(Tree.leaves, Tree.leavesShift);
  Tree.leaves = 0;
  Tree.leafCount = 0;
}

function compareTo(ref: u64, key: usize, size: u32): i32 {
  requiresRange(key, size);
  loadKey(ref);
  return compare(RefKey.pointer, RefKey.size, key, size);
}

/** Whether every key is below `key`. The bounds of keyspaces mostly lie outside of all keys, whose first and last are in the cache. */
export function isAboveAll(key: usize, size: u32): bool {
  requiresRange(key, size);
  const last = Tree.leafCount - 1;
  return Tree.leafCount == 0 || compareTo(nameAt(last, countOfLeaf(last) - 1), key, size) < 0;
}

/** Whether no key is below `key`. */
export function isBelowAll(key: usize, size: u32): bool {
  requiresRange(key, size);
  return Tree.leafCount == 0 || compareTo(nameAt(0, 0), key, size) >= 0;
}

/** Finds the place of the first name whose key is not below `key`. O(log n) lookups. */
export function seek(key: usize, size: u32): void {
  requiresRange(key, size);
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
  ensures(compareTo(nameAt(leaf, low), key, size) >= 0);
  ensures(low == 0 || compareTo(nameAt(leaf, low - 1), key, size) < 0);
}

/** Makes room for one more leaf at `index`. */
function insertLeaf(index: u32, leaf: usize): bool {
  requires(index <= Tree.leafCount && Tree.leaves != 0);
  requiresBlock(leaf, 1 << LEAF_SHIFT);
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
  requires(countOfLeaf(index) == LEAF_CAPACITY && position <= LEAF_CAPACITY);
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

/** Takes the name of a key out, if it is there. Scans find their places anew. */
export function removeRef(key: usize, size: u32): void {
  requiresRange(key, size);
  seek(key, size);
  if (Place.leaf >= Tree.leafCount) return;
  const index = Place.leaf;
  const position = Place.position;
  const name = nameAt(index, position);
  if (compareTo(name, key, size) != 0) return;
  releaseRef(name);
  const leaf = leafAt(index);
  const count = load<u32>(leaf) - 1;
  const at = leaf + LEAF_HEADER + (<usize>position << 3);
  memory.copy(at, at + 8, <usize>(count - position) << 3);
  store<u32>(leaf, count);
  Tree.count--;
  Tree.generation++;
  if (count != 0) return;
  release(leaf, LEAF_SHIFT);
  Tree.leafCount--;
  const pointer = Tree.leaves + (<usize>index << POINTER_SHIFT);
  memory.copy(pointer, pointer + (1 << POINTER_SHIFT), <usize>(Tree.leafCount - index) << POINTER_SHIFT);
}

/** Whether the key that a name stands for is at the place that `seek` has found. */
function isAtPlace(key: usize, size: u32): bool {
  return Place.leaf < Tree.leafCount && compareTo(nameAt(Place.leaf, Place.position), key, size) == 0;
}

/** Puts a name in its place, unless its key is gone, or there already. False where memory is at its limit. */
export function insertRef(ref: u64): bool {
  const record = recordOf(ref);
  if (record == 0) return true;
  seek(keyOf(record), keySizeOf(record));
  if (isAtPlace(keyOf(record), keySizeOf(record))) return true;
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
  ensures(count < LEAF_CAPACITY && position <= count);
  return true;
}

function fillLeaf(leaf: usize, pairs: usize, count: u32): void {
  requires(count != 0 && count <= LEAF_FILL);
  requiresBlock(leaf, 1 << LEAF_SHIFT);
  requiresBlock(pairs, <usize>count << PAIR_SHIFT);
  store<u32>(leaf, count);
  for (let position: u32 = 0; position < count; position++) store<u64>(leaf + LEAF_HEADER + (<usize>position << 3), load<u64>(pairs + (<usize>position << PAIR_SHIFT), 8));
}

/** Lays sorted pairs out over new leaves, of which there must be none. False where memory is at its limit. */
export function layOut(pairs: usize, count: u32): bool {
  requires(count != 0 && Tree.leafCount == 0);
  requiresBlock(pairs, <usize>count << PAIR_SHIFT);
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
