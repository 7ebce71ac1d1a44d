/**
 * What takes part in the contest inside a browser, each in its own fastest documented way. Handles are those of `bench/peers/subjects/subject.mjs`, but for `get`, which may wait where the subject does
 * not block, and what only pages have.
 *
 * @typedef {Omit<import('../../peers/subjects/subject.mjs').Handle, 'get'> & {
 *   get(key: string): Uint8Array | undefined | Promise<Uint8Array | undefined>,
 *   putNow?(key: string, value: Uint8Array): unknown,
 *   getTogether?(keys: string[]): Promise<(Uint8Array | undefined)[]>,
 * }} Handle `putNow` writes without a promise; `getTogether` reads many keys, called in one turn
 *
 * @typedef {object} Subject
 * @property {string} how what it is configured to, in a few words
 * @property {number} pace which part of a row's operations a sample takes, so that samples of slow subjects do not take minutes
 * @property {boolean} isBlocking whether `get` returns values, and not promises
 * @property {(name: string, durability: string) => Promise<Handle>} open makes the store of that name where there is none
 * @property {(name: string) => unknown} remove
 * @property {() => string} version once a store was opened
 */

/** What the names of stores of a contest begin with, and the folder of SQLite's pool: by these, one that was broken off is swept away. */
export const NAME_PREFIX = 'bench-';
export const POOL_FOLDER = 'sqlite';

let nameCount = 0;

/** A name that no store of this site has had. */
export const newName = () => `${NAME_PREFIX}${Date.now().toString(36)}-${nameCount++}`;

/** The folder that a path of the site leads to. @param {string} path */
export async function folderOf(path) {
  let folder = await navigator.storage.getDirectory();
  for (const name of path.split('/').slice(0, -1)) folder = await folder.getDirectoryHandle(name);
  return folder;
}

/** Removes a file of the site. @param {string} path */
export async function removeFile(path) {
  await (await folderOf(path)).removeEntry(path.slice(path.lastIndexOf('/') + 1));
}
