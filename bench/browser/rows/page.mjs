/** From a page: reads and writes one by one and a thousand in a turn, and a scan of 100,000 keys with values of 100 bytes. */
import { createKeys, createRandom, firstByteFor, uniformOrder } from '../../harness/data.mjs';
import { mustBe } from '../../harness/measure.mjs';
import { checkValues, createSheet, openFilled, VALUE } from './store.mjs';

const TURN = 1_000;

/** @param {import('../../harness/sizes.mjs').Plan} plan @param {import('../subjects/subject.mjs').Subject} subject @returns {Promise<import('../../contest/commands.mjs').Prepared>} */
export async function page(plan, subject) {
  const keys = createKeys(plan.keys(100_000));
  const { handle, discard } = await openFilled(subject, 'buffered', keys);
  const random = createRandom(plan.seed);
  const { works, labels, add } = createSheet('buffered', keys.length);
  const value = VALUE.slice();
  let turn = 0;
  /** @type {number[]} */
  let order = [];
  /** @type {string[]} */
  let asked = [];
  const choose = (/** @type {number} */ count) => () => {
    order = Array.from(uniformOrder(count, keys.length, random));
    asked = order.map((number) => keys[number]);
    value[2] = ++turn & 0xff;
  };
  const sum = (/** @type {(Uint8Array | undefined)[]} */ found) => found.reduce((before, one) => before + (one?.[0] ?? NaN), 0);
  const expected = () => order.reduce((before, number) => before + firstByteFor(number), 0);
  const row = (/** @type {string} */ name, /** @type {string} */ what, /** @type {number} */ wanted, /** @type {() => Promise<number>} */ run, /** @type {(computed: number) => unknown} */ check) => {
    const operations = plan.operations(wanted);
    add(name, what, { operations, before: choose(operations), run, after: async (computed) => { await check(computed); } });
  };
  const { getTogether, putTogether } = handle;
  row('page/get', 'a lookup from a page, one by one', 1_000, async () => {
    const found = [];
    for (const key of asked) found.push(await handle.get(key));
    return sum(found);
  }, (computed) => mustBe('the fold of page/get', computed, expected()));
  if (getTogether !== undefined) {
    row('page/1,000 gets', 'a lookup from a page, a thousand in one turn', TURN, async () => sum(await getTogether.call(handle, asked)), (computed) => mustBe('the fold of page/1,000 gets', computed, expected()));
  }
  const scanned = keys.reduce((before, _, number) => before + firstByteFor(number), 0);
  add('page/scan', 'an entry of a scan of everything from a page', {
    operations: keys.length, run: async () => /** @type {NonNullable<typeof handle.fold>} */ (handle.fold)(keys[0], Infinity), after: (computed) => mustBe('the fold of page/scan', computed, scanned),
  });
  // Writes come last: they change what reads expect.
  row('page/put', 'a write from a page, one by one', 200, async () => {
    for (const key of asked) await handle.put(key, value);
    return asked.length;
  }, () => checkValues(handle, asked, value));
  if (putTogether !== undefined) {
    row('page/1,000 puts', 'a write from a page, a thousand in one turn', TURN, async () => {
      await putTogether.call(handle, asked, value);
      return asked.length;
    }, () => checkValues(handle, asked, value));
  }
  return { works, labels, dispose: discard };
}
