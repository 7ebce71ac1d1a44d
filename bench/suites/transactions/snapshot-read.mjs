/** The rows snapshot_read over stores of 1,000 and 10,000 keys. */
import { createKeys, createRandom, uniformOrder, VALUE_SIZE, valueFor } from '../../harness/data.mjs';
import { mustBe } from '../../harness/measure.mjs';
import { sumOf } from '../kv/loops.mjs';
import { bareSync, checkVersion, transactionsSync, workOn } from './scenario.mjs';
import { putIn, putSync } from './writes.mjs';

/** @typedef {import('../../harness/context.mjs').Context} Context */
/** @typedef {import('../../harness/measure.mjs').Row} Row */
/**
 * @template Plan
 * @typedef {import('./scenario.mjs').Scenario<Plan>} Scenario
 */
/** @typedef {import('./scenario.mjs').Loop} Loop */

/** Reads through a target: a store, a transaction or a snapshot. @param {any} target @param {string[]} keys @param {Uint32Array} order @param {number} start @param {number} end */
function readsThrough(target, keys, order, start, end) {
  let sum = 0;
  for (let index = start; index < end; index++) sum += target.get(keys[order[index]])[0];
  return sum;
}

/** @param {any} store @param {number} count @param {(target: any, index: number) => number} body */
function snapshots(store, count, body) {
  let sum = 0;
  for (let index = 0; index < count; index++) {
    const snapshot = store.snapshot();
    sum += body(snapshot, index);
    snapshot.close();
  }
  return sum;
}

/** Reads of `size` keys at a time. @param {string[]} keys @param {number} size @param {Loop} loop @param {{ below(limit: number): number }} random @returns {Scenario<Uint32Array>} */
function readOnlyScenario(keys, size, loop, random) {
  return {
    keys,
    plan: (operations) => uniformOrder(operations * size, keys.length, random),
    run: (store, order, operations) => loop(store, operations, (target, index) => readsThrough(target, keys, order, index * size, (index + 1) * size)),
    check: (store, order, computed, version) => {
      mustBe('the fold', computed, sumOf(order));
      checkVersion(store, version, 0);
    },
  };
}

/** Puts a value and reads it: the transaction must see its own. @param {string[]} keys @param {Loop} loop @param {(target: any, key: string, value: Uint8Array) => any} write @param {{ below(limit: number): number }} random @returns {Scenario<Uint32Array>} */
function ownWritesScenario(keys, loop, write, random) {
  const value = valueFor(1);
  return {
    keys,
    plan: (operations) => uniformOrder(operations, keys.length, random),
    run: (store, order, operations) => loop(store, operations, (target, index) => {
      const key = keys[order[index]];
      value[0] = index & 0xff;
      write(target, key, value);
      return target.get(key)[0];
    }),
    check: (store, order, computed, version) => {
      let sum = 0;
      order.forEach((_, index) => { sum += index & 0xff; });
      mustBe('the fold', computed, sum);
      checkVersion(store, version, order.length);
      const last = new Map(Array.from(order, (number, index) => [number, index & 0xff]));
      for (const [number, byte] of last) mustBe('the value that was put last', store.get(keys[number])[0], byte);
    },
  };
}

/** @param {1_000 | 10_000} scale */
export function snapshotReadJob(scale) {
  return async (/** @type {Context} */ context) => {
    const keys = createKeys(context.keys(scale));
    const random = createRandom(context.seed);
    const base = { keys: keys.length, valueSize: VALUE_SIZE, durability: 'memory', threshold: { ok: 10_000, stretch: 50_000 } };
    const operations = context.operations(10_000);
    const work = (/** @type {Scenario<Uint32Array>} */ scenario) => workOn(context, 'memory', operations, scenario);
    /** @type {Row[]} */
    const rows = [
      { ...base, name: `snapshot_read/single_read/${scale}`, what: 'transactSync: get', work: work(readOnlyScenario(keys, 1, transactionsSync, random)), beside: { get: work(readOnlyScenario(keys, 1, bareSync, random)) } },
      { ...base, name: `snapshot_read/multi_read_10/${scale}`, what: 'transactSync: 10 get', work: work(readOnlyScenario(keys, 10, transactionsSync, random)), beside: { '10 get': work(readOnlyScenario(keys, 10, bareSync, random)) } },
      { ...base, name: `snapshot_read/read_only_10/${scale}`, what: 'snapshot, 10 get, close', work: work(readOnlyScenario(keys, 10, snapshots, random)), beside: { '10 get': work(readOnlyScenario(keys, 10, bareSync, random)) } },
      { ...base, name: `snapshot_read/read_your_writes/${scale}`, what: 'transactSync: put, get', work: work(ownWritesScenario(keys, transactionsSync, putIn, random)), beside: { 'putSync, get': work(ownWritesScenario(keys, bareSync, putSync, random)) } },
    ];
    return { rows, dispose: () => undefined };
  };
}
