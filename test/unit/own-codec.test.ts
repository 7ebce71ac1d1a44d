/** Codecs of the program's own: what they write is there again wherever it goes, no other codec takes it for its own, and whatever they do, nothing is changed that should not be. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { MemoryDevice } from '../../src/device/memory.js';
import { ClosedError, CorruptionError, InvalidArgumentError, TooLargeError, open, restore, salvage, verify, type CodecName, type Key, type KeyspaceOptions, type Store, type ValueCodec } from '../../src/index.js';
import { open as openShared } from '../../src/page/open-shared.js';
import { PageOfStore } from '../support/page.js';
import { openStore } from '../support/stores.js';

const folder = mkdtempSync(join(tmpdir(), 'varve-own-codec-'));
afterAll(() => rmSync(folder, { recursive: true }));
let number = 0;
const newPath = (): string => join(folder, `${number++}.varve`);

class Point {
  constructor(readonly x: number, readonly y: number) {}
}

/** A codec that always returns the same bytes, and keeps what it decodes from. */
function pointCodec(): ValueCodec<Point> & { encoded: number } {
  const view = new DataView(new ArrayBuffer(16));
  const bytes = new Uint8Array(view.buffer);
  return {
    name: 'points',
    encoded: 0,
    encode(point) {
      this.encoded++;
      view.setFloat64(0, point.x);
      view.setFloat64(8, point.y);
      return bytes;
    },
    decode(own) {
      const { buffer, byteOffset, byteLength } = own;
      const read = new DataView(buffer, byteOffset, byteLength);
      const point = new Point(read.getFloat64(0), read.getFloat64(8));
      new Uint8Array(buffer).fill(0xff);
      return point;
    },
  };
}

const TEXTS: ValueCodec<string> = { encode: (value) => new TextEncoder().encode(value), decode: (bytes) => new TextDecoder().decode(bytes) };

function storeOf(options = {}, device = new MemoryDevice()): Store {
  return openStore(device, { durability: 'relaxed', segmentSize: 4096, history: 'all', ...options }, 1, true);
}

test('what a codec of one\'s own writes is there again, in the store and in a keyspace, wherever it is read, and after a reopen; each write asks it once', async () => {
  const device = new MemoryDevice();
  const values = pointCodec();
  const ofSpace = pointCodec();
  const db = storeOf({ values }, device) as Store<Point>;
  const space = db.keyspace('space', { values: ofSpace });
  const inherited = db.keyspace<Point>('inherited');
  const at = (index: number): Point => new Point(index, -index / 3);
  const watcher = db.watch(undefined, { since: 0 });
  await db.put('a', at(0));
  db.putSync('a', at(1), { ttl: 60_000 });
  expect(db.casSync('b', 0, at(2)).ok).toBe(true);
  expect(db.casSync('b', 0, at(9)).ok).toBe(false);
  db.batchSync([{ type: 'put', key: 'c', value: at(3) }, { type: 'put', key: 'd', value: at(4) }, { type: 'put', keyspace: space, key: 's', value: at(5) }]);
  db.transactSync((tx) => {
    tx.put('e', at(6));
    tx.in(space).put('t', at(7));
    tx.in(inherited).put('i', at(8));
    expect([tx.get('e'), tx.in(space).get('t'), tx.in(space).get('s')]).toEqual([at(6), at(7), at(5)]);
  });
  expect([values.encoded, ofSpace.encoded]).toEqual([8, 2]);
  const check = (store: Store<Point>): void => {
    const found = store.keyspace('space', { values: pointCodec() });
    expect(store.get('a')).toEqual(at(1));
    expect(store.get('a')).toBeInstanceOf(Point);
    expect(store.getEntry('b')).toMatchObject({ value: at(2) });
    expect([...store.values()]).toEqual([1, 2, 3, 4, 6].map(at));
    expect([...store.scan({ gt: 'c' })].map(({ value }) => value)).toEqual([4, 6].map(at));
    expect([...found.scan()].map(({ key, value }) => [key, value])).toEqual([['s', at(5)], ['t', at(7)]]);
    expect(store.keyspace('inherited').get('i')).toEqual(at(8));
    expect([...store.history('a')].map(({ value }) => value)).toEqual([at(1), at(0)]);
    const snapshot = store.snapshot();
    expect([snapshot.get('c'), snapshot.in(found).get('s')]).toEqual([at(3), at(5)]);
    snapshot.close();
    const target = new Uint8Array(16);
    expect(store.getInto('c', target)).toBe(16);
    expect(new DataView(target.buffer).getFloat64(0)).toBe(3);
  };
  check(db);
  const first = await watcher.next();
  expect(first.value!.changes).toMatchObject([{ key: 'a', value: at(0) }]);
  await watcher.return!();
  await db.verify();
  await db.close();
  const again = storeOf({ values: pointCodec() }, new MemoryDevice(device.bytes())) as Store<Point>;
  check(again);
  await again.verify();
  await again.close();
});

test('of every size, also where a value goes in parts and where the log is full', async () => {
  const db = storeOf({ values: TEXTS, buffers: 'own' }) as Store<string>;
  const sizes = [0, 1, 7, 127, 128, 500, 4000, 4096, 9000, 70_000];
  for (const size of sizes) db.putSync(size, 'x'.repeat(size));
  await db.batch(sizes.map((size) => ({ type: 'put', key: ['batch', size], value: 'y'.repeat(size) })));
  db.transactSync((tx) => sizes.forEach((size) => tx.put(['tx', size], 'z'.repeat(size))));
  for (const size of sizes) expect([db.get(size), db.get(['batch', size]), db.get(['tx', size])]).toEqual(['x', 'y', 'z'].map((letter) => letter.repeat(size)));
  expect([...db.values({ prefix: ['tx'] })].map(({ length }) => length)).toEqual(sizes);
  await db.compact();
  for (const size of sizes) expect(db.get(size)).toBe('x'.repeat(size));
  await db.verify();
  await db.close();
});

test('what it wrote is no other codec\'s, and it reads nothing that others wrote: the error names who did', async () => {
  const device = new MemoryDevice();
  const db = storeOf({ values: TEXTS }, device) as Store<string>;
  db.putSync('own', 'text');
  for (const [values, value] of [['default', 1], ['bytes', new Uint8Array(1)], ['utf8', 'a'], ['json', {}], ['msgpack', {}]] as const) db.keyspace<unknown>('others', { values }).putSync(values, value);
  const refusal = (reader: string, writer: string): InvalidArgumentError => new InvalidArgumentError(`The codec '${reader}' cannot read a value that was written with ${writer}: use the codec that wrote it.`);
  for (const values of ['default', 'bytes', 'utf8', 'json', 'msgpack'] as const) {
    expect(() => db.keyspace('others').get(values)).toThrow(refusal('own', `'${values}'`));
    expect(() => db.keyspace('others', { values: { ...TEXTS, name: 'texts' } }).get(values)).toThrow(refusal('texts', `'${values}'`));
  }
  expect(() => [...db.keyspace('others').values()]).toThrow(refusal('own', "'bytes'"));
  await db.import((async function* () { yield '{"key":"later","kind":9,"value":{"$bytes":""}}\n'; })());
  expect(() => db.get('later')).toThrow(CorruptionError);
  await db.close();
  for (const values of ['default', 'bytes', 'utf8', 'json', 'msgpack'] as const) {
    const other = storeOf({ values }, new MemoryDevice(device.bytes()));
    expect(() => other.get('own')).toThrow(refusal(values, "a codec of the program's own"));
    expect(other.keyspace('a', { values: TEXTS }).get('own')).toBeUndefined();
    await other.verify();
    await other.close();
  }
});

/** Options that `keyspace` refuses; `open` has the codecs among them too. */
const WRONG: readonly KeyspaceOptions<unknown, Key, unknown>[] = [
  ...['nope', '', 'toString', 5, true, null, {}, [], () => 1, { encode: TEXTS.encode }, { decode: TEXTS.decode }, { encode: 1, decode: 2 }, { ...TEXTS, name: 5 }, { name: 'old', bound: () => -1, write: () => 0, toBytes: () => 0, read: () => 0 }]
    .map((values) => ({ values: values as unknown as CodecName })),
  ...[null, 5, {}, { toKey: () => 1 }, { fromKey: () => 1 }].map((keys) => ({ keys: keys as never })),
  ...[null, 5, {}, { '~standard': {} }, { '~standard': { validate: 1 } }].map((schema) => ({ schema: schema as never })),
  null as never, 5 as never,
];

test('what is no codec is refused: by keyspace, in a page as well, and by open, which makes no file then', async () => {
  const db = storeOf();
  const page = await PageOfStore.open();
  for (const options of WRONG) {
    expect(() => db.keyspace('a', options), JSON.stringify(options)).toThrow(InvalidArgumentError);
    expect(() => page.keyspace('a', options), JSON.stringify(options)).toThrow(InvalidArgumentError);
    if (typeof options?.values === 'undefined') continue;
    const { values } = options;
    const path = newPath();
    await expect(open(path, { values }), JSON.stringify(options)).rejects.toThrow(InvalidArgumentError);
    expect(existsSync(path), 'nothing was made').toBe(false);
    await expect(open(':memory:', { values })).rejects.toThrow(InvalidArgumentError);
    await expect(openShared(path, { values })).rejects.toThrow(InvalidArgumentError);
  }
  for (const name of [5, undefined, null, {}, ''] as never[]) {
    expect(() => db.keyspace(name)).toThrow(InvalidArgumentError);
    expect(() => page.keyspace(name)).toThrow(InvalidArgumentError);
  }
  await db.close();
});

test('a class with the two functions is a codec', async () => {
  class Hex {
    static encode(value: string): Uint8Array {
      return Uint8Array.from(value.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
    }

    static decode(bytes: Uint8Array): string {
      return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    }
  }
  const db = storeOf();
  const hex = db.keyspace('hex', { values: Hex });
  hex.putSync('a', '00ff10');
  expect(hex.get('a')).toBe('00ff10');
  expect(hex.getInto('a', new Uint8Array(3))).toBe(3);
  expect(() => db.keyspace('hex', { values: 'utf8' }).get('a')).toThrow("a codec of the program's own");
  await db.close();
});

test('what it throws comes out as it is, and nothing was changed', async () => {
  for (const thrown of [new Error('its own'), new RangeError('Invalid array length'), new CorruptionError('its own'), 'a text', undefined]) {
    let isBroken = false;
    const values: ValueCodec<string> = {
      encode: (value) => {
        if (isBroken) throw thrown;
        return TEXTS.encode(value);
      },
      decode: () => {
        throw thrown;
      },
    };
    const db = storeOf({ values }) as Store<string>;
    db.putSync('a', 'before');
    isBroken = true;
    const { version } = db.stats();
    const caught = async (act: () => unknown): Promise<unknown> => {
      try {
        await act();
      } catch (error) {
        return [error];
      }
      return 'nothing was thrown';
    };
    const acts = [
      () => db.putSync('a', 'b'), () => db.put('a', 'b'), () => db.casSync('a', version, 'b'), () => db.batchSync([{ type: 'delete', key: 'a' }, { type: 'put', key: 'b', value: 'b' }]), () => db.transactSync((tx) => tx.put('a', 'b')),
      () => db.get('a'), () => db.getEntry('a'), () => [...db.values()], () => [...db.history('a')], () => db.transactSync((tx) => tx.get('a')), () => db.snapshot().get('a'),
    ];
    for (const act of acts) expect(await caught(act), String(act)).toEqual([thrown]);
    expect(db.stats()).toMatchObject({ keys: 1, version });
    await db.verify();
    await db.close();
  }
});

test('what it does to the store while it is asked keeps every write whole', async () => {
  const device = new MemoryDevice();
  const inner: (() => unknown)[] = [];
  const values: ValueCodec<string> = {
    encode: (value) => {
      inner.pop()?.();
      return TEXTS.encode(value);
    },
    decode: (bytes) => {
      inner.pop()?.();
      return TEXTS.decode(bytes);
    },
  };
  const db = storeOf({ values }, device) as Store<string>;
  inner.push(() => db.putSync('inner', 'i'.repeat(3000)));
  db.putSync('outer', 'o'.repeat(2000));
  inner.push(() => db.putSync('outer', 'of the read'));
  expect(db.get('outer')).toBe('o'.repeat(2000));
  inner.push(() => db.deleteSync('inner'));
  expect([...db.values()]).toEqual(['i'.repeat(3000), 'of the read']);
  expect([...db.keys()]).toEqual(['outer']);
  inner.push(() => db.putSync('refused', ''));
  expect(() => db.batchSync([{ type: 'put', key: 'x', value: '' }])).toThrow(InvalidArgumentError);
  const tx = db.begin();
  inner.push(() => tx.put('within', 'inner'));
  tx.put('within', 'outer');
  expect(tx.get('within')).toBe('outer');
  inner.push(() => tx.abort());
  expect(() => tx.put('x', 'y')).toThrow(ClosedError);
  expect(db.has('x')).toBe(false);
  let closing: Promise<void> | undefined;
  inner.push(() => (closing = db.close()));
  expect(db.putSync('last', 'within close')).toBeGreaterThan(0);
  await closing;
  const again = storeOf({ values }, new MemoryDevice(device.bytes()));
  expect([...again.scan()].map(({ key, value }) => [key, value])).toEqual([['last', 'within close'], ['outer', 'of the read']]);
  await again.verify();
  await again.close();
});

test('bytes of any kind that the platform copies are taken, however they call their length', async () => {
  class Odd extends Uint8Array {
    override get length(): number {
      return 100_000;
    }

    static get [Symbol.species](): never {
      throw new Error('nobody asks for it');
    }

    override slice(): never {
      throw new Error('nobody asks for it');
    }
  }
  const shared = new Uint8Array(new SharedArrayBuffer(5));
  shared.set([1, 2, 3, 4, 5]);
  const own = Object.defineProperty(new Uint8Array([1, 2, 3, 4, 5]), 'length', { value: 0 });
  const given = [new Odd([1, 2, 3, 4, 5]), Buffer.from([1, 2, 3, 4, 5]), shared, own, new Uint8Array([0, 1, 2, 3, 4, 5, 6]).subarray(1, 6)];
  const db = storeOf({ values: { encode: (index: unknown) => given[index as number]!, decode: (bytes: Uint8Array) => [...bytes] } });
  for (const index of given.keys()) {
    db.putSync(index, index);
    db.batchSync([{ type: 'put', key: ['batch', index], value: index }]);
    db.transactSync((tx) => tx.put(['tx', index], index));
    for (const key of [index, ['batch', index], ['tx', index]]) expect(db.get(key), String(key)).toEqual([1, 2, 3, 4, 5]);
  }
  await db.verify();
  await db.close();
});

test('a value that is too large is refused as any other', async () => {
  const large = new Uint8Array(2 ** 28 + 1);
  const db = storeOf({ values: { encode: () => large, decode: () => 1 } });
  for (const act of [() => db.putSync('a', 1), () => db.batchSync([{ type: 'put', key: 'a', value: 1 }]), () => db.transactSync((tx) => tx.put('a', 1))]) expect(act).toThrow(TooLargeError);
  expect(db.stats().keys).toBe(0);
  await db.close();
});

test('backups, restored stores, salvaged ones and those that were looked through hold what it wrote', async () => {
  const paths = [newPath(), newPath(), newPath(), newPath()] as const;
  const db = await open<string>(paths[0], { values: TEXTS, durability: 'relaxed', segmentSize: 4096 });
  const value = (index: number): string => `value ${index} `.repeat(index);
  for (let index = 0; index < 900; index += 9) db.putSync(index, value(index));
  await db.backup(paths[1]);
  await db.close();
  await restore(paths[1], paths[2]);
  await salvage(paths[0], paths[3]);
  for (const path of paths) {
    expect(await verify(path)).toMatchObject({ ok: true });
    const copy = await open<string>(path, { values: TEXTS });
    for (let index = 0; index < 900; index += 9) expect(copy.get(index)).toBe(value(index));
    await copy.verify();
    await copy.close();
  }
});

test('a page encodes and decodes with it, and the store of its worker keeps what it wrote', async () => {
  const page = await PageOfStore.open();
  const points = pointCodec();
  const space = page.keyspace('points', { values: points });
  await space.put('a', new Point(1, 2));
  await page.db.batch([{ type: 'put', keyspace: space, key: 'b', value: new Point(3, 4) }]);
  expect(points.encoded).toBe(2);
  expect(await space.get('a')).toEqual(new Point(1, 2));
  const found: unknown[] = [];
  for await (const { value } of space.scan()) found.push(value);
  expect(found).toEqual([new Point(1, 2), new Point(3, 4)]);
  await expect(page.keyspace('points').get('a')).rejects.toThrow("The codec 'default' cannot read a value that was written with a codec of the program's own");
  const thrown = new Error('its own');
  const broken = page.keyspace('points', { values: { encode: () => 'text' as never, decode: (): unknown => { throw thrown; } } });
  await expect(broken.put('a', 1)).rejects.toThrow(InvalidArgumentError);
  await expect(broken.get('a')).rejects.toBe(thrown);
  expect(await space.get('a')).toEqual(new Point(1, 2));
});
