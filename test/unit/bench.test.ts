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
  readonly figures: readonly { readonly reached: number }[];
}

test('every row and every aim has a figure', () => {
  const json = join(folder, 'results.json');
  const { status, stdout, stderr } = spawnSync(process.execPath, ['bench/run.mjs', '--smoke', '--folder', folder, '--json', json], { cwd: root, encoding: 'utf8', timeout: 110_000 });
  expect(status, stderr).toBe(0);
  const { results, figures } = JSON.parse(readFileSync(json, 'utf8')) as Output;
  const rows = new Set(results.map(({ name }) => name));
  for (const row of ['kv_get/', 'kv_put/unique_keys', 'put_bytes/64', 'put_bytes/65536', 'wal_replay/replay_ops/50000', 'memory_overhead/']) expect([...rows].some((name) => name.startsWith(row)), row).toBe(true);
  expect(results.length).toBeGreaterThan(40);
  for (const result of results) expect(result.rate, result.name).toBeGreaterThan(0);
  expect(figures.length).toBeGreaterThan(20);
  for (const figure of figures) expect(Number.isFinite(figure.reached), JSON.stringify(figure)).toBe(true);
  expect(stdout).toContain('## Aims');
});
