/** What the lives of one simulated world share: its seed and habits, the commits that there were, the time, and the trace by which two runs are known to be the same. */
import { reach, type Figures, type Rare } from './figures.js';
import { Ledger } from './ledger.js';
import { Time } from './time.js';
import type { Setup } from './weights.js';

export class World {
  readonly time = new Time();
  readonly ledger: Ledger;
  /** Whether a store was ever opened: before, there may be none. */
  isMade = false;
  /** Whether a store was ever opened that was not closed in order: a segment that holds nothing but what was cut is given up, whatever history is kept. */
  hasCrashed = false;
  /** What happened, in words, where someone wants to know. */
  readonly tale: string[] | undefined;
  #trace = 0x811c9dc5;
  #traceHigh = 0x01000193;

  constructor(readonly seed: number, readonly setup: Setup, readonly figures: Figures, tells: boolean) {
    this.ledger = new Ledger(this.time, setup.history !== undefined);
    this.tale = tells ? [] : undefined;
  }

  reach(state: Rare): void {
    reach(this.figures, state);
  }

  tell(what: () => string): void {
    this.tale?.push(what());
  }

  /** Takes a number into the trace. */
  note(value: number): void {
    this.#trace = Math.imul(this.#trace ^ value, 0x01000193);
    this.#traceHigh = Math.imul(this.#traceHigh ^ (value / 7), 0x85ebca6b) + this.#trace | 0;
  }

  noteBytes(bytes: Uint8Array): void {
    for (let index = 0; index < bytes.length; index++) this.#trace = Math.imul(this.#trace ^ bytes[index]!, 0x01000193);
    this.note(bytes.length);
  }

  /** All that happened, as one number. */
  get trace(): number {
    return (this.#trace >>> 0) + (this.#traceHigh & 0x1fffff) * 2 ** 32;
  }
}
