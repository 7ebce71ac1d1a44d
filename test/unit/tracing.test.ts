/** What is told on diagnostics channels, to whom, and that nothing of the store's content is. */
import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { IoError, NotFoundError, OutcomeUnknownError, open } from '../../src/index.js';
import { Collector } from '../support/copies.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';

const folder = mkdtempSync(join(tmpdir(), 'varve-tracing-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Told {
  readonly event: string;
  readonly message: Record<string, unknown>;
}

/** What is told on channels while something runs. */
async function toldOn(names: readonly string[], run: () => unknown): Promise<Told[]> {
  const told: Told[] = [];
  const parts = names.flatMap((name) => ['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map((part) => {
    const listener = (message: unknown): void => void told.push({ event: `${name}:${part}`, message: message as Record<string, unknown> });
    const channel = `tracing:varve:${name}:${part}`;
    subscribe(channel, listener);
    return () => unsubscribe(channel, listener);
  }));
  try {
    await run();
  } finally {
    for (const stop of parts) stop();
  }
  return told;
}

const eventsOf = (told: readonly Told[]): string[] => told.map(({ event }) => event);

test('a listener of a close that closes the store itself gets the promise of that close', async () => {
  for (const path of [':memory:', join(folder, 'closed.varve')]) {
    const db = await open(path);
    const promises: Promise<void>[] = [];
    const again = (): void => {
      if (promises.length < 10) promises.push(db.close());
    };
    for (const part of ['start', 'end', 'asyncStart', 'asyncEnd']) subscribe(`tracing:varve:close:${part}`, again);
    const closing = db.close();
    try {
      await closing;
    } finally {
      for (const part of ['start', 'end', 'asyncStart', 'asyncEnd']) unsubscribe(`tracing:varve:close:${part}`, again);
    }
    expect(promises).toHaveLength(4);
    for (const promise of promises) expect(promise).toBe(closing);
  }
});

test('opening, committing, flushing, copying and closing are told from their beginning to their end', async () => {
  const path = join(folder, 'a.varve');
  const opened = await toldOn(['open', 'close'], async () => (await open(path)).close());
  expect(eventsOf(opened)).toEqual(['open:start', 'open:end', 'open:asyncStart', 'open:asyncEnd', 'close:start', 'close:end', 'close:asyncStart', 'close:asyncEnd']);
  expect(opened[0]!.message).toMatchObject({ store: path, readOnly: false, recovery: { created: true } });
  const db = await open(path);
  // The first commit makes sure that there is a ceiling above it.
  await db.put('first', 0);
  const put = await toldOn(['commit', 'flush'], () => db.put('a', 1));
  expect(eventsOf(put)).toEqual(['commit:start', 'commit:end', 'flush:start', 'flush:end', 'flush:asyncStart', 'flush:asyncEnd', 'commit:asyncStart', 'commit:asyncEnd']);
  expect(put[0]!.message).toEqual({ store: path, version: 2 });
  expect(put[2]!.message).toEqual({ store: path, bytes: expect.any(Number) });
  expect(put[2]!.message['bytes']).toBeGreaterThan(0);
  expect(eventsOf(await toldOn(['commit', 'flush'], () => db.putSync('a', 2)))).toEqual(['commit:start', 'flush:start', 'flush:end', 'commit:end']);
  expect(eventsOf(await toldOn(['commit'], () => db.transactSync((tx) => tx.put('b', 1))))).toEqual(['commit:start', 'commit:end']);
  expect(await toldOn(['commit', 'flush'], () => [db.get('a'), db.deleteSync('not there'), [...db.scan()]])).toEqual([]);
  const copied = await toldOn(['backup'], () => db.backup(new Collector()));
  expect(eventsOf(copied)).toEqual(['backup:start', 'backup:end', 'backup:asyncStart', 'backup:asyncEnd']);
  expect(copied[0]!.message).toMatchObject({ store: path, target: undefined, report: { version: 4, keys: 3 } });
  await db.close();
});

test('what fails is told with its error, which comes out all the same', async () => {
  const path = join(folder, 'nowhere.varve');
  const refused = await toldOn(['open'], () => expect(open(path, { create: false })).rejects.toThrow(NotFoundError));
  expect(eventsOf(refused)).toEqual(['open:start', 'open:end', 'open:error', 'open:asyncStart', 'open:asyncEnd']);
  expect(refused[0]!.message['error']).toBeInstanceOf(NotFoundError);
  const disk = new SimulatedDisk();
  const db = openStore(disk, { segmentSize: 4096 });
  disk.failures = [{ at: 0, kind: 'io', operation: 'flush' }];
  const failed = await toldOn(['commit', 'flush'], () => expect(() => db.putSync('a', 1)).toThrow(OutcomeUnknownError));
  expect(eventsOf(failed)).toEqual(['commit:start', 'flush:start', 'flush:error', 'flush:end', 'commit:error', 'commit:end']);
  await db.close();
  const again = openStore(new SimulatedDisk(), { segmentSize: 4096 });
  const copied = await toldOn(['backup'], () => expect(again.backup(new WritableStream({ write: () => { throw new IoError('full of it'); } }))).rejects.toThrow(IoError));
  expect(eventsOf(copied)).toContain('backup:error');
  await again.close();
});

test('one who listens to one channel alone is told', async () => {
  const db = await open(':memory:');
  const told: unknown[] = [];
  const channel = tracingChannel('varve:commit');
  const listener = (message: unknown): void => void told.push(message);
  channel.asyncEnd.subscribe(listener);
  const version = await db.put('a', 1);
  channel.asyncEnd.unsubscribe(listener);
  await db.put('a', 2);
  expect(told).toEqual([{ store: ':memory:', version }]);
  await db.close();
});

test('no payload holds a key or a value', async () => {
  const path = join(folder, 'secret.varve');
  const told = await toldOn(['open', 'commit', 'flush', 'backup', 'close'], async () => {
    const db = await open(path);
    await db.put('the key that nobody sees', 'the value that nobody sees');
    await db.batch([{ type: 'put', key: 'the key that nobody sees', value: 'the value that nobody sees' }]);
    await db.transact((tx) => tx.put('the key that nobody sees', 'the value that nobody sees'));
    await db.backup(new Collector());
    await db.close();
  });
  expect(told.length).toBeGreaterThan(20);
  expect(JSON.stringify(told)).not.toContain('nobody sees');
});
