/** The rows kv_get, and memory_overhead, which reads too. */
import { createKeys, createRandom, KEY_SIZE, keyFor, uniformOrder, VALUE_SIZE } from '../../harness/data.mjs';
import { collectGarbage } from '../../harness/garbage.mjs';
import { mustBe } from '../../harness/measure.mjs';
import { residentBytes } from '../../harness/platform.mjs';
import { filledMap, readMap } from '../../subjects/map.mjs';
import { discard, fill, openNew } from '../../subjects/varve.mjs';
import { MISSING, readStore, sumOf } from './loops.mjs';

/** @typedef {import('../../harness/context.mjs').Context} Context */
/** @typedef {import('../../harness/measure.mjs').Row} Row */

const LOOKUPS = 50_000;
const SCALES = { '1K': 1_000, '10K': 10_000, '100K': 100_000, '1M': 1_000_000 };
const MICROSECOND = 1_000_000;
const RESIDENT_KEYS_MIN = 100_000;

/** A store in memory with its keys, and the `Map` of the same. @param {Context} context @param {number} wanted */
async function openFilled(context, wanted) {
  const keys = createKeys(context.keys(wanted));
  const store = await openNew(context, 'memory');
  fill(store, keys);
  return { keys, store, map: filledMap(keys) };
}

/**
 * A row of lookups beside the same of a `Map`.
 * @param {string} name
 * @param {Awaited<ReturnType<typeof openFilled>>} filled
 * @param {string[]} asked
 * @param {Uint32Array} order
 * @param {number} expected
 * @param {NonNullable<Row['threshold']>} threshold
 * @returns {Row}
 */
function lookupRow(name, { keys, store, map }, asked, order, expected, threshold) {
  const after = (/** @type {number} */ computed) => mustBe(name, computed, expected);
  return {
    name, what: 'get', keys: keys.length, valueSize: VALUE_SIZE, durability: 'memory', threshold,
    work: { operations: order.length, run: () => readStore(store, asked, order), after },
    beside: { Map: { operations: order.length, run: () => readMap(map, asked, order), after } },
  };
}

/** @param {Context} context */
export async function getRows(context) {
  const filled = await openFilled(context, 10_000);
  const { keys, store } = filled;
  const random = createRandom(context.seed);
  const count = context.operations(LOOKUPS);
  const at = (/** @type {number} */ share) => new Uint32Array(count).fill(Math.floor(share * keys.length));
  const found = (/** @type {string} */ name, /** @type {Uint32Array} */ order, /** @type {number} */ ok, /** @type {number} */ stretch) =>
    lookupRow(name, filled, keys, order, sumOf(order), { ok, stretch });
  const rows = [
    found('kv_get/existing_key', at(0.5), 10_000, 50_000),
    lookupRow('kv_get/nonexistent_key', filled, [keyFor('none:', 0)], new Uint32Array(count), count * MISSING, { ok: 10_000, stretch: 50_000 }),
    found('kv_get/position/early', at(0.01), 10_000, 50_000),
    found('kv_get/position/middle', at(0.5), 10_000, 50_000),
    found('kv_get/position/late', at(0.99), 10_000, 50_000),
    found('kv_get/uniform', uniformOrder(count, keys.length, random), 50_000, 200_000),
    found('kv_get/working_set_100', uniformOrder(count, Math.min(100, keys.length), random), 100_000, 500_000),
  ];
  return { rows, dispose: () => discard(store) };
}

/** Lookups over all keys of a store of one size. @param {'10K' | '100K' | '1M'} scale @param {number} ok @param {number} stretch microseconds */
export function scalingJob(scale, ok, stretch) {
  return async (/** @type {Context} */ context) => {
    const filled = await openFilled(context, SCALES[scale]);
    const order = uniformOrder(context.operations(LOOKUPS), filled.keys.length, createRandom(context.seed));
    const threshold = { ok: MICROSECOND / ok, stretch: MICROSECOND / stretch };
    return { rows: [lookupRow(`kv_get/key_scaling/${scale}`, filled, filled.keys, order, sumOf(order), threshold)], dispose: () => discard(filled.store) };
  };
}

/** Bytes of memory that the process has, when all garbage is collected; undefined where nobody knows. */
function residentSize() {
  // The memory of a store that was closed goes back with the second collection.
  for (let count = 0; count < 3; count++) collectGarbage();
  return residentBytes();
}

/** @param {keyof typeof SCALES} scale */
export function overheadJob(scale) {
  return async (/** @type {Context} */ context) => {
    // Before anything is weighed, the code that fills is compiled, and what that left behind is collected.
    const practice = await openFilled(context, SCALES['1K']);
    await discard(practice.store);
    const keys = createKeys(context.keys(SCALES[scale]));
    const bare = residentSize();
    const store = await openNew(context, 'memory');
    fill(store, keys);
    const withStore = residentSize();
    const map = filledMap(keys);
    const withMap = residentSize();
    const filled = { keys, store, map };
    const order = new Uint32Array(context.operations(LOOKUPS)).fill(keys.length >> 1);
    const row = lookupRow(`memory_overhead/get_at_scale/${scale}`, filled, keys, order, sumOf(order), {});
    const memory = store.stats().memory.bytes / keys.length;
    row.figures = { 'memory bytes a key': memory, 'beyond key and value': memory - KEY_SIZE - VALUE_SIZE };
    // What a process has resident moves by a megabyte for no reason: of a small store it says nothing.
    if (keys.length >= RESIDENT_KEYS_MIN && bare !== undefined) Object.assign(row.figures, { 'resident bytes a key': (withStore - bare) / keys.length, 'resident bytes a key of Map, which shares the key strings': (withMap - withStore) / keys.length });
    return { rows: [row], dispose: () => discard(store) };
  };
}
