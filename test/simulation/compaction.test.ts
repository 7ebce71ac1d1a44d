/** Compaction: what it may move and forget, whatever is open meanwhile; the space that a store takes; and that nothing comes back, whenever the power goes. */
import { afterAll, expect, test } from 'vitest';
import { MemoryDevice } from '../../src/device/memory.js';
import { nextTurn } from '../../src/device/platform.js';
import type { Kernel } from '../../src/kernel.js';
import type { Snapshot } from '../../src/snapshot.js';
import type { Store } from '../../src/store.js';
import { Random, seedOf } from '../support/random.js';
import { CrashError, SimulatedDisk } from '../support/simulated-disk.js';
import { openInMemoryStore, openStore } from '../support/stores.js';

const SEGMENT = { segmentSize: 4096 };
const seed = seedOf(1);
let moved = 0;

/** What a store has copied so far. */
function movedBy(db: Store): number {
  return (db as unknown as { readonly kernel: Kernel }).kernel.engine.core.movedSize();
}

const valueOf = (key: number, round: number, size: number): Uint8Array => new Uint8Array(size).map((_, index) => (key * 7 + round * 13 + index) & 0xff);

/** How full the segments are. */
function utilisation(db: Store): number {
  const { liveBytes, segments, segmentBytes } = db.stats().log;
  return liveBytes / (segments * segmentBytes);
}

/** Writes the same keys again and again, with what else `each` does after a write. */
async function overwrite(db: Store, random: Random, keys: number, count: number, each: (key: number, round: number) => void = () => undefined): Promise<Map<number, number>> {
  const rounds = new Map<number, number>();
  for (let round = 1; round <= count; round++) {
    const key = random.below(keys);
    db.putSync(key, valueOf(key, round, 20 + random.below(80)));
    rounds.set(key, round);
    each(key, round);
    if (round % 64 === 0) await db.flush();
  }
  moved += movedBy(db);
  return rounds;
}

function expectRounds(db: { get(key: number): unknown }, rounds: ReadonlyMap<number, number>): void {
  for (const [key, round] of rounds) {
    const value = db.get(key) as Uint8Array;
    expect(Buffer.compare(value, valueOf(key, round, value.length)), `key ${key}`).toBe(0);
  }
}

test('a store that is overwritten for ever keeps its bounds, in memory and in the file, by what its commits do alone (L2, L3)', async () => {
  const device = new SimulatedDisk();
  const db = openStore(device, { ...SEGMENT, durability: 'buffered' }, seed);
  const rounds = await overwrite(db, new Random(seed), 400, 20_000);
  expect(rounds.size).toBe(400);
  expect(utilisation(db)).toBeGreaterThan(0.65);
  expect(db.stats().file!.bytes).toBeLessThan(db.stats().log.segments * 4096 * 3);
  expectRounds(db, rounds);
  await db.verify();
  await db.close();
  const again = openStore(SimulatedDisk.fromImage(device.image('all')), {}, seed);
  expectRounds(again, rounds);
  await again.verify();
});

test('every structure agrees after every step, with large values, batches, deletes, expiry, snapshots and scans that are open (T3, T5, T18)', async () => {
  let now = 1_700_000_000_000;
  const db = openStore(new MemoryDevice(), { ...SEGMENT, durability: 'buffered' }, seed, true, () => now);
  const random = new Random(seed);
  const snapshots: { view: Snapshot; state: Map<number, unknown> }[] = [];
  const state = new Map<number, unknown>();
  for (let round = 0; round < 1200; round++) {
    now += 10;
    const key = random.below(24);
    const choice = random.below(20);
    if (choice < 3) {
      db.deleteSync(key);
      state.delete(key);
    } else if (choice < 5) {
      const value = valueOf(key, round, 3000 + random.below(6000));
      db.putSync(key, value);
      state.set(key, value);
    } else if (choice < 7) {
      db.putSync(1000 + key, round, { ttl: 100 });
    } else if (choice === 7) {
      if (snapshots.length === 4) snapshots.shift()!.view.close();
      snapshots.push({ view: db.snapshot(), state: new Map(state) });
    } else {
      const value = valueOf(key, round, random.below(300));
      db.batchSync([{ type: 'put', key, value }, { type: 'put', key: 500 + (key & 3), value: round }]);
      state.set(key, value);
    }
    if (round % 16 === 0) await db.flush();
    if (round % 40 !== 0) continue;
    for (const { view, state: seen } of snapshots) for (let each = 0; each < 24; each++) expect(view.get(each)).toEqual(seen.get(each));
    for (let each = 0; each < 24; each++) expect(db.get(each)).toEqual(state.get(each));
  }
  expect(movedBy(db)).toBeGreaterThan(100_000);
  moved += movedBy(db);
  for (const { view } of snapshots) view.close();
  await db.verify();
});

test('what a scan has in its batch is right, although its segments are emptied and given up before it is handed on (T3)', async () => {
  const db = openStore(new MemoryDevice(), { ...SEGMENT, durability: 'buffered' }, seed, true);
  for (let key = 0; key < 200; key++) db.putSync(key, valueOf(key, 0, key % 50 === 0 ? 9000 : 200));
  await db.flush();
  const seen: number[] = [];
  for (const { key, value } of db.scan()) {
    expect(value).toEqual(valueOf(key as number, 0, key as number % 50 === 0 ? 9000 : 200));
    seen.push(key as number);
    for (let again = 0; again < 30; again++) db.putSync(1000 + (again & 7), valueOf(again, seen.length, 100));
    if (seen.length % 10 === 0) await db.compact();
  }
  expect(seen).toEqual(Array.from({ length: 200 }, (_, key) => key));
  moved += movedBy(db);
});

test('a history and its times outlast compaction, and a reopen behind it', async () => {
  const device = new SimulatedDisk();
  let now = 1_700_000_000_000;
  const options = { ...SEGMENT, durability: 'buffered', history: { versions: 3 } } as const;
  const db = openStore(device, options, seed, false, () => now);
  const expected = new Map<number, { version: number; time: number; value: unknown }[]>();
  const random = new Random(seed);
  for (let round = 0; round < 3000; round++) {
    now += 7;
    const key = random.below(20) === 0 ? random.below(40) : 40 + random.below(10);
    const value = round % 97 === 0 ? valueOf(key, round, 9000) : round;
    const version = await db.put(key, value);
    expected.set(key, [{ version, time: now, value }, ...(expected.get(key) ?? [])].slice(0, 3));
  }
  const movedSize = movedBy(db);
  expect(movedSize).toBeGreaterThan(10_000);
  moved += movedSize;
  const expectHistory = (store: Store): void => {
    for (const [key, versions] of expected) {
      expect([...store.history(key)].map(({ version, time, value }) => ({ version, time, value }))).toEqual(versions);
    }
  };
  expectHistory(db);
  await db.close();
  const again = openStore(SimulatedDisk.fromImage(device.image('all')), options, seed, false, () => now);
  expectHistory(again);
  await again.verify();
  await again.compact();
  expectHistory(again);
});

test('a watch is shown every commit once, in order, while the log behind it is compacted', async () => {
  const db = openStore(new MemoryDevice(), { ...SEGMENT, durability: 'buffered' }, seed);
  for (let key = 0; key < 300; key++) db.putSync(key, valueOf(key, 0, 60));
  const watcher = db.watch()[Symbol.asyncIterator]();
  const versions: number[] = [];
  const written: number[] = [];
  const random = new Random(seed);
  for (let round = 1; round < 3000; round++) {
    written.push(await db.put(random.below(300), valueOf(1, round, 60)));
    if (round % 20 === 0) while (versions.length < written.length) versions.push(((await watcher.next()).value as { version: number }).version);
  }
  while (versions.length < written.length) versions.push(((await watcher.next()).value as { version: number }).version);
  expect(versions).toEqual(written);
  expect(movedBy(db)).toBeGreaterThan(10_000);
  moved += movedBy(db);
  await watcher.return!();
});

test('what compaction moves behind its commit is shown once by a watch, and keeps its time', async () => {
  let now = 1_700_000_000_000;
  const db = openStore(new SimulatedDisk(), SEGMENT, seed, false, () => now);
  const watcher = db.watch()[Symbol.asyncIterator]();
  for (let key = 0; key < 60; key++) await db.put(key, valueOf(key, 0, 60));
  const times: number[] = [];
  for (let key = 0; key < 60; key += 7) await db.put(key, valueOf(key, 1, 60));
  now += 1000;
  await db.put('last', 1);
  now += 1000;
  await db.compact();
  for (let item = await watcher.next(); ; item = await watcher.next()) {
    const { changes, time } = item.value as { changes: readonly { key: unknown }[]; time: number };
    expect(changes).toHaveLength(1);
    times.push(time);
    if (changes[0]!.key === 'last') break;
  }
  expect(times).toHaveLength(60 + 9 + 1);
  expect(new Set(times.slice(0, -1))).toEqual(new Set([1_700_000_000_000]));
  expect(times.at(-1)).toBe(1_700_000_001_000);
  expect(movedBy(db)).toBeGreaterThan(0);
  await watcher.return!();
});

test('deletes are forgotten when nothing is left that they hide, and not before: what was deleted stays deleted (L8)', async () => {
  const device = new SimulatedDisk();
  const db = openStore(device, { ...SEGMENT, durability: 'buffered' }, seed);
  for (let key = 0; key < 2000; key++) db.putSync(key, valueOf(key, 0, 60));
  const before = db.snapshot();
  for (let key = 0; key < 2000; key++) if (key % 10 !== 0) db.deleteSync(key);
  await db.compact();
  // Whoever reads as of before them keeps them.
  expect(db.stats()).toMatchObject({ keys: 200, tombstones: 1800 });
  expect(before.get(1)).toEqual(valueOf(1, 0, 60));
  before.close();
  await db.compact();
  expect(db.stats()).toMatchObject({ keys: 200, tombstones: 0 });
  expect(db.stats().file!.bytes).toBeLessThan(20 * 4096);
  expect(db.count()).toBe(200);
  for (let key = 0; key < 2000; key++) expect(db.has(key)).toBe(key % 10 === 0);
  // A key that comes again, and goes again, is as new.
  db.putSync(1, 'again');
  expect([...db.keys({ lt: 3 })]).toEqual([0, 1]);
  db.deleteSync(1);
  await db.close();
  const again = openStore(SimulatedDisk.fromImage(device.image('all')), {}, seed);
  expect(again.count()).toBe(200);
  expect(again.has(1)).toBe(false);
  await again.verify();
});

test('deletes and values that have expired are forgotten as a store is used, and their room with them', async () => {
  let now = 1_700_000_000_000;
  const db = openStore(new MemoryDevice(), { ...SEGMENT, durability: 'buffered' }, seed, false, () => now);
  for (let key = 0; key < 12_000; key++) {
    now += 1;
    db.putSync(['queue', key], valueOf(key, 0, 60));
    db.putSync(['cache', key], key, { ttl: 500 });
    if (key >= 100) db.deleteSync(['queue', key - 100]);
    if (key % 50 === 0) await db.flush();
  }
  const { keys, tombstones, log } = db.stats();
  expect(keys + tombstones).toBeLessThan(8000);
  expect(log.segments).toBeLessThan(150);
  expect(db.count({ prefix: ['queue'] })).toBe(100);
  expect(db.count({ prefix: ['cache'] })).toBe(500);
});

test('who compacts while another does waits for him, and both come to an end', async () => {
  const db = openStore(new SimulatedDisk(), { ...SEGMENT, durability: 'buffered' }, seed);
  const rounds = await overwrite(db, new Random(seed), 400, 4000);
  const [first, second] = await Promise.all([db.compact(), db.compact()]);
  expect(first.movedBytes).toBeGreaterThan(0);
  expect(second.before).toBe(first.after);
  await expect(Promise.all([db.compact({ signal: AbortSignal.abort() }).catch((error: unknown) => error), db.compact()])).resolves.toHaveLength(2);
  expectRounds(db, rounds);
  await db.verify();
  await db.close();
});

test('a keyspace that is dropped gives its room back', async () => {
  const db = openStore(new MemoryDevice(), { ...SEGMENT, durability: 'buffered' }, seed);
  const users = db.keyspace('users');
  for (let key = 0; key < 3000; key++) users.putSync(key, valueOf(key, 0, 60));
  db.putSync('stays', 1);
  await db.dropKeyspace('users');
  await db.compact();
  expect(db.stats()).toMatchObject({ keys: 1, tombstones: 0 });
  expect(db.stats().file!.bytes).toBeLessThan(20 * 4096);
});

test('a store whose memory is at its limit makes room by compaction before it refuses a write', async () => {
  const db = openStore(new MemoryDevice(), { ...SEGMENT, durability: 'buffered', compaction: false, memory: { limit: 2 << 20 } }, seed);
  for (let round = 0; round < 40_000; round++) {
    const key = round % 4 === 0 ? round % 4000 : round & 15;
    db.putSync(key, valueOf(key, round, 60));
    if (round % 200 === 0) await db.flush();
  }
  expect(db.stats().log.liveBytes).toBeLessThan(400_000);
  await db.verify();
});

test('a store without a file keeps its bounds by what its commits do, is compacted when asked to, and makes room before it refuses a write', async () => {
  const db = openInMemoryStore({ ...SEGMENT }, seed);
  const asked = openInMemoryStore({ ...SEGMENT, compaction: false }, seed);
  const pressed = openInMemoryStore({ ...SEGMENT, compaction: false, memory: { limit: 2 << 20 } }, seed);
  for (let round = 0; round < 40_000; round++) {
    const key = round % 4 === 0 ? round % 20_000 : round & 15;
    const value = valueOf(key, round, 60);
    for (const store of [db, pressed]) store.putSync(key, value);
    if (round < 4000) asked.putSync(key, value);
  }
  for (const store of [db, pressed]) {
    expect(store.stats().compaction.movedBytes).toBeGreaterThan(0);
    await store.verify();
  }
  const { log } = db.stats();
  expect(log.segments * log.segmentBytes).toBeLessThan(log.liveBytes * 1.6);
  const compacted = await asked.compact();
  expect(compacted.movedBytes).toBeGreaterThan(0);
  expect(compacted.after).toBeLessThan(compacted.before);
  await asked.verify();
});

test('a disk that is full is compacted within, and goes on', async () => {
  const disk = new SimulatedDisk();
  disk.capacity = 64 * 4096;
  const db = openStore(disk, { ...SEGMENT, durability: 'buffered', compaction: false }, seed);
  for (let round = 0; round < 6000; round++) {
    const key = round % 4 === 0 ? round % 400 : round & 15;
    db.putSync(key, valueOf(key, round, 60));
    if (round % 50 === 0) await db.flush();
  }
  await db.verify();
  expect(disk.size()).toBeLessThanOrEqual(64 * 4096);
});

test('the power may go at any operation of a compaction: nothing that was flushed is missing, and nothing that was deleted comes back (F-05, F-06, L6, L8)', async () => {
  const written = async (disk: SimulatedDisk): Promise<Store> => {
    const db = openStore(disk, { ...SEGMENT, durability: 'strict', flush: 'sync', compaction: false }, seed);
    for (let key = 0; key < 60; key++) db.putSync(key, valueOf(key, 0, key === 7 ? 7000 : 150));
    for (let key = 0; key < 60; key++) if (key % 3 !== 0) db.deleteSync(key);
    for (let key = 0; key < 60; key += 6) db.putSync(key, valueOf(key, 1, 150));
    return db;
  };
  const whole = new SimulatedDisk();
  const first = await written(whole);
  const begin = whole.operations;
  await first.compact();
  expect(first.stats().tombstones).toBe(0);
  const end = whole.operations;
  expect(end - begin).toBeGreaterThan(20);
  let states = 0;
  for (let cut = begin; cut < end; cut++) {
    const disk = new SimulatedDisk();
    disk.crashAt = cut;
    try {
      const db = await written(disk);
      await db.compact();
    } catch (error) {
      let cause: unknown = error;
      while (cause instanceof Error && !(cause instanceof CrashError)) cause = cause.cause;
      expect(cause).toBeInstanceOf(CrashError);
    }
    for (const choice of ['none', 'all', new Random(cut), new Random(cut + 1000)] as const) {
      const db = openStore(SimulatedDisk.fromImage(disk.image(choice)), {}, seed);
      for (let key = 0; key < 60; key++) {
        const expected = key % 3 !== 0 ? undefined : valueOf(key, key % 6 === 0 ? 1 : 0, 150);
        expect(db.get(key)).toEqual(expected);
      }
      await db.verify();
      states++;
    }
  }
  expect(states).toBe((end - begin) * 4);
});

test('a delete stays as long as what it hides, in segments that are hardly worth emptying (L8)', async () => {
  const device = new SimulatedDisk();
  const db = openStore(device, { segmentSize: 65_536, durability: 'buffered' }, seed);
  for (let key = 0; key < 4000; key++) db.putSync(key, valueOf(key, 0, 100));
  await db.flush();
  // The deletes stand among what soon dies.
  for (let key = 0; key < 4000; key += 80) {
    db.deleteSync(key);
    for (let again = 0; again < 20; again++) db.putSync('dies', valueOf(key, again, 100));
  }
  await db.compact();
  await db.close();
  const again = openStore(SimulatedDisk.fromImage(device.image('all')), {}, seed);
  for (let key = 0; key < 4000; key++) expect(again.has(key)).toBe(key % 80 !== 0);
  await again.verify();
});

test('a snapshot sees what expires after it, whatever is forgotten meanwhile (T3)', async () => {
  let now = 1_700_000_000_000;
  const db = openStore(new MemoryDevice(), { ...SEGMENT, durability: 'buffered' }, seed, false, () => now);
  for (let key = 0; key < 500; key++) db.putSync(key, valueOf(key, 0, 60), { ttl: 100 });
  await db.flush();
  const before = db.snapshot();
  now += 1000;
  await db.put('later', 0);
  // Values that have expired are forgotten only when something was committed since the sweep began.
  const compactWhileWriting = async (): Promise<void> => {
    const compacted = db.compact();
    for (let round = 0; round < 20; round++) {
      db.putSync('later', round);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await compacted;
  };
  await compactWhileWriting();
  for (let key = 0; key < 500; key++) expect(before.get(key)).toEqual(valueOf(key, 0, 60));
  before.close();
  await compactWhileWriting();
  expect(db.stats().keys).toBe(1);
  await db.verify();
});

test('what a burst of overwrites leaves is given back when the store is closed, whatever its durability (L2)', async () => {
  for (const durability of ['buffered', 'relaxed', 'strict'] as const) {
    const device = new SimulatedDisk();
    const db = openStore(device, { segmentSize: 65536, durability, flush: 'sync', flushInterval: 3_600_000 }, seed);
    for (let round = 1; round <= 8; round++) for (let key = 0; key < 2000; key += 20) db.batchSync(Array.from({ length: 20 }, (_, index) => ({ type: 'put' as const, key: key + index, value: valueOf(key + index, round, 1000) })));
    const grown = device.size();
    await db.close();
    const image = device.image('all');
    expect(grown, durability).toBeGreaterThan(durability === 'strict' ? 2_000_000 : 10_000_000);
    // 2.1 MB are live; a sixteenth of that, an image of the index, and a megabyte that is not worth a copy may stand beside.
    expect(image.length, durability).toBeLessThan(4_500_000);
    const again = openStore(SimulatedDisk.fromImage(image), {}, seed);
    expectRounds(again, new Map(Array.from({ length: 2000 }, (_, key) => [key, 8])));
    await again.verify();
    await again.close();
  }
});

test('a store that is closed while it is compacted, at any moment, is closed: nothing is asked of its file afterwards, and who compacts is told', async () => {
  for (let moment = 0; moment < 280; moment++) {
    const warnings: unknown[] = [];
    const device = new MemoryDevice();
    const db = openStore(device, { ...SEGMENT, durability: 'buffered', flushInterval: 3_600_000, compaction: moment % 2 === 0 ? false : {}, onWarning: (warning) => void warnings.push(warning) }, moment + 1);
    for (let index = 0; index < 60; index++) db.putSync(`key ${index % 20}`, 'v'.repeat(400));
    const ends = [db.compact(), db.compact()].map((promise) => promise.then(() => 'done', (error: { code: string }) => error.code));
    const others = Promise.allSettled([db.flush(), db.put('key 0', 1), db.import((async function* () { for (let index = 0; index < 50; index++) yield `{"key":"key 1","value":${index}}\n`; })())]);
    for (let index = 0; index < moment % 40; index++) await Promise.resolve();
    for (let index = 0; index < moment % 7; index++) await nextTurn();
    await db.close();
    for (const end of await Promise.all(ends)) expect(['done', 'VARVE_CLOSED'], `moment ${moment}`).toContain(end);
    await others;
    expect(warnings).toEqual([]);
    const again = openStore(new MemoryDevice(device.bytes()), SEGMENT);
    expect(again.recovery.clean).toBe(true);
    expect(again.count()).toBe(20);
    await again.close();
  }
});

afterAll(() => {
  process.stdout.write(`compaction: ${moved} bytes moved\n`);
});
