/** The saved baseline: the rates of a complete run, by row. A run that left anything out is never saved as one. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compareRates } from './status.mjs';
import { identityOf } from './table.mjs';

/** @typedef {import('../harness/measure.mjs').Result} Result */

const folder = fileURLToPath(new URL('../results/', import.meta.url));
const file = `${folder}baseline.json`;

/** @param {object} environment @param {Result[]} results */
export function saveBaseline(environment, results) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, JSON.stringify({ environment, rates: Object.fromEntries(results.map((result) => [identityOf(result), result.rate])) }, undefined, 2));
  return file;
}

/** @returns {Record<string, number> | undefined} */
export function readBaseline() {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).rates : undefined;
}

/** The rows that are slower than the baseline by more than noise explains. @param {Result[]} results @param {Record<string, number>} baseline */
export function regressions(results, baseline) {
  return results.filter((result) => {
    const before = baseline[identityOf(result)];
    return before !== undefined && compareRates(result.rate, before).verdict === 'regression';
  }).map(identityOf);
}
