/**
 * Changes to a varve file by somebody who knows the format: fields set to what no writer would write, records, frames and segments copied, moved, appended and cut, lists and part
 * lists rewritten, and then the hashes made right, most of the time.
 */
import * as format from '../../assembly/shared/format.js';
import { HEADER_SIZE, HEAD_SIZE, SLOTS_OFFSET } from './format-parts.js';
import {
  SUPERBLOCK_OFFSETS, layoutOf, repairFrame, repairHeader, repairLink, repairRecord, repairSegment, repairSuperblock, segmentBytes,
  type FileLayout, type FramePlace, type RecordPlace, type SegmentPlace,
} from './file-repair.js';
import { changeInPlace, edge, setNumber } from './mutator.js';
import type { Random } from './random.js';

/** Offset and size of a field. */
type Field = readonly [number, number];

const SUPERBLOCK_FIELDS: readonly Field[] = [
  [format.SUPERBLOCK_FORMAT_VERSION, 4], [format.SUPERBLOCK_SEGMENT_SIZE_SHIFT, 4], [format.SUPERBLOCK_STORE_ID_LOW, 8], [format.SUPERBLOCK_GENERATION, 8],
  [format.SUPERBLOCK_VERSION_CEILING, 8], [format.SUPERBLOCK_ROOT_SEQUENCE, 8], [format.SUPERBLOCK_TAIL, 8], [format.SUPERBLOCK_VERSION, 8], [format.SUPERBLOCK_ROOT_SLOT, 4],
  [format.SUPERBLOCK_FLAGS, 4],
];
const SEGMENT_FIELDS: readonly Field[] = [
  [format.SEGMENT_SEQUENCE, 8], [format.SEGMENT_STORE_ID_LOW, 8], [format.SEGMENT_SALT, 8], [format.SEGMENT_SLOT, 4], [format.SEGMENT_NEXT_SLOT, 4], [format.SEGMENT_PREVIOUS_END, 8],
  [format.SEGMENT_PREVIOUS_HASH, 8], [format.SEGMENT_SEAL, 8], [format.SEGMENT_VERSION_CEILING, 8], [format.SEGMENT_VERSION, 8], [format.SEGMENT_LIST_COUNT, 4],
  [format.SEGMENT_LIST_SIZE, 4],
];
const FRAME_FIELDS: readonly Field[] = [
  [format.FRAME_FLAGS, 2], [format.FRAME_BODY_SIZE, 4], [format.FRAME_RECORD_COUNT, 4], [format.FRAME_PENDING_COUNT, 4], [format.FRAME_VERSION, 6], [format.FRAME_VERSION + 6, 2],
  [format.FRAME_TIME, 6], [format.FRAME_TIME + 6, 2], [format.FRAME_SEAL, 6], [format.FRAME_SEAL, 8],
];
const RECORD_FIELDS: readonly Field[] = [
  [format.RECORD_VALUE_SIZE, 4], [format.RECORD_VERSION, 6], [format.RECORD_KEY_SIZE_LOW, 2], [format.RECORD_LINK, 6], [format.RECORD_FLAGS, 2], [format.RECORD_FLAGS, 1],
  [format.RECORD_HEADER_SIZE, 8],
];
const FLAGS = [0, 1, 4, 0x0f, 0x10, 0x20, 0x40, 0x80, 0xc0, 0x30, 0x50, 0x90, 0xa0, 0x4000, 0x8000, 0xc000, 0x100, 0x2000];

/** A file that is being changed, with the layout that it had before. */
class Work {
  readonly file: Uint8Array;
  readonly #layout: FileLayout;
  readonly #random: Random;

  constructor(file: Uint8Array, layout: FileLayout, random: Random) {
    this.file = file;
    this.#layout = layout;
    this.#random = random;
  }

  get shift(): number {
    return this.#layout.shift;
  }

  /** Whether hashes are made right this time. */
  #repairs(): boolean {
    return this.#random.chance(0.95);
  }

  #pickSegment(): { place: SegmentPlace; bytes: Uint8Array } | undefined {
    if (this.#layout.segments.length === 0) return undefined;
    const place = this.#random.pick(this.#layout.segments);
    const bytes = segmentBytes(this.file, place, this.shift);
    return bytes === undefined ? undefined : { place, bytes };
  }

  #pickFrame(): { place: SegmentPlace; bytes: Uint8Array; frame: FramePlace } | undefined {
    const segment = this.#pickSegment();
    if (segment === undefined || segment.place.frames.length === 0) return undefined;
    return { ...segment, frame: this.#random.pick(segment.place.frames) };
  }

  /** An address that a record, frame or segment of the file has, or one near it. */
  #address(): bigint {
    const random = this.#random;
    const picked = this.#pickFrame();
    if (picked === undefined || random.chance(0.15)) return edge(random);
    const { place, frame } = picked;
    const records = frame.records;
    const offset = records.length > 0 && random.chance(0.7) ? random.pick(records).offset : random.pick([frame.offset, place.end, 0, HEADER_SIZE]);
    const address = (place.sequence << BigInt(this.shift - format.ADDRESS_UNIT_SHIFT)) + BigInt(offset >> 3);
    return random.chance(0.8) ? address : BigInt.asUintN(64, address + BigInt(random.below(5) - 2));
  }

  /** Sets a field to a number that tries the reader: an edge, one near what it was, an address, or what another such field holds. */
  #setField(bytes: Uint8Array, base: number, [offset, size]: Field, others: () => number | undefined): void {
    const random = this.#random;
    const at = base + offset;
    if (at + size > bytes.length) return;
    switch (random.below(5)) {
      case 0:
        setNumber(bytes, at, size, edge(random));
        return;
      case 1:
        setNumber(bytes, at, size, this.#address());
        return;
      case 2: {
        const other = others();
        if (other !== undefined && other + offset + size <= bytes.length) bytes.copyWithin(at, other + offset, other + offset + size);
        return;
      }
      default: {
        let value = 0n;
        for (let index = size - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[at + index]!);
        const change = random.chance(0.7) ? BigInt(random.below(17) - 8) : 1n << BigInt(random.below(8 * size));
        setNumber(bytes, at, size, BigInt.asUintN(64, value + change));
      }
    }
  }

  superblock(): void {
    const random = this.#random;
    if (this.file.length < SLOTS_OFFSET) return;
    const from = random.pick(SUPERBLOCK_OFFSETS);
    this.#setField(this.file, from, random.pick(SUPERBLOCK_FIELDS), () => random.pick(SUPERBLOCK_OFFSETS));
    // A change counts only where the newest superblock has it.
    const isEverywhere = random.chance(0.7);
    for (const offset of SUPERBLOCK_OFFSETS) {
      if (isEverywhere) this.file.copyWithin(offset, from, from + HEADER_SIZE);
      if (isEverywhere || offset === from) repairSuperblock(this.file, offset);
    }
  }

  header(): void {
    const segment = this.#pickSegment();
    if (segment === undefined) return;
    const field = this.#random.pick(SEGMENT_FIELDS);
    this.#setField(segment.bytes, 0, field, () => undefined);
    const isIdentity = field[0] >= format.SEGMENT_SEQUENCE && field[0] <= format.SEGMENT_SLOT;
    if (isIdentity && this.#random.chance(0.8)) repairSegment(segment.bytes, segment.place, this.shift);
    else repairHeader(segment.bytes, this.shift);
  }

  /** Writes a list of runs that may say anything. */
  list(): void {
    const random = this.#random;
    const segment = this.#pickSegment();
    if (segment === undefined) return;
    const { bytes, place } = segment;
    const start = HEADER_SIZE;
    const end = Math.min(start + place.listSize, bytes.length);
    if (random.chance(0.5)) changeInPlace(bytes, random, () => start + random.below(Math.max(1, end - start)));
    else {
      const list: number[] = [];
      for (let count = 3 * (1 + random.below(3)); count > 0; count--) {
        let value = random.chance(0.8) ? BigInt(random.below(6)) : edge(random);
        for (; value >= 0x80n && list.length < 64; value >>= 7n) list.push(Number(value & 0x7fn) | 0x80);
        list.push(Number(value & 0x7fn));
      }
      list.push(0x7f);
      bytes.set(list.slice(0, Math.max(0, bytes.length - start)), start);
      setNumber(bytes, format.SEGMENT_LIST_SIZE, 4, BigInt(list.length));
    }
    repairHeader(bytes, this.shift);
  }

  frame(): void {
    const random = this.#random;
    const picked = this.#pickFrame();
    if (picked === undefined) return;
    const { bytes, frame, place } = picked;
    const field = random.pick(FRAME_FIELDS);
    this.#setField(bytes, frame.offset, field, () => random.pick(place.frames).offset);
    if (field[0] === format.FRAME_FLAGS) setNumber(bytes, frame.offset + format.FRAME_FLAGS, 2, BigInt(random.below(8)));
    if (this.#repairs()) this.#repairFrame(picked);
  }

  #repairFrame({ bytes, frame, place }: { bytes: Uint8Array; frame: FramePlace; place: SegmentPlace }): void {
    repairFrame(bytes, frame);
    const next = this.#layout.segments.find(({ sequence }) => sequence === place.sequence + 1n);
    if (next !== undefined && this.#random.chance(0.8)) repairLink(this.file, place, next, this.shift);
  }

  declarations(): void {
    const random = this.#random;
    const picked = this.#pickFrame();
    if (picked === undefined) return;
    const { bytes, frame } = picked;
    const start = frame.offset + HEAD_SIZE + frame.bodySize;
    if (frame.declarationCount === 0 || start + frame.declarationCount * 8 > bytes.length) return;
    setNumber(bytes, start + 4 * random.below(2 * frame.declarationCount), 4, edge(random));
    // Declarations are read only where the body is not as it was.
    if (random.chance(0.5)) bytes.fill(0, Math.min(frame.offset + HEAD_SIZE + random.below(frame.bodySize), start), start);
    const hash = bytes.slice(frame.offset + format.FRAME_BODY_HASH, frame.offset + format.FRAME_HEAD_HASH);
    repairFrame(bytes, frame);
    if (random.chance(0.5)) return;
    bytes.set(hash, frame.offset + format.FRAME_BODY_HASH);
  }

  #recordIn(picked: { bytes: Uint8Array; frame: FramePlace }): RecordPlace | undefined {
    return picked.frame.records.length === 0 ? undefined : this.#random.pick(picked.frame.records);
  }

  record(): void {
    const random = this.#random;
    const picked = this.#pickFrame();
    const record = picked && this.#recordIn(picked);
    if (picked === undefined || record === undefined) return;
    const { bytes, frame } = picked;
    const { offset, size, keyOffset, valueOffset } = record;
    switch (random.below(6)) {
      case 0:
        // A size that takes from the value what it gives to the key leaves the record as long as it was.
        setNumber(bytes, offset + format.RECORD_KEY_SIZE_LOW, 2, BigInt(random.below(valueOffset - keyOffset + 2)));
        setNumber(bytes, offset + format.RECORD_VALUE_SIZE, 4, BigInt(random.below(offset + size - keyOffset + 1)));
        break;
      case 1:
        setNumber(bytes, offset + format.RECORD_FLAGS, 2, BigInt(random.pick(FLAGS)));
        break;
      case 2:
        changeInPlace(bytes, random, () => keyOffset + random.below(offset + size - keyOffset));
        break;
      case 3:
        this.#makePartList(bytes, record);
        break;
      case 4: {
        // Another record of the file, in the place of this one.
        const other = this.#pickFrame();
        const source = other && this.#recordIn(other);
        if (other !== undefined && source !== undefined && source.size === size) bytes.set(other.bytes.slice(source.offset, source.offset + size), offset);
        break;
      }
      default:
        this.#setField(bytes, offset, random.pick(RECORD_FIELDS), () => random.pick(frame.records).offset);
    }
    repairRecord(bytes, offset, size);
    if (this.#repairs()) this.#repairFrame(picked);
  }

  /** Turns the value of a record into a list of parts. */
  #makePartList(bytes: Uint8Array, { offset, size, valueOffset }: RecordPlace): void {
    const random = this.#random;
    const room = (offset + size - valueOffset) & ~7;
    if (room < 16) return;
    const flags = bytes[offset + format.RECORD_FLAGS]! & ~(format.RECORD_FLAG_TOMBSTONE | format.RECORD_FLAG_PART);
    bytes[offset + format.RECORD_FLAGS] = flags | format.RECORD_FLAG_LARGE;
    setNumber(bytes, offset + format.RECORD_VALUE_SIZE, 4, BigInt(room));
    if (random.chance(0.5)) setNumber(bytes, valueOffset, 8, random.chance(0.5) ? edge(random) : BigInt(random.below(2048)));
    for (let at = valueOffset + 8; at + 8 <= valueOffset + room; at += 8) if (random.chance(0.6)) setNumber(bytes, at, 8, this.#address());
  }

  /** Puts a frame behind the last one of a segment: a copy of one, or one made of copies of records. */
  append(): void {
    const random = this.#random;
    const segment = this.#pickSegment();
    const source = this.#pickFrame();
    if (segment === undefined || source === undefined) return;
    const { place, bytes } = segment;
    const at = random.chance(0.8) ? place.end : random.pick([...place.frames.map((frame) => frame.offset), place.end]);
    if (at + HEAD_SIZE > bytes.length) return;
    bytes.set(source.bytes.slice(source.frame.offset, source.frame.offset + Math.min(HEAD_SIZE, bytes.length - at)), at);
    let end = at + HEAD_SIZE;
    let count = 0;
    for (let wanted = random.below(4); wanted > 0; wanted--) {
      const from = this.#pickFrame();
      const record = from && this.#recordIn(from);
      if (from === undefined || record === undefined || end + record.size > bytes.length) continue;
      bytes.set(from.bytes.slice(record.offset, record.offset + record.size), end);
      if (random.chance(0.5)) setNumber(bytes, end + format.RECORD_VERSION, 6, BigInt(random.below(200)));
      repairRecord(bytes, end, record.size);
      end += record.size;
      count++;
    }
    const frame = { offset: at, bodySize: end - at - HEAD_SIZE, declarationCount: 0 };
    setNumber(bytes, at + format.FRAME_FLAGS, 2, BigInt(random.chance(0.5) ? random.below(8) : 0));
    setNumber(bytes, at + format.FRAME_BODY_SIZE, 4, BigInt(frame.bodySize));
    setNumber(bytes, at + format.FRAME_RECORD_COUNT, 4, BigInt(count));
    setNumber(bytes, at + format.FRAME_PENDING_COUNT, 4, BigInt(random.chance(0.6) ? 0 : random.below(count + 2)));
    setNumber(bytes, at + format.FRAME_VERSION, 8, BigInt(random.chance(0.5) ? 200 : random.below(200)));
    setNumber(bytes, at + format.FRAME_TIME + 6, 2, 0n);
    if (random.chance(0.5)) setNumber(bytes, at + format.FRAME_SEAL, 6, this.#address());
    if (this.#repairs()) repairFrame(bytes, frame);
  }

  /** Copies a segment into another slot, as one that belongs there, or as one that does not. */
  copySegment(): void {
    const random = this.#random;
    const from = this.#pickSegment();
    if (from === undefined || from.bytes.length < 2 ** this.shift) return;
    const slot = random.below(Math.floor((this.file.length - SLOTS_OFFSET) / 2 ** this.shift) + 1);
    const offset = SLOTS_OFFSET + slot * 2 ** this.shift;
    if (offset + 2 ** this.shift > this.file.length) return;
    this.file.copyWithin(offset, from.place.offset, from.place.offset + 2 ** this.shift);
    const place = { ...from.place, slot, offset };
    const bytes = segmentBytes(this.file, place, this.shift)!;
    if (random.chance(0.9)) setNumber(bytes, format.SEGMENT_SLOT, 4, BigInt(slot));
    if (random.chance(0.7)) setNumber(bytes, format.SEGMENT_SEQUENCE, 8, BigInt.asUintN(64, place.sequence + BigInt(random.below(5) - 1)));
    if (this.#repairs()) repairSegment(bytes, place, this.shift);
  }

  /** Makes a sector, or a piece of one, what a crash or a bad disk leaves. */
  damage(): void {
    const random = this.#random;
    if (this.file.length === 0) return;
    const segment = random.chance(0.8) ? this.#pickSegment() : undefined;
    const begin = segment?.place.offset ?? 0;
    const size = segment === undefined ? this.file.length : Math.min(segment.place.end + 128, segment.bytes.length);
    if (random.chance(0.5)) changeInPlace(this.file, random, () => begin + random.below(size));
    else {
      const sector = begin + 512 * random.below(Math.ceil(size / 512));
      this.file.fill(0, sector, sector + 512 * (1 + random.below(3)));
    }
  }
}

/** A changed copy of a file. */
export function mutateFile(input: Uint8Array, random: Random, sizeMax: number): Uint8Array {
  const work = new Work(input.slice(), layoutOf(input), random);
  const changes = [
    () => work.record(), () => work.record(), () => work.record(), () => work.frame(), () => work.frame(), () => work.header(), () => work.list(), () => work.append(), () => work.append(),
    () => work.declarations(), () => work.superblock(), () => work.copySegment(), () => work.damage(),
  ];
  for (let count = 1 << random.below(3); count > 0; count--) random.pick(changes)();
  if (random.chance(0.97)) return work.file;
  const size = random.below(Math.min(sizeMax, input.length + 4096) + 1);
  const cut = new Uint8Array(random.chance(0.5) ? size & ~511 : size);
  cut.set(work.file.subarray(0, cut.length));
  return cut;
}
