/** Keys that one commit writes more than once: what came before within the commit is a version that nobody ever sees. */
import { expect, test } from 'vitest';
import { MemoryDevice } from '../../src/device/memory.js';
import type { OpenOptions } from '../../src/options.js';
import type { Store } from '../../src/store.js';
import { openStore } from '../support/stores.js';

function storeWith(history: OpenOptions['history'], device = new MemoryDevice()): Store {
  return openStore(device, { durability: 'relaxed', segmentSize: 4096, ...(history === undefined ? {} : { history }) }, 1, true);
}

const HISTORIES = ['all', { versions: 2 }, { age: 1000 }, undefined] as const;

test.each(HISTORIES)('with the history %j only the last of a key counts, and takes the place of one version', async (history) => {
  const device = new MemoryDevice();
  const db = storeWith(history, device);
  db.putSync('a', 'before');
  const version = db.batchSync([{ type: 'put', key: 'a', value: 1 }, { type: 'put', key: 'b', value: 1 }, { type: 'put', key: 'a', value: 2 }, { type: 'put', key: 'b', value: new Uint8Array(9000) }, { type: 'delete', key: 'b' }]);
  const shown = (store: Store, key: string): unknown[] => [...store.history(key)].map((change) => [change.version, change.value]);
  const kept = history === undefined ? [] : [[1, 'before']];
  expect(shown(db, 'a')).toEqual([[version, 2], ...kept]);
  expect(shown(db, 'b')).toEqual([[version, undefined]]);
  await db.verify();
  await db.close();
  const again = storeWith(history, new MemoryDevice(device.bytes()));
  expect([shown(again, 'a'), shown(again, 'b')]).toEqual([[[version, 2], ...kept], [[version, undefined]]]);
  await again.verify();
  await again.close();
});

test('a new key that one commit writes twice takes no view of the past away', () => {
  const db = storeWith('all');
  const before = db.putSync('a', 1);
  db.batchSync([{ type: 'put', key: 'b', value: 1 }, { type: 'put', key: 'b', value: 2 }]);
  for (const version of [0, before]) {
    const view = db.at(version);
    expect([view.get('a'), view.get('b')]).toEqual([version === 0 ? undefined : 1, undefined]);
    view.close();
  }
});

test('room that such a key was given and did not need goes to no other key', async () => {
  const db = storeWith('all');
  for (let number = 1; number <= 3; number++) db.batchSync([{ type: 'put', key: 'a', value: number }, { type: 'put', key: 'b', value: number }]);
  // The lists of old versions are full here or there: one is made larger in vain.
  for (let number = 4; number <= 12; number++) {
    db.batchSync([{ type: 'put', key: 'c', value: number }, { type: 'put', key: 'c', value: -number }]);
    db.putSync('a', number);
    db.batchSync([{ type: 'put', key: 'b', value: -number }, { type: 'put', key: 'b', value: number }]);
    db.putSync('d', number);
  }
  const shown = (key: string): unknown[] => [...db.history(key)].map(({ value }) => value).toReversed();
  const numbers = Array.from({ length: 12 }, (_, index) => index + 1);
  expect([shown('a'), shown('b'), shown('c'), shown('d')]).toEqual([numbers, numbers, numbers.slice(3).map((number) => -number), numbers.slice(3)]);
  await db.verify();
});
