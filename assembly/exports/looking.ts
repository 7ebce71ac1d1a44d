/** The exports that look at the store and change nothing. */
import { xxh64 } from '../hash/xxh64';
import { Moved } from '../compaction/move';
import { debtSize } from '../compaction/pace';
import { Round } from '../compaction/step';
import { Sweep } from '../compaction/tombstones';
import { indexSize } from '../index/directory';
import { Log } from '../log/log';
import { Geometry, Segment, Segments } from '../log/segment';
import { Slots } from '../log/slots';
import { idleSize, touchedSize } from '../memory/allocator';
import { setNumber, setU32 } from '../memory/control';
import { Windows } from '../memory/windows';
import * as layout from '../shared/layout';
import { treeSize } from '../order/tree';
import { Space } from '../space/live';
import { Old } from '../versions/old';
import { Pins } from '../versions/pins';
import { Watches } from '../versions/watch';
import { Debug, verifyAll, verifyBytes } from '../verify/verify';
import { requires, requiresBlock, requiresRange } from '../verify/contract';

export function verify(): i32 {
  return verifyAll();
}

/** A cursor over the segments of the store: the slot of the next, its number in the control block; -1 at the end. */
export function nextSegmentSlot(isFirst: bool): i32 {
  Walk.segment = isFirst ? Segments.first : Walk.segment!.next;
  const segment = Walk.segment;
  if (segment === null) return -1;
  setNumber(layout.CONTROL_SEQUENCE, segment.sequence);
  return <i32>segment.slot;
}

class Walk {
  static segment: Segment | null = null;
}

/** Whether the segment under the cursor holds live records. */
export function isSegmentLive(): bool {
  requires(Walk.segment !== null);
  return Walk.segment!.isKept;
}

/** Verifies bytes of the slot of the segment under the cursor, read from the file. */
export function verifySlotBytes(block: usize): i32 {
  requires(Walk.segment !== null);
  requiresBlock(block, Geometry.segmentSize);
  return verifyBytes(Walk.segment!, block);
}

/** The highest version that was issued. */
export function lastVersion(): f64 {
  return <f64>Log.version;
}

/** How many segments there are whose records may be read. */
export function segmentCount(): u32 {
  return Segments.keptCount;
}

/** The slots that stand ready for the log. */
export function readySlotCount(): u32 {
  return Slots.readyCount;
}

function stat(index: u32, value: u64): void {
  setNumber(layout.CONTROL_STATS + (<usize>index << 3), value);
}

/** Fills the statistics of the control block. */
export function stats(): void {
  let resident: u64 = 0;
  let dead: u64 = 0;
  let listed: u64 = 0;
  let size: u64 = 0;
  for (let segment: Segment | null = Segments.first; segment !== null; segment = segment!.next) {
    if (segment.isKept) resident++;
    else dead++;
    if (segment.unlistedBy == 0) listed++;
    size += segment === Log.segment ? Log.tail : segment.end;
  }
  stat(layout.STAT_KEY_COUNT, Space.keyCount);
  stat(layout.STAT_TOMBSTONE_COUNT, Space.tombstoneCount);
  stat(layout.STAT_LIVE_SIZE, Space.liveSize);
  stat(layout.STAT_SEGMENT_COUNT, resident);
  stat(layout.STAT_DEAD_SEGMENT_COUNT, dead);
  stat(layout.STAT_LISTED_SEGMENT_COUNT, listed);
  stat(layout.STAT_INDEX_SIZE, indexSize());
  stat(layout.STAT_MEMORY_SIZE, touchedSize());
  stat(layout.STAT_MEMORY_RESERVED_SIZE, <u64>memory.size() << 16);
  stat(layout.STAT_MEMORY_IDLE_SIZE, idleSize());
  stat(layout.STAT_VERSION, Log.version);
  stat(layout.STAT_LOG_SIZE, size);
  stat(layout.STAT_READY_SLOT_COUNT, Slots.readyCount);
  stat(layout.STAT_CEILING, Log.ceiling);
  stat(layout.STAT_SEAL, Log.seal);
  stat(layout.STAT_OLD_VERSION_COUNT, Old.versionCount);
  stat(layout.STAT_ORDER_SIZE, treeSize());
  setNumber(layout.CONTROL_SEEN_VERSION_COUNT, Pins.deadCount);
  setNumber(layout.CONTROL_OLD_VERSION_SIZE, Old.size);
  setNumber(layout.CONTROL_WATCHED_SEGMENT_COUNT, Watches.keptCount);
  setNumber(layout.CONTROL_COMPACTION_DEBT, debtSize());
  setNumber(layout.CONTROL_COMPACTION_MOVED, Moved.bytes);
  setNumber(layout.CONTROL_COMPACTION_EMPTIED, Round.emptied);
  setNumber(layout.CONTROL_COMPACTION_FORGOTTEN, Sweep.removed);
}

/** Continues the hash in the control block over the first `size` bytes of the key window: they are hashed with what came before as the seed. */
export function continueHash(size: u32): void {
  requiresRange(Windows.key, size);
  const seed = <u64>load<u32>(layout.CONTROL_HASH_LOW) | (<u64>load<u32>(layout.CONTROL_HASH_HIGH) << 32);
  const hash = xxh64(Windows.key, size, seed);
  setU32(layout.CONTROL_HASH_LOW, <u32>hash);
  setU32(layout.CONTROL_HASH_HIGH, <u32>(hash >> 32));
}

/** In the debug build: verify everything after each mutation from now on. */
export function setChecks(isOn: bool): void {
  Debug.checks = isOn;
}
