/**
 * Times rows round by round: in each round every row takes one sample of a fixed number of operations, and what it is compared with takes its own right
 * behind it, because on a noisy machine only figures of the same moment can be compared. What a row computed is checked after each sample.
 */
import { Bench } from 'tinybench';
import { collectGarbage } from './garbage.mjs';
import { median, spreadOf } from './statistics.mjs';

/** In milliseconds. Clocks of browsers stand still for up to one; a sample that is over before the clock has moved took no less than this. */
const CLOCK_STEP = 0.005;

/**
 * One thing to time. `before` and `after` are not timed; `run` does exactly `operations` operations and returns what it computed.
 * @typedef {object} Work
 * @property {number} operations
 * @property {() => number | Promise<number>} run
 * @property {() => void | Promise<void>} [before]
 * @property {(computed: number) => void | Promise<void>} after throws when the result is wrong
 */

/**
 * @typedef {object} Row
 * @property {string} name
 * @property {string} what the calls that are timed
 * @property {number} keys how many keys the store holds
 * @property {number} valueSize in bytes
 * @property {string} durability
 * @property {Work} work
 * @property {Record<string, Work>} [beside] what it is compared with
 * @property {{ ok?: number, stretch?: number }} [threshold] operations a second, or shares of what `scaling` names
 * @property {string} [scaling] what beside the row its threshold is a share of
 * @property {string} [floor] what beside the row it cannot be faster than
 * @property {Record<string, number>} [figures] other figures of the row, which `after` may still set
 * @property {number} [roundsMax] for rows whose samples are long
 */

/**
 * @typedef {object} Result
 * @property {string} name
 * @property {string} what
 * @property {number} keys
 * @property {number} valueSize
 * @property {string} durability
 * @property {number} operations in one sample
 * @property {number} rate operations a second, the median of the samples
 * @property {number} spread half the distance between the quartiles, as a share of the median
 * @property {number[]} samples operations a second
 * @property {number} checks how many samples, warm-up and what stands beside it included, had their result checked
 * @property {Record<string, { rate: number, share: number }>} beside `share` is the row's rate divided by the other's, the median over the rounds
 * @property {{ ok?: number, stretch?: number }} threshold operations a second
 * @property {string | undefined} floor
 * @property {Record<string, number>} figures
 */

/**
 * What takes samples of one work, each with its preparation, a collection of all garbage, and the check of its result.
 * @param {Work} work
 * @param {boolean} isCollecting not so where figures mean nothing: collecting is most of what a small sample takes
 */
export function createSampler(work, isCollecting = true) {
  const bench = new Bench({ iterations: 1, time: 0, warmup: false, throws: true });
  /** @type {number[]} */
  const rates = [];
  let computed = 0;
  let checks = 0;
  bench.add('sample', async () => {
    const began = performance.now();
    const outcome = work.run();
    computed = typeof outcome === 'number' ? outcome : await outcome;
    const elapsed = Math.max(performance.now() - began, CLOCK_STEP);
    rates.push((work.operations * 1000) / elapsed);
    return { overriddenDuration: elapsed / work.operations, overriddenIterationCost: elapsed };
  }, {
    async: true,
    beforeEach: async () => {
      await work.before?.();
      if (isCollecting) collectGarbage();
    },
    afterEach: async () => {
      await work.after(computed);
      checks++;
    },
  });
  return {
    /** Takes a sample, and returns its rate in operations a second. */
    async sample() {
      const before = rates.length;
      bench.reset();
      await bench.run();
      mustBe('samples taken', rates.length, before + 1);
      mustBe('results that were checked', checks, rates.length);
      return rates[before];
    },
  };
}

/**
 * Runs works side by side and returns the rates of each, round by round, in operations a second. Every second round goes through them backwards, so that
 * none always follows the same other.
 * @param {Record<string, Work>} works
 * @param {{ rounds: number, warmups: number, isCollecting?: boolean }} options
 * @returns {Promise<Record<string, number[]>>}
 */
export async function interleave(works, { rounds, warmups, isCollecting }) {
  const samplers = Object.entries(works).map(([name, work]) => ({ name, sampler: createSampler(work, isCollecting) }));
  /** @type {Record<string, number[]>} */
  const rates = Object.fromEntries(samplers.map(({ name }) => [name, []]));
  for (let round = 0; round < warmups + rounds; round++) {
    for (const { name, sampler } of round % 2 === 0 ? samplers : samplers.toReversed()) {
      const rate = await sampler.sample();
      if (round >= warmups) rates[name].push(rate);
    }
  }
  return rates;
}

/**
 * Times one row and what stands beside it.
 * @param {Row} row
 * @param {{ rounds: number, warmups: number, isCollecting?: boolean }} options
 * @returns {Promise<Result>}
 */
export async function measureRow(row, options) {
  const rounds = Math.min(options.rounds, row.roundsMax ?? options.rounds);
  const warmups = Math.min(options.warmups, rounds);
  const rates = await interleave({ '': row.work, ...row.beside }, { ...options, rounds, warmups });
  const samples = rates[''];
  const rate = median(samples);
  /** @type {Result['beside']} */
  const beside = {};
  for (const name of Object.keys(row.beside ?? {})) {
    beside[name] = { rate: median(rates[name]), share: median(samples.map((sample, round) => sample / rates[name][round])) };
  }
  return {
    name: row.name, what: row.what, keys: row.keys, valueSize: row.valueSize, durability: row.durability, operations: row.work.operations,
    rate, spread: spreadOf(samples), samples, checks: Object.keys(rates).length * (warmups + rounds), beside,
    threshold: thresholdOf(row, beside), floor: row.floor, figures: { ...row.figures },
  };
}

/** @param {Row} row @param {Result['beside']} beside @returns {Result['threshold']} */
function thresholdOf({ threshold = {}, scaling }, beside) {
  if (scaling === undefined) return threshold;
  return Object.fromEntries(Object.entries(threshold).map(([name, share]) => [name, share * beside[scaling].rate]));
}

/**
 * Stops the run when a figure is not what it must be: a benchmark of wrong results is worth nothing.
 * @param {string} what
 * @param {unknown} found
 * @param {unknown} expected
 */
export function mustBe(what, found, expected) {
  if (found !== expected) throw new Error(`${what}: found ${String(found)}, expected ${String(expected)}`);
}
