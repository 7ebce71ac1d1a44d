/**
 * What a frame holds behind its head: what its declarations say of the sectors of its body, and its records. Written from FORMAT.md alone. Whatever an intact frame holds that
 * the page does not describe is thrown as an `Error`: the writer or the page is wrong.
 */
import { FLAG_COMPACTION, FLAG_SEAL, HEAD_SIZE, SECTOR_SIZE, isZero, readRecord, type Declaration, type FormatRecord, type Head, type SegmentHeader } from './format-parts.js';

/** The sectors of the segment that declarations speak of. Where such a one is zero it was meant to be, or its bit was given back. */
export function declaredSectors(head: Head, declarations: readonly Declaration[]): number[] {
  const first = Math.floor(head.offset / SECTOR_SIZE);
  return declarations.flatMap((declaration) => Array.from({ length: 'count' in declaration ? declaration.count : 1 }, (_, index) => first + declaration.sector + index));
}

/** The segment with every sector that was declared to hold one bit holding it, where it is zero. */
export function restoreBits(segment: Uint8Array, head: Head, declarations: readonly Declaration[]): Uint8Array {
  let restored = segment;
  for (const declaration of declarations) {
    if (!('bit' in declaration)) continue;
    const start = (Math.floor(head.offset / SECTOR_SIZE) + declaration.sector) * SECTOR_SIZE;
    if (!isZero(segment.subarray(start, Math.min(start + SECTOR_SIZE, head.bodyEnd)))) continue;
    if (restored === segment) restored = segment.slice();
    restored[start + (declaration.bit >> 3)] = 1 << (declaration.bit & 7);
  }
  return restored;
}

/** Declarations name, in ascending order, exactly the sectors that are wholly behind the head and whose share of the body holds no bit or one. */
export function checkDeclarations(segment: Uint8Array, head: Head, declarations: readonly Declaration[]): void {
  const first = Math.floor(head.offset / SECTOR_SIZE);
  const expected: string[] = [];
  for (let sector = Math.ceil((head.offset + HEAD_SIZE) / SECTOR_SIZE); sector * SECTOR_SIZE < head.bodyEnd; sector++) {
    const share = segment.subarray(sector * SECTOR_SIZE, Math.min((sector + 1) * SECTOR_SIZE, head.bodyEnd));
    const index = share.findIndex((byte) => byte !== 0);
    if (index < 0) expected.push(`${sector - first} zero`);
    else if (isZero(share.subarray(index + 1)) && (share[index]! & (share[index]! - 1)) === 0) expected.push(`${sector - first} bit ${index * 8 + Math.log2(share[index]!)}`);
  }
  const found = declarations.flatMap((declaration) => ('bit' in declaration
    ? [`${declaration.sector} bit ${declaration.bit}`]
    : Array.from({ length: declaration.count }, (_, index) => `${declaration.sector + index} zero`)));
  if (found.join() !== expected.join()) throw new Error(`the frame at ${head.offset} declares ${found.join()}, its body calls for ${expected.join()}`);
}

/** The records of a frame whose body is intact: anything that is not as described is a fault of the writer or of the document. */
export function readRecords(segment: Uint8Array, head: Head, header: SegmentHeader): FormatRecord[] {
  const records: FormatRecord[] = [];
  let offset = head.offset + HEAD_SIZE;
  while (offset < head.bodyEnd) {
    const record = readRecord(segment, offset, header.seed);
    if (record === undefined) throw new Error(`the frame at ${header.sequence}:${head.offset} is intact, its record at ${offset} is not`);
    records.push(record);
    offset = record.end;
  }
  if (offset !== head.bodyEnd || records.length !== head.recordCount) throw new Error(`the frame at ${header.sequence}:${head.offset} does not hold the records that it counts`);
  if ((head.flags & FLAG_SEAL) !== 0 && records.length > 0) throw new Error(`the seal at ${header.sequence}:${head.offset} has records`);
  const highest = Math.max(0, ...records.map((record) => record.version));
  const isRight = (head.flags & FLAG_COMPACTION) === 0 ? highest === head.version : highest <= head.version;
  if (records.length > 0 && !isRight) throw new Error(`the frame at ${header.sequence}:${head.offset} says version ${head.version}, its records ${highest}`);
  return records;
}
