/** Scans and histories from a page: loops that wait. The worker gives some items at a time, and is asked for the next ones while these are used, so that a loop that is slow holds up nobody. */
import type { FrameReader, FrameWriter } from '../worker/frames.js';
import { OP_END_CURSOR, OP_MORE } from '../worker/protocol.js';
import type { Fate, Link } from './link.js';

/** How a loop is begun. */
export interface Beginning<T> {
  readonly link: Link;
  /** Of the call that opens it, and of those for more. */
  readonly opening: Fate;
  readonly going: Fate;
  readonly operation: number;
  /** Whether more is asked for before it is needed: not within a transaction, whose ranges count as far as they were read. */
  readonly isAhead: boolean;
  write(frames: FrameWriter, cursor: number): void;
  read(frames: FrameReader): T;
}

interface Batch<T> {
  readonly hasMore: boolean;
  readonly items: readonly T[];
}

/** The results of a scan. A loop over it begins the scan, and ends it however it is left; each loop sees the store as it was when the loop began. */
export class SharedScan<T> implements AsyncIterable<T> {
  readonly #begin: () => Beginning<T>;

  /** @internal */
  constructor(begin: () => Beginning<T>) {
    this.#begin = begin;
  }

  [Symbol.asyncIterator](): SharedScanIterator<T> {
    return new SharedScanIterator(this.#begin());
  }
}

/** One loop. Whoever drives it by hand and stops early calls `return`, or declares it with `await using`. */
export class SharedScanIterator<T> implements AsyncIterableIterator<T> {
  readonly #beginning: Beginning<T>;
  readonly #cursor: number;
  #batch: Batch<T> = { hasMore: true, items: [] };
  #index = 0;
  #next: Promise<Batch<T>> | undefined;
  /** The call of `next` before this one, so that each item goes to one of them. */
  #before: Promise<unknown> = Promise.resolve();
  #isEnded = false;

  /** @internal */
  constructor(beginning: Beginning<T>) {
    this.#beginning = beginning;
    this.#cursor = beginning.link.nextNumber();
    beginning.link.watchOver(this, OP_END_CURSOR, this.#cursor);
    this.#ask(true);
  }

  #ask(isFirst: boolean): void {
    const { link, opening, going, operation, write, read } = this.#beginning;
    const cursor = this.#cursor;
    this.#next = link.call(isFirst ? opening : going, isFirst ? operation : OP_MORE, (frames) => (isFirst ? write(frames, cursor) : frames.word(cursor)), (frames) => readBatch(frames, read));
    // Who leaves the loop is not told how the rest went.
    this.#next.catch(() => undefined);
  }

  /** The next item. @throws (as a rejection) what is wrong with the range; VersionGoneError when the worker that had the scan has ended. */
  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#index < this.#batch.items.length && !this.#isEnded) return Promise.resolve({ done: false, value: this.#batch.items[this.#index++]! });
    const next = this.#before.then(() => this.#fetch());
    this.#before = next.catch(() => undefined);
    return next;
  }

  async #fetch(): Promise<IteratorResult<T, undefined>> {
    while (this.#index >= this.#batch.items.length) {
      if (this.#isEnded || !this.#batch.hasMore) return this.return();
      try {
        if (this.#next === undefined) this.#ask(false);
        this.#batch = await this.#next!;
      } catch (error) {
        await this.return();
        throw error;
      }
      this.#next = undefined;
      this.#index = 0;
      if (this.#batch.hasMore && this.#beginning.isAhead && !this.#isEnded) this.#ask(false);
    }
    return this.#isEnded ? this.return() : { done: false, value: this.#batch.items[this.#index++]! };
  }

  async return(): Promise<{ done: true; value: undefined }> {
    if (!this.#isEnded) {
      this.#isEnded = true;
      this.#beginning.link.release(this, OP_END_CURSOR, this.#cursor);
    }
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}

function readBatch<T>(frames: FrameReader, read: (frames: FrameReader) => T): Batch<T> {
  const hasMore = frames.byte() === 1;
  const count = frames.word();
  const items: T[] = [];
  for (let index = 0; index < count; index++) items.push(read(frames));
  return { hasMore, items };
}
