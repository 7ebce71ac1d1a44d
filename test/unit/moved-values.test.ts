/** Large values that a scan is about to hand on, while compaction moves their parts, and what lists them, and gives up the segments in which both stood. */
import { expect, test } from 'vitest';
import { MemoryDevice } from '../../src/device/memory.js';
import { openStore } from '../support/stores.js';

const largeOf = (fill: number): Uint8Array => new Uint8Array(9000).map((_, index) => index * 3 + fill);

function nextOf(scan: Iterator<{ key: unknown; value: unknown }>): unknown[] | undefined {
  const { done, value } = scan.next();
  return done === true ? undefined : [value.key, value.value];
}

test('a scan shows large values as they were, wherever compaction has put their parts, also those that were overwritten since (T3, T6, F-05)', async () => {
  const db = openStore(new MemoryDevice(), { segmentSize: 4096, compaction: false, durability: 'relaxed' }, 1, true);
  for (let key = 0; key < 12; key++) {
    db.putSync(`key${String(key).padStart(2, '0')}`, largeOf(key));
    // What is overwritten leaves segments that are half dead.
    for (let count = 0; count < 3; count++) db.putSync('other', new Uint8Array(1500));
  }
  await db.flush();
  const scans = [false, true].map((reverse) => db.scan({ prefix: 'key', reverse })[Symbol.iterator]());
  expect(scans.map(nextOf)).toEqual([['key00', largeOf(0)], ['key11', largeOf(11)]]);
  // These are seen by the scans alone.
  for (const key of ['key03', 'key08']) db.putSync(key, 'new');
  db.deleteSync('key05');
  for (let count = 0; count < 3; count++) {
    await db.compact();
    for (let other = 0; other < 20; other++) db.putSync('other', new Uint8Array(1500));
    await db.flush();
  }
  expect(db.stats().compaction.movedBytes).toBeGreaterThan(50_000);
  const rest = scans.map((scan) => Array.from({ length: 11 }, () => nextOf(scan)));
  expect(scans.map(nextOf)).toEqual([undefined, undefined]);
  const all = Array.from({ length: 12 }, (_, key) => [`key${String(key).padStart(2, '0')}`, largeOf(key)]);
  expect(rest[0]).toEqual(all.slice(1));
  expect(rest[1]).toEqual(all.slice(0, -1).reverse());
  expect([db.get('key03'), db.get('key05'), db.get('key04')]).toEqual(['new', undefined, largeOf(4)]);
  await db.verify();
  await db.close();
});
