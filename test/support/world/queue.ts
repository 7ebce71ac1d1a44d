/** A simulated disk with a queue beside it that zero-fills slots in the background, when the world gives it a turn. */
import { DeviceError, type BackgroundZeroing, type Device } from '../../../src/device/device.js';
import type { SimulatedDisk } from '../simulated-disk.js';

export class QueuedDevice implements Device {
  readonly name = 'simulated';
  readonly readOnly = false;
  readonly background: BackgroundZeroing;
  readonly #queue: (readonly [offset: number, length: number])[] = [];
  #completed = 0;
  #failure: DeviceError | undefined;

  constructor(readonly disk: SimulatedDisk) {
    this.background = {
      zero: (offset, length) => void this.#queue.push([offset, length]),
      completed: () => this.#completed,
      failure: () => this.#failure,
    };
  }

  /** Zero-fills and flushes the range that waits for longest. Returns whether there was one. An error stops the queue. */
  work(): boolean {
    const next = this.#failure === undefined ? this.#queue.shift() : undefined;
    if (next === undefined) return false;
    try {
      this.disk.write(new Uint8Array(next[1]), 0, next[1], next[0]);
      this.disk.flushSync();
      this.#completed++;
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      // A flush proves nothing when it failed, whatever its reason.
      this.#failure = error.operation === 'flush' ? new DeviceError('io', 'flush', error.message) : error;
    }
    return true;
  }

  get hasWork(): boolean {
    return this.#queue.length > 0;
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  size(): number {
    return this.disk.size();
  }

  read(target: Uint8Array, offset: number): number {
    return this.disk.read(target, offset);
  }

  write(source: Uint8Array, start: number, length: number, offset: number): void {
    this.disk.write(source, start, length, offset);
  }

  flushSync(): void {
    this.disk.flushSync();
  }

  flush(): Promise<void> {
    return this.disk.flush();
  }

  truncate(size: number): void {
    this.disk.truncate(size);
  }

  close(): void {
    this.disk.close();
  }
}
