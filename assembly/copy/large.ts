/**
 * Copying a value in parts. It may take many segments, and so many steps, between which compaction may have moved it: what is remembered is its key, its version and how many bytes are
 * done. Its parts in the copy are as large as the copy's segments let them be.
 */
import { hashKey } from '../hash/keyhash';
import { find } from '../index/directory';
import { Expiry, flagsOf, keyOf, keyOffset, keySizeOf, partAddress, partCountOf, recordSize, sealRecord, valueOf, valueSizeOf, versionOf } from '../log/record';
import { addressOf, offsetOf, resolve, segmentOf } from '../log/segment';
import { allocate, release, shiftFor } from '../memory/allocator';
import { bytesOfBuffer, freeBuffer, makeBuffer, sizeOfBuffer } from '../memory/buffer';
import * as format from '../shared/format';
import { MAX_VALUE_SIZE, PART_SIZE_MIN } from '../shared/limits';
import { STATUS_CORRUPT, STATUS_MEMORY_FULL, STATUS_OK, STATUS_TOO_LARGE } from '../shared/status';
import { ensures, requires, requiresRange, requiresRecord } from '../verify/contract';
import { findOld } from '../versions/old';
import { expiryOf } from '../versions/visible';
import { Copy, checkSource, countCopied, isSpent, spend, turn } from './copy';
import { isEmpty, offsetIn, place, roomOf, roomOfEmpty } from './target';

/** The segment that is laid out has no room for what comes next. */
export const LARGE_NEEDS_ROOM: i32 = 1;

/** Notes a large value that is to be copied. False where memory is at its limit. */
export function startLarge(copy: Copy, record: usize): bool {
  requiresRecord(record);
  requires(copy.largeKey == 0);
  copy.largeKey = makeBuffer(keyOf(record), keySizeOf(record), false);
  copy.largeVersion = versionOf(record);
  copy.largeSize = load<u64>(valueOf(record));
  copy.largeDone = 0;
  copy.partCount = 0;
  return copy.largeKey != 0;
}

/** Forgets the value that was being copied, if there is one. */
export function forgetLarge(copy: Copy): void {
  freeBuffer(copy.largeKey);
  if (copy.parts != 0) release(copy.parts, copy.partsShift);
  copy.largeKey = 0;
  copy.parts = 0;
}

/** The record of the value, wherever it stands now; 0 where the history has given it up. */
function recordOfLarge(copy: Copy): usize {
  requires(copy.largeKey != 0 && copy.largeVersion != 0);
  const key = bytesOfBuffer(copy.largeKey);
  const keySize = sizeOfBuffer(copy.largeKey);
  const hash = hashKey(key, keySize);
  const newest = find(key, keySize, hash);
  if (newest == 0 || versionOf(newest) == copy.largeVersion) return newest;
  const old = findOld(key, keySize, hash, copy.largeVersion);
  return old != 0 && versionOf(old) == copy.largeVersion ? old : 0;
}

/** A walk over the bytes of the value. */
class Source {
  static record: usize = 0;
  static index: u32 = 0;
  /** How many bytes of the part lie behind the walk. */
  static offset: u32 = 0;
}

function seekSource(record: usize, done: u64): void {
  requiresRecord(record);
  Source.record = record;
  Source.index = 0;
  while (done != 0) {
    const size = valueSizeOf(resolve(partAddress(record, Source.index)));
    if (done < <u64>size) break;
    done -= size;
    Source.index++;
  }
  Source.offset = <u32>done;
}

/** Copies the next bytes of the value. False where a part is damaged. */
function takeBytes(to: usize, size: u32): bool {
  requiresRange(to, size);
  while (size != 0) {
    requires(Source.index < partCountOf(Source.record));
    const address = partAddress(Source.record, Source.index);
    const part = resolve(address);
    if (Source.offset == 0 && !checkSource(segmentOf(address)!, offsetOf(address), part)) return false;
    const count = min<u32>(size, valueSizeOf(part) - Source.offset);
    memory.copy(to, valueOf(part) + Source.offset, count);
    to += count;
    size -= count;
    Source.offset += count;
    if (Source.offset == valueSizeOf(part)) {
      Source.index++;
      Source.offset = 0;
    }
  }
  return true;
}

/** Makes room for the address of one more part. */
function reservePart(copy: Copy): bool {
  requires(copy.partCount <= <u32>MAX_VALUE_SIZE >> 3);
  const needed = (copy.partCount + 2) << 3;
  if (copy.parts != 0 && needed <= <u32>1 << copy.partsShift) return true;
  const shift = shiftFor(needed);
  const parts = allocate(shift);
  if (parts == 0) return false;
  if (copy.parts != 0) {
    memory.copy(parts, copy.parts, <usize>1 << copy.partsShift);
    release(copy.parts, copy.partsShift);
  }
  copy.parts = parts;
  copy.partsShift = shift;
  return true;
}

/** Copies the next part. */
function copyPart(copy: Copy): i32 {
  requires(copy.largeDone < copy.largeSize);
  const target = copy.target;
  turn(copy);
  const room = roomOf(target);
  const rest = <u32>min<u64>(copy.largeSize - copy.largeDone, MAX_VALUE_SIZE);
  const least = format.RECORD_HEADER_SIZE + min<u32>(rest, PART_SIZE_MIN);
  if (room < recordSize(format.RECORD_FLAG_PART, 0, least - format.RECORD_HEADER_SIZE)) return LARGE_NEEDS_ROOM;
  if (!reservePart(copy)) return STATUS_MEMORY_FULL;
  const size = min<u32>(rest, room - format.RECORD_HEADER_SIZE);
  const to = place(target, recordSize(format.RECORD_FLAG_PART, 0, size), copy.largeVersion);
  if (!takeBytes(to + format.RECORD_HEADER_SIZE, size)) return STATUS_CORRUPT;
  const offset = offsetIn(target, to);
  sealRecord(to, format.RECORD_FLAG_PART, 0, size, copy.largeVersion, 0, target.seed, offset);
  store<u64>(copy.parts + 8 + (<usize>copy.partCount << 3), addressOf(target.sequence, offset));
  copy.partCount++;
  copy.largeDone += size;
  spend(size);
  ensures(copy.largeDone <= copy.largeSize);
  return STATUS_OK;
}

/** Copies the record that names the parts. */
function copyList(copy: Copy, record: usize): i32 {
  requiresRecord(record);
  requires(copy.largeDone == copy.largeSize && copy.partCount != 0);
  const target = copy.target;
  const flags = flagsOf(record) & ~(format.RECORD_FLAG_TIME | (3 << format.RECORD_KEY_SIZE_HIGH_SHIFT));
  const keySize = keySizeOf(record);
  const listSize = (copy.partCount + 1) << 3;
  const size = recordSize(flags, keySize, listSize);
  if (size > roomOf(target)) return size > roomOfEmpty(target) ? STATUS_TOO_LARGE : LARGE_NEEDS_ROOM;
  const to = place(target, size, copy.largeVersion);
  const key = to + keyOffset(flags);
  memory.copy(key, keyOf(record), keySize);
  store<u64>(copy.parts, copy.largeSize);
  memory.copy(key + keySize, copy.parts, listSize);
  Expiry.next = expiryOf(record);
  sealRecord(to, flags, keySize, listSize, copy.largeVersion, 0, target.seed, offsetIn(target, to));
  countCopied(copy, keySize + copy.largeSize);
  forgetLarge(copy);
  return STATUS_OK;
}

/**
 * Whether the list of the value's parts would fit into a segment only if they began in a new one: then there are as few as can be.
 */
function wantsNewSegment(copy: Copy, record: usize): bool {
  const target = copy.target;
  if (copy.largeDone != 0 || isEmpty(target)) return false;
  const count = copy.largeSize / <u64>(roomOfEmpty(target) - format.RECORD_HEADER_SIZE) + 2;
  return recordSize(flagsOf(record), keySizeOf(record), <u32>(count + 1) << 3) > roomOfEmpty(target);
}

/** Goes on with the value, until it is copied or the step is over: STATUS_OK, LARGE_NEEDS_ROOM or another status. */
export function continueLarge(copy: Copy): i32 {
  requires(copy.largeKey != 0);
  const record = recordOfLarge(copy);
  if (record == 0) {
    forgetLarge(copy);
    return STATUS_OK;
  }
  if (wantsNewSegment(copy, record)) return LARGE_NEEDS_ROOM;
  seekSource(record, copy.largeDone);
  while (copy.largeDone < copy.largeSize) {
    if (isSpent()) return STATUS_OK;
    const status = copyPart(copy);
    if (status != STATUS_OK) return status;
  }
  return copyList(copy, record);
}
