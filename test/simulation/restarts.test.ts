/**
 * Ends of a life in two steps. A process dies with bytes in the cache of the operating system, the next one recovers them, and then the power goes: what recovery has shown may not shrink. And the power
 * goes while a store is being closed in order: everything that was acknowledged is there, and nothing is refused.
 */
import { afterAll, expect, test } from 'vitest';
import type { Durability } from '../../src/durability/commits.js';
import type { Store } from '../../src/store.js';
import { images } from '../support/crash-images.js';
import { applySync, applyToModel, difference, randomStep, type Shape, type State } from '../support/model.js';
import { Random, seedOf } from '../support/random.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';

const SHAPE: Shape = { keyCount: 6, valueSizeMax: 1500, batchSizeMax: 5 };
/** No timer runs within a test: what is flushed, the test flushes. */
const OPTIONS = { flushInterval: 3_600_000, segmentSize: 4096 };
const figures = { deaths: 0, closes: 0, images: 0 };

interface Life {
  readonly store: Store;
  readonly disk: SimulatedDisk;
  /** What each commit has left, the empty store first. */
  readonly states: readonly State[];
  /** The state that the last flush has made durable. */
  readonly flushed: number;
  readonly version: number;
}

/** A store in the middle of its work. What was written last was handed to the operating system, and perhaps not flushed. */
async function live(seed: number, durability: Durability, steps: number): Promise<Life> {
  const random = new Random(seed);
  const disk = new SimulatedDisk();
  const store = openStore(disk, { ...OPTIONS, durability }, seed);
  const states: State[] = [new Map()];
  let flushed = 0;
  let lastVersion = 0;
  for (let number = 0; number < steps; number++) {
    const step = randomStep(random, SHAPE);
    const version = applySync(store, states.at(-1)!, step);
    if (version !== 0) {
      states.push(applyToModel(states.at(-1)!, step, version));
      lastVersion = version;
    }
    if (durability === 'strict') flushed = states.length - 1;
    else if (random.chance(0.1)) {
      await store.flush();
      flushed = states.length - 1;
    } else store.handOverAtExit();
  }
  return { store, disk, states, flushed, version: lastVersion };
}

/** The newest state that a store holds, from the first that it may; -1 where it holds none. */
function indexOf(store: Store, states: readonly State[], first: number): number {
  for (let index = states.length - 1; index >= first; index--) if (difference(store, states[index]!, SHAPE.keyCount) === undefined) return index;
  return -1;
}

/** Opens what a power loss has left: a store that holds one of the states, issues no version again, and once it was closed in order is as it was left. */
async function examine(image: Uint8Array, states: readonly State[], first: number, version: number, where: string): Promise<void> {
  figures.images++;
  const disk = new SimulatedDisk(image);
  let store: Store;
  try {
    store = openStore(disk, { ...OPTIONS, durability: 'relaxed' }, 5);
  } catch (error) {
    throw new Error(`${where}: a pure crash was refused: ${(error as Error).message}`, { cause: error });
  }
  expect(indexOf(store, states, first), `${where}: a state from ${first} to ${states.length - 1}`).toBeGreaterThanOrEqual(first);
  expect(store.putSync('after', 1), `${where}: T17`).toBeGreaterThan(version);
  await store.close();
  const again = openStore(disk.processRestart(), OPTIONS, 6);
  expect([again.recovery.clean, again.recovery.dropped, again.get('after')], `${where}: closed, and opened again`).toEqual([true, undefined, 1]);
}

test('a process dies, and after its successor has opened the store the power goes: what was shown stays (F-08, F-10, I6)', async () => {
  const base = seedOf(9100);
  for (let seed = base; seed < base + 5; seed++) {
    for (const durability of ['strict', 'buffered'] as const) {
      for (const steps of [3, 11, 30]) {
        const { disk, states, flushed, version } = await live(seed, durability, steps);
        figures.deaths++;
        const where = `seed ${seed}, ${durability}, ${steps} steps (replay with VARVE_SEED=${seed})`;
        const next = disk.processRestart();
        const within: Uint8Array[] = [];
        next.onOperation = (number, operation) => {
          if (operation !== 'read') within.push(...images(next, new Random(seed + number)));
        };
        const again = openStore(next, { ...OPTIONS, durability }, seed + 1);
        next.onOperation = undefined;
        const shown = indexOf(again, states, states.length - 1);
        expect(shown, `${where}: the process died, and the machine did not`).toBe(states.length - 1);
        for (const image of within) await examine(image, states, flushed, version, `${where}, within the recovery`);
        for (const image of images(next, new Random(seed))) await examine(image, states, shown, version, `${where}, after the recovery`);
        await again.close();
      }
    }
  }
});

test('the power goes while a store is being closed: nothing that was acknowledged is lost, and nothing is refused (F-09, F-48)', async () => {
  const base = seedOf(9200);
  for (let seed = base; seed < base + 5; seed++) {
    for (const durability of ['strict', 'buffered', 'relaxed'] as const) {
      const { store, disk, states, flushed, version } = await live(seed, durability, 14);
      figures.closes++;
      const found: Uint8Array[] = [];
      disk.onOperation = (number) => found.push(...images(disk, new Random(seed + number)));
      await store.close();
      disk.onOperation = undefined;
      const where = `seed ${seed}, ${durability}, closing (replay with VARVE_SEED=${seed})`;
      for (const image of found) await examine(image, states, flushed, version, where);
      await examine(disk.image('none'), states, states.length - 1, version, `${where}, closed`);
    }
  }
});

afterAll(() => {
  process.stdout.write(`restarts: ${figures.deaths} processes that died and were succeeded, ${figures.closes} closes cut off; ${figures.images} images\n`);
});
