/**
 * What a contestant does when it is told to: prepares a task, takes samples of its works one at a time, and puts the task away again.
 *
 * @typedef {object} Prepared
 * @property {Record<string, import('../harness/measure.mjs').Work>} works
 * @property {Record<string, object>} [labels] what each work is, for the report
 * @property {() => Record<string, any>} [figures] what was found out beside the rates
 * @property {() => unknown} dispose
 */
import { createSampler } from '../harness/measure.mjs';

/**
 * Answers one message after another.
 * @param {(task: any, settings: any) => Promise<Prepared> | Prepared} prepare
 * @returns {(message: any) => Promise<object>}
 */
export function createContestant(prepare) {
  /** @type {Prepared | undefined} */
  let prepared;
  /** @type {Record<string, ReturnType<typeof createSampler>>} */
  let samplers = {};
  /** @type {Record<string, (message: any) => Promise<object>>} */
  const commands = {
    async prepare({ task, settings }) {
      prepared = await prepare(task, settings);
      samplers = Object.fromEntries(Object.entries(prepared.works).map(([name, work]) => [name, createSampler(work, settings.size !== 'smoke')]));
      return { works: Object.keys(samplers), labels: prepared.labels ?? {} };
    },
    async sample({ work }) {
      return { rate: await samplers[work].sample() };
    },
    async dispose() {
      const figures = prepared?.figures?.() ?? {};
      await prepared?.dispose();
      prepared = undefined;
      return { figures };
    },
  };
  return async (message) => {
    try {
      return await commands[message.command](message);
    } catch (error) {
      return { error: error instanceof Error ? `${error.name}: ${error.message}\n${error.stack ?? ''}` : String(error) };
    }
  };
}
