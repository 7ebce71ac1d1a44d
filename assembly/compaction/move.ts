/**
 * Copying what is live to the end of the log, with its own version. The copy counts from now on; the place it came from is given up when the copy is durable, as with any
 * record that was superseded.
 */
import { hashKey } from '../hash/keyhash';
import { repoint, standing } from '../index/by-hash';
import { Log, appendRecord, blockOf, makeRoom, publishTail, recordOffset, roomOfSegment } from '../log/log';
import { frameTimeOf } from '../log/frame';
import { flagsOf, hasMovedTime, keyOf, keySizeOf, movedTimeOf, partAddress, partCountOf, resealRecord, setMovedTime, setPartAddress, sizeOf, valueSizeOf, versionOf } from '../log/record';
import { Geometry, addressOf, offsetOf, resolve, segmentOf } from '../log/segment';
import { frameAt } from '../log/since';
import { Slots } from '../log/slots';
import { presentBlock } from '../paging/window';
import { RECORD_EXPIRY_SIZE, RECORD_FLAG_LARGE, RECORD_FLAG_PART, RECORD_FLAG_TIME, RECORD_HEADER_SIZE } from '../shared/format';
import * as layout from '../shared/layout';
import { STATUS_MEMORY_FULL, STATUS_NEED_SLOT, STATUS_NEED_TIME, STATUS_OK } from '../shared/status';
import { countNewest, transferRecord, uncountNewest } from '../space/live';
import { disownPart, ownParts, ownerOf } from '../space/parts';
import { moveOld } from '../versions/old';
import { Pins, isPin } from '../versions/pins';
import { noteTime, reserveTime } from '../versions/times';
import { ensures, requires, requiresAddress, requiresRecord } from '../verify/contract';

/** What compaction has copied, for `stats`. */
export class Moved {
  static bytes: u64 = 0;
}

/** What `makeRoom` is asked for: the bytes of key and value, and of what comes between them and the header. */
function roomFor(record: usize): u32 {
  requiresRecord(record);
  return sizeOf(record) - RECORD_HEADER_SIZE;
}

/** Whether somebody may read as of a commit, by its clock. */
function isTimeAskedFor(version: u64): bool {
  requires(version != 0 && version <= Log.version);
  return version >= Pins.floor || isPin(version);
}

/** Copies a record to the tail, where there is room for it. It takes the time of its commit along, which that of its frame is. Returns its address there. */
function copy(record: usize, time: u64): u64 {
  requiresRecord(record);
  const size = sizeOf(record);
  const segment = Log.segment!;
  const offset = recordOffset();
  const to = blockOf(segment) + offset;
  assert(offset + size <= Geometry.segmentSize);
  memory.copy(to, record, size);
  if ((flagsOf(record) & (RECORD_FLAG_PART | RECORD_FLAG_TIME)) == 0) setMovedTime(to, time);
  if ((flagsOf(record) & RECORD_FLAG_PART) == 0 && isTimeAskedFor(versionOf(record))) noteTime(versionOf(record), movedTimeOf(to));
  resealRecord(to, size, segment.seed, offset);
  appendRecord(size);
  Log.hasMoved = true;
  publishTail();
  Moved.bytes += size;
  ensures(sizeOf(to) == size && versionOf(to) == versionOf(record));
  return addressOf(segment.sequence, offset);
}

/** When what stands at an address was committed: the time of its frame. O(frames of the segment). */
function timeAt(address: u64): u64 {
  requiresAddress(address);
  const segment = segmentOf(address)!;
  const frame = frameAt(segment, offsetOf(address));
  // The open frame has none yet.
  return frame < segment.end ? frameTimeOf(presentBlock(segment) + frame) : Log.time;
}

/** Whoever knew a record of a key at one address knows it at another. */
function redirect(record: usize, from: u64, to: u64): void {
  requiresRecord(record);
  requires(from != to && to != 0);
  const hash = hashKey(keyOf(record), keySizeOf(record));
  if (standing(hash, from) != 0) {
    repoint(hash, from, to);
    uncountNewest(record, from);
    countNewest(record, to);
  } else moveOld(hash, versionOf(record), to);
  transferRecord(from, sizeOf(record), to, sizeOf(resolve(to)));
}

/** Copies a live record at an address, out of a frame of a time. STATUS_OK, or what keeps it from being copied: nothing has changed then. `reserved` may use the block that is kept for deletes. */
export function moveRecord(record: usize, address: u64, time: u64, reserved: bool): i32 {
  requiresRecord(record);
  requiresAddress(address);
  if (!reserveTime()) return STATUS_MEMORY_FULL;
  if ((flagsOf(record) & RECORD_FLAG_PART) != 0) return movePart(record, address, reserved);
  const status = makeRoom(roomFor(record), 0, reserved);
  if (status != STATUS_OK) return status;
  const to = copy(record, time);
  redirect(record, address, to);
  if ((flagsOf(record) & RECORD_FLAG_LARGE) != 0) ownParts(resolve(to), to);
  return STATUS_OK;
}

/** A part goes with a copy of the record that lists it, in which it stands at its new address. */
function movePart(part: usize, address: u64, reserved: bool): i32 {
  requiresRecord(part);
  const owner = ownerOf(address);
  requiresAddress(owner);
  const before = resolve(owner);
  const size = roomFor(part) + RECORD_HEADER_SIZE + RECORD_EXPIRY_SIZE + roomFor(before);
  // Both go to one segment where they fit into one. Where they need one each, nothing that the second needs may be missing: the copy of a part that nobody lists would be made again and again.
  const isOneEnough = size <= roomOfSegment(Log.segment!.headerEnd);
  if (!isOneEnough && !Geometry.inMemory && (Slots.readyCount < 2 || !Slots.isNextReady)) return STATUS_NEED_SLOT;
  if (!isOneEnough && !Log.isTimed) return STATUS_NEED_TIME;
  let status = makeRoom(isOneEnough ? size : roomFor(part), 0, reserved);
  if (status != STATUS_OK) return status;
  const to = copy(part, 0);
  // The time that this step was told is that of both.
  if (!isOneEnough) Log.isTimed = true;
  status = makeRoom(roomFor(before), 0, reserved);
  if (status != STATUS_OK) return status;
  let index: u32 = 0;
  while (partAddress(before, index) != address) index++;
  requires(index < partCountOf(before) && valueSizeOf(part) != 0);
  const offset = recordOffset();
  const ownerTo = copy(before, hasMovedTime(before) ? movedTimeOf(before) : timeAt(owner));
  const record = resolve(ownerTo);
  setPartAddress(record, index, to);
  resealRecord(record, sizeOf(record), Log.segment!.seed, offset);
  redirect(before, owner, ownerTo);
  disownPart(address);
  ownParts(record, ownerTo);
  transferRecord(address, sizeOf(part), to, sizeOf(part));
  return STATUS_OK;
}
