/** Reading: lookups over 100,000 keys with values of 100 bytes, in a store whose writes are with the operating system, and scans of them. */
import { createKeys, createRandom, firstByteFor, keyFor, uniformOrder, VALUE_SIZE } from '../../harness/data.mjs';
import { mustBe } from '../../harness/measure.mjs';
import { fill, openNew } from './store.mjs';

/** @typedef {import('./store.mjs').Handle} Handle */
/** @typedef {import('../../contest/contestant.mjs').Prepared} Prepared */

const MISSING = 256;
const SCANNED = 100;

/** @param {{ get(key: string): Uint8Array | undefined }} from @param {string[]} keys @param {Uint32Array} order */
function readEach(from, keys, order) {
  let sum = 0;
  for (let index = 0; index < order.length; index++) sum += from.get(keys[order[index]])?.[0] ?? MISSING;
  return sum;
}

/** @param {Handle} handle @param {string[]} keys @param {Uint32Array} order */
function readEachQuick(handle, keys, order) {
  let sum = 0;
  for (let index = 0; index < order.length; index++) sum += /** @type {NonNullable<Handle['getQuick']>} */ (handle.getQuick)(keys[order[index]])[0];
  return sum;
}

/** @param {Iterable<number>} order */
function sumOf(order) {
  let sum = 0;
  for (const number of order) sum += firstByteFor(number);
  return sum;
}

/** @param {import('./store.mjs').Context} context @param {import('./store.mjs').Subject} subject @returns {Promise<Prepared>} */
export async function reads(context, subject) {
  const keys = createKeys(context.keys(100_000));
  const { handle, discard } = await openNew(context, subject, 'buffered');
  await fill(handle, keys);
  const operations = context.operations(100_000);
  const random = createRandom(context.seed);
  const order = uniformOrder(operations, keys.length, random);
  const hot = new Uint32Array(operations).fill(keys.length >> 1);
  const missing = keys.map((_, index) => keyFor('none:', index));
  const starts = uniformOrder(context.operations(2_000), Math.max(1, keys.length - SCANNED), random);
  const length = Math.min(SCANNED, keys.length);
  /** @type {Prepared['works']} */
  const works = {};
  /** @type {Prepared['labels']} */
  const labels = {};
  const add = (/** @type {string} */ name, /** @type {string} */ what, /** @type {number} */ count, /** @type {number} */ expected, /** @type {() => number | Promise<number>} */ run) => {
    works[name] = { operations: count, run, after: (computed) => mustBe(`the fold of ${name}`, computed, expected) };
    labels[name] = { what, keys: keys.length, valueSize: VALUE_SIZE, durability: 'buffered' };
  };
  add('get/uniform', 'a lookup, uniform over all keys', operations, sumOf(order), () => readEach(handle, keys, order));
  add('get/hot', 'a lookup of one key', operations, sumOf(hot), () => readEach(handle, keys, hot));
  if (handle.getQuick !== undefined) add('get/into a buffer', 'a lookup into a buffer that is used again, uniform', operations, sumOf(order), () => readEachQuick(handle, keys, order));
  add('get/missing', 'a lookup of a key that is not there', operations, operations * MISSING, () => readEach(handle, missing, order));
  if (handle.snapshot !== undefined) {
    const { snapshot } = handle;
    add('get/snapshot', 'a lookup in a snapshot, uniform', operations, sumOf(order), () => {
      const view = snapshot.call(handle);
      const sum = readEach(view, keys, order);
      view.close();
      return sum;
    });
  }
  if (handle.fold !== undefined) {
    const fold = handle.fold.bind(handle);
    let expected = 0;
    for (const start of starts) for (let number = start; number < start + length; number++) expected += firstByteFor(number);
    add('scan/100', `a scan of ${SCANNED} entries from a uniform place on`, starts.length, expected, async () => {
      let sum = 0;
      for (const start of starts) {
        const found = fold(keys[start], length);
        sum += typeof found === 'number' ? found : await found;
      }
      return sum;
    });
    add('scan/all', 'an entry of a scan of everything', keys.length, sumOf(keys.keys()), () => fold(keys[0], Infinity));
  }
  return { works, labels, dispose: discard };
}
