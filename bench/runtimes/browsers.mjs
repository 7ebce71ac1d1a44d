/** The browsers beside the other runtimes: each is started once, on a profile of its own, and each job has a page and a worker of its own there. */
import { join } from 'node:path';
import { CHROMIUM_FLAGS, loadBrowsers } from '../browser/browsers.mjs';
import { DrivenContestant, ready } from '../browser/drive.mjs';
import { suiteSite } from '../browser/site.mjs';

/** By the names of their columns. @type {Record<string, import('../browser/browsers.mjs').BrowserName>} */
const BROWSERS = { Chromium: 'chromium', Firefox: 'firefox' };

export const browserNames = Object.keys(BROWSERS);

/** A job in a worker of a page that was made for it. */
class SuiteContestant extends DrivenContestant {
  /** @param {object} message @returns {Promise<any>} */
  async ask(message) {
    try {
      return await super.ask(message);
    } catch (error) {
      throw new Error(`${this.name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }

  async end() {
    // A page whose browser has ended cannot be closed; that it has is what the call before was told.
    await this.page.close().catch(() => undefined);
  }
}

/** @typedef {import('../contest/contest.mjs').Guest & { name: string, version: string }} BrowserRuntime */

/**
 * Starts browsers, those that there are. What is made for them is in `folder`, and is ended by `stop`.
 * @param {string[]} names of columns @param {string} folder
 * @returns {Promise<{ runtimes: BrowserRuntime[], missing: string[], stop: () => Promise<void> }>} `missing` says of each that is not installed what to do
 */
export async function startBrowsers(names, folder) {
  const { launch, pathOf } = await loadBrowsers();
  const missing = names.filter((name) => pathOf(BROWSERS[name]) === undefined);
  const there = names.filter((name) => !missing.includes(name));
  /** @type {(() => Promise<void>)[]} */
  const ends = [];
  const stop = async () => {
    for (const end of ends.splice(0).toReversed()) await end();
  };
  /** @type {BrowserRuntime[]} */
  const runtimes = [];
  try {
    const site = there.length === 0 ? undefined : await suiteSite();
    if (site !== undefined) ends.push(site.stop);
    for (const name of there) {
      const browser = await launch(BROWSERS[name], join(folder, name), CHROMIUM_FLAGS);
      ends.push(() => browser.close());
      const enter = async () => {
        const page = await browser.newPage();
        await page.goto(/** @type {{ address: string }} */ (site).address);
        await ready(page);
        await page.evaluate((told) => /** @type {any} */ (globalThis).bench.enter(told), name);
        return new SuiteContestant(page, name);
      };
      runtimes.push({ name, version: (await browser.version()).replace(/^.*\//, ''), enter });
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { runtimes, missing: missing.map((name) => `${name} is not installed: set VARVE_${BROWSERS[name].toUpperCase()} to its path`), stop };
}
