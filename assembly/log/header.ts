/**
 * The header of a segment, and the list of live segments that follows it. The newest header is the durable answer to the question which segments belong
 * to the store: what it does not list is never read, whatever its slot holds.
 */
import { mix, xxh64 } from '../hash/xxh64';
import { alignUp, isZero } from '../memory/bytes';
import * as format from '../shared/format';
import { STATUS_CORRUPT, STATUS_EMPTY, STATUS_OK } from '../shared/status';
import { FIELD_MASK, Geometry, Segment, Segments, addressOf, isAddressable, setUnlisted } from './segment';
import { ensures, requires, requiresBlock, requiresRange } from '../verify/contract';

/** The identity of the store: 16 random bytes, from the superblock. */
export class Store {
  static idLow: u64 = 0;
  static idHigh: u64 = 0;
}

/** The seed of all hashes of a segment: store, place, number and salt. */
export function seedOf(header: usize): u64 {
  requiresBlock(header, format.SEGMENT_HEADER_SIZE);
  const place = (<u64>load<u32>(header, format.SEGMENT_SLOT) << 1) | 1;
  return mix(mix(mix(mix(place, load<u64>(header, format.SEGMENT_STORE_ID_LOW)), load<u64>(header, format.SEGMENT_STORE_ID_HIGH)),
    load<u64>(header, format.SEGMENT_SEQUENCE)), load<u64>(header, format.SEGMENT_SALT));
}

function headerHash(header: usize): u64 {
  requiresBlock(header, format.SEGMENT_HEADER_SIZE);
  return xxh64(header, format.SEGMENT_HASH, mix(format.SEED_SEGMENT, (<u64>load<u32>(header, format.SEGMENT_SLOT) << 5) | Geometry.segmentShift));
}

function listHash(header: usize, size: u32): u64 {
  requires(size != 0 && size <= listSizeMax());
  requiresRange(header, format.SEGMENT_HEADER_SIZE + size);
  return xxh64(header + format.SEGMENT_HEADER_SIZE, size, mix(seedOf(header), format.SEED_LIST));
}

/** The last byte of every list: it keeps the last sector of a list from ever being zero, however the list ends. */
const LIST_END: u8 = 0x7f;

/** More of the smallest segments do not fit into linear memory. */
const LISTED_MAX: u64 = 1 << 20;

/** A list may take half of a segment. */
function listSizeMax(): u32 {
  return (Geometry.segmentSize >> 1) - format.SEGMENT_HEADER_SIZE;
}

function writeVarint(at: usize, value: u64): usize {
  requiresRange(at, 10);
  while (value >= 0x80) {
    store<u8>(at++, <u8>value | 0x80);
    value >>= 7;
  }
  store<u8>(at++, <u8>value);
  return at;
}

/** Whether the header of segment `by`, now being built, may leave `segment` out: it is dead, and what replaced it is durable. */
function canUnlist(segment: Segment, seal: u64): bool {
  return segment.deadAt != 0 && segment.live == 0 && !segment.isKept && segment.deadAt <= seal;
}

/**
 * Writes the list: runs of segments whose sequence numbers and slots both rise by one, each as the gap to the number before, the zigzag difference
 * of its slot to the one expected, and the length less one. Returns the end, or 0 when there is no room.
 */
function writeList(begin: usize, by: Segment, seal: u64): usize {
  requiresRange(begin, listSizeMax());
  let at = begin;
  const limit = begin + listSizeMax() - 32;
  let expectedSequence: u64 = 0;
  let expectedSlot: u32 = 0;
  let segment: Segment | null = Segments.first;
  let count: u32 = 0;
  while (segment !== null && segment !== by) {
    const next = segment.next;
    if (segment.unlistedBy != 0) {
      segment = next;
      continue;
    }
    if (canUnlist(segment, seal)) {
      setUnlisted(segment, by.sequence);
      segment = next;
      continue;
    }
    if (at > limit) return 0;
    const difference = <i32>(segment.slot - expectedSlot);
    at = writeVarint(at, segment.sequence - expectedSequence);
    at = writeVarint(at, <u64><u32>((difference << 1) ^ (difference >> 31)));
    let length: u32 = 1;
    let last: Segment = segment;
    while (last.next !== null && last.next !== by) {
      const candidate = last.next!;
      if (candidate.unlistedBy != 0 || canUnlist(candidate, seal)) break;
      if (candidate.sequence != last.sequence + 1 || candidate.slot != last.slot + 1) break;
      last = candidate;
      length++;
    }
    at = writeVarint(at, length - 1);
    count += length;
    expectedSequence = last.sequence + 1;
    expectedSlot = last.slot + 1;
    segment = last.next;
  }
  store<u32>(begin - format.SEGMENT_HEADER_SIZE, count, format.SEGMENT_LIST_COUNT);
  store<u8>(at, LIST_END);
  return at + 1;
}

/** Takes back what a header that was not kept had left out of the list. */
export function relist(by: u64): void {
  for (let segment: Segment | null = Segments.first; segment !== null; segment = segment!.next) {
    if (segment.unlistedBy == by) setUnlisted(segment, 0);
  }
}

/** Writes a list of `count` segments whose numbers go on from `sequence`, and their slots from 0. Returns its end. */
export function writeRun(begin: usize, sequence: u64, count: u32): usize {
  requires(sequence != 0);
  requiresRange(begin, 32);
  let at = begin;
  if (count != 0) {
    at = writeVarint(at, sequence);
    at = writeVarint(at, 0);
    at = writeVarint(at, count - 1);
  }
  store<u32>(begin - format.SEGMENT_HEADER_SIZE, count, format.SEGMENT_LIST_COUNT);
  store<u8>(at, LIST_END);
  return at + 1;
}

/** Writes the fields that say which segment of which store this is, and where it stands. */
export function writeIdentity(header: usize, idLow: u64, idHigh: u64, sequence: u64, salt: u64, slot: u32, nextSlot: u32): void {
  requires(sequence != 0 && slot != nextSlot);
  requiresBlock(header, format.SEGMENT_HEADER_SIZE);
  memory.fill(header, 0, format.SEGMENT_HEADER_SIZE);
  store<u32>(header, format.SEGMENT_MAGIC_LOW);
  store<u32>(header, format.SEGMENT_MAGIC_HIGH, 4);
  store<u64>(header, sequence, format.SEGMENT_SEQUENCE);
  store<u64>(header, idLow, format.SEGMENT_STORE_ID_LOW);
  store<u64>(header, idHigh, format.SEGMENT_STORE_ID_HIGH);
  store<u64>(header, salt, format.SEGMENT_SALT);
  store<u32>(header, slot, format.SEGMENT_SLOT);
  store<u32>(header, nextSlot, format.SEGMENT_NEXT_SLOT);
}

/** Writes the fields that say where in its log a segment stands: what came before, up to where that was durable, and which versions there are. */
export function writePlace(header: usize, previousEnd: u64, previousHash: u64, seal: u64, ceiling: u64, version: u64): void {
  requires(previousEnd <= FIELD_MASK && seal <= FIELD_MASK && ceiling <= FIELD_MASK && version <= ceiling);
  requiresBlock(header, format.SEGMENT_HEADER_SIZE);
  store<u64>(header, previousEnd, format.SEGMENT_PREVIOUS_END);
  store<u64>(header, previousHash, format.SEGMENT_PREVIOUS_HASH);
  store<u64>(header, seal, format.SEGMENT_SEAL);
  store<u64>(header, ceiling, format.SEGMENT_VERSION_CEILING);
  store<u64>(header, version, format.SEGMENT_VERSION);
}

/** Closes a header whose fields and list, which ends at `listEnd`, are written. Returns where frames begin. */
export function sealHeader(header: usize, listEnd: usize): u32 {
  const list = header + format.SEGMENT_HEADER_SIZE;
  requires(listEnd > list && listEnd - list <= listSizeMax());
  const size = <u32>(listEnd - list);
  store<u32>(header, size, format.SEGMENT_LIST_SIZE);
  store<u64>(header, listHash(header, size), format.SEGMENT_LIST_HASH);
  store<u64>(header, headerHash(header), format.SEGMENT_HASH);
  const end = alignUp(format.SEGMENT_HEADER_SIZE + size);
  for (let pad: u32 = format.SEGMENT_HEADER_SIZE + size; pad < end; pad++) store<u8>(header + pad, 0);
  ensures(end <= Geometry.segmentSize >> 1);
  return end;
}

/**
 * Builds the header of a new segment in its block. Returns where frames begin, or 0 when the list does not fit.
 * Work: one pass over the descriptors.
 */
export function buildHeader(segment: Segment, before: Segment | null, seal: u64, ceiling: u64, version: u64, salt: u64): u32 {
  requires(segment.slot != segment.nextSlot);
  requiresBlock(segment.block, Geometry.segmentSize);
  const header = <usize>segment.block;
  writeIdentity(header, Store.idLow, Store.idHigh, segment.sequence, salt, segment.slot, segment.nextSlot);
  writePlace(header, before === null ? 0 : addressOf(before.sequence, before.end), before === null ? 0 : before.lastHash, seal, ceiling, version);
  const listEnd = writeList(header + format.SEGMENT_HEADER_SIZE, segment, seal);
  if (listEnd == 0) {
    relist(segment.sequence);
    return 0;
  }
  segment.headerEnd = sealHeader(header, listEnd);
  segment.seed = seedOf(header);
  noteHeader(segment, header);
  return segment.headerEnd;
}

/**
 * What stands at the beginning of a slot: a header of this store (STATUS_OK), nothing or the remains of one that a crash cut (STATUS_EMPTY), or
 * damage (STATUS_CORRUPT).
 */
export function examineHeader(header: usize, slot: u32, available: u32): i32 {
  requiresBlock(header, available);
  requires(available >= <u32>format.SEGMENT_HEADER_SIZE && available <= Geometry.segmentSize);
  if (isZero(header, header + format.SEGMENT_HEADER_SIZE)) return STATUS_EMPTY;
  if (load<u32>(header) != format.SEGMENT_MAGIC_LOW || load<u32>(header, 4) != format.SEGMENT_MAGIC_HIGH) return STATUS_CORRUPT;
  if (load<u64>(header, format.SEGMENT_HASH) != headerHash(header)) return STATUS_CORRUPT;
  if (load<u64>(header, format.SEGMENT_STORE_ID_LOW) != Store.idLow || load<u64>(header, format.SEGMENT_STORE_ID_HIGH) != Store.idHigh) return STATUS_CORRUPT;
  if (load<u32>(header, format.SEGMENT_SLOT) != slot || load<u64>(header, format.SEGMENT_SEQUENCE) == 0) return STATUS_CORRUPT;
  if (!isAddressable(load<u64>(header, format.SEGMENT_SEQUENCE)) || load<u64>(header, format.SEGMENT_VERSION_CEILING) > FIELD_MASK) return STATUS_CORRUPT;
  const size = load<u32>(header, format.SEGMENT_LIST_SIZE);
  if (size == 0 || size > listSizeMax() || size > available - format.SEGMENT_HEADER_SIZE) return STATUS_CORRUPT;
  if (load<u64>(header, format.SEGMENT_LIST_HASH) == listHash(header, size)) return isListSound(header) ? STATUS_OK : STATUS_CORRUPT;
  return isListCut(header, size) ? STATUS_EMPTY : STATUS_CORRUPT;
}

/**
 * Whether a sector of the list is missing. A run without a gap before it begins at an unexpected slot, so no sector of a list is zero, nor
 * one flipped bit away from it.
 */
function isListCut(header: usize, size: u32): bool {
  requires(size != 0 && size <= listSizeMax());
  const end = header + alignUp(format.SEGMENT_HEADER_SIZE + size);
  for (let sector = header + format.SECTOR_SIZE; sector < end; sector += format.SECTOR_SIZE) {
    if (isZero(sector, min<usize>(sector + format.SECTOR_SIZE, end))) return true;
  }
  return false;
}

/** Notes in a descriptor what is asked of a header later, when its segment may not be in memory. */
function noteHeader(segment: Segment, header: usize): void {
  requiresBlock(header, format.SEGMENT_HEADER_SIZE);
  segment.seed = seedOf(header);
  segment.previousEnd = load<u64>(header, format.SEGMENT_PREVIOUS_END);
  segment.previousHash = load<u64>(header, format.SEGMENT_PREVIOUS_HASH);
  segment.seal = load<u64>(header, format.SEGMENT_SEAL);
  segment.ceiling = load<u64>(header, format.SEGMENT_VERSION_CEILING);
  segment.version = load<u64>(header, format.SEGMENT_VERSION) & FIELD_MASK;
}

/** Fills a descriptor from a header that was examined. */
export function adoptHeader(segment: Segment, header: usize): void {
  requiresBlock(header, Geometry.segmentSize);
  noteHeader(segment, header);
  segment.nextSlot = load<u32>(header, format.SEGMENT_NEXT_SLOT);
  segment.headerEnd = alignUp(format.SEGMENT_HEADER_SIZE + load<u32>(header, format.SEGMENT_LIST_SIZE));
  segment.end = segment.headerEnd;
  segment.written = segment.headerEnd;
}

/** A reader of the list of a header that was examined: one segment a step. */
export class ListReader {
  static at: usize = 0;
  static end: usize = 0;
  static remaining: u64 = 0;
  /** How many segments the runs to come name. */
  static left: u64 = 0;
  static sequence: u64 = 0;
  static slot: u32 = 0;
  static valid: bool = false;
}

export function startList(header: usize): void {
  requiresBlock(header, format.SEGMENT_HEADER_SIZE);
  ListReader.at = header + format.SEGMENT_HEADER_SIZE;
  ListReader.end = ListReader.at + load<u32>(header, format.SEGMENT_LIST_SIZE) - 1;
  ListReader.remaining = 0;
  ListReader.sequence = 0;
  ListReader.slot = 0;
  ListReader.left = load<u32>(header, format.SEGMENT_LIST_COUNT);
  ListReader.valid = load<u8>(ListReader.end) == LIST_END && ListReader.left <= LISTED_MAX;
}

function readVarint(): u64 {
  requires(ListReader.at <= ListReader.end);
  let value: u64 = 0;
  let shift: u64 = 0;
  while (ListReader.at < ListReader.end && shift < 63) {
    const byte = <u64>load<u8>(ListReader.at++);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
    shift += 7;
  }
  ListReader.valid = false;
  return 0;
}

/** The next segment of the list into `ListReader.sequence` and `slot`; false at the end, or where the list makes no sense. */
export function nextListed(): bool {
  if (ListReader.remaining > 0) {
    ListReader.remaining--;
    ListReader.sequence++;
    ListReader.slot++;
    return true;
  }
  if (ListReader.at == ListReader.end && ListReader.left != 0) ListReader.valid = false;
  if (!ListReader.valid || ListReader.at == ListReader.end) return false;
  const first = ListReader.sequence == 0;
  const gap = readVarint();
  const zigzag = <u32>readVarint();
  ListReader.remaining = readVarint();
  if (!ListReader.valid) return false;
  const sequence = ListReader.sequence + (first ? gap : gap + 1);
  if (sequence <= ListReader.sequence || ListReader.remaining >= ListReader.left) {
    ListReader.valid = false;
    return false;
  }
  ListReader.left -= ListReader.remaining + 1;
  ListReader.slot = (first ? 0 : ListReader.slot + 1) + ((zigzag >> 1) ^ (0 - (zigzag & 1)));
  ListReader.sequence = sequence;
  return true;
}

/** Whether a list names segments before its own, in order, and as many as its header says. O(runs). */
function isListSound(header: usize): bool {
  startList(header);
  while (nextListed()) {
    ListReader.sequence += ListReader.remaining;
    ListReader.slot += <u32>ListReader.remaining;
    ListReader.remaining = 0;
  }
  return ListReader.valid && ListReader.sequence < load<u64>(header, format.SEGMENT_SEQUENCE);
}
