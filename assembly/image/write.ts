/**
 * Writing an image of the index: what recovery would find out by reading every record up to an address of the log. Facts, then the segments, then the pages of the hash index in the order of
 * hashes, slot by slot; nothing may change in between.
 */
import { Index, DEPTH_MASK, ENTRY_SHIFT, PAGE_SIZE } from '../index/directory';
import { Log, nextSalt, tailAddress } from '../log/log';
import { Geometry, Segment, Segments } from '../log/segment';
import * as format from '../shared/format';
import * as layout from '../shared/layout';
import { Space } from '../space/live';
import { History } from '../versions/history';
import { Old } from '../versions/old';
import { Image, sealImageSlot } from './slot';
import { requires, requiresBlock } from '../verify/contract';

const GROUP_COUNT: u32 = 16;
const GROUP_SHIFT: u32 = 6;

/** What of the image was not written yet. */
class Rest {
  static isFacts: bool = false;
  static segment: Segment | null = null;
  static entry: u32 = 0;
  static group: u32 = 0;
  static index: u32 = 0;
}

/** Whether the index is all that there is to know: no old version is kept, nothing is staged or damaged, and no record waits in an open frame. */
export function canImage(): bool {
  return !History.isKept && Old.versionCount == 0 && !Space.isHeld && !Log.isDamaged && Log.frame == 0 && Log.tail < Geometry.segmentSize;
}

/** Begins an image of the store as it is now. */
export function startImage(): void {
  requires(canImage());
  Image.id = nextSalt() | 1;
  Rest.isFacts = true;
  Rest.segment = Segments.first;
  Rest.entry = 0;
  Rest.group = 0;
  Rest.index = 0;
}

function putFacts(at: usize): void {
  requiresBlock(at, format.FACTS_SIZE);
  memory.fill(at, 0, format.FACTS_SIZE);
  store<u8>(at, format.ENTRY_FACTS);
  store<u8>(at, <u8>Index.depth, format.FACTS_DEPTH);
  store<u8>(at, <u8>(load<u32>(layout.CONTROL_HAS_EXPIRY) != 0), format.FACTS_HAS_EXPIRY);
  store<u64>(at, tailAddress(), format.FACTS_ADDRESS);
  store<u64>(at, Log.version, format.FACTS_VERSION);
  store<u64>(at, Image.secretLow, format.FACTS_SECRET_LOW);
  store<u64>(at, Image.secretHigh, format.FACTS_SECRET_HIGH);
  store<u64>(at, Space.keyCount, format.FACTS_KEY_COUNT);
  store<u64>(at, Space.tombstoneCount, format.FACTS_TOMBSTONE_COUNT);
  store<u64>(at, Space.liveSize, format.FACTS_LIVE_SIZE);
  store<u64>(at, Space.partSize, format.FACTS_PART_SIZE);
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
  store<u32>(at, segment.live, format.KEPT_LIVE);
  store<u32>(at, segment.keyCount, format.KEPT_KEY_COUNT);
  store<u32>(at, segment.tombstoneCount, format.KEPT_TOMBSTONE_COUNT);
}

/** Writes the slots of a group that are taken. Returns where that ends. */
function putGroup(at: usize, group: usize): usize {
  requiresBlock(at, 8);
  requiresBlock(group, <usize>8 << GROUP_SHIFT);
  let bits: u64 = 0;
  let to = at + 8;
  for (let number: u64 = 0; number < 64; number++) {
    const slot = load<u64>(group + (<usize>number << 3));
    if (slot == 0) continue;
    bits |= <u64>1 << number;
    store<u64>(to, slot);
    to += 8;
  }
  store<u64>(at, bits);
  return to;
}

/** Writes pages, or parts of them, up to `limit`. Returns where that ends. */
function putPages(at: usize, limit: usize): usize {
  requires(at <= limit);
  const groupMax: usize = 8 + (<usize>8 << GROUP_SHIFT);
  while (Rest.entry < <u32>1 << Index.depth && at + format.PAGE_HEADER_SIZE + groupMax <= limit) {
    const word = load<u32>(Index.directory + (<usize>Rest.entry << ENTRY_SHIFT));
    const depth = word & DEPTH_MASK;
    const page = <usize>word & ~(PAGE_SIZE - 1);
    const head = at;
    const first = Rest.group;
    at += format.PAGE_HEADER_SIZE;
    while (Rest.group < GROUP_COUNT && at + groupMax <= limit) {
      at = putGroup(at, page + (<usize>Rest.group << (GROUP_SHIFT + 3)));
      Rest.group++;
    }
    store<u8>(head, format.ENTRY_PAGE);
    store<u8>(head, <u8>depth, format.PAGE_DEPTH);
    store<u8>(head, <u8>first, format.PAGE_FIRST_GROUP);
    store<u8>(head, <u8>(Rest.group - first), format.PAGE_GROUP_COUNT);
    store<u32>(head, Index.depth == 0 ? 0 : Rest.entry << (32 - Index.depth), format.PAGE_PREFIX);
    if (Rest.group < GROUP_COUNT) break;
    Rest.group = 0;
    Rest.entry += 1 << (Index.depth - depth);
  }
  return at;
}

/** Writes the next slot of the image into a block. Returns whether it is the last: then it names itself as next, and otherwise `nextSlot`. */
export function fillImageSlot(block: usize, slot: u32, nextSlot: u32): bool {
  requiresBlock(block, Geometry.segmentSize);
  const limit = block + Geometry.segmentSize;
  let at = block + format.IMAGE_HEADER_SIZE;
  if (Rest.isFacts) {
    putFacts(at);
    at += format.FACTS_SIZE;
    Rest.isFacts = false;
  }
  while (Rest.segment !== null && at + format.KEPT_SIZE <= limit) {
    if (Rest.segment!.isKept) {
      putSegment(at, Rest.segment!);
      at += format.KEPT_SIZE;
    }
    Rest.segment = Rest.segment!.next;
  }
  if (Rest.segment === null) at = putPages(at, limit);
  const isLast = Rest.segment === null && Rest.entry >= <u32>1 << Index.depth;
  sealImageSlot(block, at, slot, isLast ? slot : nextSlot, Rest.index++);
  return isLast;
}
