/** What a run hands to every suite: sizes, seed, a folder to work in. One place decides how small a quick run and a smoke run are. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * @typedef {'full' | 'quick' | 'smoke'} Size
 *
 * @typedef {object} Settings
 * @property {Size} size
 * @property {number} keysMax no store holds more
 * @property {number} seed
 * @property {string} folder where files are made
 */

/**
 * `full` is what the rows say. `quick` takes fewer rounds, and no store has more than 100,000 keys. `smoke` shows that everything runs: its figures mean nothing.
 */
const SIZES = {
  full: { keysMax: Infinity, operationsMax: Infinity, options: { rounds: 15, warmups: 3, isCollecting: true } },
  quick: { keysMax: 100_000, operationsMax: Infinity, options: { rounds: 5, warmups: 1, isCollecting: true } },
  smoke: { keysMax: 400, operationsMax: 16, options: { rounds: 1, warmups: 1, isCollecting: false } },
};

/** @param {Partial<Settings>} settings @returns {Settings} */
export function resolveSettings(settings = {}) {
  const size = settings.size ?? 'full';
  return {
    size,
    keysMax: settings.keysMax ?? SIZES[size].keysMax,
    seed: settings.seed ?? 20260113,
    folder: settings.folder ?? tmpdir(),
  };
}

/** How the sizes of a run are put into words. @param {Settings} settings */
export function wordsOfSize({ size, keysMax }) {
  const { rounds } = SIZES[size].options;
  return `${size}: ${rounds} rounds${keysMax === Infinity ? '' : `, at most ${keysMax.toLocaleString('en')} keys`}`;
}

/** Whether figures of such a run can be held against thresholds and aims. @param {Settings} settings */
export function isFullSize({ size, keysMax }) {
  return size === 'full' && keysMax === Infinity;
}

/** How often samples are taken. @param {Settings} settings */
export function optionsOf({ size }) {
  return SIZES[size].options;
}

/** @param {Settings} settings */
export function createContext(settings) {
  const folder = mkdtempSync(join(settings.folder, 'varve-bench-'));
  const { operationsMax, options } = SIZES[settings.size];
  let fileCount = 0;
  return {
    seed: settings.seed,
    size: settings.size,
    smoke: settings.size === 'smoke',
    folder,
    /** The number of keys of a store. @param {number} count */
    keys: (count) => Math.max(1, Math.min(count, settings.keysMax)),
    /** The number of operations of a sample. @param {number} count */
    operations: (count) => Math.min(count, operationsMax),
    options,
    /** A path that no file has had. @param {string} [name] */
    path: (name = 'store') => join(folder, `${name}-${fileCount++}.varve`),
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** @typedef {ReturnType<typeof createContext>} Context */
