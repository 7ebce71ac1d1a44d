/**
 * The exports of the core: everything that the facade may call. One instance is one store; its state is module-wide. Results that are more than a
 * number stand in the control block (`shared/layout.ts`).
 */
import { createIndex, indexSize } from './index/directory';
import { seedKeyHash } from './hash/keyhash';
import * as batch from './commit/batch';
import * as puts from './commit/put';
import { Store, adoptHeader, buildHeader, examineHeader, nextListed, startList, ListReader } from './log/header';
import * as log from './log/log';
import { Log } from './log/log';
import { valueOf, valueSizeOf } from './log/record';
import { Geometry, Segment, Segments, addSegment, addressOf, allocateSegmentBlock, dropBlock, offsetOf, resolve, sequenceOf, setGeometry } from './log/segment';
import { Slots, offerSlot, takeSlot } from './log/slots';
import { allocate, idleSize, release, shiftFor, touchedSize } from './memory/allocator';
import { setNumber, setU32 } from './memory/control';
import { scanLog, Scan } from './recovery/scan';
import { linkLog } from './recovery/link';
import { salvageNext as nextLoss, startSalvage as beginSalvage } from './recovery/salvage';
import * as superblock from './recovery/superblock';
import { Superblock } from './recovery/superblock';
import * as format from './shared/format';
import * as layout from './shared/layout';
import { MAX_KEY_SIZE } from './shared/limits';
import { STATUS_MEMORY_FULL, STATUS_OK } from './shared/status';
import { Space, collect, isRootInTheWay, takeFreedSlot } from './space/live';
import { Debug, assertHealthy, verifyAll, verifyBytes } from './verify/verify';

/** Room before a window, because the key hash may read a few bytes before a key. */
const WINDOW_MARGIN: usize = 8;

class Windows {
  static key: usize = 0;
  static superblocks: usize = 0;
}

// ── Beginning ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** Reserves the windows. Returns where keys for lookups go, or 0. Call once, first. */
export function createWindows(): usize {
  const window = allocate(shiftFor(MAX_KEY_SIZE + WINDOW_MARGIN));
  Windows.superblocks = allocate(shiftFor(2 * format.SUPERBLOCK_SIZE));
  if (window == 0 || Windows.superblocks == 0) return 0;
  Windows.key = window + WINDOW_MARGIN;
  return Windows.key;
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
  setGeometry(segmentShift, inMemory);
  if (isNew) {
    Store.idLow = load<u64>(layout.CONTROL_ENTROPY);
    Store.idHigh = load<u64>(layout.CONTROL_ENTROPY, 8);
  }
  Log.entropy = load<u64>(layout.CONTROL_ENTROPY, 16);
  seedKeyHash(load<u64>(layout.CONTROL_ENTROPY, 16), load<u64>(layout.CONTROL_ENTROPY, 24));
}

/** Makes the first segment of a new store, in slot 0; slot 1 is named as next and is ready. */
export function createStore(): i32 {
  const block = allocateSegmentBlock();
  if (block == 0 || !createIndex() || !log.keepReserve()) return STATUS_MEMORY_FULL;
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

// ── Keys ───────────────────────────────────────────────────────────────────────────────────────────────────────────

export function put(keySize: u32, valueSize: u32, kind: u32): f64 {
  const result = puts.put(keySize, valueSize, kind);
  assertHealthy();
  return result;
}

export function del(keySize: u32): f64 {
  const result = puts.del(keySize);
  assertHealthy();
  return result;
}

export function cas(keySize: u32, valueSize: u32, flags: u32, expected: f64): f64 {
  const result = puts.cas(keySize, valueSize, flags, expected);
  assertHealthy();
  return result;
}

/** Looks up the key in the key window. */
export function get(keySize: u32): i32 {
  return puts.get(Windows.key, keySize);
}

/** The number of parts of the large value that `get` found. */
export function partCount(): u32 {
  return (load<u32>(layout.CONTROL_VALUE_SIZE) >> 3) - 1;
}

/** The total size of the large value that `get` found. */
export function largeSize(): u32 {
  return load<u32>(load<u32>(layout.CONTROL_VALUE_POINTER));
}

/** Shows part `index` of the large value whose list stands at `list`: its size; where it stands is in the output fields. */
export function partAt(list: usize, index: u32): u32 {
  const part = resolve(load<u64>(list + 8 + (<usize>index << 3)));
  setU32(layout.CONTROL_OUTPUT_POINTER, <u32>valueOf(part));
  return valueSizeOf(part);
}

/** The room that the next record needs; `reserved` for deletes, which may use the last block. */
export function makeRoom(size: u32, reserved: bool): i32 {
  return log.makeRoom(size, 0, reserved);
}

/** The most bytes of key and value that one record holds; a larger value goes in parts. */
export function maxRecordRoom(): u32 {
  return log.roomOfSegment(Log.segment!.headerEnd);
}

// ── Batches ────────────────────────────────────────────────────────────────────────────────────────────────────────

export function beginBatch(): i32 {
  return batch.beginBatch();
}

export function makeBatchRoom(size: u32, reserved: bool): i32 {
  return batch.makeBatchRoom(size, reserved);
}

/** Whether a delete of the key in the key window has anything to delete. */
export function hasToDelete(keySize: u32): bool {
  return batch.hasToDelete(Windows.key, keySize);
}

export function stageRecord(keySize: u32, valueSize: u32, flags: u32): void {
  batch.stageRecord(keySize, valueSize, flags);
}

export function stagePart(size: u32): i32 {
  return batch.stagePart(size);
}

export function partListSize(): u32 {
  return batch.partListSize();
}

export function stageLarge(keySize: u32, kind: u32): void {
  batch.stageLarge(keySize, kind);
}

export function commitBatch(): f64 {
  const result = batch.commitBatch();
  assertHealthy();
  return result;
}

export function abortBatch(): void {
  batch.abortBatch();
  assertHealthy();
}

// ── Output ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Closes the open frame at a commit time in epoch milliseconds. */
export function closeFrame(time: f64): void {
  log.setTime(<u64>max<f64>(time, 0));
  log.closeFrame(0, 0);
  log.publishTail();
}

/** Appends an empty frame that seals everything flushed so far. False where the segment has no room for it, which costs nothing. */
export function sealLog(time: f64): bool {
  if (Log.frame != 0 || load<u32>(layout.CONTROL_WRITE_ROOM) == 0) return false;
  log.setTime(<u64>max<f64>(time, 0));
  log.closeFrame(format.FRAME_FLAG_SEAL, 0);
  log.publishTail();
  return true;
}

export function nextOutput(): u32 {
  return log.nextOutput();
}

export function outputDone(): void {
  log.outputDone();
  collect();
  assertHealthy();
}

/** The address up to which everything was handed to the device: what a flush that begins now makes durable. */
export function writtenAddress(): f64 {
  return <f64>log.writtenAddress();
}

/** A flush that began at `address` has succeeded. */
export function flushed(address: f64): void {
  Log.seal = max<u64>(Log.seal, <u64>address);
}

/** A slot that nothing needs any more, to be zeroed; -1 where there is none. */
export function freedSlot(): i32 {
  const tail = Log.segment!;
  const headerEnd = addressOf(tail.sequence, tail.headerEnd);
  const sealed = headerEnd <= Log.seal ? tail.sequence + 1 : tail.sequence;
  return takeFreedSlot(sealed, Superblock.rootSequence);
}

/** Whether slots wait for a superblock that enters the chain later. */
export function needsSuperblock(): bool {
  return isRootInTheWay(Log.segment!.sequence, Superblock.rootSequence);
}

export function slotReady(slot: u32): bool {
  return offerSlot(slot);
}

/** The slot that the tail names as next and that must be zeroed before it can be used; -1 when it is ready. */
export function unpreparedNextSlot(): i32 {
  return Slots.isNextReady ? -1 : <i32>Log.segment!.nextSlot;
}

/** The slot that the tail's header names as next. */
export function tailNextSlot(): u32 {
  return Log.segment!.nextSlot;
}

export function nextSlotReady(): void {
  Slots.isNextReady = true;
}

// ── Superblocks ────────────────────────────────────────────────────────────────────────────────────────────────────

export function buildSuperblock(ceiling: f64, isClean: bool): u32 {
  return superblock.buildSuperblock(Windows.superblocks, <u64>ceiling, isClean);
}

export function superblockDurable(): void {
  superblock.superblockDurable();
}

// ── Recovery ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** A block to read a slot into, or 0. */
export function slotBlock(): usize {
  return allocateSegmentBlock();
}

/** Gives a block back that was not adopted. */
export function releaseSlotBlock(block: usize): void {
  release(block, Geometry.segmentShift);
}

/** What the block that a slot was read into holds; the control block has the sequence number and the next slot. */
export function examineSlot(block: usize, slot: u32): i32 {
  const result = examineHeader(block, slot, Geometry.segmentSize);
  if (result == STATUS_OK) {
    setNumber(layout.CONTROL_SEQUENCE, load<u64>(block, format.SEGMENT_SEQUENCE));
    setU32(layout.CONTROL_NEXT_SLOT, load<u32>(block, format.SEGMENT_NEXT_SLOT));
  }
  return result;
}

/** Takes the store id from a header instead of a superblock: for salvage, where both are lost. */
export function adoptStoreId(block: usize): void {
  Store.idLow = load<u64>(block, format.SEGMENT_STORE_ID_LOW);
  Store.idHigh = load<u64>(block, format.SEGMENT_STORE_ID_HIGH);
}

/** Takes an examined block as a segment of the store. */
export function adoptSlot(block: usize, slot: u32): i32 {
  const segment = addSegment(load<u64>(block, format.SEGMENT_SEQUENCE), block, slot);
  if (segment === null) return STATUS_MEMORY_FULL;
  adoptHeader(segment);
  return STATUS_OK;
}

/** Begins to read the list of live segments of the newest adopted segment. */
export function startLiveList(): void {
  startList(<usize>Segments.last!.block);
}

/** The slot of the next live segment, its number in the control block; -1 at the end, -2 when the list makes no sense. */
export function nextLive(): f64 {
  if (!nextListed()) return ListReader.valid ? -1 : -2;
  setNumber(layout.CONTROL_SEQUENCE, ListReader.sequence);
  return <f64>ListReader.slot;
}

/** Whether a segment was adopted already. */
export function isAdopted(sequence: f64): bool {
  return resolve(addressOf(<u64>sequence, 0)) != 0;
}

/** Drops adopted segments that the newest header does not list: they were needed to find it, and hold nothing. */
export function dropUnlisted(): void {
  const newest = Segments.last!;
  for (let segment: Segment | null = Segments.first; segment !== null; segment = segment!.next) {
    if (segment === newest) break;
    startList(<usize>newest.block);
    let isListed = false;
    while (nextListed()) isListed = isListed || ListReader.sequence == segment.sequence;
    if (isListed) continue;
    segment.unlistedBy = newest.sequence;
    segment.deadAt = addressOf(newest.sequence, 0);
    dropBlock(segment);
  }
}

export function scan(): i32 {
  return scanLog();
}

/** The newest seal that the scan met. */
export function scannedSeal(): f64 {
  return <f64>Scan.seal;
}

/** Segments that were dropped behind a cut tail. */
export function discardedSegments(): u32 {
  return Scan.discardedCount;
}

/** Whether bytes lie behind the end of the log that must be zeroed before anything is appended. */
export function isTailDirty(): bool {
  return Scan.isTailDirty;
}

/** Makes what was recovered but is not sealed the next output, so that it is written anew before it is believed. Returns whether there is any. */
export function startRewrite(): bool {
  Log.seal = Scan.seal;
  const last = Segments.last!;
  Log.segment = last;
  Log.output = last;
  Log.tail = last.end;
  for (let segment: Segment | null = last; segment !== null; segment = segment!.previous) {
    segment.written = segment.end;
    if (segment.block == 0 || addressOf(segment.sequence, segment.end) <= Scan.seal) continue;
    if (sequenceOf(Scan.seal) == segment.sequence) segment.written = min<u32>(max<u32>(offsetOf(Scan.seal), 0), segment.end);
    else segment.written = 0;
    Log.pendingSize += segment.end - segment.written;
    Log.output = segment;
  }
  return Log.pendingSize != 0;
}

/** Shows the zeros behind the end of the tail as an output. */
export function tailRest(): u32 {
  const segment = Segments.last!;
  setU32(layout.CONTROL_OUTPUT_POINTER, segment.block + segment.end);
  setU32(layout.CONTROL_OUTPUT_SLOT, segment.slot);
  setU32(layout.CONTROL_OUTPUT_OFFSET, segment.end);
  return Geometry.segmentSize - segment.end;
}

/** Links what the scan found valid, and makes the store ready. */
export function link(): i32 {
  const result = linkLog(log.nextSalt());
  if (result != STATUS_OK) return result;
  finishRecovery();
  if (!log.keepReserve()) return STATUS_MEMORY_FULL;
  collect();
  assertHealthy();
  return STATUS_OK;
}

function finishRecovery(): void {
  const last = Segments.last!;
  Log.segment = last;
  Log.output = last;
  Log.tail = last.end;
  Log.pendingSize = 0;
  for (let segment: Segment | null = Segments.first; segment !== null; segment = segment!.next) segment.written = segment.end;
  const isExact = Superblock.isClean && Superblock.tail == log.tailAddress() && Superblock.version == Superblock.versionCeiling;
  // Without an orderly end, any version up to the ceiling may have been shown.
  Log.version = max<u64>(Scan.version, isExact ? Superblock.version : Scan.ceiling);
  Log.ceiling = Log.version;
  Slots.isNextReady = Geometry.inMemory;
  log.publishTail();
}

export function startSalvage(): i32 {
  return beginSalvage(log.nextSalt());
}

export function salvageNext(): i32 {
  const result = nextLoss();
  if (result == STATUS_OK) finishRecovery();
  return result;
}

// ── Looking ────────────────────────────────────────────────────────────────────────────────────────────────────────

export function verify(): i32 {
  return verifyAll();
}

/** A cursor over the segments of the store: the slot of the next, its number in the control block; -1 at the end. */
export function nextSegmentSlot(isFirst: bool): i32 {
  Walk.segment = isFirst ? Segments.first : Walk.segment!.next;
  const segment = Walk.segment;
  if (segment === null) return -1;
  setNumber(layout.CONTROL_SEQUENCE, segment.sequence);
  return <i32>segment.slot;
}

class Walk {
  static segment: Segment | null = null;
}

/** Whether the segment under the cursor holds live records. */
export function isSegmentLive(): bool {
  return Walk.segment!.block != 0;
}

/** Verifies bytes of the slot of the segment under the cursor, read from the file. */
export function verifySlotBytes(block: usize): i32 {
  return verifyBytes(Walk.segment!, block);
}

function stat(index: u32, value: u64): void {
  setNumber(layout.CONTROL_STATS + (<usize>index << 3), value);
}

/** Fills the statistics of the control block. */
export function stats(): void {
  let resident: u64 = 0;
  let dead: u64 = 0;
  let listed: u64 = 0;
  let size: u64 = 0;
  for (let segment: Segment | null = Segments.first; segment !== null; segment = segment!.next) {
    if (segment.block != 0) resident++;
    else dead++;
    if (segment.unlistedBy == 0) listed++;
    size += segment.end;
  }
  stat(layout.STAT_KEY_COUNT, Space.keyCount);
  stat(layout.STAT_TOMBSTONE_COUNT, Space.tombstoneCount);
  stat(layout.STAT_LIVE_SIZE, Space.liveSize);
  stat(layout.STAT_SEGMENT_COUNT, resident);
  stat(layout.STAT_DEAD_SEGMENT_COUNT, dead);
  stat(layout.STAT_LISTED_SEGMENT_COUNT, listed);
  stat(layout.STAT_INDEX_SIZE, indexSize());
  stat(layout.STAT_MEMORY_SIZE, touchedSize());
  stat(layout.STAT_MEMORY_RESERVED_SIZE, <u64>memory.size() << 16);
  stat(layout.STAT_MEMORY_IDLE_SIZE, idleSize());
  stat(layout.STAT_VERSION, Log.version);
  stat(layout.STAT_LOG_SIZE, size);
  stat(layout.STAT_READY_SLOT_COUNT, Slots.readyCount);
  stat(layout.STAT_CEILING, Log.ceiling);
  stat(layout.STAT_SEAL, Log.seal);
}

/** In the debug build: verify everything after each mutation from now on. */
export function setChecks(isOn: bool): void {
  Debug.checks = isOn;
}
