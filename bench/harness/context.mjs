/** What a run hands to every suite: sizes, seed, a folder to work in. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPlan, SIZES } from './sizes.mjs';

export { isFullSize, optionsOf, wordsOfSize } from './sizes.mjs';

/**
 * @typedef {import('./sizes.mjs').Extent & { folder: string }} Settings with where files are made
 */

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

/** @param {Settings} settings */
export function createContext(settings) {
  const folder = mkdtempSync(join(settings.folder, 'varve-bench-'));
  let fileCount = 0;
  return {
    ...createPlan(settings),
    folder,
    /** A path that no file has had. @param {string} [name] */
    path: (name = 'store') => join(folder, `${name}-${fileCount++}.varve`),
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** @typedef {ReturnType<typeof createContext>} Context */
