/**
 * A disk that can be cut off. It keeps what was flushed apart from what was only written, so that a test can ask for every state in which a power loss could
 * leave it.
 *
 * The fault model: a sector of 512 bytes is written whole or not at all; of what was not flushed, any subset of sectors may have arrived, in any order; what was
 * flushed stays. A changed size counts as written with the first flush after it, and before that may or may not have arrived. After a failed flush, what was written may
 * be gone although reads still show it.
 */
import { DeviceError, type Device, type DeviceErrorKind } from '../../src/device/device.js';

export const SECTOR_SIZE = 512;

/** Thrown by every operation from the one on at which the disk was cut off. */
export class CrashError extends Error {
  constructor() {
    super('the power is gone');
    this.name = 'CrashError';
  }
}

/** One sector of a write that was not flushed yet: where, and what it holds after the write. */
interface PendingSector {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** A failure to come: at the operation with this number, or from it on. */
export interface Failure {
  readonly at: number;
  readonly kind: DeviceErrorKind;
  readonly isSticky?: boolean;
  /** For a failed flush: whether what was written is lost from the medium although reads still show it. */
  readonly losesData?: boolean;
}

export type Operation = 'read' | 'write' | 'flush' | 'truncate';

export class SimulatedDisk implements Device {
  readonly name = 'simulated';
  readonly readOnly: boolean;
  /** How many operations there were: the number of the next one. */
  operations = 0;
  /** What each operation was, for choosing where to cut. */
  readonly trace: Operation[] = [];
  /** The operation at which the power goes, before it has any effect. */
  crashAt = Infinity;
  failures: Failure[] = [];
  /** Called before each operation has an effect: the moment to ask for images. */
  onOperation: ((number: number, operation: Operation) => void) | undefined;
  /** The size beyond which the disk is full. */
  capacity = Infinity;
  #cache: Uint8Array;
  #size: number;
  #durable: Uint8Array;
  #pending: PendingSector[] = [];
  #isClosed = false;

  constructor(image: Uint8Array = new Uint8Array(0), readOnly = false) {
    this.readOnly = readOnly;
    this.#durable = image.slice();
    this.#cache = image.slice();
    this.#size = image.length;
  }

  #begin(operation: Operation): number {
    if (this.#isClosed) throw new DeviceError('closed', operation, 'the simulated disk is closed');
    const number = this.operations;
    if (number >= this.crashAt) throw new CrashError();
    this.onOperation?.(number, operation);
    this.operations++;
    this.trace.push(operation);
    const failure = this.failures.find(({ at, isSticky }) => at === number || (isSticky === true && number >= at));
    if (failure !== undefined) {
      if (operation === 'flush' && failure.losesData === true) this.#pending = [];
      throw new DeviceError(failure.kind, operation, `simulated: ${failure.kind}`);
    }
    return number;
  }

  size(): number {
    if (this.#isClosed) throw new DeviceError('closed', 'size', 'the simulated disk is closed');
    return this.#size;
  }

  read(target: Uint8Array, offset: number): number {
    this.#begin('read');
    const size = Math.max(0, Math.min(target.length, this.#size - offset));
    target.set(this.#cache.subarray(offset, offset + size));
    return size;
  }

  #grow(size: number): void {
    if (size > this.capacity) throw new DeviceError('full', 'write', 'simulated: full');
    if (size > this.#cache.length) {
      const larger = new Uint8Array(Math.max(size, this.#cache.length * 2));
      larger.set(this.#cache.subarray(0, this.#size));
      this.#cache = larger;
    }
    this.#size = Math.max(this.#size, size);
  }

  write(source: Uint8Array, start: number, length: number, offset: number): void {
    this.#begin('write');
    this.#grow(offset + length);
    this.#cache.set(source.subarray(start, start + length), offset);
    const first = Math.floor(offset / SECTOR_SIZE) * SECTOR_SIZE;
    for (let sector = first; sector < offset + length; sector += SECTOR_SIZE) {
      const end = Math.min(sector + SECTOR_SIZE, this.#size);
      this.#pending.push({ offset: sector, bytes: this.#cache.slice(sector, end) });
    }
  }

  flushSync(): void {
    this.#begin('flush');
    this.#settle();
  }

  #settle(): void {
    this.#durable = this.#cache.slice(0, this.#size);
    this.#pending = [];
  }

  async flush(): Promise<void> {
    this.#begin('flush');
    // What is written while the flush is on its way may or may not be covered; here it is not.
    const settled = this.#cache.slice(0, this.#size);
    const covered = this.#pending.length;
    await Promise.resolve();
    if (this.operations >= this.crashAt) throw new CrashError();
    this.#durable = settled;
    this.#pending.splice(0, covered);
  }

  truncate(size: number): void {
    this.#begin('truncate');
    if (size > this.#size) this.#grow(size);
    this.#cache.fill(0, Math.min(size, this.#size));
    this.#size = size;
    // A cut takes effect at once on the medium: the strictest case for a store that cuts before it says so.
    this.#durable = this.#durable.slice(0, size);
    this.#pending = this.#pending.filter(({ offset }) => offset < size);
  }

  close(): void {
    this.#isClosed = true;
  }

  /** How many sectors were written and not flushed. */
  get pendingCount(): number {
    return this.#pending.length;
  }

  /** The disk after a power loss, when of the sectors that were not flushed just those arrived that `arrives` says, in order. */
  image(arrives: (index: number) => boolean): Uint8Array {
    let size = this.#durable.length;
    this.#pending.forEach(({ offset, bytes }, index) => {
      if (arrives(index)) size = Math.max(size, offset + bytes.length);
    });
    const image = new Uint8Array(size);
    image.set(this.#durable);
    this.#pending.forEach(({ offset, bytes }, index) => {
      if (arrives(index)) image.set(bytes, offset);
    });
    return image;
  }

  /** The disk after the process died and the machine did not: everything written is there. */
  processImage(): Uint8Array {
    return this.#cache.slice(0, this.#size);
  }
}
