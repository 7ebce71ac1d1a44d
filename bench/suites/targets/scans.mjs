/** The aims of the ordered index: what scans reach, what the first one costs, and what keeping the order costs those who write. */
import { copyFlushed } from '../../harness/copy.mjs';
import { createKeys, createRandom, keyFor, valueFor } from '../../harness/data.mjs';
import { asMillions, atLeast, atMost, millions, share } from '../../harness/figures.mjs';
import { collectGarbage } from '../../harness/garbage.mjs';
import { interleave, mustBe } from '../../harness/measure.mjs';
import { median } from '../../harness/statistics.mjs';
import { discard, open, openNew } from '../../subjects/varve.mjs';
import { fillShuffled, PREFIX_COUNT, prefixOf, readEntries, shuffled, sumOfFirstBytes } from '../scan.mjs';

/** @typedef {import('../../harness/context.mjs').Context} Context */

const thousands = (/** @type {number} */ count) => count.toLocaleString('en');

/** @param {Context} context */
async function scans(context) {
  const keys = createKeys(context.keys(1_000_000));
  const store = await openNew(context, 'buffered');
  fillShuffled(store, keys, createRandom(context.seed));
  const groups = Math.max(1, Math.floor(keys.length / PREFIX_COUNT));
  const random = createRandom(context.seed + 1);
  const asked = Uint32Array.from({ length: context.operations(2_000) }, () => random.below(groups));
  const expected = asked.reduce((sum, group) => sum + sumOfFirstBytes(group * PREFIX_COUNT, Math.min(keys.length, (group + 1) * PREFIX_COUNT)), 0);
  const all = sumOfFirstBytes(0, keys.length);
  const work = (/** @type {number} */ operations, /** @type {() => number} */ run, /** @type {number} */ result) => ({ operations, run, after: (/** @type {number} */ computed) => mustBe('the fold', computed, result) });
  const rates = await interleave({
    entries: work(keys.length, () => readEntries(store.scan()), all),
    keys: work(keys.length, () => {
      let sum = 0;
      for (const key of store.keys()) sum += key.length;
      return sum;
    }, keys.length * 16),
    count: work(keys.length, () => store.count(), keys.length),
    prefixes: work(asked.length, () => {
      let sum = 0;
      for (const group of asked) sum += readEntries(store.scan({ prefix: prefixOf(group) }));
      return sum;
    }, expected),
  }, { ...context.options, rounds: Math.min(5, context.options.rounds), warmups: 1 });
  const size = store.stats().memory.orderBytes / keys.length;
  await discard(store);
  return [
    atLeast(`full ordered scan of ${thousands(keys.length)} keys, with values`, 'M/s', millions(rates.entries), 3, `keys alone ${asMillions(millions(rates.keys))}, count ${asMillions(millions(rates.count))}`),
    atLeast(`scan of a prefix of ${PREFIX_COUNT} among ${thousands(keys.length)}`, 'K/s', median(rates.prefixes) / 1000, 25),
    atMost(`the ordered index, a record, ${thousands(keys.length)} records`, 'bytes', size, 16),
  ];
}

/** How long the first scan takes, to its first key. @param {any} store @param {string} first */
function firstScan(store, first) {
  const began = performance.now();
  const [key] = store.keys({ limit: 1 });
  const elapsed = performance.now() - began;
  mustBe('the first key', key, first);
  return elapsed;
}

/** @param {Context} context */
async function firstScans(context) {
  const keys = createKeys(context.keys(1_000_000));
  const order = shuffled(keys.length, createRandom(context.seed));
  const store = await openNew(context, 'buffered');
  for (const number of order) store.putSync(keys[number], valueFor(number));
  const image = context.path('image');
  await store.flush();
  copyFlushed(store.name, image);
  collectGarbage();
  const inserted = firstScan(store, keys[0]);
  mustBe('keys', store.count(), keys.length);
  await discard(store);
  collectGarbage();
  const began = performance.now();
  const recovered = await open(image, { durability: 'buffered' });
  const opened = performance.now() - began;
  const after = firstScan(recovered, keys[0]);
  mustBe('keys', recovered.count(), keys.length);
  await discard(recovered);
  return [
    atMost(`the first scan after ${thousands(keys.length)} random inserts`, 'ms', inserted, 100, 'in a process that has scanned nothing yet, so that the core runs in baseline code at first'),
    atMost(`open after a crash, and the first scan, ${thousands(keys.length)} records`, 'ms', opened + after, 500, `open ${opened.toFixed(0)} ms, scan ${after.toFixed(0)} ms`),
  ];
}

/** Puts new random keys into a store that has so many, which keeps the order or does not yet. @param {Context} context @param {string[]} keys @param {boolean} isOrdered @param {string[]} added */
function inserting(context, keys, isOrdered, added) {
  const value = valueFor(1);
  /** @type {any} */
  let store;
  return {
    operations: added.length,
    before: async () => {
      store = await openNew(context, 'memory');
      fillShuffled(store, keys, createRandom(context.seed));
      if (isOrdered) mustBe('the order', store.count(), keys.length);
    },
    run: () => {
      let sum = 0;
      for (const key of added) sum += store.putSync(key, value);
      return sum;
    },
    after: async (/** @type {number} */ computed) => {
      const { version, memory } = store.stats();
      mustBe('the versions', computed, (added.length * (2 * version - added.length + 1)) / 2);
      mustBe('whether the order is kept', memory.orderBytes > 0, isOrdered);
      await discard(store);
    },
  };
}

/** @param {Context} context */
async function keepingOrder(context) {
  const figures = [];
  for (const [wanted, bound] of /** @type {const} */ ([[100_000, 40], [1_000_000, 80]])) {
    const keys = createKeys(context.keys(wanted));
    const numbers = shuffled(context.operations(100_000), createRandom(context.seed + 2));
    const added = Array.from(numbers, (number) => keyFor('new:', number));
    const overwritten = Array.from(numbers, (number) => keys[number % keys.length]);
    const options = { ...context.options, rounds: Math.min(wanted === 100_000 ? 9 : 3, context.options.rounds), warmups: 1 };
    const rates = await interleave({
      ordered: inserting(context, keys, true, added),
      plain: inserting(context, keys, false, added),
      orderedOver: inserting(context, keys, true, overwritten),
      plainOver: inserting(context, keys, false, overwritten),
    }, options);
    const more = (/** @type {number[]} */ slower, /** @type {number[]} */ faster) => share(faster, slower) - 100;
    figures.push(
      atMost(`a new random key beside ${thousands(keys.length)}, more than without the order`, '%', more(rates.ordered, rates.plain), bound, `${asMillions(millions(rates.ordered))}, without ${asMillions(millions(rates.plain))}`),
      atMost(`an overwrite beside ${thousands(keys.length)}, more than without the order`, '%', more(rates.orderedOver, rates.plainOver), 5, `${asMillions(millions(rates.orderedOver))}, without ${asMillions(millions(rates.plainOver))}; the bound allows for the noise of the machine`),
    );
  }
  return figures;
}

export const scanAims = { scans, firstScans, keepingOrder };
