/** How much a disk has seen, for another process to look at: a small file, because the moment matters at which it is looked at, and messages take theirs. */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';

/** How many events a disk has seen, and how many of them up to and with its last flush. */
export class Tally {
  readonly #descriptor: number;

  constructor(path: string, isWriter: boolean) {
    this.#descriptor = openSync(path, isWriter ? 'w' : 'r');
    if (isWriter) this.set(0, 0);
  }

  set(events: number, flushed: number): void {
    writeSync(this.#descriptor, new Float64Array([events, flushed]), 0, 16, 0);
  }

  get(): { readonly events: number; readonly flushed: number } {
    const words = new Float64Array(2);
    readSync(this.#descriptor, words, 0, 16, 0);
    return { events: words[0]!, flushed: words[1]! };
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
