/** Scenarios that write: new keys, increments, and reads with one write. */
import { firstByteFor, freshKeys, uniformOrder, VALUE_SIZE, valueFor } from '../../harness/data.mjs';
import { mustBe } from '../../harness/measure.mjs';
import { checkPut } from '../../subjects/varve.mjs';
import { sumOf, sumOfVersions } from '../kv/loops.mjs';
import { checkIncrements, checkVersion, MARK, MARK_AT, UNMARKED } from './scenario.mjs';

/**
 * @template Plan
 * @typedef {import('./scenario.mjs').Scenario<Plan>} Scenario
 */
/** @typedef {import('./scenario.mjs').Loop} Loop */

/**
 * New keys, `size` to a commit.
 * @param {string[]} keys
 * @param {number} size
 * @param {Loop} loop
 * @param {(target: any, asked: string[], start: number, value: Uint8Array) => any} body
 * @param {(operations: number) => number} expected what the loop returns, the versions left out
 * @param {boolean} isVersions whether the loop returns the versions
 * @returns {Scenario<string[]>}
 */
export function putsScenario(keys, size, loop, body, expected = (operations) => operations * size, isVersions = false) {
  const value = valueFor(1);
  return {
    keys,
    plan: (operations) => freshKeys(operations * size),
    run: (store, asked, operations) => loop(store, operations, (target, index) => body(target, asked, index * size, value)),
    check: (store, asked, computed, version) => {
      const commits = asked.length / size;
      mustBe('the fold', computed, isVersions ? sumOfVersions(version, commits) : expected(commits));
      checkVersion(store, version, commits);
      mustBe('the keys', store.stats().keys, keys.length + asked.length);
      checkPut(store, asked, value);
    },
  };
}

/** @param {number} size */
export function putsOf(size) {
  return (/** @type {any} */ tx, /** @type {string[]} */ asked, /** @type {number} */ start, /** @type {Uint8Array} */ value) => {
    for (let index = start; index < start + size; index++) tx.put(asked[index], value);
    return size;
  };
}

/** @param {number} size @param {string} put @param {string} batch the names of the methods */
export function bareOf(size, put, batch) {
  return (/** @type {any} */ store, /** @type {string[]} */ asked, /** @type {number} */ start, /** @type {Uint8Array} */ value) => {
    if (size === 1) return store[put](asked[start], value);
    const operations = [];
    for (let index = start; index < start + size; index++) operations.push({ type: 'put', key: asked[index], value });
    return store[batch](operations);
  };
}

/**
 * Reads a key, counts up in its value, and puts that.
 * @param {string[]} keys
 * @param {Loop} loop
 * @param {(target: any, key: string, value: Uint8Array) => any} put
 * @param {{ below(limit: number): number }} random
 * @param {boolean} isVersions whether the loop returns the versions, rather than the first bytes
 * @returns {Scenario<Uint32Array>}
 */
export function incrementsScenario(keys, loop, put, random, isVersions = false) {
  const value = new Uint8Array(VALUE_SIZE);
  return {
    keys,
    plan: (operations) => uniformOrder(operations, keys.length, random),
    run: (store, order, operations) => loop(store, operations, (target, index) => {
      const key = keys[order[index]];
      // What was read is a view of bytes that others share.
      value.set(target.get(key));
      value[MARK_AT]++;
      const outcome = put(target, key, value);
      return isVersions ? outcome : value[0];
    }),
    check: (store, order, computed, version) => {
      mustBe('the fold', computed, isVersions ? sumOfVersions(version, order.length) : sumOf(order));
      checkVersion(store, version, order.length);
      checkIncrements(store, keys, order);
    },
  };
}

/** @typedef {{ order: Uint32Array, written: Uint32Array }} ReadsAndWrites */

/**
 * Reads `size` keys, and puts one.
 * @param {string[]} keys
 * @param {number} size
 * @param {Loop} loop
 * @param {(target: any, key: string, value: Uint8Array) => any} put
 * @param {{ below(limit: number): number }} random
 * @returns {Scenario<ReadsAndWrites>}
 */
export function readsScenario(keys, size, loop, put, random) {
  const value = valueFor(0);
  value[MARK_AT] = MARK;
  return {
    keys,
    plan: (operations) => ({ order: uniformOrder(operations * size, keys.length, random), written: uniformOrder(operations, keys.length, random) }),
    run: (store, { order, written }, operations) => loop(store, operations, (target, index) => {
      let sum = 0;
      for (let at = index * size; at < (index + 1) * size; at++) sum += target.get(keys[order[at]])[0];
      value[0] = firstByteFor(written[index]);
      const promise = put(target, keys[written[index]], value);
      return promise instanceof Promise ? promise.then(() => sum) : sum;
    }),
    check: (store, { order, written }, computed, version) => {
      mustBe('the fold', computed, sumOf(order));
      checkVersion(store, version, written.length);
      const marked = new Set(written);
      keys.forEach((key, number) => {
        mustBe('the key that a value is of', store.get(key)[0], firstByteFor(number));
        mustBe('the mark of a value', store.get(key)[MARK_AT], marked.has(number) ? MARK : UNMARKED);
      });
    },
  };
}

/** @param {any} tx @param {string} key @param {Uint8Array} value */
export const putIn = (tx, key, value) => tx.put(key, value);

/** @param {any} store @param {string} key @param {Uint8Array} value */
export const putSync = (store, key, value) => store.putSync(key, value);

/** @param {any} store @param {string} key @param {Uint8Array} value */
export const put = (store, key, value) => store.put(key, value);
