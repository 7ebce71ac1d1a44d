/** The suites and their jobs. A job runs in a process of its own, so that no row sees what another did to the heap, the compiler's feedback or the page cache. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { withFloor } from '../floors/floor-of.mjs';
import { createContext } from './context.mjs';
import { measureRow } from './measure.mjs';
import { PORTABLE } from '../suites/portable.mjs';
import { jobs as targets } from '../suites/targets.mjs';

export const SUITES = { ...PORTABLE, targets };

/** @typedef {keyof typeof SUITES} SuiteName */
/** @typedef {(context: import('./context.mjs').Context) => Promise<{ rows: import('./measure.mjs').Row[], dispose: () => unknown }>} Job */
/** @typedef {{ results: import('./measure.mjs').Result[], figures: import('./figures.mjs').Figure[] }} Outcome */

/**
 * The jobs that words on the command line name: a suite, or a suite and the beginning of a job's name behind a colon.
 * @param {string[]} words
 * @returns {{ suite: SuiteName, job: string }[]}
 */
export function selectJobs(words) {
  const all = /** @type {SuiteName[]} */ (Object.keys(SUITES)).flatMap((suite) => Object.keys(SUITES[suite]).map((job) => ({ suite, job })));
  if (words.length === 0) return all;
  const matches = (/** @type {string} */ word) => all.filter(({ suite, job }) => `${suite}:${job}`.startsWith(word.includes(':') ? word : `${word}:`));
  for (const word of words) {
    if (matches(word).length === 0) throw new Error(`There is no such suite: ${word}. The suites are ${Object.keys(SUITES).join(', ')}; kv:kv_get names a part of one.`);
  }
  const chosen = new Set(words.flatMap(matches));
  return all.filter((entry) => chosen.has(entry));
}

/**
 * Runs a job in this process.
 * @param {SuiteName} suite
 * @param {string} job
 * @param {import('./context.mjs').Settings} settings
 * @returns {Promise<Outcome>}
 */
export async function runJob(suite, job, settings) {
  const context = createContext(settings);
  try {
    if (suite === 'targets') return { results: [], figures: await targets[job](context) };
    const { rows, dispose } = await SUITES[suite][job](context);
    const results = [];
    for (const row of rows) results.push(await measureRow(withFloor(row), context.options));
    await dispose();
    return { results, figures: [] };
  } finally {
    await context.dispose();
  }
}

/**
 * Runs a job in a new process.
 * @param {SuiteName} suite
 * @param {string} job
 * @param {import('./context.mjs').Settings} settings
 * @returns {Promise<Outcome>}
 */
export function runJobApart(suite, job, settings) {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('./worker.mjs', import.meta.url)), { serialization: 'advanced', execArgv: process.execArgv });
    /** @type {Outcome | undefined} */
    let outcome;
    child.on('message', (message) => { outcome = /** @type {Outcome} */ (message); });
    child.on('error', reject);
    child.on('exit', (code) => {
      if (outcome === undefined) reject(new Error(`${suite}:${job} failed (exit ${code})`));
      else resolve(outcome);
    });
    child.send({ suite, job, settings });
  });
}
