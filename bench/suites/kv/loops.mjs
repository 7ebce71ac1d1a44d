/** The loops that are timed: each does its calls and folds what they return. */
import { firstByteFor } from '../../harness/data.mjs';

export const MISSING = 256;

/**
 * Looks keys up and folds one byte of each value.
 * @param {any} store
 * @param {string[]} keys
 * @param {Uint32Array} order
 */
export function readStore(store, keys, order) {
  let sum = 0;
  for (let index = 0; index < order.length; index++) sum += store.get(keys[order[index]])?.[0] ?? MISSING;
  return sum;
}

/**
 * What one byte of each value adds up to.
 * @param {Uint32Array} order
 */
export function sumOf(order) {
  let sum = 0;
  for (const number of order) sum += firstByteFor(number);
  return sum;
}

/**
 * Puts one after the other; the versions are the result.
 * @param {any} store
 * @param {string[]} keys
 * @param {Uint8Array} value
 */
export function putsSync(store, keys, value) {
  let sum = 0;
  for (let index = 0; index < keys.length; index++) sum += store.putSync(keys[index], value);
  return sum;
}

/**
 * As `putsSync`, each awaited before the next.
 * @param {any} store
 * @param {string[]} keys
 * @param {Uint8Array} value
 */
export async function putsAwaited(store, keys, value) {
  let sum = 0;
  for (let index = 0; index < keys.length; index++) sum += await store.put(keys[index], value);
  return sum;
}

/** @param {any} store @param {string[]} keys */
export function deletesSync(store, keys) {
  let sum = 0;
  for (let index = 0; index < keys.length; index++) sum += store.deleteSync(keys[index]);
  return sum;
}

/** @param {any} store @param {string[]} keys */
export async function deletesAwaited(store, keys) {
  let sum = 0;
  for (let index = 0; index < keys.length; index++) sum += await store.delete(keys[index]);
  return sum;
}

/** A `Map` that keeps a copy of its own, as a store does. @param {Map<string, Uint8Array>} map @param {string[]} keys @param {Uint8Array} value */
export function mapPuts(map, keys, value) {
  for (let index = 0; index < keys.length; index++) map.set(keys[index], value.slice());
  return keys.length;
}

/** @param {Map<string, Uint8Array>} map @param {string[]} keys */
export function mapDeletes(map, keys) {
  let count = 0;
  for (let index = 0; index < keys.length; index++) if (map.delete(keys[index])) count++;
  return count;
}

/** What `count` commits after `version` add up to. @param {number} version @param {number} count */
export function sumOfVersions(version, count) {
  return count * version + (count * (count + 1)) / 2;
}

/** How a put is called, and how many times a sample, under each durability. */
export const PUTS = {
  memory: { what: 'putSync', operations: 20_000, puts: putsSync },
  buffered: { what: 'await put', operations: 10_000, puts: putsAwaited },
  strict: { what: 'await put', operations: 200, puts: putsAwaited },
};

/** @typedef {keyof typeof PUTS} Mode */
