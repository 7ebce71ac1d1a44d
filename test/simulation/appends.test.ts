/**
 * No write of the log makes the file longer, or goes over anything but zeros that were flushed: so a loss of power can leave nothing there but what was written, or zeros, and never what some other
 * file has left on the medium (F-03, F-13).
 */
import { expect, test } from 'vitest';
import * as format from '../../assembly/shared/format.js';
import { Random, seedOf } from '../support/random.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';

const SEGMENT_SIZE = 4096;

/** A disk that looks at each write before it is made. */
class WatchedDisk extends SimulatedDisk {
  appends = 0;
  zeroings = 0;

  override write(source: Uint8Array, start: number, length: number, offset: number): void {
    const bytes = source.subarray(start, start + length);
    if (offset >= format.SLOTS_OFFSET && bytes.some((byte) => byte !== 0)) {
      this.appends++;
      const { durable } = this;
      expect(offset + length, 'a write within what is durable').toBeLessThanOrEqual(durable.length);
      expect(durable.subarray(offset, offset + length).every((byte) => byte === 0), `zeros at ${offset}`).toBe(true);
    } else if (offset >= format.SLOTS_OFFSET) this.zeroings++;
    super.write(source, start, length, offset);
  }
}

test('the log is written into zeros that are durable, in every mode, also where slots are used again (F-03, F-13)', async () => {
  const random = new Random(seedOf(3));
  for (const durability of ['strict', 'buffered', 'relaxed'] as const) {
    const disk = new WatchedDisk();
    const db = openStore(disk, { segmentSize: SEGMENT_SIZE, durability });
    for (let step = 0; step < 1500; step++) {
      const value = random.bytes(random.below(random.chance(0.05) ? 9000 : 600));
      if (random.chance(0.5)) db.putSync(random.below(12), value);
      else await db.put(random.below(12), value);
    }
    await db.flush();
    expect([disk.appends > 100, disk.zeroings > 20]).toEqual([true, true]);
    await db.close();
  }
});
