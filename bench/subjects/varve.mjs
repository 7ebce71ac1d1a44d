/** The store under test, as users get it: the bundle in `dist`. Opening, filling and checking, none of which is ever timed here. */
import { rmSync } from 'node:fs';
import { firstByteFor, valueFor, VALUE_SIZE } from '../harness/data.mjs';
import { mustBe } from '../harness/measure.mjs';
import { open } from '../../dist/index.js';

const BATCH_COUNT = 1000;

/**
 * Opens an empty store. `durability` is one of the store's modes, or `memory`.
 * @param {import('../harness/context.mjs').Context} context
 * @param {string} durability
 * @param {object} [options]
 */
export async function openNew(context, durability, options = {}) {
  if (durability === 'memory') return open(':memory:', options);
  return open(context.path(), { durability, ...options });
}

/**
 * Closes a store and removes its file.
 * @param {{ name: string, close(): Promise<void> } | undefined} store
 */
export async function discard(store) {
  if (store === undefined) return;
  await store.close();
  if (store.name !== ':memory:') rmSync(store.name, { force: true });
}

/**
 * Puts a value for each key, in batches.
 * @param {any} store
 * @param {string[]} keys
 * @param {number} valueSize
 */
export function fill(store, keys, valueSize = VALUE_SIZE) {
  for (let start = 0; start < keys.length; start += BATCH_COUNT) {
    store.batchSync(keys.slice(start, start + BATCH_COUNT).map((key, index) => ({ type: 'put', key, value: valueFor(start + index, valueSize) })));
  }
}

/**
 * Checks that every key is there with its value and, where versions are given, its version, and that nothing else is.
 * @param {any} store
 * @param {string[]} keys
 * @param {(index: number) => { number: number, version?: number } | undefined} expected undefined for a key that was deleted
 * @param {number} valueSize
 */
export function checkAll(store, keys, expected, valueSize = VALUE_SIZE) {
  let count = 0;
  for (let index = 0; index < keys.length; index++) {
    const entry = store.getEntry(keys[index]);
    const wanted = expected(index);
    if (wanted === undefined) {
      mustBe(`key ${index} after recovery`, entry, undefined);
      continue;
    }
    count++;
    if (entry === undefined) throw new Error(`key ${index} is lost`);
    mustBe(`the size of value ${index}`, entry.value.length, valueSize);
    mustBe(`the first byte of value ${index}`, entry.value[0], firstByteFor(wanted.number));
    for (let at = 1; at < valueSize; at++) if (entry.value[at] !== 0x5a) throw new Error(`byte ${at} of value ${index} is ${entry.value[at]}`);
    if (wanted.version !== undefined) mustBe(`the version of key ${index}`, entry.version, wanted.version);
  }
  mustBe('the number of keys', store.stats().keys, count);
}
