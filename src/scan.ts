/** What scans return: something to loop over, lazily, as often as one likes. Each loop sees the store as it was when the loop began. */
import type { EngineScan } from './engine/scan.js';

/** A scan that was begun, and who must still be there for it to go on. */
export interface OpenScan {
  readonly scan: EngineScan;
  /** What it reads, as long as it is open: a snapshot or transaction that only a loop still holds must not be collected under it. */
  reader: object | undefined;
  /** Throws when what the scan reads is not open any more. */
  check(): void;
  /** Gives back what it holds. Idempotent. */
  close(): void;
  /** Turns what came out of the engine into what the caller is told. */
  caught(error: unknown): unknown;
}

/** The results of a scan. A loop over it begins the scan, and ends it however it is left. */
export class Scan<T> implements Iterable<T> {
  readonly #begin: (view: object) => OpenScan;
  readonly #read: (scan: EngineScan) => T;

  /** @internal */
  constructor(begin: (view: object) => OpenScan, read: (scan: EngineScan) => T) {
    this.#begin = begin;
    this.#read = read;
  }

  [Symbol.iterator](): IterableIterator<T> & Disposable {
    return new ScanIterator(this.#begin, this.#read);
  }
}

/** One loop over a scan. Whoever drives it by hand and stops early calls `return`, or declares it with `using`. */
export class ScanIterator<T> implements IterableIterator<T> {
  readonly #read: (scan: EngineScan) => T;
  #open: OpenScan | undefined;

  /** @internal */
  constructor(begin: (view: object) => OpenScan, read: (scan: EngineScan) => T) {
    this.#open = begin(this);
    this.#read = read;
  }

  next(): IteratorResult<T> {
    const open = this.#open;
    if (open === undefined) return { done: true, value: undefined };
    try {
      open.check();
      if (open.scan.next()) {
        const value = this.#read(open.scan);
        // A codec of the caller's may have ended the scan, or what it reads: then this is nobody's value.
        open.check();
        return this.#open === undefined ? this.return() : { done: false, value };
      }
    } catch (error) {
      this.return();
      throw open.caught(error);
    }
    return this.return();
  }

  return(): { done: true; value: undefined } {
    this.#open?.close();
    this.#open = undefined;
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }

  [Symbol.dispose](): void {
    this.return();
  }
}
