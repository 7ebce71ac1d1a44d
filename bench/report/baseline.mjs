/** The saved baseline: the rates of a complete run, by row. A run that left anything out is never saved as one, and one of another size is never compared with. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { identityOf } from './identity.mjs';
import { compareRates } from './status.mjs';

/** @typedef {import('../harness/measure.mjs').Result} Result */
/** @typedef {import('../harness/context.mjs').Settings} Settings */

const folder = fileURLToPath(new URL('../results/', import.meta.url));
const file = `${folder}baseline.json`;

/** @param {Settings} settings @param {object} environment @param {Result[]} results */
export function saveBaseline({ size }, environment, results) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, JSON.stringify({ size, environment, rates: Object.fromEntries(results.map((result) => [identityOf(result), result.rate])) }, undefined, 2));
  return file;
}

/** @param {Settings} settings @returns {Record<string, number>} */
export function readBaseline({ size }) {
  if (!existsSync(file)) throw new Error('There is no baseline yet: save one with --baseline save.');
  const baseline = JSON.parse(readFileSync(file, 'utf8'));
  if (baseline.size !== size) throw new Error(`The baseline is of a ${baseline.size} run, this one is ${size}: their figures are of different sizes.`);
  return baseline.rates;
}

/** The rows that are slower than the baseline by more than noise explains. @param {Result[]} results @param {Record<string, number>} baseline */
export function regressions(results, baseline) {
  return results.filter((result) => {
    const before = baseline[identityOf(result)];
    return before !== undefined && compareRates(result.rate, before).verdict === 'regression';
  }).map(identityOf);
}
