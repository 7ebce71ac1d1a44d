/**
 * Which segments are worth emptying. Naive choice takes those with the most dead bytes, and so moves again and again what is about to die anyway. A segment is worth the more, the more of it is dead, and the
 * longer it has been so: what has stayed alive in it for long will stay alive. The score is the square of the dead share times the root of the age, counted in segments.
 * In simulations of records of one size at three quarters full (`node bench/policies.mjs`) it moves 1.21 bytes for one that is written uniformly, as every rule does, and 0.94 under a zipfian distribution
 * (greedy choice: 1.28); the cost-benefit rule of the log-structured file system (Rosenblum, Ousterhout, 1992), the dead share times the age over one and the live share, 1.09.
 */
import { Log } from '../log/log';
import { Geometry, Segment, Segments, addressOf, segmentOf } from '../log/segment';
import { ensures, requires, requiresSegment } from '../verify/contract';

/** How many are chosen together, at most. */
export const VICTIM_COUNT_MAX: u32 = 8;
/** Of which at least so many 64ths are dead. */
const DEAD_SHARE_MIN: u32 = 2;
/** Descriptors that one step looks at: a store of ten gigabytes has forty thousand. */
const LOOK_COUNT: u32 = 1024;

// The best so far, best first: the score, and the number of the segment.
const ENTRY_SHIFT: u32 = 4;
const best: usize = memory.data(8 * 16, 8);

export class Victims {
  /** Whether a choice is under way. */
  static isChoosing: bool = false;
  static count: u32 = 0;
  /** With another number than 0: take every segment of which so many bytes are dead. */
  static deadSizeMin: u32 = 0;
  /** Take the segments that stand in this slot or behind it, whatever they hold. */
  static slotLimit: u32 = u32.MAX_VALUE;
  /** Only segments before this one: what was asked for ends, although copies may come to stand where more is asked for. */
  static before: u64 = u64.MAX_VALUE;
}

/** Begins to choose. */
export function startChoice(): void {
  requires(!Victims.isChoosing && Segments.first !== null);
  Victims.isChoosing = true;
  Victims.count = 0;
  Segments.choosing = Segments.first;
}

function scoreOf(segment: Segment): f64 {
  requiresSegment(segment);
  requires(Log.segment !== null && segment.live <= Geometry.segmentSize);
  if (segment === Log.segment || segment === Log.output || !segment.isKept || segment.isVictim || segment.sequence >= Victims.before) return 0;
  // Of a store without a file nothing is ever handed over.
  if (!Geometry.inMemory && segment.written != segment.end) return 0;
  const dead = Geometry.segmentSize - segment.live;
  const age = <f64>(Log.segment!.sequence - segment.sequence);
  if (segment.slot >= Victims.slotLimit) return age;
  if (dead < (Victims.deadSizeMin != 0 ? Victims.deadSizeMin : (Geometry.segmentSize >> 6) * DEAD_SHARE_MIN)) return 0;
  return <f64>dead * <f64>dead * sqrt<f64>(age);
}

function note(score: f64, sequence: u64): void {
  requires(score > 0);
  let position = Victims.count;
  while (position != 0 && load<f64>(best + (<usize>(position - 1) << ENTRY_SHIFT)) < score) position--;
  if (position == VICTIM_COUNT_MAX) return;
  const kept = min<u32>(Victims.count, VICTIM_COUNT_MAX - 1);
  const at = best + (<usize>position << ENTRY_SHIFT);
  memory.copy(at + (1 << ENTRY_SHIFT), at, <usize>(kept - position) << ENTRY_SHIFT);
  store<f64>(at, score);
  store<u64>(at, sequence, 8);
  Victims.count = kept + 1;
  ensures(Victims.count <= VICTIM_COUNT_MAX);
}

/** Goes on choosing. Returns whether it is done: `victimAt` then tells what was chosen, best first. O(1), of O(segments) in all. */
export function choose(): bool {
  requires(Victims.isChoosing);
  for (let count: u32 = 0; count < LOOK_COUNT; count++) {
    const segment = Segments.choosing;
    if (segment === null) {
      Victims.isChoosing = false;
      return true;
    }
    const score = scoreOf(segment);
    if (score > 0) note(score, segment.sequence);
    Segments.choosing = segment.next;
  }
  return false;
}

/** One of the segments that were chosen; null where it is gone since. */
export function victimAt(index: u32): Segment | null {
  requires(index < Victims.count);
  return segmentOf(addressOf(load<u64>(best + (<usize>index << ENTRY_SHIFT), 8), 0));
}
