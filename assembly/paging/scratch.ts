/**
 * Where records of cold segments are read to that nobody is likely to want again: a block that is used anew by each operation, so that it stays in the processor's cache. A record gets a place in
 * the record cache when it is asked for the second time within a while (Einziger, Friedman, Manes, 2017, call it a doorkeeper): a walk over everything then does not drive out what is in demand.
 */
import { Geometry, allocateSegmentBlock } from '../log/segment';
import { allocate } from '../memory/allocator';
import { Room } from './room';
import { requires, requiresAddress } from '../verify/contract';

/** Bytes behind a record that whoever reads it by words, or touches it ahead, may read too. */
export const SLACK: u32 = 144;
/** The bits that remember what was asked for, and how many are set before all are forgotten. */
const SEEN_SHIFT: u32 = 16;
const SEEN_COUNT_MAX: u32 = 1 << 17;
const SPREAD: u64 = 0x9e3779b97f4a7c15;

class Scratch {
  static block: usize = 0;
  static used: u32 = 0;
}

class Seen {
  static bits: usize = 0;
  static count: u32 = 0;
  /** Whether every record is to be kept, because pointers to it outlast the operation. */
  static isOff: bool = false;
}

/** From now on every record gets a place in the cache, or no longer. */
export function keepAll(isKept: bool): void {
  Seen.isOff = isKept;
}

/** Whether the record at an address was asked for a while ago; from now on it was. */
export function wasSeen(address: u64): bool {
  requiresAddress(address);
  if (Seen.isOff) return true;
  if (Seen.bits == 0) {
    Seen.bits = allocate(SEEN_SHIFT);
    if (Seen.bits == 0) return true;
    memory.fill(Seen.bits, 0, 1 << SEEN_SHIFT);
  }
  const number = <usize>((address * SPREAD) >> (64 - SEEN_SHIFT - 3));
  const at = Seen.bits + (number >> 3);
  const bit: u8 = 1 << <u8>(number & 7);
  if ((load<u8>(at) & bit) != 0) return true;
  if (++Seen.count == SEEN_COUNT_MAX) {
    memory.fill(Seen.bits, 0, 1 << SEEN_SHIFT);
    Seen.count = 1;
  }
  store<u8>(at, load<u8>(at) | bit);
  return false;
}

/** Where a record of up to `size` bytes may be read to, for this operation; 0 where there is no room left. The next one goes to the same place, unless `holdScratch` is called. */
export function roomInScratch(size: u32): usize {
  requires((size & 7) == 0);
  if (Scratch.block == 0) Scratch.block = allocateSegmentBlock();
  return Scratch.block == 0 || Scratch.used + size + SLACK > Geometry.segmentSize ? 0 : Scratch.block + Scratch.used;
}

/** Keeps a record of `size` bytes that was read to where `roomInScratch` has said, up to the end of the operation. */
export function holdScratch(size: u32): void {
  requires(Scratch.used + size + SLACK <= Geometry.segmentSize);
  Scratch.used += size;
  // So that somebody comes by when the operation has ended.
  Room.isPressed = true;
}

/** At the end of an operation. */
export function clearScratch(): void {
  Scratch.used = 0;
  Seen.isOff = false;
}
