/** Random histories on files of the browser against a plain Map, in every mode, with reopenings: in order, and by dropping the handle with what the store had not handed over. */
import { expect, test } from 'vitest';
import { openOpfsFile } from '../../../src/device/opfs-open.js';
import type { Durability } from '../../../src/durability/commits.js';
import type { Store } from '../../../src/store.js';
import { applySync, applyToModel, difference, randomStep, type Shape, type State } from '../../support/model.js';
import { Random, seedOf } from '../../support/random.js';
import { openStore } from '../../support/stores.js';

const SHAPES: readonly (Shape & { readonly segmentSize: number })[] = [
  { keyCount: 5, valueSizeMax: 300, batchSizeMax: 3, segmentSize: 4096 },
  { keyCount: 40, valueSizeMax: 3000, batchSizeMax: 20, segmentSize: 4096 },
  { keyCount: 200, valueSizeMax: 9000, batchSizeMax: 60, segmentSize: 8192 },
];
const STEPS = 200;

async function live(path: string, seed: number, shape: (typeof SHAPES)[number], durability: Durability): Promise<number> {
  const random = new Random(seed);
  let file = await openOpfsFile(path, { create: true, readOnly: false });
  const openAgain = (): Store => openStore(file.device, { durability, segmentSize: shape.segmentSize }, random.next(), true);
  let store = openAgain();
  let state: State = new Map();
  let lives = 1;
  const compare = (number: number): void => {
    const found = difference(store, state, shape.keyCount);
    if (found !== undefined) throw new Error(`seed ${seed}, step ${number}: ${found}`);
  };
  for (let number = 0; number < STEPS; number++) {
    const step = randomStep(random, shape);
    state = applyToModel(state, step, applySync(store, state, step));
    if (random.chance(0.03)) {
      // A worker that ends between two turns has handed over what it applied.
      if (random.chance(0.5)) await store.close();
      else store.handOverAtExit();
      file.release();
      file = await openOpfsFile(path, { create: false, readOnly: false });
      store = openAgain();
      lives++;
      compare(number);
    }
    if (number % 20 === 0) compare(number);
  }
  await store.close();
  return lives;
}

for (const durability of ['strict', 'buffered', 'relaxed'] as const) {
  for (const [index, shape] of SHAPES.entries()) {
    test(`${durability}, ${shape.keyCount} keys, segments of ${shape.segmentSize}`, async () => {
      const base = seedOf(7000);
      let lives = 0;
      for (let seed = base; seed < base + 4; seed++) lives += await live(`model/${durability}${index}-${seed}`, seed, shape, durability);
      expect(lives).toBeGreaterThan(8);
    });
  }
}
