/** Many tabs on one store: who has it, what each sees of the others, and what becomes of calls when the tab that has it is closed, crashes, reloads or is frozen. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { launch } from './browsers.js';
import { Site } from './site.js';
import { addTabPage, Tab, type TabGlobals } from './tabs.js';
import { withBrowsers } from './with-browsers.js';

let site: Site;
const folder = mkdtempSync(join(tmpdir(), 'varve-tabs-'));
let fileCount = 0;
beforeAll(async () => {
  site = await Site.start();
  addTabPage(site);
});
afterAll(async () => {
  await site.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Begins a loop of counting transactions in a tab, each of which also puts a key of its own; what came of each is in `kept`. */
function beginCounting(tab: Tab, name: string): Promise<void> {
  return tab.run((who) => {
    const { db, kept } = window as unknown as TabGlobals;
    kept.acknowledged = [];
    kept.codes = {};
    kept.isStopping = false;
    kept.done = (async () => {
      for (let number = 0; !kept.isStopping; number++) {
        try {
          await db.transact(async (tx) => {
            tx.put('count', ((await tx.get('count')) as number | undefined ?? 0) + 1);
            tx.put([who, number], number);
          }, { retries: 1000 });
          kept.acknowledged.push(number);
          // Every tab reads what it has written, whoever has the store by then.
          if (await db.get([who, number]) !== number) kept.codes['NOT MY OWN WRITE'] = number;
        } catch (error) {
          const { code = String(error) } = error as { code?: string };
          kept.codes[code] = (kept.codes[code] ?? 0) + 1;
        }
      }
    })();
  }, name);
}

interface Counted {
  readonly acknowledged: readonly number[];
  readonly codes: Readonly<Record<string, number>>;
}

function endCounting(tab: Tab): Promise<Counted> {
  return tab.run(async () => {
    const { kept } = window as unknown as TabGlobals;
    kept.isStopping = true;
    await kept.done;
    return { acknowledged: kept.acknowledged, codes: kept.codes };
  });
}

const acknowledgedIn = (tab: Tab): Promise<number> => tab.run(() => (window as unknown as TabGlobals).kept.acknowledged.length as number);

/** For how long nothing may happen before a test gives up, in milliseconds: how long all of it takes says more of the machine than of the store. */
const STILL_MAX = 30_000;

/** Waits for something. `progress` is a number that changes as long as it may still come to pass. */
async function until(isTrue: () => Promise<boolean>, progress: () => number = () => 0): Promise<void> {
  let seen = progress();
  for (let end = Date.now() + STILL_MAX; !await isTrue();) {
    if (progress() !== seen) {
      seen = progress();
      end = Date.now() + STILL_MAX;
    }
    if (Date.now() > end) throw new Error(`nothing has happened for ${STILL_MAX} ms, and it did not come to pass`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Waits until each tab has had so many transactions more acknowledged. */
async function advance(tabs: readonly Tab[], by: number): Promise<void> {
  const begun = await Promise.all(tabs.map(acknowledgedIn));
  let counts = begun;
  await until(async () => {
    counts = await Promise.all(tabs.map(acknowledgedIn));
    return counts.every((count, index) => count >= begun[index]! + by);
  }, () => counts.reduce((sum, count) => sum + count, 0));
}

/** Holds what tabs were told against what the store holds: every acknowledged transaction is there, and each was applied once. */
async function judge(reader: Tab, counted: Readonly<Record<string, Counted>>): Promise<void> {
  const found = await reader.run(async () => {
    const { db } = window as unknown as TabGlobals;
    const keys: [string, number][] = [];
    for await (const key of db.keys({ prefix: [] })) keys.push(key as [string, number]);
    await db.verify();
    return { count: await db.get('count') as number, keys };
  });
  expect(found.keys.length, 'each transaction has counted once').toBe(found.count);
  const there = new Set(found.keys.map(String));
  for (const [name, { acknowledged, codes }] of Object.entries(counted)) {
    for (const number of acknowledged) expect(there.has(`${name},${number}`), `${name} ${number}`).toBe(true);
    expect(Object.keys(codes).filter((code) => code !== 'VARVE_OUTCOME_UNKNOWN'), `codes of ${name}`).toEqual([]);
  }
}

withBrowsers(['chromium', 'firefox'], (name) => {
  let browser: Browser;
  const tabs: Tab[] = [];
  const openTabs = async (count: number, path: string, options: object = {}): Promise<Tab[]> => {
    for (let index = 0; index < count; index++) {
      const tab = await Tab.open(browser, site);
      tabs.push(tab);
      await tab.openStore(path, options);
    }
    return tabs;
  };
  beforeAll(async () => {
    browser = await launch(name, join(folder, name));
  });
  afterEach(async () => {
    for (const tab of tabs.splice(0)) if (!tab.page.isClosed()) await tab.close();
  });
  afterAll(() => browser.close());
  const newPath = (): string => `tabs/${fileCount++}.varve`;

  test('every tab sees what every tab writes, at once; watches hear of all; transactions of tabs conflict', async () => {
    const [one, other] = await openTabs(2, newPath());
    await other!.run(() => {
      const { db, kept } = window as unknown as TabGlobals;
      kept.seen = [];
      kept.watching = (async () => {
        for await (const { changes } of db.watch('a')) {
          kept.seen.push(changes[0]!.value);
          if (kept.seen.length === 3) break;
        }
      })();
      return db.put('ready', true);
    });
    for (const [tab, value] of [[one, 1], [other, 2], [one, 3]] as const) {
      await tab!.run((given) => (window as unknown as TabGlobals).db.put('a', given), value);
      for (const reader of [one, other]) expect(await reader!.run(() => (window as unknown as TabGlobals).db.get('a'))).toBe(value);
    }
    expect(await other!.run(async () => {
      const { kept } = window as unknown as TabGlobals;
      await kept.watching;
      return kept.seen;
    })).toEqual([1, 2, 3]);
    await one!.run(async () => {
      const { db, kept } = window as unknown as TabGlobals;
      kept.tx = db.begin();
      kept.tx.put('a', (await kept.tx.get('a')) + 1);
    });
    await other!.run(() => (window as unknown as TabGlobals).db.put('a', 10));
    expect(await one!.run(() => (window as unknown as TabGlobals).kept.tx.commit().catch((error: { code: string }) => error.code))).toBe('VARVE_CONFLICT');
  });

  test('large values and long scans cross between tabs, and a tab that ends gives back what it held', async () => {
    const [one, other] = await openTabs(2, newPath(), { durability: 'buffered' });
    const result = await other!.run(async () => {
      const { db } = window as unknown as TabGlobals;
      await db.put('large', new Uint8Array(2_000_000).fill(7));
      await db.batch(Array.from({ length: 20_000 }, (_, index) => ({ type: 'put' as const, key: index, value: `value ${index}` })));
      let sum = 0;
      for await (const { key } of db.scan({ gte: 0, lt: 20_000 })) sum += key as number;
      const large = await db.get('large') as Uint8Array;
      db.snapshot();
      db.begin();
      return { sum, size: large.length, last: large[1_999_999], open: (await db.stats()).snapshots.open };
    });
    expect(result).toEqual({ sum: 19_999 * 10_000, size: 2_000_000, last: 7, open: 2 });
    await other!.close();
    await until(() => one!.run(async () => (await (window as unknown as TabGlobals).db.stats()).snapshots.open === 0));
  });

  test('a tab that has not the store compacts it, copies it, and moves what it holds out and in', async () => {
    const path = newPath();
    const [, other] = await openTabs(2, path, { durability: 'buffered' });
    const found = await other!.run(async (target) => {
      const { varve, db } = window as unknown as TabGlobals;
      const value = 'x'.repeat(1000);
      for (let round = 0; round < 4; round++) await db.batch(Array.from({ length: 1000 }, (_, index) => ({ type: 'put' as const, key: index, value: `${round} ${value}` })));
      const { before, after } = await db.compact();
      // What is read from one end of the stream is written at the other: the copy never lies anywhere as a whole.
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      const [report, restored] = await Promise.all([db.backup(writable), varve.restore(readable, target)]);
      const copy = await varve.open(target, { create: false });
      const keys = await copy.count();
      const { read, written } = await copy.import(db.export({ lt: 500, format: 'binary' }), { keyspace: 'low' });
      const low = await copy.keyspace('low').get(499);
      await copy.verify();
      await copy.close();
      return { isSmaller: after < before, isWhole: report.size === restored.bytes && report.keys === restored.keys, keys, read, written, low: String(low).slice(0, 3) };
    }, `${path}.copy`);
    expect(found).toEqual({ isSmaller: true, isWhole: true, keys: 1000, read: 500, written: 500, low: '3 x' });
  });

  test('the tab that has the store closes it, and then is closed: nothing that was called by others is lost or done twice', async () => {
    const [first, second, third] = await openTabs(3, newPath());
    for (const [tab, who] of [[first, 'first'], [second, 'second'], [third, 'third']] as const) await beginCounting(tab!, who);
    await advance(tabs, 5);
    const one = await endCounting(first!);
    await first!.run(() => (window as unknown as TabGlobals).db.close());
    await advance([second!, third!], 5);
    await first!.close();
    const counted = { first: one, second: await endCounting(second!), third: await endCounting(third!) };
    // An end in order leaves nobody in doubt.
    for (const { codes } of Object.values(counted)) expect(codes).toEqual({});
    await judge(third!, counted);
  });

  test('the tab that has the store is closed in the middle of everything, and others take over, one after another', async () => {
    const open = await openTabs(4, newPath());
    const names = ['a', 'b', 'c', 'd'];
    for (const [index, tab] of open.entries()) await beginCounting(tab, names[index]!);
    await advance(open, 5);
    for (let index = 0; index < 3; index++) {
      await open[index]!.close();
      await advance(open.slice(index + 1), 5);
    }
    await judge(open[3]!, { d: await endCounting(open[3]!) });
  }, 300_000);

  test('reads that were on their way are answered by the next worker; views of the one that is gone say so; watches go on', async () => {
    const [first, second] = await openTabs(2, newPath());
    await second!.run(async () => {
      const { db, kept } = window as unknown as TabGlobals;
      await db.put('a', 1);
      kept.snapshot = db.snapshot();
      kept.tx = db.begin();
      kept.seen = [];
      kept.watch = db.watch('w');
      kept.watching = (async () => {
        for await (const { changes } of kept.watch) kept.seen.push(changes[0]!.value);
      })();
      await Promise.all([kept.snapshot.get('a'), kept.tx.get('a')]);
      await db.put('w', 1);
      kept.reads = 0;
      kept.isStopping = false;
      kept.reading = (async () => {
        while (!kept.isStopping) {
          if (await db.get('a') !== 1) throw new Error('a read was answered wrongly');
          kept.reads++;
        }
      })();
    });
    await first!.close();
    const after = await second!.run(async () => {
      const { db, kept } = window as unknown as TabGlobals;
      const code = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => 'fine', (error: { code: string }) => error.code);
      // A write to a worker that is about to end would be in doubt: first the next one has to be there.
      while (await code(kept.snapshot.get('a')) === 'fine') await new Promise((resolve) => setTimeout(resolve, 10));
      await db.put('w', 2);
      kept.isStopping = true;
      await kept.reading;
      kept.tx.put('b', 1);
      const codes = [await code(kept.snapshot.get('a')), await code(kept.tx.get('a')), await code(kept.tx.commit())];
      while (kept.seen.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
      return { codes, seen: kept.seen, b: await db.get('b') };
    });
    expect(after).toEqual({ codes: ['VARVE_VERSION_GONE', 'VARVE_CONFLICT', 'VARVE_CONFLICT'], seen: [1, 2], b: undefined });
  });

  test('a page that is reloaded in the middle of a transaction leaves nothing of it, and goes on', async () => {
    const [first, second] = await openTabs(2, newPath());
    for (const tab of [first!, second!]) {
      await tab.run(async () => {
        const { db } = window as unknown as TabGlobals;
        const tx = db.begin();
        tx.put('never', 1);
        await tx.get('never');
      });
      await tab.page.reload();
      await tab.ready();
      await tab.openStore(`tabs/${fileCount - 1}.varve`);
      expect(await tab.run(async () => (window as unknown as TabGlobals).db.get('never'))).toBeUndefined();
    }
    expect(await second!.run(async () => (await (window as unknown as TabGlobals).db.stats()).snapshots.open)).toBe(0);
  });

  test('ten tabs at once', async () => {
    const open = await openTabs(10, newPath(), { durability: 'buffered' });
    for (const [index, tab] of open.entries()) await beginCounting(tab, `tab${index}`);
    await advance(open, 3);
    await open[0]!.close();
    await advance(open.slice(1), 3);
    const counted: Record<string, Counted> = {};
    for (let index = 1; index < 10; index++) counted[`tab${index}`] = await endCounting(open[index]!);
    await judge(open[9]!, counted);
  }, 300_000);

  test('a tab that is frozen while it opens the store holds up nobody, and opens it when it is resumed', async () => {
    const path = newPath();
    const [first, second] = [await Tab.open(browser, site), await Tab.open(browser, site)];
    tabs.push(first, second);
    // The worker is made and never says a word, as one of a page that stands still.
    await first.run((name) => {
      const { varve, kept } = window as unknown as TabGlobals;
      kept.made = 0;
      const worker = (): Worker => {
        if (kept.made++ > 0) return new Worker('/dist/worker.js', { type: 'module' });
        document.dispatchEvent(new Event('freeze'));
        return new Worker(URL.createObjectURL(new Blob([''])));
      };
      kept.opening = varve.open(name, { worker });
    }, path);
    await until(() => first.run(() => (window as unknown as TabGlobals).kept.made === 1));
    await second.openStore(path);
    await second.run(() => (window as unknown as TabGlobals).db.put('a', 1));
    expect(await first.run(async () => {
      const tab = window as unknown as TabGlobals;
      document.dispatchEvent(new Event('resume'));
      tab.db = await tab.kept.opening;
      return tab.db.get('a');
    })).toBe(1);
    await second.close();
    expect(await first.run(() => (window as unknown as TabGlobals).db.get('a'))).toBe(1);
  });

  if (name === 'chromium') {
    test('a tab that is frozen gives the store up first; another goes on, and so does it when it is resumed (F-71)', async () => {
      const [first, second] = await openTabs(2, newPath());
      await first!.run(() => (window as unknown as TabGlobals).db.put('a', 1));
      const session = await first!.page.createCDPSession();
      await session.send('Page.setWebLifecycleState', { state: 'frozen' });
      // What was on its way to the first when it gave the store up may not have been applied: that is said, and here it is done again.
      await second!.run(() => (window as unknown as TabGlobals).db.put('a', 2)).catch((error: unknown) => {
        if (!String(error).includes('OutcomeUnknownError')) throw error;
        return second!.run(() => (window as unknown as TabGlobals).db.put('a', 2));
      });
      expect(await second!.run(() => (window as unknown as TabGlobals).db.get('a'))).toBe(2);
      await session.send('Page.setWebLifecycleState', { state: 'active' });
      expect(await first!.run(() => (window as unknown as TabGlobals).db.get('a'))).toBe(2);
      await first!.run(() => (window as unknown as TabGlobals).db.put('a', 3));
      expect(await second!.run(() => (window as unknown as TabGlobals).db.get('a'))).toBe(3);
      await second!.close();
      expect(await first!.run(() => (window as unknown as TabGlobals).db.get('a'))).toBe(3);
    });

    test('the renderer of the tab that has the store is killed', async () => {
      const [first, second] = await openTabs(2, newPath());
      await beginCounting(first!, 'first');
      await beginCounting(second!, 'second');
      await advance(tabs, 5);
      const session = await first!.page.createCDPSession();
      void session.send('Page.crash').catch(() => undefined);
      await advance([second!], 5);
      await judge(second!, { second: await endCounting(second!) });
    });
  }
});
