/** The exports with which compaction is driven beyond what every commit does for it. */
import { Moved } from '../compaction/move';
import { Pace, debtSize, look } from '../compaction/pace';
import { abandonRound as abandon, isRunning, step } from '../compaction/step';
import { Sweep, isSweepDue, isSweepWaiting, startSweep, sweepStep } from '../compaction/tombstones';
import { Victims } from '../compaction/victims';
import * as log from '../log/log';
import { Log } from '../log/log';
import { Geometry, Segment, Segments } from '../log/segment';
import { STATUS_OK } from '../shared/status';
import { Space } from '../space/live';
import { Pins, reap } from '../versions/pins';
import { assertHealthy } from '../verify/verify';
import { requires } from '../verify/contract';

/** Compaction is behind when it owes so many segments: two to this power. */
const BEHIND_SHIFT: u64 = 2;
/** Chunks of dead lists that a step looks through: what was released and waits for commits to look at it. */
const CHUNKS_PER_STEP: u32 = 32;

/** How much of the segments compaction shall keep live, in 1,024ths; 0 leaves it to `startCompaction`. */
export function setCompaction(share: u32): void {
  requires(share < 1024);
  Pace.share = share;
  look();
}

/** Whether compaction has something to do. */
export function isCompactionDue(): bool {
  if (Pace.segment !== Log.segment) look();
  return Pace.isDue || isRunning() || isSweepDue();
}

/** Empties every segment of which so many bytes are dead, and every one that stands in slot `slotLimit` or behind it. */
export function startCompaction(deadSizeMin: u32, slotLimit: u32): void {
  requires(deadSizeMin != 0 && deadSizeMin <= Geometry.segmentSize);
  Victims.deadSizeMin = deadSizeMin;
  Victims.slotLimit = slotLimit;
  Victims.before = Log.segment!.sequence;
  Pace.isAskedFor = true;
  look();
}

/** Compaction is left to its own bounds again. */
export function endCompaction(): void {
  Victims.deadSizeMin = 0;
  Victims.slotLimit = u32.MAX_VALUE;
  Victims.before = u64.MAX_VALUE;
  Pace.isAskedFor = false;
  look();
}

/**
 * Does a step of so many units, records that are looked at or copied. STATUS_OK; STATUS_NEED_SLOT or STATUS_MEMORY_FULL where it cannot go on. With `reserved` it may use the block that is kept for
 * deletes: emptying segments gives it back.
 */
export function compactStep(budget: u32, reserved: bool): i32 {
  if (Pins.released != 0) reap(CHUNKS_PER_STEP);
  const result = step(budget, reserved, true);
  if (result == STATUS_OK && Sweep.phase != 0) sweepStep(budget, true);
  // A time that was told for this step, and not needed, is none for what is committed later.
  Log.isTimed = false;
  log.publishTail();
  assertHealthy();
  return result;
}

/** Whether what was asked for is not done yet, or deletes are being looked for, or what was emptied waits for a step that reads: what a store owes beside that, commits pay. */
export function isCompactionAskedFor(): bool {
  return Pace.isAskedFor || Space.isWaiting || Pins.released != 0 || (Sweep.phase != 0 && !isSweepWaiting());
}

/** Whether a step would do something: not only wait for what a flush makes durable. */
export function hasCompactionWork(): bool {
  return Pace.isDue || isRunning() || isCompactionAskedFor();
}

/** Looks for deletes that nothing needs any more. False where that is not possible, because a history is kept or there is no memory, or where it goes on already. */
export function sweepTombstones(): bool {
  return Sweep.phase == 0 && startSweep();
}

/** Whether a header lists segments that hold nothing any more. O(segments). */
function isListStale(): bool {
  for (let segment: Segment | null = Segments.first; segment !== null; segment = segment!.next) {
    if (!segment.isKept && segment.unlistedBy == 0) return true;
  }
  return false;
}

/** Goes on to another segment, so that its header can leave out what is not needed; or in any case. STATUS_OK, also where there is nothing to leave out, or what the log needs. */
export function beginSegment(inAnyCase: bool): i32 {
  if (!inAnyCase && !isListStale()) return STATUS_OK;
  const result = log.nextSegment(0, false);
  log.publishTail();
  return result;
}

/** Whether a step may be done: not while a commit is being staged. */
export function canCompact(): bool {
  return !Space.isHeld;
}

/** Bytes of records that compaction has copied. */
export function movedSize(): f64 {
  return <f64>Moved.bytes;
}

/** Segments that hold nothing any more and whose slots are not free yet: what was copied out of them is not durable, or the header that leaves them out is not. */
export function waitingSegmentCount(): u32 {
  return Segments.count - Segments.keptCount;
}

/** Ends a round whose segments cannot be read. */
export function abandonRound(): void {
  abandon();
}

/** Whether commits alone do not keep up, because what is to be compacted is not in memory. */
export function isCompactionBehind(): bool {
  return (Sweep.phase != 0 && Sweep.isHeldUp) || debtSize() > <u64>Geometry.segmentSize << BEHIND_SHIFT;
}
