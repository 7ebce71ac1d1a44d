/**
 * A contest: the same task in several processes, or workers of browsers, which take their samples round by round, one at a time. Peers, builds and runtimes are compared this way: each has a heap, a compiler and garbage
 * of its own, all meet the same moments of a noisy machine, and the ratio of two is the median of the rounds' own ratios.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { readMessages, writeMessage } from './lines.mjs';
import { holdRounds } from './rounds.mjs';

export { ratioOf } from './rounds.mjs';

const script = fileURLToPath(new URL('./contestant.mjs', import.meta.url));

/**
 * @typedef {object} Entrant
 * @property {string} name
 * @property {string[]} command the runtime and its parameters
 * @property {string} module what the process imports
 * @property {Record<string, string>} [environment]
 *
 * @typedef {import('./rounds.mjs').Asked & { end: () => Promise<void> }} Entered who takes part until it is ended
 *
 * @typedef {object} Guest what takes part without a process of its own
 * @property {() => Promise<Entered>} enter
 */

/** A process that was started, and answers one message at a time. */
export class Contestant {
  /** @type {((reply: any) => void) | undefined} */
  #settle;
  #isOver = false;

  /** @param {Entrant} entrant */
  constructor({ name, command, module, environment }) {
    this.name = name;
    const [executable, ...parameters] = command;
    this.child = spawn(executable, [...parameters, script, module], { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...environment } });
    readMessages(this.child.stdout, (reply) => this.#answer(reply));
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
    this.child.once('error', (error) => this.#answer({ error: error.message }));
    this.child.once('close', (code, signal) => {
      this.#isOver = true;
      this.#answer({ error: `it ended (${signal ?? code})` });
    });
    // A process that has ended says so by its exit: the pipe to it has nothing to add.
    this.child.stdin.on('error', () => undefined);
  }

  /** @param {any} reply */
  #answer(reply) {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(reply);
  }

  /** @param {object} message @returns {Promise<any>} */
  async ask(message) {
    const reply = await new Promise((resolve) => {
      if (this.#isOver) return resolve({ error: 'it has ended before' });
      this.#settle = resolve;
      writeMessage(this.child.stdin, message);
    });
    if (reply.error !== undefined) throw new Error(`${this.name}: ${reply.error}`);
    return reply;
  }

  async end() {
    this.child.stdin.end();
    await this.ended;
  }
}

/** @typedef {import('./rounds.mjs').Standing} Standing */

/**
 * Lets all entrants do one task. Works that an entrant does not have are left out for it.
 * @param {(Entrant | Guest)[]} entrants
 * @param {object} task
 * @param {object} settings
 * @param {{ rounds: number, warmups: number }} options
 * @returns {ReturnType<typeof holdRounds>}
 */
export async function contest(entrants, task, settings, options) {
  /** @type {Entered[]} */
  const contestants = [];
  try {
    for (const entrant of entrants) contestants.push('enter' in entrant ? await entrant.enter() : new Contestant(entrant));
    return await holdRounds(contestants, task, settings, options);
  } finally {
    for (const contestant of contestants) await contestant.end();
  }
}
