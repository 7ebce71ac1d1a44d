/**
 * What the suites take of the platform beside the store: a folder for files, their copies and their removal, bytes compared, memory weighed. Browsers have `bench/browser/platform.mjs` in its place, in whose bundles
 * it is chosen.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export { copyFlushed } from './copy.mjs';

/** Where files are made, if nobody says where. */
export const filesFolder = tmpdir();

/** Makes a folder for the files of one run. @param {string} parent */
export function createFolder(parent) {
  const folder = mkdtempSync(join(parent, 'varve-bench-'));
  return {
    /** @param {string} name of a file */
    pathOf: (name) => join(folder, name),
    /** Removes it, with all that is in it. @returns {void | Promise<void>} */
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Removes a file, where it is there. @param {string} path @returns {void | Promise<void>} */
export function removeFile(path) {
  rmSync(path, { force: true });
}

/** @param {Uint8Array} one @param {Uint8Array} other */
export const areEqual = (one, other) => Buffer.compare(one, other) === 0;

/** Bytes of memory that the process has; undefined where nobody knows. @returns {number | undefined} */
export const residentBytes = () => process.memoryUsage.rss();
