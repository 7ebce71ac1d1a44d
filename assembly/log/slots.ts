/**
 * Slots of the file as the log sees them: those that are zero, durably, and ready to be written, and the one that the tail's header
 * already names as next. Zeroing and flushing them is the facade's work.
 */
import { Geometry } from './segment';
import { requires } from '../verify/contract';

const CAPACITY: u32 = 64;
const ring: usize = memory.data(64 * 4, 8);

export class Slots {
  static head: u32 = 0;
  static readyCount: u32 = 0;
  /** Whether the slot that the tail's header names as next is zero, durably. */
  static isNextReady: bool = true;
  /** The slot number for a log without a file. */
  static virtual: u32 = 0;
}

/** Offers a slot that is zero and durable. False when enough are waiting. */
export function offerSlot(slot: u32): bool {
  requires(Slots.readyCount <= CAPACITY && Slots.head < CAPACITY);
  if (Slots.readyCount == CAPACITY) return false;
  store<u32>(ring + (((Slots.head + Slots.readyCount) & (CAPACITY - 1)) << 2), slot);
  Slots.readyCount++;
  return true;
}

/** One of the slots that are ready, in the order in which they will be taken. */
export function readySlotAt(index: u32): u32 {
  requires(index < Slots.readyCount);
  return load<u32>(ring + (((Slots.head + index) & (CAPACITY - 1)) << 2));
}

/** Takes back the slot that was offered last; -1 where none is ready. */
export function recallSlot(): i32 {
  if (Slots.readyCount == 0) return -1;
  Slots.readyCount--;
  return <i32>load<u32>(ring + (((Slots.head + Slots.readyCount) & (CAPACITY - 1)) << 2));
}

/** Takes the slot that a new segment will name as its successor's. */
export function takeSlot(): u32 {
  if (Geometry.inMemory) return Slots.virtual++;
  assert(Slots.readyCount > 0);
  const slot = load<u32>(ring + (Slots.head << 2));
  Slots.head = (Slots.head + 1) & (CAPACITY - 1);
  Slots.readyCount--;
  Slots.isNextReady = true;
  return slot;
}

/** Puts the slot back that was taken last. False where others have come in the meantime and there is no place for it. */
export function untakeSlot(slot: u32): bool {
  requires(Slots.readyCount <= CAPACITY);
  if (Geometry.inMemory) return true;
  if (Slots.readyCount == CAPACITY) return false;
  Slots.head = (Slots.head - 1) & (CAPACITY - 1);
  store<u32>(ring + (Slots.head << 2), slot);
  Slots.readyCount++;
  return true;
}
