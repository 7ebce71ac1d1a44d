/** A browser in a contest: its pages are driven, and what their contestants answer comes back here, where the rounds are held. */

/** @typedef {import('../contest/rounds.mjs').Asked} Asked */

/** A contestant inside a page. @implements {Asked} */
export class DrivenContestant {
  /** @param {import('puppeteer-core').Page} page @param {string} name */
  constructor(page, name) {
    this.page = page;
    this.name = name;
  }

  /** @param {object} message */
  ask(message) {
    return this.page.evaluate((name, told) => /** @type {any} */ (globalThis).bench.ask(name, told), this.name, message);
  }
}

/**
 * A contestant whose page is loaded anew before each sample, and opens the store that it has made before: once closed in order, once left as it was by whoever had it.
 * @implements {Asked}
 */
export class ReloadingContestant {
  /** @param {import('puppeteer-core').Page} page @param {string} name @param {number} keyCount */
  constructor(page, name, keyCount) {
    this.page = page;
    this.name = name;
    this.keyCount = keyCount;
  }

  /** @param {any} message @returns {Promise<any>} */
  async ask({ command, work }) {
    if (command === 'dispose') return { figures: {} };
    if (command === 'prepare') {
      await this.page.evaluate((name, count) => /** @type {any} */ (globalThis).bench.opening.make(name, count), this.name, this.keyCount);
      const label = { what: 'a page that was just loaded, to its first value', keys: this.keyCount, valueSize: 100, durability: 'buffered' };
      return { works: ['open/closed', 'open/not closed'], labels: { 'open/closed': label, 'open/not closed': { ...label, what: `${label.what}, after a reload in the middle` } } };
    }
    await this.page.reload();
    await ready(this.page);
    const milliseconds = await this.page.evaluate((name, count, isClosed) => /** @type {any} */ (globalThis).bench.opening.open(name, count, isClosed), this.name, this.keyCount, work === 'open/closed');
    return { rate: 1000 / milliseconds };
  }
}

/** Waits until a page of the benchmark can be driven. @param {import('puppeteer-core').Page} page */
export async function ready(page) {
  await page.waitForFunction(() => /** @type {any} */ (globalThis).bench !== undefined);
}
