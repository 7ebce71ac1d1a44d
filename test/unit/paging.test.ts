/** Stores of which a part is in memory: whatever is asked for comes back as it was put, and what cannot be read is told, with nothing changed. */
import { expect, test } from 'vitest';
import { MemoryDevice } from '../../src/device/memory.js';
import { CorruptionError, IoError } from '../../src/errors.js';
import type { Store } from '../../src/store.js';
import { Random, seedOf } from '../support/random.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { openPaged } from '../support/stores.js';

const OPTIONS = { durability: 'relaxed', segmentSize: 4096, flushInterval: 3_600_000, values: 'bytes' } as const;
const BLOCKS = 8;

function valueOf(seed: number, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => (seed * 31 + index * 7) & 255);
}

interface Scene {
  readonly random: Random;
  /** Of each key, the seed and the size of its value. */
  readonly model: Map<number, readonly [number, number]>;
}

function expectValue(db: Store<Uint8Array>, { model }: Scene, key: number, where: string): void {
  const put = model.get(key);
  expect(db.get(key) ?? null, `${where}, key ${key}`).toEqual(put === undefined ? null : valueOf(...put));
}

const KEY_COUNT = 400;

/** One write, alone, in a batch or in a transaction. */
function write(db: Store<Uint8Array>, { random, model }: Scene, step: number): void {
  const draw = (): readonly [number, readonly [number, number]] => [random.below(KEY_COUNT), [step, random.below(40) === 0 ? 5000 + random.below(9000) : random.below(700)]];
  const kind = random.below(12);
  if (kind === 0) {
    const key = random.below(KEY_COUNT);
    db.deleteSync(key);
    model.delete(key);
    return;
  }
  if (kind > 2) {
    const [key, put] = draw();
    db.putSync(key, valueOf(...put));
    model.set(key, put);
    return;
  }
  const puts = Array.from({ length: 1 + random.below(12) }, draw);
  if (kind === 1) db.batchSync(puts.map(([key, put]) => ({ type: 'put', key, value: valueOf(...put) })));
  else {
    db.transactSync((tx) => {
      for (const [key, put] of puts) {
        tx.get(key + 1);
        tx.put(key, valueOf(...put));
      }
    });
  }
  for (const [key, put] of puts) model.set(key, put);
}

/** Everything in order, with reads between that have other segments come and go. */
function expectScan(db: Store<Uint8Array>, scene: Scene, where: string): void {
  const keys: number[] = [];
  for (const { key, value } of db.scan()) {
    keys.push(key as number);
    expect(value, `${where}, scanned ${String(key)}`).toEqual(valueOf(...scene.model.get(key as number)!));
    for (let count = scene.random.below(6); count > 0; count--) expectValue(db, scene, scene.random.below(KEY_COUNT), where);
  }
  expect(keys, where).toEqual([...scene.model.keys()].sort((left, right) => left - right));
}

for (const checks of [false, true]) {
  test(`a store of which ${BLOCKS} blocks are in memory equals its model${checks ? ', in the build that holds the core to its contracts' : ''}`, async () => {
    const seed = seedOf(checks ? 71 : 70);
    const scene: Scene = { random: new Random(seed), model: new Map() };
    let device = new MemoryDevice();
    let db = openPaged(device, OPTIONS, seed, BLOCKS, checks) as Store<Uint8Array>;
    let bytes = 0;
    const rounds = checks ? 2 : 4;
    for (let round = 0; round < rounds; round++) {
      for (let step = 0; step < (checks ? 120 : 400); step++) {
        const where = `seed ${seed}, round ${round}, step ${step}`;
        write(db, scene, step);
        if (step % 10 === 0) await db.flush();
        expectValue(db, scene, scene.random.below(KEY_COUNT), where);
      }
      const before = new Map(scene.model);
      const snapshot = db.snapshot();
      for (let step = 0; step < 60; step++) write(db, scene, step + 2000);
      for (const [key, put] of before) expect(snapshot.get(key), `seed ${seed}, snapshot, key ${key}`).toEqual(valueOf(...put));
      snapshot.close();
      expectScan(db, scene, `seed ${seed}, round ${round}`);
      await db.verify();
      bytes = db.stats().log.liveBytes;
      await db.close();
      device = new MemoryDevice(device.bytes());
      db = openPaged(device, OPTIONS, seed + round, BLOCKS, checks) as Store<Uint8Array>;
      expect(db.stats().keys).toBe(scene.model.size);
      for (const key of scene.model.keys()) expectValue(db, scene, key, `seed ${seed}, reopened`);
    }
    expect(bytes / 4096, 'the store is larger than what is in memory').toBeGreaterThan(4 * BLOCKS);
    await db.close();
  }, 300_000);
}

/** A store with many keys, closed in order. */
async function filled(seed: number, count: number): Promise<Uint8Array> {
  const device = new MemoryDevice();
  const db = openPaged(device, OPTIONS, seed);
  for (let key = 0; key < count; key++) db.putSync(key, valueOf(key, 600));
  await db.close();
  return device.bytes();
}

test('damage that comes while a store is open is told by the first read of it, and everything else is served (F-33)', async () => {
  const disk = new SimulatedDisk(await filled(1, 300));
  const db = openPaged(disk, OPTIONS) as Store<Uint8Array>;
  // Every segment that is in memory leaves it.
  for (let key = 0; key < 300; key++) db.get(key);
  for (let key = 0; key < 300; key++) db.get(key);
  const byte = new Uint8Array(1);
  const place = 8192 + 10 * 4096 + 2000;
  disk.read(byte, place);
  byte[0]! ^= 8;
  disk.write(byte, 0, 1, place);
  const lost: number[] = [];
  for (let key = 0; key < 300; key++) {
    try {
      expect(db.get(key)).toEqual(valueOf(key, 600));
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      expect(Math.abs(error.offset! - place)).toBeLessThan(4096);
      lost.push(key);
      // What cannot be read cannot be superseded either, and nothing has changed.
      const { version } = db.stats();
      expect(() => db.putSync(key, valueOf(0, 10))).toThrow(CorruptionError);
      expect(() => db.batchSync([{ type: 'put', key: 'new', value: valueOf(0, 10) }, { type: 'delete', key }])).toThrow(CorruptionError);
      expect(() => db.transactSync((tx) => {
        tx.put('new', valueOf(0, 10));
        tx.put(key, valueOf(0, 10));
      })).toThrow(CorruptionError);
      expect(db.stats().version).toBe(version);
      expect(db.has('new')).toBe(false);
    }
  }
  expect(lost).toHaveLength(1);
  await expect(db.verify()).rejects.toThrow(CorruptionError);
  db.putSync('more', valueOf(1, 100));
  expect(db.get('more')).toEqual(valueOf(1, 100));
  await db.close();
});

test('a read that fails is told, changes nothing, and is tried again by the next one', async () => {
  const image = await filled(2, 300);
  for (let round = 0; round < 8; round++) {
    const disk = new SimulatedDisk(image);
    const db = openPaged(disk, OPTIONS, round) as Store<Uint8Array>;
    for (let key = 0; key < 300; key++) db.get((key * 7) % 300);
    const key = round * 30;
    const { version } = db.stats();
    disk.failures.push({ at: disk.operations, kind: 'io', operation: 'read', isSticky: true });
    let failed = 0;
    const attempt = (action: () => unknown): void => {
      try {
        action();
      } catch (error) {
        if (!(error instanceof IoError)) throw error;
        failed++;
      }
    };
    attempt(() => db.get(key));
    attempt(() => [...db.scan()]);
    attempt(() => db.transactSync((tx) => tx.put(`${key}`, valueOf(tx.get(key)!.length, 10))));
    expect(db.stats().failed).toBe(false);
    disk.failures = [];
    for (let other = 0; other < 300; other++) expect(db.get(other)).toEqual(valueOf(other, 600));
    expect([...db.scan()].length).toBe(300 + (db.stats().version - version));
    if (round > 0) expect(failed, `round ${round}`).toBeGreaterThan(0);
    await db.verify();
    await db.close();
  }
});

const LARGE_COUNT = 8;

/** A store whose large values and small ones have left memory, and a scan that is about to hand on the second of the large ones. */
async function scanned(disk: SimulatedDisk): Promise<{ db: Store<Uint8Array>; rest: () => unknown[] }> {
  const db = openPaged(disk, { ...OPTIONS, compaction: false }) as Store<Uint8Array>;
  for (let key = 0; key < LARGE_COUNT; key++) {
    db.putSync(`large${key}`, valueOf(key, 9000));
    // What is overwritten leaves segments that are half dead.
    for (let count = 0; count < 3; count++) db.putSync('other', valueOf(count, 1500));
  }
  for (let key = 0; key < 100; key++) db.putSync(key, valueOf(key, 600));
  await db.flush();
  const scan = db.scan({ prefix: 'large' })[Symbol.iterator]();
  scan.next();
  for (let round = 0; round < 3; round++) for (let key = 0; key < 100; key++) db.get(key);
  const next = (): unknown => {
    const { done, value } = scan.next();
    return done === true ? undefined : value.value;
  };
  return { db, rest: () => Array.from({ length: LARGE_COUNT }, next) };
}

const LARGE_REST = [...Array.from({ length: LARGE_COUNT - 1 }, (_, index) => valueOf(index + 1, 9000)), undefined];

test('a large value is read as it is while what was written waits to be flushed, because it may not leave memory before (T3, L3)', async () => {
  const { db } = await scanned(new SimulatedDisk(new Uint8Array()));
  for (let count = 0; count < 40; count++) {
    db.putSync(`new${count}`, valueOf(count, 1500));
    const values = [...db.scan({ prefix: 'large', limit: 2 })].map(({ value }) => value);
    expect(values, `behind ${count} puts`).toEqual([valueOf(0, 9000), valueOf(1, 9000)]);
  }
  await db.close();
});

test('segments that died are given up while a scan of large values is open, also where nothing can be read: no write that was applied fails, and none stops the store (L3, F-33)', async () => {
  const segments = async (fails: boolean): Promise<number> => {
    const disk = new SimulatedDisk(new Uint8Array());
    const { db, rest } = await scanned(disk);
    db.putSync('new', valueOf(0, 1500));
    if (fails) disk.failures.push({ at: disk.operations, kind: 'io', operation: 'read', isSticky: true });
    for (let count = 0; count < 60; count++) {
      db.putSync('new', valueOf(count, 1500));
      if (count > 20) await db.flush();
    }
    disk.failures = [];
    const count = db.stats().log.segments;
    expect(rest()).toEqual(LARGE_REST);
    await db.close();
    return count;
  };
  expect(await segments(true)).toBe(await segments(false));
});

test('a read that fails while segments are given up that compaction has emptied leaves them to the next time (L3, T3, F-33)', async () => {
  const compacted = async (failure: number | undefined): Promise<{ count: number; failed: boolean; segments: number }> => {
    const disk = new SimulatedDisk(new Uint8Array());
    const { db, rest } = await scanned(disk);
    const first = disk.trace.length;
    if (failure !== undefined) {
      let left = failure;
      const read = disk.read.bind(disk);
      disk.read = (target, offset) => {
        if (left-- === 0) disk.failures.push({ at: disk.operations, kind: 'io', operation: 'read' });
        return read(target, offset);
      };
    }
    const failed = await db.compact().then(() => false, (error: unknown) => {
      expect(error, `read ${failure}`).toBeInstanceOf(IoError);
      return true;
    });
    const count = disk.trace.slice(first).filter((operation) => operation === 'read').length;
    disk.failures = [];
    expect(rest(), `read ${failure}`).toEqual(LARGE_REST);
    // What one call has left half-done may take the next two to lie as it should.
    for (let round = 0; round < 2; round++) await db.compact();
    await db.verify();
    const { segments } = db.stats().log;
    await db.close();
    return { count, failed, segments };
  };
  const { count, segments } = await compacted(undefined);
  let failures = 0;
  for (let failure = 14; failure < count; failure += 34) {
    const outcome = await compacted(failure);
    if (outcome.failed) failures++;
    expect(outcome.segments, `read ${failure} of ${count}`).toBe(segments);
  }
  expect(failures).toBeGreaterThan(0);
});
