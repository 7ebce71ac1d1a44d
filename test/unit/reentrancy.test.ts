/** Code of the caller's that runs while a value or a key is encoded: it may read, and whatever else it does, it cannot reach the log. */
import { tracingChannel } from 'node:diagnostics_channel';
import { expect, test } from 'vitest';
import { MemoryDevice } from '../../src/device/memory.js';
import { ClosedError, InvalidArgumentError } from '../../src/errors.js';
import type { Key, KeyCodec, Store, ValueCodec } from '../../src/index.js';
import { openPaged, openStore } from '../support/stores.js';

function storeOf(options = {}): Store {
  return openStore(new MemoryDevice(), { durability: 'relaxed', segmentSize: 4096, ...options }, 1, true);
}

/** A value with a getter that does something when it is encoded. */
function acting(action: () => unknown): object {
  return {
    get field(): number {
      action();
      return 1;
    },
  };
}

test('a getter may write while a put encodes it: both writes are whole', async () => {
  const db = storeOf();
  db.putSync('outer', acting(() => db.putSync('inner', { a: 'b'.repeat(300) })));
  expect(db.get('outer')).toEqual({ field: 1 });
  expect(db.get('inner')).toEqual({ a: 'b'.repeat(300) });
  await db.close();
});

test('while a batch is encoded, reads are served, and everything else is refused and leaves nothing', async () => {
  const db = storeOf();
  db.putSync('before', 1);
  const snapshot = db.snapshot();
  const tx = db.begin();
  tx.put('of the transaction', 1);
  const version = db.putSync('version', 1);
  const seen: unknown[] = [];
  const refused = (action: () => unknown): void => expect(action, String(action)).toThrow(InvalidArgumentError);
  db.batchSync([
    { type: 'put', key: 'first', value: 'x'.repeat(10_000) },
    {
      type: 'put', key: 'second',
      value: acting(() => {
        // A value is encoded more than once where its size is not known.
        if (seen.length > 0) return;
        seen.push(db.get('before'), db.get('first'), [...db.keys()], snapshot.get('before'));
        refused(() => db.putSync('inner', 1));
        refused(() => db.deleteSync('before'));
        refused(() => db.casSync('inner', 0, 1));
        refused(() => db.batchSync([]));
        refused(() => tx.commitSync());
        refused(() => db.transactSync((inner) => inner.put('inner', 1)));
        refused(() => db.dropKeyspaceSync('any'));
        snapshot.close();
      }),
    },
    { type: 'put', key: 'third', value: 3 },
  ]);
  expect(seen).toEqual([1, undefined, ['before', 'version'], 1]);
  expect([...db.keys()]).toEqual(['before', 'first', 'second', 'third', 'version']);
  expect(db.getEntry('third')!.version).toBe(version + 1);
  const waiting: Promise<unknown>[] = [];
  const watcher = db.watch();
  let next: Promise<IteratorResult<{ version: number }>> | undefined;
  const last = db.batchSync([{
    type: 'put', key: 'fourth',
    value: acting(() => {
      if (next === undefined) waiting.push(db.flush(), db.verify());
      next ??= watcher.next();
    }),
  }]);
  for (const promise of waiting) await expect(promise).rejects.toThrow(InvalidArgumentError);
  expect((await next)!.value.version).toBe(last);
  await db.verify();
  await db.close();
});

test('an exception out of a getter takes the whole batch back', async () => {
  const db = storeOf();
  const failure = new Error('out of the getter');
  expect(() => db.batchSync([{ type: 'put', key: 'first', value: new Uint8Array(9000) }, { type: 'put', key: 'second', value: acting(() => { throw failure; }) }])).toThrow(failure);
  expect([...db.keys()]).toEqual([]);
  db.putSync('goes on', 1);
  await db.verify();
  await db.close();
});

test('a store that is closed while a batch is encoded finishes the batch first', async () => {
  const device = new MemoryDevice();
  const db = openStore(device, { durability: 'relaxed', segmentSize: 4096 });
  let closing: Promise<void> | undefined;
  db.batchSync([{ type: 'put', key: 'a', value: acting(() => { closing = db.close(); }) }, { type: 'put', key: 'b', value: 2 }]);
  await closing;
  expect(() => db.get('a')).toThrow(/closed/);
});

test('a key codec that writes to the store cannot break the write that it is asked for', async () => {
  const db = storeOf();
  let depth = 0;
  const keys: KeyCodec<string> = {
    toKey: (key) => {
      if (depth++ === 0) {
        db.putSync(`noted ${key}`, { at: 1 });
        db.get('noted');
      }
      depth--;
      return ['told', key];
    },
    fromKey: (key) => (key as string[])[1]!,
  };
  const names = db.keyspace<unknown, string>('names', { keys });
  names.putSync('a', 'first');
  names.putSync('b', { large: 'x'.repeat(9000) });
  expect(names.casSync('c', 0, 3).ok).toBe(true);
  expect(names.deleteSync('a')).toBeGreaterThan(0);
  db.transactSync((tx) => {
    tx.in(names).put('d', { deep: [1] });
    expect(tx.in(names).get('b')).toEqual({ large: 'x'.repeat(9000) });
  });
  expect([...names.keys()]).toEqual(['b', 'c', 'd']);
  expect(names.get('d')).toEqual({ deep: [1] });
  expect([...db.keys({ prefix: 'noted' })]).toEqual(['noted a', 'noted b', 'noted c', 'noted d']);
  await db.verify();
  await db.close();
});

/** A codec that keeps what it is given and what it returns, and writes into both. */
function rudeCodec(changes: Partial<ValueCodec<string>> = {}): ValueCodec<string> & { kept: Uint8Array[] } {
  const kept: Uint8Array[] = [];
  return {
    name: 'rude',
    kept,
    encode: (value) => {
      const bytes = Uint8Array.from(value, (character) => character.charCodeAt(0));
      kept.push(bytes);
      return bytes;
    },
    decode: (bytes) => {
      const value = String.fromCharCode(...bytes);
      kept.push(bytes);
      new Uint8Array(bytes.buffer).fill(0xee);
      return value;
    },
    ...changes,
  };
}

test('a codec of the caller\'s own never gets hold of the memory of the store', async () => {
  const values = rudeCodec();
  const db = storeOf({ values }) as Store<string>;
  db.putSync('a', 'first');
  expect(db.get('a')).toBe('first');
  db.batchSync([{ type: 'put', key: 'b', value: 'second' }]);
  db.transactSync((tx) => tx.put('c', 'third'));
  expect([...db.values()]).toEqual(['first', 'second', 'third']);
  for (const bytes of values.kept) bytes.fill(0xff);
  expect([...db.values()]).toEqual(['first', 'second', 'third']);
  await db.verify();
  await db.close();
});

test('a codec that does not keep to what codecs promise is refused, and nothing is changed', async () => {
  const detached = new Uint8Array(8);
  structuredClone(detached, { transfer: [detached.buffer] });
  const wrong = ['text', undefined, null, 5, [1], {}, new ArrayBuffer(1), new DataView(new ArrayBuffer(1)), new Uint16Array(1), new Proxy(new Uint8Array(1), {}), Object.create(Uint8Array.prototype), Promise.resolve(new Uint8Array(1)), detached]
    .map((bytes) => ({ encode: () => bytes as Uint8Array }));
  for (const changes of wrong) {
    const db = storeOf({ values: rudeCodec(changes) }) as Store<string>;
    for (const act of [() => db.putSync('a', 'value'), () => db.casSync('a', 0, 'value'), () => db.batchSync([{ type: 'put', key: 'a', value: 'value' }]), () => db.transactSync((tx) => tx.put('a', 'value'))]) {
      expect(act).toThrow(InvalidArgumentError);
      expect(act).toThrow('nothing was changed');
    }
    expect(db.stats()).toMatchObject({ keys: 0, version: 0 });
    await db.verify();
    await db.close();
  }
});

/** A tuple whose second part is what `part` returns, asked for the first time, the second, and so on. */
function tupleOf(part: (time: number) => string, isProxy: boolean): Key {
  let time = 0;
  if (isProxy) return new Proxy(['tuple', ''], { get: (target, name, receiver) => (name === '1' ? part(++time) : Reflect.get(target, name, receiver) as unknown) });
  return Object.defineProperty(['tuple'], 1, { get: () => part(++time), enumerable: true }) as Key;
}

for (const isProxy of [false, true]) {
  test(`a tuple that writes to the store while it is encoded, as ${isProxy ? 'a proxy' : 'an accessor'}, cannot break the write that it is the key of`, async () => {
    const db = storeOf();
    const writing = (): Key => tupleOf(() => {
      db.putSync('inner', 'x'.repeat(50));
      db.has('some other key');
      return 'part';
    }, isProxy);
    db.putSync(writing(), 'outer');
    expect(db.get('inner')).toBe('x'.repeat(50));
    expect(db.get(writing())).toBe('outer');
    expect(db.casSync(writing(), 0, 1).ok).toBe(false);
    expect([...db.keys({ prefix: writing() })]).toEqual([['tuple', 'part']]);
    db.transactSync((tx) => tx.put(writing(), { a: tx.get(writing()) }));
    expect(db.get(['tuple', 'part'])).toEqual({ a: 'outer' });
    expect(db.deleteSync(writing())).toBeGreaterThan(0);
    expect([...db.keys()]).toEqual(['inner']);
    await db.verify();
    await db.close();
  });

  test(`a tuple that answers with more than before, as ${isProxy ? 'a proxy' : 'an accessor'}, is taken as it was asked first`, async () => {
    const db = storeOf();
    const growing = (): Key => tupleOf((time) => (time === 1 ? 'part' : 'y'.repeat(5000)), isProxy);
    db.putSync(growing(), 'first');
    expect(db.get(growing())).toBe('first');
    db.batchSync([{ type: 'put', key: ['other'], value: 'second' }, { type: 'delete', key: growing() }]);
    db.transactSync((tx) => tx.put(growing(), 'third'));
    expect([...db.scan()].map(({ key, value }) => [key, value])).toEqual([[['other'], 'second'], [['tuple', 'part'], 'third']]);
    expect([...db.keys({ gte: growing() })]).toEqual([['tuple', 'part']]);
    await db.verify();
    await db.close();
  });
}

test('bytes are what the platform copies, whatever they call their length', async () => {
  const db = storeOf();
  for (const claimed of [0, 3, 100_000]) {
    class Odd extends Uint8Array {
      override get length(): number {
        return claimed;
      }
    }
    const odd = new Odd([1, 2, 3, 4, 5]);
    db.putSync('value', odd);
    db.batchSync([{ type: 'put', key: odd, value: 'key' }]);
    db.transactSync((tx) => tx.put(['a', odd], odd));
    expect([...db.scan()].map(({ key, value }) => [key, value])).toEqual([
      ['value', new Uint8Array([1, 2, 3, 4, 5])], [new Uint8Array([1, 2, 3, 4, 5]), 'key'], [['a', new Uint8Array([1, 2, 3, 4, 5])], new Uint8Array([1, 2, 3, 4, 5])]]);
    await db.verify();
  }
  await db.close();
});

test('what only looks like bytes is refused, and none of its code runs while anything is written', async () => {
  const db = storeOf();
  const like = Object.create(Uint8Array.prototype, { length: { value: 1 }, 0: { get: () => db.putSync('inner', 1) } }) as Uint8Array;
  for (const value of [like, new Proxy(new Uint8Array(3), { get: (target, name) => (name === 'length' ? 3 : Reflect.get(target, name) as unknown) })]) {
    expect(() => db.putSync('a', value)).toThrow(InvalidArgumentError);
    expect(() => db.putSync(value, 1)).toThrow(InvalidArgumentError);
    expect(() => db.batchSync([{ type: 'put', key: 'a', value }])).toThrow(InvalidArgumentError);
    expect(() => db.transactSync((tx) => tx.put('a', value))).toThrow(InvalidArgumentError);
  }
  expect([...db.keys()]).toEqual([]);
  await db.verify();
  await db.close();
});

test('bytes that a key codec lengthens while their key is told are taken as they then are, and those it transfers away are refused', async () => {
  const db = storeOf();
  const make = ArrayBuffer as unknown as new (size: number, options: { maxByteLength: number }) => ArrayBuffer & { resize(size: number): void };
  let tell = (): void => undefined;
  const space = db.keyspace<Uint8Array, string>('space', { keys: { toKey: (key) => (tell(), key), fromKey: (key) => key as string } });
  const writers = [(value: Uint8Array) => space.putSync('a', value), (value: Uint8Array) => space.casSync('a', space.getEntry('a')!.version, value),
    (value: Uint8Array) => space.batchSync([{ type: 'put', key: 'a', value }]), (value: Uint8Array) => db.transactSync((tx) => tx.in(space).put('a', value))];
  for (const write of writers) {
    const buffer = new make(8, { maxByteLength: 3000 });
    tell = () => buffer.resize(3000);
    write(new Uint8Array(buffer));
    expect(space.get('a')).toEqual(new Uint8Array(3000));
    const gone = new Uint8Array(8);
    tell = () => gone.byteLength > 0 && void structuredClone(gone.buffer, { transfer: [gone.buffer] });
    expect(() => write(gone)).toThrow(InvalidArgumentError);
    expect(() => write({ gone } as never)).toThrow(InvalidArgumentError);
    expect(() => db.has(gone)).toThrow(InvalidArgumentError);
    expect(space.get('a')).toEqual(new Uint8Array(3000));
  }
  await db.verify();
  await db.close();
});

test('a getter that answers with bytes where it first did not is refused, instead of stored as what cannot be read', async () => {
  const db = storeOf();
  let time = 0;
  const value = { get field(): unknown { return time++ === 0 ? 1 : new Uint8Array(2); } };
  expect(() => db.putSync('a', value)).toThrow(InvalidArgumentError);
  expect(db.has('a')).toBe(false);
  await db.close();
});

test('a transaction that is ended by what it encodes says so, and touches nothing that was given back', async () => {
  const db = storeOf();
  const ends = [(tx: { abort(): void; commitSync(): number }) => tx.abort(), (tx: { abort(): void; commitSync(): number }) => void tx.commitSync()];
  for (const end of ends) {
    let tell = (): void => undefined;
    const space = db.keyspace<unknown, string>('space', { keys: { toKey: (key) => (tell(), key), fromKey: (key) => key as string } });
    for (const act of ['get', 'put', 'delete'] as const) {
      const tx = db.begin();
      tell = () => end(tx);
      expect(() => (act === 'put' ? tx.in(space).put('a', 1) : tx.in(space)[act]('a')), act).toThrow(ClosedError);
      tell = () => undefined;
    }
    const tx = db.begin();
    expect(() => tx.put('a', acting(() => tx.isOpen && end(tx)))).toThrow(ClosedError);
  }
  expect([...db.keys()]).toEqual([]);
  await db.verify();
  await db.close();
});

test('a watch whose codecs read the store shows each write as it was made, and one that they end says so', async () => {
  const db = storeOf();
  const names = db.keyspace<string, number>('names');
  names.putSync(1, 'one');
  names.putSync(2, 'two');
  let tell = (): void => undefined;
  const keys: KeyCodec<string> = { toKey: (key) => (key === 'one' ? 1 : 2), fromKey: (key) => (tell(), names.get(key as number)!) };
  const space = db.keyspace<string, string>('space', { keys });
  const watcher = space.watch();
  const version = db.batchSync([{ type: 'put', keyspace: space, key: 'one', value: 'first' }, { type: 'put', keyspace: space, key: 'two', value: 'second' }]);
  const { changes } = (await watcher.next()).value!;
  expect(changes.map(({ key, value, version: of }) => [key, value, of])).toEqual([['one', 'first', version], ['two', 'second', version]]);
  space.putSync('one', 'third');
  tell = () => void watcher.return();
  await expect(watcher.next()).rejects.toThrow(ClosedError);
  tell = () => undefined;
  expect(await watcher.next()).toEqual({ done: true, value: undefined });
  expect(db.stats().views.watches.open).toBe(0);
  await db.verify();
  await db.close();
});

test('a listener that is told of a flush in the middle of a write may read, and not write', async () => {
  const device = new MemoryDevice();
  await openStore(device, { durability: 'relaxed' }).close();
  const db = openStore(new MemoryDevice(device.bytes()), { durability: 'relaxed', flushInterval: 3_600_000 });
  const told: unknown[] = [];
  const listener = {
    start: () => {
      try {
        told.push(db.get('key 0'));
        told.push(db.putSync('noted', { by: 'listener', pad: 'x'.repeat(30) }));
      } catch (error) {
        told.push(error);
      }
    },
    end: () => undefined, asyncStart: () => undefined, asyncEnd: () => undefined, error: () => undefined,
  };
  const channel = tracingChannel('varve:flush');
  channel.subscribe(listener);
  try {
    // The first version that a store issues once it is open again has to be promised in a superblock before.
    for (let index = 0; index < 300; index++) db.putSync(`key ${index}`, { index, pad: 'y'.repeat(30) });
  } finally {
    channel.unsubscribe(listener);
  }
  expect(told.slice(0, 2)).toEqual([undefined, expect.any(InvalidArgumentError)]);
  for (let index = 0; index < 300; index++) expect(db.get(`key ${index}`)).toEqual({ index, pad: 'y'.repeat(30) });
  expect(db.has('noted')).toBe(false);
  await db.verify();
  await db.close();
});

test('a listener that reads where it is told of a flush that a store makes because its memory is full changes nothing of what a lookup has found', async () => {
  const options = { durability: 'relaxed', segmentSize: 4096, flushInterval: 3_600_000, values: 'bytes', compaction: false } as const;
  const db = openPaged(new MemoryDevice(), options) as Store<Uint8Array>;
  const valueOf = (fill: number, size: number): Uint8Array => new Uint8Array(size).fill(fill);
  for (let key = 0; key < 40; key++) db.putSync(key, valueOf(key, 700));
  let told = 0;
  const listener = {
    start: () => {
      told++;
      db.get(0);
    },
    end: () => undefined, asyncStart: () => undefined, asyncEnd: () => undefined, error: () => undefined,
  };
  const channel = tracingChannel('varve:flush');
  channel.subscribe(listener);
  try {
    let version = db.putSync('large', valueOf(1, 9000));
    for (let round = 0; round < 60; round++) {
      for (let count = round % 4; count > 0; count--) db.putSync('new', valueOf(round, 1500));
      for (let count = 0; count < 3; count++) {
        const key = 1 + (round * 7 + count) % 39;
        expect(db.getEntry(key)!.value, `round ${round}`).toEqual(valueOf(key, 700));
      }
      const result = db.casSync('large', version, valueOf(round % 256, 9000));
      expect(result.ok, `round ${round}`).toBe(true);
      version = result.version;
      expect(db.getEntry('large'), `round ${round}`).toEqual({ key: 'large', value: valueOf(round % 256, 9000), version });
    }
  } finally {
    channel.unsubscribe(listener);
  }
  expect(told).toBeGreaterThan(10);
  await db.verify();
  await db.close();
});

test('a cas of a large value holds against what is written while its batch is begun', async () => {
  let act: (() => void) | undefined;
  // The last code that is not the store's before a batch is the clock's, and is asked again when it begins.
  const now = (): number => {
    act?.();
    return 1_700_000_000_000;
  };
  const db = openStore(new MemoryDevice(), { durability: 'relaxed', segmentSize: 4096 }, 1, true, now);
  db.putSync('expiring', 1, { ttl: 1000 });
  for (const calls of [1, 2, 3]) {
    const version = db.putSync('key', 'before');
    let left = calls;
    let written = 0;
    act = () => {
      if (--left !== 0) return;
      act = undefined;
      written = db.putSync('key', 'by another');
    };
    const result = db.casSync('key', version, 'x'.repeat(20_000));
    act = undefined;
    if (written === 0) expect(result.ok, `call ${calls}`).toBe(true);
    else expect([result, db.get('key')], `call ${calls}`).toEqual([{ ok: false, version: written }, 'by another']);
  }
  await db.verify();
  await db.close();
});

/** A function of WebAssembly that traps. */
function trapping(): () => never {
  const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 5, 1, 3, 0, 0, 11]);
  return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports['f'] as () => never;
}

test('code of the caller\'s that is WebAssembly and traps does not stop the store', async () => {
  const trap = trapping();
  let isBroken = false;
  const values = rudeCodec({ encode: () => (isBroken ? trap() : new Uint8Array(5)), decode: () => trap() });
  const db = storeOf({ values }) as Store<string>;
  db.putSync('a', 'value');
  isBroken = true;
  const views = [() => db.get('a'), () => [...db.values()], () => db.putSync('b', 'value'), () => db.batchSync([{ type: 'put', key: 'b', value: 'value' }]), () => db.transactSync((tx) => tx.put('b', 'value')),
    () => db.transactSync((tx) => tx.get('a')), () => [...db.history('a')]];
  for (const act of views) expect(act).toThrow(WebAssembly.RuntimeError);
  await expect(db.import((async function* () { yield trap(); })())).rejects.toThrow(WebAssembly.RuntimeError);
  await expect(db.backup(new WritableStream({ write: () => trap() }))).rejects.toThrow(WebAssembly.RuntimeError);
  expect(db.has('a')).toBe(true);
  expect([...db.keys()]).toEqual(['a']);
  await db.verify();
  await db.close();
});

test('what a codec of keys ends while it is asked is not read any more: a snapshot, a transaction, a scan', async () => {
  const db = storeOf();
  let tell = (): void => undefined;
  const space = db.keyspace<string, number>('space', { keys: { toKey: (key) => (tell(), key), fromKey: (key) => (tell(), key as number) } });
  for (let key = 0; key < 40; key++) space.putSync(key, `old ${key}`);
  const snapshot = db.snapshot();
  for (let key = 0; key < 40; key++) space.putSync(key, `new ${key}`);
  const reuse = (): void => {
    for (let key = 0; key < 40; key++) db.putSync(key, 'x'.repeat(100));
    for (const _ of db.scan({ reverse: true })) continue;
  };
  const act = (end: () => void): (() => void) => () => {
    tell = () => undefined;
    end();
    reuse();
  };
  tell = act(() => snapshot.close());
  expect(() => snapshot.in(space).get(1)).toThrow(ClosedError);
  const ends: ((tx: { abort(): void }, scan: { return?(): unknown }) => void)[] = [(tx) => tx.abort(), (_, scan) => void scan.return?.()];
  for (const end of ends) {
    const tx = db.begin();
    const scan = tx.in(space).scan()[Symbol.iterator]();
    expect(scan.next().value).toEqual({ key: 0, value: 'new 0', version: expect.any(Number) as number });
    tell = act(() => end(tx, scan));
    if (end === ends[0]) expect(() => scan.next()).toThrow(ClosedError);
    else expect(scan.next()).toEqual({ done: true, value: undefined });
    tx.abort();
  }
  const view = db.snapshot();
  const scan = view.in(space).scan()[Symbol.iterator]();
  tell = act(() => view.close());
  expect(() => scan.next()).toThrow(ClosedError);
  expect(db.stats().views.scans.open).toBe(0);
  await db.verify();
  await db.close();
});
