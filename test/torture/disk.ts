/**
 * A disk in memory that remembers everything that happened to it. A disk may lie on another one and hold only what differs, so that an image of a crash costs its differences, and what mounting it
 * changes is forgotten with it.
 */

/** What a disk was asked to change, in the order in which it was asked. */
export type DiskEvent = { readonly offset: number; readonly data: Buffer } | 'flush';

/** The size of a block, which is what the file systems take for whole: they write nothing smaller but within their journals. */
export const BLOCK_SIZE = 4096;

const ZEROS = Buffer.alloc(BLOCK_SIZE);

export class Disk {
  readonly size: number;
  /** What has happened since it was set to an empty array. */
  events: DiskEvent[] | undefined;
  /** Decides whether a write or flush fails. What fails changes nothing. */
  fault: ((kind: 'write' | 'flush') => boolean) | undefined;
  /** Told when an event was added. */
  onEvent: () => void = () => undefined;
  readonly #below: Disk | undefined;
  readonly #blocks = new Map<number, Buffer>();

  constructor(below: Disk | number) {
    this.#below = typeof below === 'number' ? undefined : below;
    this.size = typeof below === 'number' ? below : below.size;
  }

  #block(index: number): Buffer {
    const own = this.#blocks.get(index);
    if (own !== undefined) return own;
    if (this.#below !== undefined) return this.#below.#block(index);
    return ZEROS;
  }

  read(offset: number, length: number): Buffer {
    const target = Buffer.allocUnsafe(length);
    for (let done = 0; done < length;) {
      const index = Math.floor((offset + done) / BLOCK_SIZE);
      const within = (offset + done) % BLOCK_SIZE;
      done += this.#block(index).copy(target, done, within, Math.min(BLOCK_SIZE, within + length - done));
    }
    return target;
  }

  /** Puts bytes where they belong, as part of no event. */
  patch(offset: number, data: Buffer): void {
    for (let done = 0; done < data.length;) {
      const index = Math.floor((offset + done) / BLOCK_SIZE);
      const within = (offset + done) % BLOCK_SIZE;
      const part = data.subarray(done, done + BLOCK_SIZE - within);
      done += part.length;
      const held = this.#block(index);
      if (held.compare(part, 0, part.length, within, within + part.length) === 0) continue;
      let own = this.#blocks.get(index);
      if (own === undefined) this.#blocks.set(index, (own = Buffer.from(held)));
      part.copy(own, within);
    }
  }

  /** A write as it comes from outside. False: it failed. */
  write(offset: number, data: Buffer): boolean {
    if (this.fault?.('write') === true) return false;
    this.patch(offset, data);
    this.#note({ offset, data });
    return true;
  }

  flush(): boolean {
    if (this.fault?.('flush') === true) return false;
    this.#note('flush');
    return true;
  }

  #note(event: DiskEvent): void {
    if (this.events === undefined) return;
    this.events.push(event);
    this.onEvent();
  }

  /** Every block that is not all zero, for a file that keeps the disk for a person to look at. */
  * blocks(): Iterable<readonly [offset: number, data: Buffer]> {
    for (let index = 0; index < this.size / BLOCK_SIZE; index++) {
      const block = this.#block(index);
      if (block.compare(ZEROS) !== 0) yield [index * BLOCK_SIZE, block];
    }
  }
}
