/** Writing in a worker: overwrites of 100,000 keys with values of 100 bytes, uniform, in a store that stays the same. */
import { createKeys, createRandom, uniformOrder } from '../../harness/data.mjs';
import { checkValues, createSheet, openFilled, VALUE } from './store.mjs';

/** @typedef {import('../../harness/sizes.mjs').Plan} Plan */
/** @typedef {import('../subjects/subject.mjs').Subject} Subject */
/** @typedef {import('../subjects/subject.mjs').Handle} Handle */
/** @typedef {import('../../contest/commands.mjs').Prepared} Prepared */

/** So many writes are in flight, or in one transaction. */
const TOGETHER = 64;
/** The place of the byte that tells samples apart. */
const TURN_AT = 2;

/** One after the other; who answers without a promise is not awaited. @param {string[]} keys @param {(key: string) => unknown} write */
async function oneByOne(keys, write) {
  for (let index = 0; index < keys.length; index++) {
    const pending = write(keys[index]);
    if (pending !== undefined) await pending;
  }
  return keys.length;
}

/** So many at a time. @param {string[]} keys @param {(some: string[]) => unknown} write */
async function inGroups(keys, write) {
  for (let start = 0; start < keys.length; start += TOGETHER) {
    const pending = write(keys.slice(start, start + TOGETHER));
    if (pending !== undefined) await pending;
  }
  return keys.length;
}

/** A store of so many keys, and what adds rows that overwrite them. @param {Plan} plan @param {Subject} subject @param {string} durability @param {number} keyCount */
async function createRows(plan, subject, durability, keyCount) {
  const keys = createKeys(plan.keys(keyCount));
  const { handle, discard } = await openFilled(subject, durability, keys);
  const random = createRandom(plan.seed);
  const { works, labels, add } = createSheet(durability, keys.length);
  const value = VALUE.slice();
  let turn = 0;
  const row = (/** @type {string} */ name, /** @type {string} */ what, /** @type {number} */ wanted, /** @type {(asked: string[], value: Uint8Array) => unknown} */ run) => {
    const operations = plan.operations(TOGETHER * Math.max(2, Math.round((wanted * subject.pace) / TOGETHER)));
    /** @type {string[]} */
    let asked = [];
    add(name, what, {
      operations,
      before: () => {
        asked = Array.from(uniformOrder(operations, keys.length, random), (number) => keys[number]);
        value[TURN_AT] = ++turn & 0xff;
      },
      run: async () => {
        await run(asked, value);
        return operations;
      },
      after: () => checkValues(handle, asked, value),
    });
  };
  return { handle, row, prepared: { works, labels, dispose: discard } };
}

/** @param {Plan} plan @param {Subject} subject @returns {Promise<Prepared>} */
export async function writes(plan, subject) {
  const { handle, row, prepared } = await createRows(plan, subject, 'buffered', 100_000);
  const { putNow, putTogether, batch, update } = handle;
  if (putNow !== undefined) row('put/now', 'a write that blocks and is handed over at the end of the turn', 20_000, (asked, value) => { for (let index = 0; index < asked.length; index++) putNow.call(handle, asked[index], value); });
  row('put/one', 'a write, awaited one by one', 20_000, (asked, value) => oneByOne(asked, (key) => handle.put(key, value)));
  if (putTogether !== undefined) row('put/64', `a write, ${TOGETHER} in flight`, 25_000, (asked, value) => inGroups(asked, (some) => putTogether.call(handle, some, value)));
  if (batch !== undefined) {
    row('batch/64', `a write of an atomic batch of ${TOGETHER}`, 25_000, (asked, value) => {
      const values = Array.from({ length: TOGETHER }, () => value);
      return inGroups(asked, (some) => batch.call(handle, some, values));
    });
  }
  if (update !== undefined) {
    const changed = VALUE.slice();
    row('update/one', 'a transaction that reads a value and writes it changed, one by one', 20_000, (asked, value) => oneByOne(asked, (key) => update.call(handle, key, (found) => {
      changed.set(found);
      changed.set(value.subarray(0, TURN_AT + 1));
      return changed;
    })));
  }
  return prepared;
}

/** Writes that are flushed when they are acknowledged. @param {Plan} plan @param {Subject} subject @returns {Promise<Prepared>} */
export async function durable(plan, subject) {
  const { handle, row, prepared } = await createRows(plan, subject, 'strict', 1_000);
  const { putTogether } = handle;
  row('durable/one', 'a durable write, one by one', 1_500, (asked, value) => oneByOne(asked, (key) => handle.put(key, value)));
  if (putTogether !== undefined) row('durable/64', `a durable write, ${TOGETHER} in flight`, 12_000, (asked, value) => inGroups(asked, (some) => putTogether.call(handle, some, value)));
  return prepared;
}
