/**
 * How long things took, in a few hundred counters: each doubling of the time is cut into eight, so a figure is right to an eighth, from a microsecond to an hour. An observation costs a few
 * instructions and makes no object.
 */

/** What a histogram says, in milliseconds: half of what was observed took no longer than `p50`, and so on; 0 where nothing was. `max` is exact. */
export interface Latency {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** Counters for a doubling. */
const STEPS_SHIFT = 3;
const STEPS = 1 << STEPS_SHIFT;
/** Longer ones, in microseconds, count as this one. */
const TIME_MAX = 2 ** 32 - 1;

/** The counter of a time in microseconds. Those below `STEPS` have one each. */
function counterOf(time: number): number {
  if (time < STEPS) return time;
  const shift = 31 - Math.clz32(time) - STEPS_SHIFT;
  return (shift << STEPS_SHIFT) + (time >>> shift);
}

/** The highest time of a counter, in microseconds. */
function highestOf(counter: number): number {
  if (counter < STEPS) return counter;
  const shift = (counter >> STEPS_SHIFT) - 1;
  return (STEPS + (counter & (STEPS - 1)) + 1) * 2 ** shift - 1;
}

export class Histogram {
  readonly #counters = new Uint32Array(counterOf(TIME_MAX) + 1);
  #count = 0;
  /** In milliseconds. */
  #max = 0;

  /** Counts something that took so many milliseconds. */
  observe(milliseconds: number): void {
    this.#counters[counterOf(Math.max(0, Math.min(TIME_MAX, Math.round(milliseconds * 1000))))]!++;
    this.#count++;
    if (milliseconds > this.#max) this.#max = milliseconds;
  }

  /** The time that a share of all took at most: that of its counter, and never more than the longest. */
  #quantile(share: number): number {
    let left = Math.ceil(this.#count * share);
    for (let counter = 0; counter < this.#counters.length; counter++) {
      left -= this.#counters[counter]!;
      if (left <= 0) return this.#count === 0 ? 0 : Math.min(this.#max, highestOf(counter) / 1000);
    }
    return this.#max;
  }

  /** What was observed until now. */
  summary(): Latency {
    return { count: this.#count, p50: this.#quantile(0.5), p90: this.#quantile(0.9), p99: this.#quantile(0.99), p999: this.#quantile(0.999), max: this.#max };
  }
}
