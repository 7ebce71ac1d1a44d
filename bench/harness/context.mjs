/** What a run hands to every suite: sizes, seed, a folder to work in. One place decides how small a smoke run is. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * @typedef {object} Settings
 * @property {boolean} smoke
 * @property {number} keysMax no store holds more
 * @property {number} seed
 * @property {string} folder where files are made
 */

const SMOKE_KEYS_MAX = 400;
const SMOKE_OPERATIONS_MAX = 40;

/** @param {Partial<Settings>} settings */
export function resolveSettings(settings = {}) {
  const smoke = settings.smoke ?? false;
  return {
    smoke,
    keysMax: settings.keysMax ?? (smoke ? SMOKE_KEYS_MAX : Infinity),
    seed: settings.seed ?? 20260113,
    folder: settings.folder ?? tmpdir(),
  };
}

/** @param {Settings} settings */
export function createContext(settings) {
  const folder = mkdtempSync(join(settings.folder, 'varve-bench-'));
  let fileCount = 0;
  return {
    seed: settings.seed,
    smoke: settings.smoke,
    folder,
    /** The number of keys of a store. @param {number} count */
    keys: (count) => Math.max(1, Math.min(count, settings.keysMax)),
    /** The number of operations of a sample. @param {number} count */
    operations: (count) => (settings.smoke ? Math.min(count, SMOKE_OPERATIONS_MAX) : count),
    options: settings.smoke ? { rounds: 2, warmups: 1 } : { rounds: 15, warmups: 3 },
    /** A path that no file has had. @param {string} [name] */
    path: (name = 'store') => join(folder, `${name}-${fileCount++}.varve`),
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** @typedef {ReturnType<typeof createContext>} Context */
