/** Comparisons of raw memory that need no more than loads. */

/** Whether two ranges hold the same bytes. Reads nothing outside them. */
export function equal(left: usize, right: usize, size: u32): bool {
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

/** Whether every byte of a range is zero; both ends are multiples of 8. */
export function isZero(begin: usize, end: usize): bool {
  for (let pointer = begin; pointer < end; pointer += 8) {
    if (load<u64>(pointer) != 0) return false;
  }
  return true;
}

export function alignUp(size: u32): u32 {
  return (size + 7) & ~7;
}
