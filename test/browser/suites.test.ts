/** Suites that run inside a worker of a browser: the contract of devices and of stores, random histories, and those of the engine. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch, openPage, withBrowsers } from './browsers.js';
import type { Report } from './runner.js';
import { Site, bundleForBrowser, page } from './site.js';

/** Each with the least number of its tests. */
const SUITES = [['device', 19], ['store', 58], ['model', 9], ['engine', 208]] as const;

let site: Site;
const folder = mkdtempSync(join(tmpdir(), 'varve-browser-'));
beforeAll(async () => {
  site = await Site.start();
  for (const [name] of SUITES) {
    site.addScript(`/test/suites/${name}.js`, await bundleForBrowser(`test/browser/suites/${name}.ts`));
    const script = `import { run } from './${name}.js'; run().then((report) => postMessage(report));`;
    site.addScript(`/test/suites/${name}.worker.js`, script);
    site.add(`/suite/${name}`, page(`
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

  test.each(SUITES)('%s', async (suite, least) => {
    const tab = await openPage(browser, site.address(`/suite/${suite}`));
    const report = await tab.evaluate(() => (window as unknown as { report: Promise<Report> }).report);
    await tab.close();
    expect(report.failed).toEqual([]);
    expect(report.passed.length).toBeGreaterThanOrEqual(least);
  }, 300_000);
});
