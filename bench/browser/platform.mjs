/** `bench/harness/platform.mjs` for browsers, in whose bundles it takes that place: files are those of the site (OPFS), which only dedicated workers read and write without waiting. */
import { folderOf, removeFile } from './subjects/subject.mjs';

export { removeFile };

/** There is one place for files. */
export const filesFolder = '';

const COPIED_AT_ONCE = 4 << 20;
/** How often a file is copied that its store writes to meanwhile. */
const TRIES_MAX = 100;

/** Names a folder for the files of one run, which the first of them makes. */
export function createFolder() {
  const name = `varve-bench-${crypto.randomUUID()}`;
  return {
    /** @param {string} file */
    pathOf: (file) => `${name}/${file}`,
    async remove() {
      const root = await navigator.storage.getDirectory();
      for await (const there of /** @type {any} */ (root).keys()) if (there === name) await root.removeEntry(name, { recursive: true });
    },
  };
}

/** The handle of a file. @param {string} path @param {boolean} create */
const fileAt = async (path, create) => (await folderOf(path)).getFileHandle(path.slice(path.lastIndexOf('/') + 1), { create });

/** The bytes of a file, a part after another, without giving the thread to anybody meanwhile. @param {File} file @param {any} target a synchronous access handle */
function copyNow(file, target) {
  const reader = new /** @type {any} */ (globalThis).FileReaderSync();
  target.truncate(0);
  for (let at = 0; at < file.size; at += COPIED_AT_ONCE) target.write(new Uint8Array(reader.readAsArrayBuffer(file.slice(at, at + COPIED_AT_ONCE))), { at });
}

/**
 * Copies a file so that the copy owes the disk nothing, and stands in the page cache. Of one that a store of this worker has open, the copy is of one moment, as a crash leaves it.
 * @param {string} from @param {string} to
 */
export async function copyFlushed(from, to) {
  const source = await fileAt(from, false);
  const target = await /** @type {any} */ (await fileAt(to, true)).createSyncAccessHandle();
  try {
    for (let tries = 1; ; tries++) {
      const file = await source.getFile();
      try {
        copyNow(file, target);
        if ((await source.getFile()).size === file.size) break;
      } catch (error) {
        // The store has written between the file's being asked for and its being read.
        if (!(error instanceof DOMException) || error.name !== 'NotReadableError') throw error;
      }
      if (tries === TRIES_MAX) throw new Error(`${from} changes whenever it is copied.`);
    }
    target.flush();
  } finally {
    target.close();
  }
}

/** @param {Uint8Array} one @param {Uint8Array} other */
export function areEqual(one, other) {
  if (one.length !== other.length) return false;
  for (let index = 0; index < one.length; index++) if (one[index] !== other[index]) return false;
  return true;
}

/** Pages are not told. @returns {number | undefined} */
export const residentBytes = () => undefined;
