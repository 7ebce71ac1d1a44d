/** The examples, and the code of the README, run as a newcomer would run them: as programs, on the built package. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { open, type Key, type Store } from '../../src/index.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'varve-examples-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the programs see as the folder for temporary files, so that what they leave behind is theirs. */
const temporary = join(folder, 'temporary');
mkdirSync(temporary);

function run(args: string[], cwd = root): string {
  const env = { ...process.env, TMPDIR: temporary, TEMP: temporary, TMP: temporary };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, env, encoding: 'utf8', timeout: 100_000 });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(readdirSync(temporary), 'nothing stays behind').toEqual([]);
  return stdout;
}

test('basics.mjs does what its comments say', () => {
  const output = run(['examples/basics.mjs']);
  expect(output).toContain("name: 'Ada'");
  expect(output).toContain('false undefined');
  expect(output).toContain('true false true');
  expect(output).toContain("key: [ 'order', 2026, 11n, true ]");
  expect(output).toContain('[ 1, Uint8Array(3) [ 1, 2, 3 ], undefined ]');
  expect(output).toContain('1003 keys');
  expect(output).toContain('VARVE_INVALID_ARGUMENT');
  expect(output.endsWith('true 0\ntrue 0\n')).toBe(true);
});

test('backup.mjs does what its comments say', () => {
  const output = run(['examples/backup.mjs']);
  expect(output).toContain('all of the log was looked through');
  expect(output).toContain('10001 keys at version 10001, and the store is at 11001');
  expect(output).toContain('{ amount: 70, at: 1970-01-01T00:00:00.000Z } true');
  expect(output).toContain('{"keyspace":"people","key":"ada","value":{"name":"Ada","visits":{"$bigint":"3"}}}');
  expect(output).toContain('{ read: 10000, written: 10000, skipped: 0, version: 10 }');
});

const numberOf = (text: string | undefined): number => Number(text?.replaceAll(',', ''));

test('start.mjs is killed in the middle and loses nothing', () => {
  const output = run(['examples/start.mjs', '--records', '5000']);
  const [, puts, batches] = /SIGKILL, after it had acknowledged ([\d,]+) puts and ([\d,]+) batches/.exec(output) ?? [];
  expect(output).toContain(`proof: all ${puts} acknowledged puts and ${batches} batches are there, with their values and versions`);
  // A batch holds ten cities.
  const acknowledged = numberOf(puts) + numberOf(batches) * 10;
  const more = numberOf(/proof: ([\d,]+) cities more were on their way and are there whole; no value and no batch is there in part/.exec(output)?.[1]);
  const missing = numberOf(/proof: ([\d,]+) cities are yet to be loaded, and nothing is there that nobody put/.exec(output)?.[1]);
  expect(acknowledged).toBeGreaterThanOrEqual(2500);
  expect(missing).toBeGreaterThan(0);
  expect(acknowledged + more + missing).toBe(5000);
  expect(output).toContain('Updated 1,000 with cas; one that came late was refused');
  const figures = [...output.matchAll(/ ([\d,]+) (?:(?:writes|commits|reads|records)\/s|bytes a record)/g)].map(([, figure]) => numberOf(figure));
  expect(figures).toHaveLength(8);
  for (const figure of figures) expect(figure).toBeGreaterThan(0);
});

test('start.mjs says why it fails', () => {
  const { status, stderr } = spawnSync(process.execPath, ['examples/start.mjs', '--records', 'many'], { cwd: root, encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stderr).toBe('--records takes a whole number from 1000 on.\n');
});

/** The modules of an example are JavaScript, of which the compiler knows no types. */
interface Proof {
  prove(db: Store<unknown>, cities: readonly unknown[], acknowledged: { city: Map<number, number>; group: Map<number, number> }): { more: number; missing: number };
}
interface Cities {
  readCities(count: number): unknown[];
  keyOf(city: unknown): Key;
  noteKeyOf(group: number): Key;
  groupAt(group: number, count: number): { alone: number[]; together: number[] };
}

test('the proof of start.mjs fails when something is lost, changed, in part, or too much', async () => {
  const moduleOf = async (name: string): Promise<unknown> => import(pathToFileURL(join(root, 'examples', 'start', name)).href);
  const { prove } = (await moduleOf('proof.mjs')) as Proof;
  const { readCities, keyOf, noteKeyOf, groupAt } = (await moduleOf('cities.mjs')) as Cities;
  const cities = readCities(200);
  const { alone, together } = groupAt(1, cities.length);

  /** Loads the second group of four, does the damage, and proves. */
  const proveAfter = async (damage: (db: Store<unknown>) => void): Promise<{ more: number; missing: number }> => {
    const db = await open(':memory:', { memory: { initial: 1 << 20 } });
    try {
      const city = new Map(alone.map((position) => [position, db.putSync(keyOf(cities[position]), cities[position])]));
      // The last put is not acknowledged.
      city.delete(alone.at(-1)!);
      const puts = together.map((position) => ({ type: 'put', key: keyOf(cities[position]), value: cities[position] }) as const);
      const group = new Map([[1, db.batchSync([...puts, { type: 'put', key: noteKeyOf(1), value: together.length }])]]);
      damage(db);
      return prove(db, cities, { city, group });
    } finally {
      await db.close();
    }
  };

  expect(await proveAfter(() => undefined)).toEqual({ more: 1, missing: 150 });
  const first = cities[alone[0]!];
  await expect(proveAfter((db) => db.deleteSync(keyOf(first)))).rejects.toThrow(/was acknowledged with version \d+ and has undefined/);
  await expect(proveAfter((db) => db.putSync(keyOf(first), first))).rejects.toThrow(/was acknowledged with version \d+ and has \d+/);
  await expect(proveAfter((db) => db.putSync(keyOf(cities[alone.at(-1)!]), { name: 'half' }))).rejects.toThrow('is there with another value');
  await expect(proveAfter((db) => db.deleteSync(keyOf(cities[together[0]!])))).rejects.toThrow('was acknowledged with its batch and is missing');
  await expect(proveAfter((db) => db.putSync(keyOf(cities[together[0]!]), cities[together[0]!]))).rejects.toThrow('is there in part');
  await expect(proveAfter((db) => db.deleteSync(noteKeyOf(1)))).rejects.toThrow('is there in part');
  await expect(proveAfter((db) => db.putSync(noteKeyOf(1), 0))).rejects.toThrow('has another value');
  await expect(proveAfter((db) => db.putSync(keyOf(cities[groupAt(2, 200).together[0]!]), cities[groupAt(2, 200).together[0]!]))).rejects.toThrow('is there in part');
  await expect(proveAfter((db) => db.putSync('stray', 1))).rejects.toThrow('keys that nobody put');
});

test('the programs of the README and of the pages in docs run as they stand', () => {
  const pages = ['README.md', ...readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md')).map((name) => join('docs', name))];
  const programs = pages.flatMap((page) => [...readFileSync(join(root, page), 'utf8').matchAll(/```js\n([\s\S]*?)```/g)].map(([, program]) => program!));
  expect(programs.length).toBeGreaterThan(4);
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules', 'varve'));
  for (const [index, program] of programs.entries()) {
    const file = join(folder, `readme-${index}.mjs`);
    writeFileSync(file, program);
    run([file], folder);
  }
});
