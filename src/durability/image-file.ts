/**
 * An image of the index in slots of the file: what lets a store open without its values being read. It is written as a whole, flushed, and only then named by a superblock; the slots of the one
 * before are free when that superblock is durable. An image that is not whole, or not of this store, is left alone, and every record is read as if there were none.
 */
import * as layout from '../../assembly/shared/layout.js';
import * as status from '../../assembly/shared/status.js';
import { DeviceError, type Device } from '../device/device.js';
import type { Engine } from '../engine/engine.js';
import { failure } from '../engine/failure.js';
import type { Slots } from './slots.js';

/** Stores of fewer segments are opened as fast without an image. */
const SEGMENT_COUNT_MIN = 16;

/** Runs something with a block of a segment's size, and gives it back. Undefined where there is no memory for one. */
function withBlock<T>(engine: Engine, run: (block: number) => T): T | undefined {
  const block = engine.core.slotBlock() >>> 0;
  engine.refresh();
  if (block === 0) return undefined;
  try {
    return run(block);
  } finally {
    engine.core.releaseSlotBlock(block);
  }
}

export class ImageFile {
  readonly #engine: Engine;
  readonly #device: Device;
  readonly #segmentCountMin: number;
  /** The slots of the image that the superblock names, and of one that is on its way to being named. */
  #slots: number[] = [];
  #next: number[] = [];

  constructor(engine: Engine, device: Device, segmentCountMin = SEGMENT_COUNT_MIN) {
    this.#engine = engine;
    this.#device = device;
    this.#segmentCountMin = segmentCountMin;
  }

  /** Every slot that holds a part of an image that counts, or is about to. */
  get slots(): readonly number[] {
    return [...this.#slots, ...this.#next];
  }

  #readSlot(block: number, slot: number): void {
    const engine = this.#engine;
    const target = engine.bytes.subarray(block, block + engine.segmentSize);
    target.fill(0, this.#device.read(target, engine.slotOffset(slot)));
  }

  /** The slots of the image that the superblock names, if each is intact; undefined where there is none, or it cannot be believed. */
  #examine(block: number): number[] | undefined {
    const engine = this.#engine;
    const count = engine.word(layout.CONTROL_IMAGE_COUNT);
    const found = new Set<number>();
    let slot = engine.word(layout.CONTROL_IMAGE_SLOT);
    for (let index = 0; index < count; index++) {
      if (found.has(slot) || engine.slotOffset(slot) >= this.#device.size()) return undefined;
      this.#readSlot(block, slot);
      if (engine.core.examineImageSlot(block, slot, index) !== status.STATUS_OK) return undefined;
      found.add(slot);
      const next = engine.word(layout.CONTROL_NEXT_SLOT);
      if ((next === slot) !== (index === count - 1)) return undefined;
      slot = next;
    }
    return count === 0 ? undefined : [...found];
  }

  /** Begins recovery with the image that the superblock names, where it may. Returns whether there is one that can be believed; nothing was taken of another. @throws FullError. */
  read(mayUse: boolean): boolean {
    const engine = this.#engine;
    const isRead = mayUse && withBlock(engine, (block) => {
      const slots = this.#examine(block);
      if (slots === undefined) return false;
      for (const slot of slots) {
        this.#readSlot(block, slot);
        const code = engine.core.takeImageSlot(block);
        engine.refresh();
        if (code !== status.STATUS_OK) throw failure(code, engine.name);
      }
      this.#slots = slots;
      return true;
    }) === true;
    if (!isRead) engine.core.nameImage(0, 0);
    return isRead;
  }

  /**
   * Writes an image of the store as it is, and flushes it; the next superblock names it. Where it cannot be had, or the disk has no room for it, the one before stays. Everything that was
   * applied must have been flushed.
   */
  write(slots: Slots, segmentCount: number): void {
    const engine = this.#engine;
    if (segmentCount < this.#segmentCountMin || engine.core.startImage() === 0) return;
    try {
      const isWritten = withBlock(engine, (block) => this.#writeAll(slots, block)) ?? false;
      if (!isWritten) return;
      this.#device.flushSync();
    } catch (error) {
      // An image is worth having, and not worth a place that the log may need.
      slots.give(this.#next.splice(0));
      if (error instanceof DeviceError && error.kind === 'full') return;
      throw error;
    }
    engine.core.nameImage(this.#next[0]!, this.#next.length);
  }

  #writeAll(slots: Slots, block: number): boolean {
    const engine = this.#engine;
    this.#next = [slots.take()];
    for (;;) {
      const slot = this.#next.at(-1)!;
      const following = slots.take();
      const isLast = engine.core.fillImageSlot(block, slot, following) !== 0;
      if (isLast) slots.give([following]);
      else this.#next.push(following);
      engine.refresh();
      this.#device.write(engine.bytes, block, engine.segmentSize, engine.slotOffset(slot));
      if (isLast) return true;
    }
  }

  /** The superblock that names the image that was written last is durable: the slots of the one before are free. */
  settle(slots: Slots): void {
    if (this.#next.length === 0) return;
    slots.give(this.#slots);
    this.#slots = this.#next;
    this.#next = [];
  }
}
