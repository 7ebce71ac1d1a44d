/** What a frame says was durable before it, is: a flush proves what was written before it began, and nothing of what came while it ran. */
import { expect, test } from 'vitest';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';

const valueOf = (fill: number): Uint8Array => new Uint8Array(1500).fill(fill);

test('what is written while a flush runs may be lost behind it, whatever later frame is kept: no loss of power is taken for damage (I4, I5, F-04, L6)', async () => {
  const disk = new SimulatedDisk();
  const db = openStore(disk, { segmentSize: 16_384, durability: 'buffered', flushInterval: 60_000 });
  await db.put('before', valueOf(1));
  disk.holdFlushes = true;
  const flushed = db.flush();
  while (disk.heldFlushCount === 0) await new Promise((resolve) => setImmediate(resolve));
  await db.put('meanwhile', valueOf(2));
  disk.holdFlushes = false;
  disk.releaseFlushes();
  await flushed;
  await db.put('behind', valueOf(3));

  const offsets = [...new Set(disk.pending.flatMap((change) => (change.sort === 'sector' ? [change.offset] : [])))];
  expect(offsets.length).toBeGreaterThan(5);
  let losses = 0;
  for (const lost of offsets) {
    const { pending } = disk;
    const again = openStore(new SimulatedDisk(disk.image((index) => {
      const change = pending[index]!;
      return change.sort !== 'sector' || change.offset !== lost;
    })), {}, 1, true);
    expect(again.get('before'), `without sector ${lost / 512}`).toEqual(valueOf(1));
    const [meanwhile, behind] = [again.get('meanwhile'), again.get('behind')];
    if (meanwhile === undefined) losses++;
    else expect(meanwhile).toEqual(valueOf(2));
    if (behind !== undefined) expect([meanwhile, behind]).toEqual([valueOf(2), valueOf(3)]);
    await again.close();
  }
  expect(losses, 'of some sectors what came meanwhile does not survive').toBeGreaterThan(1);
  await db.close();
});
