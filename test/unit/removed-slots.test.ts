/**
 * Slots of the hash index whose key was taken out again. A slot that is empty ends the search for every key that stands behind it, so one that was taken must not come to look empty: also
 * not that of a key of whose hash the index keeps no bit, as for one in 65,536.
 */
import { expect, test } from 'vitest';
import * as format from '../../assembly/shared/format.js';
import { MemoryDevice } from '../../src/device/memory.js';
import { FullError, type BatchOperation, type Store } from '../../src/index.js';
import { collidingKeys, tagOf } from '../support/collisions.js';
import { exhausted } from '../support/exhausted.js';
import { openStore } from '../support/stores.js';

const SEGMENT_SIZE = 4096;
const VALUE = new Uint8Array(8).fill(1);

/** Keys in one place of the index, each but the first behind another, with no bit of their hash beside their address. */
const untagged = (seed: number, count: number): Uint8Array[] => collidingKeys(seed, count, (hash) => tagOf(hash) === 0);

test('a batch that is taken back takes out every key that it had put, whatever their hashes (T1, T14)', async () => {
  for (const seed of [1, 2, 3]) {
    const keys = untagged(seed, 200);
    const fill = (from: number, to: number) => (db: Store): void => {
      for (let key = from; key < to; key++) db.putSync(key, VALUE);
    };
    await exhausted(65_536, fill(0, 600), (db) => {
      fill(600, 950)(db);
      const { version } = db.stats();
      const batch: BatchOperation<unknown>[] = keys.map((key) => ({ type: 'put', key, value: VALUE }));
      for (let round = 0; round < 3; round++) {
        expect(() => db.batchSync(batch)).toThrow(FullError);
        expect([db.stats().version, db.stats().keys]).toEqual([version, 950]);
      }
      for (let key = 0; key < 950; key++) expect(db.get(key), `seed ${seed}, key ${key}`).toEqual(VALUE);
      for (const key of keys) expect(db.has(key)).toBe(false);
    }, seed);
  }
});

test('salvage finds the keys that stand behind one whose value is not whole, whatever their hashes', async () => {
  for (const seed of [1, 2, 3]) {
    const [broken, ...others] = untagged(seed, 20) as [Uint8Array, ...Uint8Array[]];
    const device = new MemoryDevice();
    const made = openStore(device, { segmentSize: SEGMENT_SIZE, values: 'bytes' }, seed);
    made.putSync(broken, new Uint8Array(3 * SEGMENT_SIZE).fill(1));
    for (const key of others) made.putSync(key, VALUE);
    await made.close();
    const image = device.bytes();
    // In the part of the value that stands in the second segment.
    image[format.SLOTS_OFFSET + SEGMENT_SIZE + 2000]! ^= 1;
    const rescued = openStore(new MemoryDevice(image), { salvage: true, values: 'bytes' }, seed);
    expect(rescued.recovery.lost.length).toBeGreaterThan(0);
    expect(rescued.has(broken)).toBe(false);
    for (const key of others) expect(rescued.get(key), `seed ${seed}`).toEqual(VALUE);
    expect(rescued.stats().keys).toBe(others.length);
    await rescued.close();
  }
});

test('a store that begins with an image of its index finds the keys that stand behind one whose record is gone since, whatever their hashes (L3, L6)', async () => {
  const options = { segmentSize: SEGMENT_SIZE, values: 'bytes', flush: 'sync', compaction: false } as const;
  const filling = Array.from({ length: 100 }, (_, key) => key);
  for (const seed of [1, 2, 3]) {
    const [gone, ...others] = untagged(seed, 20) as [Uint8Array, ...Uint8Array[]];
    const device = new MemoryDevice();
    const begun = openStore(device, options, seed, false, undefined, { imageSegments: 1 });
    // A segment that the others do not stand in.
    for (const key of [gone, ...filling, ...others]) begun.putSync(key, VALUE);
    await begun.close();
    const left = new MemoryDevice(device.bytes());
    // It writes no image of its own.
    const made = openStore(left, options, seed, false, undefined, { imageSegments: 1000 });
    for (const key of [...others, gone, ...filling, ...filling, ...filling]) made.putSync(key, VALUE);
    await made.flush();
    // A kill: what was handed over is there.
    const opened = openStore(new MemoryDevice(left.bytes()), options, seed, false, undefined, { imageSegments: 1 });
    expect(opened.recovery.records, 'an image was used').toBeLessThan(600);
    for (const key of [gone, ...others]) expect(opened.get(key), `seed ${seed}`).toEqual(VALUE);
    expect(opened.stats().keys, `seed ${seed}`).toBe(1 + others.length + filling.length);
    expect(opened.count(), `seed ${seed}`).toBe(1 + others.length + filling.length);
    await opened.verify();
    await opened.close();
    await made.close();
  }
});
