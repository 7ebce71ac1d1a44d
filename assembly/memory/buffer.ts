/** A copy of some bytes, in a block of its own: its size, the exponent of the block, and the bytes. */
import { allocate, release } from './allocator';
import { allocateSmall, releaseSmall } from './small';

const SHIFT_AT: usize = 4;
const BYTES: usize = 8;
const SHIFT_MIN: u32 = 5;
const SMALL_SHIFT_LIMIT: u32 = 12;

/** Copies bytes, and a zero behind them where `isSuccessor`: the smallest key above the one that was copied. Returns 0 where memory is at its limit. */
export function makeBuffer(bytes: usize, size: u32, isSuccessor: bool): usize {
  const shift = max<u32>(SHIFT_MIN, 32 - <u32>clz<u32>(<u32>BYTES + size));
  const buffer = shift < SMALL_SHIFT_LIMIT ? allocateSmall(shift) : allocate(shift);
  if (buffer == 0) return 0;
  store<u32>(buffer, size + <u32>isSuccessor);
  store<u32>(buffer, shift, SHIFT_AT);
  memory.copy(buffer + BYTES, bytes, size);
  store<u8>(buffer + size, 0, BYTES);
  return buffer;
}

/** Gives a buffer back; 0 is none. */
export function freeBuffer(buffer: usize): void {
  if (buffer == 0) return;
  const shift = load<u32>(buffer, SHIFT_AT);
  if (shift < SMALL_SHIFT_LIMIT) releaseSmall(buffer, shift);
  else release(buffer, shift);
}

export function sizeOfBuffer(buffer: usize): u32 {
  return load<u32>(buffer);
}

export function bytesOfBuffer(buffer: usize): usize {
  return buffer + BYTES;
}
