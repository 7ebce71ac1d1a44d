/**
 * What a recovery shows stays, although it may have read what was not on the medium: zeros over a write that had failed, and a ceiling that a failed flush had left in the cache. A loss of power right
 * behind the recovery takes neither (F-10, F-40, F-45, F-77; I4, I6, T17).
 */
import { expect, test } from 'vitest';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';

const SEGMENT_SIZE = 4096;

test('a write that failed whole, and was taken back, does not come again once a recovery has shown that it is not there (F-45; I4)', async () => {
  for (let written = 0; written < 600; written += 8) {
    const disk = new SimulatedDisk();
    const db = openStore(disk, { segmentSize: SEGMENT_SIZE });
    await db.put('a', 1);
    await db.flush();
    disk.failures.push({ at: disk.operations, operation: 'write', kind: 'io', written });
    await expect(db.put('b', new Uint8Array(300))).rejects.toThrow();
    // The process dies, and its successor looks.
    const next = disk.processRestart();
    const shown = openStore(next, {});
    const has = shown.has('b');
    for (const choice of ['none', 'all', 0, 1, 2, 3] as const) {
      const after = openStore(new SimulatedDisk(next.image(choice)), {});
      expect([written, choice, after.get('a'), after.has('b')]).toEqual([written, choice, 1, has]);
    }
  }
});

test('a version that a recovery has shown is not issued after the next loss of power, also where a failed flush has lost what it came from (F-40; T17)', async () => {
  for (let count = 0; count < 24; count++) {
    let disk = new SimulatedDisk();
    let db = openStore(disk, { segmentSize: SEGMENT_SIZE });
    // A store that was not closed begins its next life at its ceiling, and has to raise it for its first write.
    if (count >= 12) {
      disk = disk.processRestart();
      db = openStore(disk, {}, 4);
    }
    disk.failures.push({ at: disk.operations + (count % 12), operation: 'flush', kind: 'io', losesData: true });
    for (let key = 0; key < 6; key++) await db.put(key, key).catch(() => undefined);
    const next = disk.processRestart();
    const shown = openStore(next, {}, 2);
    const { version, keys } = shown.stats();
    const after = openStore(new SimulatedDisk(next.image('none')), {}, 3);
    expect(after.stats().keys, `flush ${count}`).toBe(keys);
    expect(await after.put('next', 1), `flush ${count}`).toBeGreaterThan(version);
  }
});
