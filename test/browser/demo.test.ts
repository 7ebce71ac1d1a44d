/** The page that shows the store, driven as a person would: loading, searching, editing, a second tab, the past, the benchmark; with the keyboard alone, by a screen reader's rules, and on a phone. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launch } from './browsers.js';
import { root } from './site.js';
import { withBrowsers } from './with-browsers.js';

interface Site {
  readonly address: string;
  stop(): Promise<void>;
}

/** The site of the page, which is JavaScript without declarations. */
const part = (path: string): Promise<any> => import(new URL(`../../${path}`, import.meta.url).href);

const folder = mkdtempSync(join(tmpdir(), 'varve-demo-'));
const CITY_COUNT = 135_233;
let site: Site;
let axe: string;
beforeAll(async () => {
  const { serve } = await part('bench/browser/site.mjs');
  const { demoFiles } = await part('examples/demo/serve.mjs');
  site = await serve(await demoFiles());
  axe = readFileSync(join(root, 'bench/browser/node_modules/axe-core/axe.min.js'), 'utf8');
}, 300_000);
afterAll(async () => {
  await site.stop();
  rmSync(folder, { recursive: true, force: true });
});

const textOf = (page: Page, id: string): Promise<string> => page.$eval(`#${id}`, (found) => found.textContent);

/** Waits until an element says something. */
async function says(page: Page, id: string, what: RegExp, timeout = 30_000): Promise<string> {
  try {
    await page.waitForFunction((where, source, flags) => new RegExp(source, flags).test(document.getElementById(where)!.textContent), { timeout }, id, what.source, what.flags);
  } catch (error) {
    throw new Error(`#${id} says “${await textOf(page, id)}”, not ${String(what)}`, { cause: error });
  }
  return textOf(page, id);
}

const results = (page: Page): Promise<string[]> => page.$$eval('#results button', (buttons) => buttons.map((button) => button.textContent));

/** Types into the search in place of what stands there, and waits for what comes of it. */
async function search(page: Page, text: string, said: RegExp): Promise<string[]> {
  await page.$eval('#query', (input) => { (input as HTMLInputElement).value = ''; });
  await page.type('#query', text);
  // What was found for a part of the text may read the same.
  await page.waitForSelector('#results[aria-busy="false"]');
  await says(page, 'search-output', said);
  return results(page);
}

/** Sets a slider as a hand does. */
async function slide(page: Page, id: string, to: number | 'first' | 'last'): Promise<void> {
  await page.$eval(`#${id}`, (found, where) => {
    const slider = found as HTMLInputElement;
    slider.value = where === 'first' ? slider.min : where === 'last' ? slider.max : String(where);
    slider.dispatchEvent(new Event('input', { bubbles: true }));
  }, to);
}

async function fill(page: Page, id: string, text: string): Promise<void> {
  await page.$eval(`#${id}`, (input) => (input as HTMLInputElement).select());
  await page.type(`#${id}`, text);
}

/** What is wrong with a page by the rules of axe, each with the places where it is. */
async function violationsOf(page: Page): Promise<unknown[]> {
  // The policy of the page forbids scripts that are no files of its own; the driver's own world does not ask it.
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { violations } = await (window as unknown as { axe: { run(options: object): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }> } }).axe.run({ resultTypes: ['violations'] });
    return violations.map(({ id, nodes }) => ({ id, where: nodes.map(({ html, failureSummary }) => `${html}: ${failureSummary}`) }));
  });
}

test('the command prints where the page is, which comes under a policy of its own; a port that is taken is said to be', async () => {
  const command = (port: string): ChildProcessWithoutNullStreams => spawn(process.execPath, ['examples/demo/serve.mjs', '--port', port], { cwd: root });
  const first = command('0');
  try {
    const [, address] = /^varve in a browser: (http:\/\/localhost:\d+)\n/.exec(String((await once(first.stdout, 'data'))[0])) ?? [];
    const answer = await fetch(address!);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    const second = command(new URL(address!).port);
    const said = once(second.stderr, 'data');
    expect(await once(second, 'exit')).toEqual([1, null]);
    expect(String((await said)[0])).toMatch(/^Port \d+ is taken\./);
  } finally {
    first.kill();
  }
});

withBrowsers(['chromium', 'firefox'], (name) => {
  let browser: Browser;
  let page: Page;
  const errors: string[] = [];
  const openTab = async (): Promise<Page> => {
    const tab = await browser.newPage();
    tab.on('pageerror', (error) => errors.push(String(error)));
    tab.on('console', (message) => { if (message.type() === 'error') errors.push(message.text()); });
    await tab.setViewport({ width: 1200, height: 900 });
    await tab.goto(site.address);
    await says(tab, 'status', /^Open in \d+ ms/);
    await tab.waitForFunction(() => !(document.getElementById('churn') as HTMLButtonElement).disabled);
    return tab;
  };
  beforeAll(async () => {
    browser = await launch(name, join(folder, name));
    page = await openTab();
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    expect(errors).toEqual([]);
  });

  test('cities are loaded, with a bar that moves', async () => {
    expect(await textOf(page, 'load-output')).toBe('none yet');
    await page.evaluate(() => {
      const seen = (window as unknown as { seen: Set<number> }).seen = new Set<number>();
      const bar = document.getElementById('load-progress') as HTMLProgressElement;
      new MutationObserver(() => seen.add(bar.value)).observe(bar, { attributes: true });
    });
    await page.click('#load-button');
    await says(page, 'load-output', /^135,233 cities, in .* s, and flushed$/, 120_000);
    expect(await page.evaluate(() => (window as unknown as { seen: Set<number> }).seen.size)).toBeGreaterThan(100);
    expect(await page.$eval('#load-progress', (bar) => (bar as HTMLProgressElement).value)).toBe(CITY_COUNT);
    expect(await says(page, 'figures', /keys135,369/)).toMatch(/version136/);
  }, 180_000);

  test('what is typed is looked for in order, without accents and case', async () => {
    expect((await search(page, 'Reykjav', /^[12] in order/))[0]).toMatch(/^Reykjav.kIS · [\d,]+$/);
    const found = await search(page, 'zurich', /^The first 50/);
    expect(found[0]).toBe('ZürichCH · 341,730');
    expect(found.every((text) => text.startsWith('Zürich'))).toBe(true);
    expect(await search(page, 'zzzzz', /^No city begins like that\.$/)).toEqual([]);
  });

  test('a record is edited in a transaction; a second tab sees it, and edits it too; who comes late is told and overwrites nothing', async () => {
    await search(page, 'zurich', /^The first 50/);
    await page.click('#results button');
    await says(page, 'record-name', /^Zürich$/);
    await fill(page, 'population', '400000');
    await fill(page, 'remark', 'at the lake');
    await page.click('#save');
    await says(page, 'edit-output', /^Committed, in /);
    await says(page, 'feed', /Zürich: 341,730 people → 400,000 people, “at the lake” · this tab/);

    const other = await openTab();
    expect(await textOf(other, 'status')).toMatch(/This tab is called/);
    expect((await search(other, 'zurich', /^The first 50/))[0]).toBe('ZürichCH · 400,000');
    await other.click('#results button');
    await says(other, 'record-name', /^Zürich$/);
    await fill(other, 'population', '412345');
    await other.click('#save');
    await says(other, 'edit-output', /^Committed, in /);
    await page.bringToFront();
    await says(page, 'feed', /→ 412,345 people, “at the lake” · another tab, \w{4}/);
    await page.waitForFunction(() => (document.getElementById('population') as HTMLInputElement).value === '412345');
    expect((await results(page))[0]).toBe('ZürichCH · 412,345');

    // Two that begin from one version: the first wins, and the second writes nothing, and says why.
    await page.evaluate(() => {
      const form = document.getElementById('edit') as HTMLFormElement;
      for (const value of ['1', '2']) {
        (document.getElementById('population') as HTMLInputElement).value = value;
        form.requestSubmit();
      }
    });
    await says(page, 'edit-output', /^It was changed meanwhile, .* Nothing was written\.$/);
    for (const tab of [page, other]) {
      await tab.bringToFront();
      await tab.waitForFunction(() => (document.getElementById('population') as HTMLInputElement).value === '1');
      expect(await says(tab, 'feed', /→ 1 people/)).not.toContain('→ 2 people');
    }
    await other.close();
  });

  test('one goes back in time, with a record and with the whole store, and forth again', async () => {
    await says(page, 'versions-output', /^\d of \d, the newest/);
    await slide(page, 'versions', 'first');
    await says(page, 'versions-output', /^1 of \d: 341,730 people\. Committed at \d\d:\d\d:\d\d as version \d+\.$/);
    await page.click('#restore');
    await says(page, 'versions-output', /, the newest: 341,730 people\./);

    await slide(page, 'moment', 0);
    await says(page, 'moment-output', /^Version 1, \d\d:\d\d:\d\d: 1,000 cities loaded\. Commit 1 of \d+\.$/);
    await says(page, 'search-output', /^No city begins like that at this moment\.$/);
    expect(await page.$eval('#save', (button) => (button as HTMLButtonElement).disabled)).toBe(true);
    // Behind the first edit.
    await slide(page, 'moment', 136);
    await says(page, 'search-output', /as it was\.$/);
    expect((await results(page))[0]).toBe('ZürichCH · 400,000');
    await says(page, 'record-facts', /as it was; go back to the present to edit$/);
    await page.click('#now');
    await says(page, 'moment-output', /^Now: version /);
    await says(page, 'search-output', /ms\.$/);
    expect((await results(page))[0]).toBe('ZürichCH · 341,730');
  });

  test('everything is there again after a reload', async () => {
    await page.reload();
    expect(await says(page, 'status', /^Open in \d+ ms/)).toMatch(/with 135,\d{3} records/);
    await says(page, 'load-output', /^135,233 of 135,233$/);
    expect((await search(page, 'zurich', /^The first 50/))[0]).toBe('ZürichCH · 341,730');
  });

  test('the keyboard alone finds a record and commits it', async () => {
    await page.focus('#query');
    await page.keyboard.down('Control');
    await page.keyboard.press('a');
    await page.keyboard.up('Control');
    await page.keyboard.type('reykjav');
    await says(page, 'search-output', /^[12] in order/);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await says(page, 'record-name', /^Reykjav/);
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('record-title');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('population');
    // A ring shows where one is.
    expect(await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle)).toBe('solid');
    await page.keyboard.press('Tab');
    await page.keyboard.type('by keyboard');
    await page.keyboard.press('Enter');
    await says(page, 'edit-output', /^Committed, in /);
    await says(page, 'versions-output', /^2 of 2, the newest: .*“by keyboard”/);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('versions');
    await page.keyboard.press('ArrowLeft');
    await says(page, 'versions-output', /^1 of 2: [\d,]+ people\. /);
  });

  test('overwriting gives compaction its work, and time begins anew where more versions were written than are kept', async () => {
    await page.click('#churn');
    await says(page, 'churn-output', /^20,000 commits in /, 60_000);
    await says(page, 'moment-output', /the last of \d{1,2} commits that are kept/);
    expect(await page.$eval('#strata', (picture) => picture.getAttribute('aria-label'))).toMatch(/^\d+ segments of 256 KiB in \d+ slots, \d+ % of their bytes live$/);
    expect(await page.$$eval('#strata rect', (layers) => layers.length)).toBeGreaterThan(50);
  });

  test('the store is compacted by the keyboard, which is said while it goes on and when it is done; or stopped', async () => {
    await page.evaluate(() => {
      const seen: string[] = (window as unknown as { said: string[] }).said = [];
      const [button, output] = ['compact', 'compact-output'].map((id) => document.getElementById(id)!);
      new MutationObserver(() => seen.push(`${button!.textContent}: ${output!.textContent}`)).observe(output!, { childList: true });
    });
    await page.focus('#compact');
    await page.keyboard.press('Enter');
    const done = await says(page, 'compact-output', /^Compacted in [\d.]+ s: .* moved\. The file has [\d.]+ MiB, and had [\d.]+ MiB\.$/, 60_000);
    const [, after] = /has ([\d.]+ MiB),/.exec(done)!;
    await says(page, 'figures', new RegExp(`file${after!}`));
    // The button stays where it is, and keeps the focus.
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Compact');
    await page.evaluate(() => {
      const button = document.getElementById('compact')!;
      button.click();
      button.click();
    });
    await says(page, 'compact-output', /^Stopped: the store is as compact as it got\.$/);
    expect(await page.evaluate(() => (window as unknown as { said: string[] }).said)).toEqual(['Stop: Compacting…', expect.stringMatching(/: Compacted/), 'Stop: Compacting…', expect.stringMatching(/: Stopped/)]);
    await search(page, 'reykjav', /^[12] in order/);
  });

  // Firefox cannot be told of another scheme by the driver.
  const looks = (name === 'chromium' ? ['light', 'dark'] : ['light']).flatMap((scheme) => [1200, 360].map((width) => [scheme, width] as const));
  test.each(looks)('nothing is wrong by the rules of axe, and nothing scrolls sideways: %s, %i pixels', async (scheme, width) => {
    await page.setViewport({ width, height: 800 });
    if (name === 'chromium') await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    expect(await violationsOf(page)).toEqual([]);
  });

  test('the benchmark draws rows of everybody, and can be stopped', async () => {
    await page.click('#race-button');
    await page.waitForFunction(() => document.querySelectorAll('#race-tables tr').length >= 3, { timeout: 120_000 });
    const rows = await page.$$eval('#race-tables tr', (found) => found.map((row) => row.textContent));
    for (const who of ['varve', 'SQLite', 'IndexedDB']) expect(rows.some((row) => new RegExp(`^${who}[\\d.]+( [KM])?/s`).test(row)), who).toBe(true);
    expect(await violationsOf(page)).toEqual([]);
    await page.click('#race-button');
    await says(page, 'race-output', /^Ended before all rows were run\.$/, 60_000);
    expect(await textOf(page, 'race-button')).toBe('Run the benchmark');
  }, 240_000);
});
