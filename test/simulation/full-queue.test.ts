/** Slots that wait to be prepared in the background, when the disk is full: they are taken, and not given to anybody else. And when preparing them fails: whoever meets it is told that, and stops. */
import { expect, test } from 'vitest';
import { DeviceError, type BackgroundZeroing } from '../../src/device/device.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';
import { QueuedDevice } from '../support/world/queue.js';

/** A queue whose thread is not given any time. */
class IdleQueue implements BackgroundZeroing {
  readonly jobs: number[] = [];
  error: DeviceError | undefined;
  zero(offset: number): void {
    this.jobs.push(offset);
  }
  completed(): number {
    return 0;
  }
  failure(): DeviceError | undefined {
    return this.error;
  }
}

class QueuedDisk extends SimulatedDisk {
  readonly background = new IdleQueue();
}

test('slots that wait in the background are not handed out a second time when the disk is full (F-42)', async () => {
  const disk = new QueuedDisk();
  const db = openStore(disk, { segmentSize: 4096 });
  const versions = new Map<number, number>();
  const put = async (key: number): Promise<void> => void versions.set(key, await db.put(key, new Uint8Array(900).fill(key)));
  let key = 0;
  while (disk.background.jobs.length === 0) await put(key++);
  expect(Math.max(...disk.background.jobs), 'some of them lie behind the end of the file').toBeGreaterThanOrEqual(disk.size());
  disk.capacity = disk.size();
  let refusals = 0;
  for (let tries = 0; tries < 10; tries++) await put(key++).catch((error: unknown) => {
    expect(error).toMatchObject({ code: 'VARVE_FULL' });
    refusals++;
  });
  expect(refusals).toBeGreaterThan(0);
  // There is room again; the queue has met the full disk too, and gives back what waits in it.
  disk.capacity = Infinity;
  for (let count = 0; count < 20; count++) await put(key++);
  disk.background.error = new DeviceError('full', 'write', 'simulated');
  for (let count = 0; count < 300; count++) await put(key++);
  await db.close();
  const again = openStore(new SimulatedDisk(disk.processImage()), {});
  for (const [held, version] of versions) expect(again.getEntry(held)?.version, `key ${held}`).toBe(version);
  await again.verify();
});

test('what a failed flush in the background has taken from the file is no damage: verify stops the store, and says why (F-40, F-41)', async () => {
  const disk = new SimulatedDisk();
  const device = new QueuedDevice(disk);
  const db = openStore(device, { segmentSize: 4096, durability: 'buffered', flushInterval: 60_000 });
  let key = 0;
  const put = (): Promise<number> => db.put(key++, new Uint8Array(900));
  do await put(); while (!device.hasWork);
  await db.flush();
  await put();
  disk.failures.push({ at: disk.operations, operation: 'flush', kind: 'io', reverts: true });
  device.work();
  expect(device.hasFailed).toBe(true);
  const error = await db.verify().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'VARVE_POISONED', cause: { code: 'VARVE_IO' } });
  expect(() => db.get(0)).toThrow(expect.objectContaining({ code: 'VARVE_POISONED' }) as Error);
  await db.close();
  const again = openStore(disk.processRestart(), {});
  for (let held = 0; held < key - 1; held++) expect(again.get(held), `key ${held}`).toEqual(new Uint8Array(900));
  await again.verify();
  await again.close();
});
