/**
 * The benchmark's command.
 *
 *     node bench/run.mjs [suite[:job] …] [--quick] [--smoke] [--keys N] [--seed N] [--folder path] [--json file] [--baseline save|compare]
 *
 * Suites are kv, transactions, scan, recovery, growth and targets; without any, all run. It first runs the store's own tests and stops when one fails, because a figure of a store that is
 * wrong is worth nothing. Raw results are JSON, one file a run. Exits with 1 when something failed or, with `--baseline compare`, when a row has become slower by more than 15 %.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { print, readCommand, run, tell } from './harness/command.mjs';
import { isFullSize } from './harness/context.mjs';
import { runJob, runJobApart, selectJobs } from './harness/jobs.mjs';
import { readBaseline, regressions, saveBaseline } from './report/baseline.mjs';
import { describeEnvironment, hashOfBuild, processorTicks, stealShare } from './report/environment.mjs';
import { writeResults } from './report/results.mjs';
import { figuresTable, isMet, resultsTable } from './report/table.mjs';

const root = fileURLToPath(new URL('../', import.meta.url));
const INVARIANTS = ['test/unit/store.test.ts', 'test/unit/transactions.test.ts', 'test/unit/invariants.test.ts', 'test/unit/invariants-recovery.test.ts', 'test/simulation/scans.test.ts'];

function parse() {
  const { words, settings, json, values } = readCommand(['baseline']);
  const { baseline } = values;
  if (baseline !== undefined && !['save', 'compare'].includes(baseline)) throw new Error('--baseline takes save or compare.');
  const isComplete = words.length === 0 && settings.size !== 'smoke' && values.keys === undefined;
  if (baseline === 'save' && !isComplete) throw new Error('A baseline is saved only from a complete run: leave out the names of suites, --smoke and --keys.');
  return { chosen: selectJobs(words), settings, json, baseline };
}

/** Runs the tests that a figure relies on. @param {import('./harness/context.mjs').Settings} settings */
function validate({ size }) {
  if (size === 'smoke') return 'left out (smoke run)';
  for (const path of INVARIANTS) if (!existsSync(`${root}${path}`)) throw new Error(`There is no ${path}, so nothing was measured.`);
  const result = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...INVARIANTS], { cwd: root, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`The invariants do not hold, so nothing was measured.\n${result.stdout}${result.stderr}`);
  return `${INVARIANTS.join(', ')} passed`;
}

/** The tables of a run, by the first part of the rows' names. @param {import('./harness/measure.mjs').Result[]} results @param {Record<string, number> | undefined} baseline @param {boolean} isJudged @param {string} runtime */
function printGroups(results, baseline, isJudged, runtime) {
  for (const group of new Set(results.map(({ name }) => name.split('/')[0]))) {
    print(`\n## ${group}, in ${runtime}\n\n${resultsTable(results.filter(({ name }) => name.startsWith(`${group}/`)), baseline, isJudged)}`);
  }
}

await run(async () => {
  const { chosen, settings, json, baseline } = parse();
  const before = baseline === 'compare' ? readBaseline(settings) : undefined;
  const environment = describeEnvironment(settings);
  print('## Environment\n');
  for (const [name, value] of Object.entries(environment)) print(`- ${name}: ${value}`);
  const validation = validate(settings);
  print(`- pre-validation: ${validation}`);
  const ticks = processorTicks();

  /** @type {import('./harness/measure.mjs').Result[]} */
  const results = [];
  /** @type {import('./harness/figures.mjs').Figure[]} */
  const figures = [];
  for (const { suite, job } of chosen) {
    tell(`${suite}:${job}`);
    // What a smoke run measures means nothing, so its jobs need no processes of their own.
    const outcome = await (settings.size === 'smoke' ? runJob : runJobApart)(suite, job, settings);
    results.push(...outcome.results);
    figures.push(...outcome.figures);
  }

  const stolen = stealShare(ticks);
  if (stolen !== undefined) print(`- processor time that the machine gave to others while it measured: ${(100 * stolen).toFixed(1)} %`);
  if (hashOfBuild() !== environment.build) throw new Error('dist/ was built anew while the benchmark ran: its figures are of two stores. Run it again.');
  printGroups(results, before, settings.size !== 'smoke', environment.runtime.split(',')[0]);
  const isFull = isFullSize(settings);
  if (figures.length > 0) {
    print(`\n## Aims\n\n${figuresTable(figures, isFull)}`);
    if (isFull) print(`\n${figures.filter(isMet).length} of ${figures.length} met`);
  }
  tell(`\n${writeResults('rows', { environment, validation, results, figures }, json)}`);
  if (baseline === 'save') print(`\nBaseline saved: ${saveBaseline(settings, environment, results)}`);
  if (before !== undefined) {
    const slower = regressions(results, before);
    print(`\n${slower.length === 0 ? 'No regression against the baseline' : `Regressions: ${slower.join('; ')}`}`);
    if (slower.length > 0) process.exitCode = 1;
  }
});
