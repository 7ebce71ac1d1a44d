/** The exports with which a file becomes a store again. */
import { Begun, discount, dropLostSlots, forgetUnconfirmed, unconfirmed } from '../image/read';
import { Store, adoptHeader, examineHeader, nextListed, seedOf, startList, ListReader } from '../log/header';
import * as log from '../log/log';
import { Log } from '../log/log';
import { Geometry, Segment, Segments, addSegment, addressOf, allocateSegmentBlock, attachBlock, giveUp, offsetOf, segmentOf, sequenceOf, setUnlisted } from '../log/segment';
import { Slots } from '../log/slots';
import { release } from '../memory/allocator';
import { setNumber, setU32 } from '../memory/control';
import { evict } from '../paging/evict';
import { hasRoom, startPaging, stopPaging } from '../paging/room';
import { makeTail, openWindow, presentUnchecked } from '../paging/window';
import { scanLog, Scan } from '../recovery/scan';
import { linkLog } from '../recovery/link';
import { salvageNext as nextLoss, startSalvage as beginSalvage } from '../recovery/salvage';
import { Superblock } from '../recovery/superblock';
import * as format from '../shared/format';
import * as layout from '../shared/layout';
import { STATUS_CORRUPT, STATUS_MEMORY_FULL, STATUS_OK } from '../shared/status';
import { collect } from '../space/live';
import { assertHealthy } from '../verify/verify';
import { History } from '../versions/history';
import { Pins } from '../versions/pins';
import { requires, requiresBlock } from '../verify/contract';

/** Lets segments leave memory where there is no room for all: `limit` is the most that it may grow to, in bytes, and `blockMax` the most blocks of a segment's size that may be taken. */
export function letLeave(limit: f64, blockMax: u32): void {
  requires(limit > 0);
  startPaging(<u64>limit, blockMax);
}

/** Lets what nothing needs in memory leave it, until `wanted` blocks of a segment's size can be taken beyond what is kept free. Returns how many blocks left. */
export function makeSpace(wanted: u32): u32 {
  return evict(wanted);
}

/** A block to read a slot into, or 0. Where memory is at its limit, verification borrows the block that is kept for deletes. */
export function slotBlock(): usize {
  const block = allocateSegmentBlock();
  return block != 0 ? block : Log.reserveBlock;
}

/** Gives a block back that was not adopted. */
export function releaseSlotBlock(block: usize): void {
  if (block != Log.reserveBlock) release(block, Geometry.segmentShift);
}

/** What the block that a slot was read into holds; the control block has the sequence number and the next slot. */
export function examineSlot(block: usize, slot: u32): i32 {
  requiresBlock(block, Geometry.segmentSize);
  const result = examineHeader(block, slot, Geometry.segmentSize);
  if (result == STATUS_OK) {
    setNumber(layout.CONTROL_SEQUENCE, load<u64>(block, format.SEGMENT_SEQUENCE));
    setU32(layout.CONTROL_NEXT_SLOT, load<u32>(block, format.SEGMENT_NEXT_SLOT));
  }
  return result;
}

/** Takes the store id from a header instead of a superblock: for salvage, where both are lost. */
export function adoptStoreId(block: usize): void {
  requiresBlock(block, Geometry.segmentSize);
  Store.idLow = load<u64>(block, format.SEGMENT_STORE_ID_LOW);
  Store.idHigh = load<u64>(block, format.SEGMENT_STORE_ID_HIGH);
}

/** Takes what was read into an examined block as a segment of the store, with the block where there is room for it. */
export function adoptSlot(block: usize, slot: u32): i32 {
  requiresBlock(block, Geometry.segmentSize);
  const isResident = hasRoom(0);
  if (!isResident && !openWindow()) return STATUS_MEMORY_FULL;
  const named = unconfirmed(load<u64>(block, format.SEGMENT_SEQUENCE));
  if (named !== null) {
    if (named.slot != slot || named.seed != seedOf(block)) return STATUS_CORRUPT;
    named.isFromImage = false;
    if (isResident) attachBlock(named, block);
    else releaseSlotBlock(block);
    return STATUS_OK;
  }
  const segment = addSegment(load<u64>(block, format.SEGMENT_SEQUENCE), isResident ? block : 0, slot);
  if (segment === null) return STATUS_MEMORY_FULL;
  adoptHeader(segment, block);
  if (!isResident) releaseSlotBlock(block);
  return STATUS_OK;
}

/** Begins to read the list of live segments of the newest adopted segment. */
export function startLiveList(): void {
  startList(presentUnchecked(Segments.last!));
}

/** The slot of the next live segment, its number in the control block; -1 at the end, -2 when the list makes no sense. */
export function nextLive(): f64 {
  if (!nextListed()) return ListReader.valid ? -1 : -2;
  setNumber(layout.CONTROL_SEQUENCE, ListReader.sequence);
  return <f64>ListReader.slot;
}

/** Whether a segment was adopted already, not by the word of an image alone. */
export function isAdopted(sequence: f64): bool {
  return Segments.count != 0 && segmentOf(addressOf(<u64>sequence, 0)) !== null && unconfirmed(<u64>sequence) === null;
}

/** Drops adopted segments that the newest header does not list: they were needed to find it, and hold nothing. */
export function dropUnlisted(): void {
  forgetUnconfirmed();
  const newest = Segments.last!;
  startList(presentUnchecked(newest));
  let isListing = nextListed();
  // Both stand in the order of their numbers.
  for (let segment = Segments.first!; segment !== newest; segment = segment.next!) {
    while (isListing && ListReader.sequence < segment.sequence) isListing = nextListed();
    if (isListing && ListReader.sequence == segment.sequence) continue;
    if (Begun.address != 0) discount(segment);
    setUnlisted(segment, newest.sequence);
    segment.deadAt = addressOf(newest.sequence, 0);
    giveUp(segment);
  }
  dropLostSlots();
}

export function scan(): i32 {
  return scanLog();
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
    if (!segment.isKept || addressOf(segment.sequence, segment.end) <= Scan.seal) continue;
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
  Begun.isBehind = false;
  finishRecovery();
  if (!log.keepReserve()) return STATUS_MEMORY_FULL;
  collect(true);
  assertHealthy();
  return STATUS_OK;
}

/** Whether the store still has every segment that it ever had. */
function isWholeLog(): bool {
  let sequence: u64 = 1;
  for (let segment: Segment | null = Segments.first; segment !== null; segment = segment!.next) {
    if (segment.sequence != sequence || !segment.isKept) return false;
    sequence++;
  }
  return true;
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
  // Where a segment was ever given up, nobody knows what it showed.
  if (!History.isKept || !isWholeLog()) Pins.floor = Log.version;
  Slots.isNextReady = Geometry.inMemory;
  log.publishTail();
}

export function startSalvage(): i32 {
  stopPaging();
  return beginSalvage(log.nextSalt());
}

export function salvageNext(): i32 {
  const result = nextLoss();
  if (result == STATUS_OK) finishRecovery();
  return result;
}
