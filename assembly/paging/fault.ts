/**
 * Reads of what is not in memory. While there is room, the segment comes as a whole, and is resident from then on: so a store gets warm. Where there is none, one record comes, into the record
 * cache when it is asked for the second time. Either is held against its hashes before anybody sees it.
 */
import { checkRecord, fits, sizeOf } from '../log/record';
import { Segment, offsetOf } from '../log/segment';
import { alignUp } from '../memory/bytes';
import { damage } from '../memory/control';
import { RECORD_HEADER_SIZE } from '../shared/format';
import * as status from '../shared/status';
import { noteRead, readRest, readRun } from './ahead';
import { findCached, keepRecord, roomForRecord } from './cache';
import { refuse } from './host';
import { hasRoom } from './room';
import { holdScratch, roomInScratch, wasSeen } from './scratch';
import { makeResident, presentInWindow, windowOf } from './window';
import { ensures, requires, requiresAddress } from '../verify/contract';

/** A segment of whose bytes this share is in the record cache is read as a whole: a quarter. */
const DENSE_SHARE_SHIFT: u32 = 2;
/** How slowly the guess at the size of a record follows records that are smaller. */
const GUESS_SHIFT: u32 = 3;
/** How many records of a segment are read alone, where that is asked for, before it comes as a whole: they take a quarter of what the segment takes, so that is the most that is ever spent for nothing. */
const LONE_READS_MAX: u32 = 16;

class Guess {
  /** How many bytes are read of a record whose size is not known. */
  static size: u32 = 512;
}

class Lone {
  /** Records before this address are read alone for a while. */
  static end: u64 = 0;
}

/**
 * From now on `resolve` reads a record that stands before an address alone, and what it returns may be overwritten by the next read of anything that is cold; with 0, no longer. For who goes through the index and
 * wants little of each record: where a log is replayed, most of what is met of older segments are single keys whose tags happen to agree.
 */
export function readAlone(end: u64): void {
  Lone.end = end;
}

/** Copies a record out of the window to where there is room for it. */
function copyFromWindow(block: usize, segment: Segment, offset: u32, isKept: bool): usize {
  requires(block != 0 && offset < segment.end);
  const record = block + offset;
  const limit = segment.end - offset;
  if (!checkRecord(record, limit, segment.seed, offset)) refuse(damage(segment.sequence, segment.slot, offset, 0, status.REASON_CONTENT));
  const size = sizeOf(record);
  const target = claimRoom(size, isKept);
  memory.copy(target, record, size);
  return target;
}

/** Where a record may be read to: in the cache, or in the scratch block, where there is room in it. `Claimed` says which it was. */
function claimRoom(size: u32, isKept: bool): usize {
  requires(size != 0 && (size & 7) == 0);
  let target = isKept ? 0 : roomInScratch(size);
  Claimed.isInCache = target == 0;
  if (target == 0) target = roomForRecord(size);
  if (target == 0) refuse(status.STATUS_MEMORY_FULL);
  return target;
}

class Claimed {
  static isInCache: bool = false;
}

/** Reads a record of a cold segment to where it may be kept. */
function readRecord(segment: Segment, offset: u32, isKept: bool): usize {
  requires(segment.block == 0 && segment.isKept);
  if (offset < segment.headerEnd || offset + RECORD_HEADER_SIZE > segment.end) refuse(damage(segment.sequence, segment.slot, offset, 0, status.REASON_CONTENT));
  const window = windowOf(segment);
  if (window != 0) return copyFromWindow(window, segment, offset, isKept);
  const limit = segment.end - offset;
  const guess = min<u32>(Guess.size, limit);
  let record = claimRoom(guess, isKept);
  readRun(segment, offset, record, guess);
  // What is damaged may be a sector that can be had back, and the frame can say more of it than the record.
  if (!fits(record, limit)) return copyFromWindow(presentInWindow(segment), segment, offset, isKept);
  const size = sizeOf(record);
  if (size > guess) {
    const larger = claimRoom(size, isKept);
    if (larger != record) memory.copy(larger, record, guess);
    record = larger;
    readRest(segment, offset + guess, record + guess, size - guess);
    Guess.size = size;
  } else if (size < Guess.size) Guess.size = alignUp(max<u32>(Guess.size - ((Guess.size - size) >> GUESS_SHIFT), RECORD_HEADER_SIZE));
  noteRead(segment, offset, size);
  return checkRecord(record, size, segment.seed, offset) ? record : copyFromWindow(presentInWindow(segment), segment, offset, isKept);
}

/** Whether so much of a segment is in the record cache that the rest is worth having too. */
function isDense(segment: Segment): bool {
  requires(segment.end >= segment.headerEnd);
  return segment.cached > (segment.end - segment.headerEnd) >> DENSE_SHARE_SHIFT;
}

/** The record at an address of a cold segment. It stays where it is up to the end of the operation. */
export function fault(segment: Segment, address: u64): usize {
  requiresAddress(address);
  requires(segment.block == 0 && segment.isKept);
  const offset = offsetOf(address);
  const cached = findCached(address);
  if (cached != 0) return cached;
  if (address < Lone.end && segment.reads < LONE_READS_MAX) {
    segment.reads++;
    return readRecord(segment, offset, false);
  }
  if ((hasRoom(1) || isDense(segment)) && makeResident(segment)) return <usize>segment.block + offset;
  const record = readRecord(segment, offset, wasSeen(address));
  if (Claimed.isInCache) keepRecord(segment, record, address);
  else holdScratch(sizeOf(record));
  ensures(record != 0 && (record & 7) == 0);
  return record;
}

/** As `resolve`, for a record of a segment that is kept; what is returned may be overwritten by the next read of anything that is cold. */
export function peek(segment: Segment, address: u64): usize {
  requiresAddress(address);
  requires(segment.isKept);
  const offset = offsetOf(address);
  if (segment.block != 0) return <usize>segment.block + offset;
  const cached = findCached(address);
  return cached != 0 ? cached : readRecord(segment, offset, false);
}
