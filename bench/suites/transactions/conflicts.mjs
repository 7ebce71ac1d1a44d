/** The rows conflict_detection. Contenders are sessions of one process that take their turns in a fixed order, so that the same ones win every time. */
import { createKeys, createRandom, uniformOrder, VALUE_SIZE, valueFor } from '../../harness/data.mjs';
import { mustBe } from '../../harness/measure.mjs';
import { checkPut, ConflictError } from '../../subjects/varve.mjs';
import { sumOfVersions } from '../kv/loops.mjs';
import { checkIncrements, checkVersion, MARK_AT, workOn } from './scenario.mjs';

/** @typedef {import('../../harness/context.mjs').Context} Context */
/** @typedef {import('../../harness/measure.mjs').Row} Row */
/**
 * @template Plan
 * @typedef {import('./scenario.mjs').Scenario<Plan>} Scenario
 */

/**
 * Sessions that take turns: all begin, all read, all put, all commit. Who meets a conflict begins again with the others who did, until nobody is left. Returns the conflicts.
 * @param {any} store @param {string[]} keys @param {Uint32Array} order the key that each session increments, contest after contest @param {number} sessions
 */
function contests(store, keys, order, sessions) {
  const value = new Uint8Array(VALUE_SIZE);
  let conflicts = 0;
  for (let start = 0; start < order.length; start += sessions) {
    let waiting = Array.from({ length: sessions }, (_, session) => keys[order[start + session]]);
    while (waiting.length > 0) {
      const open = waiting.map((key) => ({ key, tx: store.begin(), seen: value }));
      for (const session of open) session.seen = session.tx.get(session.key);
      for (const { key, tx, seen } of open) {
        value.set(seen);
        value[MARK_AT]++;
        tx.put(key, value);
      }
      waiting = [];
      for (const { key, tx } of open) {
        try {
          tx.commitSync();
        } catch (error) {
          if (!(error instanceof ConflictError)) throw error;
          conflicts++;
          waiting.push(key);
        }
      }
    }
  }
  return conflicts;
}

/** @param {string[]} keys @param {number} sessions @param {(index: number) => number} keyOf @returns {Scenario<Uint32Array>} */
function contestsScenario(keys, sessions, keyOf) {
  return {
    keys,
    plan: (operations) => Uint32Array.from({ length: operations }, (_, index) => keyOf(index)),
    run: (store, order) => contests(store, keys, order, sessions),
    check: (store, order, computed, version) => {
      // With one key for all, the first of those who wait wins, so everyone loses to all before.
      const isShared = order[0] === order[sessions - 1] && sessions > 1;
      mustBe('the conflicts', computed, isShared ? (order.length / sessions) * ((sessions * (sessions - 1)) / 2) : 0);
      checkVersion(store, version, order.length);
      checkIncrements(store, keys, order);
    },
  };
}

/** Contenders for one version of a key: exactly one wins. Returns the versions that they won. @param {string[]} keys @param {number} contenders @param {{ below(limit: number): number }} random @returns {Scenario<Uint32Array>} */
function oneWinnerScenario(keys, contenders, random) {
  const value = valueFor(1);
  return {
    keys,
    plan: (operations) => uniformOrder(operations, keys.length, random),
    run: (store, order) => {
      let sum = 0;
      for (let index = 0; index < order.length; index++) {
        const key = keys[order[index]];
        const { version } = store.getEntry(key);
        for (let contender = 0; contender < contenders; contender++) {
          const result = store.casSync(key, version, value);
          if (result.ok) sum += result.version;
        }
      }
      return sum;
    },
    check: (store, order, computed, version) => {
      mustBe('the versions that were won', computed, sumOfVersions(version, order.length));
      checkVersion(store, version, order.length);
      checkPut(store, Array.from(order, (number) => keys[number]), value);
    },
  };
}

const CONTENDERS = 8;

/** @param {Context} context */
export async function conflictRows(context) {
  const operations = context.operations(8_000);
  const keys = createKeys(context.keys(1_000));
  const base = { keys: keys.length, valueSize: VALUE_SIZE, durability: 'memory' };
  const random = createRandom(context.seed);
  const work = (/** @type {Scenario<Uint32Array>} */ scenario) => workOn(context, 'memory', operations, scenario);
  const alone = work(contestsScenario(keys, 1, (index) => index % keys.length));
  /** @type {Row[]} */
  const rows = [];
  for (const sessions of [2, 4, 8]) {
    // Each session has a share of the keys of its own.
    const own = (/** @type {number} */ index) => (index % sessions) * Math.floor(keys.length / sessions) + (Math.floor(index / sessions) % Math.floor(keys.length / sessions));
    rows.push({ ...base, name: `conflict_detection/no_contention/${sessions}`, what: `${sessions} sessions in turns: begin, get, put, commitSync`,
      work: work(contestsScenario(keys, sessions, own)), beside: { 'one session': alone }, scaling: 'one session', threshold: { ok: 0.6, stretch: 0.8 } });
  }
  for (const sessions of [2, 4]) {
    rows.push({ ...base, name: `conflict_detection/high_contention/${sessions}`, what: `${sessions} sessions in turns on one key: begin, get, put, commitSync until it wins`, threshold: { ok: 1_000, stretch: 2_000 },
      work: work(contestsScenario(keys, sessions, () => 0)), beside: { 'one session': alone }, figures: { 'attempts a commit': (sessions + 1) / 2 } });
  }
  rows.push({ ...base, name: 'conflict_detection/cas_one_winner', what: `getEntry, ${CONTENDERS} casSync of one version`, work: work(oneWinnerScenario(keys, CONTENDERS, random)), beside: { 'one contender': work(oneWinnerScenario(keys, 1, random)) } });
  return { rows, dispose: () => undefined };
}
