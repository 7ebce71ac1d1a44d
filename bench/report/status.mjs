/** What a figure is worth: against the thresholds of its row, and against a saved baseline. */

/** Below `ok` by no more than this share is marginal. */
const MARGIN = 0.2;
const CRITICAL_SHARE = 0.5;
/** A baseline differs by less than this for no reason at all. */
const NOISE = 0.05;
export const REGRESSION = 0.15;

/**
 * OK at or above `ok`; MARGINAL within 20 % below; CONCERN below that; CRITICAL under half. Rows without `ok` are held to `stretch`; without either there is no status.
 * @param {number} rate
 * @param {{ ok?: number, stretch?: number }} threshold
 */
export function statusOf(rate, threshold) {
  const wanted = threshold.ok ?? threshold.stretch;
  if (wanted === undefined) return '–';
  const share = rate / wanted;
  if (share >= 1) return 'OK';
  if (share >= 1 - MARGIN) return 'MARGINAL';
  return share >= CRITICAL_SHARE ? 'CONCERN' : 'CRITICAL';
}

/**
 * How a rate stands to that of the baseline: noise under 5 %, to look at up to 15 %, a regression beyond.
 * @param {number} rate
 * @param {number} before
 * @returns {{ change: number, verdict: 'noise' | 'better' | 'look' | 'regression' }}
 */
export function compareRates(rate, before) {
  const change = rate / before - 1;
  if (Math.abs(change) < NOISE) return { change, verdict: 'noise' };
  if (change > 0) return { change, verdict: 'better' };
  return { change, verdict: -change > REGRESSION ? 'regression' : 'look' };
}
