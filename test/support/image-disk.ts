/** A disk without a past: an image in a buffer that is used again and again. It does what a device must, and keeps account of little. */
import { SUPERBLOCK_SIZE } from '../../assembly/shared/format.js';
import type { Device } from '../../src/device/device.js';

export class ImageDisk implements Device {
  readonly name = 'simulated';
  readonly readOnly = false;
  /** How many calls there were that change a disk. */
  changes = 0;
  /** Told of each range that is read. */
  onRead: ((offset: number, size: number) => void) | undefined;
  #bytes = new Uint8Array(1 << 16);
  #size = 0;

  /** Puts an image in the place of what was there. */
  load(image: Uint8Array): void {
    this.#size = 0;
    this.#reserve(image.length);
    this.#bytes.set(image);
    this.#size = image.length;
    this.changes = 0;
  }

  /** The bytes of the image, to be changed from outside, until the next call. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  /** Whether either superblock begins with anything: then the file is not one that is still to be made. */
  get isMade(): boolean {
    return this.#size > SUPERBLOCK_SIZE && (this.#bytes[0] !== 0 || this.#bytes[SUPERBLOCK_SIZE] !== 0);
  }

  size(): number {
    return this.#size;
  }

  read(target: Uint8Array, offset: number): number {
    const count = Math.max(0, Math.min(target.length, this.#size - offset));
    this.onRead?.(offset, count);
    target.set(this.#bytes.subarray(offset, offset + count));
    return count;
  }

  write(source: Uint8Array, start: number, length: number, offset: number): void {
    this.changes++;
    this.patch(source.subarray(start, start + length), offset);
  }

  /** Puts bytes into the image, from outside. */
  patch(bytes: Uint8Array, offset: number): void {
    this.grow(offset + bytes.length);
    this.#bytes.set(bytes, offset);
  }

  /** Makes the image at least so long, with zeros, from outside. */
  grow(size: number): void {
    if (size <= this.#size) return;
    this.#reserve(size);
    this.#bytes.fill(0, this.#size, size);
    this.#size = size;
  }

  /** Makes the image so long and no longer, from outside. */
  resize(size: number): void {
    this.grow(size);
    this.#size = size;
  }

  #reserve(size: number): void {
    if (size <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(size, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = larger;
  }

  flushSync(): void {
    this.changes++;
  }

  async flush(): Promise<void> {
    this.changes++;
  }

  truncate(size: number): void {
    this.changes++;
    this.resize(size);
  }

  close(): void {
    // Nothing to give back: the buffer serves the next image.
  }
}
