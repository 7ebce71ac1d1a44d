/** What every store does, whatever it lies on: `storeContract` runs it where stores can be opened. What only one platform promises is tested beside its call. */
import { describe, expect, test } from 'vitest';
import { ClosedError, open, type OpenOptions, type Store } from '../../src/index.js';

/** The tests, for stores in memory and for each mode of durability in files, whose paths `newPath` gives. */
export function storeContract(newPath: () => string): void {
  const kinds: readonly (readonly [string, () => string, OpenOptions])[] = [
    ['in memory', () => ':memory:', {}],
    ['in a file, strict', newPath, { durability: 'strict' }],
    ['in a file, strict, blocking', newPath, { durability: 'strict', flush: 'sync' }],
    ['in a file, buffered', newPath, { durability: 'buffered' }],
    ['in a file, relaxed', newPath, { durability: 'relaxed' }],
  ];

  describe.each(kinds)('%s', (_, path, options) => {
    const withStore = async (run: (db: Store<unknown>) => Promise<void> | void): Promise<void> => {
      const db = await open(path(), { memory: { initial: 1 << 20 }, ...options });
      try {
        await run(db);
        await db.verify();
      } finally {
        await db.close();
      }
    };

    test('puts and gets; versions rise', () => withStore(async (db) => {
      expect(db.get('a')).toBeUndefined();
      expect([db.has('a'), db.getEntry('a')]).toEqual([false, undefined]);
      const first = await db.put('a', 1);
      const second = db.putSync('a', 2);
      expect(second).toBeGreaterThan(first);
      expect([db.get('a'), db.has('a')]).toEqual([2, true]);
      expect(db.getEntry('a')).toEqual({ key: 'a', value: 2, version: second });
      await db.put('b', 'text');
      expect(db.getMany(['b', 'nothing', 'a'])).toEqual(['text', undefined, 2]);
      expect(db.stats().keys).toBe(2);
    }));

    test('a write is visible when the call returns, before its promise resolves', () => withStore(async (db) => {
      const promise = db.put('a', 1);
      expect(db.get('a')).toBe(1);
      const results = await Promise.all([promise, db.put('b', 2), db.delete('a'), db.put('c', 3)]);
      expect(results).toEqual([...results].sort((left, right) => left - right));
      expect(new Set(results).size).toBe(4);
      expect(db.has('a')).toBe(false);
    }));

    test('a delete says whether there was something, and writes nothing where there was not', () => withStore(async (db) => {
      expect(await db.delete('a')).toBe(0);
      expect(db.deleteSync('a')).toBe(0);
      expect(db.stats().version).toBe(0);
      const put = db.putSync('a', 1);
      expect(await db.delete('a')).toBeGreaterThan(put);
      expect(await db.delete('a')).toBe(0);
      expect([db.get('a'), db.has('a'), db.stats().keys]).toEqual([undefined, false, 0]);
    }));

    test('cas creates, changes and deletes on the exact version, and names the current one', () => withStore(async (db) => {
      const created = await db.cas('a', 0, 'made');
      expect(created.ok).toBe(true);
      expect(await db.cas('a', 0, 'again')).toEqual({ ok: false, version: created.version });
      expect(db.casSync('a', created.version + 1, 'wrong')).toEqual({ ok: false, version: created.version });
      const changed = db.casSync('a', created.version, 'changed');
      expect(db.getEntry('a')).toEqual({ key: 'a', value: 'changed', version: changed.version });
      const deleted = await db.cas('a', changed.version, undefined);
      expect(deleted.ok && deleted.version > changed.version).toBe(true);
      expect(db.casSync('a', changed.version, 'late')).toEqual({ ok: false, version: 0 });
      expect(db.casSync('a', 0, undefined)).toEqual({ ok: true, version: 0 });
      expect(db.casSync('a', 0, 'after a delete').ok).toBe(true);
      const large = new Uint8Array(700_000).fill(3);
      const { version } = db.getEntry('a')!;
      expect(db.casSync('a', version + 1, large).ok).toBe(false);
      expect(db.casSync('a', version, large).ok).toBe(true);
      expect(db.get('a')).toEqual(large);
    }));

    test('of many contenders for one version exactly one wins', () => withStore(async (db) => {
      const version = await db.put('a', 0);
      const results = await Promise.all(Array.from({ length: 100 }, (_unused, number) => db.cas('a', version, number)));
      expect(results.filter(({ ok }) => ok)).toHaveLength(1);
      expect(db.get('a')).toBe(results.findIndex(({ ok }) => ok));
    }));

    test('a batch is one commit, in order', () => withStore(async (db) => {
      await db.put('gone', 1);
      const version = await db.batch([
        { type: 'put', key: 'a', value: 1 }, { type: 'put', key: 'a', value: 2 }, { type: 'delete', key: 'gone' },
        { type: 'put', key: 'b', value: 1 }, { type: 'delete', key: 'b' }, { type: 'put', key: 'c', value: new Uint8Array(900_000) },
      ]);
      expect(db.getEntry('a')).toEqual({ key: 'a', value: 2, version });
      expect(db.getEntry('c')?.version).toBe(version);
      expect([db.has('gone'), db.has('b'), db.stats().keys]).toEqual([false, false, 2]);
      expect(await db.batch([])).toBe(0);
      expect(db.batchSync([{ type: 'delete', key: 'nothing' }])).toBe(0);
      expect(db.batchSync(new Set([{ type: 'put' as const, key: 'd', value: 4 }]))).toBeGreaterThan(version);
      await expect(db.batch([{ type: 'put', key: 'e', value: 1 }, { type: 'put', key: Number.NaN, value: 1 }])).rejects.toThrow();
      expect(db.has('e')).toBe(false);
    }));

    test('getInto copies what fits', () => withStore((db) => {
      db.putSync('a', new Uint8Array([1, 2, 3]));
      db.putSync('large', new Uint8Array(600_000).fill(7));
      const target = new Uint8Array(4);
      expect(db.getInto('a', target)).toBe(3);
      expect([...target]).toEqual([1, 2, 3, 0]);
      expect(db.getInto('nothing', target)).toBe(-1);
      expect(db.getInto('large', target)).toBe(600_000);
      expect([...target]).toEqual([1, 2, 3, 0]);
      const room = new Uint8Array(600_001);
      expect(db.getInto('large', room)).toBe(600_000);
      expect([room[599_999], room[600_000]]).toEqual([7, 0]);
    }));

    test('what was put or got does not change with its source', () => withStore((db) => {
      const bytes = new Uint8Array([1, 2, 3]);
      const object = { list: [1] };
      db.putSync('bytes', bytes);
      db.putSync('object', object);
      bytes[0] = 9;
      object.list.push(2);
      const got = db.get('bytes') as Uint8Array;
      expect([...got]).toEqual([1, 2, 3]);
      got[1] = 9;
      for (let number = 0; number < 100; number++) db.putSync('bytes', new Uint8Array(3).fill(number));
      expect([...got]).toEqual([1, 9, 3]);
      expect(db.get('object')).toEqual({ list: [1] });
    }));

    test('overwriting the same keys for ever takes bounded space', () => withStore(async (db) => {
      const value = new Uint8Array(200);
      for (let round = 0; round < 24; round++) {
        for (let number = 0; number < 100; number++) {
          const writes = Array.from({ length: 100 }, (_unused, key) => db.put(`key${key}`, value));
          await Promise.all(writes);
        }
        await db.flush();
        // Fifty million bytes go through: what stays is a few segments in memory, and in the file, besides, four million bytes prepared ahead, as much that waits for the next flush,
        // and what the flush before has replaced, until a header that leaves it out is durable too.
        const { memory, file } = db.stats();
        expect(memory.bytes + (file?.bytes ?? 0)).toBeLessThan(17_000_000);
      }
    }));

    test('after close everything is a ClosedError, and closing again is nothing', async () => {
      const db = await open(path(), options);
      await db.put('a', 1);
      await Promise.all([db.close(), db.close()]);
      await db.close();
      for (const call of [() => db.get('a'), () => db.getEntry('a'), () => db.has('a'), () => db.getMany(['a']), () => db.getInto('a', new Uint8Array(1)), () => db.putSync('a', 1),
        () => db.deleteSync('a'), () => db.casSync('a', 0, 1), () => db.batchSync([]), () => db.stats(), () => db.snapshot(), () => db.at(0), () => db.begin(), () => db.transactSync(() => 1)]) {
        expect(call).toThrow(ClosedError);
      }
      for (const call of [() => db.put('a', 1), () => db.delete('a'), () => db.cas('a', 0, 1), () => db.batch([]), () => db.flush(), () => db.verify(), () => db.transact(() => 1)]) {
        await expect(call()).rejects.toBeInstanceOf(ClosedError);
      }
    });

    test('async disposal closes', async () => {
      const db = await open(path(), options);
      await db[Symbol.asyncDispose]();
      expect(() => db.get('a')).toThrow(ClosedError);
    });
  });

  describe('a file', () => {
    const options = { memory: { initial: 1 << 20 } } as const;

    test('comes back with keys, values, versions and figures, and says what it found', async () => {
      const path = newPath();
      const db = await open(path, options);
      expect(db.recovery).toMatchObject({ created: true, clean: true, frames: 0, lost: [] });
      const versions = await Promise.all(Array.from({ length: 500 }, (_, number) => db.put(['key', number], { number })));
      await db.delete(['key', 7]);
      const before = db.stats();
      await db.close();
      const again = await open(path, options);
      expect(again.recovery).toMatchObject({ created: false, clean: true, records: 501, dropped: undefined, rewritten: 0, lost: [] });
      expect(again.recovery.milliseconds).toBeGreaterThan(0);
      for (let number = 0; number < 500; number++) {
        const entry = again.getEntry(['key', number]);
        if (number === 7) expect(entry).toBeUndefined();
        else expect(entry).toEqual({ key: ['key', number], value: { number }, version: versions[number] });
      }
      const { keys, tombstones, version, log } = again.stats();
      expect({ keys, tombstones, version, liveBytes: log.liveBytes }).toEqual({ keys: before.keys, tombstones: before.tombstones, version: before.version, liveBytes: before.log.liveBytes });
      expect(await again.put('next', 1)).toBe(before.version + 1);
      await again.close();
    });

    test('two stores do not know of each other', async () => {
      const [one, two] = [await open(newPath(), options), await open(newPath(), options)];
      await Promise.all([one.put('a', 1), two.put('a', 2), two.put('b', 3)]);
      expect([one.get('a'), two.get('a'), one.has('b')]).toEqual([1, 2, false]);
      await one.close();
      expect(two.get('b')).toBe(3);
      await two.close();
    });

    test('pending writes are kept by close in every mode', async () => {
      for (const durability of ['strict', 'buffered', 'relaxed'] as const) {
        const path = newPath();
        const db = await open(path, { ...options, durability });
        const acknowledged = db.put('awaited later', 1);
        if (durability !== 'strict') db.putSync('not awaited', 2);
        await db.close();
        expect(await acknowledged).toBe(1);
        const again = await open(path, options);
        expect(again.getMany(['awaited later', 'not awaited'])).toEqual([1, durability === 'strict' ? undefined : 2]);
        await again.close();
      }
    });
  });
}
