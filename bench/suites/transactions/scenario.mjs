/** What a row on transactions does to a store that is newly filled, with the check of all it must have done; and the loops that run it in transactions, or without. */
import { firstByteFor } from '../../harness/data.mjs';
import { mustBe } from '../../harness/measure.mjs';
import { checkDurable, keepShapes } from '../../subjects/varve.mjs';
import { FreshStore } from '../kv/fresh-store.mjs';

/** @typedef {import('../../harness/context.mjs').Context} Context */
/** @typedef {import('../../harness/measure.mjs').Work} Work */
/** @typedef {import('../kv/loops.mjs').Mode} Mode */

/** Where in a value a mark or a count of increments stands; the first byte tells which key it is. */
export const MARK_AT = 1;

/** What `valueFor` puts there. */
export const UNMARKED = 0x5a;
export const MARK = 0xa5;

/** Commits whose size is measured. */
export const PROBES = 31;

/**
 * What a row does to a store that is newly filled with `keys`; `plan` says to which of them, and is not timed.
 * @template Plan
 * @typedef {object} Scenario
 * @property {string[]} keys
 * @property {(operations: number, store: any) => Plan} plan
 * @property {(store: any, plan: Plan, operations: number) => number | Promise<number>} run
 * @property {(store: any, plan: Plan, computed: number, version: number) => void} check `version` is the store's before the run
 */

/**
 * @template Plan
 * @param {Context} context
 * @param {Mode} mode
 * @param {number} operations
 * @param {Scenario<Plan>} scenario
 * @param {number} flushesLeast
 * @returns {Work}
 */
export function workOn(context, mode, operations, scenario, flushesLeast = operations) {
  const fresh = new FreshStore(context, mode, scenario.keys);
  /** @type {Plan} */
  let plan;
  /** @type {unknown} */
  let shapes;
  return {
    operations,
    before: async () => {
      await fresh.renew();
      shapes = keepShapes(fresh.store);
      plan = scenario.plan(operations, fresh.store);
    },
    run: () => scenario.run(fresh.store, plan, operations),
    after: async (computed) => {
      mustBe('that shapes were kept', shapes !== undefined, true);
      checkDurable(fresh.store, mode, fresh.flushes, flushesLeast);
      scenario.check(fresh.store, plan, computed, fresh.version);
      mustBe('views that are still open', fresh.store.stats().snapshots.open, 0);
      await fresh.discard();
    },
  };
}

/** @param {any} store @param {number} version @param {number} commits */
export function checkVersion(store, version, commits) {
  mustBe('the version after all commits', store.stats().version, version + commits);
}

/**
 * Runs one body per operation, each in a transaction of its own, or in none.
 * @callback Loop
 * @param {any} store
 * @param {number} count
 * @param {(target: any, index: number) => any} body
 * @returns {number | Promise<number>}
 */

/** @type {Loop} */
export function transactionsSync(store, count, body) {
  let sum = 0;
  for (let index = 0; index < count; index++) sum += store.transactSync((/** @type {any} */ tx) => body(tx, index));
  return sum;
}

/** @type {Loop} */
export async function transactionsAwaited(store, count, body) {
  let sum = 0;
  for (let index = 0; index < count; index++) sum += await store.transact((/** @type {any} */ tx) => body(tx, index));
  return sum;
}

/** @type {Loop} */
export function bareSync(store, count, body) {
  let sum = 0;
  for (let index = 0; index < count; index++) sum += body(store, index);
  return sum;
}

/** @type {Loop} */
async function bareAwaited(store, count, body) {
  let sum = 0;
  for (let index = 0; index < count; index++) sum += await body(store, index);
  return sum;
}

/** How a transaction is called, and how many times a sample, under each durability; `bare` runs the same calls without one. */
export const CALLS = {
  memory: { what: 'transactSync', operations: 10_000, transactions: transactionsSync, bare: bareSync },
  buffered: { what: 'await transact', operations: 10_000, transactions: transactionsAwaited, bare: bareAwaited },
  strict: { what: 'await transact', operations: 200, transactions: transactionsAwaited, bare: bareAwaited },
};

/** Checks that no increment was lost. @param {any} store @param {string[]} keys @param {Uint32Array} order */
export function checkIncrements(store, keys, order) {
  const counts = new Uint8Array(keys.length).fill(UNMARKED);
  for (const number of order) counts[number]++;
  keys.forEach((key, number) => {
    const value = store.get(key);
    mustBe('the key that a value is of', value[0], firstByteFor(number));
    mustBe('the increments of a key', value[MARK_AT], counts[number]);
  });
  mustBe('the keys', store.stats().keys, keys.length);
}
