/** Keys at the limit of their size, and beyond it: what a key takes is known only when it is encoded, and where it is too long nothing was changed (F-73). */
import { expect, test } from 'vitest';
import { TooLargeError, open } from '../../src/index.js';

const MAX_KEY_SIZE = 0x20000;
/** Three bytes a unit, so that the length of a text allows what its encoding does not. */
const WIDE = '漢';

test('keys of up to 128 KiB are taken, longer ones refused by whatever meets them', async () => {
  const db = await open(':memory:', { segmentSize: 1 << 20 });
  const longest = WIDE.repeat(Math.floor((MAX_KEY_SIZE - 1) / 3)) + 'a';
  db.putSync(longest, 1);
  expect([db.get(longest), db.has(longest), [...db.keys({ gte: WIDE })][0] === longest]).toEqual([1, true, true]);
  db.transactSync((tx) => tx.put(longest, Number(tx.get(longest)) + 1));
  db.batchSync([{ type: 'put', key: [longest.slice(0, -4)], value: 3 }]);
  expect([db.get(longest), db.get([longest.slice(0, -4)])]).toEqual([2, 3]);
  const before = db.stats();
  for (const key of [`${longest}a`, WIDE.repeat(90_000), WIDE.repeat(130_000), 'a'.repeat(MAX_KEY_SIZE), [WIDE.repeat(60_000)]]) {
    const calls: (() => unknown)[] = [
      () => db.putSync(key, 1), () => db.putSync(key, 1, { ttl: 1000 }), () => db.deleteSync(key), () => db.casSync(key, 0, 1), () => db.casSync(key, 1, undefined),
      () => db.get(key), () => db.getEntry(key), () => db.has(key), () => db.getInto(key, new Uint8Array(1)), () => [...db.history(key)],
      () => db.batchSync([{ type: 'put', key: 'beside', value: 1 }, { type: 'put', key, value: 1 }]), () => db.batchSync([{ type: 'delete', key }]),
      () => db.transactSync((tx) => tx.put(key, 1)), () => db.transactSync((tx) => tx.get(key)), () => db.transactSync((tx) => tx.delete(key)),
      () => db.snapshot().get(key),
    ];
    for (const [number, call] of calls.entries()) expect(call, `call ${number}, key of ${key.length}`).toThrow(TooLargeError);
  }
  expect([db.stats().keys, db.stats().version]).toEqual([before.keys, before.version]);
  await db.verify();
  await db.close();
});
