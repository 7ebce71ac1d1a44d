/**
 * The benchmark's rows in every runtime, side by side: `node bench/runtimes/run.mjs [suite[:job] …] [--only a,b] [--quick] [--smoke] [--keys N] [--seed N] [--folder path] [--json file]`.
 *
 * Each job runs in one process a runtime, which take their samples round by round. Installs the runtimes, if they are not there yet, in a package of their own.
 */
import { contest, ratioOf } from '../contest/contest.mjs';
import { print, readCommand, run, tell } from '../harness/command.mjs';
import { optionsOf } from '../harness/context.mjs';
import { selectJobs } from '../harness/jobs.mjs';
import { median } from '../harness/statistics.mjs';
import { describeEnvironment } from '../report/environment.mjs';
import { writeResults } from '../report/results.mjs';
import { formatRate, table } from '../report/table.mjs';
import { installedRuntimes } from './executables.mjs';

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

await run(async () => {
  const { words, settings, json, values } = readCommand(['only']);
  const all = installedRuntimes();
  const only = values.only?.split(',');
  for (const name of only ?? []) if (!all.some((runtime) => runtime.name === name)) throw new Error(`There is no such runtime: ${name}. The runtimes are ${all.map((runtime) => runtime.name).join(', ')}.`);
  const runtimes = all.filter(({ name }) => only?.includes(name) ?? true);
  const environment = { ...describeEnvironment(settings), runtimes: runtimes.map(({ name, version }) => `${name} (${version})`).join(', ') };
  print('## Environment\n');
  for (const [name, value] of Object.entries(environment)) print(`- ${name}: ${value}`);
  const { rounds, warmups } = optionsOf(settings);
  /** @type {Record<string, Record<string, Standing>>} */
  const standings = {};
  for (const { suite, job } of selectJobs(words).filter(({ suite: name }) => name !== 'targets' && name !== 'growth')) {
    tell(`${suite}:${job}`);
    const outcome = await contest(runtimes.map(({ name, command }) => ({ name, command, module })), { suite, job }, settings, { rounds: Math.min(ROUNDS_MAX, rounds), warmups: Math.min(1, warmups) });
    Object.assign(standings, outcome.standings);
  }
  const names = runtimes.map(({ name }) => name);
  print(`\n## Runtimes side by side\n\nBehind a rate: how many times as fast as in ${names[0]}, the median of the rounds' own ratios.\n\n${sideBySide(standings, names)}`);
  tell(`\n${writeResults('runtimes', { environment, names, standings }, json)}`);
});
