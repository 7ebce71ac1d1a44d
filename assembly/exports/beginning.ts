/** The exports with which a store begins: windows, geometry, the first segment. */
import { createIndex } from '../index/directory';
import { seedKeyHash } from '../hash/keyhash';
import { Image } from '../image/chunk';
import { Store, buildHeader } from '../log/header';
import * as log from '../log/log';
import { Log } from '../log/log';
import { Geometry, addSegment, allocateSegmentBlock, setGeometry } from '../log/segment';
import { takeSlot } from '../log/slots';
import * as superblock from '../recovery/superblock';
import * as format from '../shared/format';
import * as layout from '../shared/layout';
import { STATUS_MEMORY_FULL, STATUS_OK } from '../shared/status';
import { Windows, reserveWindows } from '../memory/windows';
import { requires } from '../verify/contract';

/** Reserves the windows. Returns where keys for lookups go, or 0. Call once, first. */
export function createWindows(): usize {
  return reserveWindows() ? Windows.key : 0;
}

/** Where the first 8,192 bytes of the file go before `readSuperblocks`, and where `buildSuperblock` leaves what is to be written. */
export function superblockWindow(): usize {
  return Windows.superblocks;
}

export function readSuperblocks(): i32 {
  return superblock.readSuperblocks(Windows.superblocks);
}

/** Fixes the segment size, and takes 32 random bytes from the control block: a store id, for a new store, and entropy. */
export function init(segmentShift: u32, inMemory: bool, isNew: bool): void {
  requires(segmentShift >= <u32>format.SEGMENT_SIZE_SHIFT_MIN && segmentShift <= <u32>format.SEGMENT_SIZE_SHIFT_MAX);
  setGeometry(segmentShift, inMemory);
  if (isNew) {
    Store.idLow = load<u64>(layout.CONTROL_ENTROPY);
    Store.idHigh = load<u64>(layout.CONTROL_ENTROPY, 8);
  }
  Log.entropy = load<u64>(layout.CONTROL_ENTROPY, 16);
  Image.secretLow = load<u64>(layout.CONTROL_ENTROPY, 16);
  Image.secretHigh = load<u64>(layout.CONTROL_ENTROPY, 24);
  seedKeyHash(Image.secretLow, Image.secretHigh);
}

/** Makes the first segment of a new store, in slot 0; slot 1 is named as next and is ready. */
export function createStore(): i32 {
  requires(Geometry.segmentSize != 0 && Log.segment === null);
  const block = allocateSegmentBlock();
  if (block == 0 || !createIndex(0) || !log.keepReserve()) return STATUS_MEMORY_FULL;
  const segment = addSegment(1, block, Geometry.inMemory ? takeSlot() : 0);
  if (segment === null) return STATUS_MEMORY_FULL;
  segment.nextSlot = Geometry.inMemory ? takeSlot() : 1;
  const headerEnd = buildHeader(segment, null, 0, 0, 0, log.nextSalt());
  segment.end = headerEnd;
  Log.segment = segment;
  Log.output = segment;
  Log.tail = headerEnd;
  Log.pendingSize = headerEnd;
  if (Geometry.inMemory) Log.ceiling = (<u64>1 << format.WORD_FIELD_BITS) - 1;
  log.publishTail();
  return STATUS_OK;
}

export function buildSuperblock(ceiling: f64, isClean: bool): u32 {
  requires(ceiling >= 0);
  return superblock.buildSuperblock(Windows.superblocks, <u64>ceiling, isClean);
}

export function superblockDurable(): void {
  superblock.superblockDurable();
}
