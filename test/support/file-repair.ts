/**
 * Where the pieces of a varve file stand, and their hashes made right again after a change: without that, nothing that is changed gets past the first checksum. The layout is taken from
 * the file as it was before the change, so a length may lie about a piece whose hash is right.
 */
import * as format from '../../assembly/shared/format.js';
import { HEADER_SIZE, HEAD_SIZE, SLOTS_OFFSET, readHead, readRecord, slotBytes } from './format-parts.js';
import { mix, xxh64 } from './xxh64.js';

export interface RecordPlace {
  readonly offset: number;
  readonly size: number;
  readonly keyOffset: number;
  readonly valueOffset: number;
}

export interface FramePlace {
  readonly offset: number;
  readonly bodySize: number;
  readonly declarationCount: number;
  readonly records: readonly RecordPlace[];
}

export interface SegmentPlace {
  readonly slot: number;
  /** Where it begins in the file. */
  readonly offset: number;
  readonly sequence: bigint;
  readonly listSize: number;
  readonly frames: readonly FramePlace[];
  /** Where its frames end, from its beginning. */
  readonly end: number;
}

export interface FileLayout {
  readonly shift: number;
  readonly segments: readonly SegmentPlace[];
}

/** Superblocks stand here, each record twice. */
export const SUPERBLOCK_OFFSETS = [0, 2048, 4096, 6144];
const HASHED_SIZE = 120;
const HEAD_HASHED_SIZE = 48;
const HEAD_BITS = 0x1100000000000000n;

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The seed of every hash in a segment, as its header stands now. */
function seedOf(header: DataView): bigint {
  const word = (offset: number): bigint => header.getBigUint64(offset, true);
  const place = (BigInt(header.getUint32(format.SEGMENT_SLOT, true)) << 1n) | 1n;
  return [word(format.SEGMENT_STORE_ID_LOW), word(format.SEGMENT_STORE_ID_HIGH), word(format.SEGMENT_SEQUENCE), word(format.SEGMENT_SALT)].reduce(mix, place);
}

function recordsOf(segment: Uint8Array, offset: number, end: number, seed: bigint): RecordPlace[] {
  const records: RecordPlace[] = [];
  while (offset < end) {
    const record = readRecord(segment, offset, seed);
    if (record === undefined) break;
    records.push({ offset, size: record.end - offset, keyOffset: record.key.byteOffset - segment.byteOffset, valueOffset: record.value.byteOffset - segment.byteOffset });
    offset = record.end;
  }
  return records;
}

function segmentAt(file: Uint8Array, slot: number, shift: number): SegmentPlace | undefined {
  const segment = slotBytes(file, slot, shift);
  const view = viewOf(segment);
  if (view.getUint32(0, true) !== format.SEGMENT_MAGIC_LOW) return undefined;
  const seed = seedOf(view);
  const listSize = view.getUint32(format.SEGMENT_LIST_SIZE, true);
  const frames: FramePlace[] = [];
  let offset = Math.min(Math.ceil((HEADER_SIZE + listSize) / 8) * 8, segment.length);
  for (let head = readHead(segment, offset, seed); head !== undefined; head = readHead(segment, offset, seed)) {
    if (head.end > segment.length) break;
    frames.push({ offset, bodySize: head.bodySize, declarationCount: head.declarationCount, records: recordsOf(segment, offset + HEAD_SIZE, head.bodyEnd, seed) });
    offset = head.end;
  }
  return { slot, offset: SLOTS_OFFSET + slot * 2 ** shift, sequence: view.getBigUint64(format.SEGMENT_SEQUENCE, true), listSize, frames, end: offset };
}

const layouts = new WeakMap<Uint8Array, FileLayout>();

/** The layout of a file that will not be changed; remembered. The size of its segments is what a superblock says, or 4 KiB. */
export function layoutOf(file: Uint8Array): FileLayout {
  const known = layouts.get(file);
  if (known !== undefined) return known;
  const view = viewOf(file);
  const said = SUPERBLOCK_OFFSETS.flatMap((offset) => (file.length >= offset + HEADER_SIZE ? [view.getUint32(offset + format.SUPERBLOCK_SEGMENT_SIZE_SHIFT, true)] : []));
  const shift = said.find((candidate) => candidate >= format.SEGMENT_SIZE_SHIFT_MIN && candidate <= 16) ?? format.SEGMENT_SIZE_SHIFT_MIN;
  const count = Math.max(0, Math.ceil((file.length - SLOTS_OFFSET) / 2 ** shift));
  const segments = Array.from({ length: count }, (_, slot) => segmentAt(file, slot, shift)).filter((segment) => segment !== undefined);
  const layout = { shift, segments };
  layouts.set(file, layout);
  return layout;
}

/**
 * What the records of the frame that begins at an offset of a file are, beyond the frame's own hashes: `misfit` where their sizes go beyond its end, `unchecked` where a record's own check is
 * wrong. Frames elsewhere do not count: a slot that no header names may hold anything. Undefined where no head is intact there.
 */
export function judgeFrame(file: Uint8Array, offset: number): 'misfit' | 'unchecked' | 'intact' | undefined {
  const { shift, segments } = layoutOf(file);
  const place = segments.find((segment) => segment.offset <= offset && offset < segment.offset + 2 ** shift);
  const frame = place?.frames.find((candidate) => place.offset + candidate.offset === offset);
  if (place === undefined || frame === undefined) return undefined;
  const segment = slotBytes(file, place.slot, shift);
  const view = viewOf(segment);
  const end = frame.offset + HEAD_SIZE + frame.bodySize;
  let verdict: 'unchecked' | 'intact' = 'intact';
  for (let at = frame.offset + HEAD_SIZE; at < end; ) {
    const flags = view.getUint16(at + format.RECORD_FLAGS, true);
    const keySize = view.getUint16(at + format.RECORD_KEY_SIZE_LOW, true) + (flags >> format.RECORD_KEY_SIZE_HIGH_SHIFT) * 2 ** 16;
    const header = format.RECORD_HEADER_SIZE + ((flags & format.RECORD_FLAG_EXPIRY) !== 0 ? format.RECORD_EXPIRY_SIZE : 0);
    const size = Math.ceil((header + keySize + view.getUint32(at + format.RECORD_VALUE_SIZE, true)) / 8) * 8;
    if (at + size > end) return 'misfit';
    if (readRecord(segment, at, seedOf(view)) === undefined) verdict = 'unchecked';
    at += size;
  }
  return verdict;
}

/** Makes the hash of one record of a superblock right. */
export function repairSuperblock(file: Uint8Array, offset: number): void {
  const hash = xxh64(file.subarray(offset, offset + HASHED_SIZE), mix(BigInt(format.SEED_SUPERBLOCK), BigInt(offset >> 12)));
  viewOf(file).setBigUint64(offset + HASHED_SIZE, hash, true);
}

/** The bytes of a segment, in place, as far as the file has them; undefined where not even its header is whole. */
export function segmentBytes(file: Uint8Array, place: SegmentPlace, shift: number): Uint8Array | undefined {
  const bytes = file.subarray(place.offset, place.offset + 2 ** shift);
  return bytes.length < HEADER_SIZE ? undefined : bytes;
}

/** Makes the hashes of a header and its list right. */
export function repairHeader(segment: Uint8Array, shift: number): void {
  const view = viewOf(segment);
  const listSize = Math.min(view.getUint32(format.SEGMENT_LIST_SIZE, true), segment.length - HEADER_SIZE);
  view.setBigUint64(format.SEGMENT_LIST_HASH, xxh64(segment.subarray(HEADER_SIZE, HEADER_SIZE + listSize), mix(seedOf(view), BigInt(format.SEED_LIST))), true);
  const seed = mix(BigInt(format.SEED_SEGMENT), (BigInt(view.getUint32(format.SEGMENT_SLOT, true)) << 5n) | BigInt(shift));
  view.setBigUint64(HASHED_SIZE, xxh64(segment.subarray(0, HASHED_SIZE), seed), true);
}

/** Makes the check of a record of so many bytes right. */
export function repairRecord(segment: Uint8Array, offset: number, size: number): void {
  const view = viewOf(segment);
  if (offset + size > segment.length) return;
  const place = mix(seedOf(view) ^ BigInt(format.SEED_RECORD), (BigInt(offset) << 32n) | BigInt(view.getUint32(offset + format.RECORD_VALUE_SIZE, true)));
  const hash = xxh64(segment.subarray(offset + format.RECORD_FLAGS, offset + size), place ^ view.getBigUint64(offset + format.RECORD_VERSION, true));
  view.setUint32(offset, Number(hash & 0xffffffffn), true);
}

/** Makes the hashes of declarations, body and head right. The sizes are those given, whatever the head says. */
export function repairFrame(segment: Uint8Array, frame: Pick<FramePlace, 'offset' | 'bodySize' | 'declarationCount'>): void {
  const { offset, bodySize, declarationCount } = frame;
  const view = viewOf(segment);
  const seed = seedOf(view);
  const seeded = (name: number): bigint => mix(seed ^ BigInt(name), BigInt(offset));
  const body = offset + HEAD_SIZE;
  const declarations = body + bodySize;
  if (declarations + (declarationCount + 1) * 8 <= segment.length && declarationCount > 0) {
    const end = declarations + declarationCount * 8;
    view.setBigUint64(end, xxh64(segment.subarray(declarations, end), seeded(format.SEED_DECLARATIONS)) | HEAD_BITS, true);
  }
  if (body > segment.length) return;
  view.setBigUint64(offset + format.FRAME_BODY_HASH, xxh64(segment.subarray(body, declarations), seeded(format.SEED_FRAME_BODY)), true);
  view.setBigUint64(offset + format.FRAME_HEAD_HASH, xxh64(segment.subarray(offset, offset + HEAD_HASHED_SIZE), seeded(format.SEED_FRAME_HEAD)) | HEAD_BITS, true);
}

/** Makes everything in a segment right: after its identity, its place in the file or its sequence number has changed. */
export function repairSegment(segment: Uint8Array, place: SegmentPlace, shift: number): void {
  for (const frame of place.frames) {
    for (const record of frame.records) repairRecord(segment, record.offset, record.size);
    repairFrame(segment, frame);
  }
  repairHeader(segment, shift);
}

/** Makes the header of the segment behind name the end of this one. */
export function repairLink(file: Uint8Array, before: SegmentPlace, after: SegmentPlace, shift: number): void {
  const [one, other] = [segmentBytes(file, before, shift), segmentBytes(file, after, shift)];
  const last = before.frames.at(-1);
  if (one === undefined || other === undefined || last === undefined || last.offset + HEAD_SIZE > one.length) return;
  const address = (viewOf(one).getBigUint64(format.SEGMENT_SEQUENCE, true) << BigInt(shift - format.ADDRESS_UNIT_SHIFT)) + BigInt(before.end >> 3);
  viewOf(other).setBigUint64(format.SEGMENT_PREVIOUS_END, address, true);
  viewOf(other).setBigUint64(format.SEGMENT_PREVIOUS_HASH, viewOf(one).getBigUint64(last.offset + format.FRAME_HEAD_HASH, true), true);
  repairHeader(other, shift);
}
