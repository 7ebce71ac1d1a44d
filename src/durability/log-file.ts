/**
 * The log on its way to the file: closes frames, writes what is closed, flushes, and tells the core what is durable. After a failed write or flush it is
 * poisoned: nothing is tried again, because nobody knows what the medium holds.
 */
import * as status from '../../assembly/shared/status.js';
import { VERSION_BITS } from '../../assembly/shared/limits.js';
import { DeviceError, type Device } from '../device/device.js';
import type { Engine } from '../engine/engine.js';
import { isFault, poisoned } from '../engine/failure.js';
import { FullError, type PoisonedError } from '../errors.js';
import { traceFlush, type TracedFlush } from '../tracing.js';
import { explainDevice } from './device-failure.js';
import { ImageFile } from './image-file.js';
import { Histogram } from './histogram.js';
import { Slots } from './slots.js';

/** How far ahead of the versions that were issued the durable ceiling is kept. */
const CEILING_STEP_MIN = 65536;
const CEILING_STEP_MAX = 2 ** 24;
/** The last version that there can be. */
const VERSION_MAX = 2 ** VERSION_BITS - 1;

/** Segments that wait for a flush are worth one when they are as many, and such a part of those that hold something. */
const WAITING_COUNT_MIN = 2;
const WAITING_SHARE = 16;

/** What flushes have cost, for `stats()`. */
export interface FlushFigures {
  count: number;
  milliseconds: number;
  readonly latency: Histogram;
}

export class LogFile {
  readonly engine: Engine;
  readonly device: Device;
  readonly slots: Slots;
  readonly image: ImageFile;
  readonly flushes: FlushFigures = { count: 0, milliseconds: 0, latency: new Histogram() };
  /** Told after every flush. */
  onFlush: () => void = () => undefined;
  /** Told once, when the store has stopped for good. */
  onPoison: () => void = () => undefined;
  /** Makes room by compaction. False where that has made none. */
  onFull: () => boolean = () => false;
  readonly #now: () => number;
  #failure: Error | undefined;
  #ceiling = 0;
  #firstVersion = 0;
  #hasSuperblock = false;
  /** Whether the file says, durably, that the store was ended in order, and nothing was written since. */
  #isClean = false;
  /** How often bytes were handed over, and how many of these times are known to be flushed. */
  #handOverCount = 0;
  #flushedCount = 0;

  constructor(engine: Engine, device: Device, now: () => number, imageSegmentCountMin?: number) {
    this.engine = engine;
    this.device = device;
    this.slots = new Slots(engine, device);
    this.image = new ImageFile(engine, device, this.slots, imageSegmentCountMin);
    this.#now = now;
    engine.attach({
      prepareSlot: (reserved) => this.#within(() => this.#prepareSlot(reserved)),
      reclaim: () => this.#within(() => this.onFull()),
      raiseCeiling: () => this.#within(() => {
        if (this.#ceiling === VERSION_MAX) throw new FullError(`${engine.name} has issued every version that there is: nothing was changed. Copy what it holds into a new store.`);
        this.flushSync(true);
      }),
      flush: () => this.#within(() => {
        if (engine.pendingSize === 0 && !this.isUnflushed) return false;
        this.flushSync();
        return true;
      }),
    }, (target, start, length, offset) => this.#read(target, start, length, offset));
  }

  /** Does what the engine asks for in the middle of something else: whoever is told of a flush meanwhile must not write. */
  #within<T>(action: () => T): T {
    const { engine } = this;
    const { isStaging } = engine;
    engine.isStaging = true;
    try {
      return action();
    } finally {
      engine.isStaging = isStaging;
    }
  }

  /** Fills bytes from the file; what lies behind its end is zero. */
  #read(target: Uint8Array, start: number, length: number, offset: number): void {
    const { device } = this;
    try {
      const read = device.readInto === undefined ? device.read(target.subarray(start, start + length), offset) : device.readInto(target, start, length, offset);
      if (read < length) target.fill(0, start + read, start + length);
    } catch (error) {
      throw explainDevice(error, this.engine.name);
    }
  }

  #prepareSlot(reserved: boolean): void {
    try {
      this.provideSlot(reserved);
    } catch (error) {
      // A disk that is full may still have room within the file.
      if (!(error instanceof FullError) || !this.onFull()) throw error;
      this.provideSlot(reserved);
    }
  }

  /** Makes a zeroed slot ready for the log, or throws `FullError`. `reserved` allows the slots kept for deletes and for compaction. */
  provideSlot(reserved: boolean): void {
    this.#guard(() => this.slots.provide(reserved));
  }

  /** Whether so many segments wait for a flush to be free that the file would grow without one. */
  get isWaitedFor(): boolean {
    const { core } = this.engine;
    return core.waitingSegmentCount() > Math.max(WAITING_COUNT_MIN, core.segmentCount() / WAITING_SHARE);
  }

  /** Whether slots wait for a superblock alone, which the next flush writes, or an image of the index for that and the flush before. */
  get isSuperblockDue(): boolean {
    return this.image.isFlushDue || this.engine.core.needsSuperblock() !== 0;
  }

  /** Has the log go on in another segment, whose header leaves out what is not needed any more: where there is anything, or in any case. */
  beginSegment(inAnyCase: boolean): void {
    const { core } = this.engine;
    for (let code = core.beginSegment(inAnyCase); code !== status.STATUS_OK; code = core.beginSegment(inAnyCase)) this.engine.resolve(code, true);
    this.engine.refresh();
  }

  /** Gives the end of the file back, behind the last slot that is in use or ready. */
  trim(): void {
    this.#guard(() => this.slots.trim(this.usedSlots()));
  }

  /** The version from which the store went on when it was opened. */
  get firstVersion(): number {
    return this.#firstVersion;
  }

  /** The error that stopped the store, if one did. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Whether bytes were handed over that no flush has covered. */
  get isUnflushed(): boolean {
    return this.#handOverCount !== this.#flushedCount;
  }

  /** Begins with the version and ceiling that recovery left. No version is issued, and so nothing written, before a superblock that is not clean is durable. */
  start(version: number, isClean: boolean): void {
    this.#firstVersion = version;
    this.#ceiling = version;
    this.#isClean = isClean;
  }

  /** Stops everything for good. */
  poison(cause: Error): PoisonedError {
    if (this.#failure === undefined) {
      this.#failure = cause;
      this.onPoison();
    }
    return poisoned(this.engine.name, this.#failure);
  }

  /** Runs what touches device or core: an error of the device, or a trap of the core, poisons. */
  #guard<T>(action: () => T): T {
    if (this.#failure !== undefined) throw this.poison(this.#failure);
    try {
      return action();
    } catch (error) {
      throw this.#explain(error);
    }
  }

  /** Stops the store where the background queue has failed other than for want of room. */
  checkBackground(): void {
    this.#guard(() => this.slots.checkBackground());
  }

  #explain(error: unknown): unknown {
    if (error instanceof DeviceError) return this.poison(explainDevice(error, this.engine.name) as Error);
    if (!isFault(error)) return error;
    this.engine.isBroken = true;
    return this.poison(error);
  }

  /** Whether the file says, durably, that the store was ended in order, and nothing was written since. */
  get isClean(): boolean {
    return this.#isClean;
  }

  /** Hands everything that was applied to the operating system. */
  handOver(): void {
    if (this.engine.pendingSize === 0) return;
    if (this.#failure !== undefined) throw this.poison(this.#failure);
    try {
      this.#write(this.engine.core.closeFrame(this.#now()));
    } catch (error) {
      throw this.#explain(error);
    }
  }

  /** Gives the device everything that is closed, beginning with the output of `size` bytes that the core shows. */
  #write(size: number): void {
    const { engine, device } = this;
    if (size === 0) return;
    this.#handOverCount++;
    let growth = 0;
    while (size !== 0) {
      engine.refresh();
      try {
        device.write(engine.bytes, engine.outputPointer, size, engine.outputOffset);
      } catch (error) {
        this.#erase(engine.outputOffset, size);
        throw error;
      }
      growth += size;
      size = engine.core.outputDone();
    }
    this.image.grow(growth);
  }

  /**
   * Zeroes what a failed write may have left, where the device still lets it: nobody was promised any of it, and there were zeros before. Recovery takes a frame that is cut within a sector for
   * damage, because power losses do not cut there.
   */
  #erase(offset: number, size: number): void {
    try {
      this.device.write(new Uint8Array(size), 0, size, offset);
    } catch {
      // The store is about to stop because of the first failure, which says more.
    }
  }

  /** Writes an empty frame that seals what was flushed. It needs no flush: if it survives, it proves more. */
  seal(): void {
    this.#guard(() => {
      if (this.engine.core.sealLog(this.#now())) this.#write(this.engine.core.nextOutput());
    });
  }

  #nextCeiling(version: number): number {
    return Math.min(VERSION_MAX, version + Math.min(CEILING_STEP_MAX, Math.max(CEILING_STEP_MIN, version - this.#firstVersion)));
  }

  #writeSuperblock(isClean: boolean): void {
    const { engine, device } = this;
    const version = engine.core.lastVersion();
    const ceiling = isClean ? version : Math.max(this.#ceiling, this.#nextCeiling(version));
    const offset = engine.core.buildSuperblock(ceiling, isClean);
    engine.refresh();
    device.write(engine.bytes, engine.core.superblockWindow() >>> 0, 4096, offset);
    this.#ceiling = ceiling;
    this.#isClean = isClean;
    this.#hasSuperblock = true;
    this.image.notePromise();
  }

  /** What precedes every flush: bytes, and a superblock where one is due. Returns what the flush will prove. */
  #beforeFlush(needsSuperblock: boolean): number {
    this.#write(this.engine.core.closeFrame(this.#now()));
    const isNearCeiling = this.#ceiling > this.#firstVersion && this.engine.core.lastVersion() > this.#ceiling - CEILING_STEP_MIN / 2;
    if (needsSuperblock || isNearCeiling || this.image.isSuperblockDue || this.engine.core.needsSuperblock()) this.#writeSuperblock(false);
    return this.engine.core.writtenAddress();
  }

  /** What follows a flush that succeeded. */
  #afterFlush(address: number, hadSuperblock: boolean, began: number, handOverCount: number, imageStage: number): void {
    this.flushes.count++;
    this.#flushedCount = Math.max(this.#flushedCount, handOverCount);
    const milliseconds = performance.now() - began;
    this.flushes.milliseconds += milliseconds;
    this.flushes.latency.observe(milliseconds);
    this.engine.core.flushed(address);
    if (hadSuperblock) this.engine.core.superblockDurable();
    this.image.noteFlush(imageStage);
    this.slots.reclaim();
    this.slots.prepareAhead();
    this.onFlush();
  }

  #takeSuperblock(): boolean {
    const had = this.#hasSuperblock;
    this.#hasSuperblock = false;
    return had;
  }

  /** Makes everything that was applied durable, blocking. */
  flushSync(needsSuperblock = false): void {
    traceFlush.sync(this.#tracedFlush(), () => this.#flushSync(needsSuperblock));
  }

  #flushSync(needsSuperblock: boolean): void {
    this.#guard(() => {
      const began = performance.now();
      const address = this.#beforeFlush(needsSuperblock);
      const hadSuperblock = this.#takeSuperblock();
      const imageStage = this.image.stageCount;
      this.device.flushSync();
      this.#afterFlush(address, hadSuperblock, began, this.#handOverCount, imageStage);
    });
  }

  /** Makes everything that was applied before the call durable. */
  flush(): Promise<void> {
    return traceFlush.promise(this.#tracedFlush(), () => this.#flush());
  }

  /** What those are told who listen for flushes. */
  #tracedFlush(): TracedFlush | undefined {
    return traceFlush.isHeard ? { store: this.engine.name, bytes: this.engine.pendingSize } : undefined;
  }

  async #flush(): Promise<void> {
    const began = performance.now();
    const [address, hadSuperblock, handOverCount, imageStage] = this.#guard(() => [this.#beforeFlush(false), this.#takeSuperblock(), this.#handOverCount, this.image.stageCount] as const);
    try {
      await this.device.flush();
    } catch (error) {
      this.#guard(() => { throw error; });
    }
    this.#guard(() => this.#afterFlush(address, hadSuperblock, began, handOverCount, imageStage));
  }

  /** The slots that the store needs. */
  usedSlots(): Set<number> {
    const { core } = this.engine;
    const used = new Set<number>();
    for (let slot = core.nextSegmentSlot(true); slot >= 0; slot = core.nextSegmentSlot(false)) used.add(slot);
    used.add(core.tailNextSlot());
    for (const slot of this.image.slots) used.add(slot);
    // Where recovery has dropped the newest header, the one before may list segments that were given up since, and needs them until another takes its place.
    core.startLiveList();
    for (let slot = core.nextLive(); slot >= 0; slot = core.nextLive()) used.add(slot);
    return used;
  }

  /** Leaves the file as an orderly end leaves it: everything durable, and said so. A file that says so already is left alone. Throws also where all of it is in a file to which its name does not lead any more. */
  finish(): void {
    if (this.#isClean) return;
    this.#finish();
    this.#guard(() => this.device.confirmPlace?.());
  }

  #finish(): void {
    this.image.holdBack();
    this.flushSync();
    while (this.image.isOnItsWay) this.flushSync();
    this.#guard(() => {
      this.slots.recall();
      this.image.writeWhole();
      if (this.image.isOnItsWay) this.#flushImage();
      this.#writeSuperblock(true);
      this.#hasSuperblock = false;
      this.#flushImage();
      // Only now are the slots of the image before free. A file that keeps its length after all has more of them.
      const size = this.slots.trimmedSize(this.usedSlots());
      if (size >= this.device.size()) return;
      this.device.truncate(size);
      this.device.flushSync();
    });
  }

  /** A flush of what no frame is a part of. */
  #flushImage(): void {
    const { stageCount } = this.image;
    this.device.flushSync();
    this.image.noteFlush(stageCount);
  }

  /** Leaves the file without an image of the index, durably, and begins none until it is resumed: so that the end of the file can be given back. */
  dropImage(): void {
    this.image.holdBack();
    while (this.image.isOnItsWay) this.flushSync();
    this.image.forget();
    while (this.image.isOnItsWay) this.flushSync();
  }

  /** Does a part of an image of the index, where the store has none. Returns whether there is more to do. */
  workOnImage(): boolean {
    return this.#guard(() => this.image.work());
  }
}
