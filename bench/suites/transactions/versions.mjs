/** The rows on keys that have many versions, all of them kept by snapshots: snapshot_read/after_versions and version_growth. */
import { createKeys, createRandom, firstByteFor, keyFor, uniformOrder, VALUE_SIZE, valueFor } from '../../harness/data.mjs';
import { mustBe } from '../../harness/measure.mjs';
import { discard, fill, keepShapes, openNew } from '../../subjects/varve.mjs';
import { sumOf } from '../kv/loops.mjs';
import { checkVersion, MARK_AT, transactionsSync, UNMARKED } from './scenario.mjs';

/** @typedef {import('../../harness/context.mjs').Context} Context */
/** @typedef {import('../../harness/measure.mjs').Row} Row */
/** @typedef {import('../../harness/measure.mjs').Work} Work */

/** The key that has many versions, and one of the same size that has a single one. */
const GROWN = keyFor('many:', 0);
const SINGLE = keyFor('one:', 0);
const LOOKUPS = 50_000;
/** What is flat in the number of versions: as fast as with one, within the noise of such rows, or nearly so. */
const FLAT = { threshold: { ok: 0.8, stretch: 0.95 } };

/**
 * A store in which one key was put and then put `count` times again, with a snapshot of every version but the newest: so all of them are kept. The first byte of a value tells which it is.
 * @param {Context} context @param {number} count @param {string} durability
 */
export async function openVersioned(context, count, durability = 'memory') {
  const store = await openNew(context, durability);
  fill(store, createKeys(context.keys(1_000)));
  store.putSync(SINGLE, valueFor(count));
  const views = [];
  for (let number = 0; number <= count; number++) {
    store.putSync(GROWN, valueFor(number));
    if (number < count) views.push(store.snapshot());
  }
  mustBe('versions that are kept though they are not the newest', store.stats().snapshots.oldVersions, count);
  const shapes = keepShapes(store);
  const close = async () => {
    mustBe('that shapes were kept', shapes !== undefined, true);
    for (const view of views) view.close();
    mustBe('old versions when nobody needs them', store.stats().snapshots.oldVersions, 0);
    await discard(store);
  };
  return { store, views, close };
}

/** Reads one key over and over. @param {any} target @param {string} key @param {number} count */
function readsOf(target, key, count) {
  let sum = 0;
  for (let index = 0; index < count; index++) sum += target.get(key)[0];
  return sum;
}

/**
 * Reads of one key that always give the value of one number.
 * @param {Context} context @param {any} target @param {string} key @param {number} number @returns {Work}
 */
export function readingOf(context, target, key, number) {
  const operations = context.operations(LOOKUPS);
  return { operations, run: () => readsOf(target, key, operations), after: (computed) => mustBe('the fold', computed, operations * firstByteFor(number)) };
}

export const versionedKeys = { grown: GROWN, single: SINGLE };

/** @param {number} wanted */
export function afterVersionsJob(wanted) {
  return async (/** @type {Context} */ context) => {
    const count = context.keys(wanted);
    const { store, views, close } = await openVersioned(context, count);
    const transaction = store.begin();
    const base = { name: `snapshot_read/after_versions/${wanted}`, keys: store.stats().keys, valueSize: VALUE_SIZE, durability: 'memory' };
    const oldest = views[0];
    const beside = 'get of a key with one version';
    const flat = { scaling: beside, ...FLAT };
    // What the oldest snapshot sees of a key that was not written since is its newest version: the filled ones are such.
    const unwritten = createKeys(1)[0];
    /** @type {Row[]} */
    const rows = [
      { ...base, ...flat, what: 'get in a transaction', work: readingOf(context, transaction, GROWN, count), beside: { [beside]: readingOf(context, transaction, SINGLE, count) } },
      { ...base, ...flat, what: 'get in a snapshot taken before', work: readingOf(context, oldest, GROWN, 0), beside: { [beside]: readingOf(context, oldest, unwritten, 0) } },
    ];
    const dispose = async () => {
      transaction.abort();
      await close();
    };
    return { rows, dispose };
  };
}

/** Increments in transactions of a key with `count` versions that are kept. @param {Context} context @param {number} count @returns {Work} */
function growingWork(context, count) {
  const operations = context.operations(10_000);
  /** @type {Awaited<ReturnType<typeof openVersioned>>} */
  let versioned;
  let version = 0;
  const value = new Uint8Array(VALUE_SIZE);
  const increment = (/** @type {any} */ tx) => {
    value.set(tx.get(GROWN));
    value[MARK_AT]++;
    tx.put(GROWN, value);
    return value[0];
  };
  return {
    operations,
    before: async () => {
      versioned = await openVersioned(context, count);
      version = versioned.store.stats().version;
    },
    run: () => transactionsSync(versioned.store, operations, increment),
    after: async (computed) => {
      mustBe('the fold', computed, operations * firstByteFor(count));
      checkVersion(versioned.store, version, operations);
      mustBe('the increments', versioned.store.get(GROWN)[MARK_AT], (UNMARKED + operations) & 0xff);
      versioned.views.forEach((view, number) => mustBe('the version that a snapshot sees', view.get(GROWN)[0], firstByteFor(number)));
      await versioned.close();
    },
  };
}

/** Reads of one key, each in another of the snapshots. @param {any[]} views @param {string} key @param {Uint32Array} order */
function readsInViews(views, key, order) {
  let sum = 0;
  for (let index = 0; index < order.length; index++) sum += views[order[index]].get(key)[0];
  return sum;
}

/** @param {number} wanted */
export function growthJob(wanted) {
  return async (/** @type {Context} */ context) => {
    const count = context.keys(wanted);
    const { store, views, close } = await openVersioned(context, count);
    const base = { keys: store.stats().keys, valueSize: VALUE_SIZE, durability: 'memory' };
    const flat = { scaling: 'a key with one version', ...FLAT };
    const order = uniformOrder(context.operations(LOOKUPS), views.length, createRandom(context.seed));
    const reading = (/** @type {string} */ key, /** @type {number} */ expected) => ({
      operations: order.length, run: () => readsInViews(views, key, order), after: (/** @type {number} */ computed) => mustBe('the fold', computed, expected),
    });
    /** @type {Row[]} */
    const rows = [
      { ...base, ...flat, name: `version_growth/txn_after_versions/${wanted}`, what: 'transactSync: get, put', work: growingWork(context, count), beside: { 'a key with one version': growingWork(context, 0) } },
      { ...base, ...flat, name: `version_growth/snapshot_read_versioned/${wanted}`, what: 'get in a snapshot of each version', work: reading(GROWN, sumOf(order)),
        beside: { 'a key with one version': reading(SINGLE, order.length * firstByteFor(count)) } },
    ];
    return { rows, dispose: close };
  };
}
