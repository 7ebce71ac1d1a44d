/** The rows cas. */
import { floorBeside } from '../../floors/beside.mjs';
import { createKeys, createRandom, firstByteFor, uniformOrder, VALUE_SIZE, valueFor } from '../../harness/data.mjs';
import { mustBe } from '../../harness/measure.mjs';
import { checkPut } from '../../subjects/varve.mjs';
import { sumOfVersions } from '../kv/loops.mjs';
import { CALLS, checkVersion, PROBES, workOn } from './scenario.mjs';
import { bareOf, incrementsScenario, put, putsScenario, putSync } from './writes.mjs';

/** @typedef {import('../../harness/context.mjs').Context} Context */
/** @typedef {import('../../harness/measure.mjs').Row} Row */
/**
 * @template Plan
 * @typedef {import('./scenario.mjs').Scenario<Plan>} Scenario
 */

/** @param {any} store @param {string} key @param {Uint8Array} value */
const casRead = (store, key, value) => store.casSync(key, store.getEntry(key).version, value);

/** The version that a cas gave; one that must succeed. @param {{ ok: boolean, version: number }} result */
function won(result) {
  if (!result.ok) throw new Error(`a cas failed that had no rival: the key has version ${result.version}`);
  return result.version;
}

/** Reads the version of a key, and overwrites exactly that. @param {string[]} keys @param {{ below(limit: number): number }} random @param {boolean} isSync @returns {Scenario<Uint32Array>} */
export function casScenario(keys, random, isSync) {
  const value = valueFor(1);
  return {
    keys,
    plan: (operations) => uniformOrder(operations, keys.length, random),
    run: isSync
      ? (store, order) => {
        let sum = 0;
        for (let index = 0; index < order.length; index++) sum += won(casRead(store, keys[order[index]], value));
        return sum;
      }
      : async (store, order) => {
        let sum = 0;
        for (let index = 0; index < order.length; index++) {
          const key = keys[order[index]];
          sum += won(await store.cas(key, store.getEntry(key).version, value));
        }
        return sum;
      },
    check: (store, order, computed, version) => {
      mustBe('the versions', computed, sumOfVersions(version, order.length));
      checkPut(store, Array.from(order, (number) => keys[number]), value);
    },
  };
}

/**
 * Two sessions read the version of one key, then each overwrites it: one wins, and the other reads anew until it wins.
 * @param {string[]} keys @param {{ below(limit: number): number }} random @param {boolean} isSync @returns {Scenario<Uint32Array>}
 */
function casRetriedScenario(keys, random, isSync) {
  const value = valueFor(1);
  return {
    keys,
    plan: (operations) => uniformOrder(operations / 2, keys.length, random),
    run: isSync
      ? (store, order) => {
        let retries = 0;
        for (let index = 0; index < order.length; index++) {
          const key = keys[order[index]];
          const seen = [store.getEntry(key).version, store.getEntry(key).version];
          for (let version of seen) {
            while (!store.casSync(key, version, value).ok) {
              retries++;
              version = store.getEntry(key).version;
            }
          }
        }
        return retries;
      }
      : async (store, order) => {
        let retries = 0;
        for (let index = 0; index < order.length; index++) {
          const key = keys[order[index]];
          const seen = [store.getEntry(key).version, store.getEntry(key).version];
          for (let version of seen) {
            while (!(await store.cas(key, version, value)).ok) {
              retries++;
              version = store.getEntry(key).version;
            }
          }
        }
        return retries;
      },
    check: (store, order, computed, version) => {
      mustBe('the retries', computed, order.length);
      checkVersion(store, version, order.length * 2);
      checkPut(store, Array.from(order, (number) => keys[number]), value);
    },
  };
}

/** Expects a version that no key has. @param {string[]} keys @param {{ below(limit: number): number }} random @param {boolean} isSync @returns {Scenario<{ order: Uint32Array, wrong: number, sum: number }>} */
export function casLostScenario(keys, random, isSync) {
  const value = valueFor(1);
  return {
    keys,
    plan: (operations, store) => {
      const order = uniformOrder(operations, keys.length, random);
      return { order, wrong: store.stats().version + 1, sum: order.reduce((sum, number) => sum + store.getEntry(keys[number]).version, 0) };
    },
    run: isSync
      ? (store, { order, wrong }) => {
        let sum = 0;
        for (let index = 0; index < order.length; index++) sum += store.casSync(keys[order[index]], wrong, value).version;
        return sum;
      }
      : async (store, { order, wrong }) => {
        let sum = 0;
        for (let index = 0; index < order.length; index++) sum += (await store.cas(keys[order[index]], wrong, value)).version;
        return sum;
      },
    check: (store, { order, sum }, computed, version) => {
      mustBe('the versions that the keys had', computed, sum);
      checkVersion(store, version, 0);
      for (const number of order) mustBe('a value that nobody overwrote', store.get(keys[number])[0], firstByteFor(number));
    },
  };
}

/** @param {any} store @param {string[]} asked @param {number} index @param {Uint8Array} value */
const createSync = (store, asked, index, value) => won(store.casSync(asked[index], 0, value));

/** @param {any} store @param {string[]} asked @param {number} index @param {Uint8Array} value */
const create = async (store, asked, index, value) => won(await store.cas(asked[index], 0, value));

/** @param {'memory' | 'buffered'} mode */
export function casJob(mode) {
  return async (/** @type {Context} */ context) => {
    const isSync = mode === 'memory';
    const what = isSync ? 'casSync' : 'await cas';
    const { bare } = CALLS[mode];
    const operations = context.operations(isSync ? 20_000 : 10_000);
    const random = createRandom(context.seed);
    const thousand = createKeys(context.keys(1_000));
    const many = createKeys(context.keys(10_000));
    const barePut = isSync ? 'putSync' : 'put';
    const besideName = isSync ? 'putSync' : 'await put';
    /** @type {import('../kv/fresh-store.mjs').Commits} */
    const probe = {
      filled: thousand, count: PROBES,
      run: async (store) => {
        for (let count = 0; count < PROBES; count++) await store.cas(thousand[0], store.getEntry(thousand[0]).version, valueFor(1));
      },
    };
    const floor = isSync ? undefined : await floorBeside(context, mode, operations, probe);
    const base = { valueSize: VALUE_SIZE, durability: mode };
    const threshold = { ok: 2_000, stretch: 50_000 };
    const overwrites = workOn(context, mode, operations, incrementsScenario(thousand, bare, isSync ? putSync : put, random, true));
    /** @type {Row[]} */
    const rows = [
      { ...base, name: 'cas/sequential_success', what: `getEntry, ${what}`, keys: thousand.length, threshold,
        work: workOn(context, mode, operations, casScenario(thousand, random, isSync)), beside: { [`get, ${besideName}`]: overwrites, ...floor?.beside } },
      { ...base, name: 'cas/retry_until_success', what: `getEntry, ${what}, every second one again`, keys: thousand.length, threshold,
        work: workOn(context, mode, operations, casRetriedScenario(thousand, random, isSync)), beside: { [`get, ${besideName}`]: overwrites, ...floor?.beside } },
      { ...base, name: 'cas/failure_wrong_version', what, keys: thousand.length,
        work: workOn(context, mode, operations, casLostScenario(thousand, random, isSync), 0) },
      { ...base, name: 'cas/create_new_key', what: `${what} of version 0`, keys: many.length, threshold,
        work: workOn(context, mode, operations, putsScenario(many, 1, bare, isSync ? createSync : create, undefined, true)),
        beside: { [besideName]: workOn(context, mode, operations, putsScenario(many, 1, bare, bareOf(1, barePut, ''), undefined, true)), ...floor?.beside } },
    ];
    return { rows, dispose: () => floor?.close() };
  };
}
