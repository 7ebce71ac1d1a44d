/** Suites that run inside a worker of a browser: the contract of devices and of stores, random histories, and those of the engine. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch, openPage, type BrowserName } from './browsers.js';
import type { Report } from './runner.js';
import { Site, bundleForBrowser, page } from './site.js';
import { withBrowsers } from './with-browsers.js';

/** Each with the least number of its tests, and where it runs. */
type Suite = readonly [name: string, least: number, place: 'page' | 'worker', only?: BrowserName];
const SUITES: readonly Suite[] = [['device', 19, 'worker'], ['store', 58, 'worker'], ['model', 9, 'worker'], ['engine', 208, 'worker']];
/** What pages use runs in a page, and in Chromium in a worker too, which then starts a worker of its own. */
const PAGE_SUITES: readonly Suite[] = [['page', 74, 'page'], ['copies', 10, 'page'], ['page', 74, 'worker', 'chromium'], ['copies', 10, 'worker', 'chromium']];

let site: Site;
const folder = mkdtempSync(join(tmpdir(), 'varve-browser-'));
beforeAll(async () => {
  site = await Site.start();
  for (const [name] of [...SUITES, ...PAGE_SUITES.slice(0, 2)]) {
    site.addScript(`/test/suites/${name}.js`, await bundleForBrowser(`test/browser/suites/${name}.ts`));
    const script = `import { run } from './${name}.js'; run().then((report) => postMessage(report));`;
    site.addScript(`/test/suites/${name}.worker.js`, script);
    site.add(`/suite/${name}/page`, page(`import { run } from '/test/suites/${name}.js'; window.report = run();`));
    site.add(`/suite/${name}/worker`, page(`
      const worker = new Worker('/test/suites/${name}.worker.js', { type: 'module' });
      window.report = new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = (event) => reject(new Error(event.message));
      });`));
  }
});
afterAll(async () => {
  await site.stop();
  rmSync(folder, { recursive: true, force: true });
});

withBrowsers(['chromium', 'firefox'], (name) => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch(name, join(folder, name));
  });
  afterAll(() => browser.close());

  const places = [...SUITES, ...PAGE_SUITES].filter((suite) => suite[3] === undefined || suite[3] === name).map(([suite, least, place]) => ({ suite, least, place }));
  test.each(places)('$suite, in a $place', async ({ suite, least, place }) => {
    const tab = await openPage(browser, site.address(`/suite/${suite}/${place}`));
    const report = await tab.evaluate(() => (window as unknown as { report: Promise<Report> }).report);
    await tab.close();
    expect(report.failed).toEqual([]);
    expect(report.passed.length).toBeGreaterThanOrEqual(least);
  }, 300_000);
});
