/** A walk over the records behind an address of the log, in order. Of those in segments that were given up none is the newest of its key any more, and they are left out. */
import { FRAME_HEAD_SIZE } from '../shared/format';
import { bodySizeOf, frameSizeOf } from './frame';
import { Log } from './log';
import { sizeOf } from './record';
import { Segment, Segments, addressOf, offsetOf, sequenceOf } from './segment';

class Walk {
  static segment: Segment | null = null;
  /** The frame behind the one that the walk is in. */
  static frame: u32 = 0;
  /** The next record, and where those of its frame end. */
  static offset: u32 = 0;
  static end: u32 = 0;
}

/** Begins a walk over the whole log. */
export function startAll(): void {
  enterSegment(Segments.first);
}

/** The address of the record that `nextSince` has just returned. */
export function addressSince(record: usize): u64 {
  const segment = Walk.segment!;
  return addressOf(segment.sequence, <u32>(record - <usize>segment.block));
}

/** Begins a walk at an address, at which a record or a frame begins. */
export function startSince(address: u64): void {
  let segment: Segment | null = Segments.last;
  while (segment!.previous !== null && segment!.previous!.sequence >= sequenceOf(address)) segment = segment!.previous;
  enterSegment(segment);
  if (segment!.sequence != sequenceOf(address)) return;
  const begin = offsetOf(address);
  while (enterFrame() && Walk.end <= begin) Walk.offset = Walk.end;
  if (Walk.offset < begin && Walk.offset < Walk.end) Walk.offset = begin;
}

function enterSegment(segment: Segment | null): void {
  Walk.segment = segment;
  Walk.offset = 0;
  Walk.end = 0;
  if (segment !== null) Walk.frame = segment.headerEnd;
}

/** Goes on to the next frame of the segment, the open one too. */
function enterFrame(): bool {
  const segment = Walk.segment!;
  if (segment.block == 0) return false;
  const frame = Walk.frame;
  if (frame < segment.end) {
    Walk.offset = frame + FRAME_HEAD_SIZE;
    Walk.end = Walk.offset + bodySizeOf(<usize>segment.block + frame);
    Walk.frame = frame + frameSizeOf(<usize>segment.block + frame);
    return true;
  }
  if (segment !== Log.segment || Log.frame == 0 || frame != Log.frame) return false;
  Walk.offset = frame + FRAME_HEAD_SIZE;
  Walk.end = Log.tail;
  Walk.frame = <u32>-1;
  return true;
}

/** The next record, or 0 at the end of the log. */
export function nextSince(): usize {
  while (Walk.segment !== null) {
    const segment = Walk.segment!;
    if (Walk.offset < Walk.end) {
      const record = <usize>segment.block + Walk.offset;
      Walk.offset += sizeOf(record);
      return record;
    }
    if (!enterFrame()) enterSegment(segment.next);
  }
  return 0;
}
