/** What the API of transactions promises beside isolation: pending cas, reruns, exceptions, ends, arguments, and size. */
import { expect, test } from 'vitest';
import { CasError, ClosedError, ConflictError, InvalidArgumentError, open, type Store, type Transaction } from '../../src/index.js';
import { sameBytes } from '../support/same-bytes.js';

async function withStore(run: (db: Store<unknown>) => Promise<void> | void): Promise<void> {
  const db = await open(':memory:', { memory: { initial: 1 << 20 } });
  db.batchSync([{ type: 'put', key: 1, value: 10 }, { type: 'put', key: 2, value: 20 }]);
  try {
    await run(db);
  } finally {
    await db.close();
  }
}

test('own writes and deletes are seen, also those of a pending cas (T4, T19)', () => withStore((db) => {
  const tx = db.begin();
  tx.put(1, 'put');
  expect([tx.get(1), tx.has(1)]).toEqual(['put', true]);
  tx.delete(1);
  expect([tx.get(1), tx.has(1)]).toEqual([undefined, false]);
  tx.cas(2, db.getEntry(2)!.version, 'cas');
  expect(tx.get(2)).toBe('cas');
  tx.put('new', { a: [1, new Map([[1, 2]])] });
  expect(tx.get('new')).toEqual({ a: [1, new Map([[1, 2]])] });
  const version = tx.commitSync();
  expect(db.getEntry(2)).toEqual({ key: 2, value: 'cas', version });
  expect(db.getEntry('new')?.version).toBe(version);
  expect(db.has(1)).toBe(false);
}));

test('a cas is checked at commit, alone, and its mismatch is no conflict (T8, T11)', () => withStore(async (db) => {
  const right = db.begin();
  right.cas(1, 1, 'first');
  right.cas('absent', 0, 'made');
  expect(await right.commit()).toBe(2);
  const wrong = db.begin();
  wrong.put(2, 'lost with it');
  wrong.cas(1, 1, 'late');
  const error = await wrong.commit().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(CasError);
  expect((error as CasError).version).toBe(2);
  expect(db.getMany([1, 2])).toEqual(['first', 20]);
  let runs = 0;
  await expect(db.transact((tx) => {
    runs++;
    tx.cas(1, 1, 'never');
  })).rejects.toBeInstanceOf(CasError);
  expect(runs).toBe(1);
}));

test('transact runs again after a conflict, and loses no increment (T15)', () => withStore(async (db) => {
  await Promise.all(Array.from({ length: 50 }, () => db.transact(async (tx) => {
    const before = tx.get(1) as number;
    await Promise.resolve();
    tx.put(1, before + 1);
  }, { retries: 1000 })));
  expect(db.get(1)).toBe(60);
}));

test('transact gives up after its retries, its timeout and its signal', () => withStore(async (db) => {
  const spoil = (tx: Transaction): void => {
    tx.put(1, (tx.get(1) as number) + 1);
    db.putSync(1, 0);
  };
  let runs = 0;
  await expect(db.transact((tx) => {
    runs++;
    spoil(tx);
  }, { retries: 3 })).rejects.toBeInstanceOf(ConflictError);
  expect(runs).toBe(4);
  expect(() => db.transactSync(spoil, { retries: 2 })).toThrow(ConflictError);
  await expect(db.transact(spoil, { timeout: 0 })).rejects.toBeInstanceOf(ConflictError);
  const controller = new AbortController();
  await expect(db.transact((tx) => {
    spoil(tx);
    controller.abort(new Error('enough'));
  }, { signal: controller.signal })).rejects.toThrow('enough');
  expect(db.stats().snapshots.open).toBe(0);
}));

test('an exception comes out unchanged, and nothing is left behind (T14, T20)', () => withStore(async (db) => {
  const thrown = new Error('mine');
  await expect(db.transact((tx) => {
    tx.put(1, 'gone');
    throw thrown;
  })).rejects.toBe(thrown);
  expect(() => db.transactSync((tx) => {
    tx.put(1, 'gone');
    throw thrown;
  })).toThrow(thrown);
  expect(db.get(1)).toBe(10);
  expect(db.stats().snapshots.open).toBe(0);
  expect(await db.transact((tx) => tx.get(1))).toBe(10);
}));

test('after the end, and after the store is closed, a transaction is a ClosedError', async () => {
  await withStore(async (db) => {
    const tx = db.begin();
    tx.abort();
    tx.abort();
    expect(() => tx.get(1)).toThrow(ClosedError);
    expect(() => tx.put(1, 1)).toThrow(ClosedError);
    await expect(tx.commit()).rejects.toBeInstanceOf(ClosedError);
    const open = db.begin();
    open.put(1, 'never');
    await db.close();
    expect(() => open.get(1)).toThrow(ClosedError);
    await expect(open.commit()).rejects.toBeInstanceOf(ClosedError);
    expect(open.isOpen).toBe(false);
  });
});

test('bad arguments', () => withStore(async (db) => {
  const tx = db.begin();
  expect(() => tx.put(1, undefined)).toThrow(InvalidArgumentError);
  expect(() => tx.put(Number.NaN, 1)).toThrow(InvalidArgumentError);
  expect(() => tx.put(1, () => 1)).toThrow(InvalidArgumentError);
  expect(() => tx.cas(1, -1, 1)).toThrow(InvalidArgumentError);
  expect(tx.commitSync()).toBe(0);
  expect(() => db.begin({ isolation: 'chaos' as never })).toThrow(InvalidArgumentError);
  expect(() => db.transactSync(() => Promise.resolve(1))).toThrow(InvalidArgumentError);
  await expect(db.transact(1 as never)).rejects.toBeInstanceOf(InvalidArgumentError);
  await expect(db.transact(() => 1, { retries: -1 })).rejects.toBeInstanceOf(InvalidArgumentError);
}));

test('thousands of open transactions, and one of many writes and large values', () => withStore(async (db) => {
  const many = Array.from({ length: 3000 }, (_, number) => {
    const tx = db.begin();
    tx.put(['many', number], number);
    return tx;
  });
  for (const tx of many) await tx.commit();
  expect(db.stats().keys).toBe(3002);
  const large = new Uint8Array(5_000_000).map((_, index) => index * 7);
  const version = db.transactSync((tx) => {
    for (let number = 0; number < 100_000; number++) tx.put(['big', number], number);
    tx.put('large', large);
    for (let round = 0; round < 50; round++) tx.put('again', new Uint8Array(1000).fill(round));
  });
  expect(version).toBeUndefined();
  expect(db.stats().keys).toBe(103_004);
  // Comparing five million numbers one by one takes the test runner half a minute.
  expect(sameBytes(db.get('large'), large)).toBe(true);
  expect(db.get('again')).toEqual(new Uint8Array(1000).fill(49));
  expect(db.getEntry(['big', 0])?.version).toBe(db.getEntry('large')?.version);
  await db.verify();
}));
