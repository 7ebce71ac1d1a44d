/**
 * A record: one version of one key, or a part of a large value. Immutable once its commit is applied, but for the link, which
 * recovery and compaction set anew.
 *
 *      0        4            8                             16                     22       24
 *     ┌────────┬────────────┬─────────────────┬───────────┬──────────────────────┬────────┬────────────┬─────┬───────┬─────┐
 *     │ check  │ value size │ version (48)    │ key size  │ link (48)            │ flags  │ [expiry]   │ key │ value │ pad │
 *     └────────┴────────────┴─────────────────┴───────────┴──────────────────────┴────────┴────────────┴─────┴───────┴─────┘
 */
import { mix, xxh64 } from '../hash/xxh64';
import { alignUp } from '../memory/bytes';
import * as format from '../shared/format';
import { FIELD_MASK } from './segment';
import { ensures, requires, requiresBlock, requiresRange, requiresRecord } from '../verify/contract';

export function flagsOf(record: usize): u32 {
  requiresBlock(record, format.RECORD_HEADER_SIZE);
  return load<u16>(record, format.RECORD_FLAGS);
}

export function keySizeOf(record: usize): u32 {
  requiresBlock(record, format.RECORD_HEADER_SIZE);
  return <u32>load<u16>(record, format.RECORD_KEY_SIZE_LOW) | ((flagsOf(record) >> format.RECORD_KEY_SIZE_HIGH_SHIFT) << 16);
}

export function valueSizeOf(record: usize): u32 {
  requiresBlock(record, format.RECORD_HEADER_SIZE);
  return load<u32>(record, format.RECORD_VALUE_SIZE);
}

export function versionOf(record: usize): u64 {
  requiresBlock(record, format.RECORD_HEADER_SIZE);
  return load<u64>(record, format.RECORD_VERSION) & FIELD_MASK;
}

export function linkOf(record: usize): u64 {
  requiresBlock(record, format.RECORD_HEADER_SIZE);
  return load<u64>(record, format.RECORD_LINK) & FIELD_MASK;
}

/** Points a record at the version before it. The check does not cover the link. */
export function setLink(record: usize, address: u64): void {
  requiresBlock(record, format.RECORD_HEADER_SIZE);
  requires(address <= FIELD_MASK);
  store<u64>(record, (load<u64>(record, format.RECORD_LINK) & ~FIELD_MASK) | address, format.RECORD_LINK);
}

/** When the next record that has the flag expires, in epoch milliseconds. */
export class Expiry {
  static next: u64 = 0;
}

/** The bytes between the header and the key. */
export function keyOffset(flags: u32): u32 {
  return format.RECORD_HEADER_SIZE + ((flags & format.RECORD_FLAG_EXPIRY) != 0 ? format.RECORD_EXPIRY_SIZE : 0);
}

/** Whether a record says itself when it was committed. */
export function hasMovedTime(record: usize): bool {
  return (flagsOf(record) & format.RECORD_FLAG_TIME) != 0;
}

/** When a record that was moved out of its frame was committed, in epoch milliseconds; 0 where the frame that it stands in tells. */
export function movedTimeOf(record: usize): u64 {
  return hasMovedTime(record) ? linkOf(record) : 0;
}

export function keyOf(record: usize): usize {
  return record + keyOffset(flagsOf(record));
}

export function valueOf(record: usize): usize {
  return keyOf(record) + keySizeOf(record);
}

export function recordSize(flags: u32, keySize: u32, valueSize: u32): u32 {
  requires(keySize < 1 << 18 && valueSize <= 0xfff80000);
  return alignUp(keyOffset(flags) + keySize + valueSize);
}

export function sizeOf(record: usize): u32 {
  return recordSize(flagsOf(record), keySizeOf(record), valueSizeOf(record));
}

/** The check of a record of `size` bytes: everything but check and link, and the time where that stands there, seeded with its place. */
function computeCheck(record: usize, size: u32, seed: u64, offset: u32): u32 {
  requires(size >= <u32>format.RECORD_HEADER_SIZE && (size & 7) == 0);
  requiresBlock(record, size);
  const place = mix(seed ^ format.SEED_RECORD, (<u64>offset << 32) | <u64>load<u32>(record, format.RECORD_VALUE_SIZE));
  const seedOfCheck = hasMovedTime(record) ? mix(place, linkOf(record)) : place;
  return <u32>xxh64(record + format.RECORD_FLAGS, size - format.RECORD_FLAGS, seedOfCheck ^ load<u64>(record, format.RECORD_VERSION));
}

/**
 * Writes the header, the pad and the check around key and value, which already stand in place. Returns the size of the record.
 */
export function sealRecord(record: usize, flags: u32, keySize: u32, valueSize: u32, version: u64, link: u64, seed: u64, offset: u32): u32 {
  requires(version != 0 && version <= FIELD_MASK && link <= FIELD_MASK && flags < 1 << 14);
  // A record that was moved has its time put in afterwards.
  requires((flags & ~KNOWN_FLAGS) == 0 && (flags & format.RECORD_FLAG_TIME) == 0);
  requires((keySize == 0) == ((flags & format.RECORD_FLAG_PART) != 0));
  requires((offset & 7) == 0);
  if ((flags & format.RECORD_FLAG_EXPIRY) != 0) store<u64>(record, Expiry.next, format.RECORD_HEADER_SIZE);
  const unpadded = keyOffset(flags) + keySize + valueSize;
  const size = alignUp(unpadded);
  for (let pad = unpadded; pad < size; pad++) store<u8>(record + pad, 0);
  store<u32>(record, valueSize, format.RECORD_VALUE_SIZE);
  store<u64>(record, version | (<u64>(keySize & 0xffff) << format.WORD_FIELD_BITS), format.RECORD_VERSION);
  const marks = <u64>(flags | ((keySize >> 16) << format.RECORD_KEY_SIZE_HIGH_SHIFT));
  store<u64>(record, link | (marks << format.WORD_FIELD_BITS), format.RECORD_LINK);
  store<u32>(record, computeCheck(record, size, seed, offset), format.RECORD_CHECK);
  ensures(keySizeOf(record) == keySize && valueSizeOf(record) == valueSize && versionOf(record) == version && linkOf(record) == link);
  return size;
}

/** Has a record say when it was committed, in epoch milliseconds, where its frame does not. The check is to be made anew. */
export function setMovedTime(record: usize, time: u64): void {
  requiresRecord(record);
  requires((flagsOf(record) & (format.RECORD_FLAG_PART | format.RECORD_FLAG_TIME)) == 0 && time <= FIELD_MASK);
  store<u16>(record, load<u16>(record, format.RECORD_FLAGS) | <u16>format.RECORD_FLAG_TIME, format.RECORD_FLAGS);
  setLink(record, time);
}

/** Makes the check of a record anew that was copied to another place, or whose value was changed before it left memory. */
export function resealRecord(record: usize, size: u32, seed: u64, offset: u32): void {
  requires(size == sizeOf(record));
  store<u32>(record, computeCheck(record, size, seed, offset), format.RECORD_CHECK);
  ensures(checkRecord(record, size, seed, offset));
}

/** Gives a record whose bytes were copied to another store the check that it has there. It names no version before it. */
export function settleRecord(record: usize, seed: u64, offset: u32): void {
  requiresRecord(record);
  requires((offset & 7) == 0);
  if (!hasMovedTime(record)) setLink(record, 0);
  resealRecord(record, sizeOf(record), seed, offset);
}

/** Whether a record that ends before `limit` bytes is intact at its place; on its own, without its frame. */
export function checkRecord(record: usize, limit: u32, seed: u64, offset: u32): bool {
  requiresRange(record, limit);
  requires((offset & 7) == 0);
  return fits(record, limit) && load<u32>(record, format.RECORD_CHECK) == computeCheck(record, sizeOf(record), seed, offset);
}

/** Whether the sizes of a record stay within `limit` bytes. */
export function fits(record: usize, limit: u32): bool {
  requires((record & 7) == 0);
  if (limit < <u32>format.RECORD_HEADER_SIZE) return false;
  const size = <u64>keyOffset(flagsOf(record)) + <u64>keySizeOf(record) + <u64>valueSizeOf(record);
  return ((size + 7) & ~7) <= <u64>limit;
}

/** The flags that this format defines; any other is content that it never wrote. */
const KNOWN_FLAGS: u32 = format.RECORD_KIND_MASK | format.RECORD_FLAG_TOMBSTONE | format.RECORD_FLAG_EXPIRY | format.RECORD_FLAG_PART |
  format.RECORD_FLAG_LARGE | format.RECORD_FLAG_TIME | (3 << format.RECORD_KEY_SIZE_HIGH_SHIFT);

/** Whether a record whose hash was right also means something: semantic validation comes after the hash, never instead of it. */
export function isMeaningful(record: usize, limit: u32, frameVersion: u64): bool {
  requiresRange(record, limit);
  if (!fits(record, limit)) return false;
  const flags = flagsOf(record);
  const version = versionOf(record);
  if ((flags & ~KNOWN_FLAGS) != 0 || version == 0 || version > frameVersion) return false;
  const isPart = (flags & format.RECORD_FLAG_PART) != 0;
  if (isPart != (keySizeOf(record) == 0) || (isPart && (flags & format.RECORD_FLAG_TIME) != 0)) return false;
  if ((flags & format.RECORD_FLAG_TOMBSTONE) != 0 && valueSizeOf(record) != 0) return false;
  if ((flags & format.RECORD_FLAG_LARGE) != 0) {
    const size = valueSizeOf(record);
    return !isPart && size >= 16 && (size & 7) == 0;
  }
  return true;
}

/** The number of parts of a large value, whose list begins with the total size. */
export function partCountOf(record: usize): u32 {
  requiresRecord(record);
  requires(valueSizeOf(record) >= 16);
  return (valueSizeOf(record) >> 3) - 1;
}

export function partAddress(record: usize, index: u32): u64 {
  requiresRecord(record);
  requires(index < partCountOf(record));
  return load<u64>(valueOf(record) + 8 + (<usize>index << 3)) & FIELD_MASK;
}

/** Names another address for a part. The check of the record is to be made anew. */
export function setPartAddress(record: usize, index: u32, address: u64): void {
  requiresRecord(record);
  requires(index < partCountOf(record));
  store<u64>(valueOf(record) + 8 + (<usize>index << 3), address);
}
