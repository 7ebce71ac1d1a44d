/** History: the versions of a key that are kept, and the states of the store that `at` can go back to. */
import { expect, test } from 'vitest';
import { MemoryDevice } from '../../src/device/memory.js';
import { InvalidArgumentError, VersionGoneError } from '../../src/errors.js';
import type { OpenOptions } from '../../src/options.js';
import type { Store } from '../../src/store.js';
import { Random, seedOf } from '../support/random.js';
import { openStore } from '../support/stores.js';

let now = 1_700_000_000_000;

function storeWith(history: OpenOptions['history'], device = new MemoryDevice()): Store {
  return openStore(device, { durability: 'relaxed', segmentSize: 4096, ...(history === undefined ? {} : { history }) }, 1, true, () => now);
}

function shown(db: Store, key: string): string {
  return [...db.history(key)].map(({ deleted, value }) => (deleted ? '-' : String(value))).join(' ');
}

test('without the option, history has the newest version, and what snapshots see', () => {
  const db = storeWith(undefined);
  expect(shown(db, 'a')).toBe('');
  db.putSync('a', 1);
  const snapshot = db.snapshot();
  db.putSync('a', 2);
  db.putSync('a', 3);
  expect(shown(db, 'a')).toBe('3 1');
  snapshot.close();
  expect(shown(db, 'a')).toBe('3');
  db.deleteSync('a');
  expect(shown(db, 'a')).toBe('-');
});

test('the first commits of a store have their time too, when one frame holds them all', async () => {
  const db = storeWith('all');
  const time = now;
  for (let round = 0; round < 3; round++) db.putSync('a', round);
  await db.flush();
  now += 1000;
  db.putSync('a', 3);
  await db.flush();
  expect([...db.history('a')].map((item) => item.time)).toEqual([now, time, time, time]);
});

test('items have their version, their time, and whether they are deletes', async () => {
  const db = storeWith('all');
  const first = await db.put('a', { list: [1] });
  await db.flush();
  now += 1000;
  const second = db.deleteSync('a');
  await db.flush();
  expect([...db.history('a')]).toEqual([
    { key: 'a', value: undefined, version: second, deleted: true, time: now },
    { key: 'a', value: { list: [1] }, version: first, deleted: false, time: now - 1000 },
  ]);
});

test('all keeps all, in large values too, and through a reopen', async () => {
  const device = new MemoryDevice();
  const db = storeWith('all', device);
  const versions: number[] = [];
  for (let number = 0; number < 30; number++) versions.push(db.putSync('a', new Uint8Array(number * 400).fill(number)));
  const check = (store: Store): void => {
    expect([...store.history('a')].map(({ version, value }) => [version, (value as Uint8Array).length])).toEqual(versions.map((version, number) => [version, number * 400]).toReversed());
    for (const [number, version] of versions.entries()) {
      const view = store.at(version);
      expect(view.get('a')).toEqual(new Uint8Array(number * 400).fill(number));
      view.close();
    }
    expect(store.at(0).get('a')).toBe(undefined);
  };
  check(db);
  await db.close();
  const again = storeWith('all', new MemoryDevice(device.bytes()));
  check(again);
  again.putSync('a', 1);
  expect(again.at(versions[7]!).get('a')).toEqual(new Uint8Array(7 * 400).fill(7));
  await again.verify();
  await again.close();
});

test('so many versions of each key are kept, and their space is used again', async () => {
  const db = storeWith({ versions: 3 });
  for (let number = 0; number < 3000; number++) db.putSync(`key${number % 10}`, number);
  expect(shown(db, 'key7')).toBe('2997 2987 2977');
  expect(db.stats().snapshots.oldVersions).toBe(20);
  await db.flush();
  db.putSync('key0', 3000);
  expect(db.stats().log.segments).toBeLessThan(6);
  expect(() => db.at(100)).toThrow(VersionGoneError);
  expect(db.at(db.stats().version).get('key7')).toBe(2997);
});

test('versions are kept for so long after they were superseded', () => {
  const db = storeWith({ age: 1000 });
  const first = db.putSync('a', 1);
  now += 5000;
  const second = db.putSync('a', 2);
  now += 900;
  db.putSync('a', 3);
  expect(shown(db, 'a')).toBe('3 2 1');
  const seen = (version: number): unknown => {
    const view = db.at(version);
    const value = view.get('a');
    view.close();
    return value;
  };
  expect([seen(first), seen(second)]).toEqual([1, 2]);
  now += 200;
  db.putSync('b', 1);
  expect(shown(db, 'a')).toBe('3 2');
  expect(() => db.at(first)).toThrow(VersionGoneError);
  expect(seen(second)).toBe(2);
  now += 900;
  db.putSync('b', 2);
  db.putSync('b', 3);
  expect(shown(db, 'a')).toBe('3');
});

test('a view of the past that is open keeps what the history gives up', () => {
  const db = storeWith({ versions: 2 });
  for (let number = 0; number < 5; number++) db.putSync('a', number);
  db.putSync('b', 1);
  const version = db.stats().version;
  const late = db.at(version);
  for (let number = 5; number < 9; number++) db.putSync('a', number);
  expect([late.get('a'), shown(db, 'a')]).toEqual([4, '8 7 4']);
  late.close();
  db.putSync('b', 2);
  expect(shown(db, 'a')).toBe('8 7');
});

test('any view of any version that at gives is the state at that version, whatever is open beside it', () => {
  const base = seedOf(700);
  let given = 0;
  for (let seed = base; seed < base + 40; seed++) {
    const random = new Random(seed);
    const db = storeWith(random.pick(['all', { versions: 2 + random.below(5) }, { age: 40 }, { versions: 3, age: 60 }, undefined] as const));
    const states: { version: number; state: Map<string, number> }[] = [{ version: 0, state: new Map() }];
    const open: { view: ReturnType<Store['at']>; state: Map<string, number> }[] = [];
    for (let number = 1; number < 250; number++) {
      now += random.below(4);
      const state = new Map(states.at(-1)!.state);
      const key = `key${random.below(5)}`;
      const version = random.chance(0.2) ? db.deleteSync(key) : db.putSync(key, number);
      if (version !== 0) {
        if (db.has(key)) state.set(key, number);
        else state.delete(key);
        states.push({ version, state });
      }
      if (random.chance(0.3)) {
        const one = random.pick(states);
        try {
          open.push({ view: db.at(one.version), state: one.state });
          given++;
        } catch (error) {
          expect(error, `seed ${seed}`).toBeInstanceOf(VersionGoneError);
        }
      }
      if (open.length > 0 && random.chance(0.25)) open.splice(random.below(open.length), 1)[0]!.view.close();
      for (const { view, state: seen } of open) {
        expect([...view.scan()].map((entry) => [entry.key, entry.value]), `seed ${seed}, step ${number}, version ${view.version}`).toEqual([...seen].toSorted());
      }
    }
    for (const { view } of open) view.close();
  }
  expect(given).toBeGreaterThan(500);
});

test('bad options are refused', () => {
  for (const history of ['some', {}, { versions: 0 }, { age: -1 }, 5, null] as never[]) expect(() => storeWith(history), JSON.stringify(history)).toThrow(InvalidArgumentError);
});
