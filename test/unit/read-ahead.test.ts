/** Scans of cold data: neighbours in the log come with one read of the file, and what was read ahead is trusted no more than anything else. */
import { expect, test } from 'vitest';
import { DeviceError } from '../../src/device/device.js';
import { MemoryDevice } from '../../src/device/memory.js';
import { CorruptionError } from '../../src/errors.js';
import type { Store } from '../../src/store.js';
import { openPaged } from '../support/stores.js';

const COUNT = 4000;
const OPTIONS = { durability: 'relaxed', segmentSize: 65_536, values: 'bytes', flushInterval: 3_600_000 } as const;
/** Few enough that most of the store is cold. */
const BLOCKS = 6;

/** A device that counts its reads, and where it is told to fails those of several records that are no whole segment. */
class CountingDevice extends MemoryDevice {
  reads = 0;
  failsRuns = false;

  override read(target: Uint8Array, offset: number): number {
    this.reads++;
    if (this.failsRuns && target.length > 4096 && target.length < OPTIONS.segmentSize) throw new DeviceError('io', 'read', `no read of ${target.length} bytes`);
    return super.read(target, offset);
  }
}

const valueOf = (key: number): Uint8Array => new Uint8Array(600).fill(key & 255);

/** A store that holds `COUNT` values in the order of their keys, opened with little memory and its keys put in order. */
async function coldStore(): Promise<{ device: CountingDevice; db: Store<Uint8Array> }> {
  const made = new CountingDevice(new Uint8Array(0));
  const filling = openPaged(made, OPTIONS, 1, 1000) as Store<Uint8Array>;
  for (let key = 0; key < COUNT; key++) filling.putSync(key, valueOf(key));
  await filling.close();
  const device = new CountingDevice(made.bytes());
  const db = openPaged(device, OPTIONS, 2, BLOCKS) as Store<Uint8Array>;
  expect(db.count()).toBe(COUNT);
  device.reads = 0;
  return { device, db };
}

function expectScan(db: Store<Uint8Array>, reverse: boolean): void {
  let key = reverse ? COUNT : -1;
  for (const { key: found, value } of db.scan({ reverse })) {
    key += reverse ? -1 : 1;
    expect(found).toBe(key);
    expect(Buffer.compare(value, valueOf(key)), `key ${key}`).toBe(0);
  }
  expect(key).toBe(reverse ? 0 : COUNT - 1);
}

for (const reverse of [false, true]) {
  test(`a scan${reverse ? ' in reverse' : ''} of cold data reads many records at a time`, async () => {
    const { device, db } = await coldStore();
    expectScan(db, reverse);
    expect(device.reads).toBeGreaterThan(0);
    expect(device.reads).toBeLessThan(COUNT / 8);
    await db.verify();
    await db.close();
  });
}

test('gets at random read one record each, whatever was read ahead before', async () => {
  const { device, db } = await coldStore();
  expectScan(db, false);
  device.reads = 0;
  let bytes = 0;
  for (let step = 0; step < 200; step++) bytes += db.get((step * 1237) % COUNT)!.length;
  expect(bytes).toBe(200 * 600);
  expect(device.reads).toBeLessThan(450);
  await db.close();
});

test('where a read of many records fails, each is read alone', async () => {
  const { device, db } = await coldStore();
  device.failsRuns = true;
  expectScan(db, false);
  expect(device.reads).toBeGreaterThan(COUNT / 8);
  await db.close();
});

test('damage among what is read ahead is told by the record that has it, and by no other', async () => {
  const made = new MemoryDevice(new Uint8Array(0));
  const filling = openPaged(made, OPTIONS, 1, 1000) as Store<Uint8Array>;
  for (let key = 0; key < COUNT; key++) filling.putSync(key, valueOf(key));
  await filling.close();
  const bytes = made.bytes();
  // The first of several values that are the same: that of the lowest key.
  const wrong = 77 + 256;
  const first = Buffer.from(bytes).indexOf(valueOf(77));
  const at = Buffer.from(bytes).indexOf(valueOf(77), first + 600);
  expect(at).toBeGreaterThan(first);
  bytes[at + 300]! ^= 1;
  const device = new CountingDevice(bytes);
  const db = openPaged(device, OPTIONS, 2, BLOCKS) as Store<Uint8Array>;
  // So that none of them comes with its whole segment.
  for (let key = COUNT - 1; key > COUNT - 1500; key -= 7) db.get(key);
  for (let key = wrong - 100; key < wrong + 100; key++) {
    if (key === wrong) expect(() => db.get(key)).toThrow(CorruptionError);
    else expect(Buffer.compare(db.get(key)!, valueOf(key)), `key ${key}`).toBe(0);
  }
  expect(device.reads).toBeGreaterThan(0);
  await db.close();
});
