/** Transactions by name: the anomalies of the Hermitage list on keys, under both levels, and the promises of the API. */
import { describe, expect, test } from 'vitest';
import { CasError, ClosedError, ConflictError, InvalidArgumentError, open, type Isolation, type Store, type Transaction } from '../../src/index.js';

const LEVELS: readonly Isolation[] = ['serializable', 'snapshot'];

async function withStore(run: (db: Store<unknown>) => Promise<void> | void): Promise<void> {
  const db = await open(':memory:', { memory: { initial: 1 << 20 } });
  db.batchSync([{ type: 'put', key: 1, value: 10 }, { type: 'put', key: 2, value: 20 }]);
  try {
    await run(db);
  } finally {
    await db.close();
  }
}

/** Whether a commit went through. */
function commits(tx: Transaction): boolean {
  try {
    tx.commitSync();
    return true;
  } catch (error) {
    if (error instanceof ConflictError) return false;
    throw error;
  }
}

describe.each(LEVELS)('under %s', (isolation) => {
  const begin = (db: Store<unknown>): Transaction => db.begin({ isolation });

  test('G0, write cycles: the writes of two transactions do not mix', () => withStore((db) => {
    const [one, two] = [begin(db), begin(db)];
    one.put(1, 11);
    two.put(1, 12);
    one.put(2, 21);
    expect(commits(one)).toBe(true);
    two.put(2, 22);
    expect(commits(two)).toBe(isolation === 'serializable');
    expect(db.getMany([1, 2])).toEqual(isolation === 'serializable' ? [12, 22] : [11, 21]);
  }));

  test('G1a, aborted reads: what was aborted was never seen', () => withStore((db) => {
    const [one, two] = [begin(db), begin(db)];
    one.put(1, 101);
    expect(two.get(1)).toBe(10);
    one.abort();
    expect(two.get(1)).toBe(10);
    expect(commits(two)).toBe(true);
    expect(db.get(1)).toBe(10);
  }));

  test('G1b, intermediate reads: only what was committed is seen', () => withStore((db) => {
    const [one, two] = [begin(db), begin(db)];
    one.put(1, 101);
    expect(two.get(1)).toBe(10);
    one.put(1, 11);
    expect(commits(one)).toBe(true);
    expect(two.get(1)).toBe(10);
    expect(db.get(1)).toBe(11);
  }));

  test('G1c, circular information flow: neither sees the other', () => withStore((db) => {
    const [one, two] = [begin(db), begin(db)];
    one.put(1, 11);
    two.put(2, 22);
    expect([one.get(2), two.get(1)]).toEqual([20, 10]);
    expect(commits(one)).toBe(true);
    expect(commits(two)).toBe(isolation === 'snapshot');
  }));

  test('OTV, an observed transaction does not vanish', () => withStore((db) => {
    const [one, two, three] = [begin(db), begin(db), begin(db)];
    one.put(1, 11);
    one.put(2, 19);
    two.put(1, 12);
    expect(commits(one)).toBe(true);
    const later = begin(db);
    expect([later.get(1), later.get(2)]).toEqual([11, 19]);
    two.put(2, 18);
    expect(commits(two)).toBe(isolation === 'serializable');
    expect([later.get(1), later.get(2)]).toEqual([11, 19]);
    expect([three.get(1), three.get(2)]).toEqual([10, 20]);
  }));

  test('P4, lost update: of two that read and write one key, one fails (T9, T15)', () => withStore((db) => {
    const [one, two] = [begin(db), begin(db)];
    one.put(1, (one.get(1) as number) + 1);
    two.put(1, (two.get(1) as number) + 1);
    expect(commits(one)).toBe(true);
    expect(commits(two)).toBe(false);
    expect(db.get(1)).toBe(11);
  }));

  test('G-single, read skew: all reads come from one point in time (T3, T5)', () => withStore((db) => {
    const [one, two] = [begin(db), begin(db)];
    expect(one.get(1)).toBe(10);
    two.put(1, 12);
    two.put(2, 18);
    expect(commits(two)).toBe(true);
    expect(one.get(2)).toBe(20);
  }));

  test(`G2-item, write skew: ${isolation === 'serializable' ? 'excluded' : 'happens'} (T16)`, () => withStore((db) => {
    const [one, two] = [begin(db), begin(db)];
    expect([one.get(1), one.get(2), two.get(1), two.get(2)]).toEqual([10, 20, 10, 20]);
    one.put(1, 11);
    two.put(2, 21);
    expect(commits(one)).toBe(true);
    expect(commits(two)).toBe(isolation === 'snapshot');
  }));

  test('a read of a key that was absent counts (T7)', () => withStore((db) => {
    const tx = begin(db);
    expect(tx.get('new')).toBeUndefined();
    tx.put('other', 1);
    db.putSync('new', 1);
    expect(commits(tx)).toBe(isolation === 'snapshot');
  }));

  test('deleted and created again is a newer version (T13)', () => withStore((db) => {
    const tx = begin(db);
    tx.put(1, (tx.get(1) as number) + 1);
    db.deleteSync(1);
    db.putSync(1, 10);
    expect(commits(tx)).toBe(false);
  }));

  test('a transaction that only read commits, takes no version and writes nothing (T10)', () => withStore((db) => {
    const { version } = db.stats();
    const tx = begin(db);
    tx.get(1);
    db.putSync(1, 5);
    expect(tx.commitSync()).toBe(0);
    expect(db.stats().version).toBe(version + 1);
  }));
});

test('blind writes: under serializable the last stays, under snapshot the first wins (T10)', () => withStore((db) => {
  const [one, two] = [db.begin(), db.begin()];
  one.put(1, 1);
  two.put(1, 2);
  expect([commits(one), commits(two)]).toEqual([true, true]);
  expect(db.get(1)).toBe(2);
}));

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
  expect(Buffer.compare(db.get('large') as Uint8Array, large)).toBe(0);
  expect(db.get('again')).toEqual(new Uint8Array(1000).fill(49));
  expect(db.getEntry(['big', 0])?.version).toBe(db.getEntry('large')?.version);
  await db.verify();
}));
