/** The benchmark in browsers runs from end to end: on very little, so that its figures mean nothing, but with every result checked. */
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
});

test('a group or a browser that there is not is named, and nothing is run', () => {
  expect(bench('gets')).toMatchObject({ status: 1, stderr: 'There is no such group: gets. The groups are reads, writes, durable, page, open.\n' });
  expect(bench('--browsers', 'lynx')).toMatchObject({ status: 1, stderr: 'There is no such browser: lynx. The browsers are chromium and firefox.\n' });
});
