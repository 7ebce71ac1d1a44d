/** The rows transaction_commit. */
import { floorBeside } from '../../floors/beside.mjs';
import { createKeys, createRandom, VALUE_SIZE } from '../../harness/data.mjs';
import { disposeAll, STRICT_ROUNDS_MAX } from '../kv/ends.mjs';
import { CALLS, PROBES, transactionsAwaited, workOn } from './scenario.mjs';
import { bareOf, incrementsScenario, put, putIn, putsOf, putsScenario, putSync, readsScenario } from './writes.mjs';

/** @typedef {import('../../harness/context.mjs').Context} Context */
/** @typedef {import('../../harness/measure.mjs').Row} Row */
/** @typedef {import('../kv/loops.mjs').Mode} Mode */
/**
 * @template Plan
 * @typedef {import('./scenario.mjs').Scenario<Plan>} Scenario
 */
/** @typedef {import('./scenario.mjs').Loop} Loop */

/** @param {Mode} mode */
export function commitJob(mode) {
  return async (/** @type {Context} */ context) => {
    const { what, transactions, bare } = CALLS[mode];
    const isSync = mode === 'memory';
    const barePut = isSync ? putSync : put;
    const random = createRandom(context.seed);
    const many = createKeys(context.keys(10_000));
    const thousand = createKeys(context.keys(1_000));
    const operations = context.operations(CALLS[mode].operations);
    /** @type {(() => unknown)[]} */
    const disposals = [];
    /** @type {Row[]} */
    const rows = [];

    /**
     * @template Plan, Other
     * @param {string} name
     * @param {string} inside
     * @param {number} count
     * @param {NonNullable<Row['threshold']>} threshold
     * @param {(loop: Loop, random: { below(limit: number): number }) => Scenario<Plan>} inTransactions
     * @param {string} besideName
     * @param {Scenario<Other>} other the same without a transaction
     */
    const add = async (name, inside, count, threshold, inTransactions, besideName, other) => {
      const scenario = inTransactions(transactions, random);
      /** @type {Row} */
      const row = {
        name: `transaction_commit/${name}`, what: `${what}: ${inside}`, keys: scenario.keys.length, valueSize: VALUE_SIZE, durability: mode, threshold,
        ...(mode === 'strict' ? { roundsMax: STRICT_ROUNDS_MAX } : {}),
        work: workOn(context, mode, count, scenario),
        beside: { [besideName]: workOn(context, mode, count, other) },
      };
      if (mode !== 'memory') {
        // It draws for itself, so that rows are the same where no floor is measured.
        const probe = inTransactions(transactionsAwaited, createRandom(context.seed));
        const floor = await floorBeside(context, mode, count, { filled: probe.keys, count: PROBES, run: async (store) => probe.run(store, probe.plan(PROBES, store), PROBES) });
        disposals.push(floor.close);
        Object.assign(row.beside ?? {}, floor.beside);
      }
      rows.push(row);
    };

    for (const size of [1, 3, 5, 10]) {
      const bareWhat = size === 1 ? (isSync ? 'putSync' : 'await put') : `${isSync ? 'batchSync' : 'await batch'} of ${size}`;
      await add(size === 1 ? 'single_key_put' : `multi_key_put/${size}`, size === 1 ? 'put' : `${size} put`, operations, size === 1 ? { ok: 2_000, stretch: 5_000 } : {},
        (loop) => putsScenario(many, size, loop, putsOf(size)),
        bareWhat, putsScenario(many, size, bare, isSync ? bareOf(size, 'putSync', 'batchSync') : bareOf(size, 'put', 'batch'), undefined, true));
    }
    await add('read_modify_write', 'get, put', operations, {}, (loop, draws) => incrementsScenario(thousand, loop, putIn, draws),
      isSync ? 'get, putSync' : 'get, await put', incrementsScenario(thousand, bare, barePut, random, true));
    for (const size of [1, 10, 100]) {
      const count = context.operations(size === 100 ? Math.min(2_000, CALLS[mode].operations) : CALLS[mode].operations);
      await add(`readN_write1/${size}`, `${size} get, put`, count, size === 100 ? { ok: 200, stretch: 1_000 } : {}, (loop, draws) => readsScenario(many, size, loop, putIn, draws),
        isSync ? `${size} get, putSync` : `${size} get, await put`, readsScenario(many, size, bare, barePut, random));
    }
    return { rows, dispose: () => disposeAll(disposals) };
  };
}
