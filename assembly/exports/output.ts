/** The exports between the log and the device: what is to be written, what was flushed, which slots come and go. */
import * as log from '../log/log';
import { Log } from '../log/log';
import * as slots from '../log/slots';
import { Slots, offerSlot } from '../log/slots';
import { setU32 } from '../memory/control';
import { noteBlocks } from '../paging/room';
import { Superblock, durableRoot } from '../recovery/superblock';
import * as format from '../shared/format';
import * as layout from '../shared/layout';
import { collect, isRootInTheWay, takeFreedSlot } from '../space/live';
import { assertHealthy } from '../verify/verify';
import { requires } from '../verify/contract';

/** Closes the open frame at a commit time in epoch milliseconds. Returns what `nextOutput` would. */
export function closeFrame(time: f64): u32 {
  log.setTime(<u64>max<f64>(time, 0));
  log.closeFrame(0, 0);
  log.publishTail();
  return log.nextOutput();
}

/** Tells the time for the frame that the next change of segments closes, in epoch milliseconds. */
export function setTime(time: f64): void {
  log.setTime(<u64>max<f64>(time, 0));
  Log.isTimed = true;
}

/** Appends an empty frame that seals everything flushed so far. False where the segment has no room for it, which costs nothing. */
export function sealLog(time: f64): bool {
  if (Log.frame != 0 || load<u32>(layout.CONTROL_WRITE_ROOM) == 0) return false;
  log.setTime(<u64>max<f64>(time, 0));
  log.closeFrame(format.FRAME_FLAG_SEAL, 0);
  log.publishTail();
  return true;
}

export function nextOutput(): u32 {
  return log.nextOutput();
}

/** The output that was shown has been accepted by the device. Shows the next and returns its size, 0 where there is none. */
export function outputDone(): u32 {
  log.outputDone();
  collect(false);
  assertHealthy();
  return log.nextOutput();
}

/** The address up to which everything was handed to the device: what a flush that begins now makes durable. */
export function writtenAddress(): f64 {
  return <f64>log.writtenAddress();
}

/** A flush that began at `address` has succeeded. */
export function flushed(address: f64): void {
  requires(address >= 0);
  Log.seal = max<u64>(Log.seal, <u64>address);
  // What could not leave before it was durable may now.
  setU32(layout.CONTROL_IS_SHORT, 0);
  noteBlocks();
}

/** The first segment whose header is not known to be durable. Several may not be: those that were begun since the last flush. */
function firstUnsealed(): u64 {
  return durableRoot().sequence + 1;
}

/** A slot that nothing needs any more, to be zeroed; -1 where there is none. */
export function freedSlot(): i32 {
  return takeFreedSlot(firstUnsealed(), Superblock.rootSequence);
}

/** Whether slots wait for a superblock that enters the chain later. */
export function needsSuperblock(): bool {
  return isRootInTheWay(firstUnsealed(), Superblock.rootSequence);
}

export function slotReady(slot: u32): bool {
  requires(Log.segment === null || slot != Log.segment!.slot);
  return offerSlot(slot);
}

/** Takes back a slot that stands ready, the one that would be used last; -1 where there is none. */
export function recallSlot(): i32 {
  return slots.recallSlot();
}

/** One of the slots that stand ready for the log. */
export function readySlotAt(index: u32): u32 {
  return slots.readySlotAt(index);
}

/** The slot that the tail names as next and that must be zeroed before it can be used; -1 when it is ready. */
export function unpreparedNextSlot(): i32 {
  return Slots.isNextReady ? -1 : <i32>Log.segment!.nextSlot;
}

/** The slot that the tail's header names as next. */
export function tailNextSlot(): u32 {
  requires(Log.segment !== null);
  return Log.segment!.nextSlot;
}

export function nextSlotReady(): void {
  Slots.isNextReady = true;
}
