/**
 * Beginning with an image of the index, where recovery would read every record. What the image says holds up to an address of the log; what came after it is replayed. A key that was written anew while
 * the image was is not in it. Segments are cold until somebody reads them. Those that were given up since are forgotten, with the slots of the index that point into them: whatever stood there was written again.
 */
import { seedKeyHash } from '../hash/keyhash';
import { Index, PAGE_SIZE, SLOT_REMOVED, deepenDirectory, openDirectory, openPage, pageEntry } from '../index/directory';
import { FIELD_MASK, Segment, Segments, addSegment, addressOf, removeSegment, segmentOf, sequenceOf } from '../log/segment';
import { setU32 } from '../memory/control';
import { openWindow } from '../paging/window';
import * as format from '../shared/format';
import * as layout from '../shared/layout';
import { STATUS_CORRUPT, STATUS_MEMORY_FULL, STATUS_OK } from '../shared/status';
import { Space } from '../space/live';
import { Image } from './chunk';
import { requires, requiresBlock, requiresSegment } from '../verify/contract';

/** What recovery begins with. */
export class Begun {
  /** Everything before this address of the log is in the index; 0 where nothing is. */
  static address: u64 = 0;
  static version: u64 = 0;
  /** Whether segments of the image are gone, so that slots of the index may point nowhere. */
  static hasLost: bool = false;
  /** Whether what came after is yet to be replayed: until then the index does not agree with the log. */
  static isBehind: bool = false;
}

function takeFacts(at: usize): i32 {
  requiresBlock(at, format.FACTS_SIZE);
  Begun.isBehind = true;
  Begun.address = load<u64>(at, format.FACTS_ADDRESS);
  Begun.version = load<u64>(at, format.FACTS_VERSION);
  Image.secretLow = load<u64>(at, format.FACTS_SECRET_LOW);
  Image.secretHigh = load<u64>(at, format.FACTS_SECRET_HIGH);
  seedKeyHash(Image.secretLow, Image.secretHigh);
  if (load<u8>(at, format.FACTS_HAS_EXPIRY) != 0) setU32(layout.CONTROL_HAS_EXPIRY, 1);
  return openWindow() && openDirectory(load<u8>(at, format.FACTS_DEPTH)) ? STATUS_OK : STATUS_MEMORY_FULL;
}

function takeSegment(at: usize): i32 {
  requiresBlock(at, format.KEPT_SIZE);
  const segment = addSegment(load<u64>(at, format.KEPT_SEQUENCE), 0, load<u32>(at, format.KEPT_SLOT));
  if (segment === null) return STATUS_MEMORY_FULL;
  segment.isFromImage = true;
  segment.isEnded = load<u8>(at, format.KEPT_IS_ENDED) != 0;
  segment.seed = load<u64>(at, format.KEPT_SEED);
  segment.lastHash = load<u64>(at, format.KEPT_LAST_HASH);
  segment.previousEnd = load<u64>(at, format.KEPT_PREVIOUS_END);
  segment.previousHash = load<u64>(at, format.KEPT_PREVIOUS_HASH);
  segment.seal = load<u64>(at, format.KEPT_SEAL);
  segment.ceiling = load<u64>(at, format.KEPT_VERSION_CEILING);
  segment.version = load<u64>(at, format.KEPT_VERSION);
  segment.firstVersion = load<u64>(at, format.KEPT_FIRST_VERSION);
  segment.nextSlot = load<u32>(at, format.KEPT_NEXT_SLOT);
  segment.headerEnd = load<u32>(at, format.KEPT_HEADER_END);
  segment.end = load<u32>(at, format.KEPT_END);
  segment.written = segment.end;
  segment.live = load<u32>(at, format.KEPT_LIVE);
  segment.newest = segment.live;
  segment.keyCount = load<u32>(at, format.KEPT_KEY_COUNT);
  segment.tombstoneCount = load<u32>(at, format.KEPT_TOMBSTONE_COUNT);
  segment.expiringCount = load<u32>(at, format.KEPT_EXPIRING_COUNT);
  Space.liveSize += segment.live;
  Space.keyCount += segment.keyCount;
  Space.tombstoneCount += segment.tombstoneCount;
  Space.expiringCount += segment.expiringCount;
  return STATUS_OK;
}

/** Takes some groups of a page. Returns where that ends; 0 where memory is at its limit. */
function takePage(at: usize): usize {
  requiresBlock(at, format.PAGE_HEADER_SIZE);
  const depth = load<u8>(at, format.PAGE_DEPTH);
  if (!deepenDirectory(depth)) return 0;
  const entry = pageEntry(load<u32>(at, format.PAGE_PREFIX));
  const page = openPage(entry, depth);
  if (page == 0) return 0;
  const first = <usize>load<u8>(at, format.PAGE_FIRST_GROUP);
  const end = first + <usize>load<u8>(at, format.PAGE_GROUP_COUNT);
  let count: u32 = 0;
  at += format.PAGE_HEADER_SIZE;
  for (let group = page + (first << 9); group < page + (end << 9); group += 1 << 9) {
    let bits = load<u64>(at);
    at += 8;
    count += <u32>popcnt<u64>(bits);
    for (; bits != 0; bits &= bits - 1) {
      store<u64>(group + (<usize>ctz<u64>(bits) << 3), load<u64>(at));
      at += 8;
    }
  }
  store<u32>(entry, load<u32>(entry, 4) + count, 4);
  return at;
}

/** Takes what an examined chunk of an image says. STATUS_OK, or STATUS_MEMORY_FULL, or STATUS_CORRUPT for what was never written. */
export function takeImageChunk(chunk: usize): i32 {
  requiresBlock(chunk, format.IMAGE_HEADER_SIZE);
  let at = chunk + format.IMAGE_HEADER_SIZE;
  const end = at + load<u32>(chunk, format.IMAGE_SIZE);
  while (at < end) {
    const kind = load<u8>(at);
    let status: i32 = STATUS_OK;
    if (kind == format.ENTRY_FACTS) {
      status = takeFacts(at);
      at += format.FACTS_SIZE;
    } else if (kind == format.ENTRY_SEGMENT) {
      status = takeSegment(at);
      at += format.KEPT_SIZE;
    } else if (kind == format.ENTRY_PAGE && Index.directory != 0) {
      at = takePage(at);
      if (at == 0) return STATUS_MEMORY_FULL;
    } else return STATUS_CORRUPT;
    if (status != STATUS_OK) return status;
  }
  return STATUS_OK;
}

/** The segment of a number that nobody but the image has named yet, or null. */
export function unconfirmed(sequence: u64): Segment | null {
  requires(sequence != 0);
  if (Segments.count == 0) return null;
  const segment = segmentOf(addressOf(sequence, 0));
  return segment !== null && segment.isFromImage ? segment : null;
}

/** Takes the word of the image for a segment that the newest header lists. False where the image does not know it, or in another slot. */
export function confirmFromImage(sequence: u64, slot: u32): bool {
  const segment = unconfirmed(sequence);
  if (segment === null || segment.slot != slot) return false;
  segment.isFromImage = false;
  return true;
}

/** Takes what stood in a segment out of all counts: it was given up since the image. */
export function discount(segment: Segment): void {
  requiresSegment(segment);
  Space.liveSize -= segment.live;
  Space.keyCount -= segment.keyCount;
  Space.tombstoneCount -= segment.tombstoneCount;
  Space.expiringCount -= segment.expiringCount;
  segment.live = 0;
  segment.newest = 0;
  segment.keyCount = 0;
  segment.tombstoneCount = 0;
  segment.expiringCount = 0;
  Begun.hasLost = true;
}

/** Forgets the segments that nobody but the image knows. */
export function forgetUnconfirmed(): void {
  let segment: Segment | null = Segments.first;
  while (segment !== null) {
    const current: Segment = segment;
    segment = current.next;
    if (!current.isFromImage) continue;
    discount(current);
    removeSegment(current);
  }
}

/** Takes the slots out of the index that point into segments that are gone. O(slots of the index), and nothing where none is. */
export function dropLostSlots(): void {
  if (!Begun.hasLost) return;
  requires(Index.directory != 0);
  for (let entry: u32 = 0; entry < <u32>1 << Index.depth; entry++) {
    const page = pageAtEntry(entry);
    if (page == 0) continue;
    for (let at = page; at < page + PAGE_SIZE; at += 8) {
      const slot = load<u64>(at);
      if ((slot & FIELD_MASK) != 0 && segmentOf(slot & FIELD_MASK) === null) store<u64>(at, SLOT_REMOVED);
    }
  }
}

/** The page of an entry of the directory, if it is the first that points there, or 0. */
function pageAtEntry(entry: u32): usize {
  requires(entry < <u32>1 << Index.depth);
  const at = Index.directory + (<usize>entry << 3);
  const page = <usize>load<u32>(at) & ~(PAGE_SIZE - 1);
  return entry != 0 && (<usize>load<u32>(at - 8) & ~(PAGE_SIZE - 1)) == page ? 0 : page;
}

/** The segment in which replay begins. */
export function firstToReplay(): u64 {
  return Begun.address == 0 ? 0 : sequenceOf(Begun.address);
}
