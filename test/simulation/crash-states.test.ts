/**
 * What a power loss or the death of the process may leave of a store, enumerated: at each operation of the disk, all subsets of what was not flushed where there are few, and those that matter where there are many.
 * Each state must open (I5), hold an allowed state (I2, I3), take a new commit under a version that was never shown (I7, T17), and bear another crash within its recovery (I6). This is the short form of
 * `npm run crash-states`.
 */
import { afterAll, expect, test } from 'vitest';
import { Workshop, noFigures } from '../support/crash-examiner.js';
import { addFigures, runLife, runSequence } from '../support/crash-run.js';
import { SEQUENCE_MODES, sequences } from '../support/crash-workloads.js';
import { seedOf } from '../support/random.js';

const shop = new Workshop();
const figures = noFigures();

for (const durability of SEQUENCE_MODES) {
  test(`${durability}: every sequence of up to two steps, cut off at every operation of the last (F-01, F-02, F-04 to F-10, F-77; L4, L6, L7, T1, T17)`, async () => {
    for (let length = 0; length <= 2; length++) {
      for (const names of sequences(length)) addFigures(figures, await runSequence(shop, names, durability));
    }
  });
}

test('random lives in all modes, cut off at every operation (F-01, F-02, F-04 to F-10, F-77; L4, L6, L7, T1, T17)', async () => {
  const seed = seedOf(1);
  for (let number = 0; number < 20; number++) addFigures(figures, await runLife(shop, seed, number));
});

test('the runs above have met every sort of torn tail, and stores that were clean, unproven or still to be made', () => {
  const { recoveries, engine } = shop.prober;
  expect(Object.keys(recoveries.reasons).sort()).toEqual([
    'a commit lacks its last part', 'a segment ends before its last frame', 'the declarations of a frame fail their checksum', 'the head of a frame fails its checksum', 'the records of a frame fail their checksum',
  ]);
  for (const count of [recoveries.clean, recoveries.created, recoveries.rewritten, figures.compared]) expect(count).toBeGreaterThan(50);
  expect(engine.made, 'one engine for all').toBe(1);
});

afterAll(() => {
  process.stdout.write(`crash states: ${figures.states} examined at ${figures.points} moments, ${figures.exhausted} of them with all subsets; ${figures.nested} within ${figures.cutRecoveries} recoveries that were cut off; ` +
    `${figures.compared} compared with a fresh engine\n`);
});
