/**
 * The aims of transactions, cas and snapshots, as `targets` measures its own: files that are `buffered`, keys of 16 characters and values of 100 bytes, unless a
 * figure says otherwise. A loop of synchronous writes ends with its turn, when the bytes reach the operating system.
 */
import { createKeys, createRandom, freshKeys, uniformOrder, valueFor, VALUE_SIZE } from '../../harness/data.mjs';
import { asMillions, asRate, atLeast, atMost, millions, share } from '../../harness/figures.mjs';
import { interleave, mustBe } from '../../harness/measure.mjs';
import { median } from '../../harness/statistics.mjs';
import { checkPut, discard, fill, flushCount, keepShapes, openNew } from '../../subjects/varve.mjs';
import { readStore, sumOf } from '../kv/loops.mjs';
import { casLostScenario, casScenario } from '../transactions/cas.mjs';
import { transactionsSync, workOn } from '../transactions/scenario.mjs';
import { openVersioned, readingOf, versionedKeys } from '../transactions/versions.mjs';
import { incrementsScenario, putIn, putsOf, putsScenario, readsScenario } from '../transactions/writes.mjs';

/** @typedef {import('../../harness/context.mjs').Context} Context */
/** @typedef {import('../../harness/figures.mjs').Figure} Figure */

/** @param {Context} context */
const fewer = ({ options }) => ({ ...options, rounds: Math.min(9, options.rounds), warmups: Math.min(2, options.warmups) });

/** @type {import('../transactions/scenario.mjs').Loop} */
async function transactionsOneTurn(store, count, body) {
  const sum = transactionsSync(store, count, body);
  await undefined;
  return sum;
}

/** @type {import('../transactions/scenario.mjs').Loop} */
async function bareOneTurn(store, count, body) {
  let sum = 0;
  for (let index = 0; index < count; index++) sum += body(store, index);
  await undefined;
  return sum;
}

/** @param {any} store @param {string[]} asked @param {number} index @param {Uint8Array} value */
const putOne = (store, asked, index, value) => store.putSync(asked[index], value);

/** @param {Context} context */
async function transactions(context) {
  const keys = createKeys(context.keys(100_000));
  const thousands = createKeys(context.keys(10_000));
  const random = createRandom(context.seed);
  const many = context.operations(100_000);
  const few = context.operations(5_000);
  const increments = (/** @type {string[]} */ among) => workOn(context, 'buffered', many, incrementsScenario(among, transactionsOneTurn, putIn, random));
  const reads = (/** @type {string[]} */ among) => workOn(context, 'buffered', few, readsScenario(among, 100, transactionsOneTurn, putIn, random));
  const rates = await interleave({
    put: workOn(context, 'buffered', many, putsScenario(keys, 1, bareOneTurn, putOne, undefined, true)),
    transact: workOn(context, 'buffered', many, putsScenario(keys, 1, transactionsOneTurn, putsOf(1))),
    increments: increments(thousands),
    incrementsAmongMany: increments(keys),
    reads: reads(thousands),
    readsAmongMany: reads(keys),
    bareReads: workOn(context, 'buffered', few, readsScenario(thousands, 100, bareOneTurn, (store, key, value) => store.putSync(key, value), random)),
  }, fewer(context));
  const among = (/** @type {string[]} */ { length }) => `uniform over ${length.toLocaleString('en')} keys`;
  return [
    atLeast('buffered transactSync with one put, of putSync', '%', share(rates.transact, rates.put), 60, `${asMillions(millions(rates.transact))}, putSync ${asMillions(millions(rates.put))}; new keys beside ${keys.length.toLocaleString('en')}`),
    atLeast('buffered transactSync, get and put', 'K/s', median(rates.increments) / 1000, 800, `${among(thousands)}; ${among(keys)}: ${asRate(median(rates.incrementsAmongMany))}`),
    atLeast('buffered transactSync, 100 get and one put', 'K/s', median(rates.reads) / 1000, 30,
      `${among(thousands)}, ${share(rates.reads, rates.bareReads).toFixed(0)} % of the same without a transaction: ${asRate(median(rates.bareReads))}; ${among(keys)}: ${asRate(median(rates.readsAmongMany))}`),
  ];
}

/** @param {Context} context */
async function cas(context) {
  const keys = createKeys(context.keys(1_000));
  const random = createRandom(context.seed);
  const many = context.operations(100_000);
  const rates = await interleave({
    success: workOn(context, 'buffered', many, casScenario(keys, random, true)),
    failure: workOn(context, 'buffered', many, casLostScenario(keys, random, true), 0),
  }, fewer(context));
  return [
    atLeast('buffered casSync that succeeds, its version read by getEntry', 'M/s', millions(rates.success), 1, `uniform over ${keys.length.toLocaleString('en')} keys`),
    atLeast('buffered casSync that fails', 'M/s', millions(rates.failure), 3, `uniform over ${keys.length.toLocaleString('en')} keys`),
  ];
}

/** Takes snapshots and closes them; the versions are the result. @param {any} store @param {number} count */
function takeSnapshots(store, count) {
  let sum = 0;
  for (let index = 0; index < count; index++) {
    const snapshot = store.snapshot();
    sum += snapshot.version;
    snapshot.close();
  }
  return sum;
}

/** @param {any} store @param {number} operations */
function takingSnapshots(store, operations) {
  const { version } = store.stats();
  const shapes = keepShapes(store);
  return {
    operations,
    run: () => takeSnapshots(store, operations),
    after: (/** @type {number} */ computed) => {
      mustBe('that shapes were kept', shapes !== undefined, true);
      mustBe('the versions', computed, operations * version);
      mustBe('snapshots that are still open', store.stats().snapshots.open, 0);
    },
  };
}

/** @param {Context} context */
async function snapshotReads(context) {
  const keys = createKeys(context.keys(100_000));
  const store = await openNew(context, 'buffered');
  fill(store, keys);
  const quiet = store.snapshot();
  const other = await openNew(context, 'buffered');
  fill(other, keys);
  const overtaken = other.snapshot();
  // All of these bytes are different from what the snapshot must see.
  keys.forEach((key, number) => other.putSync(key, new Uint8Array(VALUE_SIZE).fill(valueFor(number)[0] ^ 1)));
  mustBe('old versions that are kept', other.stats().snapshots.oldVersions, keys.length);
  const operations = context.operations(100_000);
  const order = uniformOrder(operations, keys.length, createRandom(context.seed));
  const work = (/** @type {any} */ target) => ({ operations, run: () => readStore(target, keys, order), after: (/** @type {number} */ computed) => mustBe('the fold', computed, sumOf(order)) });
  const rates = await interleave({ get: work(store), quiet: work(quiet), overtaken: work(overtaken) }, context.options);
  for (const snapshot of [quiet, overtaken]) snapshot.close();
  for (const opened of [store, other]) await discard(opened);
  return [
    atLeast(`get in a snapshot, uniform over ${keys.length.toLocaleString('en')} keys, of get`, '%', share(rates.quiet, rates.get), 70,
      `${asMillions(millions(rates.quiet))}, get ${asMillions(millions(rates.get))}; where every key was overwritten since: ${asMillions(millions(rates.overtaken))}`),
  ];
}

/** @param {Context} context */
async function snapshotsTaken(context) {
  const operations = context.operations(100_000);
  const keys = createKeys(context.keys(1_000_000));
  const large = await openNew(context, 'buffered');
  fill(large, keys);
  const small = await openNew(context, 'buffered');
  fill(small, keys.slice(0, 1_000));
  const rates = await interleave({ large: takingSnapshots(large, operations), small: takingSnapshots(small, operations) }, context.options);
  for (const store of [large, small]) await discard(store);
  const microseconds = (/** @type {number[]} */ found) => 1e6 / median(found);
  return [
    atMost(`a snapshot taken and closed, ${keys.length.toLocaleString('en')} keys`, 'µs', microseconds(rates.large), 1, `with ${Math.min(keys.length, 1_000).toLocaleString('en')} keys ${microseconds(rates.small).toFixed(2)} µs`),
  ];
}

/** @param {Context} context */
async function versions(context) {
  const count = context.keys(10_000);
  const { store, close } = await openVersioned(context, count - 1, 'buffered');
  const { grown, single } = versionedKeys;
  const rates = await interleave({
    grown: readingOf(context, store, grown, count - 1),
    single: readingOf(context, store, single, count - 1),
  }, context.options);
  await close();
  return [
    atLeast(`get of the newest of ${count.toLocaleString('en')} versions, of get of a key with one`, '%', share(rates.grown, rates.single), 90, `${asMillions(millions(rates.grown))}, ${asMillions(millions(rates.single))}; all of them kept by snapshots`),
  ];
}

const TOGETHER = 64;

/** Transactions that each read one key and put another, so many at once. @param {any} store @param {string[]} keys @param {string[]} asked @param {Uint8Array} value */
async function transactionsTogether(store, keys, asked, value) {
  let sum = 0;
  for (let start = 0; start < asked.length; start += TOGETHER) {
    const group = asked.slice(start, start + TOGETHER);
    const found = await Promise.all(group.map((key, index) => store.transact((/** @type {any} */ tx) => {
      const read = tx.get(keys[(start + index) % keys.length])[0];
      tx.put(key, value);
      return read;
    })));
    for (const byte of found) sum += byte;
  }
  return sum;
}

/** As many sessions, each of which begins its next transaction when its last is durable. @param {any} store @param {string[]} keys @param {string[]} asked @param {Uint8Array} value */
async function transactionsConcurrently(store, keys, asked, value) {
  let sum = 0;
  const session = async (/** @type {number} */ first) => {
    for (let index = first; index < asked.length; index += TOGETHER) {
      const read = await store.transact((/** @type {any} */ tx) => {
        tx.put(asked[index], value);
        return tx.get(keys[index % keys.length])[0];
      });
      // Not `sum += await`: that would read the sum before others have added to it.
      sum += read;
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, (_, first) => session(first)));
  return sum;
}

/** @param {Context} context */
async function strictTransactions(context) {
  const keys = createKeys(context.keys(10_000));
  const operations = context.operations(TOGETHER * 100);
  const value = valueFor(1);
  /** @type {Record<string, number[]>} */
  const sharing = { together: [], concurrent: [] };
  const work = (/** @type {string} */ name, /** @type {typeof transactionsTogether} */ run) => {
    let flushes = 0;
    return workOn(context, 'strict', operations, {
      keys,
      plan: (count, store) => {
        flushes = flushCount(store);
        return freshKeys(count);
      },
      run: (store, asked) => run(store, keys, asked, value),
      check: (store, asked, computed, version) => {
        mustBe('the fold', computed, sumOf(Uint32Array.from(asked, (_, index) => index % keys.length)));
        mustBe('the version after all commits', store.stats().version, version + operations);
        checkPut(store, asked, value);
        sharing[name].push(operations / (flushCount(store) - flushes));
      },
    }, Math.ceil(operations / TOGETHER));
  };
  const rates = await interleave({ together: work('together', transactionsTogether), concurrent: work('concurrent', transactionsConcurrently) }, fewer(context));
  return [
    atLeast('64 strict transactions at once: how many one flush serves', 'of 64', median(sharing.together), TOGETHER,
      `${asRate(median(rates.together))}; of 64 sessions that each begin anew when theirs is durable, ${median(sharing.concurrent).toFixed(0)} share one: ${asRate(median(rates.concurrent))}`),
  ];
}

/** Each job runs in a process of its own. @type {Record<string, (context: Context) => Promise<Figure[]>>} */
export const transactionAims = { transactions, cas, snapshotReads, snapshotsTaken, versions, strictTransactions };
