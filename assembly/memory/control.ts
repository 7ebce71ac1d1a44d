/** The core's side of the control block: where it leaves its results for the facade. */
import * as layout from '../shared/layout';
import { STATUS_CORRUPT } from '../shared/status';
import { requires } from '../verify/contract';

export function setU32(offset: usize, value: u32): void {
  requires(offset >= 64 && offset < 512 && (offset & 3) == 0);
  store<u32>(offset, value);
}

/** Everything wider than 32 bits goes out as a double: exact up to 2^53, and no BigInt is made. */
export function setNumber(offset: usize, value: u64): void {
  requires(offset >= 64 && offset < 512 && (offset & 7) == 0);
  store<f64>(offset, <f64>value);
}

/** Says where damage was found and answers STATUS_CORRUPT. */
export function damage(sequence: u64, slot: u32, offset: u32, size: u32, reason: u32): i32 {
  setNumber(layout.CONTROL_DAMAGE_SEQUENCE, sequence);
  setU32(layout.CONTROL_DAMAGE_SLOT, slot);
  setU32(layout.CONTROL_DAMAGE_OFFSET, offset);
  setU32(layout.CONTROL_DAMAGE_SIZE, size);
  setU32(layout.CONTROL_DAMAGE_REASON, reason);
  setNumber(layout.CONTROL_DAMAGE_AFTER, 0);
  setNumber(layout.CONTROL_DAMAGE_UP_TO, 0);
  return STATUS_CORRUPT;
}

/** Says of which commits the damage that was just described may have taken something: those above `after`, and up to `upTo`, or 0 where their end is not known. */
export function damagedVersions(after: u64, upTo: u64): void {
  setNumber(layout.CONTROL_DAMAGE_AFTER, after);
  setNumber(layout.CONTROL_DAMAGE_UP_TO, upTo);
}
