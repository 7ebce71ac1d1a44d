/** The promises of transactions, T1 to T20, each by its id: on gets, puts, deletes and cas, with interleavings that are written out. Those that speak of recovery stand beside this file. */
import { expect, test } from 'vitest';
import { MemoryDevice } from '../../src/device/memory.js';
import { CasError, ConflictError, open, type Isolation, type Store, type Transaction } from '../../src/index.js';
import { collectFor } from '../support/garbage.js';
import { openStore } from '../support/stores.js';


const LEVELS: readonly Isolation[] = ['serializable', 'snapshot'];

async function withStore(run: (db: Store<unknown>) => Promise<void> | void): Promise<void> {
  const db = await open(':memory:', { memory: { initial: 1 << 20 } });
  db.batchSync([{ type: 'put', key: 'a', value: 10 }, { type: 'put', key: 'b', value: 20 }]);
  try {
    await run(db);
    await db.verify();
  } finally {
    await db.close();
  }
}

/** What comes of a commit: its version, or the class of its error. */
function outcome(tx: Transaction): unknown {
  try {
    return tx.commitSync();
  } catch (error) {
    return (error as Error).constructor;
  }
}

test('T1: all writes of a transaction or none', () => withStore((db) => {
  const whole = db.begin();
  whole.put('a', 11);
  whole.delete('b');
  whole.put('c', 30);
  expect(whole.commitSync()).toBe(2);
  expect(db.getMany(['a', 'b', 'c'])).toEqual([11, undefined, 30]);
  const none = db.begin();
  none.put('b', 'first in it');
  none.delete('c');
  none.cas('a', 1, 'does not hold');
  none.put('d', 'last in it');
  expect(outcome(none)).toBe(CasError);
  expect(db.getMany(['a', 'b', 'c', 'd'])).toEqual([11, undefined, 30, undefined]);
  expect(db.stats()).toMatchObject({ version: 2, keys: 2 });
}));

test('T2: no reads of what is not committed', () => withStore((db) => {
  const [writer, reader] = [db.begin(), db.begin()];
  writer.put('a', 11);
  writer.delete('b');
  writer.put('c', 30);
  using snapshot = db.snapshot();
  const later = db.begin();
  for (const view of [reader, later, snapshot, db]) {
    expect(view.getMany(['a', 'b', 'c'])).toEqual([10, 20, undefined]);
    expect([view.has('b'), view.has('c')]).toEqual([true, false]);
  }
  writer.abort();
  for (const view of [reader, later, snapshot, db]) expect(view.getMany(['a', 'b', 'c'])).toEqual([10, 20, undefined]);
  reader.abort();
  later.abort();
}));

test.each(LEVELS)('T3: repeatable reads, under %s and in a snapshot', (isolation) => withStore((db) => {
  const tx = db.begin({ isolation });
  using snapshot = db.snapshot();
  const look = (): unknown[] => [tx.getMany(['a', 'b', 'c']), snapshot.getMany(['a', 'b', 'c'])];
  const before = look();
  expect(before).toEqual([[10, 20, undefined], [10, 20, undefined]]);
  db.putSync('a', 11);
  expect(look()).toEqual(before);
  db.deleteSync('b');
  expect(look()).toEqual(before);
  db.putSync('c', 30);
  expect(look()).toEqual(before);
  db.deleteSync('c');
  for (let round = 0; round < 1000; round++) db.putSync('a', round);
  expect(look()).toEqual(before);
  expect(tx.commitSync()).toBe(0);
}));

test('T4: a transaction reads its own writes and deletes', () => withStore((db) => {
  const tx = db.begin();
  tx.put('a', 11);
  expect([tx.get('a'), tx.has('a')]).toEqual([11, true]);
  tx.put('a', 'again');
  expect(tx.get('a')).toBe('again');
  tx.delete('a');
  expect([tx.get('a'), tx.has('a')]).toEqual([undefined, false]);
  tx.put('a', 12);
  tx.put('c', 30);
  tx.delete('b');
  tx.delete('absent');
  expect(tx.getMany(['a', 'b', 'c', 'absent'])).toEqual([12, undefined, 30, undefined]);
  expect(tx.commitSync()).toBe(2);
  expect(db.getMany(['a', 'b', 'c', 'absent'])).toEqual([12, undefined, 30, undefined]);
}));

test.each(LEVELS)('T5: all reads of a transaction come from one point in time, under %s', (isolation) => withStore((db) => {
  const tx = db.begin({ isolation });
  expect(tx.version).toBe(1);
  expect(tx.get('a')).toBe(10);
  db.batchSync([{ type: 'put', key: 'a', value: 0 }, { type: 'put', key: 'b', value: 30 }, { type: 'put', key: 'c', value: 1 }]);
  expect(tx.getMany(['b', 'c'])).toEqual([20, undefined]);
  const later = db.begin({ isolation });
  expect(later.version).toBe(2);
  expect(later.getMany(['a', 'b', 'c'])).toEqual([0, 30, 1]);
  tx.abort();
  later.abort();
}));

test('T6: a commit becomes visible whole, at once, before its promise resolves', () => withStore(async (db) => {
  const tx = db.begin();
  for (let key = 0; key < 1000; key++) tx.put(key, 'new');
  tx.put('a', 'new');
  tx.delete('b');
  expect([db.has(0), db.has(999), db.get('a'), db.get('b')]).toEqual([false, false, 10, 20]);
  const promise = tx.commit();
  // Nothing was awaited yet.
  expect([db.get(0), db.get(999), db.get('a'), db.has('b')]).toEqual(['new', 'new', 'new', false]);
  expect(db.begin().version).toBe(2);
  expect(await promise).toBe(2);
  for (let key = 0; key < 1000; key++) expect(db.getEntry(key)).toEqual({ key, value: 'new', version: 2 });
}));

test('T7: a read that has a newer commit makes the transaction fail, also that of an absent key', () => withStore((db) => {
  const changes: Record<string, () => void> = {
    'a put': () => db.putSync('a', 11),
    'a put of the same value': () => db.putSync('a', 10),
    'a delete': () => db.deleteSync('a'),
    'a creation': () => db.putSync('absent', 1),
    'a creation that was undone': () => db.batchSync([{ type: 'put', key: 'absent', value: 1 }, { type: 'delete', key: 'absent' }]),
    'a cas': () => db.casSync('a', db.getEntry('a')!.version, 12),
    'a transaction': () => db.transactSync((other) => other.put('a', 13)),
  };
  const reads: Record<string, (tx: Transaction) => unknown> = {
    get: (tx) => [tx.get('a'), tx.get('absent')],
    has: (tx) => [tx.has('a'), tx.has('absent')],
    getMany: (tx) => tx.getMany(['a', 'absent']),
    'get before a write of its own': (tx) => {
      for (const key of ['a', 'absent']) tx.put(key, [tx.get(key)]);
    },
  };
  for (const [change, make] of Object.entries(changes)) {
    for (const [read, look] of Object.entries(reads)) {
      db.batchSync([{ type: 'put', key: 'a', value: 10 }, { type: 'delete', key: 'absent' }]);
      const [broken, beside, behind] = [db.begin(), db.begin(), db.begin()];
      look(broken);
      broken.put('other', read);
      beside.get('b');
      beside.put('beside', read);
      // A read of what it has written itself is none of the store.
      behind.put('a', 'own');
      behind.get('a');
      make();
      const { version } = db.stats();
      expect(outcome(broken), `${change} after ${read}`).toBe(ConflictError);
      expect([outcome(beside), outcome(behind)], `${change} beside ${read}`).toEqual([version + 1, version + 2]);
    }
  }
}));

test('T8: of any number of contenders for a version exactly one wins, and only on the exact version', () => withStore(async (db) => {
  const contenders = Array.from({ length: 100 }, (_, number) => ({ number, tx: db.begin() }));
  for (const { number, tx } of contenders) tx.cas('a', 1, number);
  const outcomes = contenders.map(({ tx }) => outcome(tx));
  expect(outcomes.filter((one) => one === 2)).toHaveLength(1);
  expect(outcomes.filter((one) => one === CasError)).toHaveLength(99);
  expect(db.getEntry('a')).toEqual({ key: 'a', value: 0, version: 2 });
  const results = await Promise.all(Array.from({ length: 100 }, (_, number) => db.cas('a', 2, -number - 1)));
  expect(results.filter(({ ok }) => ok)).toEqual([{ ok: true, version: 3 }]);
  expect(results.filter(({ ok }) => !ok)).toEqual(Array.from({ length: 99 }, () => ({ ok: false, version: 3 })));
  expect(db.get('a')).toBe(-1);
  for (const wrong of [0, 1, 2, 4, 2 ** 47]) {
    expect(db.casSync('a', wrong, 'wrong')).toEqual({ ok: false, version: 3 });
    const tx = db.begin();
    tx.cas('a', wrong, 'wrong');
    expect(outcome(tx)).toBe(CasError);
  }
  expect(db.get('a')).toBe(-1);
}));

test.each(LEVELS)('T9: of two commits that conflict the first wins, in either order, under %s', (isolation) => withStore((db) => {
  for (const order of [[0, 1], [1, 0]] as const) {
    const both = [db.begin({ isolation }), db.begin({ isolation })] as const;
    both.forEach((tx, index) => {
      tx.get('a');
      tx.put('a', index);
    });
    const { version } = db.stats();
    expect([outcome(both[order[0]]), outcome(both[order[1]])]).toEqual([version + 1, ConflictError]);
    expect(db.getEntry('a')).toEqual({ key: 'a', value: order[0], version: version + 1 });
  }
}));

test('T10: blind writes, by level: the last committer stays, or the first wins; readers always commit', () => withStore((db) => {
  for (const isolation of LEVELS) {
    const reader = db.begin({ isolation });
    expect(reader.get('b')).toBe(20);
    const { version } = db.stats();
    const [one, two, deleting] = [db.begin({ isolation }), db.begin({ isolation }), db.begin({ isolation })];
    one.put('a', 'one');
    two.put('a', 'two');
    deleting.delete('a');
    const isSerializable = isolation === 'serializable';
    expect(outcome(one)).toBe(version + 1);
    expect(outcome(deleting)).toBe(isSerializable ? version + 2 : ConflictError);
    expect(db.get('a')).toBe(isSerializable ? undefined : 'one');
    expect(outcome(two)).toBe(isSerializable ? version + 3 : ConflictError);
    expect(db.get('a')).toBe(isSerializable ? 'two' : 'one');
    db.putSync('b', 20);
    const before = db.stats();
    expect(outcome(reader), 'what it read has changed, and it wrote nothing').toBe(0);
    expect(db.stats().version).toBe(before.version);
    expect(db.stats().log.bytes).toBe(before.log.bytes);
  }
}));

test('T11: a cas in a transaction is no read, is checked at commit alone, and its mismatch is not rerun', () => withStore(async (db) => {
  const early = db.begin();
  early.cas('a', 2, 'holds by then');
  expect(db.putSync('a', 11)).toBe(2);
  expect(outcome(early), 'the version came after it began, and it is no conflict').toBe(3);
  for (const isolation of LEVELS) {
    let runs = 0;
    const error = await db.transact((tx) => {
      runs++;
      tx.put('b', 'lost with it');
      tx.cas('a', 2, 'late');
    }, { isolation, retries: 5 }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CasError);
    expect((error as CasError).version).toBe(3);
    expect(runs).toBe(1);
  }
  expect(db.getMany(['a', 'b'])).toEqual(['holds by then', 20]);
  const reading = db.begin();
  reading.get('a');
  reading.cas('a', 4, 'read as well');
  expect(db.putSync('a', 12)).toBe(4);
  expect(outcome(reading), 'a key that was read too is a conflict').toBe(ConflictError);
}));

test('T12: version 0 means that a key does not exist now; cas from 0 creates, also after a delete', () => withStore((db) => {
  expect(db.casSync('a', 0, 'exists')).toEqual({ ok: false, version: 1 });
  expect(db.casSync('new', 0, 1)).toEqual({ ok: true, version: 2 });
  expect(db.deleteSync('new')).toBe(3);
  expect(db.getEntry('new')).toBeUndefined();
  expect(db.casSync('new', 3, 'the version of the delete'), 'the version of a delete is no version to expect').toEqual({ ok: false, version: 0 });
  expect(db.casSync('new', 2, 'the version before it')).toEqual({ ok: false, version: 0 });
  const tx = db.begin();
  tx.cas('new', 0, 2);
  tx.cas('a', 0, 'exists');
  expect(outcome(tx)).toBe(CasError);
  db.transactSync((again) => again.cas('new', 0, 2));
  expect(db.getEntry('new')).toEqual({ key: 'new', value: 2, version: 4 });
  expect(db.casSync('absent', 0, undefined), 'nothing stays nothing, and takes no version').toEqual({ ok: true, version: 0 });
  expect(db.stats().version).toBe(4);
}));

test('T13: a key that was deleted and created again is newer to everyone who read it before', () => withStore((db) => {
  for (const isolation of LEVELS) {
    const { version } = db.getEntry('a')!;
    const [tx, cas] = [db.begin({ isolation }), db.begin({ isolation })];
    tx.put('a', tx.get('a'));
    cas.cas('a', version, 'as if nothing had been');
    db.deleteSync('a');
    db.putSync('a', 10);
    expect(db.getEntry('a')!.version).toBe(version + 2);
    expect(outcome(tx)).toBe(ConflictError);
    expect(outcome(cas)).toBe(CasError);
    expect(db.casSync('a', version, 'as if nothing had been')).toEqual({ ok: false, version: version + 2 });
    // Absent, there, and absent again: the delete in between counts.
    const looked = db.begin();
    expect(looked.get('passing')).toBeUndefined();
    looked.put('b', 'blind to it');
    db.putSync('passing', 1);
    db.deleteSync('passing');
    expect(outcome(looked)).toBe(ConflictError);
    db.putSync('a', 10);
  }
}));

test.each(LEVELS)('T15: no update is lost, under %s', (isolation) => withStore(async (db) => {
  let runs = 0;
  await Promise.all(Array.from({ length: 40 }, (_, number) => db.transact(async (tx) => {
    runs++;
    const before = tx.get('a') as number;
    // Others run here, a number of turns that differs.
    for (let turn = 0; turn <= number % 5; turn++) await Promise.resolve();
    tx.put('a', before + 1);
  }, { isolation, retries: Infinity })));
  expect(db.get('a')).toBe(50);
  expect(runs, 'there were conflicts').toBeGreaterThan(40);
  expect(db.stats().version).toBe(41);
}));

test('T16: no write skew under the default; under snapshot it happens', () => withStore((db) => {
  /** Two doctors, one of whom must stay: each goes if the other is there. */
  const goBoth = (options?: { isolation: Isolation }): unknown[] => {
    db.batchSync([{ type: 'put', key: 'Ada', value: true }, { type: 'put', key: 'Blaise', value: true }]);
    const [one, two] = [db.begin(options), db.begin(options)];
    if (one.get('Blaise') === true) one.put('Ada', false);
    if (two.get('Ada') === true) two.put('Blaise', false);
    return [typeof outcome(one), outcome(two) === ConflictError];
  };
  expect(goBoth()).toEqual(['number', true]);
  expect(db.getMany(['Ada', 'Blaise'])).toEqual([false, true]);
  expect(goBoth({ isolation: 'serializable' })).toEqual(['number', true]);
  expect(db.getMany(['Ada', 'Blaise'])).toEqual([false, true]);
  expect(goBoth({ isolation: 'snapshot' })).toEqual(['number', false]);
  expect(db.getMany(['Ada', 'Blaise'])).toEqual([false, false]);
}));

test('T18: a snapshot costs the same whatever the store holds, pins only what it sees, and gives it back', () => {
  const costs = [20, 5000].map((keyCount) => {
    const db = openStore(new MemoryDevice(), { durability: 'relaxed', segmentSize: 4096 });
    for (let key = 0; key < keyCount; key++) db.putSync(key, 'old');
    const taken = (): number => db.stats().memory.bytes - db.stats().memory.idleBytes;
    const before = taken();
    const many = Array.from({ length: 1000 }, () => db.snapshot());
    const cost = taken() - before;
    expect(db.stats().snapshots).toMatchObject({ open: 1000, oldVersions: 0 });
    for (let round = 0; round < 50; round++) for (let key = 0; key < 10; key++) db.putSync(key, round);
    expect(db.stats().snapshots.oldVersions, 'of ten keys the one version that is seen').toBe(10);
    for (const snapshot of many) expect([snapshot.get(0), snapshot.get(15)]).toEqual(['old', 'old']);
    for (const snapshot of many) snapshot.close();
    expect(db.stats().snapshots).toEqual({ open: 0, oldest: undefined, oldVersions: 0 });
    return cost;
  });
  expect(costs[1]).toBe(costs[0]);
});

test('T18: a snapshot that is forgotten, or open for longer than a minute, is reported, once', async () => {
  const warnings: string[] = [];
  let now = 1_700_000_000_000;
  const db = openStore(new MemoryDevice(), { durability: 'relaxed', onWarning: ({ code }) => warnings.push(code) }, 1, false, () => now);
  db.putSync('a', 10);
  const old = db.snapshot();
  now += 59_000;
  db.snapshot().close();
  expect(warnings).toEqual([]);
  now += 2000;
  for (let round = 0; round < 3; round++) db.snapshot().close();
  expect(warnings).toEqual(['VARVE_LONG_OPEN']);
  old.close();
  (() => void db.snapshot())();
  expect(db.stats().snapshots.open).toBe(1);
  await collectFor(100, () => db.stats().snapshots.open > 0);
  expect(warnings).toEqual(['VARVE_LONG_OPEN', 'VARVE_FORGOTTEN']);
  expect(db.stats().snapshots.open).toBe(0);
  await db.close();
});

test('T20: an exception aborts and comes out unchanged; only conflicts are rerun; the store stays usable', () => withStore(async (db) => {
  const conflict = new ConflictError('thrown by the function itself');
  for (const thrown of [new Error('mine'), 'a string', undefined, { code: 'VARVE_CONFLICT' }, conflict]) {
    let runs = 0;
    const spoil = (tx: Transaction): never => {
      runs++;
      tx.put('a', 'never');
      throw thrown;
    };
    await expect(db.transact(async (tx) => spoil(tx)).then(() => 'resolved', (error: unknown) => ['rejected', error])).resolves.toEqual(['rejected', thrown]);
    let caught: unknown = 'nothing';
    try {
      db.transactSync(spoil);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBe(thrown);
    expect(runs, 'it is run once by each').toBe(2);
  }
  expect(db.get('a')).toBe(10);
  let runs = 0;
  const version = await db.transact((tx) => {
    tx.put('a', (tx.get('a') as number) + 1);
    if (++runs < 3) db.putSync('a', 100 * runs);
    return tx.version;
  });
  expect([runs, version, db.get('a')]).toEqual([3, 3, 201]);
  expect(db.stats().snapshots.open).toBe(0);
}));
