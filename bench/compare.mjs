/**
 * Two builds, or the results of two runs, held against each other: `node bench/compare.mjs <older> <newer> [suite[:job] …] [--quick] [--json folder]`.
 *
 * Each side is a checkout of the store that was built, or a file of raw results. Two checkouts run every row round by round, in two processes that take turns, and leave a file of results each; two files
 * that were made so are compared round by round too, any others by their medians. Exits with 1 when a row of the newer one is slower by more than 15 % and the rounds agree.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { contest } from './contest/contest.mjs';
import { print, readCommand, run, tell } from './harness/command.mjs';
import { optionsOf } from './harness/context.mjs';
import { selectJobs } from './harness/jobs.mjs';
import { median, spreadOf } from './harness/statistics.mjs';
import { describeEnvironment } from './report/environment.mjs';
import { identityOf } from './report/identity.mjs';
import { writeResults } from './report/results.mjs';
import { formatRate, table } from './report/table.mjs';
import { judgePair } from './report/verdict.mjs';
import { thisRuntime } from './runtimes/executables.mjs';

/** @typedef {{ name: string, what: string, durability: string, keys: number, samples: number[] }} Measured */
/** @typedef {{ environment: Record<string, any>, contest?: string, results: Measured[] }} Results */

const SIDES = ['older', 'newer'];

/** The build of a checkout. @param {string} folder */
function buildOf(folder) {
  const file = join(resolve(folder), 'dist/index.js');
  if (!existsSync(file)) throw new Error(`${folder} has no dist/index.js: build it there first, with node build.mjs.`);
  return pathToFileURL(file).href;
}

/** Runs two checkouts side by side. @param {string[]} folders @param {import('./harness/command.mjs').Command} command @param {string[]} words @returns {Promise<Results[]>} */
async function runBoth(folders, { settings, json }, words) {
  const builds = folders.map(buildOf);
  const entrants = SIDES.map((name, side) => ({ name, command: thisRuntime().command, module: new URL('./contest/suite.mjs', import.meta.url).href, environment: { VARVE_BENCH_BUILD: builds[side] } }));
  const environment = describeEnvironment(settings);
  const name = `${environment.date} ${folders.join(' ')}`;
  /** @type {Results[]} */
  const sides = folders.map((folder, side) => ({ environment: { ...environment, checkout: resolve(folder), side: SIDES[side] }, contest: name, results: [] }));
  for (const { suite, job } of selectJobs(words).filter((entry) => entry.suite !== 'targets')) {
    tell(`${suite}:${job}`);
    const { standings } = await contest(entrants, { suite, job }, settings, optionsOf(settings));
    for (const among of Object.values(standings)) {
      sides.forEach(({ results }, side) => {
        const standing = among[SIDES[side]];
        if (standing === undefined) return;
        const { rates, label } = standing;
        results.push({ ...label, rate: median(rates), spread: spreadOf(rates), samples: rates });
      });
    }
  }
  sides.forEach((results, side) => tell(writeResults('compared', results, json === undefined ? undefined : join(json, `${SIDES[side]}.json`), SIDES[side])));
  return sides;
}

/** @param {Results[]} sides */
function report([older, newer]) {
  const isInterleaved = older.contest !== undefined && older.contest === newer.contest;
  const before = new Map(older.results.map((result) => [identityOf(result), result]));
  let slower = 0;
  const rows = newer.results.flatMap((result) => {
    const other = before.get(identityOf(result));
    if (other === undefined) return [];
    if (other.keys !== result.keys) throw new Error(`${identityOf(result)}: ${other.keys} keys in one and ${result.keys} in the other, so nothing can be compared.`);
    const { ratio, isRegression, isFaster } = judgePair(other.samples, result.samples, isInterleaved);
    if (isRegression) slower++;
    return [[identityOf(result), formatRate(median(other.samples)), formatRate(median(result.samples)), `${ratio.toFixed(2)} ×`, isRegression ? 'REGRESSION' : isFaster ? 'faster' : 'noise']];
  });
  if (rows.length === 0) throw new Error('No row is in both, so nothing was compared.');
  print(table(['row', ...SIDES, 'ratio', 'verdict'], rows, [1, 2, 3]));
  print(`\n${slower} of ${rows.length} rows regressed; ${isInterleaved ? 'the runs were interleaved' : 'the runs were not interleaved: run two checkouts side by side to be sure'}.`);
  if (slower > 0) process.exitCode = 1;
}

await run(async () => {
  const command = readCommand();
  const [older, newer, ...words] = command.words;
  if (older === undefined || newer === undefined) throw new Error('node bench/compare.mjs <older> <newer> [suite[:job] …], each a checkout that was built or a file of results.');
  const areFolders = [older, newer].map((path) => statSync(path).isDirectory());
  if (areFolders[0] !== areFolders[1]) throw new Error('A checkout can be compared with a checkout, and a file with a file.');
  report(areFolders[0] ? await runBoth([older, newer], command, words) : [older, newer].map((path) => JSON.parse(readFileSync(path, 'utf8'))));
});
