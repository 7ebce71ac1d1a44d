/**
 * Commits of many keys: records are staged at the tail, across as many segments as they need, and shown all at once, or taken back as
 * if they had never been. A value in parts is a batch too.
 */
import { hashKey } from '../hash/keyhash';
import { find, slotAddress } from '../index/directory';
import { bodySizeOf } from '../log/frame';
import { relist } from '../log/header';
import { Log, appendRecord, blockOf, makeRoom, publishTail, recordOffset } from '../log/log';
import { keyOffset, recordSize, sealRecord, sizeOf } from '../log/record';
import { Geometry, Segment, abandonSegment, addressOf, detachBlock, removeSegment } from '../log/segment';
import { Slots, untakeSlot } from '../log/slots';
import { allocate, release, shiftFor } from '../memory/allocator';
import { relieve } from '../paging/evict';
import { beginChange, endChange } from '../paging/host';
import * as format from '../shared/format';
import { STATUS_MEMORY_FULL, STATUS_NEED_CEILING, STATUS_OK } from '../shared/status';
import { pay } from '../compaction/step';
import { Space, collect } from '../space/live';
import { reserveParts } from '../space/parts';
import { History, sweep } from '../versions/history';
import { Pins, reap } from '../versions/pins';
import { Clock, isVisible } from '../versions/visible';
import { applyStaged, isHidden, revert, tidyKey } from './apply';
import { ensures, requires, requiresRange } from '../verify/contract';

/** A filter of the keys that the batch puts: one bit each. */
const FILTER_SIZE: usize = 512;
const filter: usize = memory.data(512, 8);

/** Where the batch began: what a rollback restores. */
class Batch {
  static segment: Segment | null = null;
  static frame: u32 = 0;
  static tail: u32 = 0;
  static recordCount: u32 = 0;
  static pendingSize: u32 = 0;
  static lastHash: u64 = 0;
  static end: u32 = 0;
  static isNextReady: bool = false;
  static isEnded: bool = false;
  static hadReserve: bool = false;
  static hadMoved: bool = false;
  /** Since when every version is kept. */
  static floor: u64 = 0;
  /** Records staged in the open frame, and in all. */
  static stagedInFrame: u32 = 0;
  static staged: u32 = 0;
  /** The addresses of the parts of the value being staged, behind its total size. */
  static parts: usize = 0;
  static partsShift: u32 = 0;
  static partCount: u32 = 0;
  /** Parts staged in all: what the table of parts must have room for. */
  static partsStaged: u32 = 0;
}

/** Begins a batch. Nothing is visible before `commitBatch`, and nothing may be handed to the device before it. */
export function beginBatch(): i32 {
  requires(Log.segment !== null);
  if (Log.version >= Log.ceiling) return STATUS_NEED_CEILING;
  const segment = Log.segment!;
  Batch.segment = segment;
  Batch.frame = Log.frame;
  Batch.tail = Log.tail;
  Batch.recordCount = Log.recordCount;
  Batch.pendingSize = Log.pendingSize;
  Batch.lastHash = segment.lastHash;
  Batch.end = segment.end;
  Batch.isNextReady = Slots.isNextReady;
  Batch.isEnded = segment.isEnded;
  Batch.hadReserve = Log.reserveBlock != 0;
  Batch.hadMoved = Log.hasMoved;
  Batch.floor = Pins.floor;
  Batch.stagedInFrame = 0;
  Batch.staged = 0;
  Batch.partCount = 0;
  Batch.partsStaged = 0;
  memory.fill(filter, 0, FILTER_SIZE);
  Space.isHeld = true;
  return STATUS_OK;
}

/**
 * Makes room for a staged record of `size` bytes of key and value, going on to another segment where it must. A record must follow, or `abortBatch`: what was
 * staged before it is pending until a frame behind it completes the commit.
 */
export function makeBatchRoom(size: u32, reserved: bool): i32 {
  requires(Batch.segment !== null && Batch.stagedInFrame <= Batch.staged);
  const before = Log.segment;
  const status = makeRoom(size, Batch.stagedInFrame, reserved);
  if (Log.segment !== before) Batch.stagedInFrame = 0;
  return status;
}

function append(flags: u32, keySize: u32, valueSize: u32, link: u64): void {
  requires(recordOffset() + recordSize(flags, keySize, valueSize) <= Geometry.segmentSize);
  const segment = Log.segment!;
  const offset = recordOffset();
  const size = sealRecord(blockOf(segment) + offset, flags, keySize, valueSize, Log.version + 1, link, segment.seed, offset);
  appendRecord(size);
  Batch.stagedInFrame++;
  Batch.staged++;
  publishTail();
}

/** Where in the filter of staged keys a hash stands. */
function filterByte(hash: u64): usize {
  return filter + (<usize>(hash >> 40) & (FILTER_SIZE - 1));
}

function filterBit(hash: u64): u8 {
  return 1 << <u8>(hash >> 61);
}

/**
 * Whether a delete of a key has anything to delete, in the store or among what the batch has staged. The answer may be yes for a key that is in neither; its
 * tombstone then does no harm.
 */
export function hasToDelete(key: usize, keySize: u32): bool {
  requiresRange(key, keySize);
  const hash = hashKey(key, keySize);
  const existing = find(key, keySize, hash);
  return (existing != 0 && isVisible(existing, Clock.now)) || (load<u8>(filterByte(hash)) & filterBit(hash)) != 0;
}

/** Stages the key and value that stand at the tail. */
export function stageRecord(keySize: u32, valueSize: u32, flags: u32): void {
  requires(keySize != 0);
  const key = blockOf(Log.segment) + recordOffset() + keyOffset(flags);
  const hash = hashKey(key, keySize);
  const existing = find(key, keySize, hash);
  const at = filterByte(hash);
  store<u8>(at, load<u8>(at) | filterBit(hash));
  append(flags, keySize, valueSize, existing == 0 ? 0 : slotAddress());
}

/** Stages the bytes at the tail as the next part of a large value. */
export function stagePart(size: u32): i32 {
  requires(size != 0);
  const needed = (Batch.partCount + 2) << 3;
  if (Batch.parts == 0 || needed > <u32>1 << Batch.partsShift) {
    const shift = shiftFor(needed);
    const parts = allocate(shift);
    if (parts == 0) return STATUS_MEMORY_FULL;
    if (Batch.parts != 0) {
      memory.copy(parts, Batch.parts, <usize>1 << Batch.partsShift);
      release(Batch.parts, Batch.partsShift);
    }
    Batch.parts = parts;
    Batch.partsShift = shift;
  }
  if (!reserveParts(++Batch.partsStaged)) return STATUS_MEMORY_FULL;
  if (Batch.partCount == 0) store<u64>(Batch.parts, 0);
  store<u64>(Batch.parts, load<u64>(Batch.parts) + size);
  store<u64>(Batch.parts + 8 + (<usize>Batch.partCount << 3), addressOf(Log.segment!.sequence, recordOffset()));
  Batch.partCount++;
  append(format.RECORD_FLAG_PART, 0, size, 0);
  return STATUS_OK;
}

/** The size of the list of the parts that were staged: the value of the record that `stageLarge` makes. */
export function partListSize(): u32 {
  return (Batch.partCount + 1) << 3;
}

/** Stages the record of a large value, whose key stands at the tail and whose parts were staged before. */
export function stageLarge(keySize: u32, flags: u32): void {
  requires(keySize != 0 && Batch.partCount != 0);
  const list = blockOf(Log.segment) + recordOffset() + keyOffset(flags) + keySize;
  memory.copy(list, Batch.parts, partListSize());
  stageRecord(keySize, partListSize(), flags | format.RECORD_FLAG_LARGE);
  Batch.partCount = 0;
}

/** A walk over the records of the batch, in order. */
class Walk {
  static segment: Segment | null = null;
  static offset: u32 = 0;
  static bodyEnd: u32 = 0;
  static remaining: u32 = 0;
}

function bodyEndOf(segment: Segment, frame: u32): u32 {
  requires(frame >= segment.headerEnd && frame < Geometry.segmentSize);
  if (segment === Log.segment && Log.frame != 0) return Log.tail;
  return frame + format.FRAME_HEAD_SIZE + bodySizeOf(<usize>segment.block + frame);
}

function startWalk(count: u32): void {
  requires(count <= Batch.staged && Batch.segment !== null);
  Walk.segment = Batch.segment;
  Walk.offset = Batch.frame == 0 ? Batch.tail + format.FRAME_HEAD_SIZE : Batch.tail;
  Walk.remaining = count;
  Walk.bodyEnd = count == 0 ? 0 : bodyEndOf(Batch.segment!, Batch.frame == 0 ? Batch.tail : Batch.frame);
}

/** The offset of the next record in `Walk.segment`, or 0 at the end. */
function nextStaged(): u32 {
  if (Walk.remaining == 0) return 0;
  while (Walk.offset >= Walk.bodyEnd) {
    const segment = Walk.segment!.next!;
    Walk.segment = segment;
    Walk.offset = segment.headerEnd + format.FRAME_HEAD_SIZE;
    Walk.bodyEnd = bodyEndOf(segment, segment.headerEnd);
  }
  const offset = Walk.offset;
  Walk.offset += sizeOf(<usize>Walk.segment!.block + offset);
  Walk.remaining--;
  return offset;
}

/**
 * Shows all that was staged, as one version. Returns it, 0 when nothing was staged, or a status with everything taken back.
 */
export function commitBatch(): f64 {
  if (Batch.staged == 0) {
    abortBatch();
    return 0;
  }
  let applied: u32 = 0;
  beginChange();
  startWalk(Batch.staged);
  for (let offset = nextStaged(); offset != 0; offset = nextStaged()) {
    const record = <usize>Walk.segment!.block + offset;
    if (!isHidden(record) && !applyStaged(record, addressOf(Walk.segment!.sequence, offset))) {
      takeBack(applied);
      endChange();
      abortBatch();
      return STATUS_MEMORY_FULL;
    }
    applied++;
    // What the batch has staged is not in the file yet, so it stays; what its records have superseded need not.
    relieve();
  }
  Log.version++;
  Space.isHeld = false;
  if (Pins.released != 0) reap(1);
  if (History.isKept) tidyBatch();
  collect(false);
  endChange();
  publishTail();
  pay(Batch.staged);
  return <f64>Log.version;
}

/** What the batch leaves to be done: the history goes no further than its limits. */
function tidyBatch(): void {
  startWalk(Batch.staged);
  for (let offset = nextStaged(); offset != 0; offset = nextStaged()) {
    const record = <usize>Walk.segment!.block + offset;
    if (!isHidden(record)) tidyKey(record);
    sweep();
    relieve();
  }
}

function takeBack(count: u32): void {
  requires(count <= Batch.staged);
  const begin = addressOf(Batch.segment!.sequence, Batch.frame == 0 ? Batch.tail : Batch.frame);
  startWalk(count);
  for (let offset = nextStaged(); offset != 0; offset = nextStaged()) {
    const record = <usize>Walk.segment!.block + offset;
    if (!isHidden(record)) revert(record, begin);
    relieve();
  }
  Pins.floor = Batch.floor;
}

/** Takes everything back that was staged since `beginBatch`: segments, slots, frame and tail are as they were. */
export function abortBatch(): void {
  requires(Batch.segment !== null);
  const first = Batch.segment!;
  while (Log.segment !== first) {
    const segment = Log.segment!;
    relist(segment.sequence);
    const isBack = untakeSlot(segment.nextSlot);
    Log.segment = segment.previous;
    if (Batch.hadReserve && Log.reserveBlock == 0) Log.reserveBlock = detachBlock(segment);
    if (isBack) removeSegment(segment);
    else abandonSegment(segment);
  }
  Slots.isNextReady = Batch.isNextReady;
  Log.frame = Batch.frame;
  Log.tail = Batch.tail;
  Log.recordCount = Batch.recordCount;
  Log.pendingSize = Batch.pendingSize;
  first.lastHash = Batch.lastHash;
  first.end = Batch.end;
  if (first.end == first.headerEnd) first.firstVersion = <u64>-1;
  first.isEnded = Batch.isEnded;
  Log.hasMoved = Batch.hadMoved;
  Batch.staged = 0;
  Batch.partCount = 0;
  Space.isHeld = false;
  publishTail();
  ensures(Log.segment === Batch.segment && first.written <= first.end);
}
