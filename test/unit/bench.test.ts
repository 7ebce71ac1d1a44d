/** The benchmark runs from end to end: on very little, so that its figures mean nothing, but with every checksum checked. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'varve-bench-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Output {
  readonly results: readonly { readonly name: string; readonly rate: number }[];
  readonly figures: readonly { readonly aim: string; readonly reached: number }[];
}

const ROWS = [
  'kv_get/', 'kv_put/unique_keys', 'put_bytes/64', 'put_bytes/65536', 'wal_replay/replay_ops/50000', 'memory_overhead/',
  ...['single_key_put', 'multi_key_put/3', 'multi_key_put/5', 'multi_key_put/10', 'read_modify_write', 'readN_write1/1', 'readN_write1/10', 'readN_write1/100'].map((name) => `transaction_commit/${name}`),
  ...['sequential_success', 'retry_until_success', 'failure_wrong_version', 'create_new_key'].map((name) => `cas/${name}`),
  ...['single_read', 'multi_read_10', 'read_only_10', 'read_your_writes'].flatMap((name) => [1_000, 10_000].map((keys) => `snapshot_read/${name}/${keys}`)),
  ...[10, 100, 1_000, 10_000].map((versions) => `snapshot_read/after_versions/${versions}`),
  ...['no_contention/2', 'no_contention/4', 'no_contention/8', 'high_contention/2', 'high_contention/4', 'cas_one_winner'].map((name) => `conflict_detection/${name}`),
  'scan/full', 'scan/reverse', 'scan/prefix_100',
  ...['txn_after_versions', 'snapshot_read_versioned'].flatMap((name) => [100, 1_000, 10_000].map((versions) => `version_growth/${name}/${versions}`)),
];
const AIMS = [
  'buffered transactSync with one put', 'buffered transactSync, get and put', 'buffered transactSync, 100 get', 'buffered casSync that succeeds', 'buffered casSync that fails', 'get in a snapshot',
  'full ordered scan', 'scan of a prefix', 'the ordered index, a record', 'the first scan after', 'open after a crash, and the first scan', 'a new random key beside', 'an overwrite beside',
  'a snapshot taken and closed', 'get of the newest of', '64 strict transactions at once',
];

test('every row and every aim has a figure', () => {
  const json = join(folder, 'results.json');
  const { status, stdout, stderr } = spawnSync(process.execPath, ['bench/run.mjs', '--smoke', '--folder', folder, '--json', json], { cwd: root, encoding: 'utf8', timeout: 170_000 });
  expect(status, stderr).toBe(0);
  const { results, figures } = JSON.parse(readFileSync(json, 'utf8')) as Output;
  const rows = new Set(results.map(({ name }) => name));
  for (const row of ROWS) expect([...rows].some((name) => (row.endsWith('/') ? name.startsWith(row) : name === row)), row).toBe(true);
  expect(results.length).toBeGreaterThan(80);
  for (const result of results) expect(result.rate, result.name).toBeGreaterThan(0);
  expect(figures.length).toBeGreaterThan(30);
  for (const figure of figures) expect(Number.isFinite(figure.reached), JSON.stringify(figure)).toBe(true);
  for (const aim of AIMS) expect(figures.some((figure) => figure.aim.startsWith(aim)), aim).toBe(true);
  expect(stdout).toContain('## Aims');
});
