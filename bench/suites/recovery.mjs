/**
 * The rows on opening a store: wal_replay. What is opened is the copy of a file whose store was still open, as a crash leaves it, in the page cache. After
 * every sample all keys are read back with their values and versions: a replay that loses something is not fast, it is wrong.
 */
import { readingBeside } from '../floors/beside.mjs';
import { createKeys, valueFor, VALUE_SIZE } from '../harness/data.mjs';
import { mustBe } from '../harness/measure.mjs';
import { copyFlushed, removeFile } from '../harness/platform.mjs';
import { checkAll, discard, open, openNew } from '../subjects/varve.mjs';

/** @typedef {import('../harness/context.mjs').Context} Context */
/** @typedef {import('../harness/measure.mjs').Row} Row */

/**
 * What is in the store: keys in the order in which they were made, and what each has in the end.
 * @typedef {object} History
 * @property {string[]} keys
 * @property {(index: number) => { number: number, version: number } | undefined} expected
 * @property {number} records that were written
 * @property {boolean} [isShrinking] whether segments can have been given back since, because nothing in them is live: how many records are left then depends on when they were flushed
 */

/** @param {any} store @param {number} count @returns {History} */
function inserts(store, count, keys = createKeys(count)) {
  keys.forEach((key, index) => store.putSync(key, valueFor(index)));
  return { keys, expected: (index) => ({ number: index, version: index + 1 }), records: count };
}

/** Inserts, then deletes of the first keys. @param {number} deletedShare */
function insertsAndDeletes(deletedShare) {
  return (/** @type {any} */ store, /** @type {number} */ count, known = createKeys(count)) => {
    const { keys, expected } = inserts(store, count, known);
    const deleted = Math.floor(count * deletedShare);
    for (let index = 0; index < deleted; index++) store.deleteSync(keys[index]);
    return { keys, expected: (/** @type {number} */ index) => (index < deleted ? undefined : expected(index)), records: count + deleted, isShrinking: true };
  };
}

/** As many rounds over the keys as there are keys. @param {any} store @param {number} count @returns {History} */
function overwrites(store, count, keys = createKeys(count)) {
  for (let round = 0; round < count; round++) keys.forEach((key, index) => store.putSync(key, valueFor(index + round)));
  return { keys, expected: (index) => ({ number: index + count - 1, version: (count - 1) * count + index + 1 }), records: count * count, isShrinking: true };
}

/** How many records a recovery of the file replays. @param {Context} context @param {string} image */
async function recordsOf(context, image) {
  const path = context.path();
  await copyFlushed(image, path);
  const store = await open(path, { durability: 'buffered' });
  const { records } = store.recovery;
  await discard(store);
  return records;
}

/**
 * @param {string} name
 * @param {(store: any, count: number, keys?: string[]) => History} build
 * @param {number} wanted
 * @param {(records: number) => Row['threshold']} threshold
 * @param {number} [roundsMax]
 */
function replayJob(name, build, wanted, threshold, roundsMax) {
  return async (/** @type {Context} */ context) => {
    const original = await openNew(context, 'buffered');
    const history = build(original, context.keys(wanted));
    await original.flush();
    const image = context.path('image');
    await copyFlushed(original.name, image);
    await discard(original);
    // An image of the index, which a store has from some size on, knows the others.
    const replayed = await recordsOf(context, image);
    const records = history.isShrinking ? replayed : history.records;
    const last = history.keys.length - 1;
    /** @type {Map<string, Uint8Array>} */
    let map = new Map();
    const mapAsStore = {
      putSync: (/** @type {string} */ key, /** @type {Uint8Array} */ value) => map.set(key, value),
      deleteSync: (/** @type {string} */ key) => map.delete(key),
    };
    let path = '';
    /** @type {any} */
    let store;
    /** @type {Record<string, number>} */
    const figures = {};
    /** @type {Row} */
    const row = {
      name: `wal_replay/${name}`, what: 'open, first get', keys: history.keys.length, valueSize: VALUE_SIZE, durability: 'buffered',
      threshold: threshold(records), figures,
      work: {
        operations: records,
        before: async () => {
          path = context.path();
          await copyFlushed(image, path);
        },
        run: async () => {
          store = await open(path, { durability: 'buffered' });
          return store.get(history.keys[last])?.length ?? 0;
        },
        after: async (computed) => {
          mustBe('the size of the last value', computed, history.expected(last) === undefined ? 0 : VALUE_SIZE);
          mustBe('records replayed', store.recovery.records, replayed);
          mustBe('a store that was not closed', store.recovery.clean, false);
          checkAll(store, history.keys, history.expected);
          Object.assign(figures, { frames: store.recovery.frames, replayed });
          await discard(store);
        },
      },
      beside: {
        ...readingBeside(image, records),
        'the same writes to a Map': {
          operations: history.records,
          before: () => { map = new Map(); },
          run: () => build(mapAsStore, history.keys.length, history.keys).records,
          after: (computed) => {
            mustBe('writes to the Map', computed, history.records);
            mustBe('keys of the Map', map.size, history.keys.filter((_, index) => history.expected(index) !== undefined).length);
          },
        },
      },
    };
    if (roundsMax !== undefined) row.roundsMax = roundsMax;
    return { rows: [row], dispose: () => removeFile(image) };
  };
}

/** So many milliseconds for all of it, as operations a second. @param {number} ok @param {number} stretch */
const within = (ok, stretch) => (/** @type {number} */ records) => ({ ok: (records * 1000) / ok, stretch: (records * 1000) / stretch });

/** Each job runs in a process of its own. @type {Record<string, import('../harness/jobs.mjs').Job>} */
export const jobs = {
  'wal_replay/replay_ops/1000': replayJob('replay_ops/1000', inserts, 1_000, () => ({})),
  'wal_replay/replay_ops/10000': replayJob('replay_ops/10000', inserts, 10_000, () => ({})),
  'wal_replay/replay_ops/50000': replayJob('replay_ops/50000', inserts, 50_000, within(2000, 500)),
  'wal_replay/replay_ops/1M': replayJob('replay_ops/1M', inserts, 1_000_000, (records) => ({ stretch: (records * 1000) / 300 }), 4),
  'wal_replay/replay_mixed_workload': replayJob('replay_mixed_workload', insertsAndDeletes(0.1), 10_000, within(2000, 500)),
  'wal_replay/overwrite_heavy': replayJob('overwrite_heavy', overwrites, 100, within(2000, 500)),
  'wal_replay/delete_heavy': replayJob('delete_heavy', insertsAndDeletes(0.8), 10_000, within(2000, 500)),
};
