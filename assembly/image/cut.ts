/**
 * What an image of the index is of while it is written: of the records before one address of the log. Pages are written as they come, and keys change meanwhile. A key that is written anew before its
 * page was is left out, because its record stands behind that address and will be replayed; and what stood for it in the figures of a segment is taken out of those that the image will have.
 */
import { hashKey } from '../hash/keyhash';
import { flagsOf, keyOf, keySizeOf, sizeOf } from '../log/record';
import { Segment, Segments } from '../log/segment';
import { RECORD_FLAG_EXPIRY, RECORD_FLAG_TOMBSTONE } from '../shared/format';
import { requires, requiresRecord, requiresSegment } from '../verify/contract';

export class Cut {
  /** Records before this address belong to the image that is being written; 0 where none is. */
  static address: u64 = 0;
  /** The pages of hashes whose upper half is below this were written. */
  static prefix: u64 = 0;
}

/** Begins an image of the records before an address, with the figures that segments have now. O(segments). */
export function openCut(address: u64): void {
  requires(Cut.address == 0 && address != 0);
  Cut.address = address;
  Cut.prefix = 0;
  for (let segment: Segment | null = Segments.first; segment !== null; segment = segment!.next) {
    segment.imageSize = segment.newest;
    segment.imageKeyCount = segment.keyCount;
    segment.imageTombstoneCount = segment.tombstoneCount;
    segment.imageExpiringCount = segment.expiringCount;
  }
}

/** The image is written, or will not be. */
export function closeCut(): void {
  Cut.address = 0;
}

function isWritten(record: usize): bool {
  requiresRecord(record);
  return hashKey(keyOf(record), keySizeOf(record)) >> 32 < Cut.prefix;
}

/** A record that belongs to the image is no longer the newest of its key. */
export function leaveCut(record: usize, segment: Segment): void {
  requiresRecord(record);
  requiresSegment(segment);
  if (isWritten(record)) return;
  const flags = flagsOf(record);
  segment.imageSize -= sizeOf(record);
  if ((flags & RECORD_FLAG_TOMBSTONE) != 0) segment.imageTombstoneCount--;
  else segment.imageKeyCount--;
  if ((flags & RECORD_FLAG_EXPIRY) != 0) segment.imageExpiringCount--;
}

/** A record that belongs to the image, and was superseded by what is taken back now, is the newest of its key again. No page was written in between. */
export function enterCut(record: usize, segment: Segment): void {
  requiresRecord(record);
  requiresSegment(segment);
  if (isWritten(record)) return;
  const flags = flagsOf(record);
  segment.imageSize += sizeOf(record);
  if ((flags & RECORD_FLAG_TOMBSTONE) != 0) segment.imageTombstoneCount++;
  else segment.imageKeyCount++;
  if ((flags & RECORD_FLAG_EXPIRY) != 0) segment.imageExpiringCount++;
}
