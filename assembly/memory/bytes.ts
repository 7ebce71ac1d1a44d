/** Comparisons of raw memory that need no more than loads. */
import { requires, requiresRange } from '../verify/contract';

/** Whether two ranges hold the same bytes. Reads nothing outside them. */
export function equal(left: usize, right: usize, size: u32): bool {
  requiresRange(left, size);
  requiresRange(right, size);
  let offset: u32 = 0;
  while (offset + 8 <= size) {
    if (load<u64>(left + offset) != load<u64>(right + offset)) return false;
    offset += 8;
  }
  // The last eight bytes again, rather than the rest one by one.
  if (size >= 8) return load<u64>(left + size - 8) == load<u64>(right + size - 8);
  while (offset < size) {
    if (load<u8>(left + offset) != load<u8>(right + offset)) return false;
    offset++;
  }
  return true;
}

/** The order of two ranges, byte by byte; where one begins the other, the shorter comes first. Negative, 0 or positive. */
export function compare(left: usize, leftSize: u32, right: usize, rightSize: u32): i32 {
  requiresRange(left, leftSize);
  requiresRange(right, rightSize);
  const size = min<u32>(leftSize, rightSize);
  const offset = equalSize(left, right, size);
  if (offset == size) return <i32>(leftSize > rightSize) - <i32>(leftSize < rightSize);
  return <i32>load<u8>(left + offset) - <i32>load<u8>(right + offset);
}

/** How many bytes two ranges of `size` bytes have in common at their beginning. */
export function equalSize(left: usize, right: usize, size: u32): u32 {
  requiresRange(left, size);
  requiresRange(right, size);
  let offset: u32 = 0;
  while (offset + 8 <= size) {
    const difference = load<u64>(left + offset) ^ load<u64>(right + offset);
    if (difference != 0) return offset + (<u32>ctz<u64>(difference) >> 3);
    offset += 8;
  }
  while (offset < size && load<u8>(left + offset) == load<u8>(right + offset)) offset++;
  return offset;
}

/** Copies whole words until `size` bytes are copied: up to seven more, for which both sides have room. */
export function copyWords(to: usize, from: usize, size: u32): void {
  requiresRange(to, alignUp(size));
  requiresRange(from, size);
  for (let offset: u32 = 0; offset < size; offset += 8) store<u64>(to + offset, load<u64>(from + offset));
}

/** Whether every byte of a range is zero; both ends are multiples of 8. */
export function isZero(begin: usize, end: usize): bool {
  requires(((begin | end) & 7) == 0);
  requires(begin <= end);
  for (let pointer = begin; pointer < end; pointer += 8) {
    if (load<u64>(pointer) != 0) return false;
  }
  return true;
}

export function alignUp(size: u32): u32 {
  requires(size <= 0xfffffff8);
  return (size + 7) & ~7;
}
