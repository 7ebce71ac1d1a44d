/** The benchmarks in browsers run from end to end: on very little, so that their figures mean nothing, but with every result checked. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { root } from './site.js';
import { withBrowsers } from './with-browsers.js';

const folder = mkdtempSync(join(tmpdir(), 'varve-bench-browser-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Output {
  readonly kind: string;
  readonly browsers: Readonly<Record<string, {
    readonly version: string;
    readonly standings: Readonly<Record<string, Readonly<Record<string, { readonly rates: readonly number[] }>>>>;
    readonly judgements: readonly { readonly row: string; readonly against: string }[];
  }>>;
}

/** Every row, with who takes part in it. */
const ROWS: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(['get/uniform', 'get/hot', 'get/missing', 'scan/all', 'put/64', 'batch/64', 'update/one', 'durable/64'].map((row) => [row, ['Node', 'varve', 'SQLite', 'IndexedDB']])),
  ...Object.fromEntries(['put/one', 'durable/one'].map((row) => [row, ['Node', 'varve', 'SQLite', 'IndexedDB', 'OPFS']])),
  ...Object.fromEntries(['put/now', 'get/into a buffer'].map((row) => [row, ['Node', 'varve']])),
  ...Object.fromEntries(['get', '1,000 gets', 'scan', 'put', '1,000 puts'].map((row) => [`page/${row}`, ['varve', 'IndexedDB']])),
  ...Object.fromEntries(['closed', 'not closed'].map((row) => [`open/${row}`, ['varve', 'SQLite', 'IndexedDB']])),
};

const bench = (...parameters: string[]): ReturnType<typeof spawnSync> => spawnSync(process.execPath, ['bench/browser/run.mjs', '--smoke', '--folder', folder, ...parameters], { cwd: root, encoding: 'utf8', timeout: 280_000 });

/** The benchmark is JavaScript without declarations. */
const part = (name: string): Promise<any> => import(new URL(`../../bench/${name}.mjs`, import.meta.url).href);

/** Jobs of the suites that take of the platform what can be taken: memory, files of every durability, copies of files that a store has open. */
const JOBS = [
  ['kv', 'memory_overhead/1K'], ['kv', 'kv_put/buffered'], ['kv', 'kv_put/strict'], ['transactions', 'transaction_commit/buffered'], ['transactions', 'cas/buffered'], ['transactions', 'conflict_detection'], ['scan', 'scan'],
  ['recovery', 'wal_replay/replay_ops/1000'], ['recovery', 'wal_replay/delete_heavy'],
] as const;

withBrowsers(['chromium', 'firefox'], (name) => {
  test('every row has a figure of everybody who takes part in it', () => {
    const json = join(folder, `${name}.json`);
    const { status, stdout, stderr } = bench('--browsers', name, '--json', json);
    expect(status, String(stderr)).toBe(0);
    const { kind, browsers } = JSON.parse(readFileSync(json, 'utf8')) as Output;
    expect(kind).toBe('browsers');
    expect(Object.keys(browsers)).toEqual([name]);
    const { standings, judgements } = browsers[name]!;
    expect(Object.keys(standings).sort()).toEqual(Object.keys(ROWS).sort());
    for (const [row, subjects] of Object.entries(ROWS)) {
      expect(Object.keys(standings[row]!).sort(), row).toEqual([...subjects].sort());
      for (const subject of subjects) for (const rate of standings[row]![subject]!.rates) expect(rate, `${row}, ${subject}`).toBeGreaterThan(0);
    }
    // Whatever has a peer or a floor is held against it.
    for (const row of ['get/uniform', 'put/64', 'put/one', 'durable/one', 'page/1,000 gets', 'open/closed']) expect(judgements.some((judgement) => judgement.row === row), row).toBe(true);
    expect(stdout).toContain('### Aims');
  }, 300_000);

  test('the suites have the same rows there as in Node, job by job, and leave no file behind', async () => {
    const { startBrowsers } = await part('runtimes/browsers');
    const { contest } = await part('contest/contest');
    const column = name === 'chromium' ? 'Chromium' : 'Firefox';
    const { runtimes, missing, stop } = await startBrowsers([column], join(folder, `profile-${name}`));
    try {
      expect(missing).toEqual([]);
      expect(runtimes[0].version).toMatch(/^\d+\./);
      const node = { name: 'Node', command: [process.execPath], module: new URL('../../bench/contest/suite.mjs', import.meta.url).href };
      for (const [suite, job] of JOBS) {
        const { standings } = await contest([node, ...runtimes], { suite, job }, { size: 'smoke', folder }, { rounds: 2, warmups: 0 });
        expect(Object.keys(standings).length, job).toBeGreaterThan(0);
        for (const [row, among] of Object.entries(standings) as [string, Record<string, { rates: number[]; label: object }>][]) {
          expect(Object.keys(among), row).toEqual(['Node', column]);
          expect(among[column]!.label, row).toEqual(among['Node']!.label);
          expect(among[column]!.rates.length, row).toBe(2);
          for (const rate of among[column]!.rates) expect(rate, row).toBeGreaterThan(0);
        }
      }
      const task = { suite: 'kv', job: 'no such job' };
      await expect(contest(runtimes, task, { size: 'smoke', folder }, { rounds: 1, warmups: 0 })).rejects.toThrow(new RegExp(`^${column}: `));
      const { page } = await runtimes[0].enter();
      expect(await page.evaluate(async () => {
        const names = [];
        for await (const there of (await navigator.storage.getDirectory() as any).keys()) names.push(there);
        return names;
      })).toEqual([]);
    } finally {
      await stop();
    }
  }, 300_000);
});

test('the command of the runtimes takes browsers by the names of their columns', () => {
  const { status, stderr } = spawnSync(process.execPath, ['bench/runtimes/run.mjs', '--smoke', '--only', 'Lynx'], { cwd: root, encoding: 'utf8', timeout: 60_000 });
  expect({ status, stderr }).toMatchObject({ status: 1, stderr: expect.stringMatching(/^There is no such runtime: Lynx\. The runtimes are Node \d+, Node 24, Bun, Deno, Chromium, Firefox\.\n$/) });
});

test('a group or a browser that there is not is named, and nothing is run', () => {
  expect(bench('gets')).toMatchObject({ status: 1, stderr: 'There is no such group: gets. The groups are reads, writes, durable, page, open.\n' });
  expect(bench('--browsers', 'lynx')).toMatchObject({ status: 1, stderr: 'There is no such browser: lynx. The browsers are chromium and firefox.\n' });
});
