/** The benchmark runs from end to end: on very little, so that its figures mean nothing, but with every checksum checked. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
// The figures mean nothing, so the files may lie where a flush costs nothing.
const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'varve-bench-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Output {
  readonly results: readonly { readonly name: string; readonly rate: number; readonly floor?: string; readonly beside: Readonly<Record<string, { readonly share: number }>> }[];
  readonly figures: readonly { readonly aim: string; readonly reached: number }[];
}

const ROWS = [
  ...['existing_key', 'nonexistent_key', 'position/early', 'position/middle', 'position/late', 'uniform', 'working_set_100', 'key_scaling/10K', 'key_scaling/100K', 'key_scaling/1M'].map((name) => `kv_get/${name}`),
  ...['unique_keys', 'overwrite_same_key', 'overwrite_uniform', 'delete', 'delete_nonexistent'].map((name) => `kv_put/${name}`),
  ...[64, 256, 1024, 4096, 16384, 65536].map((size) => `put_bytes/${size}`),
  ...['replay_ops/1000', 'replay_ops/10000', 'replay_ops/50000', 'replay_ops/1M', 'replay_mixed_workload', 'overwrite_heavy', 'delete_heavy'].map((name) => `wal_replay/${name}`),
  ...['1K', '10K', '100K', '1M'].map((scale) => `memory_overhead/get_at_scale/${scale}`),
  ...['1K', '10K', '100K', '1M', '10M'].flatMap((scale) => [`growth/get/${scale}`, `growth/put/${scale}`]),
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
  for (const row of ROWS) expect(rows.has(row), row).toBe(true);
  expect(results.length).toBeGreaterThan(80);
  for (const result of results) {
    expect(result.rate, result.name).toBeGreaterThan(0);
    // Every row says what share of its floor it reaches.
    expect(result.beside[result.floor!]!.share, result.name).toBeGreaterThan(0);
  }
  expect(figures.length).toBeGreaterThan(30);
  for (const figure of figures) expect(Number.isFinite(figure.reached), JSON.stringify(figure)).toBe(true);
  for (const aim of AIMS) expect(figures.some((figure) => figure.aim.startsWith(aim)), aim).toBe(true);
  expect(stdout).toContain('## Aims');
});

function bench(...parameters: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, parameters, { cwd: root, encoding: 'utf8', timeout: 110_000 });
}

test('two checkouts run round by round, and leave results that can be compared again', () => {
  const { status, stdout, stderr } = bench('bench/compare.mjs', root, root, 'scan', '--smoke', '--folder', folder, '--json', folder);
  expect(status, stderr).toBe(0);
  expect(stdout).toContain('the runs were interleaved');
  for (const row of ['scan/full', 'scan/reverse', 'scan/prefix_100']) expect(stdout).toContain(row);
  const again = bench('bench/compare.mjs', join(folder, 'older.json'), join(folder, 'newer.json'));
  expect(again.stdout).toBe(stdout);
});

/** A file of results with one row. */
function results(name: string, samples: readonly number[], contest?: string): string {
  const path = join(folder, `${name}.json`);
  writeFileSync(path, JSON.stringify({ environment: {}, contest, results: [{ name: 'kv_get/uniform', what: 'get', durability: 'memory', keys: 10, samples }] }));
  return path;
}

test('a row that is slower in every round ends the comparison with 1, one within the noise does not', () => {
  // The machine slows down meanwhile: only the rounds' own ratios tell.
  const before = results('before', [100, 80, 60, 50, 40, 30], 'one');
  const slower = bench('bench/compare.mjs', before, results('slower', [80, 64, 48, 40, 32, 24], 'one'));
  expect([slower.status, slower.stdout.includes('REGRESSION')]).toEqual([1, true]);
  const same = bench('bench/compare.mjs', before, results('same', [98, 79, 61, 49, 40, 30], 'one'));
  expect([same.status, same.stdout.includes('REGRESSION')]).toEqual([0, false]);
  const apart = bench('bench/compare.mjs', before, results('apart', [80, 64, 48, 40, 32, 24], 'another'));
  expect([apart.status, apart.stdout.includes('not interleaved')]).toEqual([1, true]);
});

test('a baseline is saved only from a complete run, and what there is not is refused', () => {
  for (const [parameters, words] of [
    [['kv', '--baseline', 'save'], 'complete run'], [['--smoke', '--baseline', 'save'], 'complete run'], [['--baseline', 'keep'], 'save or compare'], [['nothing'], 'no such suite'], [['--keys', 'many'], 'whole numbers'],
  ] as const) {
    const { status, stderr } = bench('bench/run.mjs', ...parameters);
    expect(status).toBe(1);
    expect(stderr).toContain(words);
  }
});

test('the rows beside peers run with the store alone, where no peer is installed', async () => {
  const part = (name: string): Promise<any> => import(new URL(`../../bench/${name}.mjs`, import.meta.url).href);
  const { contest } = await part('contest/contest');
  const { AIMS } = await part('peers/aims');
  const module = new URL('../../bench/peers/contender.mjs', import.meta.url).href;
  const entrant = { name: 'varve', command: [process.execPath], module, environment: { VARVE_BENCH_SUBJECT: 'varve' } };
  const rows = new Set<string>();
  for (const group of ['reads', 'overwrites', 'additions', 'removals', 'exchanges', 'durable', 'reopen', 'memory']) {
    const { standings, figures } = await contest([entrant], { group }, { size: 'smoke', folder }, { rounds: 1, warmups: 0 });
    for (const [row, { varve }] of Object.entries(standings) as [string, { varve: { rates: number[]; label: { keys: number } } }][]) {
      rows.add(row);
      expect(varve.rates.length, row).toBe(1);
      expect(varve.rates[0], row).toBeGreaterThan(0);
      expect(varve.label.keys, row).toBe(400);
    }
    if (group === 'memory') expect(figures.varve.memory.own).toBeGreaterThan(0);
  }
  for (const { row } of AIMS) expect(rows.has(row), row).toBe(true);
});

test('a contestant that fails or is not there ends the contest with what it said', async () => {
  const { contest } = await import(new URL('../../bench/contest/contest.mjs', import.meta.url).href);
  const module = new URL('../../bench/peers/contender.mjs', import.meta.url).href;
  const entrant = (command: string): object => ({ name: 'one', command: [command], module, environment: { VARVE_BENCH_SUBJECT: 'nobody' } });
  await expect(contest([entrant(process.execPath)], { group: 'reads' }, { size: 'smoke', folder }, { rounds: 1, warmups: 0 })).rejects.toThrow(/^one: .*undefined/s);
  await expect(contest([entrant(join(folder, 'no-runtime'))], { group: 'reads' }, { size: 'smoke', folder }, { rounds: 1, warmups: 0 })).rejects.toThrow('ENOENT');
});
