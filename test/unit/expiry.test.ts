/** Values that expire: for whom they are gone, and when. */
import { expect, test } from 'vitest';
import { MemoryDevice } from '../../src/device/memory.js';
import { ConflictError, InvalidArgumentError } from '../../src/errors.js';
import type { Store } from '../../src/store.js';
import { sameBytes } from '../support/same-bytes.js';
import { openStore } from '../support/stores.js';

const BEGIN = 1_700_000_000_000;

/** A store with a clock that the test moves. */
function clocked(device = new MemoryDevice()): { db: Store; device: MemoryDevice; pass: (milliseconds: number) => void } {
  let now = BEGIN;
  const db = openStore(device, { durability: 'relaxed' }, 1, true, () => now);
  return {
    db,
    device,
    pass: (milliseconds) => {
      now += milliseconds;
    },
  };
}

test('a value is there until its time, and then its key has version 0', () => {
  const { db, pass } = clocked();
  db.putSync('a', 1, { ttl: 100 });
  db.putSync('b', 2, { expiresAt: BEGIN + 100 });
  db.putSync('c', 3, { expiresAt: new Date(BEGIN + 200) });
  db.batchSync([{ type: 'put', key: 'd', value: 4, ttl: 100 }]);
  db.casSync('e', 0, 5, { ttl: 100 });
  db.transactSync((tx) => tx.put('f', 6, { ttl: 100 }));
  pass(99);
  expect([...db.values()]).toEqual([1, 2, 3, 4, 5, 6]);
  pass(1);
  expect([...db.values()]).toEqual([3]);
  for (const key of ['a', 'b', 'd', 'e', 'f']) {
    expect([db.get(key), db.has(key), db.getEntry(key), db.getInto(key, new Uint8Array(9))]).toEqual([undefined, false, undefined, -1]);
    expect(db.deleteSync(key)).toBe(0);
  }
  expect(db.casSync('a', 1, 9)).toEqual({ ok: false, version: 0 });
  expect(db.casSync('a', 0, 9)).toMatchObject({ ok: true });
  expect(db.get('a')).toBe(9);
  expect(db.count()).toBe(2);
});

test('large values expire too', () => {
  const { db, pass } = clocked();
  const large = new Uint8Array(600_000).fill(7);
  db.putSync('large', large, { ttl: 10 });
  db.transactSync((tx) => tx.put('larger', large, { ttl: 10 }));
  expect(sameBytes(db.get('large'), large)).toBe(true);
  expect(sameBytes(db.get('larger'), large)).toBe(true);
  pass(10);
  expect(db.count()).toBe(0);
});

test('a put without a time to live lives on, and overwriting starts the time anew', () => {
  const { db, pass } = clocked();
  db.putSync('a', 1, { ttl: 10 });
  db.putSync('a', 2);
  db.putSync('b', 1, { ttl: 10 });
  pass(5);
  db.putSync('b', 2, { ttl: 10 });
  pass(5);
  expect([db.get('a'), db.get('b')]).toEqual([2, 2]);
  pass(5);
  expect([db.get('a'), db.get('b')]).toEqual([2, undefined]);
});

test('who began before it was due sees it still, in gets and scans', () => {
  const { db, pass } = clocked();
  db.putSync('a', 1, { ttl: 10 });
  const snapshot = db.snapshot();
  const tx = db.begin();
  const loop = db.keys()[Symbol.iterator]();
  pass(10);
  expect([db.get('a'), snapshot.get('a'), tx.get('a')]).toEqual([undefined, 1, 1]);
  expect([[...snapshot.keys()], [...tx.keys()], loop.next().value]).toEqual([['a'], ['a'], 'a']);
  snapshot.close();
  tx.abort();
  expect(db.snapshot().get('a')).toBe(undefined);
});

test('for who read it, or scanned over it, it conflicts like a delete', () => {
  const { db, pass } = clocked();
  for (const read of [(tx: ReturnType<Store['begin']>): unknown => tx.get('a'), (tx: ReturnType<Store['begin']>): unknown => [...tx.keys()]]) {
    db.putSync('a', 1, { ttl: 10 });
    const tx = db.begin();
    read(tx);
    tx.put('b', 1);
    pass(10);
    expect(() => tx.commitSync()).toThrow(ConflictError);
  }
  db.putSync('a', 1, { ttl: 10 });
  const reader = db.begin();
  reader.get('a');
  pass(10);
  expect(reader.commitSync()).toBe(0);
});

test('at sees with the clock of its version', async () => {
  const { db, pass } = clocked();
  db.putSync('a', 1, { ttl: 10 });
  const version = db.putSync('b', 1);
  await db.flush();
  pass(20);
  const now = db.snapshot();
  expect([db.get('a'), now.get('a')]).toEqual([undefined, undefined]);
  expect(db.at(version).get('a')).toBe(1);
});

test('a reopened store goes on with what is left of the time', async () => {
  const { db, device, pass } = clocked();
  db.putSync('short', 1, { ttl: 10 });
  db.putSync('long', 1, { ttl: 1000 });
  pass(5);
  await db.close();
  let now = BEGIN + 5;
  const again = openStore(new MemoryDevice(device.bytes()), { durability: 'relaxed' }, 1, true, () => now);
  expect([...again.keys()]).toEqual(['long', 'short']);
  now = BEGIN + 10;
  expect([...again.keys()]).toEqual(['long']);
  now = BEGIN + 1000;
  expect(again.count()).toBe(0);
  await again.close();
});

test('bad times are refused, and nothing is put', async () => {
  const { db } = clocked();
  for (const options of [{ ttl: 0 }, { ttl: -1 }, { ttl: Number.NaN }, { ttl: '5' as never }, { expiresAt: -1 }, { expiresAt: new Date(Number.NaN) }, { ttl: 1, expiresAt: 1 }, 5 as never]) {
    expect(() => db.putSync('a', 1, options), JSON.stringify(options)).toThrow(InvalidArgumentError);
    await expect(db.put('a', 1, options)).rejects.toThrow(InvalidArgumentError);
  }
  expect(() => db.batchSync([{ type: 'put', key: 'b', value: 1 }, { type: 'put', key: 'a', value: 1, ttl: -5 }])).toThrow(InvalidArgumentError);
  expect(db.count()).toBe(0);
  db.putSync('a', 1, { ttl: Infinity });
  expect(db.get('a')).toBe(1);
});
