/**
 * When compaction has something to do: when the segments that the store keeps hold more than what is live by so much that it is over its bound. Looked at whenever a segment begins, because nothing
 * but a new segment makes a store larger.
 */
import { Log } from '../log/log';
import { Geometry, Segment, Segments } from '../log/segment';
import { Space } from '../space/live';
import { requires } from '../verify/contract';

/** Segments that a store may have beyond its share: the tail, and one that waits for its copies to be durable. */
const SLACK_COUNT: u64 = 2;

export class Pace {
  /** How much of the segments shall be live, in 1,024ths. 0 where nothing is compacted unless it is asked for. */
  static share: u64 = 768;
  /** Whether there is something to do. */
  static isDue: bool = false;
  /** Whether somebody has asked for it, until nothing is left that is worth emptying. */
  static isAskedFor: bool = false;
  /** The segment that was the tail when this was last looked at. */
  static segment: Segment | null = null;
}

/** How many bytes of segments the store may keep. */
function allowedSize(): u64 {
  requires(Pace.share != 0);
  return (Space.liveSize << 10) / Pace.share + (SLACK_COUNT << Geometry.segmentShift);
}

function heldSize(): u64 {
  return <u64>Segments.keptCount << Geometry.segmentShift;
}

/** By how many bytes the store is over its bound: what compaction owes. */
export function debtSize(): u64 {
  requires(Pace.share < 1024);
  if (Pace.share == 0) return 0;
  const held = heldSize();
  const allowed = allowedSize();
  return held > allowed ? held - allowed : 0;
}

/** Looks whether there is something to do. O(1). */
export function look(): void {
  requires(Log.segment !== null);
  Pace.segment = Log.segment;
  Pace.isDue = Pace.isAskedFor || debtSize() != 0;
}
