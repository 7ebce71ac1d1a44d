/** What the headers of a file say of its segments, read as FORMAT.md has them and not as the library does. */
import { SLOTS_OFFSET, readHeader, readList, readSuperblock, type SegmentHeader, type Superblock } from '../format-parts.js';

/** A superblock of a file, for the identity and the geometry of its store; undefined where none is intact. */
export function superblockOf(image: Uint8Array): Superblock | undefined {
  for (const index of [0, 1]) for (const copy of [0, 1]) {
    const found = readSuperblock(image, index, copy);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The segments that say what they are, and which others there are. */
export function intactHeaders(image: Uint8Array, superblock: Superblock): SegmentHeader[] {
  const count = Math.ceil((image.length - SLOTS_OFFSET) / 2 ** superblock.shift);
  return Array.from({ length: Math.max(0, count) }, (_, slot) => readHeader(image, slot, superblock))
    .filter((header) => header !== undefined && readList(image, header, superblock.shift) !== undefined) as SegmentHeader[];
}

/** Whether the newest segment lists all that there ever were. */
export function isWholeLog(image: Uint8Array): boolean {
  const superblock = superblockOf(image);
  if (superblock === undefined) return false;
  const headers = intactHeaders(image, superblock);
  if (headers.length === 0) return false;
  const newest = headers.reduce((one, other) => (other.sequence > one.sequence ? other : one));
  return readList(image, newest, superblock.shift)!.length === newest.sequence - 1;
}
