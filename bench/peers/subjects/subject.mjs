/**
 * What a store offers to the contest, in its own fastest documented way. A method that a store does not have is missing, and so is its row. What returns a promise is awaited, what does not is not.
 *
 * `durability` is `memory`, `buffered` (an acknowledged write is with the operating system: it survives the death of the process) or `strict` (it is flushed: it survives the loss of power).
 *
 * @typedef {object} Handle
 * @property {(key: string) => Uint8Array | undefined} get bytes that stay as they are when the store is written to
 * @property {(key: string) => Uint8Array} [getQuick] bytes that are valid until the next call
 * @property {() => { get(key: string): Uint8Array, close(): unknown }} [snapshot]
 * @property {(key: string, value: Uint8Array) => unknown} put
 * @property {(keys: string[], value: Uint8Array) => unknown} [putTogether] so many writes in flight at once
 * @property {(key: string) => unknown} remove
 * @property {(keys: string[], values: Uint8Array[]) => unknown} [batch] all or nothing
 * @property {(key: string, change: (value: Uint8Array) => Uint8Array) => unknown} [update] reads and writes in one transaction
 * @property {(keys: string[], change: (value: Uint8Array) => Uint8Array) => unknown} [updateTogether] so many such transactions in flight at once
 * @property {(key: string) => number} [version]
 * @property {(key: string, version: number, value: Uint8Array) => boolean | Promise<boolean>} [cas]
 * @property {(from: string, limit: number) => number | Promise<number>} [fold] reads entries in order, and adds up the first byte of each value and the length of each key beyond 16
 * @property {() => number} [memoryBytes] what the store says it takes
 * @property {() => unknown} [flush]
 * @property {() => unknown} close
 *
 * @typedef {object} Options
 * @property {number} [valueSize] of most values, in bytes
 * @property {boolean} [isVersioned] whether `version` and `cas` are used
 *
 * @typedef {object} Subject
 * @property {string} version
 * @property {string} how what it is configured to, in a few words
 * @property {string[]} durabilities
 * @property {(path: string, durability: string, options?: Options) => Promise<Handle>} open
 */

/** Where each subject is, and what it runs in. */
export const SUBJECTS = {
  varve: { module: './varve.mjs', runtime: 'node' },
  'varve, blocking': { module: './varve-blocking.mjs', runtime: 'node' },
  Map: { module: './map.mjs', runtime: 'node' },
  lmdb: { module: './lmdb.mjs', runtime: 'node' },
  rocksdb: { module: './rocksdb.mjs', runtime: 'node' },
  'classic-level': { module: './level.mjs', runtime: 'node' },
  'better-sqlite3': { module: './better-sqlite3.mjs', runtime: 'node' },
  'node:sqlite': { module: './node-sqlite.mjs', runtime: 'Node 24' },
  'bun:sqlite': { module: './bun-sqlite.mjs', runtime: 'Bun' },
  floor: { module: './floor.mjs', runtime: 'node' },
};

/** @typedef {keyof typeof SUBJECTS} SubjectName */

/** @param {SubjectName} name @returns {Promise<Subject>} */
export async function loadSubject(name) {
  return (await import(new URL(SUBJECTS[name].module, import.meta.url).href)).subject;
}
