/** What a commit that has nothing to do, or cannot be done, leaves behind: nothing, in memory or after recovery; and what it may not overlook for want of memory. */
import { expect, test } from 'vitest';
import { MemoryDevice } from '../../src/device/memory.js';
import { CasError, ConflictError, FullError, InvalidArgumentError, open, type Store } from '../../src/index.js';
import type { Kernel } from '../../src/kernel.js';
import { openStore } from '../support/stores.js';

test('a batch, a transaction and a drop without an effect take no version (T10)', async () => {
  const db = openStore(new MemoryDevice(), { durability: 'relaxed' }, 1, true);
  db.putSync('a', 1);
  const before = db.stats();
  expect(db.batchSync([])).toBe(0);
  expect(db.batchSync([{ type: 'delete', key: 'absent' }, { type: 'delete', key: 'absent too' }])).toBe(0);
  expect(db.dropKeyspaceSync('absent')).toBe(0);
  const tx = db.begin();
  tx.delete('absent');
  tx.delete('absent too');
  expect(tx.commitSync()).toBe(0);
  expect([db.stats().version, db.stats().log.pendingBytes]).toEqual([before.version, before.log.pendingBytes]);
  expect(db.putSync('a', 2)).toBe(before.version + 1);
  await db.close();
});

test('a batch that fails in its middle leaves nothing, in memory or after recovery (T1, T14, L5)', async () => {
  const device = new MemoryDevice();
  const db = openStore(device, { durability: 'relaxed' }, 1, true);
  db.putSync('a', 1);
  const pending = db.stats().log.pendingBytes;
  const operations = [{ type: 'put', key: 'half', value: 'of a batch' }, { type: 'put', key: Number.NaN, value: 1 }] as const;
  expect(() => db.batchSync(operations)).toThrow(InvalidArgumentError);
  expect(db.stats().log.pendingBytes).toBe(pending);
  db.putSync('b', 2);
  await db.close();
  const again = openStore(new MemoryDevice(device.bytes()), {}, 2, true);
  expect([...again.keys()]).toEqual(['a', 'b']);
  expect(again.recovery.records).toBe(2);
  await again.close();
});

test('two cas of one key that expect different versions cannot both hold, whichever comes last (T8, T19)', async () => {
  const db = openStore(new MemoryDevice(), { durability: 'relaxed' }, 1, true);
  const version = db.putSync('a', 1);
  for (const [first, last] of [[version, version + 1], [version + 1, version], [0, version]] as const) {
    const tx = db.begin();
    tx.cas('a', first, 2);
    tx.cas('a', last, 3);
    expect(() => tx.commitSync(), `${first}, then ${last}`).toThrow(CasError);
  }
  const tx = db.begin();
  tx.cas('a', version, 2);
  tx.cas('a', version, 3);
  expect(tx.commitSync()).toBe(version + 1);
  expect(db.get('a')).toBe(3);
  await db.close();
});

test('a range that there is no memory to note counts as everything: a phantom in it is a conflict (T16, F-65)', async () => {
  const db = await open(':memory:', { memory: { initial: 1 << 20, limit: 8 << 20 } });
  const long = 'k'.repeat(130_000);
  for (const key of ['key', long]) db.putSync(key, 1);
  const [broken, beside] = [db.begin(), db.begin()];
  // A scan that is open is noted when the transaction commits, up to where it was read: from one key of nearly the longest to another takes a block as large as a segment's.
  const loop = broken.keys({ gte: 'a'.repeat(130_000) })[Symbol.iterator]();
  expect([loop.next().value, loop.next().value]).toEqual(['key', long]);
  expect([...beside.keys({ lt: 'a' })]).toEqual([]);
  for (const tx of [broken, beside]) tx.put('written', 1);
  const fill = (): void => {
    for (let number = 0; ; number++) db.putSync(['filler', number], new Uint8Array(1000));
  };
  expect(fill).toThrow(FullError);
  db.deleteSync('key');
  expect(() => broken.commitSync()).toThrow(ConflictError);
  expect(beside.commitSync()).toBeGreaterThan(0);
  await db.verify();
  await db.close();
});

test('what keeps a write from being applied may move the end of the log: the write is given room again where that then is', async () => {
  const ceiling = 65_536;
  const long = new Uint8Array(3000).fill(7);
  for (const kind of ['put', 'delete'] as const) {
    const db = openStore(new MemoryDevice(), { durability: 'buffered', flushInterval: 3_600_000, values: 'bytes', compaction: false }) as Store<Uint8Array>;
    const { engine } = (db as unknown as { kernel: Kernel }).kernel;
    const leave = (key: string, room: number): number => db.putSync(key, new Uint8Array(engine.tailRoom - room).fill(1));
    db.putSync(long, new Uint8Array(10));
    while (db.stats().version < ceiling - 3) db.putSync('a', new Uint8Array(10));
    // Frames end where a turn does.
    for (const room of [2000, 1000]) {
      leave('b', long.length + room);
      await Promise.resolve();
      expect(engine.pendingSize).toBe(0);
    }
    // Of the version that is next the file knows nothing yet. A frame is open, whose end takes room, and there is just as much as is needed.
    leave('b', long.length + 50);
    expect(db.stats().version).toBe(ceiling);
    expect(engine.tailRoom).toBeGreaterThan(long.length + 2);
    if (kind === 'put') db.putSync('c', new Uint8Array(engine.tailRoom - 16).fill(2), { ttl: 1000 });
    else db.deleteSync(long);
    expect([db.stats().version, db.has('c'), db.has(long)]).toEqual([ceiling + 1, kind === 'put', kind === 'put']);
    await db.verify();
    await db.close();
  }
});
