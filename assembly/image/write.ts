/**
 * Writing an image of the index: what recovery would find out by reading every record up to an address of the log. Facts, then the pages of the hash index in the order of hashes, then the segments,
 * chunk by chunk; between two chunks the store may be used, and `cut.ts` sees to it that what is written holds together.
 */
import { Index, DEPTH_MASK, ENTRY_SHIFT, PAGE_SIZE, SLOT_REMOVED } from '../index/directory';
import { Log, nextSalt, tailAddress } from '../log/log';
import { FIELD_MASK, Geometry, Segment, Segments, sequenceOf } from '../log/segment';
import { allocate, release, shiftFor } from '../memory/allocator';
import { provide } from '../paging/evict';
import * as format from '../shared/format';
import * as layout from '../shared/layout';
import { Space } from '../space/live';
import { hasParts } from '../space/parts';
import { History } from '../versions/history';
import { Cut, closeCut, openCut } from './cut';
import { Image, chunkSize, sealImageChunk } from './chunk';
import { requires, requiresBlock } from '../verify/contract';

const GROUP_COUNT: u32 = 16;
const GROUP_SHIFT: u32 = 6;
/** Behind the last page. */
const PREFIX_END: u64 = 1 << 32;
/** What groups, pages and segments take of an image beside the words of keys, for one of each. */
const GROUP_HEADER_SIZE: u32 = 8;

/** The image that is being written, and what of it was not yet. */
class Rest {
  static id: u64 = 0;
  /** The chunk, and a copy of the page that is being written, which keys do not change; 0 where no image is being written. */
  static chunk: usize = 0;
  static page: usize = 0;
  static pagePrefix: u64 = 0;
  static pageDepth: u32 = 0;
  static group: u32 = GROUP_COUNT;
  static isFacts: bool = false;
  static version: u64 = 0;
  static hasExpiry: bool = false;
  static index: u32 = 0;
}

/** Whether the index is all that there is to know of what is newest: no history is kept, no value in parts, nothing is staged or damaged, and no record waits in an open frame. */
function canImage(): bool {
  return Cut.address == 0 && !History.isKept && !hasParts() && !Space.isHeld && !Log.isDamaged && Log.frame == 0 && Log.tail < Geometry.segmentSize;
}

/** About how many bytes an image would take now. */
export function imageSize(): u64 {
  const keys = Space.keyCount + Space.tombstoneCount;
  return (keys << 3) + <u64>Index.pageCount * (GROUP_COUNT * GROUP_HEADER_SIZE + format.PAGE_HEADER_SIZE) + <u64>Segments.count * format.KEPT_SIZE;
}

/** Begins an image of the store as it is now. False where it cannot be had, or memory is at its limit. */
export function startImage(): bool {
  if (!canImage()) return false;
  provide(chunkSize() + <u32>PAGE_SIZE);
  Rest.chunk = allocate(shiftFor(chunkSize()));
  Rest.page = Rest.chunk == 0 ? 0 : allocate(shiftFor(PAGE_SIZE));
  if (Rest.page == 0) {
    if (Rest.chunk != 0) release(Rest.chunk, shiftFor(chunkSize()));
    return false;
  }
  Rest.id = nextSalt() | 1;
  Rest.isFacts = true;
  Rest.version = Log.version;
  Rest.hasExpiry = load<u32>(layout.CONTROL_HAS_EXPIRY) != 0;
  Rest.group = GROUP_COUNT;
  Rest.index = 0;
  Segments.imaging = Segments.first;
  openCut(tailAddress());
  return true;
}

/** Ends writing the image, whether it is whole or not. */
export function endImage(): void {
  requires(Cut.address != 0);
  release(Rest.chunk, shiftFor(chunkSize()));
  release(Rest.page, shiftFor(PAGE_SIZE));
  Segments.imaging = null;
  closeCut();
}

/** Whether nothing may be written now, because what a batch has changed may yet be taken back. */
export function isImageHeld(): bool {
  return Space.isHeld;
}

/** The identity of the image that was written last. */
export function imageId(): u64 {
  return Rest.id;
}

function putFacts(at: usize): void {
  requiresBlock(at, format.FACTS_SIZE);
  memory.fill(at, 0, format.FACTS_SIZE);
  store<u8>(at, format.ENTRY_FACTS);
  store<u8>(at, <u8>Index.depth, format.FACTS_DEPTH);
  store<u8>(at, <u8>Rest.hasExpiry, format.FACTS_HAS_EXPIRY);
  store<u64>(at, Cut.address, format.FACTS_ADDRESS);
  store<u64>(at, Rest.version, format.FACTS_VERSION);
  store<u64>(at, Image.secretLow, format.FACTS_SECRET_LOW);
  store<u64>(at, Image.secretHigh, format.FACTS_SECRET_HIGH);
}

function putSegment(at: usize, segment: Segment): void {
  requiresBlock(at, format.KEPT_SIZE);
  memory.fill(at, 0, format.KEPT_SIZE);
  store<u8>(at, format.ENTRY_SEGMENT);
  store<u8>(at, <u8>segment.isEnded, format.KEPT_IS_ENDED);
  store<u64>(at, segment.sequence, format.KEPT_SEQUENCE);
  store<u64>(at, segment.seed, format.KEPT_SEED);
  store<u64>(at, segment.lastHash, format.KEPT_LAST_HASH);
  store<u64>(at, segment.previousEnd, format.KEPT_PREVIOUS_END);
  store<u64>(at, segment.previousHash, format.KEPT_PREVIOUS_HASH);
  store<u64>(at, segment.seal, format.KEPT_SEAL);
  store<u64>(at, segment.ceiling, format.KEPT_VERSION_CEILING);
  store<u64>(at, segment.version, format.KEPT_VERSION);
  store<u64>(at, segment.firstVersion, format.KEPT_FIRST_VERSION);
  store<u32>(at, segment.slot, format.KEPT_SLOT);
  store<u32>(at, segment.nextSlot, format.KEPT_NEXT_SLOT);
  store<u32>(at, segment.headerEnd, format.KEPT_HEADER_END);
  store<u32>(at, segment.end, format.KEPT_END);
  store<u32>(at, segment.imageSize, format.KEPT_LIVE);
  store<u32>(at, segment.imageKeyCount, format.KEPT_KEY_COUNT);
  store<u32>(at, segment.imageTombstoneCount, format.KEPT_TOMBSTONE_COUNT);
  store<u32>(at, segment.imageExpiringCount, format.KEPT_EXPIRING_COUNT);
}

/** Writes the slots of a group that are taken. Returns where that ends. */
function putGroup(at: usize, group: usize): usize {
  requiresBlock(at, GROUP_HEADER_SIZE);
  requiresBlock(group, <usize>8 << GROUP_SHIFT);
  let bits: u64 = 0;
  let to = at + GROUP_HEADER_SIZE;
  for (let number: u64 = 0; number < 64; number++) {
    const slot = load<u64>(group + (<usize>number << 3));
    if (slot == 0) continue;
    bits |= <u64>1 << number;
    // What came after the cut is replayed. Its slot stays taken, so that no search ends there.
    store<u64>(to, (slot & FIELD_MASK) >= Cut.address ? SLOT_REMOVED : slot);
    to += 8;
  }
  store<u64>(at, bits);
  return to;
}

/** Copies the next page, which counts as written from now on. */
function takePage(): void {
  requires(Cut.prefix < PREFIX_END);
  const number = Index.depth == 0 ? 0 : <u32>(Cut.prefix >> (32 - Index.depth));
  const word = load<u32>(Index.directory + (<usize>number << ENTRY_SHIFT));
  Rest.pagePrefix = Cut.prefix;
  Rest.pageDepth = word & DEPTH_MASK;
  Rest.group = 0;
  memory.copy(Rest.page, <usize>word & ~(PAGE_SIZE - 1), PAGE_SIZE);
  Cut.prefix += PREFIX_END >> Rest.pageDepth;
}

/** Writes pages, or parts of them, up to `limit`. Returns where that ends. */
function putPages(at: usize, limit: usize): usize {
  requires(at <= limit);
  const groupMax: usize = GROUP_HEADER_SIZE + (<usize>8 << GROUP_SHIFT);
  while (at + format.PAGE_HEADER_SIZE + groupMax <= limit) {
    if (Rest.group == GROUP_COUNT) {
      if (Cut.prefix == PREFIX_END) break;
      takePage();
    }
    const head = at;
    const first = Rest.group;
    at += format.PAGE_HEADER_SIZE;
    while (Rest.group < GROUP_COUNT && at + groupMax <= limit) {
      at = putGroup(at, Rest.page + (<usize>Rest.group << (GROUP_SHIFT + 3)));
      Rest.group++;
    }
    store<u8>(head, format.ENTRY_PAGE);
    store<u8>(head, <u8>Rest.pageDepth, format.PAGE_DEPTH);
    store<u8>(head, <u8>first, format.PAGE_FIRST_GROUP);
    store<u8>(head, <u8>(Rest.group - first), format.PAGE_GROUP_COUNT);
    store<u32>(head, <u32>Rest.pagePrefix, format.PAGE_PREFIX);
  }
  return at;
}

/** Writes segments up to `limit`: those that may hold a record before the cut, also where it was given up, because the list that recovery reads may still have it. Returns where that ends. */
function putSegments(at: usize, limit: usize): usize {
  requires(at <= limit && Cut.prefix == PREFIX_END);
  const newest = sequenceOf(Cut.address);
  while (Segments.imaging !== null && at + format.KEPT_SIZE <= limit) {
    const segment = Segments.imaging!;
    if (segment.sequence > newest) {
      Segments.imaging = null;
      break;
    }
    putSegment(at, segment);
    at += format.KEPT_SIZE;
    Segments.imaging = segment.next;
  }
  return at;
}

/** Writes the next chunk of the image, for a slot, and shows it as an output. Returns whether it is the last: then it names its slot as next, and otherwise `nextSlot`. */
export function fillImageChunk(slot: u32, nextSlot: u32): bool {
  requires(Cut.address != 0 && !Space.isHeld);
  const limit = Rest.chunk + chunkSize();
  let at = Rest.chunk + format.IMAGE_HEADER_SIZE;
  if (Rest.isFacts) {
    putFacts(at);
    at += format.FACTS_SIZE;
    Rest.isFacts = false;
  }
  at = putPages(at, limit);
  const hasPages = Rest.group < GROUP_COUNT || Cut.prefix < PREFIX_END;
  if (!hasPages) at = putSegments(at, limit);
  const isLast = !hasPages && Segments.imaging === null;
  sealImageChunk(Rest.chunk, at, Rest.id, slot, isLast ? slot : nextSlot, Rest.index++);
  return isLast;
}
