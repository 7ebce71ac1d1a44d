/**
 * Memory of which the last block is gone, so that just the one thing that is wanted next is refused: what asked for it fails whole, and the store goes on (F-65).
 */
import { expect, test } from 'vitest';
import { FullError, type BatchOperation, type Snapshot, type Store } from '../../src/index.js';
import { exhausted } from '../support/exhausted.js';

const VALUE = new Uint8Array(8).fill(1);
const OTHER = new Uint8Array(8).fill(2);
/** A page of the hash index has this many slots. It is split when seven tenths are taken, and where it cannot be, takes all but the last two. */
const PAGE_SLOTS = 1024;

function expectKeys(db: Store, count: number): void {
  expect(db.stats().keys).toBe(count);
  for (let key = 0; key < count; key++) expect(db.get(key), `key ${key}`).toEqual(VALUE);
  expect(db.has(count)).toBe(false);
}

/** Puts the keys that are not there yet. */
const fill = (count: number) => (db: Store): void => {
  for (let key = 0; key < count; key++) if (!db.has(key)) db.putSync(key, VALUE);
};

test('a page that cannot be split takes keys up to its last slots, and then none', () => exhausted(65_536, fill(600), (db) => {
  let count = 600;
  expect(() => {
    for (; count < 2000; count++) db.putSync(count, VALUE);
  }).toThrow(FullError);
  expect(count).toBeGreaterThan(PAGE_SLOTS - 4);
  expect(count).toBeLessThan(PAGE_SLOTS);
  expectKeys(db, count);
  // What no session sees needs neither a slot nor a list of old versions.
  expect(db.putSync(count - 1, VALUE)).toBe(count + 1);
  expect(db.deleteSync(count - 1)).toBe(count + 2);
  expect(db.putSync(count - 1, VALUE)).toBe(count + 3);
}));

/** As many keys, of which the first are in the ordered index, and the others wait in front of it, with room for more. */
function fillInOrder(db: Store): void {
  fill(80)(db);
  expect(db.count()).toBe(80);
  fill(600)(db);
}

test('a batch that finds no slot in its middle leaves no key, and none that it had put stands in the way of others (T1, T14)', () => exhausted(65_536, fillInOrder, (db) => {
  const { version } = db.stats();
  const batch: BatchOperation<unknown>[] = Array.from({ length: 500 }, (_, index) => ({ type: 'put', key: 600 + index, value: VALUE }));
  for (let round = 0; round < 3; round++) {
    expect(() => db.batchSync(batch)).toThrow(FullError);
    expect(db.stats().version).toBe(version);
    expectKeys(db, 600);
  }
  expect(() => db.transactSync((tx) => {
    for (let index = 0; index < 5; index++) tx.put(600 + index, VALUE);
  })).toThrow(FullError);
  expectKeys(db, 600);
  for (let key = 600; key < 700; key++) db.putSync(key, VALUE);
  expectKeys(db, 700);
}));

test('a batch that finds no slot gives back what it had superseded, to those who see it (T3, T14)', async () => {
  const snapshots: Snapshot[] = [];
  await exhausted(65_536, (db) => {
    fill(600)(db);
    // One old version, so that there is room to keep some more.
    snapshots.push(db.snapshot());
    db.putSync(0, OTHER);
  }, (db, sessions) => {
    for (const session of sessions.splice(0, 4)) session.abort();
    const batch: BatchOperation<unknown>[] = Array.from({ length: 500 }, (_, index) => ({ type: 'put', key: index < 10 ? index : 600 + index, value: OTHER }));
    for (let round = 0; round < 3; round++) {
      expect(() => db.batchSync(batch)).toThrow(FullError);
      expect(db.stats().snapshots.oldVersions).toBe(1);
      for (let key = 0; key < 10; key++) expect([snapshots[0]!.get(key), db.get(key)]).toEqual([VALUE, key === 0 ? OTHER : VALUE]);
    }
  });
});

test('a batch that is taken back gives back what it had superseded, and every version that there was to read as of (T1)', () => exhausted(65_536, fill(600), (db) => {
  // What the sessions that are open do not see.
  fill(950)(db);
  const { version } = db.stats();
  const batch: BatchOperation<unknown>[] = [{ type: 'put', key: 900, value: OTHER }, ...Array.from({ length: 200 }, (_, key) => ({ type: 'put', key: 2000 + key, value: OTHER } as const))];
  expect(() => db.batchSync(batch)).toThrow(FullError);
  for (const at of [version, version - 10]) {
    const view = db.at(at);
    expect(view.get(900)).toEqual(VALUE);
    view.close();
  }
  expectKeys(db, 950);
}));

test('a value in parts without memory to list them is refused, and the next one that fits is not', () => exhausted(4096, () => undefined, (db) => {
  const { log, version } = db.stats();
  expect(() => db.putSync('large', new Uint8Array(6000))).toThrow(FullError);
  expect([db.stats().version, db.stats().log.bytes, db.stats().log.segments]).toEqual([version, log.bytes, log.segments]);
  db.putSync('small', VALUE);
  expect([db.get('small'), db.has('large')]).toEqual([VALUE, false]);
}));

test('an order of which a leaf has no memory is given up whole, and the scan refused', async () => {
  const loops: Iterator<unknown>[] = [];
  await exhausted(65_536, (db) => {
    // Blocks of the size that a scan and the sorting of so many keys take, to be given back when there is nothing else.
    for (let number = 0; number < 3; number++) loops.push(db.keys()[Symbol.iterator]());
    fill(1000)(db);
  }, (db) => {
    for (const loop of loops) loop.return!();
    for (let round = 0; round < 2; round++) expect(() => db.count()).toThrow(FullError);
    expect(db.stats().memory.orderBytes).toBe(0);
    expectKeys(db, 1000);
  });
});
