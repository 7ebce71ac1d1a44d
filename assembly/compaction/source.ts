/**
 * What compaction takes from: segments that are to be emptied, each read once, in the order of its records. Records stand in runs that rise by version, because commits do and because compaction
 * writes what it moves in that order; so taking the oldest of the heads of several sources nearly sorts what they hold by age, without a sort and without memory.
 */
import { hashKey } from '../hash/keyhash';
import { standing } from '../index/by-hash';
import { bodySizeOf, frameSizeOf, frameTimeOf } from '../log/frame';
import { flagsOf, keyOf, keySizeOf, sizeOf, versionOf } from '../log/record';
import { Segment, addressOf, segmentOf } from '../log/segment';
import { presentBlock } from '../paging/window';
import { FRAME_HEAD_SIZE, RECORD_FLAG_PART } from '../shared/format';
import { ownerOf } from '../space/parts';
import { addressOfOld } from '../versions/old';
import { ensures, requires, requiresAddress, requiresBlock, requiresRecord, requiresSegment } from '../verify/contract';

@unmanaged
export class Source {
  sequence: u64;
  /** The address and version of the head: the next record that is live; 0 where it is not known yet. */
  address: u64;
  version: u64;
  /** When what stands in the frame of the head was committed. */
  time: u64;
  /** The frame that the walk stands in, where the next record begins, and where those of the frame end. */
  frame: u32;
  offset: u32;
  end: u32;
  isDone: bool;
}

export const SOURCE_SIZE: usize = 48;
if (offsetof<Source>() > SOURCE_SIZE) ERROR('a source outgrew its room');

/** Begins to read a segment. */
export function openSource(source: Source, segment: Segment): void {
  requiresSegment(segment);
  requiresBlock(changetype<usize>(source), SOURCE_SIZE);
  source.sequence = segment.sequence;
  source.address = 0;
  source.version = 0;
  source.time = 0;
  source.frame = segment.headerEnd;
  source.offset = 0;
  source.end = 0;
  source.isDone = false;
}

/** Whether somebody may still read the record, or the part of a value, at an address. */
export function isLive(record: usize, address: u64): bool {
  requiresRecord(record);
  requiresAddress(address);
  if ((flagsOf(record) & RECORD_FLAG_PART) != 0) return ownerOf(address) != 0;
  const hash = hashKey(keyOf(record), keySizeOf(record));
  return standing(hash, address) != 0 || addressOfOld(hash, versionOf(record)) == address;
}

/** Goes on to the next live record, looking at no more than `budget` of them. Returns what is left of the budget; the source then has a head, is done, or the budget is 0. */
export function advance(source: Source, budget: u32): u32 {
  requires(source.version == 0 && !source.isDone);
  const segment = segmentOf(addressOf(source.sequence, 0));
  // The last of what it held has died meanwhile.
  if (segment === null) {
    source.isDone = true;
    return budget;
  }
  const block = presentBlock(segment);
  while (budget != 0) {
    while (source.offset >= source.end) {
      if (source.offset != 0) source.frame += frameSizeOf(block + source.frame);
      if (source.frame >= segment.end) {
        source.isDone = true;
        return budget;
      }
      source.offset = source.frame + FRAME_HEAD_SIZE;
      source.end = source.offset + bodySizeOf(block + source.frame);
      source.time = frameTimeOf(block + source.frame);
    }
    const record = block + source.offset;
    const address = addressOf(source.sequence, source.offset);
    source.offset += sizeOf(record);
    budget--;
    if (!isLive(record, address)) continue;
    source.address = address;
    source.version = versionOf(record);
    ensures(source.version != 0 && source.offset <= source.end);
    return budget;
  }
  return 0;
}
