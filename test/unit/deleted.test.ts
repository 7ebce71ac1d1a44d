/** What was deleted stays deleted, through everything that moves, gives up or rereads records (L8). */
import { expect, test } from 'vitest';
import { MemoryDevice } from '../../src/device/memory.js';
import { openStore } from '../support/stores.js';

const COUNT = 60;

test('deleted keys stay deleted when their records are given up, their slots used again, and the store opened again and again (L8)', async () => {
  for (const history of [undefined, { versions: 3 }, 'all'] as const) {
    let device = new MemoryDevice();
    const options = { segmentSize: 4096, durability: 'relaxed', ...(history === undefined ? {} : { history }) } as const;
    let db = openStore(device, options, 1);
    for (let key = 0; key < COUNT; key++) db.putSync(key, new Uint8Array(500).fill(key));
    for (let key = 0; key < COUNT; key += 2) db.deleteSync(key);
    for (let life = 0; life < 6; life++) {
      // What stood in the segments of the deleted keys, and of their deletes, is written anew elsewhere.
      for (let round = 0; round < 5; round++) for (let key = 1; key < COUNT; key += 2) db.putSync(key, new Uint8Array(500).fill(key + round));
      for (let key = 0; key < COUNT; key += 2) {
        expect(db.has(key), `life ${life}, key ${key}`).toBe(false);
        expect(db.getEntry(key)).toBe(undefined);
      }
      expect(db.count()).toBe(COUNT / 2);
      await db.verify();
      if (life % 2 === 0) await db.flush();
      else await db.close();
      device = new MemoryDevice(device.bytes());
      db = openStore(device, options, life + 2);
    }
    // A cas that wants nothing there creates, and a delete of what is not there does nothing.
    expect(db.casSync(0, 0, 'again').ok).toBe(true);
    expect(db.deleteSync(2)).toBe(0);
    await db.close();
  }
});
