/** What is missing where the log ends is a loss that salvage names, as an opening refuses it: bytes that were flushed and are zeros, and the rest of a commit (F-20, F-28). */
import { expect, test } from 'vitest';
import * as format from '../../assembly/shared/format.js';
import { MemoryDevice } from '../../src/device/memory.js';
import { CorruptionError } from '../../src/index.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';

const SEGMENT_SIZE = 4096;

/** A store of one segment that was closed: a commit in each frame. */
async function smallStore(): Promise<Uint8Array> {
  const device = new MemoryDevice();
  const db = openStore(device, { segmentSize: SEGMENT_SIZE });
  for (let key = 0; key < 12; key++) await db.put(key, 'some text'.repeat(key));
  await db.close();
  return device.bytes();
}

/** A store of several segments that was closed. */
async function closedStore(): Promise<Uint8Array> {
  const device = new MemoryDevice();
  const db = openStore(device, { segmentSize: SEGMENT_SIZE, durability: 'relaxed' });
  for (let key = 0; key < 12; key++) {
    db.putSync(key, key);
    await db.flush();
  }
  db.batchSync(Array.from({ length: 12 }, (_, index) => ({ type: 'put' as const, key: `part${index}`, value: new Uint8Array(1000).fill(1) })));
  await db.close();
  return device.bytes();
}

test('zeros from any sector of the last segments on: refused, and salvaged with a loss', async () => {
  const image = await closedStore();
  let refused = 0;
  for (let from = format.SLOTS_OFFSET + 512; from < image.length; from += 512) {
    const cut = image.slice();
    cut.fill(0, from);
    let error: unknown;
    try {
      openStore(new MemoryDevice(cut), { create: false });
    } catch (thrown) {
      error = thrown;
    }
    // Behind the last byte of the log there were zeros before.
    if (error === undefined) {
      expect(cut).toEqual(image);
      continue;
    }
    expect(error).toBeInstanceOf(CorruptionError);
    refused++;
    const rescued = openStore(new MemoryDevice(cut), { salvage: true });
    expect(rescued.recovery.lost.length, `zeros from ${from} on`).toBeGreaterThan(0);
    for (const { reason } of rescued.recovery.lost) expect(reason).not.toBe('');
    await rescued.close();
  }
  expect(refused).toBeGreaterThan(20);
});

test('zeros from any word of the only segment on: refused, and salvaged with a loss', async () => {
  const image = await smallStore();
  let refused = 0;
  for (let from = format.SLOTS_OFFSET + 256; from < format.SLOTS_OFFSET + SEGMENT_SIZE; from += 8) {
    const cut = image.slice();
    cut.fill(0, from);
    if (Buffer.compare(cut, image) === 0) continue;
    expect(() => openStore(new MemoryDevice(cut.slice()), { create: false }), `zeros from ${from} on`).toThrow(CorruptionError);
    refused++;
    const rescued = openStore(new MemoryDevice(cut), { salvage: true });
    expect(rescued.recovery.lost.length, `zeros from ${from} on`).toBeGreaterThan(0);
    await rescued.close();
  }
  expect(refused).toBeGreaterThan(100);
});

test('a commit over several segments that a crash has cut: opening drops it and says so, and so does salvage (F-01, I4)', () => {
  const disk = new SimulatedDisk();
  const db = openStore(disk, { segmentSize: SEGMENT_SIZE, flush: 'sync' });
  db.putSync('before', 1);
  const images: Uint8Array[] = [];
  disk.onOperation = () => {
    for (let count = 0; count <= disk.pendingCount; count++) images.push(disk.image(count));
  };
  db.batchSync(Array.from({ length: 12 }, (_, index) => ({ type: 'put' as const, key: `part${index}`, value: new Uint8Array(1000).fill(1) })));
  const LACKING = 'a commit lacks its last part';
  let [incomplete, named] = [0, 0];
  for (const image of images) {
    const opened = openStore(new SimulatedDisk(image), {});
    expect(opened.get('before')).toBe(1);
    if (opened.recovery.dropped?.reason !== LACKING) continue;
    incomplete++;
    const { lost } = openStore(new SimulatedDisk(image, true), { salvage: true }).recovery;
    expect(lost.length, 'what salvage lists').toBeGreaterThan(0);
    if (lost.every(({ reason }) => reason === LACKING)) named++;
  }
  expect(incomplete).toBeGreaterThan(named);
  expect(named).toBeGreaterThan(0);
});
