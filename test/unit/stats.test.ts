/** The figures that a store gives: each against what was done to bring it about. */
import { expect, test } from 'vitest';
import { MemoryDevice } from '../../src/device/memory.js';
import { Histogram } from '../../src/durability/histogram.js';
import { ConflictError } from '../../src/index.js';
import { Random, seedOf } from '../support/random.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';

const OPTIONS = { durability: 'relaxed', segmentSize: 4096 } as const;

test('commits and conflicts are counted since the store was opened', async () => {
  const device = new SimulatedDisk();
  let db = openStore(device, OPTIONS);
  for (let index = 0; index < 20; index++) db.putSync(`key${index}`, index);
  db.batchSync([{ type: 'put', key: 'a', value: 1 }, { type: 'put', key: 'b', value: 2 }]);
  db.deleteSync('a');
  db.deleteSync('not there');
  expect(db.stats().commits).toEqual({ applied: 22, conflicts: 0 });
  for (let round = 0; round < 3; round++) {
    const tx = db.begin();
    tx.put('b', tx.get('b'));
    db.putSync('b', round);
    expect(() => tx.commitSync()).toThrow(ConflictError);
  }
  expect(db.stats().commits).toEqual({ applied: 25, conflicts: 3 });
  await db.close();
  db = openStore(new SimulatedDisk(device.processImage()), OPTIONS);
  expect(db.stats().commits).toEqual({ applied: 0, conflicts: 0 });
  db.putSync('c', 1);
  expect(db.stats().commits.applied).toBe(1);
  await db.close();
});

test('views are told by kind, with the age of the oldest', async () => {
  let clock = 1_700_000_000_000;
  const db = openStore(new MemoryDevice(), OPTIONS, 1, true, () => clock);
  db.putSync('a', 1);
  const none = { open: 0, oldest: undefined };
  expect(db.stats().views).toEqual({ snapshots: none, transactions: none, scans: none, copies: none, watches: { ...none, segments: 0 } });
  const first = db.snapshot();
  clock += 500;
  db.putSync('a', 2);
  const second = db.snapshot();
  const tx = db.begin();
  const watch = db.watch();
  const scan = db.scan()[Symbol.iterator]();
  clock += 1000;
  expect(db.stats().views).toEqual({
    snapshots: { open: 2, oldest: { version: 1, milliseconds: 1500 } },
    transactions: { open: 1, oldest: { version: 2, milliseconds: 1000 } },
    scans: { open: 1, oldest: { version: 2, milliseconds: 1000 } },
    copies: none,
    watches: { open: 1, oldest: { version: 2, milliseconds: 1000 }, segments: 0 },
  });
  scan.return?.();
  first.close();
  second.close();
  tx.abort();
  for (let index = 0; index < 300; index++) db.putSync('a', `over ${index} and over, until whole segments are dead`);
  await db.flush();
  db.putSync('a', 1);
  expect(db.stats().views.watches.segments).toBeGreaterThan(0);
  await watch.return();
  expect(db.stats().views.watches).toEqual({ ...none, segments: 0 });
  await db.close();
});

test('old versions are told by who keeps them', async () => {
  const plain = openStore(new MemoryDevice(), OPTIONS, 1, true);
  const snapshot = plain.snapshot();
  plain.putSync('a', 1);
  const seeing = plain.snapshot();
  for (let round = 0; round < 5; round++) plain.putSync('a', round);
  expect(plain.stats().versions).toEqual({ old: 1, heldByViews: 1, heldByHistory: 0 });
  expect(plain.stats().memory.oldVersionBytes).toBeGreaterThan(0);
  snapshot.close();
  seeing.close();
  expect(plain.stats().versions).toEqual({ old: 0, heldByViews: 0, heldByHistory: 0 });
  await plain.close();
  const history = openStore(new MemoryDevice(), { ...OPTIONS, history: { versions: 4 } }, 1, true);
  for (let round = 0; round < 10; round++) history.putSync('a', round);
  expect(history.stats().versions).toEqual({ old: 3, heldByViews: 0, heldByHistory: 3 });
  const held = history.snapshot();
  history.putSync('a', 'over it');
  expect(history.stats().versions).toEqual({ old: 3, heldByViews: 1, heldByHistory: 2 });
  held.close();
  await history.close();
});

test('the bytes of what knows of old versions come and go with them', async () => {
  const random = new Random(seedOf(31));
  const db = openStore(new MemoryDevice(), { ...OPTIONS, history: { versions: 6 } }, 1, true);
  const bytes = (): number => db.stats().memory.oldVersionBytes;
  expect(bytes()).toBe(0);
  for (let count = 0; count < 300; count++) db.putSync(random.below(10), count);
  const full = bytes();
  for (let count = 0; count < 600; count++) db.putSync(random.below(10), count);
  expect(bytes()).toBe(full);
  expect(full).toBeGreaterThan(4096 + 10 * 64);
  expect(full).toBeLessThan(4096 + 10 * 512);
  await db.close();
});

test('live and dead bytes make up the log, what is not yet in a frame too', async () => {
  const db = openStore(new MemoryDevice(), OPTIONS, 1, true);
  for (const count of [0, 1, 30, 100]) {
    for (let index = 0; index < count; index++) db.putSync(`key${index}`, 'x'.repeat(50));
    const { log, memory } = db.stats();
    expect(log.liveBytes + log.deadBytes).toBe(log.bytes);
    expect(log.deadBytes).toBeGreaterThan(0);
    expect(memory.segmentBytes).toBe(log.segments * 4096);
  }
  await db.close();
});

test('the latency of flushes is kept, and rises to its longest', async () => {
  const db = openStore(new MemoryDevice(), { segmentSize: 4096, flush: 'sync' });
  const before = db.stats().file!.flushLatency.count;
  for (let index = 0; index < 50; index++) db.putSync('a', index);
  const { flushLatency, flushes } = db.stats().file!;
  expect(flushLatency.count).toBe(before + 50);
  expect(flushLatency.count).toBe(flushes);
  const { p50, p90, p99, p999, max } = flushLatency;
  expect([p50, p90, p99, p999, max]).toEqual([p50, p90, p99, p999, max].toSorted((left, right) => left - right));
  expect(max).toBeGreaterThan(0);
  await db.close();
});

test('a histogram is right to an eighth, from a microsecond to an hour, and its longest exactly', () => {
  const random = new Random(seedOf(8));
  expect(new Histogram().summary()).toEqual({ count: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0 });
  for (const scale of [0.001, 0.1, 5, 1000, 3_000_000]) {
    const histogram = new Histogram();
    const times = Array.from({ length: 5000 }, () => (scale * (1 + random.below(100_000))) / 100_000);
    for (const time of times) histogram.observe(time);
    times.sort((left, right) => left - right);
    const { count, max, ...quantiles } = histogram.summary();
    expect([count, max]).toEqual([5000, times.at(-1)]);
    for (const [name, share] of [['p50', 0.5], ['p90', 0.9], ['p99', 0.99], ['p999', 0.999]] as const) {
      const exact = times[Math.ceil(5000 * share) - 1]!;
      expect(quantiles[name], `${name} of ${scale}`).toBeGreaterThanOrEqual(exact - 0.001);
      expect(quantiles[name], `${name} of ${scale}`).toBeLessThanOrEqual(exact * 1.126 + 0.001);
    }
  }
  const extreme = new Histogram();
  for (const time of [-1, 0, 1e12]) extreme.observe(time);
  expect(extreme.summary()).toMatchObject({ count: 3, p50: 0, max: 1e12 });
});
