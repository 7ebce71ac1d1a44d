/** Which segments may leave memory. */
import { Log } from '../log/log';
import { Segment, addressOf } from '../log/segment';
import { requiresSegment } from '../verify/contract';

/** Whether the file has all of a segment, durably, and nothing is about to be appended to it. */
export function canLeave(segment: Segment): bool {
  requiresSegment(segment);
  if (segment.block == 0 || !segment.isKept || segment === Log.segment || segment === Log.output) return false;
  return segment.written == segment.end && addressOf(segment.sequence, segment.end) <= Log.seal;
}
