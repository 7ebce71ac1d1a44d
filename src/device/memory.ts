/**
 * A device that lies in memory and nowhere else: for tests, and for tools that have a store's bytes at hand. It keeps the whole contract of devices but for
 * the survival of anything: a flush has nothing to do.
 */
import { DeviceError, type Device } from './device.js';

/** The smallest room that growing takes, in bytes. */
const CAPACITY_MIN = 4096;

export class MemoryDevice implements Device {
  readonly name = ':memory:';
  readonly readOnly: boolean;
  /** The content, and behind `#size` nothing but zeros. */
  #content: Uint8Array;
  #size: number;
  #isClosed = false;

  /** Begins with a copy of `image`. */
  constructor(image: Uint8Array = new Uint8Array(0), readOnly = false) {
    this.readOnly = readOnly;
    this.#content = new Uint8Array(image);
    this.#size = image.length;
  }

  /** A copy of the content. Works on a closed device too. */
  bytes(): Uint8Array {
    return this.#content.slice(0, this.#size);
  }

  #check(operation: string): void {
    if (this.#isClosed) throw new DeviceError('closed', operation, `${this.name} is closed`);
  }

  #checkWritable(operation: string): void {
    this.#check(operation);
    if (this.readOnly) throw new DeviceError('permission', operation, `${this.name} was opened read-only`);
  }

  #reserve(size: number, operation: string): void {
    if (size <= this.#content.length) return;
    let larger: Uint8Array;
    try {
      larger = new Uint8Array(Math.max(size, this.#content.length * 2, CAPACITY_MIN));
    } catch (error) {
      throw new DeviceError('full', operation, `there is no memory for ${size} bytes`, { cause: error });
    }
    larger.set(this.#content);
    this.#content = larger;
  }

  size(): number {
    this.#check('size');
    return this.#size;
  }

  read(target: Uint8Array, offset: number): number {
    this.#check('read');
    const count = Math.max(0, Math.min(target.length, this.#size - offset));
    target.set(this.#content.subarray(offset, offset + count));
    return count;
  }

  write(source: Uint8Array, start: number, length: number, offset: number): void {
    this.#checkWritable('write');
    if (length === 0) return;
    this.#reserve(offset + length, 'write');
    this.#content.set(source.subarray(start, start + length), offset);
    this.#size = Math.max(this.#size, offset + length);
  }

  flushSync(): void {
    this.#checkWritable('flush');
  }

  async flush(): Promise<void> {
    this.#checkWritable('flush');
  }

  truncate(size: number): void {
    this.#checkWritable('truncate');
    this.#reserve(size, 'truncate');
    // What lies behind the end must be zero when the size grows over it again.
    if (size < this.#size) this.#content.fill(0, size, this.#size);
    this.#size = size;
  }

  close(): void {
    this.#isClosed = true;
  }
}
