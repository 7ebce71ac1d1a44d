/** The promises of transactions that speak of recovery, each by its id: T14, T17 and T19. */
import { expect, test } from 'vitest';
import { CasError, type Store, type Transaction } from '../../src/index.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';

/** How a store on a disk looks after the power went, with nothing more than was flushed. */
const afterPowerLoss = (disk: SimulatedDisk): Store => openStore(new SimulatedDisk(disk.image('none')), {});

test('T14: a transaction that did not commit leaves nothing behind, in memory or after recovery', async () => {
  const disk = new SimulatedDisk();
  const db = openStore(disk, { segmentSize: 4096 });
  db.putSync('a', 10);
  const before = db.stats();
  const operations = disk.operations;
  const large = new Uint8Array(50_000).fill(7);
  const ends: ((tx: Transaction) => void)[] = [
    (tx) => tx.abort(),
    (tx) => tx[Symbol.dispose](),
    (tx) => {
      tx.cas('a', 77, 'never');
      expect(() => tx.commitSync()).toThrow(CasError);
    },
  ];
  for (const end of ends) {
    const tx = db.begin();
    tx.put('large', large);
    tx.put('a', 11);
    tx.delete('a');
    for (let key = 0; key < 500; key++) tx.put(key, key);
    end(tx);
    expect(tx.isOpen).toBe(false);
    expect(db.stats()).toMatchObject({ version: before.version, keys: before.keys, log: before.log, snapshots: before.snapshots });
  }
  expect(disk.operations, 'nothing reached the disk').toBe(operations);
  const left = db.begin();
  left.put('large', large);
  const again = afterPowerLoss(disk);
  expect(again.getEntry('a')).toEqual({ key: 'a', value: 10, version: 1 });
  expect([again.has('large'), again.stats().keys]).toEqual([false, 1]);
  await again.close();
  left.abort();
  await db.close();
});

test('T17: versions rise strictly, across restarts and crashes; the keys of a commit share one', async () => {
  let disk = new SimulatedDisk();
  let shown = 0;
  for (let life = 0; life < 6; life++) {
    const db = openStore(disk, { durability: 'buffered', flushInterval: 3_600_000 }, life + 1);
    for (let round = 0; round < 5; round++) {
      const tx = db.begin();
      tx.put('a', round);
      tx.put('b', round);
      tx.put(['c', life, round], round);
      const version = tx.commitSync();
      expect(version).toBeGreaterThan(shown);
      shown = version;
      for (const key of ['a', 'b', ['c', life, round]]) expect(db.getEntry(key)?.version).toBe(version);
    }
    // In turn: in order; the power goes and takes everything of this life; the process dies.
    if (life % 3 === 0) await db.close();
    const image = life % 3 === 1 ? disk.image('none') : disk.processImage();
    if (life % 3 === 1) expect(openStore(new SimulatedDisk(image)).getEntry('a')?.version, 'this life was lost').toBeLessThan(shown - 4);
    disk = new SimulatedDisk(image);
    if (life % 3 !== 0) await db.close();
  }
});

test('T19: put, delete and cas on one key have one order, the same in memory and in recovery', async () => {
  const disk = new SimulatedDisk();
  const db = openStore(disk, {});
  const acts: Record<string, (tx: Transaction, key: string) => void> = {
    put: (tx, key) => tx.put(key, 'put'),
    delete: (tx, key) => tx.delete(key),
    cas: (tx, key) => tx.cas(key, 1, 'cas'),
  };
  const results: Record<string, string | undefined> = { put: 'put', delete: undefined, cas: 'cas' };
  const names = Object.keys(acts);
  const orders = names.flatMap((one) => names.flatMap((two) => names.map((three) => [one, two, three])));
  db.batchSync(orders.map((order) => ({ type: 'put', key: order.join(), value: 'before' })));
  const tx = db.begin();
  for (const order of orders) {
    for (const name of order) {
      acts[name]!(tx, order.join());
      expect(tx.get(order.join()), `${order.join()}: the transaction sees its own ${name}`).toBe(results[name]);
    }
  }
  expect(tx.commitSync()).toBe(2);
  const again = afterPowerLoss(disk);
  for (const store of [db, again]) for (const order of orders) expect(store.get(order.join()), order.join()).toBe(results[order[2]!]);
  await again.close();
  await db.close();
});
