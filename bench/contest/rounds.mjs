/** The rounds of a contest, whatever its contestants are: processes, or workers of a browser. */
import { median } from '../harness/statistics.mjs';

/**
 * @typedef {object} Standing one work of one contestant
 * @property {number[]} rates operations a second, round by round
 * @property {Record<string, any>} label
 *
 * @typedef {object} Asked who answers one message at a time, or rejects
 * @property {string} name
 * @property {(message: object) => Promise<any>} ask
 */

/**
 * Lets contestants do one task. Works that one does not have are left out for it.
 * @param {Asked[]} contestants
 * @param {object} task
 * @param {object} settings
 * @param {{ rounds: number, warmups: number }} options
 * @param {(work: string, contestant: string, rates: number[]) => void} [onSample] is told of each sample that counts
 * @returns {Promise<{ standings: Record<string, Record<string, Standing>>, figures: Record<string, Record<string, any>> }>} standings by work and contestant, figures by contestant
 */
export async function holdRounds(contestants, task, settings, { rounds, warmups }, onSample) {
  /** @type {Record<string, Record<string, Standing>>} */
  const standings = {};
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
        if (round < warmups) continue;
        among[contestant.name].rates.push(rate);
        onSample?.(work, contestant.name, among[contestant.name].rates);
      }
    }
  }
  /** @type {Record<string, Record<string, any>>} */
  const figures = {};
  for (const contestant of contestants) ({ figures: figures[contestant.name] } = await contestant.ask({ command: 'dispose' }));
  return { standings, figures };
}

/** How many times as fast as the other: the median of the rounds' own ratios. @param {Standing} one @param {Standing} other */
export function ratioOf(one, other) {
  return median(one.rates.map((rate, round) => rate / other.rates[round]));
}
