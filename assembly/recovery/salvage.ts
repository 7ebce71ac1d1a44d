/**
 * Reading a damaged store as far as it is intact: frames behind damage, and single records of frames that are damaged within. What comes out
 * is read-only, and each loss is named.
 */
import { bodySizeOf, frameFlagsOf, frameVersionOf, hasHead, recordCountOf } from '../log/frame';
import { versionOf } from '../log/record';
import { Log } from '../log/log';
import { Geometry, Segment, Segments, addressOf } from '../log/segment';
import { isZero } from '../memory/bytes';
import { damage, damagedVersions } from '../memory/control';
import { FRAME_FLAG_END, FRAME_HEAD_SIZE } from '../shared/format';
import { REASON_BELOW_SEAL, REASON_CONTENT, REASON_INCOMPLETE_COMMIT, REASON_SEGMENT_CUT, STATUS_CORRUPT, STATUS_MEMORY_FULL, STATUS_OK } from '../shared/status';
import { completeAtGap, countIntactParts, dropCarried, linkFrame, linkIntact, startLink } from './link';
import { Scan, countFrame, dirtySize, examineFrame, findHead, joins, publishCounts, startScan } from './scan';
import { requires } from '../verify/contract';

class Salvage {
  static segment: Segment | null = null;
  static offset: u32 = 0;
  /** Whether damage was met in the segment. */
  static isDamaged: bool = false;
}

export function startSalvage(secret: u64): i32 {
  startScan();
  if (!startLink(secret, 0)) return STATUS_MEMORY_FULL;
  for (let segment: Segment | null = Segments.first; segment !== null; segment = segment!.next) segment.isMarked = segment.block != 0;
  enter(Segments.first);
  return STATUS_OK;
}

function enter(segment: Segment | null): void {
  // Whoever walks from frame to frame must not come upon damage: such a segment shows none.
  if (Salvage.isDamaged) Salvage.segment!.end = Salvage.segment!.headerEnd;
  Salvage.isDamaged = false;
  while (segment !== null && segment.block == 0) segment = segment.next;
  Salvage.segment = segment;
  if (segment === null) return;
  Salvage.offset = segment.headerEnd;
  segment.end = segment.headerEnd;
  completeAtGap(segment);
}

/** Reports damage, having linked what of it is intact, and goes on behind it. */
function passDamage(segment: Segment, at: u32): i32 {
  requires(segment.block != 0 && at >= segment.headerEnd);
  // Of a commit that goes on behind the damage, what stood before it goes too.
  const after = Scan.carriedVersion == 0 ? Scan.version : Scan.carriedVersion - 1;
  dropCarried();
  Scan.carriedVersion = 0;
  const hasIntactHead = hasHead(<usize>segment.block + at, Geometry.segmentSize - at, segment.seed, at);
  if (hasIntactHead) linkIntact(segment, at);
  const next = findHead(segment, hasIntactHead ? at + FRAME_HEAD_SIZE + bodySizeOf(<usize>segment.block + at) : at + 8);
  segment.end = at;
  const size = next == 0 ? dirtySize(segment) : next - at;
  damage(segment.sequence, segment.slot, at, size, Scan.reason);
  damagedVersions(after, next == 0 ? versionBefore(segment.next) : firstVersion(<usize>segment.block + next));
  Salvage.isDamaged = true;
  Log.isDamaged = true;
  if (next == 0) enter(segment.next);
  else Salvage.offset = next;
  return STATUS_CORRUPT;
}

/** Reports that something is missing where a segment ends, and goes on with the next. */
function passGap(segment: Segment, at: u32, reason: u32): i32 {
  requires(segment.block != 0 && at >= segment.headerEnd);
  damage(segment.sequence, segment.slot, at, 0, reason);
  damagedVersions(Scan.version, versionBefore(segment.next));
  enter(segment.next);
  return STATUS_CORRUPT;
}

/** Reports the commit at the end of the log of which the rest is missing. */
function passIncomplete(): i32 {
  const segment = Scan.carriedSegment!;
  damage(segment.sequence, segment.slot, Scan.carriedOffset, 0, REASON_INCOMPLETE_COMMIT);
  damagedVersions(Scan.carriedVersion - 1, 0);
  dropCarried();
  Scan.carriedVersion = 0;
  return STATUS_CORRUPT;
}

/** The highest version of which something may stand before a segment: that of a commit that goes on into it. 0 where there is no such segment. */
function versionBefore(segment: Segment | null): u64 {
  return segment === null || segment.block == 0 ? 0 : segment.version + 1;
}

/** The version of a frame's first record, whose commit may have begun before the frame. */
function firstVersion(frame: usize): u64 {
  return recordCountOf(frame) == 0 ? frameVersionOf(frame) : versionOf(frame + FRAME_HEAD_SIZE);
}

/** Goes on to the next damage, STATUS_CORRUPT, or to the end, STATUS_OK. */
export function salvageNext(): i32 {
  while (Salvage.segment !== null) {
    const segment = Salvage.segment!;
    const at = Salvage.offset;
    const end = Geometry.segmentSize;
    if (at + FRAME_HEAD_SIZE > end || isZero(<usize>segment.block + at, <usize>segment.block + end)) {
      const isLast = segment === Segments.last;
      if (!isLast) return passGap(segment, at, REASON_SEGMENT_CUT);
      if (addressOf(segment.sequence, at) < Scan.seal) return passGap(segment, at, REASON_BELOW_SEAL);
      enter(null);
      continue;
    }
    if (!examineFrame(segment, at)) return passDamage(segment, at);
    countFrame(segment, at);
    if (!linkFrame(segment, at)) return STATUS_MEMORY_FULL;
    Salvage.offset = segment.end;
    if ((frameFlagsOf(<usize>segment.block + at) & FRAME_FLAG_END) == 0) continue;
    if (!joins(segment)) return passGap(segment, segment.end, REASON_CONTENT);
    enter(segment.next);
  }
  if (Scan.carriedVersion != 0) return passIncomplete();
  publishCounts();
  return countIntactParts();
}
