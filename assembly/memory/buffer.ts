/** A copy of some bytes, in a block of its own: its size, the exponent of the block, and the bytes. */
import { compare } from './bytes';
import { exponentFor, giveBlock, takeBlock } from './small';
import { requiresBlock, requiresRange } from '../verify/contract';

const SHIFT_AT: usize = 4;
const BYTES: usize = 8;

/** Copies bytes, and a zero behind them where `isSuccessor`: the smallest key above the one that was copied. Returns 0 where memory is at its limit. */
export function makeBuffer(bytes: usize, size: u32, isSuccessor: bool): usize {
  requiresRange(bytes, size);
  const shift = exponentFor(<u32>BYTES + size + 1);
  const buffer = takeBlock(shift);
  if (buffer == 0) return 0;
  store<u32>(buffer, size + <u32>isSuccessor);
  store<u32>(buffer, shift, SHIFT_AT);
  memory.copy(buffer + BYTES, bytes, size);
  store<u8>(buffer + size, 0, BYTES);
  return buffer;
}

/** Gives a buffer back; 0 is none. */
export function freeBuffer(buffer: usize): void {
  if (buffer != 0) giveBlock(buffer, load<u32>(buffer, SHIFT_AT));
}

export function sizeOfBuffer(buffer: usize): u32 {
  requiresBlock(buffer, BYTES);
  return load<u32>(buffer);
}

export function bytesOfBuffer(buffer: usize): usize {
  requiresBlock(buffer, BYTES);
  return buffer + BYTES;
}

/** Whether a key lies between two bounds, the second exclusive, each a buffer or 0 for none. */
export function isWithin(key: usize, size: u32, low: usize, high: usize): bool {
  requiresRange(key, size);
  if (low != 0 && compare(key, size, bytesOfBuffer(low), sizeOfBuffer(low)) < 0) return false;
  return high == 0 || compare(key, size, bytesOfBuffer(high), sizeOfBuffer(high)) < 0;
}
