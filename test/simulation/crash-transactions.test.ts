/**
 * The power goes at every device operation of a workload of transactions, small ones and such as take several segments with values in parts. What is found again is the store after one of the
 * commits that were begun, whole, and not before the last that was acknowledged. And transactions of a million writes: whole, or not at all.
 */
import { afterAll, expect, test } from 'vitest';
import type { BatchOperation } from '../../src/batch.js';
import type { Durability } from '../../src/durability/commits.js';
import { FullError, open, type Store, type Transaction } from '../../src/index.js';
import { images } from '../support/crash-images.js';
import { applyToModel, difference, type State } from '../support/model.js';
import { Random, seedOf } from '../support/random.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';

const SEGMENT_SIZE = 4096;
const KEY_COUNT = 16;
/** No timer runs within a test: what is flushed, the test flushes. */
const NEVER = 3_600_000;

const isExhaustive = process.env['VARVE_EXHAUSTIVE'] !== undefined;
/** For one test, in milliseconds. */
const LIMIT = isExhaustive ? 3_600_000 : 120_000;
const figures = { points: 0, images: 0, cut: 0, commits: 0, segments: 0 };

type Write = BatchOperation<unknown> & { readonly key: string };

/** The writes of a transaction: a few, or many with values of up to two segments each. */
function randomWrites(random: Random, isLarge: boolean): Write[] {
  const writes: Write[] = [];
  for (let count = isLarge ? 6 + random.below(8) : 1 + random.below(4); count > 0; count--) {
    const key = `key${random.below(KEY_COUNT)}`;
    if (random.chance(0.15)) writes.push({ type: 'delete', key });
    else writes.push({ type: 'put', key, value: random.bytes(random.below(isLarge ? 2 * SEGMENT_SIZE : 120)) });
  }
  return [...writes, { type: 'put', key: `key${random.below(KEY_COUNT)}`, value: 'one that has an effect' }];
}

interface Found {
  readonly where: string;
  readonly image: Uint8Array;
  /** The states that commits have left, or would, and the first of them that may be found. */
  readonly states: readonly State[];
  readonly promised: number;
  readonly lastVersion: number;
}

/** Opens an image. It holds one of the states, a prefix of the commits: whole, and none left out. Where recovery has cut a tail, what is written behind the cut is found by the next one. */
async function examine({ where, image, states, promised, lastVersion }: Found): Promise<void> {
  figures.images++;
  const disk = new SimulatedDisk(image);
  const store = openStore(disk, { durability: 'relaxed', flushInterval: NEVER, segmentSize: SEGMENT_SIZE }, 3);
  let index = states.length - 1;
  while (index >= promised && difference(store, states[index]!, KEY_COUNT) !== undefined) index--;
  if (index < promised) throw new Error(`${where}: none of the ${states.length - promised} allowed states; ${difference(store, states.at(-1)!, KEY_COUNT)}`);
  const tx = store.begin();
  tx.put('after', 'the crash');
  const version = tx.commitSync();
  expect(version, `${where}: T17`).toBeGreaterThan(lastVersion);
  await store.verify();
  await store.close();
  if (store.recovery.dropped === undefined) return;
  figures.cut++;
  const again = openStore(new SimulatedDisk(disk.image('none')), {});
  const expected = applyToModel(states[index]!, { type: 'put', key: 'after', value: 'the crash' }, version);
  expect(difference(again, expected, KEY_COUNT), `${where}: after the next commit, and a restart`).toBeUndefined();
  expect(again.getEntry('after')).toEqual({ key: 'after', value: 'the crash', version });
  await again.close();
}

/** A store on a disk, with every state that its commits leave, and all that a power loss at each operation may leave. */
class Workload {
  readonly disk = new SimulatedDisk();
  readonly store: Store;
  readonly states: State[] = [new Map()];
  /** The last state that may not be lost any more. */
  promised = 0;
  #lastVersion = 0;
  #begun: State | undefined;
  #found: Found[] = [];
  readonly #random: Random;

  constructor(readonly seed: number, readonly durability: Durability) {
    this.#random = new Random(seed);
    this.disk.onOperation = (number, operation) => {
      if (operation !== 'read') this.#cut(`operation ${number}, ${operation}`, images(this.disk, new Random(seed * 7919 + number)));
    };
    this.store = openStore(this.disk, { durability, flushInterval: NEVER, segmentSize: SEGMENT_SIZE }, seed);
  }

  #cut(point: string, cuts: readonly Uint8Array[], promised = this.promised): void {
    figures.points++;
    const states = this.#begun === undefined ? this.states.slice() : [...this.states, this.#begun];
    const lastVersion = this.#lastVersion;
    for (const [index, image] of cuts.entries()) {
      this.#found.push({ where: `seed ${this.seed}, ${this.durability}, ${point}, image ${index} (replay with VARVE_SEED=${this.seed})`, image, states, promised, lastVersion });
    }
  }

  /** Runs writes in a transaction, up to its commit. */
  write(isLarge: boolean): { readonly tx: Transaction; readonly writes: readonly Write[] } {
    const tx = this.store.begin({ isolation: this.#random.chance(0.5) ? 'serializable' : 'snapshot' });
    const writes = randomWrites(this.#random, isLarge);
    for (const write of writes) {
      if (write.type === 'put') tx.put(write.key, write.value);
      else tx.delete(write.key);
    }
    return { tx, writes };
  }

  /** Notes what a commit leaves, also while it is on its way. */
  commit<T>(writes: readonly Write[], apply: () => T): T {
    const version = this.#lastVersion + 1;
    this.#begun = applyToModel(this.states.at(-1)!, { type: 'batch', operations: writes }, version);
    const result = apply();
    this.states.push(this.#begun);
    this.#begun = undefined;
    this.#lastVersion = version;
    figures.commits++;
    return result;
  }

  /** Everything committed so far was promised to survive a power loss. */
  promise(): void {
    this.promised = this.states.length - 1;
  }

  /** The power goes between two operations, when someone was told of a commit. */
  cutPower(): void {
    this.#cut('between operations', images(this.disk, new Random(this.seed)));
  }

  /** The process dies, and the machine does not: everything that was acknowledged is there. */
  cutProcess(): void {
    this.#cut('the process died', [this.disk.processImage()], this.states.length - 1);
  }

  async examine(): Promise<void> {
    for (const found of this.#found.splice(0)) await examine(found);
  }

  async end(): Promise<void> {
    figures.segments = Math.max(figures.segments, this.store.stats().log.segments);
    this.disk.onOperation = undefined;
    await this.store.close();
  }
}

const seeds = (): number[] => Array.from({ length: isExhaustive ? 40 : 2 }, (_, index) => seedOf(600) + index);

test('strict: a transaction that has returned survives, one that was on its way is there whole or not at all (T1, T14, L6)', async () => {
  for (const seed of seeds()) {
    const work = new Workload(seed, 'strict');
    for (let number = 0; number < 12; number++) {
      const { tx, writes } = work.write(number % 4 === 3);
      if (number % 5 === 4) tx.abort();
      else {
        expect(work.commit(writes, () => tx.commitSync())).toBe(work.states.length - 1);
        work.promise();
      }
      await work.examine();
    }
    await work.end();
  }
}, LIMIT);

test('strict: of transactions that share a flush a prefix is there, in the order of their commits (L6, T17)', async () => {
  for (const seed of seeds()) {
    const work = new Workload(seed, 'strict');
    for (let round = 0; round < 4; round++) {
      const commits: Promise<number>[] = [];
      work.disk.holdFlushes = true;
      for (let number = 0; number < 4; number++) {
        const { tx, writes } = work.write(round % 2 === 1 && number === 2);
        commits.push(work.commit(writes, () => tx.commit()));
      }
      const last = work.states.length - 1;
      const all = Promise.all(commits).then((versions) => {
        work.promise();
        return versions;
      });
      // The flush is on its way. Whoever is told before it ends is told too early.
      for (let turn = 0; turn < 30; turn++) await Promise.resolve();
      work.cutPower();
      work.disk.holdFlushes = false;
      work.disk.releaseFlushes();
      expect(await all).toEqual([last - 3, last - 2, last - 1, last]);
      work.cutPower();
      await work.examine();
    }
    await work.end();
  }
}, LIMIT);

test('buffered: an awaited transaction survives the process, and the power after a flush; before it a prefix is there (L6)', async () => {
  for (const seed of seeds()) {
    const work = new Workload(seed, 'buffered');
    for (let number = 0; number < 12; number++) {
      const { tx, writes } = work.write(number % 4 === 3);
      await work.commit(writes, () => tx.commit());
      work.cutProcess();
      if (number % 5 === 4) {
        await work.store.flush();
        work.promise();
      }
      await work.examine();
    }
    await work.end();
  }
}, LIMIT);

const MILLION = isExhaustive ? 4_000_000 : 1_000_000;

test('a transaction of a million writes commits whole, under one version (T1, T6)', async () => {
  const db = await open(':memory:');
  db.putSync(7, 'before');
  const tx = db.begin();
  for (let key = 0; key < MILLION; key++) tx.put(key, key * 2);
  expect([db.stats().keys, db.stats().version]).toEqual([1, 1]);
  expect(tx.commitSync()).toBe(2);
  expect([db.stats().keys, db.stats().version]).toEqual([MILLION, 2]);
  let right = 0;
  for (let key = 0; key < MILLION; key++) if (db.get(key) === key * 2) right++;
  expect(right).toBe(MILLION);
  for (let key = 0; key < MILLION; key += 997) expect(db.getEntry(key)).toEqual({ key, value: key * 2, version: 2 });
  await db.verify();
  await db.close();
}, LIMIT);

// The session of a transaction takes memory first, and its commit some more: one limit is met by each.
test.each([
  { at: 'a write', count: 1_000_000, limit: 64 << 20 },
  { at: 'the commit', count: 150_000, limit: 16 << 20 },
])('a transaction that is too large for the memory fails whole, at $at: nothing has changed, and the store goes on (T1, T14)', async ({ at, count, limit }) => {
  const db = await open(':memory:', { memory: { initial: 1 << 20, limit } });
  for (let key = 0; key < 100; key++) db.putSync(key, 'before');
  const before = db.stats();
  const tx = db.begin();
  const fill = (): void => {
    for (let key = 0; key < count; key++) tx.put(key, key);
  };
  if (at === 'a write') expect(fill).toThrow(FullError);
  else {
    fill();
    expect(() => tx.commitSync()).toThrow(FullError);
    expect(tx.isOpen).toBe(false);
  }
  tx.abort();
  expect(db.stats()).toMatchObject({ version: before.version, keys: before.keys, snapshots: { open: 0, oldVersions: 0 } });
  for (let key = 0; key < 100; key++) expect(db.getEntry(key)).toEqual({ key, value: 'before', version: key + 1 });
  expect(db.has(100)).toBe(false);
  await db.verify();
  // The memory is there again: a tenth of it commits, as often as one likes.
  for (let round = 0; round < 5; round++) {
    const version = db.stats().version + 1;
    db.transactSync((again) => {
      for (let key = 0; key < count / 10; key++) again.put(key, round);
    });
    expect(db.getEntry(0)).toEqual({ key: 0, value: round, version });
  }
  expect(db.stats().keys).toBe(count / 10);
  await db.verify();
  await db.close();
});

afterAll(() => {
  expect(figures.cut, 'tails were cut').toBeGreaterThan(1000);
  expect(figures.segments, 'transactions took several segments').toBeGreaterThan(5);
  process.stdout.write(`crashed transactions: ${figures.commits} commits, ${figures.images} images at ${figures.points} moments; recovery cut a tail in ${figures.cut}\n`);
});
