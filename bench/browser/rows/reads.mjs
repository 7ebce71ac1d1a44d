/** Reading in a worker: lookups over 100,000 keys with values of 100 bytes, in a store whose writes are with the operating system, and a scan of them. */
import { createKeys, createRandom, firstByteFor, keyFor, uniformOrder } from '../../harness/data.mjs';
import { mustBe } from '../../harness/measure.mjs';
import { createSheet, openFilled } from './store.mjs';

const MISSING = 256;

/** @param {import('../subjects/subject.mjs').Handle} handle @param {string[]} keys @param {Uint32Array} order */
function readEach(handle, keys, order) {
  let sum = 0;
  for (let index = 0; index < order.length; index++) sum += /** @type {Uint8Array | undefined} */ (handle.get(keys[order[index]]))?.[0] ?? MISSING;
  return sum;
}

/** @param {import('../subjects/subject.mjs').Handle} handle @param {string[]} keys @param {Uint32Array} order */
async function awaitEach(handle, keys, order) {
  let sum = 0;
  for (let index = 0; index < order.length; index++) sum += (await handle.get(keys[order[index]]))?.[0] ?? MISSING;
  return sum;
}

/** @param {import('../subjects/subject.mjs').Handle} handle @param {string[]} keys @param {Uint32Array} order */
function readEachQuick(handle, keys, order) {
  let sum = 0;
  for (let index = 0; index < order.length; index++) sum += /** @type {NonNullable<typeof handle.getQuick>} */ (handle.getQuick)(keys[order[index]])[0];
  return sum;
}

/** @param {Iterable<number>} order */
function sumOf(order) {
  let sum = 0;
  for (const number of order) sum += firstByteFor(number);
  return sum;
}

/** @param {import('../../harness/sizes.mjs').Plan} plan @param {import('../subjects/subject.mjs').Subject} subject @returns {Promise<import('../../contest/commands.mjs').Prepared>} */
export async function reads(plan, subject) {
  const keys = createKeys(plan.keys(100_000));
  const { handle, discard } = await openFilled(subject, 'buffered', keys);
  const operations = plan.operations(200_000 * subject.pace);
  const order = uniformOrder(operations, keys.length, createRandom(plan.seed));
  const hot = new Uint32Array(operations).fill(keys.length >> 1);
  const missing = keys.map((_, index) => keyFor('none:', index));
  const { works, labels, add } = createSheet('buffered', keys.length);
  const read = subject.isBlocking ? readEach : awaitEach;
  const row = (/** @type {string} */ name, /** @type {string} */ what, /** @type {number} */ count, /** @type {number} */ expected, /** @type {() => number | Promise<number>} */ run) => {
    add(name, what, { operations: count, run, after: (computed) => mustBe(`the fold of ${name}`, computed, expected) });
  };
  row('get/uniform', 'a lookup, uniform over all keys', operations, sumOf(order), () => read(handle, keys, order));
  row('get/hot', 'a lookup of one key', operations, sumOf(hot), () => read(handle, keys, hot));
  row('get/missing', 'a lookup of a key that is not there', operations, operations * MISSING, () => read(handle, missing, order));
  if (handle.getQuick !== undefined) row('get/into a buffer', 'a lookup into a buffer that is used again, uniform', operations, sumOf(order), () => readEachQuick(handle, keys, order));
  row('scan/all', 'an entry of a scan of everything', keys.length, sumOf(keys.keys()), () => /** @type {NonNullable<typeof handle.fold>} */ (handle.fold)(keys[0], Infinity));
  return { works, labels, dispose: discard };
}
