/** The rows on ordered reads: scan/full, scan/reverse, scan/prefix_100, over 100,000 keys with their values. Beside them stands a plain sorted array of as many. */
import { createKeys, createRandom, firstByteFor, keyFor, valueFor, VALUE_SIZE } from '../harness/data.mjs';
import { mustBe } from '../harness/measure.mjs';
import { discard, openNew } from '../subjects/varve.mjs';

/** @typedef {import('../harness/context.mjs').Context} Context */
/** @typedef {import('../harness/measure.mjs').Row} Row */

/** Keys of one prefix. */
export const PREFIX_COUNT = 100;

/** The numbers from 0 on, shuffled (Fisher, Yates). @param {number} count @param {{ below(limit: number): number }} random */
export function shuffled(count, random) {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let index = count - 1; index > 0; index--) {
    const other = random.below(index + 1);
    [order[index], order[other]] = [order[other], order[index]];
  }
  return order;
}

/** Puts keys in an order that is none. @param {any} store @param {string[]} keys @param {{ below(limit: number): number }} random */
export function fillShuffled(store, keys, random) {
  const order = shuffled(keys.length, random);
  for (let start = 0; start < order.length; start += 1000) {
    store.batchSync(Array.from(order.subarray(start, start + 1000), (number) => ({ type: 'put', key: keys[number], value: valueFor(number) })));
  }
}

/** The first bytes of all values, by the numbers of their keys. @param {number} from @param {number} to */
export function sumOfFirstBytes(from, to) {
  let sum = 0;
  for (let number = from; number < to; number++) sum += firstByteFor(number);
  return sum;
}

/** Reads a range to its end. @param {Iterable<{ key: string, value: Uint8Array }>} entries */
export function readEntries(entries) {
  let sum = 0;
  for (const { key, value } of entries) sum += value[0] + key.length - 16;
  return sum;
}

/** The prefix that the keys of one group share. @param {number} group */
export const prefixOf = (group) => keyFor('user:', group * PREFIX_COUNT).slice(0, -2);

/** @param {Context} context */
async function scanRows(context) {
  const keys = createKeys(context.keys(100_000));
  const store = await openNew(context, 'memory');
  fillShuffled(store, keys, createRandom(context.seed));
  const array = keys.map((key, number) => ({ key, value: valueFor(number) }));
  const all = sumOfFirstBytes(0, keys.length);
  const groups = Math.floor(keys.length / PREFIX_COUNT);
  const random = createRandom(context.seed + 1);
  const asked = Uint32Array.from({ length: context.operations(2_000) }, () => random.below(groups));
  const expected = asked.reduce((sum, group) => sum + sumOfFirstBytes(group * PREFIX_COUNT, (group + 1) * PREFIX_COUNT), 0);
  mustBe('the first scan', [...store.keys({ limit: 1 })][0], keys[0]);
  const work = (/** @type {number} */ operations, /** @type {() => number} */ run, /** @type {number} */ result) => ({ operations, run, after: (/** @type {number} */ computed) => mustBe('the fold', computed, result) });
  const prefixes = () => {
    let sum = 0;
    for (const group of asked) sum += readEntries(store.scan({ prefix: prefixOf(group) }));
    return sum;
  };
  const slices = () => {
    let sum = 0;
    for (const group of asked) sum += readEntries(array.slice(group * PREFIX_COUNT, (group + 1) * PREFIX_COUNT));
    return sum;
  };
  const base = { keys: keys.length, valueSize: VALUE_SIZE, durability: 'memory' };
  const beside = { array: work(keys.length, () => readEntries(array), all) };
  /** @type {Row[]} */
  const rows = [
    { ...base, name: 'scan/full', what: 'an entry of scan', work: work(keys.length, () => readEntries(store.scan()), all), beside },
    { ...base, name: 'scan/reverse', what: 'an entry of scan', work: work(keys.length, () => readEntries(store.scan({ reverse: true })), all), beside },
    { ...base, name: 'scan/prefix_100', what: 'scan of a prefix', work: work(asked.length, prefixes, expected), beside: { 'slice of an array': work(asked.length, slices, expected) } },
  ];
  return { rows, dispose: () => discard(store) };
}

export const jobs = { scan: scanRows };
