/** The store under test, as users get it: opening, filling and checking, none of which is ever timed here. */
import { firstByteFor, valueFor, VALUE_SIZE } from '../harness/data.mjs';
import { mustBe } from '../harness/measure.mjs';
import { areEqual, removeFile } from '../harness/platform.mjs';
import { ConflictError, open } from './build.mjs';

export { ConflictError, open };

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
  if (store.name !== ':memory:') await removeFile(store.name);
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

/**
 * How often a store has flushed so far; 0 for one in memory.
 * @param {any} store
 * @returns {number}
 */
export function flushCount(store) {
  return store.stats().file?.flushes ?? 0;
}

/**
 * Checks that what was awaited, or whose turn is over, is where its durability promises: handed over under `buffered`, and under `strict` flushed, once for each
 * write that was awaited alone. A row named strict that ran otherwise would be fast and wrong.
 * @param {any} store
 * @param {string} durability
 * @param {number} flushesBefore
 * @param {number} flushesLeast
 */
export function checkDurable(store, durability, flushesBefore, flushesLeast) {
  if (durability === 'memory') return;
  mustBe('the durability of the store', store.stats().durability, durability);
  mustBe('bytes that the operating system has not', store.stats().log.pendingBytes, 0);
  if (durability === 'strict') mustBe('that each write was flushed', flushCount(store) - flushesBefore >= flushesLeast, true);
}

/**
 * Checks that every key that was put has the bytes that were put.
 * @param {any} store
 * @param {string[]} keys
 * @param {Uint8Array} value
 */
export function checkPut(store, keys, value) {
  for (const key of keys) mustBe('a value that was put', areEqual(store.get(key), value), true);
}

/**
 * A transaction and a snapshot that are over, to be kept while a store is measured. The collection before every sample forgets the shapes of objects of which none is alive, and throws away the
 * code that was compiled for them: the first thousands of transactions of each sample would be compiling.
 * @param {any} store
 * @returns {unknown}
 */
export function keepShapes(store) {
  const transaction = store.begin();
  transaction.abort();
  const snapshot = store.snapshot();
  snapshot.close();
  return [transaction, snapshot];
}
