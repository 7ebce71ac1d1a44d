/** Segments in very great numbers: which of them an address lies in is looked up in a table, where old ones stand among new ones; and values that lie in very many of them. */
import { expect, test } from 'vitest';
import { MemoryDevice } from '../../src/device/memory.js';
import { Random, seedOf } from '../support/random.js';
import { openStore } from '../support/stores.js';

const OPTIONS = { durability: 'relaxed', segmentSize: 4096, flushInterval: 3_600_000 } as const;

test('keys of segments that live on are found, whatever segments come and go beside them (L2, L3)', async () => {
  const seed = seedOf(31);
  const random = new Random(seed);
  const device = new MemoryDevice();
  // Compaction would bring the anchors together at the end of the log.
  const db = openStore(device, { ...OPTIONS, compaction: false }, seed);
  const anchors = new Map<number, number>();
  const check = (store: typeof db, where: string): void => {
    for (const [anchor, version] of anchors) expect(store.getEntry(['anchor', anchor])?.version, `seed ${seed}, ${where}, anchor ${anchor}`).toBe(version);
  };
  for (let number = 0; number < 1500; number++) {
    // A segment lives for as long as an anchor is not written again: some briefly, some nearly for ever. Its other content dies with the next.
    const anchor = number < 40 ? number : Math.floor(40 * (random.below(1000) / 1000) ** 3);
    anchors.set(anchor, db.putSync(['anchor', anchor], number));
    for (let filler = 0; filler < 3; filler++) db.putSync('filler', random.bytes(1200));
    if (number % 10 === 0) await db.flush();
    if (number % 25 === 0) check(db, `round ${number}`);
  }
  expect(db.stats().log.segments).toBeLessThan(100);
  await db.verify();
  await db.close();
  const again = openStore(new MemoryDevice(device.bytes()), OPTIONS, seed + 1);
  check(again, 'reopened');
  await again.verify();
  await again.close();
});

test('a value in more parts than a block of memory names comes back whole (F-73)', async () => {
  const device = new MemoryDevice();
  const db = openStore(device, { ...OPTIONS, segmentSize: 16_384 });
  const value = Uint8Array.from({ length: 12_000_000 }, (_, index) => (index * 11) >> 4);
  db.putSync('by itself', value);
  db.transactSync((tx) => tx.put('in a transaction', value));
  const check = (store: typeof db): void => {
    for (const key of ['by itself', 'in a transaction']) expect(Buffer.compare(store.get(key) as Uint8Array, value), key).toBe(0);
  };
  check(db);
  await db.close();
  const again = openStore(new MemoryDevice(device.bytes()), OPTIONS, 2);
  check(again);
  await again.close();
});
