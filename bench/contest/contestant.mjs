/**
 * The process of one contestant: prepares a task, takes samples of its works one at a time, when it is told to, and puts the task away again. What it can do is in the
 * module that its first parameter names, which exports `prepare(task, settings)`.
 *
 * @typedef {object} Prepared
 * @property {Record<string, import('../harness/measure.mjs').Work>} works
 * @property {Record<string, object>} [labels] what each work is, for the report
 * @property {() => Record<string, any>} [figures] what was found out beside the rates
 * @property {() => unknown} dispose
 */
import { createSampler } from '../harness/measure.mjs';
import { readMessages, writeMessage } from './lines.mjs';

const [module] = process.argv.slice(2);
const { prepare } = await import(module);

/** @type {Prepared | undefined} */
let prepared;
/** @type {Record<string, ReturnType<typeof createSampler>>} */
let samplers = {};

/** @type {Record<string, (message: any) => Promise<object>>} */
const commands = {
  async prepare({ task, settings }) {
    prepared = /** @type {Prepared} */ (await prepare(task, settings));
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

readMessages(process.stdin, async (message) => {
  try {
    writeMessage(process.stdout, await commands[message.command](message));
  } catch (error) {
    writeMessage(process.stdout, { error: error instanceof Error ? error.stack ?? error.message : String(error) });
  }
});
// Who is not asked any more has nothing left to do; native libraries would keep the process.
process.stdin.on('end', () => process.exit(0));
