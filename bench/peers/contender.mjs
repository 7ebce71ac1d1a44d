/** What a contestant among the peers does: a group of rows with the subject that VARVE_BENCH_SUBJECT names. */
import { createContext, resolveSettings } from '../harness/context.mjs';
import { GROUPS } from './rows/groups.mjs';
import { FLOORS } from './subjects/floor.mjs';
import { loadSubject } from './subjects/subject.mjs';

/** @typedef {import('../contest/contestant.mjs').Prepared} Prepared */

/** @param {{ group: keyof typeof GROUPS }} task @param {import('../harness/context.mjs').Settings} settings @returns {Promise<Prepared>} */
export async function prepare({ group }, settings) {
  const context = createContext(resolveSettings(settings));
  const name = process.env.VARVE_BENCH_SUBJECT;
  const subject = name === 'floor' ? undefined : await loadSubject(/** @type {import('./subjects/subject.mjs').SubjectName} */ (name));
  const prepared = subject === undefined ? await FLOORS[group](context) : await GROUPS[group].prepare(context, subject);
  const { figures } = prepared;
  return {
    ...prepared,
    figures: () => ({ ...figures?.(), ...(subject === undefined ? {} : { version: subject.version, how: subject.how }) }),
    dispose: async () => {
      await prepared.dispose();
      context.dispose();
    },
  };
}
