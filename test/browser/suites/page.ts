/** The public API from a page: the same methods as promises, whichever worker has the store. Runs in pages and in workers alike. */
import { describe, expect, test } from 'vitest';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import {
  open, CasError, ClosedError, ConflictError, InvalidArgumentError, LockedError, NotFoundError, PlatformError, ReadOnlyError, SchemaError, TooLargeError, VersionGoneError,
  type Key, type SharedOptions, type SharedStore,
} from '../../../src/browser.js';
import { sameBytes } from '../../support/same-bytes.js';

let fileCount = 0;
const run = Math.random().toString(36).slice(2);
const newPath = (): string => `page/${run}-${fileCount++}.varve`;

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const KINDS: readonly (readonly [string, () => string, SharedOptions])[] = [
  ['in memory', () => ':memory:', {}], ['strict', newPath, { durability: 'strict' }], ['buffered', newPath, { durability: 'buffered' }], ['relaxed', newPath, { durability: 'relaxed' }],
];

describe.each(KINDS)('%s', (_, path, options) => {
  const withStore = async (action: (db: SharedStore) => Promise<void>): Promise<void> => {
    const db = await open(path(), options);
    try {
      await action(db);
      await db.verify();
    } finally {
      await db.close();
    }
  };

  test('puts, gets, deletes; versions rise', () => withStore(async (db) => {
    expect(await db.get('a')).toBeUndefined();
    const first = await db.put('a', 1);
    const second = await db.put('a', { list: [1, 'two', null, 3n], when: new Date(5) });
    expect(second).toBeGreaterThan(first);
    expect(await db.get('a')).toEqual({ list: [1, 'two', null, 3n], when: new Date(5) });
    expect(await db.getEntry('a')).toEqual({ key: 'a', value: { list: [1, 'two', null, 3n], when: new Date(5) }, version: second });
    expect([await db.has('a'), await db.has('b'), await db.getEntry('b')]).toEqual([true, false, undefined]);
    expect(await db.getMany(['b', 'a'])).toEqual([undefined, await db.get('a')]);
    expect(await db.delete('a')).toBeGreaterThan(second);
    expect(await db.delete('a')).toBe(0);
    expect((await db.stats()).keys).toBe(0);
  }));

  test('what is called in one turn takes effect in order', () => withStore(async (db) => {
    const results = await Promise.all([db.put('a', 1), db.get('a'), db.put('a', 2), db.get('a'), db.delete('a'), db.get('a')]);
    expect([results[1], results[3], results[5]]).toEqual([1, 2, undefined]);
  }));

  test('every kind of key, and large values, cross whole', () => withStore(async (db) => {
    const keys: Key[] = [null, true, -0, 1.5, 2n ** 70n, 'text', 'ünï\ud800', Uint8Array.of(0, 1), ['a', 1, [null]]];
    await Promise.all(keys.map((key, index) => db.put(key, index)));
    expect(await db.getMany(keys)).toEqual(keys.map((_, index) => index));
    expect(new Set(await all(db.values()))).toEqual(new Set(keys.map((_, index) => index)));
    const large = new Uint8Array(3_000_000).map((_, index) => index % 251);
    await db.put('large', large);
    expect(sameBytes(await db.get('large'), large)).toBe(true);
    const target = new Uint8Array(10);
    expect([await db.getInto('large', target), await db.getInto('nothing', target)]).toEqual([3_000_000, -1]);
    await db.put('small', Uint8Array.of(1, 2, 3));
    expect([await db.getInto('small', target), ...target.subarray(0, 4)]).toEqual([3, 1, 2, 3, 0]);
  }));

  test('what was put does not change with its source', () => withStore(async (db) => {
    const bytes = Uint8Array.of(1, 2, 3);
    const put = db.put('a', bytes);
    bytes[0] = 9;
    await put;
    expect([...await db.get('a') as Uint8Array]).toEqual([1, 2, 3]);
  }));

  test('cas and batches', () => withStore(async (db) => {
    const made = await db.cas('a', 0, 'made');
    expect(made.ok).toBe(true);
    expect(await db.cas('a', 0, 'again')).toEqual({ ok: false, version: made.version });
    expect((await db.cas('a', made.version, undefined)).ok).toBe(true);
    const people = db.keyspace<{ name: string }>('people');
    const version = await db.batch([{ type: 'put', key: 'b', value: 1 }, { type: 'put', keyspace: people, key: 1, value: { name: 'Ada' } }, { type: 'delete', key: 'b' }]);
    expect(await people.getEntry(1)).toEqual({ key: 1, value: { name: 'Ada' }, version });
    expect([await db.has('b'), await db.has(1), await db.keyspaces()]).toEqual([false, false, ['people']]);
    expect(await db.dropKeyspace('people')).toBeGreaterThan(version);
    expect(await db.keyspaces()).toEqual([]);
  }));

  test('keys that are short texts come out of a scan as they were put, few or many', () => withStore(async (db) => {
    const keys = Array.from({ length: 500 }, (_, index) => `user:${String(index).padStart(4, '0')}`);
    await db.batch(keys.map((key, index) => ({ type: 'put' as const, key, value: index })));
    for (const limit of [1, 3, 4, 5, 100, 500]) {
      const found: unknown[] = [];
      for await (const { key, value } of db.scan({ limit })) found.push([key, value]);
      expect(found).toEqual(keys.slice(0, limit).map((key, index) => [key, index]));
    }
  }));

  test('scans are ordered, stable and lazy, of any length', () => withStore(async (db) => {
    await db.batch(Array.from({ length: 5000 }, (_, index) => ({ type: 'put' as const, key: ['n', index], value: `value ${index} ${'x'.repeat(40)}` })));
    await db.put('other', 1);
    const seen: unknown[] = [];
    for await (const { key, value, version } of db.scan({ prefix: ['n'] })) {
      if (seen.length === 0) await db.delete(['n', 4999]);
      expect(version).toBeGreaterThan(0);
      expect(value).toBe(`value ${seen.length} ${'x'.repeat(40)}`);
      seen.push((key as unknown[])[1]);
    }
    expect(seen).toEqual(Array.from({ length: 5000 }, (_, index) => index));
    expect(await all(db.keys({ prefix: ['n'], reverse: true, limit: 3 }))).toEqual([['n', 4998], ['n', 4997], ['n', 4996]]);
    expect(await all(db.keys({ gt: ['n', 10], lte: ['n', 12] }))).toEqual([['n', 11], ['n', 12]]);
    expect(await all(db.values({ prefix: 'oth' }))).toEqual([1]);
    expect(await db.count()).toBe(5000);
    for await (const key of db.keys()) {
      expect(key).toEqual('other');
      break;
    }
    expect((await db.stats()).snapshots.open).toBe(0);
  }));

  test('snapshots stay as they were; their versions, and reads in keyspaces', () => withStore(async (db) => {
    const space = db.keyspace('space');
    await db.batch([{ type: 'put', key: 'a', value: 1 }, { type: 'put', keyspace: space, key: 'a', value: 2 }]);
    const snapshot = db.snapshot();
    const version = await db.put('a', 3);
    expect(await snapshot.version).toBe(version - 1);
    expect([await snapshot.get('a'), await snapshot.in(space).get('a'), await db.get('a')]).toEqual([1, 2, 3]);
    expect(await all(snapshot.values())).toEqual([1]);
    const again = db.at(await snapshot.version);
    expect(await again.get('a')).toBe(1);
    snapshot.close();
    snapshot.close();
    again.close();
    await expect(snapshot.get('a')).rejects.toBeInstanceOf(ClosedError);
    await expect(db.at(version - 1).get('a')).rejects.toBeInstanceOf(VersionGoneError);
    expect((await db.stats()).snapshots.open).toBe(0);
  }));

  test('a read that is refused leaves those behind it in its turn as they are', () => withStore(async (db) => {
    const version = await db.put('a', 1);
    await db.put('a', 2);
    const gone = db.at(version);
    const reads = [() => gone.get('a'), () => gone.getEntry('a'), () => gone.has('a'), () => gone.count(), () => all(gone.scan({ prefix: 'a' })), () => gone.version];
    for (const read of reads) {
      const [refused, written, value] = await Promise.all([read().catch((error: unknown) => error), db.put('b', String(read)), db.get('b')]);
      expect(refused).toBeInstanceOf(VersionGoneError);
      expect(written).toBeGreaterThan(version);
      expect(value).toBe(String(read));
    }
    gone.close();
    expect((await db.stats()).keys).toBe(2);
  }));

  test('transactions see their own writes, conflict, and span keyspaces', () => withStore(async (db) => {
    const space = db.keyspace('space');
    await db.put('a', 1);
    const result = await db.transact(async (tx) => {
      tx.put('a', (await tx.get('a') as number) + 1);
      tx.in(space).put('b', await tx.get('a'));
      expect(await tx.has('a')).toBe(true);
      tx.delete('gone');
      return tx.in(space).get('b');
    });
    expect([result, await db.get('a'), await space.get('b')]).toEqual([2, 2, 2]);
    const one = db.begin();
    const other = db.begin();
    expect(await one.version).toBe(await other.version);
    one.put('a', (await one.get('a') as number) + 1);
    other.put('a', (await other.get('a') as number) + 1);
    expect(await one.commit()).toBeGreaterThan(0);
    expect(one.isOpen).toBe(false);
    await expect(other.commit()).rejects.toBeInstanceOf(ConflictError);
    await expect(other.get('a')).rejects.toBeInstanceOf(ClosedError);
    expect(() => other.put('a', 1)).toThrow(ClosedError);
    const late = db.begin();
    late.cas('a', 1, 'never');
    await expect(late.commit()).rejects.toBeInstanceOf(CasError);
    const aborted = db.begin({ isolation: 'snapshot' });
    aborted.put('a', 'never');
    expect(await all(aborted.values())).toEqual(['never']);
    aborted.abort();
    expect(await db.get('a')).toBe(3);
    expect((await db.stats()).snapshots.open).toBe(0);
  }));

  test('transact runs again after conflicts, until it is told not to', () => withStore(async (db) => {
    await db.put('n', 0);
    const add = (): Promise<void> => db.transact(async (tx) => tx.put('n', (await tx.get('n') as number) + 1), { retries: 1000 });
    await Promise.all(Array.from({ length: 10 }, add));
    expect(await db.get('n')).toBe(10);
    await expect(db.transact(async () => { throw new Error('mine'); })).rejects.toThrow('mine');
    const controller = new AbortController();
    const aborted = db.transact(async (tx) => {
      await tx.get('n');
      controller.abort(new Error('enough'));
      tx.put('n', 99);
    }, { signal: controller.signal });
    await expect(aborted).rejects.toThrow('enough');
    expect(await db.get('n')).toBe(10);
  }));

  test('watches give every commit once, in order, and end when they are told to', () => withStore(async (db) => {
    const watch = db.watch({ prefix: 'w' });
    const since = (await db.stats()).version;
    await db.put('other', 1);
    for (let number = 0; number < 200; number++) void db.put(`w${number}`, number);
    await db.delete('w7');
    const seen: unknown[] = [];
    for await (const { version, changes } of watch) {
      expect(version).toBeGreaterThan(since);
      for (const { key, value, deleted } of changes) seen.push(deleted ? [key] : [key, value]);
      if (seen.length === 201) break;
    }
    expect(seen).toEqual([...Array.from({ length: 200 }, (_, number) => [`w${number}`, number]), ['w7']]);
    const again = db.watch({ prefix: 'w' }, { since });
    expect((await again.next()).value!.changes[0]!.key).toBe('w0');
    await again.return();
    const controller = new AbortController();
    const waiting = db.watch('nothing', { signal: controller.signal }).next();
    setTimeout(() => controller.abort(new Error('enough')), 20);
    await expect(waiting).rejects.toThrow('enough');
    // While they are still being begun.
    const early = new AbortController();
    const [aborted, left] = [db.watch('nothing', { signal: early.signal }).next(), db.watch('nothing')];
    const leaving = left.next();
    await Promise.resolve();
    early.abort(new Error('early'));
    await left.return();
    await expect(aborted).rejects.toThrow('early');
    expect(await leaving).toEqual({ done: true, value: undefined });
    expect((await db.stats()).views.watches.open).toBe(0);
    await expect(db.watch(undefined, { since: 1e9 }).next()).rejects.toBeInstanceOf(InvalidArgumentError);
    const last = db.watch();
    await last[Symbol.asyncDispose]();
    expect(await last.next()).toEqual({ done: true, value: undefined });
  }));

  test('values expire', () => withStore(async (db) => {
    await db.put('soon', 1, { ttl: 1000 });
    await db.put('gone', 1, { expiresAt: 0 });
    expect([await db.get('soon'), await db.get('gone')]).toEqual([1, undefined]);
    await new Promise((resolve) => setTimeout(resolve, 1050));
    expect(await db.get('soon')).toBeUndefined();
  }));

  test('codecs and schemas stay in the page', () => withStore(async (db) => {
    const schema: StandardSchemaV1<unknown, number> = { '~standard': { version: 1, vendor: 'test', validate: (value) => (typeof value === 'number' ? { value: value * 2 } : { issues: [{ message: 'no number' }] }) } };
    const checked = db.keyspace('checked', { schema, values: 'json' });
    await checked.put('a', 4);
    expect(await checked.get('a')).toBe(8);
    await expect(checked.put('a', 'x')).rejects.toBeInstanceOf(SchemaError);
    const dates = db.keyspace<unknown, Date>('dates', { keys: { toKey: (date) => date.getTime(), fromKey: (key) => new Date(key as number) } });
    await dates.put(new Date(7), 'seven');
    expect(await all(dates.scan())).toMatchObject([{ key: new Date(7), value: 'seven' }]);
    const own = db.keyspace<number[]>('own', { values: { encode: (list) => Uint8Array.from(list), decode: (bytes) => [...bytes] } });
    await own.batch([{ type: 'put', key: 'a', value: [1, 2] }, { type: 'put', key: 'b', value: [] }]);
    expect([await own.get('a'), await own.get('b')], 'a codec of the program\'s own').toEqual([[1, 2], []]);
    await expect(db.keyspace('own').get('a'), 'another codec').rejects.toBeInstanceOf(InvalidArgumentError);
    expect(() => db.keyspace('own', { values: 'none' as never })).toThrow(InvalidArgumentError);
    await expect(db.keyspace('checked', { values: 'bytes' }).get('a'), 'another codec').rejects.toBeInstanceOf(InvalidArgumentError);
    expect(await db.keyspace('checked', { values: 'json' }).get('a'), 'a value that was refused does not shift those behind it').toBe(8);
  }));

  test('a getter that calls the store while its value is encoded mixes nothing up', () => withStore(async (db) => {
    const inner: Promise<unknown>[] = [];
    const outer = db.put('outer', { get inner() { inner.push(db.put('inner', 'within')); return 1; } });
    await Promise.all([outer, ...inner]);
    expect([await db.get('outer'), await db.get('inner')]).toEqual([{ inner: 1 }, 'within']);
  }));

  test('what is wrong is told with its class, and changes nothing', () => withStore(async (db) => {
    await expect(db.put(Number.NaN, 1)).rejects.toBeInstanceOf(InvalidArgumentError);
    await expect(db.put('a', undefined)).rejects.toBeInstanceOf(InvalidArgumentError);
    await expect(db.put('a', Symbol('x'))).rejects.toBeInstanceOf(InvalidArgumentError);
    await expect(db.put('x'.repeat(200_000), 1)).rejects.toBeInstanceOf(TooLargeError);
    await expect(db.batch([{ type: 'put', key: 'a', value: 1 }, { type: 'put', key: Number.NaN, value: 1 }])).rejects.toBeInstanceOf(InvalidArgumentError);
    await expect(db.cas('a', -1, 1)).rejects.toBeInstanceOf(InvalidArgumentError);
    expect(() => db.scan({ nothing: 1 } as never)).toThrow(InvalidArgumentError);
    expect(() => db.at(-1)).toThrow(InvalidArgumentError);
    const tx = db.begin();
    expect(() => tx.put('a', Symbol('x'))).toThrow(InvalidArgumentError);
    tx.abort();
    expect((await db.stats()).keys).toBe(0);
  }));

  test('after close everything is a ClosedError, and what was called before is kept', async () => {
    const db = await open(path(), options);
    const watch = db.watch();
    const waiting = watch.next();
    const put = db.put('a', 1);
    await Promise.all([db.close(), db.close()]);
    expect(await put).toBeGreaterThan(0);
    // The watch ends with the store; a commit of its last turn may or may not have been shown.
    expect([true, false]).toContain((await waiting).done ?? false);
    for (const call of [() => db.get('a'), () => db.put('a', 1), () => db.count(), () => db.flush(), () => db.stats(), () => db.transact(() => 1)]) await expect(call()).rejects.toBeInstanceOf(ClosedError);
    for (const call of [() => db.snapshot(), () => db.begin(), () => db.watch()]) expect(call).toThrow(ClosedError);
  });
});

describe('a file', () => {
  test('comes back, and says what it found', async () => {
    const path = newPath();
    await expect(open(path, { create: false })).rejects.toBeInstanceOf(NotFoundError);
    const db = await open(path);
    expect(db.recovery.created).toBe(true);
    await db.put('a', 1);
    await db.close();
    const again = await open(path, { create: false });
    expect(again.recovery).toMatchObject({ created: false, clean: true });
    expect(await again.get('a')).toBe(1);
    await again.close();
    const reader = await open(path, { readOnly: true });
    expect(await reader.get('a')).toBe(1);
    await expect(reader.put('a', 2)).rejects.toBeInstanceOf(ReadOnlyError);
    await reader.close();
  });

  test('history', async () => {
    const db = await open(newPath(), { history: 'all' });
    const [one, two] = [await db.put('a', 1), await db.put('a', 2)];
    const three = await db.delete('a');
    expect(await all(db.history('a'))).toMatchObject([{ version: three, deleted: true, value: undefined }, { version: two, value: 2, deleted: false }, { version: one, value: 1 }]);
    expect(await db.at(one).get('a')).toBe(1);
    await db.close();
  });

  test('opened twice in one page it is one store; its second opening may close first, or last', async () => {
    const path = newPath();
    for (const order of [[0, 1], [1, 0]] as const) {
      const both = [await open(path), await open(path)];
      await both[0]!.put('a', order[0]);
      expect(await both[1]!.get('a')).toBe(order[0]);
      await both[1]!.put('b', order[1]);
      expect(await both[0]!.get('b')).toBe(order[1]);
      await both[order[0]]!.close();
      expect(await both[order[1]]!.getMany(['a', 'b'])).toEqual([order[0], order[1]]);
      await both[order[1]]!.put('a', 'last');
      await both[order[1]]!.close();
    }
  });

  test('other options than those of the page that has it open are refused', async () => {
    const path = newPath();
    const db = await open(path);
    await expect(open(path, { durability: 'relaxed' })).rejects.toThrow(/other options/);
    await db.put('a', 1);
    await db.close();
  });

  test('one that a worker has by itself is locked', async () => {
    const path = newPath();
    const db = await open(path);
    await db.put('a', 1);
    await db.close();
    const root = await navigator.storage.getDirectory();
    const file = await (await root.getDirectoryHandle('page')).getFileHandle(path.slice('page/'.length));
    const source = `onmessage = async ({ data }) => { self.handle = await data.createSyncAccessHandle(); postMessage(1); }`;
    const holder = new Worker(URL.createObjectURL(new Blob([source])));
    await new Promise((resolve) => {
      holder.onmessage = resolve;
      holder.postMessage(file);
    });
    await expect(open(path)).rejects.toBeInstanceOf(LockedError);
    holder.terminate();
    const again = await open(path);
    expect(await again.get('a')).toBe(1);
    await again.close();
  });

  test('a person who is asked whether the site may keep what it stores need not have answered', async () => {
    let answer = (_agreed: boolean): void => undefined;
    Object.defineProperty(navigator.storage, 'persist', { configurable: true, value: () => new Promise((resolve) => { answer = resolve; }) });
    try {
      const db = await open(newPath(), { persist: true });
      await db.put('a', 1);
      expect(db.persistent).toBe(false);
      answer(true);
      await Promise.resolve();
      expect(db.persistent).toBe(true);
      await db.close();
    } finally {
      delete (navigator.storage as { persist?: unknown }).persist;
    }
  });

  test('bad options are refused', async () => {
    for (const options of [{ nothing: 1 }, { durability: 'never' }, { worker: 1 }, { persist: 'yes' }]) await expect(open('x', options as never)).rejects.toBeInstanceOf(InvalidArgumentError);
    await expect(open('')).rejects.toBeInstanceOf(InvalidArgumentError);
  });

  test('a worker of the page\'s own making serves as well', async () => {
    const db = await open(newPath(), { worker: () => new Worker('/dist/worker.js', { type: 'module' }) });
    await db.put('a', 1);
    expect(await db.get('a')).toBe(1);
    await db.close();
  });

  test('a worker of the page\'s own making that cannot serve is refused, and the next one has the store', async () => {
    const path = newPath();
    const told = (worker: () => unknown): Promise<unknown> => open(path, { worker: worker as () => Worker }).catch((error: unknown) => error);
    const reason = new Error('none today');
    const thrown = await told(() => { throw reason; });
    expect(thrown).toBeInstanceOf(PlatformError);
    expect((thrown as Error).cause).toBe(reason);
    for (const made of [undefined, {}, Promise.resolve()]) expect(await told(() => made)).toBeInstanceOf(InvalidArgumentError);
    // One of another release does not understand this page, which would not understand it.
    const program = `onmessage = () => postMessage({ type: 'serving', hello: { release: 1, term: 'a', recovery: {}, agreed: '' } })`;
    const other = await told(() => new Worker(URL.createObjectURL(new Blob([program]))));
    expect(other).toBeInstanceOf(PlatformError);
    expect((other as Error).message).toMatch(/another release/);
    const db = await open(path);
    await db.put('a', 1);
    await db.close();
  });

  test('one in memory is there as long as its page: it outlives being put aside, and when its worker fails, no empty one takes its place', async () => {
    const workers: Worker[] = [];
    const worker = (): Worker => {
      workers.push(new Worker('/dist/worker.js', { type: 'module' }));
      return workers.at(-1)!;
    };
    const db = await open(':memory:', { worker });
    await db.put('a', 1);
    globalThis.dispatchEvent(Object.assign(new Event('pagehide'), { persisted: true }));
    globalThis.dispatchEvent(new Event('pageshow'));
    expect(await db.get('a')).toBe(1);
    workers[0]!.dispatchEvent(new Event('error'));
    for (const call of [() => db.get('a'), () => db.put('a', 2)]) await expect(call()).rejects.toBeInstanceOf(NotFoundError);
    expect(workers).toHaveLength(1);
    await db.close();
    await expect(db.get('a')).rejects.toBeInstanceOf(ClosedError);
  });

  test('where the browser denies locks, as to a page in a sandbox, it is a PlatformError', async () => {
    const { request } = LockManager.prototype;
    const reason = new DOMException('Access denied.', 'SecurityError');
    LockManager.prototype.request = () => Promise.reject(reason);
    try {
      const error: unknown = await open(newPath()).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(PlatformError);
      expect((error as Error).cause).toBe(reason);
    } finally {
      LockManager.prototype.request = request;
    }
  });
});
