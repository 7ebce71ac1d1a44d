/** What the store aims at in browsers, and what it reached: one line an aim. A factor is how many times as fast as the other the store must be. */
import { ratioOf } from '../contest/rounds.mjs';
import { median } from '../harness/statistics.mjs';

/** @typedef {{ row: string, against: string, factor: number, of?: string }} Aim `of` is the row of the other, where it is not the same */

/** @type {Aim[]} */
export const AIMS = [
  ...['get/uniform', 'get/hot', 'get/missing', 'get/into a buffer', 'scan/all'].map((row) => ({ row, against: 'Node', factor: 0.8 })),
  { row: 'put/64', against: 'IndexedDB', of: 'put/one', factor: 100 },
  { row: 'put/one', against: 'OPFS', factor: 0.7 },
  { row: 'durable/one', against: 'OPFS', factor: 0.85 },
];

/** A peer that leads by less than this is a tie, as chance decides it. */
const TIE = 0.05;
const TURN_MILLISECONDS_MAX = 5;
const OPEN_MILLISECONDS_MAX = 150;

/**
 * Holds the aims against what was measured; those whose rows were not measured are left out.
 * @param {Record<string, Record<string, import('../contest/rounds.mjs').Standing>>} standings by row and subject
 * @returns {{ row: string, against: string, aim: string, reached: string, isMet: boolean }[]}
 */
export function judge(standings) {
  const judgements = [];
  for (const { row, against, factor, of = row } of AIMS) {
    const [ours, theirs] = [standings[row]?.varve, standings[of]?.[against]];
    if (ours === undefined || theirs === undefined) continue;
    // Of two different rows, no round is the same moment.
    const reached = of === row ? ratioOf(ours, theirs) : median(ours.rates) / median(theirs.rates);
    judgements.push({ row, against: of === row ? against : `${against}, ${of}`, aim: `≥ ${factor} ×`, reached: `${reached.toFixed(2)} ×`, isMet: reached >= factor });
  }
  for (const [row, { varve, SQLite }] of Object.entries(standings)) {
    if (varve === undefined || SQLite === undefined) continue;
    const reached = ratioOf(varve, SQLite);
    judgements.push({ row, against: 'SQLite', aim: `> ${1 - TIE} ×`, reached: `${reached.toFixed(2)} ×`, isMet: reached > 1 - TIE });
  }
  const bound = (/** @type {string} */ row, /** @type {number} */ count, /** @type {number} */ most) => {
    const ours = standings[row]?.varve;
    if (ours === undefined) return;
    const milliseconds = (count * 1000) / median(ours.rates);
    judgements.push({ row, against: '–', aim: `< ${most} ms`, reached: `${milliseconds.toFixed(1)} ms`, isMet: milliseconds < most });
  };
  bound('page/1,000 gets', 1_000, TURN_MILLISECONDS_MAX);
  bound('open/closed', 1, OPEN_MILLISECONDS_MAX);
  bound('open/not closed', 1, OPEN_MILLISECONDS_MAX);
  return judgements;
}
