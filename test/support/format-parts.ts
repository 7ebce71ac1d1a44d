/**
 * The pieces of a varve file one by one, each checked by its own hash: superblocks, segment headers with their lists, frame heads with declarations, records.
 * Written from FORMAT.md alone and sharing no line or number with the library, so that the document is known to suffice. What the pieces mean together is
 * left to `format-reader.ts`.
 */
import { mix, xxh64 } from './xxh64.js';

export const SECTOR_SIZE = 512;
export const SLOTS_OFFSET = 8192;
const SUPERBLOCK_SIZE = 4096;
const SUPERBLOCK_COPY_OFFSET = 2048;
const HASHED_SIZE = 120;
export const HEADER_SIZE = 128;
const LIST_END = 0x7f;
export const HEAD_SIZE = 56;
const HEAD_HASHED_SIZE = 48;
const FRAME_MAGIC = 0x5af1;
const HEAD_BITS = 0x1100000000000000n;
const RECORD_HEADER_SIZE = 24;
export const FLAG_END = 1;
export const FLAG_COMPACTION = 2;
export const FLAG_SEAL = 4;
/** The seeds are the first four letters of what they are for, read as a big-endian number. */
const seedOf = (letters: string): bigint => BigInt(`0x${Buffer.from(letters, 'latin1').toString('hex')}`);
const SEED_SUPERBLOCK = seedOf('SUPE');
const SEED_SEGMENT = seedOf('SEGM');
const SEED_LIST = seedOf('LIST');
const SEED_FRAME_HEAD = seedOf('HEAD');
const SEED_FRAME_BODY = seedOf('BODY');
const SEED_DECLARATIONS = seedOf('DECL');
const SEED_RECORD = seedOf('RECO');

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const isAt = (bytes: Uint8Array, offset: number, latin1: string): boolean => Buffer.from(bytes.subarray(offset, offset + latin1.length)).toString('latin1') === latin1;
const low48 = (word: bigint): number => Number(word & 0xffffffffffffn);
export const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

export interface Superblock {
  readonly index: number;
  readonly shift: number;
  readonly storeIdLow: bigint;
  readonly storeIdHigh: bigint;
  readonly generation: bigint;
  readonly versionCeiling: number;
  readonly rootSequence: number;
  readonly rootSlot: number;
  readonly tail: number;
  readonly version: number;
  readonly isClean: boolean;
}

/** One of the two copies within a superblock, or undefined where it is not intact. */
export function readSuperblock(file: Uint8Array, index: number, copy: number): Superblock | undefined {
  const offset = index * SUPERBLOCK_SIZE + copy * SUPERBLOCK_COPY_OFFSET;
  if (file.length < offset + HEADER_SIZE || !isAt(file, offset, 'varve\r\x1a\n')) return undefined;
  const bytes = file.subarray(offset, offset + HEADER_SIZE);
  const view = viewOf(bytes);
  if (view.getBigUint64(HASHED_SIZE, true) !== xxh64(bytes.subarray(0, HASHED_SIZE), mix(SEED_SUPERBLOCK, BigInt(index)))) return undefined;
  if (view.getUint32(8, true) !== 1) throw new Error(`format version ${view.getUint32(8, true)}`);
  return {
    index,
    shift: view.getUint32(12, true),
    storeIdLow: view.getBigUint64(16, true),
    storeIdHigh: view.getBigUint64(24, true),
    generation: view.getBigUint64(32, true),
    versionCeiling: Number(view.getBigUint64(40, true)),
    rootSequence: Number(view.getBigUint64(48, true)),
    tail: Number(view.getBigUint64(56, true)),
    version: Number(view.getBigUint64(64, true)),
    rootSlot: view.getUint32(72, true),
    isClean: (view.getUint32(76, true) & 1) === 1,
  };
}

export interface SegmentHeader {
  readonly sequence: number;
  readonly slot: number;
  readonly nextSlot: number;
  readonly previousEnd: number;
  readonly previousHash: bigint;
  readonly seal: number;
  readonly versionCeiling: number;
  readonly version: number;
  readonly listCount: number;
  readonly listSize: number;
  readonly listHash: bigint;
  /** What every hash within the segment starts from. */
  readonly seed: bigint;
  /** Where frames begin. */
  readonly framesOffset: number;
}

/** The bytes of a slot. What lies behind the end of the file is taken for zeros. */
export function slotBytes(file: Uint8Array, slot: number, shift: number): Uint8Array {
  const offset = SLOTS_OFFSET + slot * 2 ** shift;
  const bytes = file.subarray(offset, offset + 2 ** shift);
  if (bytes.length === 2 ** shift) return bytes;
  const padded = new Uint8Array(2 ** shift);
  padded.set(bytes);
  return padded;
}

/** The header of the segment in a slot, or undefined where there is none that is intact and of this store. */
export function readHeader(file: Uint8Array, slot: number, superblock: Superblock): SegmentHeader | undefined {
  const bytes = slotBytes(file, slot, superblock.shift);
  if (bytes.length < HEADER_SIZE || !isAt(bytes, 0, 'SEGMENT1')) return undefined;
  const view = viewOf(bytes);
  const word = (offset: number): bigint => view.getBigUint64(offset, true);
  if (word(HASHED_SIZE) !== xxh64(bytes.subarray(0, HASHED_SIZE), mix(SEED_SEGMENT, (BigInt(slot) << 5n) | BigInt(superblock.shift)))) return undefined;
  if (view.getUint32(40, true) !== slot || word(16) !== superblock.storeIdLow || word(24) !== superblock.storeIdHigh) return undefined;
  const listSize = view.getUint32(92, true);
  return {
    sequence: Number(word(8)),
    slot,
    nextSlot: view.getUint32(44, true),
    previousEnd: Number(word(48)),
    previousHash: word(56),
    seal: Number(word(64)),
    versionCeiling: Number(word(72)),
    version: Number(word(80)),
    listCount: view.getUint32(88, true),
    listSize,
    listHash: word(96),
    seed: [word(16), word(24), word(8), word(32)].reduce(mix, (BigInt(slot) << 1n) | 1n),
    framesOffset: (HEADER_SIZE + listSize + 7) & ~7,
  };
}

/** The segments that a header lists, as pairs of sequence number and slot; undefined where the list is not intact. */
export function readList(file: Uint8Array, header: SegmentHeader, shift: number): { sequence: number; slot: number }[] | undefined {
  const bytes = slotBytes(file, header.slot, shift).subarray(HEADER_SIZE, HEADER_SIZE + header.listSize);
  if (xxh64(bytes, mix(header.seed, SEED_LIST)) !== header.listHash) return undefined;
  let offset = 0;
  const varint = (): number => {
    for (let value = 0, unit = 1; ; unit *= 128) {
      const byte = bytes[offset++]!;
      value += (byte & 127) * unit;
      if (byte < 128) return value;
    }
  };
  const segments: { sequence: number; slot: number }[] = [];
  let sequence = 0;
  let slot = 0;
  // A run may begin with the byte that ends the list, so the end is told by the count.
  while (segments.length < header.listCount) {
    sequence += varint();
    const difference = varint();
    slot += difference % 2 === 0 ? difference / 2 : -(difference + 1) / 2;
    for (let rest = varint(); rest >= 0; rest--) segments.push({ sequence: sequence++, slot: slot++ });
  }
  if (segments.length !== header.listCount || bytes[offset] !== LIST_END || offset + 1 !== bytes.length) {
    throw new Error(`the list of segment ${header.sequence} does not end as described: ${Buffer.from(bytes).toString('hex')} for ${header.listCount}`);
  }
  return segments;
}

export interface Head {
  readonly offset: number;
  readonly flags: number;
  readonly bodySize: number;
  readonly recordCount: number;
  readonly pendingCount: number;
  readonly version: number;
  readonly time: number;
  readonly seal: number;
  readonly declarationCount: number;
  readonly bodyHash: bigint;
  readonly hash: bigint;
  readonly bodyEnd: number;
  /** Where the next frame begins. */
  readonly end: number;
}

/** The head of a frame at an offset of a segment, or undefined where none is intact. */
export function readHead(segment: Uint8Array, offset: number, seed: bigint): Head | undefined {
  if (offset + HEAD_SIZE > segment.length) return undefined;
  const view = viewOf(segment);
  if (view.getUint16(offset, true) !== FRAME_MAGIC) return undefined;
  const word = (field: number): bigint => view.getBigUint64(offset + field, true);
  const hash = word(HEAD_HASHED_SIZE);
  if (hash !== (xxh64(segment.subarray(offset, offset + HEAD_HASHED_SIZE), mix(seed ^ SEED_FRAME_HEAD, BigInt(offset))) | HEAD_BITS)) return undefined;
  const declarationCount = Number(word(16) >> 48n) + Number(word(24) >> 48n) * 2 ** 16;
  const bodyEnd = offset + HEAD_SIZE + view.getUint32(offset + 4, true);
  return {
    offset,
    flags: view.getUint16(offset + 2, true),
    bodySize: bodyEnd - offset - HEAD_SIZE,
    recordCount: view.getUint32(offset + 8, true),
    pendingCount: view.getUint32(offset + 12, true),
    version: low48(word(16)),
    time: low48(word(24)),
    seal: low48(word(32)),
    declarationCount,
    bodyHash: word(40),
    hash,
    bodyEnd,
    end: declarationCount === 0 ? bodyEnd : bodyEnd + declarationCount * 8 + 8,
  };
}

/** So many sectors in a row without a bit, or one sector with a single bit, counted from the sector in which the frame begins. */
export type Declaration = { readonly sector: number; readonly count: number } | { readonly sector: number; readonly bit: number };

/** The declarations of a frame, or undefined where they are not intact. */
export function readDeclarations(segment: Uint8Array, head: Head, seed: bigint): Declaration[] | undefined {
  if (head.declarationCount === 0) return [];
  if (head.end > segment.length) return undefined;
  const view = viewOf(segment);
  const hash = xxh64(segment.subarray(head.bodyEnd, head.end - 8), mix(seed ^ SEED_DECLARATIONS, BigInt(head.offset))) | HEAD_BITS;
  if (view.getBigUint64(head.end - 8, true) !== hash) return undefined;
  const declarations: Declaration[] = [];
  for (let offset = head.bodyEnd; offset < head.end - 8; offset += 8) {
    const sector = view.getUint32(offset, true);
    const high = view.getUint32(offset + 4, true);
    declarations.push(high >= 2 ** 31 ? { sector, bit: high - 2 ** 31 } : { sector, count: high });
  }
  return declarations;
}

/** Whether a body hashes to what its head says. */
export function isBodyIntact(segment: Uint8Array, head: Head, seed: bigint): boolean {
  return xxh64(segment.subarray(head.offset + HEAD_SIZE, head.bodyEnd), mix(seed ^ SEED_FRAME_BODY, BigInt(head.offset))) === head.bodyHash;
}

export interface FormatRecord {
  readonly offset: number;
  readonly end: number;
  readonly version: number;
  readonly link: number;
  readonly kind: number;
  readonly isTombstone: boolean;
  readonly isPart: boolean;
  readonly isLarge: boolean;
  readonly expiry: number | undefined;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** The record at an offset of a segment, or undefined where its check fails. */
export function readRecord(segment: Uint8Array, offset: number, seed: bigint): FormatRecord | undefined {
  if (offset + RECORD_HEADER_SIZE > segment.length) return undefined;
  const view = viewOf(segment);
  const valueSize = view.getUint32(offset + 4, true);
  const word = view.getBigUint64(offset + 8, true);
  const flags = view.getUint16(offset + 22, true);
  const keySize = view.getUint16(offset + 14, true) + (flags >> 14) * 2 ** 16;
  const hasExpiry = (flags & 32) !== 0;
  const keyOffset = offset + RECORD_HEADER_SIZE + (hasExpiry ? 8 : 0);
  const valueOffset = keyOffset + keySize;
  const end = Math.ceil((valueOffset + valueSize) / 8) * 8;
  if (end > segment.length) return undefined;
  const place = mix(seed ^ SEED_RECORD, (BigInt(offset) << 32n) | BigInt(valueSize));
  const link = low48(view.getBigUint64(offset + 16, true));
  const seedOfRecord = ((flags & 256) === 0 ? place : mix(place, BigInt(link))) ^ word;
  if (view.getUint32(offset, true) !== Number(xxh64(segment.subarray(offset + 22, end), seedOfRecord) & 0xffffffffn)) return undefined;
  if (!isZero(segment.subarray(valueOffset + valueSize, end))) return undefined;
  return {
    offset,
    end,
    version: low48(word),
    link,
    kind: flags & 15,
    isTombstone: (flags & 16) !== 0,
    isPart: (flags & 64) !== 0,
    isLarge: (flags & 128) !== 0,
    expiry: hasExpiry ? Number(view.getBigUint64(offset + RECORD_HEADER_SIZE, true)) : undefined,
    key: segment.subarray(keyOffset, valueOffset),
    value: segment.subarray(valueOffset, valueOffset + valueSize),
  };
}
