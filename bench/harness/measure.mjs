/**
 * Times rows round by round: in each round every row takes one sample of a fixed number of operations, and what it is compared with takes its own right
 * behind it, because on a noisy machine only figures of the same moment can be compared. What a row computed is checked after each sample.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Bench } from 'tinybench';

// Collecting often lets the engine throw away code that has not run for a while; a row whose turn comes seldom would then be compiled anew in its own time.
setFlagsFromString('--no-flush-bytecode');
setFlagsFromString('--expose-gc');
/** Collects all garbage, so that no sample pays for what an earlier one, or its own preparation, left behind. @type {() => void} */
export const collectGarbage = runInNewContext('gc');

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
 * @property {{ ok?: number, stretch?: number }} [threshold] operations a second
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
 * @property {{ ok?: number, stretch?: number }} threshold
 * @property {Record<string, number>} figures
 */

/**
 * The value below which a share of the sorted samples lies.
 * @param {number[]} samples
 * @param {number} share
 */
export function quantile(samples, share) {
  const sorted = [...samples].sort((left, right) => left - right);
  const position = (sorted.length - 1) * share;
  const low = sorted[Math.floor(position)];
  const high = sorted[Math.ceil(position)];
  return low + (high - low) * (position - Math.floor(position));
}

/** @param {number[]} samples */
export function median(samples) {
  return quantile(samples, 0.5);
}

/**
 * Runs works side by side and returns the rates of each, round by round, in operations a second. Every second round goes through them backwards, so that
 * none always follows the same other.
 * @param {Record<string, Work>} works
 * @param {{ rounds: number, warmups: number }} options
 * @returns {Promise<Record<string, number[]>>}
 */
export async function interleave(works, options) {
  return (await interleaveAndCount(works, options)).rates;
}

/** As `interleave`, and says how many results were checked. @param {Record<string, Work>} works @param {{ rounds: number, warmups: number }} options */
async function interleaveAndCount(works, { rounds, warmups }) {
  const forwards = new Bench({ iterations: 1, time: 0, warmup: false, throws: true });
  const backwards = new Bench({ iterations: 1, time: 0, warmup: false, throws: true });
  /** @type {Record<string, number[]>} */
  const rates = {};
  let checks = 0;
  /** @type {((bench: Bench) => void)[]} */
  const additions = [];
  for (const [name, work] of Object.entries(works)) {
    rates[name] = [];
    let computed = 0;
    const sample = async () => {
      const began = performance.now();
      const outcome = work.run();
      computed = typeof outcome === 'number' ? outcome : await outcome;
      const elapsed = performance.now() - began;
      rates[name].push((work.operations * 1000) / elapsed);
      return { overriddenDuration: elapsed / work.operations, overriddenIterationCost: elapsed };
    };
    additions.push((bench) => bench.add(name, sample, {
      async: true,
      beforeEach: async () => {
        await work.before?.();
        collectGarbage();
      },
      afterEach: async () => {
        await work.after(computed);
        checks++;
      },
    }));
  }
  for (const add of additions) add(forwards);
  for (const add of additions.reverse()) add(backwards);
  for (let round = 0; round < warmups + rounds; round++) {
    const bench = round % 2 === 0 ? forwards : backwards;
    bench.reset();
    await bench.run();
  }
  for (const [name, samples] of Object.entries(rates)) {
    samples.splice(0, warmups);
    mustBe(`samples of ${name}`, samples.length, rounds);
  }
  mustBe('results that were checked', checks, additions.length * (warmups + rounds));
  return { rates, checks };
}

/**
 * Times one row and what stands beside it.
 * @param {Row} row
 * @param {{ rounds: number, warmups: number }} options
 * @returns {Promise<Result>}
 */
export async function measureRow(row, options) {
  const rounds = Math.min(options.rounds, row.roundsMax ?? options.rounds);
  const { rates, checks } = await interleaveAndCount({ '': row.work, ...row.beside }, { rounds, warmups: Math.min(options.warmups, rounds) });
  const samples = rates[''];
  const rate = median(samples);
  /** @type {Result['beside']} */
  const beside = {};
  for (const name of Object.keys(row.beside ?? {})) {
    beside[name] = { rate: median(rates[name]), share: median(samples.map((sample, round) => sample / rates[name][round])) };
  }
  return {
    name: row.name, what: row.what, keys: row.keys, valueSize: row.valueSize, durability: row.durability, operations: row.work.operations,
    rate, spread: (quantile(samples, 0.75) - quantile(samples, 0.25)) / 2 / rate, samples, checks, beside,
    threshold: row.threshold ?? {}, figures: { ...row.figures },
  };
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
