/** The exports through which the time comes in, and goes out. */
import { frameFlagsOf, frameSizeOf, frameTimeOf, frameVersionOf, recordCountOf } from '../log/frame';
import { Expiry, flagsOf, hasMovedTime, movedTimeOf, sizeOf, versionOf } from '../log/record';
import { Segment, Segments } from '../log/segment';
import { hashKey } from '../hash/keyhash';
import { find } from '../index/directory';
import { Windows } from '../memory/windows';
import { relieve } from '../paging/evict';
import { presentBlock } from '../paging/window';
import * as format from '../shared/format';
import { findOld } from '../versions/old';
import { notedTime } from '../versions/times';
import { Clock, expiryOf } from '../versions/visible';
import { requires } from '../verify/contract';

/** The clock of reads of what is newest, in epoch milliseconds. To be kept right once CONTROL_HAS_EXPIRY is set. */
export function setClock(time: f64): void {
  Clock.now = <u64>max<f64>(time, 0);
}

/** When the next record that is written with the flag of an expiry expires, in epoch milliseconds. */
export function setExpiry(time: f64): void {
  Expiry.next = <u64>time;
}

/** When what a pinned version sees of the key in the key window expires, in epoch milliseconds; 0 where it is not there or does not. */
export function keyExpiry(keySize: u32, version: f64): f64 {
  requires(version >= 0);
  relieve();
  const hash = hashKey(Windows.key, keySize);
  const newest = find(Windows.key, keySize, hash);
  const record = newest == 0 || versionOf(newest) <= <u64>version ? newest : findOld(Windows.key, keySize, hash, <u64>version);
  return record == 0 ? 0 : <f64>expiryOf(record);
}

/** When a version was committed that has a record in a frame with what compaction has moved, in epoch milliseconds: the record says it, or, where it was not moved itself, its frame. -1 where there is none. */
function timeWithin(frame: usize, version: u64): f64 {
  requires(frame != 0 && version <= frameVersionOf(frame));
  let record = frame + format.FRAME_HEAD_SIZE;
  for (let left = recordCountOf(frame); left != 0; left--) {
    if (versionOf(record) == version && (flagsOf(record) & format.RECORD_FLAG_PART) == 0) return <f64>(hasMovedTime(record) ? movedTimeOf(record) : frameTimeOf(frame));
    record += sizeOf(record);
  }
  return -1;
}

/**
 * When a version was committed, in epoch milliseconds, or up to the length of a turn later; -1 where its frame is still open or no longer kept. Where the commit left nothing that is still there, what was
 * moved next tells. O(segments), and where the frame of the commit was given up O(records moved since).
 */
export function timeOf(version: f64): f64 {
  requires(version >= 0);
  const noted = notedTime(<u64>version);
  if (noted != 0) return <f64>noted;
  // Of the frames that end with a version the first is that of its commit, or, when that was given up, holds what compaction has moved, as do those behind it, which may fill segments.
  let segment: Segment | null = Segments.last;
  while (segment !== null && (!segment.isKept || segment.firstVersion >= <u64>version)) segment = segment.previous;
  // The first frame there is may hold several commits, and be newer than the first of them.
  if (segment === null) segment = Segments.first;
  let next: f64 = -1;
  for (; segment !== null; segment = segment!.next) {
    if (!segment.isKept) continue;
    const block = presentBlock(segment);
    for (let offset = segment.headerEnd; offset < segment.end; offset += frameSizeOf(block + offset)) {
      const frame = block + offset;
      if (frameVersionOf(frame) < <u64>version) continue;
      if (next < 0) next = <f64>frameTimeOf(frame);
      // A seal has no records, and may stand before what was moved.
      if ((frameFlagsOf(frame) & format.FRAME_FLAG_SEAL) != 0) continue;
      if ((frameFlagsOf(frame) & format.FRAME_FLAG_COMPACTION) == 0) return next;
      const time = timeWithin(frame, <u64>version);
      if (time >= 0) return time;
    }
  }
  return next;
}
