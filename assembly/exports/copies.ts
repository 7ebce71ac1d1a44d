/** The exports with which a store is copied. A copy is a number for the facade: where it stands. */
import { Copy, closeCopy as close, openCopy as begin, restartCopy as restart, stepCopy as step } from '../copy/copy';
import { xxh64 } from '../hash/xxh64';
import { Geometry, addressOf } from '../log/segment';
import { setU32 } from '../memory/control';
import { Windows } from '../memory/windows';
import { Saying, writeSuperblock } from '../recovery/superblock';
import * as format from '../shared/format';
import * as layout from '../shared/layout';
import { requires, requiresBlock } from '../verify/contract';
import { isEverythingKept } from '../versions/history';
import { Pins } from '../versions/pins';

/** The first segment of a copy that does not have every version that there ever was: a log that begins with number 1 says that it does. */
const FIRST_SEQUENCE: u64 = 2;
const COPY_SIZE: usize = 512;

/**
 * Begins a copy of the store as a pinned version and a clock show it, with the versions that the history keeps or without. Takes 32 random bytes from the control block: the identity of
 * the copy, and entropy. Returns 0 where memory is at its limit. O(segments).
 */
export function openCopy(version: f64, clock: f64, hasHistory: bool): usize {
  requires(version >= 0);
  const copy = begin(<u64>version, <u64>clock, hasHistory);
  if (copy === null) return 0;
  const target = copy.target;
  target.idLow = load<u64>(layout.CONTROL_ENTROPY);
  target.idHigh = load<u64>(layout.CONTROL_ENTROPY, 8);
  target.entropy = load<u64>(layout.CONTROL_ENTROPY, 16);
  target.sequence = hasHistory && isEverythingKept() && Pins.floor == 0 ? 1 : FIRST_SEQUENCE;
  return changetype<usize>(copy);
}

/** Goes on with a copy, for as much work as looking at `work` records. Returns what the step has ended with, and shows a segment that is ready as an output, or a status. */
export function stepCopy(copy: usize, work: i32): i32 {
  requiresBlock(copy, COPY_SIZE);
  const result = step(changetype<Copy>(copy), work);
  setU32(layout.CONTROL_OUTPUT_POINTER, <u32>changetype<Copy>(copy).target.block);
  setU32(layout.CONTROL_OUTPUT_SIZE, Geometry.segmentSize);
  return result;
}

/**
 * Writes both superblocks of a copy, 8,192 bytes, into their window. They say where the log begins, and up to which version it may go, which is known from the start; once the copy has
 * ended, the first says where its log does.
 */
export function copySuperblocks(copy: usize, hasEnded: bool): void {
  requiresBlock(copy, COPY_SIZE);
  const target = changetype<Copy>(copy).target;
  memory.fill(Windows.superblocks, 0, 2 * format.SUPERBLOCK_SIZE);
  Saying.idLow = target.idLow;
  Saying.idHigh = target.idHigh;
  Saying.ceiling = target.version;
  Saying.version = target.version;
  Saying.rootSequence = target.sequence - target.slot;
  Saying.rootSlot = 0;
  Saying.tail = target.promised;
  Saying.isClean = false;
  writeSuperblock(Windows.superblocks + format.SUPERBLOCK_SIZE, 1);
  if (hasEnded) {
    Saying.rootSequence = target.sequence;
    Saying.rootSlot = target.slot;
    Saying.tail = addressOf(target.sequence, target.tail);
    Saying.isClean = true;
  }
  writeSuperblock(Windows.superblocks, 2);
}

/** Begins a copy that has ended anew: its superblocks can then say from the start how long its log is. */
export function restartCopy(copy: usize): void {
  requiresBlock(copy, COPY_SIZE);
  restart(changetype<Copy>(copy));
}

/** Takes a segment of a copy that was read back from where it was written to, in order. */
export function readCopyBack(copy: usize, block: usize): void {
  requiresBlock(copy, COPY_SIZE);
  requiresBlock(block, Geometry.segmentSize);
  const read = changetype<Copy>(copy);
  read.readHash = xxh64(block, Geometry.segmentSize, read.readHash);
}

/** Whether what was read back is what was laid out. */
export function isCopyTrue(copy: usize): bool {
  requiresBlock(copy, COPY_SIZE);
  const read = changetype<Copy>(copy);
  return read.readHash == read.target.hash;
}

/** Ends a copy, whether it is whole or not. */
export function closeCopy(copy: usize): void {
  requiresBlock(copy, COPY_SIZE);
  close(changetype<Copy>(copy));
}
