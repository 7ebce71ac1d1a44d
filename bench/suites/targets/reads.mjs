/** The aims of lookups. */
import { createKeys, createRandom, keyFor, uniformOrder, VALUE_SIZE } from '../../harness/data.mjs';
import { asMillions, atLeast, millions, share } from '../../harness/figures.mjs';
import { interleave, mustBe } from '../../harness/measure.mjs';
import { filledMap, readMap } from '../../subjects/map.mjs';
import { discard, fill, openNew } from '../../subjects/varve.mjs';
import { readStore, sumOf } from '../kv/loops.mjs';

/** @typedef {import('../../harness/context.mjs').Context} Context */

/** @param {Map<string, Uint8Array>} map @param {string[]} keys @param {Uint32Array} order */
function measureMapLengths(map, keys, order) {
  let sum = 0;
  for (let index = 0; index < order.length; index++) sum += map.get(keys[order[index]])?.length ?? 0;
  return sum;
}

/** @param {any} store @param {string[]} keys @param {Uint32Array} order */
function measureLengths(store, keys, order) {
  let sum = 0;
  for (let index = 0; index < order.length; index++) sum += store.get(keys[order[index]]).length;
  return sum;
}

/** @param {any} store @param {string[]} keys @param {Uint32Array} order @param {Uint8Array} target */
function readInto(store, keys, order, target) {
  let sum = 0;
  for (let index = 0; index < order.length; index++) {
    mustBeFull(store.getInto(keys[order[index]], target));
    sum += target[0];
  }
  return sum;
}

/** @param {number} size */
function mustBeFull(size) {
  if (size !== VALUE_SIZE) throw new Error(`getInto returned ${size}`);
}

/** @param {Context} context */
export async function reads(context) {
  const keys = createKeys(context.keys(100_000));
  const store = await openNew(context, 'memory');
  fill(store, keys);
  const map = filledMap(keys);
  const operations = context.operations(100_000);
  const order = uniformOrder(operations, keys.length, createRandom(context.seed));
  const missing = keys.map((_, index) => keyFor('none:', index));
  const hot = new Uint32Array(operations).fill(keys.length >> 1);
  const target = new Uint8Array(VALUE_SIZE);
  const work = (/** @type {number} */ expected, /** @type {() => number} */ run) => ({ operations, run, after: (/** @type {number} */ computed) => mustBe('the fold', computed, expected) });
  const rates = await interleave({
    map: work(sumOf(order), () => readMap(map, keys, order)),
    get: work(sumOf(order), () => readStore(store, keys, order)),
    mapLength: work(operations * VALUE_SIZE, () => measureMapLengths(map, keys, order)),
    getLength: work(operations * VALUE_SIZE, () => measureLengths(store, keys, order)),
    getInto: work(sumOf(order), () => readInto(store, keys, order, target)),
    mapMiss: work(operations * 256, () => readMap(map, missing, order)),
    miss: work(operations * 256, () => readStore(store, missing, order)),
    hot: work(sumOf(hot), () => readStore(store, keys, hot)),
  }, context.options);
  await discard(store);
  return [
    atLeast(`get, uniform over ${keys.length.toLocaleString('en')} string keys, of Map.get`, '%', share(rates.get, rates.map), 60,
      `${asMillions(millions(rates.get))}, Map ${asMillions(millions(rates.map))}; one byte of each value is read. Only its length: ${share(rates.getLength, rates.mapLength).toFixed(0)} % of ${asMillions(millions(rates.mapLength))}`),
    atLeast('get of a hot key', 'M/s', millions(rates.hot), 8),
    atLeast('get of a missing key, of Map.get', '%', share(rates.miss, rates.mapMiss), 100, `${asMillions(millions(rates.miss))}, Map ${asMillions(millions(rates.mapMiss))}`),
    atLeast('getInto, uniform, of Map.get (no aim of its own: that of get)', '%', share(rates.getInto, rates.map), 60, asMillions(millions(rates.getInto))),
  ];
}
