/** Keys that somebody has made to share a hash: they do so in the store whose secret he knows, and in no other (F-34). */
import { expect, test } from 'vitest';
import { MemoryDevice } from '../../src/device/memory.js';
import { collidingKeys } from '../support/collisions.js';
import { openStore } from '../support/stores.js';

/** Whether keys share a hash in a store: the ordered index names keys by their hashes, and has to be made anew for keys that share one. */
function shareHash(keys: readonly Uint8Array[], seed: number): boolean {
  const db = openStore(new MemoryDevice(), { durability: 'relaxed' }, seed, true);
  db.putSync(keys[0]!, 0);
  expect(db.count()).toBe(1);
  expect(db.stats().memory.orderBytes).toBeGreaterThan(0);
  db.putSync(keys[1]!, 1);
  const isGivenUp = db.stats().memory.orderBytes === 0;
  expect([...db.values()].toSorted()).toEqual([0, 1]);
  return isGivenUp;
}

test('the hash of a key depends on random words that each opening draws anew', () => {
  for (const seed of [5, 6, 7]) {
    const keys = collidingKeys(seed, 2);
    expect([seed, shareHash(keys, seed)]).toEqual([seed, true]);
    for (const other of [1, 8, 1000]) expect([other, shareHash(keys, other)]).toEqual([other, false]);
  }
});
