/**
 * Compaction, a bounded step at a time: several segments are chosen, what is live in them is copied to the end of the log, oldest first, and they are given up. Steps follow the commits, each of which
 * pays for one, so a store is compacted as fast as it is written, and none of it shows as a pause. The copies of one round stand together, apart from what is written meanwhile: a round begins in a fresh
 * segment and takes far more bytes a step than a commit, so cold records come to lie beside cold ones.
 */
import { Log } from '../log/log';
import { Geometry, Segment, addressOf, resolve, segmentOf } from '../log/segment';
import { sizeOf } from '../log/record';
import { relieve } from '../paging/evict';
import { STATUS_OK, STATUS_TOO_LARGE } from '../shared/status';
import { Space, collect } from '../space/live';
import { moveRecord } from './move';
import { Pace, look } from './pace';
import { SOURCE_SIZE, Source, advance, isLive, openSource } from './source';
import { Sweep, isSweepDue, startSweep, sweepStep } from './tombstones';
import { Victims, choose, startChoice, victimAt } from './victims';
import { requires } from '../verify/contract';

/** Segments that are emptied together are to fill so many with what is live in them. */
const FILL_COUNT: u64 = 2;
/** What copying a record costs, beside looking at it: one more, and one for so many bytes. */
const BYTES_PER_UNIT_SHIFT: u32 = 9;

const sources: usize = memory.data(8 * 48, 8);

export class Round {
  static sourceCount: u32 = 0;
  /** Segments that rounds have emptied. */
  static emptied: u64 = 0;
}

function sourceAt(index: u32): Source {
  requires(index < Round.sourceCount);
  return changetype<Source>(sources + <usize>index * SOURCE_SIZE);
}

/** Takes the best of those that were chosen, as many as fill their share. False where there is none. */
function startRound(): bool {
  requires(Round.sourceCount == 0 && !Victims.isChoosing);
  let live: u64 = 0;
  Round.sourceCount = 0;
  for (let index: u32 = 0; index < Victims.count && live < FILL_COUNT << Geometry.segmentShift; index++) {
    const segment = victimAt(index);
    if (segment === null) continue;
    // Of segments that are to be read from the file one at a time, or they would take the window from each other.
    if (segment.block == 0 && Round.sourceCount != 0) continue;
    segment.isVictim = true;
    live += segment.live;
    Round.sourceCount++;
    openSource(sourceAt(Round.sourceCount - 1), segment);
    if (segment.block == 0) break;
  }
  return Round.sourceCount != 0;
}

/** The source whose head is oldest; null where all are done. Finds heads that are not known yet, within a budget, which is then what is left of it in `Step.budget`. */
function oldestSource(): Source | null {
  let oldest: Source | null = null;
  for (let index: u32 = 0; index < Round.sourceCount; index++) {
    const source = sourceAt(index);
    if (source.isDone) continue;
    if (source.version == 0) {
      Step.budget = advance(source, Step.budget);
      if (source.isDone) continue;
      if (source.version == 0) return null;
    }
    if (oldest === null || source.version < oldest.version) oldest = source;
  }
  if (oldest === null) endRound();
  return oldest;
}

function endRound(): void {
  requires(Round.sourceCount != 0);
  Round.emptied += Round.sourceCount;
  Round.sourceCount = 0;
  look();
}

/** Ends a round whose segments cannot be read. They are left as they are, and not chosen again. */
export function abandonRound(): void {
  Round.sourceCount = 0;
  look();
}

/** Whether a round takes from a segment that is not in memory. */
function isRoundCold(): bool {
  for (let index: u32 = 0; index < Round.sourceCount; index++) {
    const segment = segmentOf(addressOf(sourceAt(index).sequence, 0));
    if (segment !== null && segment.block == 0) return true;
  }
  return false;
}

/** Whether a round is under way. */
export function isRunning(): bool {
  return Round.sourceCount != 0 || Victims.isChoosing;
}

export class Step {
  static budget: u32 = 0;
}

/** The head of a source is at the end of the log, or need not be. */
function moveHead(source: Source, reserved: bool): i32 {
  requires(source.version != 0 && source.address != 0);
  const record = resolve(source.address);
  const status = record != 0 && isLive(record, source.address) ? moveRecord(record, source.address, source.time, reserved) : STATUS_OK;
  // What does not fit into a fresh segment stays, and its segment with it.
  if (status != STATUS_OK && status != STATUS_TOO_LARGE) return status;
  const cost = record == 0 ? 1 : 1 + (sizeOf(record) >> BYTES_PER_UNIT_SHIFT);
  Step.budget -= min<u32>(cost, Step.budget);
  source.version = 0;
  return STATUS_OK;
}

/**
 * Does a step of so many units: records that are looked at or copied. STATUS_OK, or why it cannot go on: what the log needs, or that memory is at its limit. `reserved` may use the block that is kept for
 * deletes; without `mayRead` nothing is read from the file, so that no error comes out of it.
 */
export function step(budget: u32, reserved: bool, mayRead: bool): i32 {
  requires(!Space.isHeld);
  Step.budget = budget;
  let status: i32 = STATUS_OK;
  while (Step.budget != 0 && status == STATUS_OK) {
    relieve();
    if (Round.sourceCount != 0) {
      if (!mayRead && isRoundCold()) break;
      const source = oldestSource();
      if (source !== null) status = moveHead(source, reserved);
      continue;
    }
    if (!Pace.isDue) break;
    if (!Victims.isChoosing) startChoice();
    if (!choose()) break;
    if (startRound()) continue;
    Pace.isDue = false;
    Pace.isAskedFor = false;
  }
  collect(mayRead);
  return status;
}

/** The records that a commit looks at or moves for those that it wrote. */
const UNITS_PER_COMMIT: u32 = 64;
const UNITS_PER_RECORD: u32 = 4;

/** What every commit of so many records does for compaction, and for the deletes that wait to be forgotten. */
export function pay(recordCount: u32): void {
  requires(!Space.isHeld && Log.segment !== null);
  if (Log.segment !== Pace.segment) {
    look();
    if (Sweep.phase == 0 && isSweepDue()) startSweep();
  }
  const units = UNITS_PER_COMMIT + recordCount * UNITS_PER_RECORD;
  if (Pace.isDue || Round.sourceCount != 0) step(units, false, false);
  // A segment that is to be read from the file is left to those who can tell of an error: a commit that was applied has none.
  else if (Sweep.phase != 0) sweepStep(units, false);
}
