/**
 * Files that nobody writes by accident: the content is wrong, and every hash over it is right. Takes the bytes of a store, lets a test change them, and makes checks and hashes anew, as somebody
 * could who knows FORMAT.md.
 */
import * as format from '../../assembly/shared/format.js';
import { readHead, readHeader, readSuperblock, type Head, type SegmentHeader, type Superblock } from './format-parts.js';
import { mix, xxh64 } from './xxh64.js';

const HEAD_BITS = 0x1100000000000000n;

/** Where a record stands in its segment, and how many bytes it takes. */
export interface Place {
  readonly offset: number;
  readonly size: number;
}

export class Forgery {
  readonly bytes: Uint8Array;
  readonly superblock: Superblock;
  readonly header: SegmentHeader;
  /** The segment, as a view of the file. */
  readonly view: DataView;
  readonly #segment: Uint8Array;

  /** Begins with a copy of a file, and looks at the segment in a slot. */
  constructor(file: Uint8Array, slot = 0) {
    this.bytes = file.slice();
    const superblocks = [0, 1].map((index) => readSuperblock(this.bytes, index, 0)).filter((superblock) => superblock !== undefined);
    this.superblock = superblocks.reduce((best, other) => (other.generation > best.generation ? other : best));
    const size = 2 ** this.superblock.shift;
    this.#segment = this.bytes.subarray(format.SLOTS_OFFSET + slot * size, format.SLOTS_OFFSET + (slot + 1) * size);
    this.view = new DataView(this.#segment.buffer, this.#segment.byteOffset, this.#segment.byteLength);
    this.header = readHeader(this.bytes, slot, this.superblock)!;
  }

  /** The frames of the segment that have records. */
  frames(): Head[] {
    const frames: Head[] = [];
    for (let head = readHead(this.#segment, this.header.framesOffset, this.header.seed); head !== undefined; head = readHead(this.#segment, head.end, this.header.seed)) {
      if (head.recordCount > 0) frames.push(head);
    }
    return frames;
  }

  /** The records of a frame. */
  records(head: Head): Place[] {
    const places: Place[] = [];
    for (let offset = head.offset + format.FRAME_HEAD_SIZE; offset < head.bodyEnd; offset += places.at(-1)!.size) {
      const flags = this.view.getUint16(offset + format.RECORD_FLAGS, true);
      const expiry = (flags & format.RECORD_FLAG_EXPIRY) === 0 ? 0 : format.RECORD_EXPIRY_SIZE;
      const unpadded = format.RECORD_HEADER_SIZE + expiry + this.view.getUint16(offset + format.RECORD_KEY_SIZE_LOW, true) + this.view.getUint32(offset + format.RECORD_VALUE_SIZE, true);
      places.push({ offset, size: (unpadded + 7) & ~7 });
    }
    return places;
  }

  /** The address of a place in the segment. */
  addressOf(offset: number): bigint {
    return (BigInt(this.header.sequence) << BigInt(this.superblock.shift - format.ADDRESS_UNIT_SHIFT)) | BigInt(offset >> format.ADDRESS_UNIT_SHIFT);
  }

  /** Makes the check of a record anew. */
  sealRecord({ offset, size }: Place): void {
    const place = mix(this.header.seed ^ BigInt(format.SEED_RECORD), (BigInt(offset) << 32n) | BigInt(this.view.getUint32(offset + format.RECORD_VALUE_SIZE, true)));
    const check = xxh64(this.#segment.subarray(offset + format.RECORD_FLAGS, offset + size), place ^ this.view.getBigUint64(offset + format.RECORD_VERSION, true));
    this.view.setUint32(offset + format.RECORD_CHECK, Number(check & 0xffffffffn), true);
  }

  /** Makes the checks of all records of a frame anew, and its hashes. */
  sealFrame(head: Head): void {
    for (const place of this.records(head)) this.sealRecord(place);
    this.sealBody(head);
  }

  /** Makes the hashes of a frame anew, and not the checks of its records. */
  sealBody({ offset, bodyEnd }: Head): void {
    const body = this.#segment.subarray(offset + format.FRAME_HEAD_SIZE, bodyEnd);
    this.view.setBigUint64(offset + format.FRAME_BODY_HASH, xxh64(body, mix(this.header.seed ^ BigInt(format.SEED_FRAME_BODY), BigInt(offset))), true);
    const head = xxh64(this.#segment.subarray(offset, offset + format.FRAME_HEAD_HASH), mix(this.header.seed ^ BigInt(format.SEED_FRAME_HEAD), BigInt(offset)));
    this.view.setBigUint64(offset + format.FRAME_HEAD_HASH, head | HEAD_BITS, true);
  }

  /** Replaces the list of live segments by another of the same size, and makes the hashes of the header anew. */
  replaceList(list: Uint8Array): void {
    this.#segment.set(list, format.SEGMENT_HEADER_SIZE);
    this.view.setBigUint64(format.SEGMENT_LIST_HASH, xxh64(list, mix(this.header.seed, BigInt(format.SEED_LIST))), true);
    const seed = mix(BigInt(format.SEED_SEGMENT), (BigInt(this.header.slot) << 5n) | BigInt(this.superblock.shift));
    this.view.setBigUint64(format.SEGMENT_HASH, xxh64(this.#segment.subarray(0, format.SEGMENT_HASH), seed), true);
  }
}
