/** Restoring from files and streams: what was backed up is there again, and what is no store, damaged or cut off never gets the name. */
import { createReadStream, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, expect, test } from 'vitest';
import * as format from '../../assembly/shared/format.js';
import {
  CorruptionError, FormatError, InvalidArgumentError, LockedError, NotFoundError, open, restore, verify, type RestoreOptions, type Store,
} from '../../src/index.js';
import { Collector, contentsOf } from '../support/copies.js';
import { Random, seedOf } from '../support/random.js';

const folder = mkdtempSync(join(tmpdir(), 'varve-restore-'));
afterAll(() => rmSync(folder, { recursive: true }));
let number = 0;
const newPath = (): string => join(folder, `${number++}.varve`);
const contents = (db: Store): string[] => contentsOf(db, db.keyspaces(), (name) => db.keyspace(name));
const leftovers = (): string[] => readdirSync(folder).filter((name) => /part|lock/.test(name));

/** A store with something in it, its backup as bytes, and what it holds. */
async function makeBackup(): Promise<{ bytes: Uint8Array; path: string; expected: string[]; version: number }> {
  const db = await open(newPath(), { durability: 'relaxed', segmentSize: 4096 });
  for (let index = 0; index < 400; index++) db.putSync(`key${index}`, { index });
  for (let index = 0; index < 400; index += 7) db.deleteSync(`key${index}`);
  db.putSync('large', new Uint8Array(30_000).fill(7));
  db.keyspace('people').putSync(['x', 1], new Map([[1, 2]]), { ttl: 3_600_000 });
  const stream = new Collector();
  const path = newPath();
  const { version } = await db.backup(stream);
  await db.backup(path);
  const expected = contents(db);
  await db.close();
  return { bytes: stream.bytes(), path, expected, version };
}

async function check(path: string, expected: readonly string[], version: number): Promise<void> {
  const found = await verify(path);
  expect([found.ok, found.recovery.clean]).toEqual([true, true]);
  const db = await open(path);
  expect(contents(db)).toEqual(expected);
  expect(db.putSync('next', 1)).toBe(version + 1);
  await db.close();
}

test('a backup is restored from its file, from a web stream and from any source of bytes', async () => {
  const { bytes, path, expected, version } = await makeBackup();
  const sources = [path, new Blob([new Uint8Array(bytes)]).stream(), Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>, (async function* () { for (let at = 0; at < bytes.length; at += 999) yield bytes.subarray(at, at + 999); })()];
  for (const source of sources) {
    const target = newPath();
    const steps: number[] = [];
    const report = await restore(source, target, { onProgress: (progress) => void steps.push(progress.bytes) });
    expect(report).toMatchObject({ version, keys: expected.length, bytes: steps.at(-1) });
    await check(target, expected, version);
  }
  expect(leftovers()).toEqual([]);
});

test('a store that was not a backup, and did not end in order, is recovered', async () => {
  const path = newPath();
  const db = await open(path, { flush: 'sync', segmentSize: 4096 });
  for (let index = 0; index < 50; index++) db.putSync(index, index);
  const crashed = newPath();
  writeFileSync(crashed, readFileSync(path));
  await expect(restore(path, newPath()), 'while it is open').rejects.toThrow(LockedError);
  await db.close();
  const target = newPath();
  const report = await restore(crashed, target);
  expect([report.keys, report.recovery.clean]).toEqual([50, false]);
  expect((await verify(target)).recovery.clean).toBe(true);
  expect(leftovers()).toEqual([]);
});

test('what was cut off or damaged never gets the name', async () => {
  const { bytes, expected } = await makeBackup();
  const random = new Random(seedOf(41));
  const refuse = async (damaged: Uint8Array, what: string): Promise<void> => {
    const target = newPath();
    const outcome = await restore(new Blob([new Uint8Array(damaged)]).stream(), target).then(() => undefined, (error: unknown) => error);
    if (outcome === undefined) {
      // A bit that nothing depends on.
      const db = await open(target);
      expect(contents(db), what).toEqual(expected);
      await db.close();
      return;
    }
    expect(outcome instanceof CorruptionError || outcome instanceof FormatError, `${what}: ${String(outcome)}`).toBe(true);
    expect((outcome as Error).message).toContain(target);
    expect(existsSync(target)).toBe(false);
  };
  for (let length = 0; length < bytes.length; length += 1 + random.below(bytes.length / 25)) await refuse(bytes.subarray(0, length), `${length} bytes`);
  for (let count = 0; count < 40; count++) {
    const damaged = Buffer.from(bytes);
    const at = random.below(bytes.length);
    damaged[at]! ^= 1 << random.below(8);
    await refuse(damaged, `a bit at ${at}`);
  }
  for (let slot = format.SLOTS_OFFSET; slot < bytes.length - 4096; slot += 4096) {
    const zeroed = Buffer.from(bytes);
    zeroed.fill(0, slot, slot + 4096);
    await expect(restore(new Blob([zeroed]).stream(), newPath()), `zeros from ${slot} on`).rejects.toThrow(CorruptionError);
  }
  const junk = new Blob(['no store at all, and long enough to be one'.repeat(300)]);
  await expect(restore(junk.stream(), newPath())).rejects.toThrow(FormatError);
  await expect(restore(junk.stream(), newPath())).rejects.toThrow('restored from is not a varve store');
  await expect(restore(newPath(), newPath())).rejects.toThrow(NotFoundError);
  expect(leftovers()).toEqual([]);
});

test('what has the name stays, unless it may be replaced, and then until the new store is whole', async () => {
  const { path, bytes, expected, version } = await makeBackup();
  const target = newPath();
  const other = await open(target);
  other.putSync('other', 1);
  await expect(restore(path, target)).rejects.toThrow(InvalidArgumentError);
  await expect(restore(path, target, { overwrite: true })).rejects.toThrow(LockedError);
  await other.close();
  await expect(restore(path, target)).rejects.toThrow(/overwrite/);
  await expect(restore(new Blob([new Uint8Array(bytes.subarray(0, 20_000))]).stream(), target, { overwrite: true })).rejects.toThrow(CorruptionError);
  const still = await open(target);
  expect(still.get('other')).toBe(1);
  await still.close();
  await restore(path, target, { overwrite: true });
  await check(target, expected, version);
  expect(leftovers()).toEqual([]);
});

test('what is given up, or whose source fails, leaves nothing behind', async () => {
  const { path, bytes } = await makeBackup();
  const reason = new Error('enough');
  const target = newPath();
  const before = new AbortController();
  before.abort(reason);
  await expect(restore(path, target, { signal: before.signal })).rejects.toBe(reason);
  const controller = new AbortController();
  await expect(restore(path, target, { signal: controller.signal, onProgress: () => controller.abort(reason) })).rejects.toBe(reason);
  const stuck = new AbortController();
  let cancelled: unknown;
  const waiting = restore(new ReadableStream<Uint8Array>({ start: (stream) => stream.enqueue(new Uint8Array(bytes.subarray(0, 9000))), cancel: (why) => { cancelled = why; } }), target, { signal: stuck.signal });
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  stuck.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  expect(cancelled).toBe(reason);
  await expect(restore((async function* () { yield bytes.subarray(0, 5000); throw reason; })(), target)).rejects.toBe(reason);
  expect(existsSync(target)).toBe(false);
  expect(leftovers()).toEqual([]);
  expect(statSync(path).size).toBeGreaterThan(0);
});

test('bad arguments are refused before anything is made', async () => {
  const { path } = await makeBackup();
  const bad: unknown[][] = [[1, newPath()], ['', newPath()], [':memory:', newPath()], [path, ''], [path, ':memory:'], [path, 5], [path, newPath(), null], [path, newPath(), { overwrite: 1 }], [path, newPath(), { onProgress: 1 }], [path, newPath(), { other: 1 }], [path, newPath(), { memory: { limit: 1 } }]];
  for (const [source, target, options] of bad) await expect(restore(source as string, target as string, options as RestoreOptions), JSON.stringify([source, target, options])).rejects.toThrow(InvalidArgumentError);
  expect(leftovers()).toEqual([]);
});
