/** What can be done for a store that nobody has open: a report of what is wrong with it, and a new store of what is left. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import * as format from '../../assembly/shared/format.js';
import { CorruptionError, FormatError, InvalidArgumentError, LockedError, NotFoundError, open, salvage, verify } from '../../src/index.js';

const folder = mkdtempSync(join(tmpdir(), 'varve-repair-'));
afterAll(() => rmSync(folder, { recursive: true }));
let number = 0;
const newPath = (): string => join(folder, `${number++}.varve`);
const LARGE = new Uint8Array(50_000).map((_, index) => index * 7);

/** A store with something of everything, closed. */
async function makeStore(): Promise<string> {
  const path = newPath();
  const db = await open(path, { segmentSize: 4096, durability: 'relaxed' });
  for (let index = 0; index < 200; index++) db.putSync(`key${index}`, { index });
  db.deleteSync('key7');
  db.putSync('large', LARGE);
  db.putSync('short', 'lived', { expiresAt: Date.now() + 3_600_000 });
  db.putSync('gone', 'already', { expiresAt: 1 });
  const people = db.keyspace('people');
  people.putSync(['anna', 1], new Map([['a', 1n]]));
  people.putSync(['bert', 2], 'text');
  await db.close();
  return path;
}

/** Overwrites some bytes of a file. */
function damage(path: string, offset: number, bytes: Uint8Array): void {
  const content = readFileSync(path);
  content.set(bytes, offset);
  writeFileSync(path, content);
}

test('verify of a sound store says so, and how much there is', async () => {
  const path = await makeStore();
  const before = readFileSync(path);
  const report = await verify(path);
  expect(report.ok).toBe(true);
  expect(report.damage).toEqual([]);
  expect(report.keys).toBe(204);
  expect(report.recovery.clean).toBe(true);
  expect(report.recovery.records).toBeGreaterThan(200);
  expect(readFileSync(path).equals(before)).toBe(true);
});

test('verify names each damaged place, what is wrong there, and the commits that it concerns', async () => {
  const path = await makeStore();
  // In the records of a frame, and in the head of another segment's first frame.
  const [first, second] = [format.SLOTS_OFFSET + 4096 + 2000, format.SLOTS_OFFSET + 5 * 4096 + 160];
  damage(path, first, new Uint8Array(8).fill(0x5a));
  damage(path, second, new Uint8Array(32).fill(0x5a));
  const before = readFileSync(path);
  const report = await verify(path);
  expect(report.ok).toBe(false);
  expect(report.damage.length).toBe(2);
  for (const { reason, versions, segment } of report.damage) {
    expect(reason).toMatch(/checksum/);
    expect(segment).toBeGreaterThan(0);
    expect(versions!.after).toBeLessThan(versions!.upTo!);
  }
  expect(report.damage[0]!.offset).toBeLessThanOrEqual(first);
  expect(report.damage[0]!.offset + report.damage[0]!.bytes).toBeGreaterThan(first);
  expect(report.damage[1]!.offset).toBeLessThanOrEqual(second);
  expect(readFileSync(path).equals(before)).toBe(true);
});

test('a store that is open finds all damage of its file, segment by segment', async () => {
  const path = newPath();
  const db = await open(path, { segmentSize: 4096, durability: 'relaxed' });
  for (let index = 0; index < 200; index++) db.putSync(`key${index}`, { index });
  await db.flush();
  damage(path, format.SLOTS_OFFSET + 600, new Uint8Array(8).fill(0x5a));
  damage(path, format.SLOTS_OFFSET + 4096 + 600, new Uint8Array(8).fill(0x5a));
  const error = await db.verify().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(CorruptionError);
  expect((error as CorruptionError).damage.map(({ segment }) => segment)).toEqual([1, 2]);
  expect((error as CorruptionError).segment).toBe(1);
  expect((error as CorruptionError).message).toContain('and 1 more');
  expect(db.get('key0')).toEqual({ index: 0 });
  await db.close();
});

test('salvage writes all that is intact as a new store, and lists what is lost', async () => {
  const path = await makeStore();
  damage(path, format.SLOTS_OFFSET + 4096 + 2000, new Uint8Array(8).fill(0x5a));
  const before = readFileSync(path);
  const target = newPath();
  const report = await salvage(path, target);
  expect(readFileSync(path).equals(before)).toBe(true);
  expect(report.lost.length).toBe(1);
  const { after, upTo } = report.lost[0]!.versions!;
  const db = await open(target);
  expect(report.keys).toBe(db.stats().keys);
  expect(report.keys).toBeLessThan(203);
  expect(report.bytes).toBeGreaterThan(50_000);
  for (let index = 0; index < 200; index++) {
    // Each of these commits wrote one key, so the version tells which.
    const isLost = index + 1 > after && index + 1 <= upTo!;
    if (db.get(`key${index}`) === undefined && index !== 7) expect(isLost, `key${index}`).toBe(true);
  }
  expect(db.get('large')).toEqual(LARGE);
  expect(db.get('gone')).toBeUndefined();
  expect(db.keyspaces()).toEqual(['people']);
  expect([...db.keyspace('people').scan()].map(({ key, value }) => [key, value])).toEqual([[['anna', 1], new Map([['a', 1n]])], [['bert', 2], 'text']]);
  await db.verify();
  await db.close();
  const later = await open(target, { readOnly: true });
  expect(later.get('short')).toBe('lived');
  await later.close();
  expect((await verify(target)).ok).toBe(true);
});

test('what salvage copies keeps its expiry', async () => {
  const path = newPath();
  const db = await open(path);
  const at = Date.now() + 700;
  db.putSync('short', 'lived', { expiresAt: at });
  await db.close();
  const target = newPath();
  await salvage(path, target);
  const copy = await open(target);
  expect(copy.get('short')).toBe('lived');
  while (Date.now() <= at) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(copy.get('short')).toBeUndefined();
  await copy.close();
});

test('with both superblocks lost, salvage still finds everything, and verify says what is missing', async () => {
  const path = await makeStore();
  damage(path, 0, new Uint8Array(format.SLOTS_OFFSET).fill(1));
  const content = readFileSync(path);
  content.write('varve\r\x1a\n', 0, 'latin1');
  writeFileSync(path, content);
  const report = await verify(path);
  expect(report.ok).toBe(false);
  expect(report.damage[0]).toMatchObject({ segment: 0, offset: 0, bytes: format.SLOTS_OFFSET });
  expect(report.keys).toBe(204);
  expect((await salvage(path, newPath())).keys).toBe(203);
});

test('of a store without an intact segment there is a report, and nothing to salvage: it is refused, and no empty store written in its place (F-24, F-28)', async () => {
  const path = await makeStore();
  const content = readFileSync(path);
  // Superblocks alone; a header without all of its list of segments; and a file as long as ever in which every header is damaged.
  const garbled = Buffer.from(content);
  for (let offset = format.SLOTS_OFFSET; offset < garbled.length; offset += 4096) garbled.fill(0x5a, offset, offset + 64);
  for (const left of [content.subarray(0, format.SLOTS_OFFSET), content.subarray(0, format.SLOTS_OFFSET + format.SEGMENT_HEADER_SIZE), garbled]) {
    writeFileSync(path, left);
    await expect(open(path)).rejects.toThrow(CorruptionError);
    const report = await verify(path);
    expect(report).toMatchObject({ ok: false, keys: 0, recovery: { clean: false, records: 0 } });
    expect(report.damage[0]!.segment).toBeGreaterThan(0);
    expect(report.recovery.lost).toEqual(report.damage);
    const target = newPath();
    const error = await salvage(path, target).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CorruptionError);
    expect((error as CorruptionError).message).toContain('no segment of it is intact');
    expect((error as CorruptionError).damage).toEqual(report.damage);
    expect(existsSync(target)).toBe(false);
    expect(readFileSync(path).equals(left)).toBe(true);
  }
});

test('what is not there, not a store, held by a writer, or in the way, is told and left alone', async () => {
  const path = await makeStore();
  const other = await makeStore();
  const before = readFileSync(other);
  await expect(verify(newPath())).rejects.toThrow(NotFoundError);
  await expect(salvage(newPath(), newPath())).rejects.toThrow(NotFoundError);
  await expect(salvage(path, other)).rejects.toThrow(InvalidArgumentError);
  await expect(salvage(path, path)).rejects.toThrow(InvalidArgumentError);
  expect(readFileSync(other).equals(before)).toBe(true);
  const alien = newPath();
  writeFileSync(alien, 'something else entirely, and long enough to be looked at');
  await expect(verify(alien)).rejects.toThrow(FormatError);
  await expect(salvage(path, alien)).rejects.toThrow(InvalidArgumentError);
  expect(readFileSync(alien, 'latin1')).toMatch(/^something else/);
  const db = await open(path);
  await expect(verify(path)).rejects.toThrow(LockedError);
  await db.close();
});
