/** Keys and values of every type and size through a store and back, also after it was opened again. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { open, type Key, type ValueCodec } from '../../src/index.js';
import { MemoryDevice } from '../../src/device/memory.js';
import { Random } from '../support/random.js';
import { openStore } from '../support/stores.js';

const folder = mkdtempSync(join(tmpdir(), 'varve-values-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const KEYS: readonly Key[] = [
  null, false, true, 0, 1, -1, 1.5, -1e300, Number.MAX_VALUE, Number.MIN_VALUE, Infinity, -Infinity, 0n, 1n, -1n, 2n ** 64n, -(2n ** 64n), 2n ** 200n + 1n, -(2n ** 1500n), '', 'a', 'ab', 'ä', '€', '😀', '\0', 'a\0b',
  '\ud800', 'x\udfff', 'a'.repeat(65_536), 'long '.repeat(200), new Uint8Array(0), new Uint8Array([0]), new Uint8Array([255, 0, 1]), new Uint8Array(65_536).fill(7), [], [[]], [[], []], [''], ['', ''], ['a', 1, null, [true, [2n]]], ['a\0', 'b'], ['a', '\0b'],
  [new Uint8Array([1, 0]), 'tail'],
];

const VALUES: readonly unknown[] = [
  null, true, false, 0, -0, 1.5, Number.NaN, Infinity, 5n, -(2n ** 90n), '', 'text', 'ä€😀', '\ud800', 'a'.repeat(100_000), new Uint8Array(0), new Uint8Array([1, 2, 3]), new Float64Array([1.5, -0]), new BigInt64Array([1n]),
  new Date(86_400_000), [], [1, [2, [3]], undefined, null], {}, { a: 1, b: { c: ['x'] }, undefined }, new Map<unknown, unknown>([['a', 1], [{ key: 1 }, new Set([1, 'two'])]]), new Set(), /pattern/giu, new ArrayBuffer(5), { ['__proto__']: 1, constructor: 2 },
  new Error('stored'), { date: new Date(0), bytes: new Uint8Array([9]), deep: new Map([[1n, -0]]) },
];

test('every type of key finds its own value, before and after it is opened again', async () => {
  const device = new MemoryDevice();
  const db = openStore(device, {}, 1);
  for (const [index, key] of KEYS.entries()) await db.put(key, index);
  const check = (store: typeof db): void => {
    for (const [index, key] of KEYS.entries()) expect(store.getEntry(key), `key ${index}`).toMatchObject({ value: index });
    expect(store.get(-0)).toBe(KEYS.indexOf(0));
    expect(store.stats().keys).toBe(KEYS.length);
  };
  check(db);
  await db.close();
  const again = openStore(new MemoryDevice(device.bytes()), {}, 2);
  check(again);
  for (const key of KEYS) expect(again.deleteSync(key)).toBeGreaterThan(0);
  expect(again.stats().keys).toBe(0);
  await again.close();
});

test('every type of value comes back as it was', async () => {
  const device = new MemoryDevice();
  const db = openStore(device, {}, 1);
  for (const [index, value] of VALUES.entries()) await db.put(index, value);
  const batch = VALUES.map((value, index) => ({ type: 'put' as const, key: ['batch', index], value }));
  await db.batch(batch);
  await db.transact((tx) => {
    for (const [index, value] of VALUES.entries()) {
      tx.put(['tx', index], value);
      expect(tx.get(['tx', index])).toEqual(value);
    }
  });
  await db.close();
  const again = openStore(new MemoryDevice(device.bytes()), {}, 2);
  for (const [index, value] of VALUES.entries()) {
    for (const key of [index, ['batch', index], ['tx', index]]) {
      expect(again.get(key), `value ${index}`).toEqual(value);
      expect(Object.is(again.get(key), -0)).toBe(Object.is(value, -0));
    }
  }
  await again.close();
});

test('the named codecs, and one of our own', async () => {
  const upper: ValueCodec<string> = {
    name: 'upper', encode: (value) => new TextEncoder().encode(value.toUpperCase()), decode: (bytes) => new TextDecoder().decode(bytes),
  };
  for (const [values, value, expected] of [['bytes', new Uint8Array([1]), new Uint8Array([1])], ['utf8', 'text', 'text'], ['json', { a: [1] }, { a: [1] }], ['msgpack', { a: [1, 'x'] }, { a: [1, 'x'] }], [upper, 'loud', 'LOUD']] as const) {
    const db = await open(':memory:', { values: values as 'default' });
    db.putSync('a', value);
    expect(db.get('a')).toEqual(expected);
    await db.close();
  }
  const db = await open(':memory:', { values: 'bytes' });
  expect(() => db.putSync('a', 'text' as never)).toThrow("The codec 'bytes' takes a Uint8Array");
  await db.close();
});

test('bytes come from shared slabs, or with buffers of their own', async () => {
  for (const [buffers, isShared] of [['pooled', true], ['own', false]] as const) {
    const db = await open(':memory:', { buffers });
    db.putSync('a', new Uint8Array([1, 2]));
    const bytes = db.get('a') as Uint8Array;
    expect(bytes.buffer.byteLength > bytes.length).toBe(isShared);
    try {
      structuredClone(bytes.buffer, { transfer: [bytes.buffer as ArrayBuffer] });
    } catch {
      // Newer runtimes refuse to transfer a shared slab, older ones copy it. Neither takes it away from those who share it.
    }
    expect(bytes.length).toBe(isShared ? 2 : 0);
    await db.close();
  }
});

for (const segmentSize of [4096, 65_536, 262_144]) {
  test(`values of every size around what fits into segments of ${segmentSize}`, async () => {
    const device = new MemoryDevice();
    const options = { segmentSize, values: 'bytes' as const, durability: 'relaxed' as const };
    const db = openStore(device, options, 1);
    const random = new Random(segmentSize);
    const around = [0, 128, segmentSize / 8, segmentSize / 2, segmentSize - 300, segmentSize, segmentSize * 2, segmentSize * 3.5];
    const sizes = around.flatMap((size) => [-9, -8, -1, 0, 1, 7, 8].map((more) => Math.max(0, size + more)));
    const values = new Map(sizes.map((size) => [size, random.bytes(Math.min(size, 2000))]));
    const expected = (size: number): Uint8Array => {
      const value = new Uint8Array(size);
      for (let offset = 0; offset < size; offset += 2000) value.set(values.get(size)!.subarray(0, Math.min(2000, size - offset)), offset);
      return value;
    };
    for (const size of sizes) {
      db.putSync(['put', size], expected(size));
      db.batchSync([{ type: 'put', key: ['batch', size], value: expected(size) }, { type: 'put', key: ['batch', size, 'beside'], value: new Uint8Array(10) }]);
      db.transactSync((tx) => tx.put(['tx', size], expected(size)));
      expect(db.casSync(['put', size], db.getEntry(['put', size])!.version, expected(size)).ok).toBe(true);
    }
    await db.verify();
    await db.close();
    const again = openStore(new MemoryDevice(device.bytes()), options, 2);
    for (const size of sizes) for (const kind of ['put', 'batch', 'tx']) expect(Buffer.from(again.get([kind, size]) as Uint8Array).equals(expected(size)), `${kind} ${size}`).toBe(true);
    await again.verify();
    await again.close();
  });
}

test('a value of 256 MiB', async () => {
  const path = join(folder, 'large.varve');
  const value = new Uint8Array(2 ** 28);
  for (let offset = 0; offset < value.length; offset += 4096) value[offset] = offset / 4096;
  const digest = createHash('sha256').update(value).digest('hex');
  const options = { durability: 'buffered', segmentSize: 1 << 20 } as const;
  const db = await open(path, options);
  const version = await db.put('large', value);
  await db.put('small', 1);
  await db.close();
  const again = await open(path, options);
  const entry = again.getEntry('large');
  expect(entry?.version).toBe(version);
  expect(createHash('sha256').update(entry?.value as Uint8Array).digest('hex')).toBe(digest);
  await again.delete('large');
  expect(again.get('small')).toBe(1);
  await again.close();
});
