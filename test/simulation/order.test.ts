/** The ordered index with many keys: however they come, whatever they share, and whenever it is asked, it has them all in order. */
import { expect, test } from 'vitest';
import { MemoryDevice } from '../../src/device/memory.js';
import type { Store } from '../../src/store.js';
import { Random, seedOf } from '../support/random.js';
import { collidingKeys } from '../support/collisions.js';
import { openStore } from '../support/stores.js';

const inOrder = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

function storeOf(seed: number): Store {
  return openStore(new MemoryDevice(), { durability: 'relaxed' }, seed);
}

const FAMILIES: Record<string, (random: Random, number: number) => string> = {
  'random texts': (random) => Array.from({ length: 1 + random.below(20) }, () => String.fromCharCode(97 + random.below(26))).join(''),
  'numbers behind a prefix': (_, number) => `user:${String((number * 7919) % 100_003).padStart(8, '0')}`,
  'rising numbers': (_, number) => String(number).padStart(10, '0'),
  'falling numbers': (_, number) => String(1_000_000 - number).padStart(10, '0'),
  'groups within groups': (random) => `tenant${random.below(3)}/collection${random.below(10)}/document${random.below(100)}/field${random.below(1000)}`,
  'prefixes of each other': (_, number) => 'a'.repeat(number % 3000),
  'zeros at the end': (random, number) => `${'b'.repeat(number % 40)}${'\0'.repeat(random.below(60))}`,
  'few letters': (random) => Array.from({ length: 12 }, () => 'xy'[random.below(2)]).join(''),
};

for (const [name, make] of Object.entries(FAMILIES)) {
  test(`${name}: every scan has every key in order`, async () => {
    const seed = seedOf(31);
    const random = new Random(seed);
    const store = storeOf(seed);
    const keys = new Set<string>();
    const check = (): void => {
      const sorted = [...keys].sort(inOrder);
      expect([...store.keys()]).toEqual(sorted);
      expect([...store.keys({ reverse: true })]).toEqual(sorted.toReversed());
      for (let tries = 0; tries < 20; tries++) {
        const from = make(random, random.below(6000));
        const to = make(random, random.below(6000));
        const isWithin = (key: string): boolean => key >= from && key < to;
        expect([...store.keys({ gte: from, lt: to })], `seed ${seed}: from ${from} to ${to}`).toEqual(sorted.filter(isWithin));
        expect(store.count({ gt: from })).toBe(sorted.filter((key) => key > from).length);
      }
    };
    // The first scan makes the tree; few new keys are put in one by one, many make it anew.
    for (const count of [0, 1, 40, 3, 2500, 70, 20, 1, 1500, 30, 60]) {
      for (let number = 0; number < count; number++) {
        const key = make(random, keys.size + number);
        store.putSync(key, number);
        keys.add(key);
      }
      check();
    }
    await store.verify();
    await store.close();
  });
}

test('keys come one at a time, each before a scan, until leaves split', async () => {
  const random = new Random(7);
  const store = storeOf(7);
  const keys = new Set<string>();
  for (let number = 0; number < 3000; number++) {
    const key = `key${random.below(1_000_000)}`;
    store.putSync(key, number);
    keys.add(key);
    const [next] = store.keys({ gte: key, limit: 1 });
    expect(next).toBe(key);
  }
  expect([...store.keys()]).toEqual([...keys].sort(inOrder));
  await store.verify();
  expect(store.stats().memory.orderBytes / keys.size).toBeLessThan(17);
});

test('keys that share their hash each have their place', async () => {
  const seed = 5;
  const store = openStore(new MemoryDevice(), { durability: 'relaxed' }, seed, true);
  const keys = collidingKeys(seed, 9);
  const others = Array.from({ length: 20 }, (_, number) => new Uint8Array([number * 12]));
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  const expected = (count: number): string[] => [...others, ...keys.slice(0, count)].map(hex).sort(inOrder);
  for (const other of others) store.putSync(other, 0);
  for (const [number, key] of keys.entries()) {
    store.putSync(key, number);
    expect([...store.keys()].map((found) => hex(found as Uint8Array)), `after ${number + 1} of one hash`).toEqual(expected(number + 1));
  }
  expect([...store.scan()].filter(({ value }) => value !== 0).map(({ key, value }) => `${hex(key as Uint8Array)} ${String(value)}`).toSorted())
    .toEqual(keys.map((key, number) => `${hex(key)} ${number}`).slice(1).toSorted());
  for (const key of keys) store.deleteSync(key);
  expect(store.count()).toBe(others.length);
  await store.verify();
});

test('large values come whole out of a scan', () => {
  const store = openStore(new MemoryDevice(), { durability: 'relaxed', segmentSize: 4096 }, 1, true);
  const values = Array.from({ length: 12 }, (_, number) => new Uint8Array(number * 1500).fill(number));
  for (const [number, value] of values.entries()) store.putSync(number, value);
  expect([...store.values()]).toEqual(values);
  const tx = store.begin();
  tx.put(3.5, new Uint8Array(50_000).fill(9));
  expect([...tx.values({ gte: 3, lt: 5 })]).toEqual([values[3], new Uint8Array(50_000).fill(9), values[4]]);
  tx.commitSync();
  expect([...store.values({ gt: 3, lt: 4 })]).toEqual([new Uint8Array(50_000).fill(9)]);
});

test('without memory for the order a scan is a FullError, and the store goes on', async () => {
  const store = openStore(new MemoryDevice(), { durability: 'relaxed', segmentSize: 4096, memory: { initial: 1 << 20, limit: 1 << 20 } });
  let count = 0;
  expect(() => {
    for (; count < 100_000; count++) store.putSync(`key${String(count).padStart(6, '0')}`, count);
  }).toThrow('no memory left');
  expect(() => [...store.keys()]).toThrow('no memory left');
  expect(store.stats().snapshots.open).toBe(0);
  expect(store.get('key000007')).toBe(7);
  await store.verify();
  store.deleteSync('key000007');
  expect(store.get('key000007')).toBe(undefined);
});
