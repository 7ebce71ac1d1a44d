/** When a commit was made, as its history, a watch and a view of the past say: what the clock showed then, wherever its frame was closed (F-64). */
import { expect, test } from 'vitest';
import { MemoryDevice } from '../../src/device/memory.js';
import { nextTurn } from '../../src/device/platform.js';
import type { OpenOptions } from '../../src/options.js';
import type { Store } from '../../src/store.js';
import { openInMemoryStore, openStore } from '../support/stores.js';

const SEGMENT_SIZE = 4096;
const BEGIN = 1_700_000_000_000;

function timesOf(db: Store, key: string): number[] {
  return [...db.history(key)].map(({ time }) => time);
}

test('a commit whose frame is closed by a change of segments has its own time, not that of the frame before', async () => {
  let now = BEGIN;
  const device = new MemoryDevice();
  const options: OpenOptions = { segmentSize: SEGMENT_SIZE, durability: 'relaxed', history: 'all' };
  const db = openStore(device, options, 1, false, () => now);
  db.putSync('first', 1);
  await db.flush();
  now += 3_600_000;
  // No flush comes between these: each segment is ended by the put that needs the next.
  for (let index = 0; index < 20; index++) db.putSync(`key${index}`, new Uint8Array(1500));
  // Neither do these wait for one: a transaction and a batch over several segments.
  db.transactSync((tx) => {
    for (let index = 0; index < 10; index++) tx.put(`tx${index}`, new Uint8Array(1500));
  });
  db.batchSync(Array.from({ length: 10 }, (_, index) => ({ type: 'put' as const, key: `batch${index}`, value: new Uint8Array(1500) })));
  expect(db.stats().log.segments).toBeGreaterThan(10);
  const expectTimes = (store: Store): void => {
    expect(timesOf(store, 'first')).toEqual([BEGIN]);
    for (let index = 0; index < 20; index++) expect(timesOf(store, `key${index}`), `key${index}`).toEqual([BEGIN + 3_600_000]);
    for (let index = 0; index < 10; index++) expect([...timesOf(store, `tx${index}`), ...timesOf(store, `batch${index}`)]).toEqual([BEGIN + 3_600_000, BEGIN + 3_600_000]);
  };
  expectTimes(db);
  await db.close();
  now += 3_600_000;
  const again = openStore(new MemoryDevice(device.bytes()), options, 2, false, () => now);
  expectTimes(again);
  await again.close();
});

test('a store without a file tells the time of a segment that was ended, not none', async () => {
  const db = openInMemoryStore({ segmentSize: SEGMENT_SIZE, history: 'all' });
  for (let index = 0; index < 20; index++) db.putSync(`key${index}`, new Uint8Array(1500));
  for (let index = 0; index < 20; index++) expect(timesOf(db, `key${index}`)).toEqual([BEGIN]);
  await db.close();
});

test('the first frame of all tells the time of each of its commits, not only of the last', async () => {
  let now = BEGIN;
  const device = new MemoryDevice();
  const db = openStore(device, { durability: 'relaxed', history: 'all' }, 1, false, () => now);
  db.putSync('a', 1);
  db.putSync('b', 2);
  await db.close();
  now += 60_000;
  const again = openStore(new MemoryDevice(device.bytes()), { history: 'all' }, 2, false, () => now);
  expect([timesOf(again, 'a'), timesOf(again, 'b')]).toEqual([[BEGIN], [BEGIN]]);
  await again.close();
});

test('the clock goes back, jumps ahead or says nothing: the order of commits is that of their versions (F-64; T17)', async () => {
  const clocks = [BEGIN, BEGIN - 86_400_000, BEGIN + 10 * 365 * 86_400_000, Number.NaN, 0, -5, BEGIN];
  let turn = 0;
  let device = new MemoryDevice();
  const open = (seed: number): Store => openStore(device, { segmentSize: SEGMENT_SIZE, durability: 'relaxed', history: 'all' }, seed, true, () => clocks[turn % clocks.length]!);
  let db = open(1);
  const versions: number[] = [];
  for (turn = 0; turn < 70; turn++) {
    versions.push(db.putSync('key', turn));
    if (turn % 3 === 0) await db.flush();
    if (turn % 10 === 9) {
      await db.close();
      device = new MemoryDevice(device.bytes());
      db = open(turn);
    }
  }
  expect(versions).toEqual([...versions].sort((one, other) => one - other));
  expect([...db.history('key')].map(({ value }) => value)).toEqual(Array.from({ length: 70 }, (_, index) => 69 - index));
  await db.verify();
  await db.close();
});

/** By which clock a view of a version reads. */
function clockOf(db: Store, version: number): number {
  const view = db.at(version);
  const { clock } = (view as unknown as { hold: { clock: number } }).hold;
  view.close();
  return clock;
}

test('a view of the newest version has the clock of its commit, also when compaction has moved all that it wrote and the store was opened again', async () => {
  let now = BEGIN;
  let device = new MemoryDevice();
  const open = (seed: number): Store => openStore(device, { segmentSize: SEGMENT_SIZE, durability: 'relaxed', compaction: false }, seed, true, () => now);
  const first = open(1);
  for (let index = 0; index < 40; index++) first.putSync(`key${index % 10}`, new Uint8Array(900));
  await first.flush();
  now += 3_600_000;
  first.putSync('short', 'lived', { ttl: 60_000 });
  const version = first.putSync('key1', new Uint8Array(900));
  await first.flush();
  now += 3_600_000;
  // So often that what was moved is moved again, and its frame says another time.
  for (let count = 0; count < 3; count++, now += 3_600_000) await first.compact();
  expect(clockOf(first, version)).toBe(BEGIN + 3_600_000);
  await first.close();
  device = new MemoryDevice(device.bytes());
  const again = open(2);
  expect(again.stats().version).toBe(version);
  expect(clockOf(again, version)).toBe(BEGIN + 3_600_000);
  // By that clock what has expired since was there, for whoever reads as of then.
  expect([again.get('short'), again.at(version).get('key1')]).toEqual([undefined, new Uint8Array(900)]);
  await again.close();
});

test('seals that stand before what compaction has moved do not tell when that was committed', async () => {
  let now = BEGIN;
  const device = new MemoryDevice();
  const options = { segmentSize: SEGMENT_SIZE, durability: 'relaxed', compaction: false } as const;
  const db = openStore(device, options, 1, true, () => now);
  for (let index = 0; index < 40; index++) db.putSync(`key${index % 10}`, new Uint8Array(900));
  now += 3_600_000;
  const version = db.putSync('key1', new Uint8Array(900));
  await db.flush();
  const { log, engine } = db['kernel'];
  let seals = 0;
  for (let count = 0; count < 3; count++) {
    now += 3_600_000;
    let isRunning = true;
    const compacted = db.compact().finally(() => {
      isRunning = false;
    });
    // The store seals what is durable when nothing was written for a while, which may be in the middle.
    for (; isRunning; seals++) {
      await nextTurn();
      if (!log!.isUnflushed && engine.pendingSize === 0) log!.seal();
    }
    await compacted;
  }
  expect(seals).toBeGreaterThan(3);
  await db.close();
  const again = openStore(new MemoryDevice(device.bytes()), options, 2, true, () => now);
  expect(again.stats().version).toBe(version);
  expect(clockOf(again, version)).toBe(BEGIN + 3_600_000);
  await again.close();
});
