/**
 * A frame: one commit, or the commits of one turn, as they go to the device together.
 *
 *      0       2       4           8              12              16                24             32          40          48          56
 *     ┌───────┬───────┬───────────┬──────────────┬───────────────┬─────────────────┬──────────────┬───────────┬───────────┬───────────┬─────────┬──────────────┐
 *     │ magic │ flags │ body size │ record count │ pending count │ version (48)│ d │ time (48)│ d │ seal (48) │ body hash │ head hash │ records │ [declarations]│
 *     └───────┴───────┴───────────┴──────────────┴───────────────┴─────────────────┴──────────────┴───────────┴───────────┴───────────┴─────────┴──────────────┘
 *
 * The head has a hash of its own, and no length is believed before it. Declarations name the sectors that hold no bit, or one: they let recovery
 * tell a sector that was lost in a crash from one that is meant to look like that.
 */
import { mix, xxh64 } from '../hash/xxh64';
import { isZero } from '../memory/bytes';
import * as format from '../shared/format';
import { FIELD_MASK } from './segment';
import { ensures, requires, requiresBlock, requiresFrame, requiresRange } from '../verify/contract';

const SECTOR_MASK: u32 = format.SECTOR_SIZE - 1;

/** Bits that are set in every stored head hash, so that no single flipped bit turns its bytes into a lost sector. */
const HEAD_HASH_MARK: u64 = 0x1100000000000000;

export function bodySizeOf(frame: usize): u32 {
  requiresFrame(frame);
  return load<u32>(frame, format.FRAME_BODY_SIZE);
}

export function recordCountOf(frame: usize): u32 {
  requiresFrame(frame);
  return load<u32>(frame, format.FRAME_RECORD_COUNT);
}

export function pendingCountOf(frame: usize): u32 {
  requiresFrame(frame);
  return load<u32>(frame, format.FRAME_PENDING_COUNT);
}

export function frameVersionOf(frame: usize): u64 {
  requiresFrame(frame);
  return load<u64>(frame, format.FRAME_VERSION) & FIELD_MASK;
}

export function frameTimeOf(frame: usize): u64 {
  requiresFrame(frame);
  return load<u64>(frame, format.FRAME_TIME) & FIELD_MASK;
}

export function sealOf(frame: usize): u64 {
  requiresFrame(frame);
  return load<u64>(frame, format.FRAME_SEAL) & FIELD_MASK;
}

export function frameFlagsOf(frame: usize): u32 {
  requiresFrame(frame);
  return load<u16>(frame, format.FRAME_FLAGS);
}

export function headHashOf(frame: usize): u64 {
  requiresFrame(frame);
  return load<u64>(frame, format.FRAME_HEAD_HASH);
}

function declarationCountOf(frame: usize): u32 {
  requiresFrame(frame);
  return <u32>(load<u64>(frame, format.FRAME_VERSION) >> format.WORD_FIELD_BITS) |
    (<u32>(load<u64>(frame, format.FRAME_TIME) >> format.WORD_FIELD_BITS) << 16);
}

/** The bytes behind the body of a frame with so many declarations. */
function declarationsSize(count: u32): u32 {
  return count == 0 ? 0 : (count + 1) * format.DECLARATION_SIZE;
}

/** How many bytes a frame takes as a whole. Only for a frame whose head was checked or built. */
export function frameSizeOf(frame: usize): u32 {
  return format.FRAME_HEAD_SIZE + bodySizeOf(frame) + declarationsSize(declarationCountOf(frame));
}

/** The most bytes that the declarations of a frame over `size` bytes can take. */
export function declarationsSizeMax(size: u32): u32 {
  return ((size >> format.SECTOR_SHIFT) + 3) * format.DECLARATION_SIZE;
}

function headHash(frame: usize, seed: u64, offset: u32): u64 {
  requires((offset & 7) == 0);
  return xxh64(frame, format.FRAME_HEAD_HASH, mix(seed ^ format.SEED_FRAME_HEAD, offset)) | HEAD_HASH_MARK;
}

function bodyHash(frame: usize, size: u32, seed: u64, offset: u32): u64 {
  requires((offset & 7) == 0 && (size & 7) == 0);
  requiresRange(frame, format.FRAME_HEAD_SIZE + size);
  return xxh64(frame + format.FRAME_HEAD_SIZE, size, mix(seed ^ format.SEED_FRAME_BODY, offset));
}

function declarationsHash(begin: usize, count: u32, seed: u64, offset: u32): u64 {
  requires(count != 0);
  requiresBlock(begin, <usize>count << 3);
  return xxh64(begin, count * format.DECLARATION_SIZE, mix(seed ^ format.SEED_DECLARATIONS, offset)) | HEAD_HASH_MARK;
}

/** What a sector's share of a frame looks like: 0 holds no bit, 1 holds one, 2 holds more. Stops at the second. */
function weigh(begin: usize, end: usize): u32 {
  requires(begin < end && ((begin | end) & 7) == 0);
  requiresRange(begin, end - begin);
  let bits: u32 = 0;
  for (let pointer = begin; pointer < end && bits < 2; pointer += 8) bits += <u32>popcnt<u64>(load<u64>(pointer));
  return min<u32>(bits, 2);
}

/** The position of the one bit that is set in a range. */
function bitPosition(begin: usize): u32 {
  requiresBlock(begin, 8);
  let pointer = begin;
  while (load<u64>(pointer) == 0) pointer += 8;
  return (<u32>(pointer - begin) << 3) + <u32>ctz<u64>(load<u64>(pointer));
}

/** The first sector of a frame that holds nothing of its head, counted from the frame's first sector. */
function firstBodySector(offset: u32): u32 {
  requires((offset & 7) == 0);
  return ((offset + format.FRAME_HEAD_SIZE - 1) >> format.SECTOR_SHIFT) + 1 - (offset >> format.SECTOR_SHIFT);
}

/** Where sector `index` of a frame begins in memory. */
function sectorBegin(frame: usize, offset: u32, index: u32): usize {
  requires((frame & 7) == 0 && (offset & 7) == 0);
  return frame - (offset & SECTOR_MASK) + (<usize>index << format.SECTOR_SHIFT);
}

/** Writes the declarations of a body behind it and returns their count. */
function declare(frame: usize, size: u32, offset: u32): u32 {
  requiresFrame(frame);
  requires((size & 7) == 0 && (offset & 7) == 0);
  requiresRange(frame, format.FRAME_HEAD_SIZE + size);
  const end = frame + format.FRAME_HEAD_SIZE + size;
  let count: u32 = 0;
  let runOpen = false;
  let index = firstBodySector(offset);
  for (let begin = sectorBegin(frame, offset, index); begin < end; begin = sectorBegin(frame, offset, ++index)) {
    const weight = weigh(begin, min<usize>(begin + format.SECTOR_SIZE, end));
    const at = end + <usize>count * format.DECLARATION_SIZE;
    if (weight == 0 && runOpen) {
      const run = at - format.DECLARATION_SIZE;
      store<u32>(run, load<u32>(run, 4) + 1, 4);
      continue;
    }
    runOpen = weight == 0;
    if (weight == 2) continue;
    if (weight == 0) store<u64>(at, <u64>index | (<u64>1 << 32));
    else store<u64>(at, <u64>index | (<u64>bitPosition(begin) << 32) | (<u64>1 << format.DECLARATION_SINGLE_BIT));
    count++;
  }
  return count;
}

/** Closes a frame: writes declarations, hashes and head around `size` bytes of records. Returns the size of the whole. */
export function sealFrame(
  frame: usize, size: u32, flags: u32, recordCount: u32, pendingCount: u32, version: u64, time: u64, seal: u64, seed: u64, offset: u32,
): u32 {
  requires(pendingCount <= recordCount && version <= FIELD_MASK && time <= FIELD_MASK && seal <= FIELD_MASK);
  requires((size == 0) == (recordCount == 0));
  const count = declare(frame, size, offset);
  const declarations = frame + format.FRAME_HEAD_SIZE + size;
  if (count != 0) store<u64>(declarations + <usize>count * format.DECLARATION_SIZE, declarationsHash(declarations, count, seed, offset));
  store<u32>(frame, format.FRAME_MAGIC_VALUE | (flags << 16), format.FRAME_MAGIC);
  store<u32>(frame, size, format.FRAME_BODY_SIZE);
  store<u32>(frame, recordCount, format.FRAME_RECORD_COUNT);
  store<u32>(frame, pendingCount, format.FRAME_PENDING_COUNT);
  store<u64>(frame, version | (<u64>(count & 0xffff) << format.WORD_FIELD_BITS), format.FRAME_VERSION);
  store<u64>(frame, time | (<u64>(count >> 16) << format.WORD_FIELD_BITS), format.FRAME_TIME);
  store<u64>(frame, seal, format.FRAME_SEAL);
  store<u64>(frame, bodyHash(frame, size, seed, offset), format.FRAME_BODY_HASH);
  store<u64>(frame, headHash(frame, seed, offset), format.FRAME_HEAD_HASH);
  ensures(declarationsSize(count) <= declarationsSizeMax(size + format.FRAME_HEAD_SIZE) && declarationCountOf(frame) == count);
  ensures(frameVersionOf(frame) == version && frameTimeOf(frame) == time && sealOf(frame) == seal);
  return format.FRAME_HEAD_SIZE + size + declarationsSize(count);
}

/** Whether an intact head stands here, of a frame that ends within `limit` bytes. */
export function hasHead(frame: usize, limit: u32, seed: u64, offset: u32): bool {
  requiresRange(frame, limit);
  requires((offset & 7) == 0);
  if (limit < <u32>format.FRAME_HEAD_SIZE || load<u16>(frame, format.FRAME_MAGIC) != format.FRAME_MAGIC_VALUE) return false;
  if (headHashOf(frame) != headHash(frame, seed, offset)) return false;
  const size = <u64>format.FRAME_HEAD_SIZE + <u64>bodySizeOf(frame) + (<u64>declarationCountOf(frame) + 1) * format.DECLARATION_SIZE;
  return size - (declarationCountOf(frame) == 0 ? format.DECLARATION_SIZE : 0) <= <u64>limit && (bodySizeOf(frame) & 7) == 0;
}

/** Whether the declarations of a frame with an intact head are intact. */
export function hasDeclarations(frame: usize, seed: u64, offset: u32): bool {
  requiresFrame(frame);
  const count = declarationCountOf(frame);
  if (count == 0) return true;
  const begin = frame + format.FRAME_HEAD_SIZE + bodySizeOf(frame);
  return load<u64>(begin + <usize>count * format.DECLARATION_SIZE) == declarationsHash(begin, count, seed, offset);
}

export function hasBody(frame: usize, seed: u64, offset: u32): bool {
  requiresFrame(frame);
  return load<u64>(frame, format.FRAME_BODY_HASH) == bodyHash(frame, bodySizeOf(frame), seed, offset);
}

/**
 * Whether a head that is not intact can be one that a crash cut: of the sectors that it lies in, at least one still holds
 * nothing. What was there before is known to be zero, and no single flipped bit makes an intact head look so.
 */
export function isHeadLost(frame: usize, limit: u32, offset: u32): bool {
  requiresRange(frame, limit);
  requires((limit & 7) == 0);
  const end = frame + min<u32>(format.FRAME_HEAD_SIZE, limit);
  const boundary = sectorBegin(frame, offset, 1);
  return isZero(frame, min<usize>(boundary, end)) || (boundary < end && isZero(boundary, end));
}

/** Whether declarations that are not intact can have been cut by a crash. */
export function areDeclarationsLost(frame: usize, offset: u32): bool {
  requiresFrame(frame);
  const begin = frame + format.FRAME_HEAD_SIZE + bodySizeOf(frame);
  const end = begin + declarationsSize(declarationCountOf(frame));
  let index = firstBodySector(offset);
  for (let sector = sectorBegin(frame, offset, index); sector < end; sector = sectorBegin(frame, offset, ++index)) {
    const sectorEnd = min<usize>(sector + format.SECTOR_SIZE, end);
    if (sectorEnd > begin && isZero(max<usize>(sector, begin), sectorEnd)) return true;
  }
  return false;
}

/** The declaration of a sector, or 0. Declarations stand in ascending order. */
function declarationOf(frame: usize, index: u32): u64 {
  requiresFrame(frame);
  const begin = frame + format.FRAME_HEAD_SIZE + bodySizeOf(frame);
  const count = declarationCountOf(frame);
  for (let number: u32 = 0; number < count; number++) {
    const declaration = load<u64>(begin + <usize>number * format.DECLARATION_SIZE);
    const first = <u32>declaration;
    if (first > index) return 0;
    const length: u32 = declaration >> format.DECLARATION_SINGLE_BIT != 0 ? 1 : <u32>(declaration >> 32);
    if (index - first < length) return declaration;
  }
  return 0;
}

/**
 * Looks for lost sectors in a body whose hash is wrong, head and declarations being intact. A lost sector that was declared to hold one bit gets it back.
 * Returns whether a sector is lost for good.
 */
export function isBodyLost(frame: usize, offset: u32): bool {
  requiresFrame(frame);
  const end = frame + format.FRAME_HEAD_SIZE + bodySizeOf(frame);
  let lost = false;
  let index = firstBodySector(offset);
  for (let begin = sectorBegin(frame, offset, index); begin < end; begin = sectorBegin(frame, offset, ++index)) {
    const sectorEnd = min<usize>(begin + format.SECTOR_SIZE, end);
    if (!isZero(begin, sectorEnd)) continue;
    const declaration = declarationOf(frame, index);
    if (declaration == 0) lost = true;
    else if (declaration >> format.DECLARATION_SINGLE_BIT != 0) {
      const bit = <u32>(declaration >> 32) & 0x7fffffff;
      if (bit < <u32>(sectorEnd - begin) << 3) store<u8>(begin + (bit >> 3), <u8>1 << <u8>(bit & 7));
    }
  }
  return lost;
}
