/**
 * Live bytes: what of each segment a read may still need. A segment without any is given up: its block at once, its slot when
 * what replaced its records is durable and a durable header no longer lists it.
 */
import { flagsOf, partAddress, partCountOf, sizeOf } from '../log/record';
import { Log, keepReserve, tailAddress } from '../log/log';
import { leaveScans } from '../order/open';
import { Cut, enterCut, leaveCut } from '../image/cut';
import { disownPart, ownParts } from './parts';
import { keepForWatches } from '../versions/watch';
import { Geometry, Segment, Segments, giveUp, nominate, removeSegment, segmentOf, takeSurplus } from '../log/segment';
import { setU32 } from '../memory/control';
import { peek } from '../paging/fault';
import * as layout from '../shared/layout';
import { RECORD_FLAG_EXPIRY, RECORD_FLAG_LARGE, RECORD_FLAG_TOMBSTONE } from '../shared/format';
import { requires, requiresAddress, requiresRecord } from '../verify/contract';

export class Space {
  static liveSize: u64 = 0;
  static keyCount: u64 = 0;
  static tombstoneCount: u64 = 0;
  /** Keys whose newest version expires one day, or has. */
  static expiringCount: u64 = 0;
  /** While a batch is staged nothing is given up: it may be taken back. */
  static isHeld: bool = false;
  /** Whether a segment that compaction has emptied waits to be given up until somebody calls who may read. */
  static isWaiting: bool = false;
}

/** Counts so many bytes as live: those of the record, or the part, at an address. */
export function addRecord(address: u64, size: u32): void {
  requiresAddress(address);
  requires(size != 0 && (size & 7) == 0);
  const segment = segmentOf(address)!;
  segment.live += size;
  Space.liveSize += size;
}

/** Takes so many bytes out of the count of live ones: those of the record, or the part, at an address. */
export function subtractRecord(address: u64, size: u32): void {
  requiresAddress(address);
  requires(size != 0 && (size & 7) == 0 && Space.liveSize >= size);
  const segment = segmentOf(address)!;
  assert(segment.live >= size);
  segment.live -= size;
  Space.liveSize -= size;
  if (segment.live == 0) nominate(segment);
}

/** Counts a record as the newest of its key: as a key that exists, or as a tombstone. */
export function countNewest(record: usize, address: u64): void {
  requiresRecord(record);
  requiresAddress(address);
  const flags = flagsOf(record);
  const segment = segmentOf(address)!;
  if ((flags & RECORD_FLAG_TOMBSTONE) != 0) {
    Space.tombstoneCount++;
    segment.tombstoneCount++;
  } else {
    Space.keyCount++;
    segment.keyCount++;
  }
  segment.newest += sizeOf(record);
  // Only what a batch takes back is older than an image that is being written.
  if (address < Cut.address) enterCut(record, segment);
  if ((flags & RECORD_FLAG_EXPIRY) == 0) return;
  Space.expiringCount++;
  segment.expiringCount++;
  // From now on the facade keeps the clock right.
  setU32(layout.CONTROL_HAS_EXPIRY, 1);
}

/** The opposite. */
export function uncountNewest(record: usize, address: u64): void {
  requiresRecord(record);
  requiresAddress(address);
  const flags = flagsOf(record);
  const segment = segmentOf(address)!;
  if ((flags & RECORD_FLAG_TOMBSTONE) != 0) {
    Space.tombstoneCount--;
    segment.tombstoneCount--;
  } else {
    Space.keyCount--;
    segment.keyCount--;
  }
  segment.newest -= sizeOf(record);
  if (address < Cut.address) leaveCut(record, segment);
  if ((flags & RECORD_FLAG_EXPIRY) == 0) return;
  Space.expiringCount--;
  segment.expiringCount--;
}

/** Counts a record, and not the parts of its value. */
export function retainRecord(record: usize, address: u64): void {
  requiresRecord(record);
  addRecord(address, sizeOf(record));
  countNewest(record, address);
}

/** The opposite. */
export function forsakeRecord(record: usize, address: u64): void {
  requiresRecord(record);
  subtractRecord(address, sizeOf(record));
  uncountNewest(record, address);
}

/** Counts the parts of a large value, whose record stands at an address, and for which there is room in the table of parts. */
export function retainParts(record: usize, address: u64): void {
  requiresRecord(record);
  ownParts(record, address);
  const count = partCountOf(record);
  for (let index: u32 = 0; index < count; index++) {
    const part = partAddress(record, index);
    addRecord(part, sizeOf(peek(segmentOf(part)!, part)));
  }
}

/** Takes the parts of a large value out of the count. */
function forsakeParts(record: usize): void {
  requiresRecord(record);
  const count = partCountOf(record);
  for (let index: u32 = 0; index < count; index++) {
    const part = partAddress(record, index);
    disownPart(part);
    subtractRecord(part, sizeOf(peek(segmentOf(part)!, part)));
  }
}

/** A record that is live, or a part of one, has been copied: its bytes count there now. */
export function transferRecord(from: u64, size: u32, to: u64, sizeThere: u32): void {
  requiresAddress(from);
  requiresAddress(to);
  subtractRecord(from, size);
  addRecord(to, sizeThere);
}

/** Reads the parts of a large value that is about to be superseded, so that one that cannot be read is met before anything has changed. */
export function readParts(record: usize): void {
  requiresRecord(record);
  const count = partCountOf(record);
  for (let index: u32 = 0; index < count; index++) {
    const part = partAddress(record, index);
    peek(segmentOf(part)!, part);
  }
}

/** Counts a record that has become the newest of its key, with the parts of its value. */
export function retain(record: usize, address: u64): void {
  requiresRecord(record);
  retainRecord(record, address);
  if ((flagsOf(record) & RECORD_FLAG_LARGE) != 0) retainParts(record, address);
}

/** Takes the bytes of a record and its parts out of the count: nothing reads it any more. */
export function subtractBytes(record: usize, address: u64): void {
  requiresRecord(record);
  subtractRecord(address, sizeOf(record));
  if ((flagsOf(record) & RECORD_FLAG_LARGE) != 0) forsakeParts(record);
}

/** The opposite of `retain`: the record is no longer the newest of its key, and nothing reads it any more. */
export function forsake(record: usize, address: u64): void {
  requiresRecord(record);
  uncountNewest(record, address);
  subtractBytes(record, address);
}

/** Whether a dead segment cannot be given up yet: it is the tail, or has not reached the file, or scans point into it. */
function mustStay(segment: Segment, mayRead: bool): bool {
  requires(segment.live == 0);
  if (segment === Log.segment) return true;
  if (!Geometry.inMemory && (segment.written != segment.end || segment === Log.output)) return true;
  if (leaveScans(segment.isVictim, mayRead)) return false;
  if (!mayRead && segment.isVictim) Space.isWaiting = true;
  return true;
}

/**
 * Gives segments up that died. Called when a commit is applied as a whole, so that nothing it may still be rolled back to is gone,
 * and when the device has taken bytes, because a segment must reach the file before it leaves memory. Without `mayRead` nothing is read from the file, so that no error comes out of it; one that does
 * leaves on the list what is still to be done.
 */
export function collect(mayRead: bool): void {
  if (Space.isHeld) return;
  Space.isWaiting = false;
  let before: Segment | null = null;
  let segment = Segments.candidates;
  while (segment !== null) {
    const current: Segment = segment;
    segment = current.nextCandidate;
    if (current.live == 0 && mustStay(current, mayRead)) {
      before = current;
      continue;
    }
    if (before === null) Segments.candidates = segment;
    else before.nextCandidate = segment;
    current.isCandidate = false;
    // One that lives again is not looked at again.
    if (current.live != 0) continue;
    if (!keepForWatches(current)) giveSegmentUp(current);
  }
}

/** Gives a segment up that nobody needs. */
function giveSegmentUp(segment: Segment): void {
  requires(segment.live == 0);
  if (Geometry.inMemory) removeSegment(segment);
  else {
    segment.deadAt = tailAddress();
    giveUp(segment);
  }
  keepReserve();
}

/** Nominates every segment without a live byte, when recovery has counted them. */
export function nominateDead(): void {
  for (let segment: Segment | null = Segments.first; segment !== null; segment = segment!.next) {
    if (segment.live == 0 && segment.isKept) nominate(segment);
  }
}

/** Forgets a segment whose slot is free, and returns the slot; -1 when there is none. A slot that the chain from `root` needs stays. */
export function takeFreedSlot(sealed: u64, root: u64): i32 {
  requires(sealed != 0);
  if (Segments.surplus !== null) return takeSurplus();
  if (Segments.unlistedCount == 0) return -1;
  for (let segment: Segment | null = Segments.first; segment !== null; segment = segment!.next) {
    if (segment.unlistedBy == 0 || segment.unlistedBy >= sealed || segment.sequence >= root) continue;
    const slot = segment.slot;
    removeSegment(segment);
    return slot;
  }
  return -1;
}

/** Whether a segment only waits for the superblock to name a newer root. */
export function isRootInTheWay(sealed: u64, root: u64): bool {
  requires(sealed != 0);
  if (Segments.unlistedCount == 0) return false;
  for (let segment: Segment | null = Segments.first; segment !== null; segment = segment!.next) {
    if (segment.unlistedBy != 0 && segment.unlistedBy < sealed && segment.sequence >= root) return true;
  }
  return false;
}
