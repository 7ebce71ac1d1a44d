/**
 * The time of a simulated world: the clock that stores are given, which may jump, and the timers and the stopwatch of the platform, which only go on. Nothing in it passes by itself, so
 * that a store seals and flushes when the world says so.
 */
interface Timer {
  readonly due: number;
  readonly action: () => void;
}

/** The most timers that fire at one call: a store that arms one for now for ever is noticed. */
const FIRED_MAX = 1000;

export class Time {
  /** What the clock of the store showed, in order. */
  readonly clocks: number[] = [1_700_000_000_000];
  #elapsed = 0;
  #timers: Timer[] = [];
  readonly #setTimeout = globalThis.setTimeout;
  readonly #clearTimeout = globalThis.clearTimeout;

  /** What the clock of the store shows, in epoch milliseconds. */
  get now(): number {
    return this.clocks.at(-1)!;
  }

  /** Sets the clock of the store, and lets no time pass. */
  jump(milliseconds: number): void {
    this.clocks.push(Math.max(1, this.now + milliseconds));
  }

  /** Lets time pass, and timers fire that come to be due, in their order. */
  pass(milliseconds: number): void {
    this.jump(milliseconds);
    const end = this.#elapsed + milliseconds;
    for (let count = 0; ; count++) {
      const next = this.#timers.reduce<Timer | undefined>((first, timer) => (timer.due <= end && (first === undefined || timer.due < first.due) ? timer : first), undefined);
      if (next === undefined) break;
      if (count === FIRED_MAX) throw new Error('timers are armed for ever');
      this.#timers.splice(this.#timers.indexOf(next), 1);
      this.#elapsed = Math.max(this.#elapsed, next.due);
      next.action();
    }
    this.#elapsed = end;
  }

  /** Forgets all timers: whoever set them is dead. */
  clear(): void {
    this.#timers = [];
  }

  /** Takes the place of the platform's timers and stopwatch, until `uninstall`. */
  install(): void {
    const set = (action: () => void, delay = 0): Timer => {
      const timer = { due: this.#elapsed + Math.max(1, delay), action };
      this.#timers.push(timer);
      return timer;
    };
    const clear = (timer: unknown): void => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
    globalThis.setTimeout = set as unknown as typeof setTimeout;
    globalThis.clearTimeout = clear as unknown as typeof clearTimeout;
    Object.defineProperty(performance, 'now', { value: () => this.#elapsed, configurable: true });
  }

  uninstall(): void {
    globalThis.setTimeout = this.#setTimeout;
    globalThis.clearTimeout = this.#clearTimeout;
    delete (performance as { now?: unknown }).now;
  }
}

/** Lets every callback run that waits for nothing but its turn, and those that they queue. */
export async function drain(): Promise<void> {
  for (let turn = 0; turn < 24; turn++) await undefined;
}
