/** Bytes that are intact and out of place: from another store, from a life that a crash has ended, from before the last superblock. None of them is taken for what belongs there. */
import { expect, test } from 'vitest';
import { SLOTS_OFFSET, SUPERBLOCK_SIZE } from '../../assembly/shared/format.js';
import { CorruptionError } from '../../src/errors.js';
import { readSuperblock } from '../support/format-parts.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';

const SEGMENT_SIZE = 4096;
const OPTIONS = { segmentSize: SEGMENT_SIZE, values: 'bytes', flushInterval: 3_600_000 } as const;

/** The first slot of one file in the place of that of another. */
function withFirstSlot(file: Uint8Array, of: Uint8Array): Uint8Array {
  const mixed = file.slice();
  mixed.set(of.subarray(SLOTS_OFFSET, SLOTS_OFFSET + SEGMENT_SIZE), SLOTS_OFFSET);
  return mixed;
}

test('the only segment of a store, from another store, is refused (F-29, F-30)', () => {
  const [one, other] = [1, 2].map((seed) => {
    const disk = new SimulatedDisk();
    const db = openStore(disk, OPTIONS, seed);
    for (let key = 0; key < 3; key++) db.putSync(key, new Uint8Array(20).fill(seed));
    return disk.processImage();
  });
  expect(() => openStore(new SimulatedDisk(withFirstSlot(one!, other!)), OPTIONS)).toThrow(CorruptionError);
  expect(openStore(new SimulatedDisk(withFirstSlot(one!, one!)), OPTIONS).stats().keys).toBe(3);
});

/** Goes on with a store until it is in its second segment. Each life has its time, which its last frames tell. */
async function fillSegment(disk: SimulatedDisk, life: number): Promise<void> {
  const db = openStore(disk, { ...OPTIONS, durability: 'buffered' }, life, false, () => 1_700_000_000_000 + life);
  for (let key = 0; db.stats().log.segments < 2; key++) await db.put(key, new Uint8Array(300).fill(life));
}

test('a segment as it was before a crash, whose end was lost and written anew, does not join what follows (F-29, F-31)', async () => {
  const first = new SimulatedDisk();
  const db = openStore(first, { ...OPTIONS, durability: 'strict' });
  db.putSync('base', new Uint8Array(10));
  const base = first.image('none');
  // Two lives go on from the same base, of which the first is lost with the power.
  const lost = new SimulatedDisk(base);
  await fillSegment(lost, 2);
  const next = new SimulatedDisk(base);
  await fillSegment(next, 3);
  const mixed = withFirstSlot(next.processImage(), lost.processImage());
  expect(() => openStore(new SimulatedDisk(mixed), OPTIONS)).toThrow(CorruptionError);
  for (const image of [lost.processImage(), next.processImage()]) expect(openStore(new SimulatedDisk(image), OPTIONS).has('base')).toBe(true);
});

test('a clean superblock of before, where the newest is damaged, does not let versions be issued again (F-25, T17)', async () => {
  const disk = new SimulatedDisk();
  await openStore(disk, OPTIONS).close();
  const db = openStore(disk.processRestart(), { ...OPTIONS, durability: 'buffered' }, 2);
  const device = db.recovery.clean ? disk.processRestart() : disk;
  await db.close();
  const going = openStore(device, { ...OPTIONS, durability: 'buffered' }, 3);
  // Into a second segment, whose header repeats what the superblock says.
  for (let key = 0; going.stats().log.segments < 2; key++) await going.put(key, new Uint8Array(300));
  await going.flush();
  let shown = 0;
  for (let key = 0; key < 5; key++) shown = await going.put('lost with the power', new Uint8Array(10));
  const image = device.image('none');
  const newest = [0, 1].map((index) => readSuperblock(image, index, 0)).reduce((left, right) => ((left?.generation ?? -1n) > (right?.generation ?? -1n) ? left : right))!;
  expect(newest.isClean).toBe(false);
  image.fill(0xa5, newest.index * SUPERBLOCK_SIZE, (newest.index + 1) * SUPERBLOCK_SIZE);
  const again = openStore(new SimulatedDisk(image), OPTIONS, 4);
  expect(again.has('lost with the power')).toBe(false);
  expect(again.putSync('after', new Uint8Array(1))).toBeGreaterThan(shown);
});
