/**
 * Sorting names by their keys. Each stands in a pair with eight bytes of its key, its head: a radix sort over heads settles most of the order without touching a record again, and
 * runs with equal heads are sorted by the bytes behind. Least significant digit first, leaving out digits that all heads share; for a million decimal keys, some 50 ms of the 150 that making the tree takes.
 */
import { compare, equalSize } from '../memory/bytes';
import { RefKey, loadKey } from './ref';
import { ensures, requires, requiresBlock, requiresRange } from '../verify/contract';

export const PAIR_SHIFT: usize = 4;
const PAIR_REF: usize = 8;
const HEAD_SIZE: u32 = 8;
/** Up to so many pairs, comparing each with each is faster than eight passes. */
const FEW: u32 = 32;
/** Behind so many heads in common, keys are compared as a whole: somebody made them so. */
const LEVEL_MAX: u32 = 24;

/** For each digit, how often it has each value, and then where the next pair with that value goes. */
const TABLE_SIZE: usize = 256 * 4;
const DIGITS_SIZE: usize = 8 * TABLE_SIZE;
const offsets: usize = memory.data(8 * 256 * 4, 8);
/** Loops over pairs are calls of so many bytes of them: V8 goes on in optimized code only when a function is called anew, and the first scan of a process is the one that counts. */
const STRETCH_SIZE: usize = 1 << 14;

/** The eight bytes of a key from `depth` on, so that comparing them as numbers compares the keys; zeros stand for what is not there. */
export function headAt(key: usize, size: u32, depth: u32): u64 {
  requiresRange(key, size);
  if (depth + HEAD_SIZE <= size) return bswap<u64>(load<u64>(key + depth));
  if (depth >= size) return 0;
  if (size >= HEAD_SIZE) return bswap<u64>(load<u64>(key + size - HEAD_SIZE)) << (<u64>(depth + HEAD_SIZE - size) << 3);
  let head: u64 = 0;
  for (let offset = depth; offset < depth + HEAD_SIZE; offset++) head = (head << 8) | (offset < size ? <u64>load<u8>(key + offset) : 0);
  return head;
}

function pairAt(pairs: usize, index: u32): usize {
  requiresBlock(pairs, <usize>(index + 1) << PAIR_SHIFT);
  return pairs + (<usize>index << PAIR_SHIFT);
}

function refAt(pairs: usize, index: u32): u64 {
  return load<u64>(pairAt(pairs, index), PAIR_REF);
}

export function putPair(pairs: usize, index: u32, head: u64, ref: u64): void {
  store<u64>(pairAt(pairs, index), head);
  store<u64>(pairAt(pairs, index), ref, PAIR_REF);
}

function compareRefs(left: u64, right: u64): i32 {
  loadKey(left);
  const key = RefKey.pointer;
  const size = RefKey.size;
  loadKey(right);
  return compare(key, size, RefKey.pointer, RefKey.size);
}

/** Whether a pair with this head and name stands before the pair at `pair`. */
function isBefore(head: u64, ref: u64, pair: usize): bool {
  requiresBlock(pair, 1 << PAIR_SHIFT);
  const other = load<u64>(pair);
  return head == other ? compareRefs(ref, load<u64>(pair, PAIR_REF)) < 0 : head < other;
}

function insertionSort(pairs: usize, count: u32): void {
  requires(count <= FEW);
  for (let index: u32 = 1; index < count; index++) {
    const head = load<u64>(pairAt(pairs, index));
    const ref = refAt(pairs, index);
    let at = index;
    while (at != 0 && isBefore(head, ref, pairAt(pairs, at - 1))) {
      memory.copy(pairAt(pairs, at), pairAt(pairs, at - 1), 1 << PAIR_SHIFT);
      at--;
    }
    putPair(pairs, at, head, ref);
  }
}

/** Lets the pair at `root` of a heap of `count` pairs sink to its place. */
function sink(pairs: usize, root: u32, count: u32): void {
  requires(root < count);
  while (true) {
    let child = root * 2 + 1;
    if (child >= count) return;
    if (child + 1 < count && compareRefs(refAt(pairs, child), refAt(pairs, child + 1)) < 0) child++;
    if (compareRefs(refAt(pairs, root), refAt(pairs, child)) >= 0) return;
    swap(pairs, root, child);
    root = child;
  }
}

function swap(pairs: usize, left: u32, right: u32): void {
  requires(left != right);
  const head = load<u64>(pairAt(pairs, left));
  const ref = refAt(pairs, left);
  memory.copy(pairAt(pairs, left), pairAt(pairs, right), 1 << PAIR_SHIFT);
  putPair(pairs, right, head, ref);
}

/** Sorts by whole keys, in place, whatever the keys are (Williams, 1964). */
function heapSort(pairs: usize, count: u32): void {
  requires(count != 0);
  for (let root = count >> 1; root != 0; root--) sink(pairs, root - 1, count);
  for (let end = count - 1; end != 0; end--) {
    swap(pairs, 0, end);
    sink(pairs, 0, end);
  }
}

/** Counts, for each of the eight digits of heads, how often it has each value. */
function countDigits(pairs: usize, end: usize): void {
  requires(pairs < end && ((end - pairs) & 15) == 0);
  requiresBlock(pairs, end - pairs);
  for (let pair = pairs; pair < end; pair += 1 << PAIR_SHIFT) {
    let head = load<u64>(pair);
    for (let table = offsets; table < offsets + DIGITS_SIZE; table += TABLE_SIZE) {
      const at = table + (<usize>(head & 0xff) << 2);
      store<u32>(at, load<u32>(at) + 1);
      head >>= 8;
    }
  }
}

/** Moves pairs to where their digit puts them. */
function scatter(pairs: usize, end: usize, table: usize, shift: u64): void {
  requires(pairs < end && shift < 64);
  requiresBlock(pairs, end - pairs);
  for (let pair = pairs; pair < end; pair += 1 << PAIR_SHIFT) {
    const head = load<u64>(pair);
    const at = table + (<usize>(head >> shift & 0xff) << 2);
    const target = <usize>load<u32>(at);
    store<u64>(target, head);
    store<u64>(target, load<u64>(pair, PAIR_REF), PAIR_REF);
    store<u32>(at, <u32>target + (1 << PAIR_SHIFT));
  }
}

/** Sorts pairs by their heads. `scratch` has room for as many. */
function radixSort(pairs: usize, scratch: usize, count: u32): void {
  requires(count != 0 && pairs != scratch);
  requiresBlock(scratch, <usize>count << PAIR_SHIFT);
  memory.fill(offsets, 0, DIGITS_SIZE);
  const size = <usize>count << PAIR_SHIFT;
  for (let at: usize = 0; at < size; at += STRETCH_SIZE) countDigits(pairs + at, pairs + min<usize>(at + STRETCH_SIZE, size));
  let from = pairs;
  let to = scratch;
  for (let shift: u64 = 0; shift < 64; shift += 8) {
    const table = offsets + <usize>(shift >> 3) * TABLE_SIZE;
    // A digit that all heads share moves nothing.
    if (load<u32>(table + (<usize>(load<u64>(from) >> shift & 0xff) << 2)) == count) continue;
    let position = <u32>to;
    for (let at = table; at < table + TABLE_SIZE; at += 4) {
      const length = load<u32>(at) << PAIR_SHIFT;
      store<u32>(at, position);
      position += length;
    }
    for (let at: usize = 0; at < size; at += STRETCH_SIZE) scatter(from + at, from + min<usize>(at + STRETCH_SIZE, size), table, shift);
    const other = from;
    from = to;
    to = other;
  }
  if (from != pairs) memory.copy(pairs, from, size);
  ensures(load<u64>(pairs) <= load<u64>(pairAt(pairs, count - 1)));
}

/** Sorts pairs whose heads were all taken behind the same bytes of their keys. `scratch` has room for as many; `level` counts the heads in common before. */
export function sortPairs(pairs: usize, scratch: usize, count: u32, level: u32): void {
  requires(count == 0 || level <= LEVEL_MAX + 1);
  if (count <= FEW) {
    insertionSort(pairs, count);
    return;
  }
  radixSort(pairs, scratch, count);
  let begin: u32 = 0;
  while (begin < count) {
    const head = load<u64>(pairAt(pairs, begin));
    let end = begin + 1;
    while (end < count && load<u64>(pairAt(pairs, end)) == head) end++;
    if (end - begin > 1) untie(pairAt(pairs, begin), pairAt(scratch, begin), end - begin, level + 1);
    begin = end;
  }
}

/** Sorts pairs whose heads are equal: by what stands behind the bytes that all of their keys begin with. */
function untie(pairs: usize, scratch: usize, count: u32, level: u32): void {
  requires(count > 1);
  if (level > LEVEL_MAX) {
    heapSort(pairs, count);
    return;
  }
  loadKey(refAt(pairs, 0));
  const first = RefKey.pointer;
  let common = RefKey.size;
  for (let index: u32 = 1; index < count; index++) {
    loadKey(refAt(pairs, index));
    common = equalSize(first, RefKey.pointer, min<u32>(common, RefKey.size));
  }
  for (let index: u32 = 0; index < count; index++) {
    loadKey(refAt(pairs, index));
    store<u64>(pairAt(pairs, index), headAt(RefKey.pointer, RefKey.size, common));
  }
  sortPairs(pairs, scratch, count, level);
}
