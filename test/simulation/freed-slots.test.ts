/** When a slot may be zeroed for its next use: only when a header is durable that does not list the segment in it, however many headers were written since the last flush. */
import { expect, test } from 'vitest';
import type { Store } from '../../src/store.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';

/** Fills most of a segment. */
function fill(db: Store, name: string, round: number): void {
  for (let part = 0; part < 4; part++) db.putSync([name, part], new Uint8Array(700).fill(round));
}

test('a slot is not used again on the word of a header that is not durable yet, whether it is the newest or not (F-05, F-09)', async () => {
  const disk = new SimulatedDisk();
  const db = openStore(disk, { segmentSize: 4096, durability: 'relaxed', flushInterval: 3_600_000 });
  fill(db, 'old', 0);
  // Until the superblock enters the chain behind the segment of the old keys.
  for (let round = 0; round < 12; round++) {
    fill(db, 'new', round);
    await db.flush();
  }
  // The segment of the old keys dies, and what replaced it is durable.
  fill(db, 'old', 1);
  await db.flush();
  db.putSync('last', 1);
  await db.flush();
  db.putSync('last', 2);
  disk.holdFlushes = true;
  const flush = db.flush();
  // While the flush is on its way, the log goes on over several segments: the header of the first leaves out the dead one, and is not durable when the flush is done.
  for (let round = 12; round < 15; round++) fill(db, 'new', round);
  disk.releaseFlushes();
  disk.holdFlushes = false;
  await flush;
  // Slots are wanted now.
  for (let round = 15; round < 20; round++) fill(db, 'new', round);
  const again = openStore(SimulatedDisk.fromImage(disk.image('none')), {});
  expect(again.get('last')).toBe(2);
  expect(again.get(['old', 0])).toEqual(new Uint8Array(700).fill(1));
  expect(again.get(['new', 0])).toEqual(new Uint8Array(700).fill(11));
  await again.verify();
});
