/**
 * Every bit of a file flipped, one at a time; every length of it; every sector lost, replaced by every other, or as it was before. The file holds everything that a file can hold, all of it acknowledged and
 * flushed. Opening refuses and changes nothing, or gives back exactly what was acknowledged. More files: `npm run crash-states -- --flips`.
 */
import { afterAll, describe, expect, test } from 'vitest';
import * as format from '../../assembly/shared/format.js';
import { Workshop } from '../support/crash-examiner.js';
import { Damager, SEGMENT_SIZE, addDamage, makeSample, noDamage } from '../support/damage.js';
import { Random, seedOf } from '../support/random.js';

const shop = new Workshop();
const flips = noDamage();
const rest = noDamage();
const seed = seedOf(1);
Error.stackTraceLimit = 0;

for (const isClosed of [true, false]) {
  describe(isClosed ? 'a file that was closed in order' : 'a file left by a process that died', () => {
    test('has everything in it', async () => {
      const { older } = await makeSample(shop, seed, 0, isClosed);
      const lives = [...older].map(([sector, contents]) => (sector * 512 >= format.SLOTS_OFFSET && (sector * 512 - format.SLOTS_OFFSET) % SEGMENT_SIZE === 0
        ? contents.filter((content) => Buffer.from(content).readUInt32LE() === format.SEGMENT_MAGIC_LOW).length : 0));
      expect(Math.max(...lives), 'a slot that was used again').toBeGreaterThan(1);
    });

    test('every single bit, flipped, is refused or harmless (F-20 to F-26)', async () => {
      const damager = new Damager(shop, await makeSample(shop, seed, 0, isClosed));
      damager.flipAll({ index: 0, count: 1 });
      damager.flipPairs(new Random(seed), 10_000);
      expect(damager.figures.torn).toBe(0);
      addDamage(flips, damager.figures);
    });

    test('every length, every sector and every slot is refused, harmless, or torn as a crash tears (F-27 to F-31)', async () => {
      const damager = new Damager(shop, await makeSample(shop, seed, 0, isClosed));
      damager.cutAll();
      damager.replaceSectors(new Random(seed));
      damager.replaceSlots(await makeSample(new Workshop(), seed + 1, 0, isClosed));
      if (isClosed) expect(damager.figures.torn).toBe(0);
      addDamage(rest, damager.figures);
    });
  });
}

test.each([0, 1])('without an image of the index, every length, sector and slot of file %d, closed in order, is refused or harmless (F-27)', async (number) => {
  const damager = new Damager(shop, await makeSample(shop, seed, number, true, false));
  damager.cutAll();
  damager.replaceSectors(new Random(seed));
  damager.replaceSlots(await makeSample(new Workshop(), seed + 1, number, true, false));
  expect(damager.figures.torn).toBe(0);
  addDamage(rest, damager.figures);
});

afterAll(() => {
  process.stdout.write(`flips: ${flips.refused + flips.harmless + flips.unread}, ${flips.refused} refused, ${flips.harmless} harmless, ${flips.unread} where opening never looks, 0 silent losses; ` +
    `cuts, sectors and slots: ${rest.refused} refused, ${rest.harmless} harmless, ${rest.torn} torn as a crash tears\n`);
});
