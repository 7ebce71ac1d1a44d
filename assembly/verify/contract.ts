/**
 * What the functions of the core promise one another of pointers, lengths and addresses. The debug build holds every caller to it, and traps where a promise is broken; in the release
 * build nothing of it is left. What must hold however the core is called is an `assert`, in both builds.
 */
import { sizeOf } from '../log/record';
import { FIELD_MASK, Segment } from '../log/segment';
import { touchedSize } from '../memory/allocator';
import { FRAME_HEAD_SIZE, RECORD_HEADER_SIZE } from '../shared/format';

/** The first byte behind the null page: no structure of the core lies before the control block. */
const FIRST_BYTE: usize = 64;

function lies(pointer: usize, size: u64): bool {
  const end = <u64>pointer + size;
  return pointer >= FIRST_BYTE && (end <= touchedSize() || end <= <u64>__heap_base);
}

function isAligned(pointer: usize): bool {
  return (pointer & 7) == 0;
}

/** What a caller owes. */
@inline
export function requires(holds: bool): void {
  if (ASC_OPTIMIZE_LEVEL == 0) assert(holds);
}

/** What a caller may rely on afterwards. */
@inline
export function ensures(holds: bool): void {
  if (ASC_OPTIMIZE_LEVEL == 0) assert(holds);
}

/** So many bytes of memory that was given out. */
@inline
export function requiresRange(pointer: usize, size: usize): void {
  if (ASC_OPTIMIZE_LEVEL == 0) assert(lies(pointer, size));
}

/** A structure of at least so many bytes, at an address that is a multiple of 8. */
@inline
export function requiresBlock(pointer: usize, size: usize): void {
  if (ASC_OPTIMIZE_LEVEL == 0) assert(isAligned(pointer) && lies(pointer, size));
}

/** A whole record, as its own sizes have it. */
@inline
export function requiresRecord(record: usize): void {
  if (ASC_OPTIMIZE_LEVEL == 0) assert(isAligned(record) && lies(record, RECORD_HEADER_SIZE) && lies(record, sizeOf(record)));
}

/** The place of a frame's head. */
@inline
export function requiresFrame(frame: usize): void {
  if (ASC_OPTIMIZE_LEVEL == 0) assert(isAligned(frame) && lies(frame, FRAME_HEAD_SIZE));
}

/** An address of the log, and not 0. */
@inline
export function requiresAddress(address: u64): void {
  if (ASC_OPTIMIZE_LEVEL == 0) assert(address != 0 && address <= FIELD_MASK);
}

/** A descriptor whose offsets are those of one segment, in their order. */
@inline
export function requiresSegment(segment: Segment): void {
  if (ASC_OPTIMIZE_LEVEL == 0) assert(segment.sequence != 0 && segment.written <= segment.end && (segment.end & 7) == 0 && (segment.block == 0 || lies(segment.block, segment.end)));
}
