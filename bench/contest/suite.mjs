/** What a contestant does that runs the benchmark's own rows: one job of one suite, each row a work. What stands beside a row is left out, because its rivals stand there. */
import { createContext, resolveSettings } from '../harness/context.mjs';
import { identityOf } from '../report/identity.mjs';
import { PORTABLE } from '../suites/portable.mjs';

/** @param {{ suite: keyof typeof PORTABLE, job: string }} task @param {import('../harness/context.mjs').Settings} settings @returns {Promise<import('./commands.mjs').Prepared>} */
export async function prepare({ suite, job }, settings) {
  const context = createContext(resolveSettings(settings));
  const { rows, dispose } = await PORTABLE[suite][job](context);
  return {
    works: Object.fromEntries(rows.map((row) => [identityOf(row), row.work])),
    labels: Object.fromEntries(rows.map(({ name, what, keys, valueSize, durability, work, roundsMax }) => [identityOf({ name, what, durability }), { name, what, keys, valueSize, durability, operations: work.operations, roundsMax }])),
    dispose: async () => {
      await dispose();
      await context.dispose();
    },
  };
}
