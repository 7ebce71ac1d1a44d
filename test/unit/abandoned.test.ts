/**
 * Transactions that come to no end: an exception of the caller's, a promise that never settles, a session that its owner has forgotten (F-67). None of them leaves a version behind, or keeps one that
 * nobody can see any more; the forgotten one is reported.
 */
import { expect, test } from 'vitest';
import { MemoryDevice } from '../../src/device/memory.js';
import type { Store } from '../../src/store.js';
import { collectFor } from '../support/garbage.js';
import { PageOfStore } from '../support/page.js';
import { openStore } from '../support/stores.js';

const OVERWRITES = 200;

function makeStore(): { db: Store; warnings: string[]; pass: (milliseconds: number) => void } {
  const warnings: string[] = [];
  let now = 1_700_000_000_000;
  const db = openStore(new MemoryDevice(), { segmentSize: 4096, durability: 'relaxed', onWarning: ({ code }) => warnings.push(code) }, 1, true, () => now);
  for (let key = 0; key < 10; key++) db.putSync(key, key);
  return { db, warnings, pass: (milliseconds) => void (now += milliseconds) };
}

function overwrite(db: Store): void {
  for (let count = 0; count < OVERWRITES; count++) db.putSync(count % 10, new Uint8Array(100));
}

/** Nothing is open, and nothing is kept for anyone. */
function expectNothingKept(db: Store): void {
  const { snapshots, keys } = db.stats();
  expect([snapshots.open, snapshots.oldVersions, keys]).toEqual([0, 0, 10]);
}

test('an exception in a transaction, before and after its reads and writes, leaves no version and keeps none', async () => {
  const { db } = makeStore();
  const { version } = db.stats();
  for (const point of [0, 1, 2]) {
    const body = (tx: { get(key: number): unknown; put(key: number, value: unknown): void }): void => {
      if (point > 0) tx.get(1);
      if (point > 1) tx.put(1, 'never');
      throw new Error('the caller’s own');
    };
    expect(() => db.transactSync(body)).toThrow('the caller’s own');
    await expect(db.transact(async (tx) => body(tx))).rejects.toThrow('the caller’s own');
  }
  expect(db.stats().version).toBe(version);
  overwrite(db);
  expectNothingKept(db);
  await db.verify();
  await db.close();
});

test('a transaction whose promise never settles holds its view, is reported after a minute, and ends with its store', async () => {
  const { db, warnings, pass } = makeStore();
  let outcome = 'none';
  void db.transact(async (tx) => {
    tx.put(1, 'never');
    await new Promise(() => undefined);
  }).then(() => (outcome = 'resolved'), (error: { code?: string }) => (outcome = String(error.code)));
  await Promise.resolve();
  overwrite(db);
  expect(db.stats().snapshots.open).toBe(1);
  expect(db.get(1)).not.toBe('never');
  pass(61_000);
  db.snapshot().close();
  expect(warnings).toEqual(['VARVE_LONG_OPEN']);
  // One that is kept costs what it can see, and no more.
  expect(db.stats().snapshots.oldVersions).toBe(10);
  await db.close();
  expect(outcome).toBe('none');
});

test('a session that is forgotten is ended by the collection of garbage, and reported; what it kept is given up', async () => {
  const { db, warnings } = makeStore();
  (() => {
    const tx = db.begin();
    tx.get(1);
    tx.put(2, 'never');
  })();
  overwrite(db);
  expect(db.stats().snapshots.open).toBe(1);
  await collectFor(100, () => db.stats().snapshots.open > 0);
  expect(warnings).toEqual(['VARVE_FORGOTTEN']);
  overwrite(db);
  expectNothingKept(db);
  expect(db.get(2)).not.toBe('never');
  await db.verify();
  await db.close();
});

test('views that are forgotten are noticed one by one, however many began in their turn, and those that ended are not', async () => {
  const { db, warnings } = makeStore();
  (() => {
    for (let round = 0; round < 50; round++) {
      const loop = db.scan()[Symbol.iterator]();
      loop.next();
      // Ended in the order in which they began, and in the opposite one, and in a later turn.
      const views = [db.snapshot(), db.snapshot(), db.begin()];
      if (round % 2 === 0) views.reverse();
      for (const view of views) if ('close' in view) view.close();
      const [transaction] = views.filter((view) => 'abort' in view);
      setTimeout(() => transaction!.abort(), 0);
    }
    db.watch();
  })();
  expect(db.stats().snapshots.open).toBe(100);
  await collectFor(200, () => warnings.length < 51);
  expect(db.stats().snapshots.open).toBe(0);
  expect(warnings).toEqual(Array.from({ length: 51 }, () => 'VARVE_FORGOTTEN'));
  await db.close();
});

test('a snapshot or transaction is kept by whatever still reads of it, and given back when nothing does', async () => {
  const { db, warnings } = makeStore();
  const space = db.keyspace('space');
  space.putSync('a', 1);
  await (async () => {
    // Of none of these is anything left but what the second call gave.
    const views = [db.snapshot().in(space), db.begin().in(space)];
    const scans = [db.snapshot().scan({ gte: 0 }), db.begin().scan({ gte: 0 }), db.snapshot().in(space).scan(), db.begin().in(space).scan()];
    const loops = [db.snapshot().scan()[Symbol.iterator](), db.begin().scan()[Symbol.iterator]()];
    overwrite(db);
    space.putSync('a', 'later');
    await collectFor(20);
    for (const view of views) expect(view.get('a')).toBe(1);
    expect(warnings).toEqual([]);
    for (const items of [...scans, ...loops]) {
      let count = 0;
      for (const { value } of items) {
        expect(value).not.toBe('later');
        if (count++ % 4 === 0) await collectFor(1);
      }
      expect(count).toBeGreaterThan(0);
    }
  })();
  await collectFor(100, () => db.stats().snapshots.open > 0);
  expect(db.stats().snapshots.open).toBe(0);
  expect(warnings).toEqual(Array.from({ length: 8 }, () => 'VARVE_FORGOTTEN'));
  await db.close();
});

test('a snapshot or transaction of a page is kept by whatever still reads of it, and given back when nothing does', async () => {
  const page = await PageOfStore.open();
  const space = page.keyspace('space');
  await page.db.batch(Array.from({ length: 5000 }, (_, index) => ({ type: 'put' as const, key: index, value: index })));
  await space.put('a', 1);
  await (async () => {
    // Of none of these is anything left but what the second call gave.
    const views = [page.snapshot().in(space), page.begin().in(space)];
    const scans = [page.snapshot().scan({ gte: 0 }), page.begin().values()];
    const loops = [page.snapshot().keys()[Symbol.asyncIterator](), page.begin().scan()[Symbol.asyncIterator]()];
    await page.db.put(0, 'later');
    await collectFor(20);
    for (const view of views) expect(await view.get('a')).toBe(1);
    const counts: number[] = [];
    for (const items of [...scans, ...loops]) {
      let count = 0;
      for await (const item of items) {
        if (count++ === 0) expect(item).not.toMatchObject({ value: 'later' });
        if (count % 1000 === 0) await collectFor(1);
      }
      counts.push(count);
    }
    expect(counts).toEqual([5000, 5000, 5000, 5000]);
  })();
  await collectFor(100, () => page.openViews > 0);
  expect(page.openViews).toBe(0);
  await page.store.close();
});

test('a watch of a page that has ended is gone, with the question that it was waiting for and from the signal that might have ended it', async () => {
  const page = await PageOfStore.open();
  const { signal } = new AbortController();
  const watches: WeakRef<object>[] = [];
  await (async () => {
    for (const ends of [true, false]) {
      const watch = page.db.watch('a', { signal });
      watches.push(new WeakRef(watch));
      const next = watch.next();
      await page.db.put('a', 1);
      expect((await next).value?.changes[0]?.value).toBe(1);
      if (!ends) continue;
      const waiting = watch.next();
      await page.db.get('a');
      await watch.return();
      expect(await waiting).toEqual({ done: true, value: undefined });
    }
  })();
  await collectFor(20);
  expect(watches.map((watch) => watch.deref())).toEqual([undefined, undefined]);
  expect(page.store.stats().views.watches.open).toBe(0);
  await page.store.close();
});

test('a transaction that does not wait is never reported as old, whatever begins while it runs', async () => {
  const { db, warnings } = makeStore();
  db.transactSync((tx) => {
    for (const { key } of db.scan()) tx.put(key, 'seen');
    expect(db.stats().views.transactions.oldest?.milliseconds).toBe(0);
  });
  await db.transact((tx) => {
    db.snapshot().close();
    tx.put(1, 'seen');
  });
  expect([...db.values()]).toEqual(Array.from({ length: 10 }, () => 'seen'));
  expect(warnings).toEqual([]);
  await db.close();
});
