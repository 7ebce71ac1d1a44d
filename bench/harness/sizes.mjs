/** How large a run is: one place decides how small a quick run and a smoke run are, wherever they run. */

/**
 * @typedef {'full' | 'quick' | 'smoke'} Size
 *
 * @typedef {object} Extent
 * @property {Size} size
 * @property {number} keysMax no store holds more
 * @property {number} seed
 */

/**
 * `full` is what the rows say. `quick` takes fewer rounds, and no store has more than 100,000 keys. `smoke` shows that everything runs: its figures mean nothing.
 */
export const SIZES = {
  full: { keysMax: Infinity, operationsMax: Infinity, options: { rounds: 15, warmups: 3, isCollecting: true } },
  quick: { keysMax: 100_000, operationsMax: Infinity, options: { rounds: 5, warmups: 1, isCollecting: true } },
  smoke: { keysMax: 400, operationsMax: 16, options: { rounds: 1, warmups: 1, isCollecting: false } },
};

/** How the sizes of a run are put into words. @param {Extent} extent */
export function wordsOfSize({ size, keysMax }) {
  const { rounds } = SIZES[size].options;
  return `${size}: ${rounds} rounds${keysMax === Infinity ? '' : `, at most ${keysMax.toLocaleString('en')} keys`}`;
}

/** Whether figures of such a run can be held against thresholds and aims. @param {Extent} extent */
export function isFullSize({ size, keysMax }) {
  return size === 'full' && keysMax === Infinity;
}

/** How often samples are taken. @param {{ size: Size }} extent */
export function optionsOf({ size }) {
  return SIZES[size].options;
}

/** What rows are made with that need no files of an operating system. What came as JSON has null for a limit that is none. @param {{ size: Size, seed: number, keysMax: number | null }} extent */
export function createPlan({ size, seed, keysMax }) {
  const { operationsMax, options } = SIZES[size];
  return {
    seed,
    size,
    smoke: size === 'smoke',
    options,
    /** The number of keys of a store. @param {number} count */
    keys: (count) => Math.max(1, Math.min(count, keysMax ?? Infinity)),
    /** The number of operations of a sample. @param {number} count */
    operations: (count) => Math.min(count, operationsMax),
  };
}

/** @typedef {ReturnType<typeof createPlan>} Plan */
