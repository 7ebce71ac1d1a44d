/**
 * The benchmark's rows in every runtime, side by side: `node bench/runtimes/run.mjs [suite[:job] …] [--only a,b] [--quick] [--smoke] [--keys N] [--seed N] [--folder path] [--json file]`.
 *
 * Each job runs in one process a runtime, or in one worker a browser, which take their samples round by round. Installs the runtimes, if they are not there yet, in a package of their own; browsers are those of the
 * operating system, and one that is not there has no column.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { contest, ratioOf } from '../contest/contest.mjs';
import { print, readCommand, run, tell } from '../harness/command.mjs';
import { optionsOf } from '../harness/context.mjs';
import { selectJobs } from '../harness/jobs.mjs';
import { median } from '../harness/statistics.mjs';
import { describeEnvironment } from '../report/environment.mjs';
import { writeResults } from '../report/results.mjs';
import { formatRate, table } from '../report/table.mjs';
import { browserNames, startBrowsers } from './browsers.mjs';
import { installedRuntimes, runtimeNames } from './executables.mjs';

const module = new URL('../contest/suite.mjs', import.meta.url).href;
const ROUNDS_MAX = 5;

/** @typedef {import('../contest/contest.mjs').Standing} Standing */

/** @param {Record<string, Record<string, Standing>>} standings @param {string[]} names the first is what the others are held against */
function sideBySide(standings, names) {
  const rows = Object.values(standings).map((among) => {
    const { label } = Object.values(among)[0];
    return [label.name, label.what, label.durability, label.keys.toLocaleString('en'), `${label.valueSize}`, ...names.map((name, column) => {
      const standing = among[name];
      if (standing === undefined) return '–';
      const rate = formatRate(median(standing.rates));
      return column === 0 || among[names[0]] === undefined ? rate : `${rate}: ${ratioOf(standing, among[names[0]]).toFixed(2)} ×`;
    })];
  });
  return table(['row', 'call', 'durability', 'keys', 'value', ...names], rows, [3, 4, ...names.map((_, column) => 5 + column)]);
}

/** @param {import('../harness/command.mjs').Command} command @param {string[]} wanted @param {string} folder for the profiles of browsers */
async function hold({ words, settings, json }, wanted, folder) {
  const jobs = selectJobs(words).filter(({ suite }) => suite !== 'targets' && suite !== 'growth');
  if (jobs.length === 0) throw new Error('The suites growth and targets are no part of this table: npm run bench runs them.');
  const processes = installedRuntimes(wanted);
  const { runtimes: browsers, missing, stop } = await startBrowsers(browserNames.filter((name) => wanted.includes(name)), folder);
  try {
    const runtimes = [...processes, ...browsers];
    for (const reason of missing) tell(`Left out: ${reason}.`);
    if (runtimes.length === 0) throw new Error('None of the runtimes that were asked for is installed, so nothing was run.');
    const environment = { ...describeEnvironment(settings), runtimes: runtimes.map(({ name, version }) => `${name} (${version})`).join(', '), ...(missing.length === 0 ? {} : { 'left out': missing.join('; ') }) };
    print('## Environment\n');
    for (const [name, value] of Object.entries(environment)) print(`- ${name}: ${value}`);
    const { rounds, warmups } = optionsOf(settings);
    const entrants = [...processes.map(({ name, command }) => ({ name, command, module })), ...browsers];
    /** @type {Record<string, Record<string, Standing>>} */
    const standings = {};
    for (const { suite, job } of jobs) {
      tell(`${suite}:${job}`);
      const outcome = await contest(entrants, { suite, job }, settings, { rounds: Math.min(ROUNDS_MAX, rounds), warmups: Math.min(1, warmups) });
      Object.assign(standings, outcome.standings);
    }
    const names = runtimes.map(({ name }) => name);
    print(`\n## Runtimes side by side\n\nBehind a rate: how many times as fast as in ${names[0]}, the median of the rounds' own ratios.\n\n${sideBySide(standings, names)}`);
    tell(`\n${writeResults('runtimes', { environment, names, standings }, json)}`);
  } finally {
    await stop();
  }
}

await run(async () => {
  const command = readCommand(['only']);
  const all = [...runtimeNames, ...browserNames];
  const wanted = command.values.only?.split(',') ?? all;
  for (const name of wanted) if (!all.includes(name)) throw new Error(`There is no such runtime: ${name}. The runtimes are ${all.join(', ')}.`);
  const folder = mkdtempSync(join(command.settings.folder, 'varve-bench-runtimes-'));
  try {
    await hold(command, wanted, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
