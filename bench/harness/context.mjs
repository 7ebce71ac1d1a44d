/** What a run hands to every suite: sizes, seed, a folder to work in. */
import { createFolder, filesFolder } from './platform.mjs';
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
    folder: settings.folder ?? filesFolder,
  };
}

/** @param {Settings} settings */
export function createContext(settings) {
  const folder = createFolder(settings.folder);
  let fileCount = 0;
  return {
    ...createPlan(settings),
    /** A path that no file has had. @param {string} [name] */
    path: (name = 'store') => folder.pathOf(`${name}-${fileCount++}.varve`),
    dispose: folder.remove,
  };
}

/** @typedef {ReturnType<typeof createContext>} Context */
