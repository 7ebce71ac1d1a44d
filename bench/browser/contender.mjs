/** What a contestant does, in a browser or in Node: a group of rows with one subject. */
import { createPlan } from '../harness/sizes.mjs';
import { GROUPS } from './rows/groups.mjs';

/** @typedef {import('../contest/commands.mjs').Prepared} Prepared */

/**
 * @param {import('./subjects/subject.mjs').Subject} subject
 * @returns {(task: { group: string }, settings: any) => Promise<Prepared>}
 */
export const preparing = (subject) => async ({ group }, settings) => ({
  ...await GROUPS[group].prepare(createPlan(settings), subject),
  figures: () => ({ version: subject.version(), how: subject.how }),
});
