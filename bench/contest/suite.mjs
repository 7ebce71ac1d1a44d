/** What a contestant does that runs the benchmark's own rows: one job of one suite, each row a work. What stands beside a row is left out, because its rivals stand there. */
import { createContext, resolveSettings } from '../harness/context.mjs';
import { SUITES } from '../harness/jobs.mjs';
import { identityOf } from '../report/identity.mjs';

/** @param {{ suite: 'kv' | 'transactions' | 'scan' | 'recovery' | 'growth', job: string }} task @param {import('../harness/context.mjs').Settings} settings @returns {Promise<import('./contestant.mjs').Prepared>} */
export async function prepare({ suite, job }, settings) {
  const context = createContext(resolveSettings(settings));
  const { rows, dispose } = await SUITES[suite][job](context);
  return {
    works: Object.fromEntries(rows.map((row) => [identityOf(row), row.work])),
    labels: Object.fromEntries(rows.map(({ name, what, keys, valueSize, durability, work, roundsMax }) => [identityOf({ name, what, durability }), { name, what, keys, valueSize, durability, operations: work.operations, roundsMax }])),
    dispose: async () => {
      await dispose();
      context.dispose();
    },
  };
}
