/** Compaction, backups, restoring, exports and imports from a page, whichever worker does them. Runs in pages. */
import { describe, expect, test } from 'vitest';
import { open, restore, ClosedError, CorruptionError, FormatError, ImportError, InvalidArgumentError, LockedError, NotFoundError, type ExportOptions, type SharedStore } from '../../../src/browser.js';

let fileCount = 0;
const run = Math.random().toString(36).slice(2);
const newPath = (): string => `copies/${run}-${fileCount++}.varve`;

/** All that a stream gives; a failure of it comes out as it is. */
async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for (const reader = stream.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
    chunks.push(value);
  }
}
const streamOf = (bytes: Uint8Array): ReadableStream<Uint8Array> => new Blob([bytes as BlobPart]).stream();

/** Everything that a store has, its keyspace `users` too, as text. */
async function contents(db: SharedStore): Promise<string[]> {
  const found: string[] = [];
  const note = (key: unknown, value: unknown): number => found.push(JSON.stringify([key, value], (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part)));
  for await (const { key, value } of db.scan()) note(key, value);
  for await (const { key, value } of db.keyspace('users').scan()) note(['users', key], value);
  return found;
}

/** A store of many segments. */
async function filled(path: string, count = 3000): Promise<SharedStore> {
  const db = await open(path, { durability: 'buffered', segmentSize: 16 << 10 });
  await db.batch(Array.from({ length: count }, (_, index) => ({ type: 'put' as const, key: ['key', index], value: { index, text: 'x'.repeat(100) } })));
  await db.batch([{ type: 'put', key: 'big', value: 2n ** 70n }, { type: 'put', keyspace: db.keyspace('users'), key: 'Ada', value: [1, 'two', null] }]);
  await db.put('session', 'token', { ttl: 3_600_000 });
  return db;
}

/** A stream that keeps what it is given, and how it ended. */
class Sink {
  readonly chunks: Uint8Array[] = [];
  ended: unknown = 'not ended';
  readonly stream: WritableStream<Uint8Array>;

  constructor(onWrite: () => void | Promise<void> = () => undefined) {
    this.stream = new WritableStream({
      write: (chunk) => {
        this.chunks.push(chunk);
        return onWrite();
      },
      close: () => {
        this.ended = 'closed';
      },
      abort: (reason: unknown) => {
        this.ended = reason;
      },
    }, { highWaterMark: 0 });
  }

  get bytes(): Promise<Uint8Array> {
    return bytesOf(new Blob(this.chunks as BlobPart[]).stream());
  }
}

const copiesOpen = async (db: SharedStore): Promise<number> => (await db.stats()).views.copies.open;
const until = async (isTrue: () => Promise<boolean>): Promise<void> => {
  while (!await isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe('compact', () => {
  test('makes the file of a store small again; a signal ends it', async () => {
    const db = await filled(newPath());
    await db.batch(Array.from({ length: 2900 }, (_, index) => ({ type: 'delete' as const, key: ['key', index] })));
    const { before, after } = await db.compact();
    expect(before).toBeGreaterThan(300_000);
    expect(after).toBeLessThan(before / 2);
    expect(await db.count({ prefix: ['key'] })).toBe(100);
    const reason = new Error('enough');
    await expect(db.compact({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const ending = new AbortController();
    const compacting = db.compact({ signal: ending.signal });
    ending.abort(reason);
    await expect(compacting).rejects.toBe(reason);
    await db.verify();
    await db.close();
    await expect(db.compact()).rejects.toBeInstanceOf(ClosedError);
  });
});

describe('backup and restore', () => {
  test('a backup shows the store as it was, while others write, and is restored as a store of its own', async () => {
    const db = await filled(newPath());
    const before = await contents(db);
    const { version } = await db.stats();
    let isWritten = false;
    const sink = new Sink(async () => {
      if (!isWritten) await db.put('later', true);
      isWritten = true;
    });
    const told: number[] = [];
    const report = await db.backup(sink.stream, { onProgress: ({ bytes, done, total }) => told.push(bytes, total - done) });
    expect(sink.ended).toBe('closed');
    const bytes = await sink.bytes;
    expect(report.version).toBe(version);
    expect(report.size).toBe(bytes.length);
    expect(report.keys).toBe(before.length);
    expect(told.length).toBeGreaterThan(10);
    expect(told.at(-1), 'all of the log was looked through').toBe(0);
    expect(told.filter((_, index) => index % 2 === 0)).toEqual(told.filter((_, index) => index % 2 === 0).toSorted((one, other) => one - other));
    expect(await copiesOpen(db)).toBe(0);
    const target = newPath();
    let restored = 0;
    const result = await restore(streamOf(bytes), target, { onProgress: (progress) => { restored = progress.bytes; } });
    expect(result).toMatchObject({ version, keys: before.length, bytes: bytes.length });
    expect(restored).toBe(bytes.length);
    const copy = await open(target, { create: false });
    expect(await contents(copy)).toEqual(before);
    expect(await copy.get('later')).toBeUndefined();
    await copy.put('own', 1);
    await copy.close();
    await db.close();
  });

  test('the worker lays out no more than the stream wants', async () => {
    const db = await filled(newPath());
    let release = (): void => undefined;
    const sink = new Sink(() => new Promise<void>((resolve) => {
      release = resolve;
    }));
    const backing = db.backup(sink.stream);
    await until(async () => sink.chunks.length === 1);
    // Whatever the worker does meanwhile, the stream has one part, and the store answers.
    for (let index = 0; index < 50; index++) await db.get('big');
    expect(sink.chunks).toHaveLength(1);
    expect(await copiesOpen(db)).toBe(1);
    let isDone = false;
    const done = backing.then((report) => {
      isDone = true;
      return report;
    });
    while (!isDone) {
      release();
      await new Promise((resolve) => setTimeout(resolve));
    }
    expect((await done).size).toBe((await sink.bytes).length);
    await db.close();
  });

  test('a backup that is ended, or whose stream fails, leaves nothing open, and the stream knows', async () => {
    const db = await filled(newPath());
    const reason = new Error('enough');
    for (const way of ['signal', 'progress', 'stream'] as const) {
      const ending = new AbortController();
      let count = 0;
      const sink = new Sink(() => {
        if (++count < 3) return;
        if (way === 'signal') ending.abort(reason);
        if (way === 'stream') throw reason;
      });
      await expect(db.backup(sink.stream, { signal: ending.signal, onProgress: () => {
        if (way === 'progress') throw reason;
      } }), way).rejects.toBe(reason);
      if (way !== 'stream') expect(sink.ended, way).toBe(reason);
      expect(sink.stream.locked, way).toBe(false);
      await until(async () => await copiesOpen(db) === 0);
    }
    const { stream } = new Sink();
    await expect(db.backup('a path' as never)).rejects.toBeInstanceOf(InvalidArgumentError);
    for (const options of [{ overwrite: true }, { nothing: 1 }, { history: 1 }]) await expect(db.backup(stream, options as never)).rejects.toBeInstanceOf(InvalidArgumentError);
    await expect(db.backup(stream, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await db.verify();
    await db.close();
  });

  test('what is at the target of restore stays, unless it may be replaced and nobody has it open', async () => {
    const db = await filled(newPath(), 10);
    const sink = new Sink();
    await db.backup(sink.stream);
    await db.close();
    const bytes = await sink.bytes;
    const target = newPath();
    const other = await open(target);
    await other.put('other', 1);
    await expect(restore(streamOf(bytes), target)).rejects.toThrow(/overwrite/);
    await expect(restore(streamOf(bytes), target, { overwrite: true })).rejects.toBeInstanceOf(LockedError);
    expect(await other.get('other')).toBe(1);
    await other.close();
    await expect(restore(streamOf(bytes), target)).rejects.toBeInstanceOf(InvalidArgumentError);
    await restore(streamOf(bytes), target, { overwrite: true });
    const again = await open(target, { create: false });
    expect(await again.get('other')).toBeUndefined();
    expect(await again.get('big')).toBe(2n ** 70n);
    await again.close();
  });

  test('what is no store, was cut off or is given up leaves nothing behind', async () => {
    const db = await filled(newPath());
    const sink = new Sink();
    await db.backup(sink.stream);
    await db.close();
    const bytes = await sink.bytes;
    const damaged = bytes.slice();
    damaged[bytes.length >> 1]! ^= 1;
    const reason = new Error('enough');
    const failing = new ReadableStream<Uint8Array>({ pull: () => Promise.reject(reason) });
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('copies');
    const names = async (): Promise<string[]> => {
      const found: string[] = [];
      for await (const name of (folder as unknown as { keys(): AsyncIterable<string> }).keys()) found.push(name);
      return found.toSorted();
    };
    const before = await names();
    const target = newPath();
    await expect(restore(streamOf(new TextEncoder().encode('this is no store'.repeat(1000))), target)).rejects.toBeInstanceOf(FormatError);
    await expect(restore(streamOf(new Uint8Array(0)), target)).rejects.toBeInstanceOf(FormatError);
    await expect(restore(streamOf(bytes.subarray(0, bytes.length >> 1)), target)).rejects.toBeInstanceOf(CorruptionError);
    await expect(restore(streamOf(damaged), target)).rejects.toBeInstanceOf(CorruptionError);
    await expect(restore(failing, target)).rejects.toBe(reason);
    await expect(restore(streamOf(bytes), target, { onProgress: () => { throw reason; } })).rejects.toBe(reason);
    await expect(restore(streamOf(bytes), target, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const ending = new AbortController();
    const endless = new ReadableStream<Uint8Array>({ pull: (controller) => {
      controller.enqueue(bytes.slice(0, 1 << 16));
      setTimeout(() => ending.abort(reason));
      return new Promise((resolve) => setTimeout(resolve));
    } });
    await expect(restore(endless, target, { signal: ending.signal })).rejects.toBe(reason);
    for (const path of ['', ':memory:']) await expect(restore(streamOf(bytes), path)).rejects.toBeInstanceOf(InvalidArgumentError);
    await expect(restore('a path' as never, target)).rejects.toBeInstanceOf(InvalidArgumentError);
    await expect(restore(streamOf(bytes), target, { nothing: 1 } as never)).rejects.toBeInstanceOf(InvalidArgumentError);
    expect(await names()).toEqual(before);
    await expect(open(target, { create: false })).rejects.toBeInstanceOf(NotFoundError);
  });
});

describe('export and import', () => {
  test.each([['ndjson'], ['binary']] as const)('%s: everything goes into another store, expiry and keyspaces too, and others write meanwhile', async (format) => {
    const db = await filled(newPath());
    const before = await contents(db);
    const progress: number[] = [];
    const stream = db.export({ format, onProgress: ({ records }) => progress.push(records) });
    await db.put('later', true);
    const bytes = await bytesOf(stream);
    expect(progress.at(-1)).toBe(before.length);
    const other = await open(newPath(), { durability: 'buffered' });
    const told: number[] = [];
    const report = await other.import(streamOf(bytes), { onProgress: ({ written }) => told.push(written) });
    expect(report).toMatchObject({ read: before.length, written: before.length, skipped: 0, version: (await other.stats()).version });
    expect(told.length).toBeGreaterThan(2);
    expect(await contents(other)).toEqual(before);
    // What expires is exported as when it does.
    const [line] = (await new Response(other.export({ gte: 'session', lte: 'session' }) as BodyInit).text()).split('\n');
    expect((JSON.parse(line!) as { expiresAt: number }).expiresAt).toBeGreaterThan(Date.now());
    expect(await other.import(db.export({ format }), { existing: 'skip' })).toMatchObject({ written: 1, skipped: before.length });
    expect((await db.stats()).views.snapshots.open).toBe(0);
    await Promise.all([db.close(), other.close()]);
  });

  test('keys that exist: skipped, or the end of the import, before whose batch nothing is lost', async () => {
    const db = await open(':memory:');
    const lines = (...values: number[]): ReadableStream<Uint8Array> => streamOf(new TextEncoder().encode(values.map((value) => `{"key":${value},"value":"new"}\n`).join('')));
    await db.put(2, 'old');
    expect(await db.import(lines(1, 2, 3), { existing: 'skip' })).toMatchObject({ read: 3, written: 2, skipped: 1 });
    expect(await db.get(2)).toBe('old');
    const error = await db.import(lines(4, 5, 2), { existing: 'fail' }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ImportError);
    expect((error as ImportError).line).toBe(3);
    expect(await db.has(4)).toBe(false);
    expect(await db.import(lines(2))).toMatchObject({ written: 1 });
    expect(await db.get(2)).toBe('new');
    expect(await db.import(lines(7), { keyspace: 'users' })).toMatchObject({ written: 1 });
    expect(await db.keyspace('users').get(7)).toBe('new');
    await expect(db.import(streamOf(new TextEncoder().encode('{"key":9,"value":1}\nnonsense\n')))).rejects.toMatchObject({ line: 2 });
    await expect(db.import(lines(1), { nothing: 1 } as never)).rejects.toBeInstanceOf(InvalidArgumentError);
    await expect(db.import(1 as never)).rejects.toBeInstanceOf(InvalidArgumentError);
    await db.close();
    await expect(db.import(lines(1))).rejects.toBeInstanceOf(ClosedError);
  });

  test('an export that is ended, cancelled or refused gives back what it held; it is made as it is read', async () => {
    const db = await filled(newPath());
    const reason = new Error('enough');
    const openViews = async (): Promise<number> => {
      const { snapshots, scans } = (await db.stats()).views;
      return snapshots.open + scans.open;
    };
    const ending = new AbortController();
    const told: number[] = [];
    const ended = db.export({ signal: ending.signal, onProgress: ({ records }) => told.push(records) }).getReader();
    await ended.read();
    for (let index = 0; index < 20; index++) await db.get('big');
    expect(told, 'no chunk is made that nobody has asked for').toHaveLength(1);
    ending.abort(reason);
    await expect(ended.read()).rejects.toBe(reason);
    await until(async () => await openViews() === 0);
    const cancelled = db.export().getReader();
    await cancelled.read();
    await cancelled.cancel();
    await until(async () => await openViews() === 0);
    for (const options of [{ nothing: 1 }, { format: 'xml' }, { keyspace: 1 }, { onProgress: 1 }]) {
      await expect(bytesOf(db.export(options as unknown as ExportOptions)), JSON.stringify(options)).rejects.toBeInstanceOf(InvalidArgumentError);
    }
    await expect(bytesOf(db.export({ onProgress: () => { throw reason; } }))).rejects.toBe(reason);
    expect(() => db.export({ signal: AbortSignal.abort(reason) })).toThrow(reason);
    await until(async () => await openViews() === 0);
    const unread = db.export();
    await unread.cancel();
    expect(await openViews()).toBe(0);
    await db.close();
    expect(() => db.export()).toThrow(ClosedError);
  });
});
