/**
 * Memory that runs out anywhere: a store is filled until so many blocks are left, and then everything is tried that needs one. Whatever is refused has changed nothing, whatever is
 * taken is there, and the structures stay sound; with the next number of blocks, the refusal comes one step later.
 */
import { afterAll, expect, test } from 'vitest';
import { MemoryDevice } from '../../src/device/memory.js';
import { FullError } from '../../src/errors.js';
import type { OpenOptions } from '../../src/options.js';
import type { Store } from '../../src/store.js';
import { openPaged, openStore } from '../support/stores.js';

const SEGMENT_SIZE = 4096;
const LIMIT = 1 << 20;
/** Nothing leaves memory: these are stores that need all of theirs there. */
const RESIDENT = 0;
const figures = { stores: 0, taken: 0, refused: 0 };

/** Runs what may be refused for want of memory. Returns whether it was taken. */
function attempt(action: () => void): boolean {
  try {
    action();
    figures.taken++;
    return true;
  } catch (error) {
    if (!(error instanceof FullError)) throw error;
    figures.refused++;
    return false;
  }
}

function freeSize(store: Store): number {
  const { memory } = store.stats();
  return memory.reservedBytes - memory.bytes + memory.idleBytes;
}

/** Fills a store, each put taking a segment, until so many bytes are free. */
function fill(store: Store, free: number, model: Map<string, number>): void {
  for (let index = 0; freeSize(store) > free; index++) {
    if (!attempt(() => store.putSync(`filler${index}`, new Uint8Array(3000).fill(index)))) return;
    model.set(`filler${index}`, index & 255);
  }
}

function shownIn(store: Store): Map<string, number> {
  return new Map([...store.scan()].map(({ key, value }) => [key as string, value instanceof Uint8Array ? value[0]! : (value as number)]));
}

/** Everything that takes memory, each step on its own. */
function useMemory(store: Store, model: Map<string, number>): void {
  const put = (key: string, value: number): void => {
    if (attempt(() => store.putSync(key, value))) model.set(key, value);
  };
  put('first', 1);
  const snapshots: { close(): void }[] = [];
  const hold = (): boolean => attempt(() => snapshots.push(store.snapshot()));
  hold();
  for (let round = 0; round < 3; round++) put('first', 2 + round);
  attempt(() => [...store.keys()]);
  for (let index = 0; index < 40; index++) put(`key${index}`, index);
  attempt(() => [...store.keys({ reverse: true, gte: 'key1', limit: 5 })]);
  if (attempt(() => store.batchSync([{ type: 'put', key: 'a', value: new Uint8Array(9000).fill(3) }, { type: 'put', key: 'first', value: 9 }, { type: 'delete', key: 'key1' }]))) {
    model.set('a', 3).set('first', 9).delete('key1');
  }
  hold();
  const isCommitted = attempt(() => {
    store.transactSync((tx) => {
      for (let index = 0; index < 60; index++) tx.get(`absent${index}`);
      tx.put('b', new Uint8Array(5000).fill(4));
      for (let index = 0; index < 20; index++) tx.put(`key${index}`, 100 + index);
      expect([...tx.keys({ gte: 'key', lt: 'key9' })].length).toBeGreaterThan(0);
      tx.delete('key2');
    });
  });
  if (isCommitted) {
    model.set('b', 4);
    for (let index = 0; index < 20; index++) model.set(`key${index}`, 100 + index);
    model.delete('key2');
  }
  const watchers: AsyncDisposable[] = [];
  attempt(() => watchers.push(store.watch({ gte: 'key', lt: 'kez' })));
  for (let index = 0; index < 20; index++) {
    const name = `key${index}`;
    if (attempt(() => store.deleteSync(name))) model.delete(name);
    put(name, index);
  }
  attempt(() => [...store.history('first')]);
  for (const snapshot of snapshots) snapshot.close();
  for (const watcher of watchers) void watcher[Symbol.asyncDispose]();
}

const worlds: readonly (readonly [string, OpenOptions])[] = [['the newest versions', {}], ['all history', { history: 'all' }]];
for (const [name, options] of worlds) {
  test(`a store that keeps ${name} is refused memory at every block, and nothing is lost`, async () => {
    for (let blocks = 0; blocks < 48; blocks++) {
      const device = new MemoryDevice();
      const store = openPaged(device, { segmentSize: SEGMENT_SIZE, memory: { initial: LIMIT, limit: LIMIT }, ...options }, 1, RESIDENT);
      figures.stores++;
      const model = new Map<string, number>();
      fill(store, blocks * SEGMENT_SIZE, model);
      useMemory(store, model);
      // The structures are looked at first; reading the file takes a block, which may be one too many.
      await store.verify().catch((error: unknown) => expect(error).toBeInstanceOf(FullError));
      for (const [key, value] of model) {
        const found = store.get(key);
        expect(found instanceof Uint8Array ? found[0] : found, `${blocks} blocks, ${key}`).toBe(value);
      }
      await store.close();
      const again = openStore(new MemoryDevice(device.bytes()), options);
      expect(shownIn(again), `${blocks} blocks, opened again`).toEqual(new Map([...model].sort(([one], [other]) => (one < other ? -1 : 1))));
      await again.verify();
      await again.close();
    }
  });
}

test('a file is opened with every amount of memory: it is refused and left alone, or all of it is there', async () => {
  const device = new MemoryDevice();
  const made = openStore(device, { segmentSize: SEGMENT_SIZE });
  for (let index = 0; index < 3000; index++) made.putSync(`key${index}`, index);
  for (let index = 0; index < 500; index++) made.putSync(`key${index}`, new Uint8Array(1500).fill(index));
  await made.close();
  const image = device.bytes();
  for (const options of [{}, { history: 'all' as const }, { readOnly: true }, { salvage: true }]) {
    for (let limit = LIMIT; limit <= 5 * LIMIT; limit += 65536) {
      const copy = new MemoryDevice(image);
      let store: Store | undefined;
      if (!attempt(() => (store = openPaged(copy, { create: false, memory: { initial: LIMIT, limit }, ...options }, 1, RESIDENT)))) {
        expect(Buffer.compare(copy.bytes(), image)).toBe(0);
        continue;
      }
      expect(store!.get('key2999')).toBe(2999);
      expect(store!.get('key7')).toHaveLength(1500);
      attempt(() => expect(store!.count()).toBe(3000));
      await store!.close();
    }
  }
});

afterAll(() => {
  process.stdout.write(`memory refused: ${figures.stores} stores filled to the last block, ${figures.taken} steps taken, ${figures.refused} refused\n`);
});
