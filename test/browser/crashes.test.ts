/** What real browsers do to a store: processes that are killed in the middle of a write, quota, data that is cleared, policies, and private windows. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kill, launch } from './browsers.js';
import { Site } from './site.js';
import { addTabPage, Tab, type TabGlobals } from './tabs.js';
import { withBrowsers } from './with-browsers.js';

let site: Site;
const folder = mkdtempSync(join(tmpdir(), 'varve-crashes-'));
beforeAll(async () => {
  site = await Site.start();
  addTabPage(site);
});
afterAll(async () => {
  await site.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** How often the browser is killed. `VARVE_BROWSER_KILLS` says otherwise. */
const KILLS = Number(process.env['VARVE_BROWSER_KILLS'] ?? 2);

/** Begins to write batches of three keys in a tab, several on their way at once, and tells of each that is acknowledged. */
async function beginWriting(tab: Tab, life: number, onAcknowledged: (number: number) => void): Promise<void> {
  await tab.page.exposeFunction('acknowledged', onAcknowledged);
  await tab.run((which) => {
    const { db } = window as unknown as TabGlobals;
    const { acknowledged } = window as unknown as { acknowledged(number: number): void };
    let next = 0;
    const write = async (): Promise<void> => {
      for (;;) {
        const number = next++;
        const value = new Uint8Array(100 + (number % 50) * 200).fill(number);
        await db.batch([0, 1, 2].map((part) => ({ type: 'put' as const, key: [which, number, part], value })));
        acknowledged(number);
      }
    };
    for (let writer = 0; writer < 8; writer++) write().catch(() => undefined);
  }, life);
}

/** Checks what a store holds of one life: acknowledged batches are there, and each batch that is there is whole. */
async function judge(tab: Tab, life: number, acknowledged: readonly number[]): Promise<void> {
  const found = await tab.run(async (which) => {
    const { db } = window as unknown as TabGlobals;
    await db.verify();
    const parts: [number, number][] = [];
    for await (const { key, value } of db.scan({ prefix: [which] })) {
      const [, number, part] = key as [number, number, number];
      if ((value as Uint8Array).some((byte) => byte !== number % 256)) throw new Error(`${number} has another's bytes`);
      parts.push([number, part]);
    }
    return parts;
  }, life);
  const counts = new Map<number, number>();
  for (const [number] of found) counts.set(number, (counts.get(number) ?? 0) + 1);
  for (const [number, count] of counts) expect(count, `batch ${number} of life ${life} is whole`).toBe(3);
  for (const number of acknowledged) expect(counts.has(number), `batch ${number} of life ${life} was acknowledged`).toBe(true);
}

withBrowsers(['chromium', 'firefox'], (name) => {
  const profile = join(folder, name);

  test('the whole browser is killed in the middle of writing, again and again, and nothing acknowledged is lost', async () => {
    for (const durability of ['strict', 'buffered']) {
      const path = `crash-${durability}.varve`;
      const lives: number[][] = [];
      for (let life = 0; life <= KILLS; life++) {
        const browser = await launch(name, profile);
        const tab = await Tab.open(browser, site);
        await tab.openStore(path, { durability });
        const recovery = await tab.run(() => (window as unknown as TabGlobals).db.recovery);
        expect(recovery.created).toBe(life === 0);
        for (const [before, acknowledged] of lives.entries()) await judge(tab, before, acknowledged);
        if (life === KILLS) {
          await browser.close();
          break;
        }
        const acknowledged: number[] = [];
        await beginWriting(tab, life, (number) => acknowledged.push(number));
        const least = 20 + life * 37;
        while (acknowledged.length < least) await new Promise((resolve) => setTimeout(resolve, 5));
        lives.push(acknowledged);
        await kill(browser);
      }
    }
  }, 600_000);

  test('a policy that forbids the worker, or compiling, gets a message that names the directive', async () => {
    const browser = await launch(name, profile);
    try {
      for (const [index, [policy, said]] of ([
        ["script-src 'self'", "'wasm-unsafe-eval' in script-src"],
        ["default-src 'self'", "'wasm-unsafe-eval' in script-src"],
        ["script-src 'self' blob:; worker-src blob:", "'wasm-unsafe-eval' in script-src"],
        ["script-src 'self' 'wasm-unsafe-eval'", 'blob: in worker-src'],
        ["default-src 'self'; script-src 'self' 'wasm-unsafe-eval'", 'blob: in worker-src'],
        ["script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'", 'blob: in worker-src'],
      ] as const).entries()) {
        const path = `/policy-${index}`;
        addTabPage(site, path, { 'content-security-policy': policy });
        const tab = await Tab.open(browser, site, path);
        const told = await tab.run(async () => {
          const { varve } = window as unknown as TabGlobals;
          return varve.open('policy.varve').then(() => ['opened', ''], (error: { code: string; message: string }) => [error.code, error.message]);
        });
        expect(told[0], policy).toBe('VARVE_PLATFORM');
        expect(told[1], policy).toContain(said);
        await tab.close();
      }
      addTabPage(site, '/own-worker', { 'content-security-policy': "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'" });
      const tab = await Tab.open(browser, site, '/own-worker');
      expect(await tab.run(async () => {
        const { varve } = window as unknown as TabGlobals;
        const db = await varve.open('policy.varve', { worker: () => new Worker('/dist/worker.js', { type: 'module' }) });
        await db.put('a', 1);
        const value = await db.get('a');
        await db.close();
        return value;
      })).toBe(1);
    } finally {
      await browser.close();
    }
  });

  if (name !== 'chromium') return;

  const withTab = async (run: (tab: Tab, browser: Browser) => Promise<void>): Promise<void> => {
    const browser = await launch(name, profile);
    try {
      await run(await Tab.open(browser, site), browser);
    } finally {
      await browser.close();
    }
  };

  test('a quota that is used up is a FullError, and the store goes on when there is room (F-70)', () => withTab(async (tab) => {
    await tab.openStore('quota.varve', { durability: 'buffered' });
    await tab.run(() => (window as unknown as TabGlobals).db.put('before', 1));
    const session = await tab.page.createCDPSession();
    const { usage } = await session.send('Storage.getUsageAndQuota', { origin: site.address('') });
    await session.send('Storage.overrideQuotaForOrigin', { origin: site.address(''), quotaSize: usage + 3_000_000 });
    const full = await tab.run(async () => {
      const { db } = window as unknown as TabGlobals;
      for (let number = 0; number < 400; number++) {
        try {
          await db.put(['filling', number], new Uint8Array(50_000).fill(1));
        } catch (error) {
          const after = await db.get('before');
          return { code: (error as { code: string }).code, number, after, refused: await db.has(['filling', number]) };
        }
      }
      return undefined;
    });
    expect(full).toMatchObject({ code: 'VARVE_FULL', after: 1, refused: false });
    await session.send('Storage.overrideQuotaForOrigin', { origin: site.address('') });
    expect(await tab.run(async (last) => {
      const { db } = window as unknown as TabGlobals;
      await db.put('after', 2);
      await db.flush();
      await db.verify();
      return [await db.get('after'), await db.count({ prefix: ['filling'] }) === last];
    }, full!.number)).toEqual([2, true]);
  }));

  test('data that is cleared while the store is open stops it, and no empty store takes its place (F-69)', () => withTab(async (tab) => {
    await tab.openStore('cleared.varve');
    await tab.run(() => (window as unknown as TabGlobals).db.put('a', 1));
    const root = await tab.run(async () => {
      const folder = await navigator.storage.getDirectory();
      // Who clears the data of a site removes the file beneath the handle, as this does where the browser lets it.
      return folder.removeEntry('cleared.varve').then(() => 'removed', (error: Error) => error.name);
    });
    expect(root).toBe('NoModificationAllowedError');
    const session = await tab.page.createCDPSession();
    await session.send('Storage.clearDataForOrigin', { origin: site.address(''), storageTypes: 'all' });
    const told = await tab.run(async () => {
      const { db } = window as unknown as TabGlobals;
      const codes: string[] = [];
      for (let number = 0; number < 100 && codes.length < 3; number++) {
        await db.put('b', number).catch((error: { code: string }) => codes.push(error.code));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return codes;
    });
    expect(told[0]).toMatch(/VARVE_(OUTCOME_UNKNOWN|POISONED|IO|NOT_FOUND)/);
    expect(told.slice(1)).toEqual(['VARVE_NOT_FOUND', 'VARVE_NOT_FOUND']);
  }));

  test('a private window: a store works, says that it is not persistent, and ends with the window', () => withTab(async (tab, browser) => {
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    await page.goto(site.address('/tab'));
    await page.waitForFunction(() => (window as unknown as { isReady?: boolean }).isReady === true);
    const seen = await page.evaluate(async () => {
      const { varve } = window as unknown as TabGlobals;
      const db = await varve.open('private.varve', { persist: true });
      await db.put('a', 1);
      return [db.persistent, await db.get('a')];
    });
    expect(seen).toEqual([false, 1]);
    await context.close();
    expect(await tab.run(async () => (window as unknown as TabGlobals).varve.open('private.varve', { create: false }).then(() => 'opened', (error: { code: string }) => error.code))).toBe('VARVE_NOT_FOUND');
  }));
});
