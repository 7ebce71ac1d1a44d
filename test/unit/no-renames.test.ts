/**
 * Which calls of the file system a store makes, recorded: no rename, and no link but that of the lock file, so that nothing depends on the order in which a directory's changes become durable (F-12); and the entry of a new
 * file is durable before the file is said to be a store (F-11).
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { open, salvage, verify } from '../../src/index.js';

type Call = (...parameters: unknown[]) => unknown;

/** The object that the library asks for its functions at every call. */
const fs = createRequire(import.meta.url)('node:fs') as Record<string, unknown>;
const folder = mkdtempSync(join(tmpdir(), 'varve-calls-'));
const calls: { readonly name: string; readonly parameters: readonly unknown[]; readonly result: unknown }[] = [];
const originals = new Map(Object.entries(fs).filter((entry): entry is [string, Call] => typeof entry[1] === 'function' && !/^[A-Z_]/.test(entry[0])));

function record(): void {
  for (const [name, original] of originals) {
    fs[name] = (...parameters: unknown[]): unknown => {
      const result = original.apply(fs, parameters);
      calls.push({ name, parameters, result });
      return result;
    };
  }
}

function stop(): void {
  for (const [name, original] of originals) fs[name] = original;
}

afterEach(stop);
afterAll(() => rmSync(folder, { recursive: true }));

test('a store is made, filled, used again, closed and verified without a rename or a link, but for its lock; what is salvaged gets its name when it is whole and durable (F-12)', async () => {
  const path = join(folder, 'store.varve');
  record();
  for (let life = 0; life < 3; life++) {
    const db = await open(path, { segmentSize: 4096 });
    for (let key = 0; key < 40; key++) await db.put(key % 7, new Uint8Array(1500).fill(key));
    db.putSync('large', new Uint8Array(30_000));
    await db.flush();
    await db.verify();
    await db.close();
  }
  await verify(path);
  const isNaming = (name: string): boolean => /^(rename|link|symlink|copyFile|cp)(Sync)?$/.test(name);
  const names = calls.map(({ name }) => name);
  for (const expected of ['openSync', 'writeSync', 'closeSync']) expect(names).toContain(expected);
  // What gets a name is the lock file, once for each life: nothing durable depends on it.
  const given = calls.filter(({ name }) => isNaming(name));
  expect(given.map(({ name, parameters }) => [name, parameters[1]])).toEqual(Array.from({ length: 3 }, () => ['linkSync', `${path}.lock`]));
  calls.length = 0;
  await salvage(path, join(folder, 'rescued.varve'));
  stop();
  // Written, flushed, named, and the folder flushed: in that order.
  const order = calls.filter(({ name }) => isNaming(name) || /^(write|fsync|fdatasync)(Sync)?$/.test(name)).map(({ name }) => name);
  const named = order.findIndex(isNaming);
  expect(order.filter(isNaming)).toEqual(['linkSync']);
  expect(order[named - 1]).toMatch(/^f(data)?sync/);
  expect(order.slice(named + 1)).toEqual(['fsyncSync']);
  expect(readdirSync(folder).filter((name) => !name.endsWith('.lock')).sort()).toEqual(['rescued.varve', 'store.varve']);
});

test('the directory is flushed after a file was made in it, and before the store is there to be used (F-11)', async () => {
  const path = join(folder, 'new.varve');
  calls.length = 0;
  record();
  const db = await open(path);
  stop();
  const made = calls.findIndex(({ name, parameters }) => name === 'openSync' && String(parameters[0]).startsWith(path) && !String(parameters[0]).endsWith('.lock'));
  expect(made).toBeGreaterThanOrEqual(0);
  const ofFolder = new Set(calls.filter(({ name, parameters }) => name === 'openSync' && String(parameters[0]) === folder).map(({ result }) => result));
  const flushed = calls.findIndex(({ name, parameters }, index) => index > made && name === 'fsyncSync' && ofFolder.has(parameters[0]));
  expect(flushed, calls.map(({ name, parameters }) => `${name} ${String(parameters[0])}`).join('\n')).toBeGreaterThan(made);
  await db.close();
});
