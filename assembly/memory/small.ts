/**
 * Blocks smaller than those of the allocator: powers of two from 32 bytes to 2 KiB, carved from blocks of 4 KiB and recycled through one free list a size. What was carved
 * stays carved: small blocks are never joined again.
 */
import { allocate, release } from './allocator';
import { ensures, requires, requiresBlock } from '../verify/contract';

const SHIFT_MIN: u32 = 5;
const PAGE_SHIFT: u32 = 12;
const heads: usize = memory.data(12 * 4, 8);

function push(block: usize, shift: u32): void {
  requires(shift >= SHIFT_MIN && shift < PAGE_SHIFT);
  requires((block & ((<usize>1 << shift) - 1)) == 0);
  requiresBlock(block, <usize>1 << shift);
  store<u32>(block, load<u32>(heads + (<usize>shift << 2)));
  store<u32>(heads + (<usize>shift << 2), <u32>block);
}

/** A block of `1 << shift` bytes with whatever its last owner left in it, or 0 where memory is at its limit. */
export function allocateSmall(shift: u32): usize {
  assert(shift >= SHIFT_MIN && shift < PAGE_SHIFT);
  const head = heads + (<usize>shift << 2);
  if (load<u32>(head) == 0) {
    const page = allocate(PAGE_SHIFT);
    if (page == 0) return 0;
    for (let block = page; block < page + (1 << PAGE_SHIFT); block += <usize>1 << shift) push(block, shift);
  }
  const block = <usize>load<u32>(head);
  store<u32>(head, load<u32>(block));
  ensures(block != 0 && (block & ((<usize>1 << shift) - 1)) == 0);
  return block;
}

/** The exponent of the smallest block that holds `size` bytes. */
export function exponentFor(size: u32): u32 {
  requires(size != 0);
  return max<u32>(SHIFT_MIN, 32 - <u32>clz<u32>(size - 1));
}

/** A block of any exponent from that of 32 bytes on, or 0. */
export function takeBlock(shift: u32): usize {
  requires(shift >= SHIFT_MIN);
  return shift < PAGE_SHIFT ? allocateSmall(shift) : allocate(shift);
}

/** Gives a block back that came from `takeBlock` with the same `shift`. */
export function giveBlock(block: usize, shift: u32): void {
  requires(shift >= SHIFT_MIN && block != 0);
  if (shift < PAGE_SHIFT) releaseSmall(block, shift);
  else release(block, shift);
}

/** Gives a block back that came from `allocateSmall` with the same `shift`. */
export function releaseSmall(block: usize, shift: u32): void {
  push(block, shift);
}
