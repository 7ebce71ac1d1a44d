/**
 * The power goes at every operation of a workload, and of what was not flushed none, all, every prefix, every all-but-one, every single sector and random subsets arrive. Each image must open, hold
 * a state that the durability mode allows, take new writes under versions never shown before, and survive a second crash within its own recovery.
 */
import { afterAll, expect, test } from 'vitest';
import { images } from '../support/crash-images.js';
import { applySync, applyToModel, difference, randomStep, type Shape, type State } from '../support/model.js';
import { Random, seedOf } from '../support/random.js';
import { CrashError, SimulatedDisk } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';
import type { Durability } from '../../src/durability/commits.js';
import type { Store } from '../../src/store.js';

interface World {
  readonly seed: number;
  readonly shape: Shape;
  readonly segmentSize: number;
  readonly durability: Durability;
}

/** What may be found after a crash: the states from the last one promised to the last one begun. */
interface Allowed {
  readonly states: readonly State[];
  readonly promised: number;
  readonly lastVersion: number;
}

const figures = { images: 0, nested: 0, points: 0 };

function describe(world: World, point: string): string {
  return `seed ${world.seed}, ${world.durability}, ${point} (replay with VARVE_SEED=${world.seed})`;
}

/** The index of the state that a store holds, searched from the newest; -1 where it holds none of them. */
function indexOfState(store: Store, { states, promised }: Allowed, keyCount: number): number {
  for (let index = states.length - 1; index >= promised; index--) {
    if (difference(store, states[index]!, keyCount) === undefined) return index;
  }
  return -1;
}

/** An image to be examined, and what may be found in it. */
interface Case {
  readonly image: Uint8Array;
  readonly allowed: Allowed;
  readonly point: string;
  /** Whether every operation of the recovery, and of the first write after it, is a crash point too. */
  readonly isNested: boolean;
}

/** Opens an image and holds it against what is allowed. */
async function examine(world: World, { image, allowed, point, isNested }: Case): Promise<void> {
  figures.images++;
  const disk = new SimulatedDisk(image);
  const within: Uint8Array[] = [];
  const behind: Uint8Array[] = [];
  let collected = within;
  if (isNested) {
    disk.onOperation = (_number, operation) => {
      if (operation !== 'read') collected.push(disk.image(() => false), disk.image(() => true), disk.image((index) => index % 2 === 0), disk.image((index) => index % 3 !== 0));
    };
  }
  let store: Store;
  try {
    store = openStore(disk, { durability: world.durability, segmentSize: world.segmentSize }, world.seed + 1);
  } catch (error) {
    throw new Error(`${describe(world, point)}: a pure crash was refused: ${(error as Error).message}`, { cause: error });
  }
  collected = behind;
  const index = indexOfState(store, allowed, world.shape.keyCount);
  if (index < 0) {
    throw new Error(`${describe(world, point)}: no allowed state (of ${allowed.states.length - allowed.promised}); ${difference(store, allowed.states.at(-1)!, world.shape.keyCount)}`);
  }
  const version = store.putSync('key0', 'after');
  expect(version, `${describe(world, point)}: T17`).toBeGreaterThan(allowed.lastVersion);
  expect(store.get('key0')).toBe('after');
  disk.onOperation = undefined;
  await store.close();
  for (const [number, nested] of within.entries()) {
    figures.nested++;
    await examine(world, { image: nested, allowed, point: `${point}, within recovery ${number}`, isNested: false });
  }
  // What recovery has shown may not shrink.
  const shown = allowed.states[index]!;
  const after = { states: [shown, applyToModel(shown, { type: 'put', key: 'key0', value: 'after' }, version)], promised: 0, lastVersion: allowed.lastVersion };
  for (const [number, nested] of behind.entries()) {
    figures.nested++;
    await examine(world, { image: nested, allowed: after, point: `${point}, behind recovery ${number}`, isNested: false });
  }
}

async function run(world: World, steps: number): Promise<void> {
  const random = new Random(world.seed);
  const disk = new SimulatedDisk();
  const states: State[] = [new Map()];
  let promised = 0;
  let lastVersion = 0;
  let begun: State | undefined;
  let cases: Case[] = [];
  disk.onOperation = (number, operation) => {
    if (operation === 'read') return;
    figures.points++;
    const allowed = { states: begun === undefined ? states.slice() : [...states, begun], promised, lastVersion };
    const draw = new Random(world.seed * 7919 + number);
    for (const [index, image] of images(disk, draw).entries()) {
      cases.push({ image, allowed, point: `operation ${number} (${operation}), image ${index}`, isNested: number % 5 === 0 && index < 3 });
    }
  };
  const store = openStore(disk, { durability: world.durability, segmentSize: world.segmentSize }, world.seed);
  for (let number = 0; number < steps; number++) {
    const step = randomStep(random, world.shape);
    const before = states.at(-1)!;
    // The version of what is begun is known in advance: versions of one life follow each other.
    begun = step.type === 'cas' && !step.isRight ? undefined : applyToModel(before, step, lastVersion + 1);
    const version = applySync(store, before, step);
    if (version !== 0) {
      states.push(applyToModel(before, step, version));
      lastVersion = version;
      if (world.durability === 'strict') promised = states.length - 1;
    }
    begun = undefined;
    if (world.durability !== 'strict' && number % 10 === 9) store.handOverAtExit();
    const due = cases;
    cases = [];
    for (const one of due) await examine(world, one);
  }
  disk.onOperation = undefined;
  await store.close();
}

const SMALL: Shape = { keyCount: 6, valueSizeMax: 1200, batchSizeMax: 6 };
const LARGE: Shape = { keyCount: 10, valueSizeMax: 6000, batchSizeMax: 12 };

for (const durability of ['strict', 'buffered'] as const) {
  for (const [name, shape] of [['small', SMALL], ['large', LARGE]] as const) {
    test(`${durability}, ${name} commits: a crash at every operation leaves an allowed state (L4, L6, L7, T1, T17; F-01 to F-10)`, async () => {
      const base = seedOf(1);
      for (let seed = base; seed < base + 3; seed++) await run({ seed, shape, segmentSize: 4096, durability }, 40);
    });
  }
}

test('a disk that is cut off throws at every operation from there on', () => {
  const disk = new SimulatedDisk();
  disk.crashAt = 3;
  expect(() => openStore(disk, { segmentSize: 4096 })).toThrow(CrashError);
  expect(() => disk.flushSync()).toThrow(CrashError);
});

afterAll(() => {
  expect(figures.images).toBeGreaterThan(1000);
  process.stdout.write(`crash states: ${figures.images} at ${figures.points} operations, ${figures.nested} within a recovery\n`);
});
