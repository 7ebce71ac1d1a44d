/** Segments that were given up do not come back when the store is opened again, although the way to the newest one leads over them (L3, L8). */
import { expect, test } from 'vitest';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';

test('a store that was opened again has no more segments than before, in order or after a crash (L3, L8)', async () => {
  const disk = new SimulatedDisk();
  const db = openStore(disk, { segmentSize: 4096 });
  for (let round = 0; round < 120; round++) {
    // Keys that stay keep a segment here and there alive.
    if (round % 10 === 0) await db.put(`stays${round}`, round);
    await db.put('comes and goes', new Uint8Array(3000).fill(round));
  }
  const { segments } = db.stats().log;
  expect(segments).toBeLessThan(25);
  for (const image of [disk.processImage(), disk.image('none')]) {
    const again = openStore(new SimulatedDisk(image), {});
    // Those that the newest header still lists are given up anew.
    expect(again.stats().log.segments).toBeLessThanOrEqual(segments + 2);
    expect(again.stats().keys).toBe(13);
  }
  await db.close();
  const again = openStore(new SimulatedDisk(disk.processImage()), {});
  expect(again.stats().log.segments).toBeLessThanOrEqual(segments + 2);
  await again.close();
});
