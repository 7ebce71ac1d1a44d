/**
 * The slots of the file: which are in use, which are free, and which are zero and durable, ready for the log. They are prepared ahead,
 * by the device's background queue where it has one, so that a commit meets neither the cost of a growing file nor a full disk.
 */
import { SLOTS_OFFSET } from '../../assembly/shared/format.js';
import { DeviceError, type Device } from '../device/device.js';
import type { Engine } from '../engine/engine.js';
import { FullError } from '../errors.js';

/** Slots kept back, so that a store on a full disk can still delete. */
const RESERVE_COUNT = 2;
/** Slots that a new file has: two for the log, one that is ready, and the reserve. */
export const CREATED_COUNT = 3 + RESERVE_COUNT;
/** How much is kept ready for a writer that is in a hurry, in bytes. */
const AHEAD_SIZE = 4 << 20;
const AHEAD_COUNT_MIN = 2;
const AHEAD_COUNT_MAX = 32;
/** No more is kept ready than such a part of the slots that there are, so that a small store stays small. */
const AHEAD_SHARE = 16;
/** Segments that compaction fills for one that is filled by writers, at most. */
const COMPACTION_COUNT = 3;
const ZERO_CHUNK_SIZE = 1 << 20;

let zeros: Uint8Array | undefined;

function zeroed(): Uint8Array {
  return (zeros ??= new Uint8Array(ZERO_CHUNK_SIZE));
}

/** Behind the last of some slots; 0 where there is none. */
function endOf(slots: Iterable<number>): number {
  let end = 0;
  for (const slot of slots) end = Math.max(end, slot + 1);
  return end;
}

export class Slots {
  readonly #engine: Engine;
  readonly #device: Device;
  /** Slots that exist, in the file or about to. */
  #count = 0;
  /** Slots that nothing needs and that hold anything. */
  #free: number[] = [];
  /** Free slots that have their place on the disk and that only deletes may have once it is full. */
  #reserve: number[] = [];
  /** Slots in the background queue, in its order. */
  #queued: number[] = [];
  #completed = 0;
  #isHurried = false;
  #isFull = false;
  /** How often a write found no slot ready and had to prepare one itself. */
  stallCount = 0;

  constructor(engine: Engine, device: Device) {
    this.#engine = engine;
    this.#device = device;
  }

  get count(): number {
    return this.#count;
  }

  get freeCount(): number {
    return this.#free.length;
  }

  get reserveCount(): number {
    return this.#reserve.length;
  }

  /** Prepares a new file: the superblocks, two slots for the log, and the reserve. Nothing of it may lack its place on the disk later. */
  create(): void {
    this.#device.write(zeroed(), 0, SLOTS_OFFSET, 0);
    this.#zero(0, CREATED_COUNT);
    this.#device.flushSync();
    this.#count = CREATED_COUNT;
    for (let slot = 0; slot < RESERVE_COUNT; slot++) this.#reserve.push(3 + slot);
    this.#engine.core.slotReady(2);
  }

  /** Learns from an opened file which slots are in use; all others are free, whatever they hold. */
  adopt(used: ReadonlySet<number>): void {
    const held = Math.ceil((this.#device.size() - this.#engine.slotOffset(0)) / this.#engine.segmentSize);
    this.#count = Math.max(held, endOf(used));
    // A slot behind the end of the file may have any number: what lies between is not there to be used.
    for (let slot = Math.min(held, this.#count) - 1; slot >= 0; slot--) {
      if (!used.has(slot)) this.#release(slot);
    }
  }

  /** How many slots the file has as a whole. */
  get #heldCount(): number {
    return Math.floor((this.#device.size() - this.#engine.slotOffset(0)) / this.#engine.segmentSize);
  }

  /** Takes a slot back that nothing needs any more. */
  #release(slot: number): void {
    if (this.#reserve.length < RESERVE_COUNT && slot < this.#heldCount) this.#reserve.push(slot);
    else this.#free.push(slot);
  }

  #zero(slot: number, count: number): void {
    let offset = this.#engine.slotOffset(slot);
    const end = offset + count * this.#engine.segmentSize;
    while (offset < end) {
      const size = Math.min(ZERO_CHUNK_SIZE, end - offset);
      this.#device.write(zeroed(), 0, size, offset);
      offset += size;
    }
  }

  /** A slot to be prepared: the first that is free, so that the end of the file becomes free, or a new one. */
  #take(): number {
    if (this.#free.length === 0) return this.#count++;
    let first = 0;
    for (let index = 1; index < this.#free.length; index++) if (this.#free[index]! < this.#free[first]!) first = index;
    return this.#free.splice(first, 1)[0]!;
  }

  /** Takes a slot for something that is not the log. */
  take(): number {
    return this.#take();
  }

  /** Gives slots back that hold nothing which anybody needs. */
  give(slots: readonly number[]): void {
    for (const slot of slots) this.#release(slot);
  }

  /** Prepares a slot at once. When the disk is full it goes back among the free, and the device's error comes out. */
  #prepare(slot: number): void {
    try {
      this.#zero(slot, 1);
      this.#device.flushSync();
    } catch (error) {
      this.#free.push(slot);
      throw error;
    }
  }

  /** Makes the log able to go on to another segment, or throws `FullError`. `reserved` may use the slots kept for deletes. */
  provide(reserved: boolean): void {
    this.#isHurried = true;
    if (this.#collect() > 0 && this.#engine.core.unpreparedNextSlot() < 0) {
      this.prepareAhead();
      return;
    }
    this.stallCount++;
    try {
      this.#provideNow();
    } catch (error) {
      if (!(error instanceof DeviceError) || error.kind !== 'full') throw error;
      this.#noteFull();
      if (this.#engine.core.unpreparedNextSlot() < 0 && (this.#prepareHeld(this.#free) || (reserved && this.#prepareHeld(this.#reserve)))) return;
      throw new FullError(`The disk that holds ${this.#engine.name} is full: nothing was changed. Make room on it, or delete what is not needed.`, { cause: error });
    }
  }

  /** The disk has no room for more: slots that the file does not have are none. Those that it has can still be used again. */
  #noteFull(): void {
    this.#isFull = true;
    const held = this.#heldCount;
    this.#free = this.#free.filter((slot) => slot < held);
    // One that waits in the background is taken, whether the file has it yet or not.
    this.#count = Math.min(this.#count, Math.max(held, ...this.#queued.map((slot) => slot + 1)));
  }

  /** Prepares one of the slots that the file has. False where none of them can be written: a file system may want room for that too. */
  #prepareHeld(slots: number[]): boolean {
    for (let tries = slots.length; tries > 0; tries--) {
      const slot = slots.shift()!;
      try {
        this.#zero(slot, 1);
        this.#device.flushSync();
        this.#engine.core.slotReady(slot);
        return true;
      } catch (error) {
        slots.push(slot);
        if (!(error instanceof DeviceError) || error.kind !== 'full') throw error;
      }
    }
    return false;
  }

  #provideNow(): void {
    if (this.#engine.core.unpreparedNextSlot() >= 0) {
      this.provideNext();
      this.#device.flushSync();
      this.#engine.core.nextSlotReady();
      return;
    }
    this.#prepareOne();
    this.#isFull = false;
    this.prepareAhead();
    // Without a queue in the background, compaction has no other chance to come by the slots that it needs to keep up with those who write.
    if (this.#device.background === undefined && this.#engine.core.isCompactionDue() !== 0) this.#prepareMore(COMPACTION_COUNT);
  }

  #prepareOne(): void {
    const slot = this.#take();
    this.#prepare(slot);
    this.#engine.core.slotReady(slot);
  }

  /** Prepares so many slots more, as far as the disk has room. */
  #prepareMore(count: number): void {
    try {
      for (; count > 0; count--) this.#prepareOne();
    } catch (error) {
      if (!(error instanceof DeviceError) || error.kind !== 'full') throw error;
    }
  }

  /** Zeroes the slot that the tail names as next; the caller flushes. */
  provideNext(): void {
    this.#zero(this.#engine.core.tailNextSlot(), 1);
  }

  /** Hands over what the background queue has finished. Returns how many slots became ready. */
  #collect(): number {
    const background = this.#device.background;
    if (background === undefined) return 0;
    this.checkBackground();
    const failure = background.failure();
    if (this.#queued.length === 0) return 0;
    const completed = background.completed();
    let ready = 0;
    while (this.#completed < completed && this.#queued.length > 0) {
      this.#completed++;
      const slot = this.#queued.shift()!;
      if (this.#reserve.length < RESERVE_COUNT && ready > 0) this.#reserve.push(slot);
      else if (this.#engine.core.slotReady(slot)) ready++;
      else this.#reserve.push(slot);
    }
    if (failure !== undefined) {
      this.#free.push(...this.#queued.splice(0));
      this.#noteFull();
    }
    return ready;
  }

  /** Throws what has stopped the background queue, unless it was a full disk: the file may then hold less than what was written to it. */
  checkBackground(): void {
    const failure = this.#device.background?.failure();
    if (failure !== undefined && failure.kind !== 'full') throw failure;
  }

  /** Called when the log has moved on: keeps enough slots ready for a writer at this pace. Never blocks. */
  prepareAhead(): void {
    this.#collect();
    const background = this.#device.background;
    if (background === undefined || !this.#isHurried || this.#isFull || background.failure() !== undefined) return;
    const wanted = Math.max(AHEAD_COUNT_MIN, Math.min(AHEAD_COUNT_MAX, Math.floor(AHEAD_SIZE / this.#engine.segmentSize), Math.ceil(this.#count / AHEAD_SHARE)));
    for (let missing = wanted - this.#engine.core.readySlotCount() - this.#queued.length; missing > 0; missing--) {
      const slot = this.#take();
      this.#queued.push(slot);
      background.zero(this.#engine.slotOffset(slot), this.#engine.segmentSize);
    }
  }

  /** Takes back slots that the log has given up. */
  reclaim(): void {
    for (let slot = this.#engine.core.freedSlot(); slot >= 0; slot = this.#engine.core.freedSlot()) {
      this.#release(slot);
      this.#isFull = false;
    }
  }

  /** Takes back the slots that stand ready, so that the log goes on in the first that are free. Returns whether the background queue still prepares some. */
  recall(): boolean {
    this.#collect();
    for (let slot = this.#engine.core.recallSlot(); slot >= 0; slot = this.#engine.core.recallSlot()) this.#free.push(slot);
    return this.#queued.length > 0;
  }

  /** Cuts the file off behind the last slot that is in use, ready, or about to be. */
  trim(used: ReadonlySet<number>): void {
    this.#collect();
    let count = Math.max(endOf(used), endOf(this.#queued));
    for (let index = this.#engine.core.readySlotCount() - 1; index >= 0; index--) count = Math.max(count, this.#engine.core.readySlotAt(index) + 1);
    const size = this.#engine.slotOffset(count);
    if (size >= this.#device.size()) return;
    this.#device.truncate(size);
    this.#count = count;
    this.#free = this.#free.filter((slot) => slot < count);
    this.#reserve = this.#reserve.filter((slot) => slot < count);
    while (this.#reserve.length < RESERVE_COUNT && this.#free.length > 0) this.#reserve.push(this.#free.pop()!);
  }

  /** Gives the end of the file back: slots behind the last one in use, but for a reserve. Returns the size that the file should have. */
  trimmedSize(used: ReadonlySet<number>): number {
    return Math.min(this.#device.size(), this.#engine.slotOffset(endOf(used) + RESERVE_COUNT));
  }
}
