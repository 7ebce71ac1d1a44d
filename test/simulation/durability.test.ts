/** What reaches the device, and when a promise resolves, in each durability mode. */
import { afterEach, expect, test, vi } from 'vitest';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const VALUE = new Uint8Array(100).fill(1);

/** Lets every microtask that is queued, and those that they queue, run. */
async function microtasks(): Promise<void> {
  for (let round = 0; round < 20; round++) await Promise.resolve();
}

/** The operations of a disk since a moment, without what prepares slots: those are done by hand on this device. */
function since(disk: SimulatedDisk, from: number): string[] {
  return disk.trace.slice(from);
}

test('strict: a put resolves when a flush that began after its write has finished', async () => {
  const disk = new SimulatedDisk();
  const db = openStore(disk, { durability: 'strict' });
  await db.put('first', VALUE);
  disk.holdFlushes = true;
  const from = disk.operations;
  let isDone = false;
  const promise = db.put('a', VALUE).then(() => (isDone = true));
  await microtasks();
  expect(since(disk, from)).toEqual(['write', 'flush']);
  expect(isDone).toBe(false);
  disk.releaseFlushes();
  await promise;
  expect(openStore(new SimulatedDisk(disk.image('none')), {}).get('a')).toEqual(VALUE);
  disk.holdFlushes = false;
  await db.close();
});

test('strict: the puts of one turn are one write and one flush; those that come meanwhile share the next', async () => {
  const disk = new SimulatedDisk();
  const db = openStore(disk, { durability: 'strict' });
  await db.put('first', VALUE);
  disk.holdFlushes = true;
  let from = disk.operations;
  const turn = Promise.all(Array.from({ length: 50 }, (_, key) => db.put(key, VALUE)));
  await microtasks();
  expect(since(disk, from)).toEqual(['write', 'flush']);
  from = disk.operations;
  const meanwhile: Promise<number>[] = [];
  for (let key = 100; key < 120; key++) {
    meanwhile.push(db.put(key, VALUE));
    await microtasks();
  }
  expect(since(disk, from), 'nothing is flushed beside a flush').not.toContain('flush');
  let isDone = false;
  void Promise.all(meanwhile).then(() => (isDone = true));
  disk.releaseFlushes();
  await turn;
  await microtasks();
  expect([since(disk, from).filter((operation) => operation === 'flush').length, isDone]).toEqual([1, false]);
  disk.releaseFlushes();
  await Promise.all(meanwhile);
  const versions = await Promise.all(meanwhile);
  expect(new Set(versions).size).toBe(20);
  disk.holdFlushes = false;
  await db.close();
});

test('strict with blocking flushes: one flush a turn, and none after it', async () => {
  const disk = new SimulatedDisk();
  const db = openStore(disk, { durability: 'strict', flush: 'sync' });
  await db.put('first', VALUE);
  const from = disk.operations;
  await Promise.all(Array.from({ length: 50 }, (_, key) => db.put(key, VALUE)));
  expect(since(disk, from)).toEqual(['write', 'flush']);
  const promise = db.put('with a flush of its own on the way', VALUE);
  disk.holdFlushes = true;
  const flushing = db.flush();
  await promise;
  expect(openStore(new SimulatedDisk(disk.image('none')), {}).has('with a flush of its own on the way')).toBe(true);
  disk.holdFlushes = false;
  disk.releaseFlushes();
  await flushing;
  await db.close();
});

test('strict: a synchronous put returns after a flush', async () => {
  const disk = new SimulatedDisk();
  const db = openStore(disk, { durability: 'strict' });
  db.putSync('a', VALUE);
  expect(openStore(new SimulatedDisk(disk.image('none')), {}).get('a')).toEqual(VALUE);
  expect(openStore(new SimulatedDisk(disk.image('none')), {}).has('b')).toBe(false);
  await db.close();
});

test('buffered: when a put resolves, the operating system has it; the puts of a turn are one write', async () => {
  const disk = new SimulatedDisk();
  const db = openStore(disk, { durability: 'buffered' });
  db.putSync('first', VALUE);
  await microtasks();
  const from = disk.operations;
  const puts = Array.from({ length: 50 }, (_, key) => db.put(key, VALUE));
  expect(since(disk, from)).toEqual([]);
  await puts[0];
  expect(since(disk, from)).toEqual(['write']);
  expect(openStore(new SimulatedDisk(disk.processImage()), {}).get(49)).toEqual(VALUE);
  await Promise.all(puts);
  expect(since(disk, from)).toEqual(['write']);
  await db.close();
});

test('buffered: synchronous puts reach the operating system at the microtask checkpoint, or when 256 KiB wait', async () => {
  const disk = new SimulatedDisk();
  const db = openStore(disk, { durability: 'buffered', segmentSize: 1 << 20 });
  db.putSync('first', VALUE);
  await microtasks();
  const from = disk.operations;
  db.putSync('a', VALUE);
  expect(since(disk, from)).toEqual([]);
  expect(db.stats().log.pendingBytes).toBeGreaterThan(100);
  await microtasks();
  expect(since(disk, from)).toEqual(['write']);
  for (let key = 0; key < 300; key++) {
    db.putSync(key, new Uint8Array(1000));
    expect(db.stats().log.pendingBytes).toBeLessThan((256 << 10) + 2000);
  }
  expect(since(disk, from)).toContain('write');
  await db.close();
});

test.each(['buffered', 'relaxed'] as const)('%s: everything is flushed within the interval, and not before', async (durability) => {
  vi.useFakeTimers();
  const disk = new SimulatedDisk();
  const db = openStore(disk, { durability, flushInterval: 100 });
  const from = disk.operations;
  await db.put('a', VALUE);
  await vi.advanceTimersByTimeAsync(90);
  expect(since(disk, from)).not.toContain('flush');
  await vi.advanceTimersByTimeAsync(20);
  expect(since(disk, from)).toContain('flush');
  expect(openStore(new SimulatedDisk(disk.image('none')), {}).get('a')).toEqual(VALUE);
  const after = disk.operations;
  await vi.advanceTimersByTimeAsync(1000);
  expect(since(disk, after), 'an idle store seals its last commit once, and is quiet then').toEqual(['write']);
  await db.close();
});

test.each(['buffered', 'relaxed'] as const)('%s: a loop that gives timers no turn is flushed too', async (durability) => {
  let now = 1000;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const disk = new SimulatedDisk();
  const db = openStore(disk, { durability, flushInterval: 100 });
  // The first write makes room for versions, which takes a flush.
  db.putSync('a', VALUE);
  const from = disk.operations;
  for (let count = 0; count < 100; count++) db.putSync('a', VALUE);
  expect(since(disk, from)).not.toContain('flush');
  now += 250;
  for (let count = 0; count < 32; count++) db.putSync('a', VALUE);
  expect(since(disk, from)).toContain('flush');
  const inMicrotasks = disk.operations;
  for (let count = 0; count < 100; count++) await db.put('a', VALUE);
  expect(since(disk, inMicrotasks)).not.toContain('flush');
  now += 250;
  for (let count = 0; count < 32; count++) await db.put('a', VALUE);
  expect(since(disk, inMicrotasks)).toContain('flush');
  await db.close();
});

test('relaxed: a put resolves when it is applied; what is not handed over is bounded', async () => {
  vi.spyOn(performance, 'now').mockReturnValue(1000);
  const disk = new SimulatedDisk();
  const db = openStore(disk, { durability: 'relaxed', segmentSize: 1 << 20 });
  const from = disk.operations;
  await db.put('a', VALUE);
  expect(since(disk, from)).not.toContain('write');
  for (let key = 0; key < 600; key++) {
    await db.put(key, new Uint8Array(10_000));
    expect(db.stats().log.pendingBytes).toBeLessThan((4 << 20) + 20_000);
  }
  await db.flush();
  expect(db.stats().log.pendingBytes).toBe(0);
  await db.close();
});

test.each(['strict', 'buffered', 'relaxed'] as const)('%s: flush covers everything that was applied before it, also beside another flush', async (durability) => {
  const disk = new SimulatedDisk();
  const db = openStore(disk, { durability });
  disk.holdFlushes = true;
  void db.put('a', VALUE).catch(() => undefined);
  const first = db.flush();
  await microtasks();
  void db.put('b', VALUE).catch(() => undefined);
  const second = db.flush();
  let isSecondDone = false;
  void second.then(() => (isSecondDone = true));
  disk.releaseFlushes();
  await first;
  await microtasks();
  expect(isSecondDone).toBe(false);
  while (!isSecondDone) {
    disk.releaseFlushes();
    await microtasks();
  }
  const image = openStore(new SimulatedDisk(disk.image('none')), {});
  expect([image.has('a'), image.has('b')]).toEqual([true, true]);
  disk.holdFlushes = false;
  await db.close();
});

test('a flush with nothing to do does nothing', async () => {
  const disk = new SimulatedDisk();
  const db = openStore(disk, {});
  await db.put('a', VALUE);
  await db.flush();
  const from = disk.operations;
  await db.flush();
  expect(since(disk, from)).toEqual([]);
  await db.close();
});
