/** Scans of a transaction over many keys, of which it has written some itself: what the store has and what the transaction has written come in one order, batch after batch, in both directions (T4). */
import { expect, test } from 'vitest';
import { MemoryDevice } from '../../src/device/memory.js';
import type { Store, Transaction } from '../../src/index.js';
import { Random, seedOf } from '../support/random.js';
import { openStore } from '../support/stores.js';

const KEY_COUNT = 400;

interface Scene {
  readonly db: Store;
  readonly tx: Transaction;
  /** What the transaction sees, by key. */
  readonly seen: ReadonlyMap<number, string>;
}

/** A store with some of the keys, and a transaction that has put, overwritten and deleted others: runs of either kind, of any length. */
function scene(random: Random): Scene {
  const db = openStore(new MemoryDevice(), { durability: 'relaxed' }, random.next(), true);
  const seen = new Map<number, string>();
  const ownShare = random.pick([0.02, 0.2, 0.5, 0.9]);
  const run = 1 + random.below(30);
  const kinds = Array.from({ length: Math.ceil(KEY_COUNT / run) }, () => random.chance(ownShare));
  for (let key = 0; key < KEY_COUNT; key++) if (!kinds[Math.floor(key / run)] || random.chance(0.3)) db.putSync(key, 'stored');
  const tx = db.begin();
  for (let key = 0; key < KEY_COUNT; key++) {
    const isOwn = kinds[Math.floor(key / run)]!;
    if (isOwn && random.chance(0.15)) tx.delete(key);
    else if (isOwn) {
      tx.put(key, 'own');
      seen.set(key, 'own');
    } else seen.set(key, 'stored');
  }
  return { db, tx, seen };
}

test('every key once and in order, from whatever key on, with and without a limit', async () => {
  const base = seedOf(2100);
  for (let seed = base; seed < base + 25; seed++) {
    const random = new Random(seed);
    const { db, tx, seen } = scene(random);
    const all = [...seen].sort(([left], [right]) => left - right);
    for (let round = 0; round < 6; round++) {
      const reverse = random.chance(0.5);
      const [gte, lt] = [random.below(KEY_COUNT), KEY_COUNT - random.below(100)];
      const limit = random.chance(0.5) ? 1 + random.below(150) : Infinity;
      const expected = all.filter(([key]) => key >= gte && key < lt);
      if (reverse) expected.reverse();
      const found: [unknown, unknown][] = [];
      for (const { key, value } of tx.scan({ gte, lt, reverse, limit })) {
        found.push([key, value]);
        // What others commit meanwhile changes the order that the scan walks over, and not what it shows.
        if (random.chance(0.02)) db.putSync(random.below(KEY_COUNT) + 0.5, 'of another');
        if (random.chance(0.01)) db.count();
      }
      expect(found, `seed ${seed}, from ${gte} to ${lt}, ${reverse ? 'reverse, ' : ''}limit ${limit} (replay with VARVE_SEED=${seed})`).toEqual(expected.slice(0, limit));
    }
    expect(tx.count(), `seed ${seed}`).toBe(all.length);
    tx.abort();
    await db.close();
  }
});
