/**
 * An image of the index in slots of the file: what lets a store open without its values being read. It is written as the log grows, a chunk at a time, flushed with what is flushed anyway, and only then named by a
 * superblock; the slots of the one before are free when that superblock is durable. An image that is not whole, or not of this store, is left alone, and every record is read as if there were none.
 */
import * as layout from '../../assembly/shared/layout.js';
import * as status from '../../assembly/shared/status.js';
import { DeviceError, type Device } from '../device/device.js';
import type { Engine } from '../engine/engine.js';
import { failure } from '../engine/failure.js';
import type { Slots } from './slots.js';

/** Stores of fewer segments are opened as fast without an image; and the log grows by as many, at least, before there is another. */
const SEGMENT_COUNT_MIN = 16;
/** An image is begun when the log has grown by so many times what it takes: what is written for images is at most such a part of what is written for the log. */
const GROWTH_PER_SIZE = 8;
/** While one is written, the log grows by so many bytes for each of its own; so it is done long before the next is due. */
const GROWTH_PER_BYTE = 4;
/** Chunks that are written in a row where nobody waits: some forty microseconds each. */
const CHUNKS_PER_STEP = 4;

/** What becomes of an image, in this order; behind the last, it is the one that counts. */
type Stage = 'none' | 'writing' | 'written' | 'named' | 'promised';

export class ImageFile {
  readonly #engine: Engine;
  readonly #device: Device;
  readonly #slotsOfFile: Slots;
  readonly #segmentCountMin: number;
  /** The slots of the image that the newest durable superblock names, and of one that is on its way to being named. */
  #slots: readonly number[] = [];
  #next: number[] = [];
  #stage: Stage = 'none';
  /** Rises with every stage, so that a flush knows whether what it began with is still so. */
  #stageCount = 0;
  #chunkCount = 0;
  /** Bytes by which the log has grown since an image was begun last. */
  #growth = 0;
  #isHeldBack = false;
  /** Bytes that were written for images since the store was opened, and images that came to be named. */
  writtenSize = 0;
  finishedCount = 0;

  constructor(engine: Engine, device: Device, slots: Slots, segmentCountMin = SEGMENT_COUNT_MIN) {
    this.#engine = engine;
    this.#device = device;
    this.#slotsOfFile = slots;
    this.#segmentCountMin = segmentCountMin;
  }

  /** Every slot that holds a part of an image that counts, or is about to. */
  get slots(): readonly number[] {
    return [...this.#slots, ...this.#next];
  }

  /** Whether an image is on the medium that no superblock names yet. */
  get isSuperblockDue(): boolean {
    return this.#stage === 'named';
  }

  /** Whether a flush would take an image further. */
  get isFlushDue(): boolean {
    return this.#stage === 'written' || this.#stage === 'named';
  }

  /** Whether an image is being written, or on its way to being named. */
  get isOnItsWay(): boolean {
    return this.#stage !== 'none';
  }

  #enter(stage: Stage): void {
    this.#stage = stage;
    this.#stageCount++;
  }

  get #chunksPerSlot(): number {
    return this.#engine.segmentSize / this.#engine.core.imageChunkSize();
  }

  /** Where a chunk stands in the file. */
  #offsetOf(slot: number, index: number): number {
    return this.#engine.slotOffset(slot) + (index % this.#chunksPerSlot) * this.#engine.core.imageChunkSize();
  }

  // ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #readChunk(chunk: number, slot: number, index: number): void {
    const engine = this.#engine;
    const target = engine.bytes.subarray(chunk, chunk + engine.core.imageChunkSize());
    target.fill(0, this.#device.read(target, this.#offsetOf(slot, index)));
  }

  /** The slot of each chunk of the image that the superblock names, if each is intact; undefined where there is none, or it cannot be believed. */
  #examine(chunk: number): number[] | undefined {
    const engine = this.#engine;
    const slotCount = engine.word(layout.CONTROL_IMAGE_COUNT);
    const found = new Set<number>();
    const slotOfChunk: number[] = [];
    for (let slot = engine.word(layout.CONTROL_IMAGE_SLOT); found.size < slotCount;) {
      if (found.has(slot) || engine.slotOffset(slot) >= this.#device.size()) return undefined;
      found.add(slot);
      for (let left = this.#chunksPerSlot; left > 0; left--) {
        this.#readChunk(chunk, slot, slotOfChunk.length);
        if (engine.core.examineImageChunk(chunk, slot, slotOfChunk.length) !== status.STATUS_OK) return undefined;
        slotOfChunk.push(slot);
        if (engine.word(layout.CONTROL_NEXT_SLOT) === slot) return found.size === slotCount ? slotOfChunk : undefined;
      }
      slot = engine.word(layout.CONTROL_NEXT_SLOT);
    }
    return undefined;
  }

  /** Begins recovery with the image that the superblock names, where it may. Returns whether there is one that can be believed; nothing was taken of another. @throws FullError. */
  read(mayUse: boolean): boolean {
    const { core } = this.#engine;
    const chunk = mayUse ? core.openImageChunk() >>> 0 : 0;
    this.#engine.refresh();
    const isRead = chunk !== 0 && this.#readWith(chunk);
    if (chunk !== 0) core.closeImageChunk(chunk);
    if (!isRead) core.nameImage(0, 0);
    return isRead;
  }

  #readWith(chunk: number): boolean {
    const engine = this.#engine;
    const slotOfChunk = this.#examine(chunk);
    if (slotOfChunk === undefined) return false;
    for (const [index, slot] of slotOfChunk.entries()) {
      this.#readChunk(chunk, slot, index);
      const code = engine.core.takeImageChunk(chunk);
      engine.refresh();
      if (code !== status.STATUS_OK) throw failure(code, engine.name);
    }
    this.#slots = [...new Set(slotOfChunk)];
    return true;
  }

  /** Recovery has replayed so many bytes that came after the image, or without one all that there are. */
  begin(replayedSize: number): void {
    this.#growth = replayedSize;
  }

  // ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The log has grown by so many bytes, which were just handed to the device: begins an image where one is due, and writes what is due of it. A disk that is full ends it; the one before stays. */
  grow(size: number): void {
    this.#growth += size;
    if (this.#stage !== 'writing' && !(this.isDue && this.#start())) return;
    const growthPerChunk = this.#engine.core.imageChunkSize() * GROWTH_PER_BYTE;
    // What was left out while a batch was staged is made good, and no step is more than half of what was handed over.
    const most = 1 + Math.floor((2 * size) / growthPerChunk);
    for (let count = 0; count < most && this.#stage === 'writing' && this.#chunkCount * growthPerChunk <= this.#growth; count++) this.#writeChunk();
  }

  /** Whether an image is worth its bytes: the log has grown by so much since the last one was begun. */
  get isDue(): boolean {
    if (this.#stage !== 'none' || this.#isHeldBack || this.#growth < this.#segmentCountMin * this.#engine.segmentSize) return false;
    const { core } = this.#engine;
    return core.segmentCount() >= this.#segmentCountMin && this.#growth >= core.imageSize() * GROWTH_PER_SIZE;
  }

  #start(): boolean {
    const isStarted = this.#engine.core.startImage() !== 0;
    this.#engine.refresh();
    if (!isStarted) return false;
    this.#growth = 0;
    this.#chunkCount = 0;
    this.#next = [this.#slotsOfFile.take()];
    this.#enter('writing');
    return true;
  }

  /** Writes the next chunk, unless a batch is being staged. */
  #writeChunk(): void {
    const { core } = this.#engine;
    if (core.isImageHeld() !== 0) return;
    const place = this.#chunkCount % this.#chunksPerSlot;
    // Each chunk names the slot after its own.
    if (place === 0) this.#next.push(this.#slotsOfFile.take());
    const [slot, following] = this.#next.slice(-2) as [number, number];
    const isLast = core.fillImageChunk(slot, following) !== 0;
    try {
      const size = this.#engine.word(layout.CONTROL_OUTPUT_SIZE);
      this.#device.write(this.#engine.bytes, this.#engine.outputPointer, size, this.#offsetOf(slot, this.#chunkCount));
      this.writtenSize += size;
    } catch (error) {
      this.#abandon();
      // An image is worth having, and not worth a place that the log may need.
      if (error instanceof DeviceError && error.kind === 'full') return;
      throw error;
    }
    this.#chunkCount++;
    if (!isLast) return;
    core.endImage();
    this.#slotsOfFile.give(this.#next.splice(-1));
    this.#enter('written');
  }

  /** Leaves the image that is being written, or waits for a flush, as if it had never been begun. */
  #abandon(): void {
    if (this.#stage === 'writing') this.#engine.core.endImage();
    this.#slotsOfFile.give(this.#next.splice(0));
    this.#enter('none');
  }

  /**
   * Writes an image of the store as it is now, as a whole, where one can be had. A flush, and a superblock, are the caller's. Everything that was applied must have been flushed, and no other image be on its
   * way to being named.
   */
  writeWhole(): void {
    if (this.#engine.core.segmentCount() < this.#segmentCountMin || !this.#start()) return;
    while (this.#stage === 'writing') this.#writeChunk();
  }

  /** Writes a part of an image without waiting for the log to grow. Returns whether more is to be written. */
  work(): boolean {
    if (this.#stage === 'none' && !this.#isHeldBack && this.#engine.core.segmentCount() >= this.#segmentCountMin) this.#start();
    for (let count = 0; count < CHUNKS_PER_STEP && this.#stage === 'writing'; count++) this.#writeChunk();
    return this.#stage === 'writing';
  }

  /** Begins no image until `resume`, and gives up one that is being written. */
  holdBack(): void {
    this.#isHeldBack = true;
    if (this.#stage === 'writing' || this.#stage === 'written') this.#abandon();
  }

  resume(): void {
    this.#isHeldBack = false;
  }

  /** From the next superblock on there is no image, and its slots are free when that is durable. None may be on its way. Another is due as soon as the log grows. */
  forget(): void {
    this.#growth = Infinity;
    if (this.#slots.length === 0) return;
    this.#engine.core.nameImage(0, 0);
    this.#enter('named');
  }

  // ── What makes an image count ────────────────────────────────────────────────────────────────────────────────────

  /** A superblock was built: it names the image that is on the medium. */
  notePromise(): void {
    if (this.#stage === 'named') this.#enter('promised');
  }

  /** At which stage a flush begins that is begun now. */
  get stageCount(): number {
    return this.#stageCount;
  }

  /** A flush has ended that was begun at a stage: what was then written is durable. */
  noteFlush(stageCount: number): void {
    if (stageCount !== this.#stageCount) return;
    if (this.#stage === 'written') {
      this.#engine.core.nameImage(this.#next[0]!, this.#next.length);
      this.#enter('named');
    } else if (this.#stage === 'promised') {
      this.#slotsOfFile.give(this.#slots);
      if (this.#next.length > 0) this.finishedCount++;
      this.#slots = this.#next;
      this.#next = [];
      this.#enter('none');
    }
  }
}
