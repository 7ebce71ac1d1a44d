/**
 * The superblock: which store this is, where the chain of segments is entered, how far the log was durable when it was written, and up to which version
 * numbers may have been shown. Two of them alternate by generation, and each holds its record twice.
 */
import { mix, xxh64 } from '../hash/xxh64';
import { Image } from '../image/chunk';
import { Log, tailAddress } from '../log/log';
import { Store } from '../log/header';
import { FIELD_MASK, Geometry, Segment, Segments, addressOf } from '../log/segment';
import { setNumber, setU32 } from '../memory/control';
import * as format from '../shared/format';
import * as layout from '../shared/layout';
import { STATUS_CORRUPT, STATUS_FORMAT_TOO_NEW, STATUS_NOT_VARVE, STATUS_OK } from '../shared/status';
import { ensures, requires, requiresBlock } from '../verify/contract';

/** What the newest superblock says. */
export class Superblock {
  static generation: u64 = 0;
  static versionCeiling: u64 = 0;
  static version: u64 = 0;
  static rootSequence: u64 = 0;
  static tail: u64 = 0;
  static isClean: bool = false;
  /** The image of the index that recovery may begin with: 0 where there is none. */
  static imageId: u64 = 0;
  static imageSlot: u32 = 0;
  static imageCount: u32 = 0;
}

function hashOf(record: usize, index: u32): u64 {
  requires(index < 2);
  requiresBlock(record, format.SUPERBLOCK_RECORD_SIZE);
  return xxh64(record, format.SUPERBLOCK_HASH, mix(format.SEED_SUPERBLOCK, index));
}

function hasMagic(record: usize): bool {
  requiresBlock(record, format.SUPERBLOCK_RECORD_SIZE);
  return load<u32>(record) == format.SUPERBLOCK_MAGIC_LOW && load<u32>(record, 4) == format.SUPERBLOCK_MAGIC_HIGH;
}

function isIntact(record: usize, index: u32): bool {
  return hasMagic(record) && load<u64>(record, format.SUPERBLOCK_HASH) == hashOf(record, index);
}

/**
 * Reads both superblocks, which stand at `blocks`. The control block then has segment size, root and flags. Its layout up to the hash is the same in every
 * format version, so that a newer one is known for what it is.
 */
export function readSuperblocks(blocks: usize): i32 {
  requiresBlock(blocks, 2 * format.SUPERBLOCK_SIZE);
  let best: usize = 0;
  let found = false;
  let newest: u32 = 0;
  for (let copy: u32 = 0; copy < 4; copy++) {
    const record = blocks + <usize>copy * format.SUPERBLOCK_COPY_STRIDE;
    if (hasMagic(record)) found = true;
    if (!isIntact(record, copy >> 1)) continue;
    newest = max<u32>(newest, load<u32>(record, format.SUPERBLOCK_FORMAT_VERSION));
    // By their difference, so that the generation after the last, which is 0, is the newer one.
    if (best == 0 || <i64>(load<u64>(record, format.SUPERBLOCK_GENERATION) - load<u64>(best, format.SUPERBLOCK_GENERATION)) > 0) best = record;
  }
  setU32(layout.CONTROL_FORMAT_VERSION, newest);
  if (best == 0) return found ? STATUS_CORRUPT : STATUS_NOT_VARVE;
  if (newest > <u32>format.FORMAT_VERSION) return STATUS_FORMAT_TOO_NEW;
  const shift = load<u32>(best, format.SUPERBLOCK_SEGMENT_SIZE_SHIFT);
  if (newest == 0 || shift < <u32>format.SEGMENT_SIZE_SHIFT_MIN || shift > <u32>format.SEGMENT_SIZE_SHIFT_MAX) return STATUS_CORRUPT;
  if (max<u64>(load<u64>(best, format.SUPERBLOCK_VERSION_CEILING), load<u64>(best, format.SUPERBLOCK_VERSION)) > FIELD_MASK) return STATUS_CORRUPT;
  Superblock.generation = load<u64>(best, format.SUPERBLOCK_GENERATION);
  Superblock.versionCeiling = load<u64>(best, format.SUPERBLOCK_VERSION_CEILING);
  Superblock.version = load<u64>(best, format.SUPERBLOCK_VERSION);
  Superblock.rootSequence = load<u64>(best, format.SUPERBLOCK_ROOT_SEQUENCE);
  Superblock.tail = load<u64>(best, format.SUPERBLOCK_TAIL);
  Superblock.isClean = (load<u32>(best, format.SUPERBLOCK_FLAGS) & format.SUPERBLOCK_FLAG_CLEAN) != 0;
  Store.idLow = load<u64>(best, format.SUPERBLOCK_STORE_ID_LOW);
  Store.idHigh = load<u64>(best, format.SUPERBLOCK_STORE_ID_HIGH);
  setU32(layout.CONTROL_SEGMENT_SIZE_SHIFT, shift);
  setU32(layout.CONTROL_ROOT_SLOT, load<u32>(best, format.SUPERBLOCK_ROOT_SLOT));
  setU32(layout.CONTROL_FLAGS, load<u32>(best, format.SUPERBLOCK_FLAGS));
  setNumber(layout.CONTROL_SEQUENCE, Superblock.rootSequence);
  nameImage(load<u64>(best, format.SUPERBLOCK_IMAGE_ID), load<u32>(best, format.SUPERBLOCK_IMAGE_SLOT), load<u32>(best, format.SUPERBLOCK_IMAGE_COUNT));
  return STATUS_OK;
}

/** Says which image the next superblock names: one whose slots are durable, or none, with an identity of 0. */
export function nameImage(id: u64, slot: u32, count: u32): void {
  requires(id == 0 || count != 0);
  Superblock.imageId = id;
  Superblock.imageSlot = slot;
  Superblock.imageCount = id == 0 ? 0 : count;
  Image.id = id;
  setU32(layout.CONTROL_IMAGE_SLOT, slot);
  setU32(layout.CONTROL_IMAGE_COUNT, Superblock.imageCount);
}

/** The newest segment whose header is durable: where the next superblock enters the chain. Of a commit over several segments, none may be. */
export function durableRoot(): Segment {
  let segment = Segments.last!;
  while (segment.previous !== null && addressOf(segment.sequence, segment.headerEnd) > Log.seal) segment = segment.previous!;
  return segment;
}

/** What a superblock says of a store, as it is about to be written. */
export class Saying {
  static idLow: u64 = 0;
  static idHigh: u64 = 0;
  static ceiling: u64 = 0;
  static version: u64 = 0;
  static rootSequence: u64 = 0;
  static rootSlot: u32 = 0;
  static tail: u64 = 0;
  static isClean: bool = false;
  /** The image of the index; all 0 where there is none. */
  static imageId: u64 = 0;
  static imageSlot: u32 = 0;
  static imageCount: u32 = 0;
}

/** Writes a superblock that says what `Saying` has, both copies of it, as 4,096 bytes at `block`. */
export function writeSuperblock(block: usize, generation: u64): void {
  requiresBlock(block, format.SUPERBLOCK_SIZE);
  requires(Saying.ceiling >= Saying.version && Saying.rootSequence != 0);
  const index = <u32>(generation & 1);
  memory.fill(block, 0, format.SUPERBLOCK_SIZE);
  for (let copy: u32 = 0; copy < 2; copy++) {
    const record = block + <usize>copy * format.SUPERBLOCK_COPY_STRIDE;
    store<u32>(record, format.SUPERBLOCK_MAGIC_LOW);
    store<u32>(record, format.SUPERBLOCK_MAGIC_HIGH, 4);
    store<u32>(record, format.FORMAT_VERSION, format.SUPERBLOCK_FORMAT_VERSION);
    store<u32>(record, Geometry.segmentShift, format.SUPERBLOCK_SEGMENT_SIZE_SHIFT);
    store<u64>(record, Saying.idLow, format.SUPERBLOCK_STORE_ID_LOW);
    store<u64>(record, Saying.idHigh, format.SUPERBLOCK_STORE_ID_HIGH);
    store<u64>(record, generation, format.SUPERBLOCK_GENERATION);
    store<u64>(record, Saying.ceiling, format.SUPERBLOCK_VERSION_CEILING);
    store<u64>(record, Saying.rootSequence, format.SUPERBLOCK_ROOT_SEQUENCE);
    store<u64>(record, Saying.tail, format.SUPERBLOCK_TAIL);
    store<u64>(record, Saying.version, format.SUPERBLOCK_VERSION);
    store<u32>(record, Saying.rootSlot, format.SUPERBLOCK_ROOT_SLOT);
    store<u32>(record, Saying.isClean ? format.SUPERBLOCK_FLAG_CLEAN : 0, format.SUPERBLOCK_FLAGS);
    store<u64>(record, Saying.imageId, format.SUPERBLOCK_IMAGE_ID);
    store<u32>(record, Saying.imageSlot, format.SUPERBLOCK_IMAGE_SLOT);
    store<u32>(record, Saying.imageCount, format.SUPERBLOCK_IMAGE_COUNT);
    store<u64>(record, hashOf(record, index), format.SUPERBLOCK_HASH);
  }
  ensures(isIntact(block, index) && isIntact(block + format.SUPERBLOCK_COPY_STRIDE, index));
}

/**
 * Writes the next superblock, 4,096 bytes, at `block`. Returns its offset in the file. What it promises counts only once it is durable:
 * then call `superblockDurable`.
 */
export function buildSuperblock(block: usize, ceiling: u64, isClean: bool): u32 {
  requires(ceiling >= Log.version || isClean);
  requiresBlock(block, format.SUPERBLOCK_SIZE);
  const generation = Superblock.generation + 1;
  const root = durableRoot();
  Saying.idLow = Store.idLow;
  Saying.idHigh = Store.idHigh;
  Saying.ceiling = isClean ? Log.version : ceiling;
  Saying.version = Log.version;
  Saying.rootSequence = root.sequence;
  Saying.rootSlot = root.slot;
  Saying.tail = isClean ? tailAddress() : Log.seal;
  Saying.isClean = isClean;
  Saying.imageId = Superblock.imageId;
  Saying.imageSlot = Superblock.imageId == 0 ? 0 : Superblock.imageSlot;
  Saying.imageCount = Superblock.imageCount;
  writeSuperblock(block, generation);
  Superblock.generation = generation;
  Pending.rootSequence = root.sequence;
  Pending.ceiling = Saying.ceiling;
  return <u32>(generation & 1) * format.SUPERBLOCK_SIZE;
}

/** What the superblock that was built last promises, until it is durable. */
class Pending {
  static rootSequence: u64 = 0;
  static ceiling: u64 = 0;
}

export function superblockDurable(): void {
  Superblock.rootSequence = Pending.rootSequence;
  Superblock.versionCeiling = Pending.ceiling;
  Log.ceiling = Pending.ceiling;
}
