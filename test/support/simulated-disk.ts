/**
 * A disk that can be cut off. It keeps what was flushed apart from what was only written, so that a test can ask for every state in which a power loss could
 * leave it. Everything about it repeats: it has no time, no randomness and no threads.
 *
 * The fault model: a sector of 512 bytes is written whole or not at all; of what was not flushed, any subset of sectors may have arrived, in any order; what was
 * flushed stays. A changed size is a change of its own, that may arrive without the bytes; bytes that arrive behind the end bring the size along. After a failed flush,
 * what was written may be gone, although reads still show it.
 *
 * A write that the power loss interrupted is one whose sectors arrive in part: cut at the operation after it, and ask for subsets.
 */
import { DeviceError, type Device, type DeviceErrorKind } from '../../src/device/device.js';
import type { Random } from './random.js';

export const SECTOR_SIZE = 512;

/** Thrown by every operation from the one on at which the disk was cut off. */
export class CrashError extends Error {
  constructor() {
    super('the power is gone');
    this.name = 'CrashError';
  }
}

export type Operation = 'read' | 'write' | 'flush' | 'truncate';

/** A failure to come. */
export interface Failure {
  /** The number of the operation that fails; with `operation`, the first one of that sort from this number on fails. */
  readonly at: number;
  readonly kind: DeviceErrorKind;
  readonly operation?: Operation;
  /** Every operation from `at` on fails, or every one of the sort. */
  readonly isSticky?: boolean;
  /** For a failed flush: what was written is lost from the medium, although reads still show it. */
  readonly losesData?: boolean;
  /** For a failed flush: what was written is lost, and reads show what was there before. */
  readonly reverts?: boolean;
  /** For a failed write: how many bytes were accepted before. */
  readonly written?: number;
  /** For a failed write: of the bytes that were accepted only whole sectors count, as of a power loss. */
  readonly isWhole?: boolean;
  /** For a read: no error, but only so many bytes, although there are more. */
  readonly given?: number;
}

/** What a flushed sector held before it was last overwritten. */
export interface OlderSector {
  readonly bytes: Uint8Array;
  /** The mark of the disk at that time. */
  readonly mark: number;
}

/**
 * Which changes that were not flushed arrive, by their index in the order in which they were made: none, all, so many from the first on, those whose bit is set, those
 * that the generator draws, or those that a function names.
 */
export type Choice = 'none' | 'all' | number | Uint8Array | Random | ((index: number) => boolean);

/** A sector with what it holds after a write, or a size that the file has from then on. */
export type Change =
  | { readonly sequence: number; readonly sort: 'sector'; readonly end: number; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly sequence: number; readonly sort: 'growth' | 'cut'; readonly end: number };

/** Bytes with a size, and zeros behind it. */
class Content {
  bytes: Uint8Array;
  size: number;

  constructor(image: Uint8Array) {
    this.bytes = new Uint8Array(image);
    this.size = image.length;
  }

  image(): Uint8Array {
    return this.bytes.slice(0, this.size);
  }

  reserve(size: number): void {
    if (size <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(size, this.bytes.length * 2));
    larger.set(this.bytes.subarray(0, this.size));
    this.bytes = larger;
  }

  put(bytes: Uint8Array, offset: number): void {
    this.reserve(offset + bytes.length);
    this.bytes.set(bytes, offset);
    this.size = Math.max(this.size, offset + bytes.length);
  }

  resize(size: number): void {
    this.reserve(size);
    if (size < this.size) this.bytes.fill(0, size, this.size);
    this.size = size;
  }

  apply(change: Change): void {
    if (change.sort === 'sector') this.put(change.bytes, change.offset);
    else this.resize(change.sort === 'cut' ? change.end : Math.max(this.size, change.end));
  }
}

function chooser(choice: Choice): (index: number) => boolean {
  if (choice === 'none') return () => false;
  if (choice === 'all') return () => true;
  if (typeof choice === 'number') return (index) => index < choice;
  if (typeof choice === 'function') return choice;
  if (choice instanceof Uint8Array) return (index) => (((choice[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
  return () => choice.chance(0.5);
}

export class SimulatedDisk implements Device {
  readonly name = 'simulated';
  readonly readOnly: boolean;
  /** How many operations there were: the number of the next one. `size` and `close` do not count. */
  operations = 0;
  /** What each operation was, for choosing where to cut. */
  readonly trace: Operation[] = [];
  /** The operation at which the power goes, before it has any effect. */
  crashAt = Infinity;
  failures: Failure[] = [];
  /** Called before each operation has an effect: the moment to ask for images. */
  onOperation: ((number: number, operation: Operation) => void) | undefined;
  /** The size beyond which the disk is full. Of a write that crosses it, what there is room for is written. */
  capacity = Infinity;
  /** Where set, it is told what flushed sectors held before, by their numbers: what a medium would give back that had lost a write. */
  older: Map<number, OlderSector> | undefined;
  /** What is noted with each of them. */
  mark = 0;
  /** Whether a flush that failed has lost bytes that reads still show: they are neither on the medium nor on their way to it. */
  hasLost = false;
  /** While true, asynchronous flushes wait for `releaseFlushes`. */
  holdFlushes = false;
  readonly #held: (() => void)[] = [];
  readonly #spent = new Set<Failure>();
  #cache: Content;
  #durable: Content;
  #pending: Change[] = [];
  #sequence = 0;
  #isCrashed = false;
  #isClosed = false;

  constructor(image: Uint8Array = new Uint8Array(0), readOnly = false) {
    this.readOnly = readOnly;
    this.#durable = new Content(image);
    this.#cache = new Content(image);
  }

  static fromImage(image: Uint8Array, readOnly = false): SimulatedDisk {
    return new SimulatedDisk(image, readOnly);
  }

  /** Whether the power is gone. */
  get isCrashed(): boolean {
    return this.#isCrashed;
  }

  /** Cuts the power now: whoever still uses the disk is told. */
  cut(): void {
    this.#isCrashed = true;
    this.releaseFlushes();
  }

  #check(operation: string): void {
    if (this.#isClosed) throw new DeviceError('closed', operation, 'the simulated disk is closed');
  }

  /** Counts an operation. Returns the failure that is due, if one is. */
  #begin(operation: Operation): Failure | undefined {
    this.#check(operation);
    if (this.readOnly && operation !== 'read') throw new DeviceError('permission', operation, 'the simulated disk is read-only');
    const number = this.operations;
    if (number >= this.crashAt) this.#isCrashed = true;
    if (this.#isCrashed) throw new CrashError();
    this.onOperation?.(number, operation);
    this.operations++;
    this.trace.push(operation);
    return this.failures.find((failure) => this.#isDue(failure, number, operation));
  }

  #isDue(failure: Failure, number: number, operation: Operation): boolean {
    if (failure.operation !== undefined && failure.operation !== operation) return false;
    if (failure.isSticky === true) return number >= failure.at;
    if (failure.operation === undefined) return number === failure.at;
    if (number < failure.at || this.#spent.has(failure)) return false;
    this.#spent.add(failure);
    return true;
  }

  #fail(failure: Failure | undefined, operation: Operation): void {
    if (failure !== undefined) throw new DeviceError(failure.kind, operation, `simulated: ${failure.kind}`);
  }

  size(): number {
    this.#check('size');
    return this.#cache.size;
  }

  read(target: Uint8Array, offset: number): number {
    const failure = this.#begin('read');
    if (failure?.given === undefined) this.#fail(failure, 'read');
    const count = Math.max(0, Math.min(target.length, this.#cache.size - offset, failure?.given ?? Infinity));
    target.set(this.#cache.bytes.subarray(offset, offset + count));
    return count;
  }

  write(source: Uint8Array, start: number, length: number, offset: number): void {
    const failure = this.#begin('write');
    const room = Math.max(this.capacity, this.#cache.size) - offset;
    let accepted = Math.max(0, Math.min(length, failure === undefined ? room : failure.written ?? 0));
    if (failure?.isWhole === true && accepted < length) accepted = Math.max(0, accepted - ((offset + accepted) % SECTOR_SIZE));
    if (accepted > 0) this.#accept(source.subarray(start, start + accepted), offset);
    this.#fail(failure, 'write');
    if (accepted < length) throw new DeviceError('full', 'write', 'simulated: full');
  }

  #accept(bytes: Uint8Array, offset: number): void {
    const cache = this.#cache;
    const end = offset + bytes.length;
    if (end > cache.size) this.#pending.push({ sequence: this.#sequence++, sort: 'growth', end });
    cache.put(bytes, offset);
    for (let sector = offset - (offset % SECTOR_SIZE); sector < end; sector += SECTOR_SIZE) {
      const sectorEnd = Math.min(sector + SECTOR_SIZE, cache.size);
      this.#pending.push({ sequence: this.#sequence++, sort: 'sector', end: sectorEnd, offset: sector, bytes: cache.bytes.slice(sector, sectorEnd) });
    }
  }

  truncate(size: number): void {
    this.#fail(this.#begin('truncate'), 'truncate');
    if (size > Math.max(this.capacity, this.#cache.size)) throw new DeviceError('full', 'truncate', 'simulated: full');
    if (size === this.#cache.size) return;
    this.#pending.push({ sequence: this.#sequence++, sort: size < this.#cache.size ? 'cut' : 'growth', end: size });
    this.#cache.resize(size);
  }

  /** Moves the changes that were made before `sequence` to the medium. */
  #settle(sequence: number): void {
    let count = 0;
    while (count < this.#pending.length && this.#pending[count]!.sequence < sequence) {
      const change = this.#pending[count++]!;
      if (this.older !== undefined && change.sort === 'sector') this.#noteOlder(this.older, change.offset, change.bytes);
      this.#durable.apply(change);
    }
    this.#pending.splice(0, count);
  }

  #noteOlder(older: Map<number, OlderSector>, offset: number, bytes: Uint8Array): void {
    const before = new Uint8Array(SECTOR_SIZE);
    before.set(this.#durable.bytes.subarray(offset, Math.min(offset + SECTOR_SIZE, this.#durable.size)));
    if (bytes.some((byte, index) => byte !== before[index])) older.set(offset / SECTOR_SIZE, { bytes: before, mark: this.mark });
  }

  #beginFlush(): void {
    const failure = this.#begin('flush');
    if (failure?.losesData === true || failure?.reverts === true) this.#pending = [];
    if (failure?.losesData === true) this.hasLost = true;
    if (failure?.reverts === true) this.#cache = new Content(this.#durable.image());
    this.#fail(failure, 'flush');
  }

  flushSync(): void {
    this.#beginFlush();
    this.#settle(this.#sequence);
  }

  /** Covers what was written before the call, and takes effect when it resolves: what is written meanwhile may be lost. */
  async flush(): Promise<void> {
    this.#beginFlush();
    const covered = this.#sequence;
    await (this.holdFlushes ? new Promise<void>((resolve) => this.#held.push(resolve)) : undefined);
    if (this.#isCrashed) throw new CrashError();
    this.#settle(covered);
  }

  /** How many asynchronous flushes are held back. */
  get heldFlushCount(): number {
    return this.#held.length;
  }

  /** Lets flushes that were held back go on, the oldest first. */
  releaseFlushes(count = Infinity): void {
    for (const resolve of this.#held.splice(0, count)) resolve();
  }

  close(): void {
    this.#isClosed = true;
  }

  /** How many changes were made and not flushed: sectors and sizes. */
  get pendingCount(): number {
    return this.#pending.length;
  }

  /** The changes that were made and not flushed, in their order; to be looked at before the next operation. */
  get pending(): readonly Change[] {
    return this.#pending;
  }

  /** What is on the medium for certain; to be looked at before the next operation. */
  get durable(): Uint8Array {
    return this.#durable.bytes.subarray(0, this.#durable.size);
  }

  /** The disk after a power loss, when of the changes that were not flushed just the chosen ones arrived. A fresh copy, also of a closed or crashed disk. */
  image(choice: Choice): Uint8Array {
    const arrived = this.#pending.map((_, index) => index).map(chooser(choice));
    // What arrived behind a place where the file was cut before needs the cut: file systems keep the order of sizes.
    let reach = 0;
    let end = this.#durable.size;
    for (let index = arrived.length - 1; index >= 0; index--) {
      const change = this.#pending[index]!;
      if (change.sort === 'cut' && reach > change.end) arrived[index] = true;
      if (!arrived[index]) continue;
      if (change.sort !== 'cut') reach = Math.max(reach, change.end);
      end = Math.max(end, change.end);
    }
    const content = new Content(this.#durable.bytes.subarray(0, this.#durable.size));
    content.reserve(end);
    this.#pending.forEach((change, index) => {
      if (arrived[index]) content.apply(change);
    });
    return content.size === content.bytes.length ? content.bytes : content.image();
  }

  /** The disk after the process died and the machine did not: everything written is there. */
  processImage(): Uint8Array {
    return this.#cache.image();
  }

  /** The same disk for the next process: everything written is there, and what was not flushed can still be lost with the power. */
  processRestart(): SimulatedDisk {
    const next = new SimulatedDisk(new Uint8Array(0), this.readOnly);
    next.#cache = new Content(this.#cache.image());
    next.#durable = new Content(this.#durable.image());
    next.#pending = [...this.#pending];
    next.#sequence = this.#sequence;
    next.capacity = this.capacity;
    next.older = this.older;
    next.mark = this.mark;
    next.hasLost = this.hasLost;
    return next;
  }
}
