/** Devices that run full, and queues that fail to prepare slots in the background. What every single call may fail with, `io-errors.test.ts` tries. */
import { expect, test } from 'vitest';
import { DeviceError, type BackgroundZeroing } from '../../src/device/device.js';
import { FullError, InvalidArgumentError, PoisonedError } from '../../src/errors.js';
import type { BatchOperation } from '../../src/batch.js';
import { Random, seedOf } from '../support/random.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';

const SEGMENT_SIZE = 4096;

/** A queue that fails, or does everything at once. */
class Queue implements BackgroundZeroing {
  count = 0;
  error: DeviceError | undefined;
  constructor(readonly disk: SimulatedDisk) {}
  zero(offset: number, length: number): void {
    if (this.error !== undefined) return;
    this.disk.write(new Uint8Array(length), 0, length, offset);
    this.disk.flushSync();
    this.count++;
  }
  completed(): number {
    return this.count;
  }
  failure(): DeviceError | undefined {
    return this.error;
  }
}

class QueuedDisk extends SimulatedDisk {
  readonly background = new Queue(this);
}

test('slots are prepared in the background, and a queue that failed to flush poisons (F-41)', async () => {
  const disk = new QueuedDisk();
  const db = openStore(disk, { segmentSize: SEGMENT_SIZE });
  for (let key = 0; key < 200; key++) await db.put(key, new Uint8Array(200));
  const { file } = db.stats();
  expect(file!.slotStalls).toBeLessThan(5);
  expect(disk.background.count).toBeGreaterThan(10);
  disk.background.error = new DeviceError('io', 'flush', 'simulated');
  let error: unknown;
  for (let key = 0; key < 400 && error === undefined; key++) await db.put(key, new Uint8Array(200)).catch((thrown: unknown) => (error = thrown));
  expect(error).toBeInstanceOf(Error);
  expect(() => db.get(0)).toThrow(PoisonedError);
  await db.close();
});

test('a batch that fails after many segments gives each of their slots back once, although others have come in the meantime', async () => {
  const disk = new QueuedDisk();
  const db = openStore(disk, { segmentSize: SEGMENT_SIZE });
  for (let key = 0; key < 300; key++) await db.put(key, new Uint8Array(200));
  for (let round = 0; round < 3; round++) {
    const batch: BatchOperation<unknown>[] = Array.from({ length: 1500 }, (_, key) => ({ type: 'put', key, value: new Uint8Array(200).fill(round + 1) }));
    expect(() => db.batchSync([...batch, { type: 'put', key: Number.NaN, value: 1 }])).toThrow(InvalidArgumentError);
    for (let key = 0; key < 600; key++) await db.put(key, new Uint8Array(200).fill(round + 1));
    await db.verify();
    const again = openStore(new SimulatedDisk(disk.processImage()));
    for (let key = 0; key < 600; key++) expect(again.get(key)).toEqual(new Uint8Array(200).fill(round + 1));
    await again.close();
  }
  await db.close();
});

test('a queue that met a full disk stops, and the store goes on by itself (F-42)', async () => {
  const disk = new QueuedDisk();
  const db = openStore(disk, { segmentSize: SEGMENT_SIZE });
  for (let key = 0; key < 100; key++) await db.put(key, new Uint8Array(200));
  disk.background.error = new DeviceError('full', 'write', 'simulated');
  for (let key = 0; key < 1500; key++) await db.put(key, new Uint8Array(200));
  expect(db.stats().file!.slotStalls).toBeGreaterThan(5);
  await db.verify();
  await db.close();
});

test('a full disk refuses each write whole, and nothing that was acknowledged is lost when the power goes (F-42)', async () => {
  const random = new Random(seedOf(71));
  for (const durability of ['strict', 'buffered'] as const) {
    const disk = new SimulatedDisk();
    const db = openStore(disk, { segmentSize: SEGMENT_SIZE, durability });
    disk.capacity = 100_000;
    const versions = new Map<number, number>();
    for (let key = 0; key < 400; key++) {
      const write = random.chance(0.3)
        ? db.batch(Array.from({ length: 5 }, (_, part) => ({ type: 'put' as const, key: key * 10 + part, value: random.bytes(200) })))
        : db.put(key * 10, random.bytes(random.below(3000)));
      await write.then((version) => versions.set(key, version), (error: unknown) => expect(error).toBeInstanceOf(FullError));
    }
    expect(versions.size).toBeGreaterThan(20);
    await db.flush();
    const again = openStore(new SimulatedDisk(disk.image('none')), {});
    for (const [key, version] of versions) expect(again.getEntry(key * 10)?.version).toBe(version);
    expect(again.stats().keys).toBe(db.stats().keys);
    await db.close();
  }
});
