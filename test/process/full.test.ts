/**
 * A file system that is full, really: a small tmpfs, on which the kernel accepts a part of a write and then no more (F-42). What is refused is refused whole, what was acknowledged stays, deletes still
 * go, and with room again the store goes on by itself; for every amount of room that is left.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CorruptionError, FullError, IoError, open, type Store } from '../../src/index.js';
import { isAvailable } from '../support/children.js';
import { Random, seedOf } from '../support/random.js';

const SIZE = 512 << 10;
const folder = mkdtempSync(join(tmpdir(), 'varve-full-'));
const disk = join(folder, 'disk');
const probe = join(folder, 'probe');
mkdirSync(disk);
mkdirSync(probe);
const figures = { stores: 0, acknowledged: 0, refused: 0 };

/** Whether a file system can be mounted here. */
function canMount(): boolean {
  const is = isAvailable('the right to mount a file system', 'mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', probe);
  if (is) spawnSync('umount', [probe]);
  return is;
}

/** Leaves so many bytes of the disk free. */
function fillDisk(free: number): string {
  const path = join(disk, 'filler');
  writeFileSync(path, '');
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(path, new Uint8Array(Math.max(0, bavail * bsize - free)));
  return path;
}

/** Waits for a write. Returns whether it was acknowledged; it may be refused for want of room, and for nothing else. */
async function take(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    figures.acknowledged++;
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(FullError);
    figures.refused++;
    return false;
  }
}

function expectModel(db: Store, model: ReadonlyMap<string, number>): void {
  expect(new Map([...db.scan()].map(({ key, value }) => [key as string, (value as Uint8Array)[0]!]))).toEqual(new Map([...model].sort(([one], [other]) => (one < other ? -1 : 1))));
}

describe.skipIf(!canMount())('a full disk', () => {
  beforeAll(() => {
    expect(spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', disk]).status).toBe(0);
  });

  afterAll(() => {
    spawnSync('umount', [disk]);
    rmSync(folder, { recursive: true });
    process.stdout.write(`full disks: ${figures.stores} stores, ${figures.acknowledged} writes acknowledged, ${figures.refused} refused\n`);
  });

  for (const durability of ['strict', 'buffered', 'relaxed'] as const) {
    test(`${durability}: refuses whole what it has no room for, keeps what it has acknowledged, and goes on when there is room (F-42; T1, L6)`, async () => {
      const random = new Random(seedOf(42));
      for (let free = 0; free <= 120_000; free += 20_000) {
        const path = join(disk, `${durability}-${free}.varve`);
        let db = await open(path, { segmentSize: 4096, durability, flushInterval: 5 });
        figures.stores++;
        const model = new Map<string, number>();
        for (let key = 0; key < 5; key++) if (await take(db.put(`first${key}`, new Uint8Array(100).fill(key)))) model.set(`first${key}`, key);
        expect(model.size).toBe(5);
        const filler = fillDisk(free);
        let refused = 0;
        for (let step = 0; step < 60; step++) {
          const name = `key${step}`;
          const value = new Uint8Array(random.pick([50, 1000, 9000])).fill(step);
          const isTaken = random.chance(0.3)
            ? await take(db.batch([{ type: 'put', key: name, value }, { type: 'put', key: `${name}b`, value }]))
            : await take(db.put(name, value));
          if (isTaken) model.set(name, step);
          else refused++;
          if (isTaken && db.has(`${name}b`)) model.set(`${name}b`, step);
        }
        expect(refused, `${free} bytes free`).toBeGreaterThan(0);
        expectModel(db, model);
        for (let key = 0; key < 3; key++) if (await take(db.delete(`first${key}`))) model.delete(`first${key}`);
        expect(model.has('first0'), 'deletes have a reserve').toBe(false);
        expectModel(db, model);
        truncateSync(filler, 0);
        for (let key = 0; key < 20; key++) if (await take(db.put(`after${key}`, new Uint8Array(1000).fill(key)))) model.set(`after${key}`, key);
        expect(model.has('after19')).toBe(true);
        await db.verify();
        await db.close();
        db = await open(path, { create: false });
        expectModel(db, model);
        await db.close();
        rmSync(path);
        rmSync(filler);
      }
    });
  }

  test('a store that cannot be made for want of room leaves none, and the file of another alone (F-07, F-42)', async () => {
    const other = join(disk, 'other.varve');
    const db = await open(other, { segmentSize: 4096 });
    await db.put('a', 1);
    await db.close();
    const before = readFileSync(other);
    for (let free = 0; free < 40_000; free += 4096) {
      const filler = fillDisk(free);
      const path = join(disk, 'new.varve');
      const made = await open(path, { segmentSize: 4096 }).then((store) => store, (error: unknown) => error);
      if (made instanceof Error) {
        expect(made instanceof FullError || made instanceof IoError, String(made)).toBe(true);
        expect(made).not.toBeInstanceOf(CorruptionError);
      } else await (made as Store).close();
      rmSync(filler);
      // With room, what is left there is a store, or is made one.
      const again = await open(path, { segmentSize: 4096 });
      expect(await again.put('a', 2)).toBeGreaterThan(0);
      await again.close();
      rmSync(path);
    }
    expect(readFileSync(other).equals(before)).toBe(true);
  });
});
