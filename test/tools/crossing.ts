/**
 * What it costs to reach a store from a page: `npm run crossing -- [chromium|firefox]`. Measures reads and writes one by one and many in a turn, from the tab whose worker has the store and from
 * another, how soon a store is open again, and how soon another tab goes on when the one that has the store is closed. Absolute figures are of this machine, at this moment.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launch, type BrowserName } from '../browser/browsers.js';
import { Site } from '../browser/site.js';
import { addTabPage, Tab, type TabGlobals } from '../browser/tabs.js';

const RECORDS = 100_000;

interface Figures {
  /** Microseconds for one call that is waited for before the next. */
  readonly get: number;
  readonly put: number;
  /** Milliseconds for a thousand that are called in one turn. */
  readonly gets: number;
  readonly puts: number;
  /** Microseconds an entry of a scan. */
  readonly scan: number;
}

const median = (figures: readonly number[]): number => [...figures].sort((left, right) => left - right)[figures.length >> 1]!;

async function measure(tab: Tab): Promise<Figures> {
  const rounds = await tab.run(async () => {
    const { db } = window as unknown as TabGlobals;
    const timed = async (action: () => Promise<unknown>): Promise<number> => {
      const began = performance.now();
      await action();
      return performance.now() - began;
    };
    const value = new Uint8Array(128).fill(1);
    const each = (call: (index: number) => Promise<unknown>) => async (): Promise<void> => {
      for (let index = 0; index < 1000; index++) await call(index);
    };
    const together = (call: (index: number) => Promise<unknown>) => (): Promise<unknown> => Promise.all(Array.from({ length: 1000 }, (_, index) => call(index)));
    const results: Record<string, number>[] = [];
    for (let round = 0; round < 7; round++) {
      results.push({
        get: await timed(each((index) => db.get(index))),
        put: await timed(each((index) => db.put(index, value))),
        gets: await timed(together((index) => db.get(index))),
        puts: await timed(together((index) => db.put(index, value))),
        scan: await timed(async () => {
          let count = 0;
          for await (const entry of db.scan({ limit: 20_000 })) count += entry.version > 0 ? 1 : 0;
          if (count !== 20_000) throw new Error(`${count} entries`);
        }) / 20,
      });
    }
    return results;
  });
  const of = (name: keyof Figures): number => median(rounds.map((round) => round[name]!));
  return { get: of('get'), put: of('put'), gets: of('gets'), puts: of('puts'), scan: of('scan') };
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

const name = (process.argv[2] ?? 'chromium') as BrowserName;
const folder = mkdtempSync(join(tmpdir(), 'varve-crossing-'));
const site = await Site.start();
addTabPage(site);
const browser = await launch(name, folder);
try {
  print(`${await browser.version()}, a store of ${RECORDS} records of 128 bytes, buffered; medians of 7 rounds`);
  const [own, other] = [await Tab.open(browser, site), await Tab.open(browser, site)];
  for (const tab of [own, other]) await tab.openStore('crossing.varve', { durability: 'buffered' });
  await own.run(async (count) => {
    const { db } = window as unknown as TabGlobals;
    const value = new Uint8Array(128).fill(1);
    for (let from = 0; from < count; from += 1000) await db.batch(Array.from({ length: 1000 }, (_, index) => ({ type: 'put' as const, key: from + index, value })));
    await db.flush();
  }, RECORDS);
  for (const [who, tab] of [['the tab whose worker has the store', own], ['another tab', other]] as const) {
    await tab.page.bringToFront();
    const { get, put, gets, puts, scan } = await measure(tab);
    print(`${who}: get ${get.toFixed(0)} µs, put ${put.toFixed(0)} µs, one by one; 1,000 gets in one turn ${gets.toFixed(1)} ms, 1,000 puts ${puts.toFixed(1)} ms; scan ${scan.toFixed(1)} µs an entry`);
  }
  const takeover = other.run(async () => {
    const { db } = window as unknown as TabGlobals;
    let longest = 0;
    for (const end = performance.now() + 3000; performance.now() < end;) {
      const began = performance.now();
      await db.get(1);
      longest = Math.max(longest, performance.now() - began);
    }
    return longest;
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  await own.close();
  print(`the tab that has the store is closed: the longest read of another waits ${(await takeover).toFixed(0)} ms`);
  await other.run(() => (window as unknown as TabGlobals).db.close());
  await other.page.reload();
  await other.ready();
  print(`opened after a reload in ${(await other.run(async () => {
    const began = performance.now();
    await (window as unknown as TabGlobals).varve.open('crossing.varve', { durability: 'buffered' });
    return performance.now() - began;
  })).toFixed(0)} ms`);
} finally {
  await browser.close();
  await site.stop();
  rmSync(folder, { recursive: true, force: true });
}
