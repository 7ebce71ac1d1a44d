/** The contest in one browser: its groups one after another, each with Node where Node takes part. */
import { fileURLToPath } from 'node:url';
import { Contestant } from '../contest/contest.mjs';
import { holdRounds } from '../contest/rounds.mjs';
import { createPlan } from '../harness/sizes.mjs';
import { DrivenContestant, ready, ReloadingContestant } from './drive.mjs';
import { GROUPS } from './rows/groups.mjs';

const nodeModule = fileURLToPath(new URL('./node.mjs', import.meta.url));
const OPENING = ['varve', 'SQLite', 'IndexedDB'];
const RECORDS = 100_000;

/** @typedef {Record<string, Record<string, import('../contest/rounds.mjs').Standing>>} Standings */

/** All groups, in the order in which they run. */
export const groupNames = [...Object.keys(GROUPS), 'open'];

/**
 * Runs a group in a browser.
 * @param {import('puppeteer-core').Browser} browser @param {string} address of the site @param {string} group
 * @param {import('../harness/context.mjs').Settings} settings
 */
export async function contestIn(browser, address, group, settings) {
  const { rounds, warmups } = createPlan(settings).options;
  const page = await browser.newPage();
  try {
    await page.goto(address);
    await ready(page);
    if (group === 'open') {
      const count = createPlan(settings).keys(RECORDS);
      return await holdRounds(OPENING.map((name) => new ReloadingContestant(page, name, count)), { group }, settings, { rounds: Math.min(9, rounds), warmups: 1 });
    }
    const { subjects, place, roundsMax } = GROUPS[group];
    /** @type {Contestant[]} */
    const processes = [];
    try {
      const contestants = [];
      for (const name of subjects) {
        if (name === 'Node') {
          processes.push(new Contestant({ name, command: [process.execPath], module: nodeModule }));
          contestants.push(/** @type {Contestant} */ (processes.at(-1)));
          continue;
        }
        await page.evaluate((subject, where) => /** @type {any} */ (globalThis).bench.enter(subject, where), name, place);
        contestants.push(new DrivenContestant(page, name));
      }
      return await holdRounds(contestants, { group }, settings, { rounds: Math.min(roundsMax, rounds), warmups: Math.min(2, warmups) });
    } finally {
      await page.evaluate(() => /** @type {any} */ (globalThis).bench.end());
      for (const one of processes) await one.end();
    }
  } finally {
    await page.close();
  }
}
