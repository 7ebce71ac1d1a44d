/** Keys that look like something else, to a store and through a reopening: names of the prototype, halves of pairs, zeros, texts that only look alike, texts that look like numbers (F-74). */
import { expect, test } from 'vitest';
import { MemoryDevice } from '../../src/device/memory.js';
import type { Store } from '../../src/store.js';
import { openStore } from '../support/stores.js';

const NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'prototype', 'length', 'then', 'toJSON'];
const ALIKE = ['', '\0', '\0\0', ' ', '\ud800', '\udc00', '\udc00\ud800', '\ufffd', '\u{10000}', '\u00e9', 'e\u0301', 'A', 'a', '1', '01', '1.0', '-0', '0', '1e3', '1000', 'NaN', 'null', 'undefined', 'true'];
const KEYS: readonly Parameters<Store['get']>[0][] = [
  ...NAMES, ...ALIKE, ...NAMES.map((name) => [name] as const), ['\0'], ['\0', ''], ['', '\0'], 0, 1, 1000, 1n << 64n, true, null, new TextEncoder().encode('a'), new Uint8Array(0), new Uint8Array([0]), [], [[]], [null],
];

function expectAll(db: Store): void {
  for (const [index, key] of KEYS.entries()) expect(db.get(key), `key ${index}`).toBe(index);
  expect(db.count()).toBe(KEYS.length);
  const found = [...db.scan()];
  expect(found.map(({ value }) => value as number).sort((one, other) => one - other)).toEqual(KEYS.map((_, index) => index));
  for (const { key, value } of found) expect(key).toEqual(KEYS[value as number]);
}

test('each is a key of its own, comes back as it was, and leaves every other alone (F-74)', async () => {
  const device = new MemoryDevice();
  const db = openStore(device, { segmentSize: 4096, durability: 'relaxed' }, 1, true);
  for (const [index, key] of KEYS.entries()) db.putSync(key, index);
  expectAll(db);
  await db.close();
  const again = openStore(new MemoryDevice(device.bytes()), {}, 2, true);
  expectAll(again);
  for (const [index, key] of KEYS.entries()) {
    expect(again.deleteSync(key)).toBeGreaterThan(0);
    expect(again.count()).toBe(KEYS.length - index - 1);
  }
  await again.close();
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  expect(Object.keys(Object.prototype)).toEqual([]);
});

test('bytes are taken when a call is made: what happens to them afterwards changes nothing (F-74)', async () => {
  const db = openStore(new MemoryDevice(), { durability: 'strict' });
  const key = new Uint8Array([1, 2, 3]);
  const value = new Uint8Array([4, 5, 6]);
  const shared = new Uint8Array(new SharedArrayBuffer(3)).fill(9);
  const first = db.put(key, value);
  const second = db.put('shared', shared);
  key.fill(0);
  value.fill(0);
  shared.fill(0);
  await Promise.all([first, second]);
  expect([db.get(new Uint8Array([1, 2, 3])), db.get('shared'), db.has(key)]).toEqual([new Uint8Array([4, 5, 6]), new Uint8Array([9, 9, 9]), false]);
  await db.close();
});
