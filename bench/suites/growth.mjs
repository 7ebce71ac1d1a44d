/**
 * How lookups, writes and memory go with the number of keys: growth, from 1,000 to 10,000,000. A writing sample fills an empty store, a reading one looks keys up uniformly over all; so every figure is of the size that its
 * row says.
 */
import { createKeys, createRandom, uniformOrder, valueFor, KEY_SIZE, VALUE_SIZE } from '../harness/data.mjs';
import { mustBe } from '../harness/measure.mjs';
import { filledMap, readMap } from '../subjects/map.mjs';
import { discard, fill, openNew } from '../subjects/varve.mjs';
import { putsSync, readStore, sumOf, sumOfVersions } from './kv/loops.mjs';

/** @typedef {import('../harness/context.mjs').Context} Context */
/** @typedef {import('../harness/measure.mjs').Row} Row */

const LOOKUPS = 100_000;
const SCALES = { '1K': 1_000, '10K': 10_000, '100K': 100_000, '1M': 1_000_000, '10M': 10_000_000 };
/** A Map of more takes longer to collect than everything else here. */
const MAP_KEYS_MAX = 1_000_000;
/** So many keys are written in a row's samples altogether, or two samples are taken. */
const WRITTEN_MAX = 5_000_000;

/** @param {keyof typeof SCALES} scale */
function growthJob(scale) {
  return async (/** @type {Context} */ context) => {
    const keys = createKeys(context.keys(SCALES[scale]));
    const store = await openNew(context, 'memory');
    fill(store, keys);
    const order = uniformOrder(context.operations(LOOKUPS), keys.length, createRandom(context.seed));
    const after = (/** @type {number} */ computed) => mustBe('the fold', computed, sumOf(order));
    const base = { keys: keys.length, valueSize: VALUE_SIZE, durability: 'memory', roundsMax: Math.max(2, Math.min(9, Math.floor(WRITTEN_MAX / keys.length))) };
    /** @type {Row} */
    const get = { ...base, name: `growth/get/${scale}`, what: 'get, uniform', work: { operations: order.length, run: () => readStore(store, keys, order), after } };
    if (keys.length <= MAP_KEYS_MAX) {
      const map = filledMap(keys);
      get.beside = { Map: { operations: order.length, run: () => readMap(map, keys, order), after } };
    }
    get.figures = { 'memory bytes a key beyond key and value': store.stats().memory.bytes / keys.length - KEY_SIZE - VALUE_SIZE };
    const value = valueFor(1);
    /** @type {any} */
    let fresh;
    /** @type {Row} */
    const put = {
      ...base, name: `growth/put/${scale}`, what: 'putSync of every key into an empty store',
      work: {
        operations: keys.length,
        before: async () => { fresh = await openNew(context, 'memory'); },
        run: () => putsSync(fresh, keys, value),
        after: async (computed) => {
          mustBe('the versions', computed, sumOfVersions(0, keys.length));
          mustBe('the keys', fresh.stats().keys, keys.length);
          await discard(fresh);
        },
      },
    };
    return { rows: [get, put], dispose: () => discard(store) };
  };
}

/** Each job runs in a process of its own. @type {Record<string, import('../harness/jobs.mjs').Job>} */
export const jobs = Object.fromEntries(Object.keys(SCALES).map((scale) => [`growth/${scale}`, growthJob(/** @type {keyof typeof SCALES} */ (scale))]));
