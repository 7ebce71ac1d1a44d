/** Slots that are used again while commits overlap with flushes: nothing may be zeroed that a header still lists which a power loss can bring back. */
import { afterAll, expect, test } from 'vitest';
import { images } from '../support/crash-images.js';
import { Random, seedOf } from '../support/random.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';

const VALUE_SIZE = 3000;
const KEY_COUNT = 3;
const ROUNDS = 7;
/** Commits that are applied while a flush is on its way: each takes a segment of 4 KiB. */
const COMMITS_A_FLUSH = 4;

/** Lets the promises that are due take their course. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let opened = 0;

test('a slot is zeroed only when a header is durable that does without its segment, also when several segments were begun during one flush (L6; F-06, F-09)', async () => {
  const seed = seedOf(5);
  const random = new Random(seed);
  const disk = new SimulatedDisk();
  const store = openStore(disk, { segmentSize: 4096 });
  const acknowledged = new Map<string, number>();
  let due: { readonly image: Uint8Array; readonly promised: ReadonlyMap<string, number>; readonly operation: number }[] = [];
  disk.onOperation = (operation) => due.push(...images(disk, random).map((image) => ({ image, promised: new Map(acknowledged), operation })));
  disk.holdFlushes = true;
  for (let number = 0; number < ROUNDS * COMMITS_A_FLUSH; number++) {
    const key = `key${number % KEY_COUNT}`;
    void store.put(key, new Uint8Array(VALUE_SIZE).fill(number + 1)).then(() => acknowledged.set(key, number + 1));
    await turn();
    if (number % COMMITS_A_FLUSH === COMMITS_A_FLUSH - 1) {
      disk.releaseFlushes();
      await turn();
    }
    for (const { image, promised, operation } of due) {
      const where = `seed ${seed}, commit ${number}, operation ${operation}`;
      const found = openStore(SimulatedDisk.fromImage(image));
      for (const [name, least] of promised) expect((found.get(name) as Uint8Array)[0], where).toBeGreaterThanOrEqual(least);
      await found.close();
      opened++;
    }
    due = [];
  }
  disk.onOperation = undefined;
  disk.holdFlushes = false;
  disk.releaseFlushes();
  await store.close();
  expect(acknowledged.size).toBe(KEY_COUNT);
});

afterAll(() => {
  process.stdout.write(`images of slots used again: ${opened}\n`);
});
