/** Snapshots beside random histories: each sees its state for as long as it is open, and holds nothing else. Every structure is verified after every mutation. */
import { expect, test } from 'vitest';
import type { Snapshot } from '../../src/snapshot.js';
import { applySync, applyToModel, differenceSeen, randomStep, type Shape, type State } from '../support/model.js';
import { MemoryDevice } from '../../src/device/memory.js';
import { Random, seedOf } from '../support/random.js';
import { openStore } from '../support/stores.js';

const SHAPES: readonly (Shape & { readonly segmentSize: number; readonly openMax: number })[] = [
  { keyCount: 5, valueSizeMax: 300, batchSizeMax: 4, segmentSize: 4096, openMax: 4 },
  { keyCount: 60, valueSizeMax: 3000, batchSizeMax: 20, segmentSize: 4096, openMax: 40 },
];

function live(seed: number, shape: (typeof SHAPES)[number], steps: number): void {
  const random = new Random(seed);
  const store = openStore(new MemoryDevice(), { durability: 'relaxed', segmentSize: shape.segmentSize }, seed, true);
  const open: { snapshot: Snapshot; state: State }[] = [];
  let state: State = new Map();
  const check = (number: number): void => {
    for (const { snapshot, state: seen } of open) {
      const found = differenceSeen(snapshot, seen, shape.keyCount);
      if (found !== undefined) throw new Error(`seed ${seed}, step ${number}, snapshot of ${snapshot.version}: ${found}`);
    }
  };
  for (let number = 0; number < steps; number++) {
    const step = randomStep(random, shape);
    state = applyToModel(state, step, applySync(store, state, step));
    if (open.length < shape.openMax && random.chance(0.2)) open.push({ snapshot: store.snapshot(), state });
    if (open.length > 0 && random.chance(0.03)) {
      const other = random.pick(open);
      open.push({ snapshot: store.at(other.snapshot.version), state: other.state });
    }
    if (open.length > 0 && random.chance(0.18)) open.splice(random.below(open.length), 1)[0]!.snapshot.close();
    if (number % 10 === 0) check(number);
  }
  check(steps);
  for (const { snapshot } of open) snapshot.close();
  // What was released is looked through by the commits that follow, a bounded part each.
  for (let number = 0; number < 200; number++) store.putSync('key0', number);
  expect(store.stats().snapshots).toEqual({ open: 0, oldest: undefined, oldVersions: 0 });
}

for (const shape of SHAPES) {
  test(`${shape.keyCount} keys, up to ${shape.openMax} snapshots: each sees its state, and holds nothing else (T3, T5, T18)`, () => {
    const base = seedOf(5000);
    for (let seed = base; seed < base + 10; seed++) live(seed, shape, 300);
  });
}

test('a snapshot holds what it sees, and not what came and went after it (T18)', () => {
  const store = openStore(new MemoryDevice(), { durability: 'relaxed', segmentSize: 4096 }, 1, true);
  for (let number = 0; number < 10; number++) store.putSync(`key${number}`, number);
  const snapshot = store.snapshot();
  for (let round = 0; round < 100; round++) for (let number = 0; number < 10; number++) store.putSync(`key${number}`, round);
  expect(store.stats().snapshots.oldVersions).toBe(10);
  expect(Array.from({ length: 10 }, (_, number) => snapshot.get(`key${number}`))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  snapshot.close();
  expect(store.stats().snapshots.oldVersions).toBe(0);
  expect(() => snapshot.get('key0')).toThrow('The snapshot is closed');
});

test('a failed batch gives back what it had superseded', () => {
  const store = openStore(new MemoryDevice(), { durability: 'relaxed', segmentSize: 4096, memory: { initial: 1 << 20, limit: 1 << 20 } }, 1, true);
  for (let number = 0; number < 50; number++) store.putSync(`key${number}`, new Uint8Array(500).fill(number));
  const snapshot = store.snapshot();
  const before = store.stats();
  const batch = Array.from({ length: 3000 }, (_, number) => ({ type: 'put' as const, key: `key${number % 50}-${number > 100 ? number : ''}`.replace(/-$/, ''), value: new Uint8Array(400) }));
  expect(() => store.batchSync(batch)).toThrow('no memory left');
  expect(store.stats().snapshots.oldVersions).toBe(0);
  expect(store.stats().keys).toBe(before.keys);
  for (let number = 0; number < 50; number++) {
    expect(store.get(`key${number}`)).toEqual(new Uint8Array(500).fill(number));
    expect(snapshot.get(`key${number}`)).toEqual(new Uint8Array(500).fill(number));
  }
});
