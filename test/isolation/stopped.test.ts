/** A transaction whose store stops before it has committed: whoever waits for it is told, and never that it went well. */
import { expect, test } from 'vitest';
import { ClosedError, PoisonedError, type Transaction } from '../../src/index.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';

test('transact does not resolve when the store was closed while its function ran (T1, L6)', async () => {
  const disk = new SimulatedDisk();
  const db = openStore(disk);
  await db.put('a', 'before');
  const written = db.transact(async (tx) => {
    tx.put('a', 'never');
    await db.close();
  });
  await expect(written).rejects.toBeInstanceOf(ClosedError);
  const again = openStore(new SimulatedDisk(disk.image('all')));
  expect(again.get('a')).toBe('before');
  await again.close();
});

test.each(['transact', 'transactSync'] as const)('%s does not report success when the store was poisoned while its function ran (F-40, F-45, T1, L6)', async (way) => {
  const disk = new SimulatedDisk();
  const db = openStore(disk);
  await db.put('a', 'before');
  const spoil = (tx: Transaction): void => {
    tx.put('a', 'never');
    disk.failures = [{ at: disk.operations, kind: 'io', isSticky: true }];
    expect(() => db.putSync('b', 1)).toThrow();
  };
  if (way === 'transact') await expect(db.transact(spoil)).rejects.toBeInstanceOf(PoisonedError);
  else expect(() => db.transactSync(spoil)).toThrow(PoisonedError);
  await db.close();
  const again = openStore(new SimulatedDisk(disk.image('all')));
  expect(again.get('a')).toBe('before');
  await again.close();
});

test('a function that has ended its transaction itself is done, whatever becomes of the store', async () => {
  const db = openStore(new SimulatedDisk());
  expect(await db.transact(async (tx) => {
    tx.put('a', 1);
    const version = await tx.commit();
    await db.close();
    return version;
  })).toBe(1);
});
