/** Addresses of the log: the number of a segment, then the offset in it, in units of eight bytes. */
import { ADDRESS_UNIT_SHIFT, WORD_FIELD_BITS } from '../shared/format';
import { requires } from '../verify/contract';

/** Bits below the sequence number in an address, and what masks them. */
export class Geometry {
  static segmentShift: u32 = 0;
  static segmentSize: u32 = 0;
  static offsetBits: u32 = 0;
  static offsetMask: u64 = 0;
  /** True where no file stands behind the log. */
  static inMemory: bool = false;
}

/** The low 48 bits of a word. */
export const FIELD_MASK: u64 = (1 << WORD_FIELD_BITS) - 1;

export function setGeometry(segmentShift: u32, inMemory: bool): void {
  requires(segmentShift >= 12 && segmentShift <= 24);
  Geometry.segmentShift = segmentShift;
  Geometry.segmentSize = 1 << segmentShift;
  Geometry.offsetBits = segmentShift - ADDRESS_UNIT_SHIFT;
  Geometry.offsetMask = ((<u64>1) << Geometry.offsetBits) - 1;
  Geometry.inMemory = inMemory;
}

export function addressOf(sequence: u64, offset: u32): u64 {
  requires(sequence != 0 && sequence <= FIELD_MASK >> Geometry.offsetBits && (offset & 7) == 0 && offset <= Geometry.segmentSize);
  return (sequence << Geometry.offsetBits) + (offset >> ADDRESS_UNIT_SHIFT);
}

/** Whether there can be a segment of this number: whether addresses reach it. */
export function isAddressable(sequence: u64): bool {
  return sequence <= FIELD_MASK >> Geometry.offsetBits;
}

export function sequenceOf(address: u64): u64 {
  requires(address <= FIELD_MASK);
  return address >> Geometry.offsetBits;
}

export function offsetOf(address: u64): u32 {
  requires(address <= FIELD_MASK);
  return <u32>(address & Geometry.offsetMask) << ADDRESS_UNIT_SHIFT;
}
