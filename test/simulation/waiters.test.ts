/** Those who wait for a flush that has not begun are told when the one before it fails (F-40; I1): their commits were applied, and may or may not be there. */
import { expect, test } from 'vitest';
import { DeviceError } from '../../src/device/device.js';
import { OutcomeUnknownError, PoisonedError, type Store } from '../../src/index.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';

/** A disk whose next flush fails when it is told to, and not before. */
class SlowlyFailing extends SimulatedDisk {
  fail: (() => void) | undefined;
  isArmed = false;

  override async flush(): Promise<void> {
    if (!this.isArmed) return super.flush();
    await new Promise<void>((resolve) => (this.fail = resolve));
    throw new DeviceError('io', 'flush', 'simulated');
  }
}

const outcomeOf = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => 'resolved', (error: unknown) => (error as Error).constructor);

/** Writes, or a flush, that come while a flush is on its way that fails. */
for (const [name, calls] of [
  ['writes and transactions', (db: Store) => [db.put('c', 1), db.batch([{ type: 'put', key: 'd', value: 1 }]), db.transact((tx) => void tx.put('e', 1)), db.delete('a')]],
  ['a flush', (db: Store) => [db.flush()]],
] as const) {
  test(`strict: ${name} that came while a flush was on its way do not wait for ever when it fails`, async () => {
    const disk = new SlowlyFailing();
    const db = openStore(disk, { durability: 'strict' });
    await db.put('a', 1);
    disk.isArmed = true;
    const first = outcomeOf(db.put('b', 1));
    while (disk.fail === undefined) await Promise.resolve();
    const waiting = (calls(db) as Promise<unknown>[]).map(outcomeOf);
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    disk.fail();
    const outcomes = await Promise.race([Promise.all([first, ...waiting]), new Promise((resolve) => setTimeout(resolve, 20_000, 'some wait for ever'))]);
    expect(outcomes).toEqual(Array.from({ length: waiting.length + 1 }, () => OutcomeUnknownError));
    expect(() => db.get('a')).toThrow(PoisonedError);
    await db.close();
  });
}
