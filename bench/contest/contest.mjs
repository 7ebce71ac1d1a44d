/**
 * A contest: the same task in several processes, which take their samples round by round, one at a time. Peers, builds and runtimes are compared this way: each has a heap, a compiler and garbage
 * of its own, all meet the same moments of a noisy machine, and the ratio of two is the median of the rounds' own ratios.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { median } from '../harness/statistics.mjs';
import { readMessages, writeMessage } from './lines.mjs';

const script = fileURLToPath(new URL('./contestant.mjs', import.meta.url));

/**
 * @typedef {object} Entrant
 * @property {string} name
 * @property {string[]} command the runtime and its parameters
 * @property {string} module what the process imports
 * @property {Record<string, string>} [environment]
 */

/** A process that was started, and answers one message at a time. */
class Contestant {
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

/**
 * @typedef {object} Standing one work of one contestant
 * @property {number[]} rates operations a second, round by round
 * @property {Record<string, any>} label
 */

/**
 * Lets all entrants do one task. Works that an entrant does not have are left out for it.
 * @param {Entrant[]} entrants
 * @param {object} task
 * @param {object} settings
 * @param {{ rounds: number, warmups: number }} options
 * @returns {Promise<{ standings: Record<string, Record<string, Standing>>, figures: Record<string, Record<string, any>> }>} standings by work and entrant, figures by entrant
 */
export async function contest(entrants, task, settings, { rounds, warmups }) {
  const contestants = entrants.map((entrant) => new Contestant(entrant));
  /** @type {Record<string, Record<string, Standing>>} */
  const standings = {};
  try {
    // One after the other, as everything here: two that prepare at once would share the processors.
    for (const contestant of contestants) {
      const { works, labels } = await contestant.ask({ command: 'prepare', task, settings });
      for (const work of works) (standings[work] ??= {})[contestant.name] = { rates: [], label: labels[work] ?? {} };
    }
    for (const [work, among] of Object.entries(standings)) {
      // A row whose samples are long says how many rounds it takes at most.
      const ends = Math.min(rounds, ...Object.values(among).map(({ label }) => label.roundsMax ?? rounds));
      for (let round = 0; round < warmups + ends; round++) {
        for (const contestant of round % 2 === 0 ? contestants : contestants.toReversed()) {
          if (among[contestant.name] === undefined) continue;
          const { rate } = await contestant.ask({ command: 'sample', work });
          if (round >= warmups) among[contestant.name].rates.push(rate);
        }
      }
    }
    /** @type {Record<string, Record<string, any>>} */
    const figures = {};
    for (const contestant of contestants) ({ figures: figures[contestant.name] } = await contestant.ask({ command: 'dispose' }));
    return { standings, figures };
  } finally {
    for (const contestant of contestants) await contestant.end();
  }
}

/** How many times as fast as the other: the median of the rounds' own ratios. @param {Standing} one @param {Standing} other */
export function ratioOf(one, other) {
  return median(one.rates.map((rate, round) => rate / other.rates[round]));
}
