/**
 * Scans of the store, of snapshots and of transactions, over ranges of several keyspaces, forwards and backwards, each driven a few steps at a time while the store changes, values
 * expire and it is opened anew. Every result is held against a model, and every structure is verified after every mutation.
 */
import { expect, test } from 'vitest';
import { MemoryDevice } from '../../src/device/memory.js';
import { ConflictError } from '../../src/errors.js';
import type { Keyspace } from '../../src/keyspace.js';
import type { Entry } from '../../src/reader.js';
import type { Snapshot } from '../../src/snapshot.js';
import type { Store } from '../../src/store.js';
import type { Transaction } from '../../src/transaction.js';
import { KEYS, OrderedModel, SPACES, randomRange, type Seen, type Span } from '../support/ordered-model.js';
import { Random, seedOf } from '../support/random.js';
import { openStore } from '../support/stores.js';

interface Loop {
  readonly iterator: Iterator<Entry<unknown>>;
  readonly expected: Seen[];
  readonly where: string;
  index: number;
  /** What of the range counts as read. */
  readonly read: (lastIndex: number | undefined, isDone: boolean) => void;
  readonly limit: number;
}

interface Running {
  readonly tx: Transaction;
  readonly clock: number;
  readonly own: Map<string, { value: number | undefined; expiry: number | undefined }>;
  readonly spans: Map<object, { space: string; span: Span }>;
  loops: Loop[];
}

interface Fixed {
  readonly snapshot: Snapshot;
  readonly clock: number;
  loops: Loop[];
}

class Life {
  readonly #random: Random;
  readonly #seed: number;
  readonly #model = new OrderedModel();
  readonly #options: { durability: 'relaxed'; segmentSize: number };
  #device = new MemoryDevice();
  #store: Store;
  #keyspaces: (Keyspace | undefined)[] = [];
  #now = 1_700_000_000_000;
  #number = 0;
  #loops: Loop[] = [];
  #fixed: Fixed[] = [];
  #running: Running[] = [];
  readonly figures = { conflicts: 0, commits: 0, items: 0 };

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = new Random(seed);
    this.#options = { durability: 'relaxed', segmentSize: 4096 };
    this.#store = this.#open();
  }

  #open(): Store {
    const store = openStore(this.#device, this.#options, this.#seed, true, () => this.#now);
    this.#keyspaces = SPACES.map((name) => (name === '' ? undefined : store.keyspace(name)));
    return store;
  }

  get #where(): string {
    return `seed ${this.#seed}, step ${this.#number}`;
  }

  #in(space: number): Store | Keyspace {
    return this.#keyspaces[space] ?? this.#store;
  }

  #expiry(): number | undefined {
    return this.#random.chance(0.2) ? this.#now + 1 + this.#random.below(60) : undefined;
  }

  #write(): void {
    const space = this.#random.below(SPACES.length);
    const index = this.#random.below(KEYS.length);
    const name = SPACES[space]!;
    if (this.#random.chance(0.3)) {
      const existed = this.#model.seen(name, index, Infinity, this.#now) !== undefined;
      const version = this.#in(space).deleteSync(KEYS[index]!);
      expect(version !== 0, `${this.#where}: a delete`).toBe(existed);
      if (version !== 0) this.#model.change(name, index, version, undefined);
      return;
    }
    const expiry = this.#expiry();
    const version = this.#in(space).putSync(KEYS[index]!, this.#number, expiry === undefined ? undefined : { expiresAt: expiry });
    this.#model.change(name, index, version, this.#number, expiry);
  }

  /** What a scan must give, by the model. */
  #expect(space: number, span: Span, isReverse: boolean, limit: number, version: number, clock: number, own?: Running['own']): Seen[] {
    const found: Seen[] = [];
    for (let index = span.from; index < span.to; index++) {
      const written = own?.get(`${SPACES[space]}/${index}`);
      const seen = written === undefined
        ? this.#model.seen(SPACES[space]!, index, version, clock)
        : written.value === undefined ? undefined : { index, value: written.value, version: 0 };
      if (seen !== undefined) found.push(seen);
    }
    if (isReverse) found.reverse();
    return found.slice(0, limit);
  }

  #startLoop(): void {
    const { range, span, isReverse, limit } = randomRange(this.#random);
    const space = this.#random.below(SPACES.length);
    const choice = this.#random.below(3);
    const where = `${this.#where}: ${['store', 'snapshot', 'transaction'][choice]} ${SPACES[space]} ${JSON.stringify(range)}`;
    const loop = (iterator: Iterator<Entry<unknown>>, expected: Seen[], read: Loop['read']): Loop => ({ iterator, expected, where, index: 0, read, limit });
    const ignore = (): void => undefined;
    if (choice === 0) {
      const collection = this.#in(space);
      expect(collection.count(range), `${where}: count`).toBe(this.#expect(space, span, isReverse, limit, Infinity, this.#now).length);
      this.#loops.push(loop(collection.scan(range)[Symbol.iterator](), this.#expect(space, span, isReverse, limit, Infinity, this.#now), ignore));
    } else if (choice === 1 && this.#fixed.length > 0) {
      const one = this.#random.pick(this.#fixed);
      const view = space === 0 ? one.snapshot : one.snapshot.in(this.#keyspaces[space]!);
      one.loops.push(loop(view.scan(range)[Symbol.iterator](), this.#expect(space, span, isReverse, limit, one.snapshot.version, one.clock), ignore));
    } else if (choice === 2 && this.#running.length > 0) {
      const one = this.#random.pick(this.#running);
      const view = space === 0 ? one.tx : one.tx.in(this.#keyspaces[space]!);
      const token = {};
      one.loops.push(loop(view.scan(range)[Symbol.iterator](), this.#expect(space, span, isReverse, limit, one.tx.version, one.clock, one.own), (last, isDone) => {
        if (isDone) one.spans.set(token, { space: SPACES[space]!, span });
        else one.spans.set(token, { space: SPACES[space]!, span: isReverse ? { from: last!, to: span.to } : { from: span.from, to: last! + 1 } });
      }));
    }
  }

  /** Drives one loop a few steps. Returns false when it has ended. */
  #drive(loop: Loop): boolean {
    for (let steps = 1 + this.#random.below(12); steps > 0; steps--) {
      const { done, value } = loop.iterator.next();
      const expected = loop.expected[loop.index];
      const found = done ? undefined : { index: value.key, value: value.value, version: value.version };
      expect(found, `${loop.where}, item ${loop.index} at step ${this.#number} (T3, T4, T5)`).toEqual(expected === undefined ? undefined : { ...expected, index: KEYS[expected.index] });
      if (done) {
        // A limit that was reached says nothing of what lies behind.
        if (loop.index < loop.limit) loop.read(undefined, true);
        return false;
      }
      loop.index++;
      this.figures.items++;
      loop.read(expected!.index, false);
    }
    if (this.#random.chance(0.2)) {
      loop.iterator.return!();
      return false;
    }
    return true;
  }

  #commit(one: Running): void {
    this.#running.splice(this.#running.indexOf(one), 1);
    const isChanged = (space: string, index: number): boolean => this.#model.isChanged(space, index, one.tx.version, one.clock, this.#now);
    const spans = [...one.spans.values()].some(({ space, span }) => Array.from({ length: span.to - span.from }, (_, offset) => span.from + offset).some((index) => isChanged(space, index)));
    const written = [...one.own].map(([name, write]) => ({ space: name.split('/')[0]!, index: Number(name.split('/')[1]), ...write }));
    const conflicts = written.length > 0 && (one.tx.isolation === 'snapshot' ? written.some(({ space, index }) => isChanged(space, index)) : spans);
    let version = 0;
    let isConflict = false;
    try {
      version = one.tx.commitSync();
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      isConflict = true;
    }
    expect(isConflict, `${this.#where}: whether a commit conflicts (T7, T9, T16)`).toBe(conflicts);
    if (isConflict) this.figures.conflicts++;
    else this.figures.commits++;
    if (version === 0) return;
    for (const { space, index, value, expiry } of written) {
      if (value !== undefined || this.#model.seen(space, index, Infinity, this.#now) !== undefined) this.#model.change(space, index, version, value, expiry);
    }
  }

  #transact(): void {
    if (this.#running.length < 2 || (this.#running.length < 5 && this.#random.chance(0.2))) {
      const tx = this.#store.begin({ isolation: this.#random.chance(0.7) ? 'serializable' : 'snapshot' });
      this.#running.push({ tx, clock: this.#now, own: new Map(), spans: new Map(), loops: [] });
      return;
    }
    const one = this.#random.pick(this.#running);
    if (this.#random.chance(0.2)) {
      this.#commit(one);
      return;
    }
    const space = this.#random.below(SPACES.length);
    const index = this.#random.below(KEYS.length);
    const view = space === 0 ? one.tx : one.tx.in(this.#keyspaces[space]!);
    const isDelete = this.#random.chance(0.3);
    const expiry = isDelete ? undefined : this.#expiry();
    if (isDelete) view.delete(KEYS[index]!);
    else view.put(KEYS[index]!, this.#number, expiry === undefined ? undefined : { expiresAt: expiry });
    one.own.set(`${SPACES[space]}/${index}`, { value: isDelete ? undefined : this.#number, expiry });
  }

  #closeSnapshot({ snapshot, loops }: Fixed): void {
    snapshot.close();
    for (const { iterator, where } of loops) expect(() => iterator.next(), where).toThrow('The snapshot is closed');
  }

  async #reopen(): Promise<void> {
    this.#loops = [];
    this.#fixed = [];
    this.#running = [];
    await this.#store.close();
    this.#device = new MemoryDevice(this.#device.bytes());
    this.#store = this.#open();
    for (const [space, name] of SPACES.entries()) {
      const expected = this.#expect(space, { from: 0, to: KEYS.length }, false, Infinity, Infinity, this.#now);
      expect([...this.#in(space).scan()], `${this.#where}: ${name} after a reopen (L3)`).toEqual(expected.map(({ index, value, version }) => ({ key: KEYS[index], value, version })));
    }
    const names = SPACES.filter((name, space) => name !== '' && this.#expect(space, { from: 0, to: KEYS.length }, false, Infinity, Infinity, this.#now).length > 0);
    expect(this.#store.keyspaces(), this.#where).toEqual(names.toSorted());
  }

  async run(steps: number): Promise<void> {
    for (this.#number = 1; this.#number <= steps; this.#number++) {
      const choice = this.#random.below(40);
      if (choice < 14) this.#write();
      else if (choice < 20) this.#startLoop();
      else if (choice < 22) this.#now += this.#random.below(20);
      else if (choice < 30) this.#transact();
      else if (choice === 30 && this.#fixed.length < 5) this.#fixed.push({ snapshot: this.#store.snapshot(), clock: this.#now, loops: [] });
      else if (choice === 31 && this.#fixed.length > 3) this.#closeSnapshot(this.#fixed.splice(this.#random.below(this.#fixed.length), 1)[0]!);
      else if (choice === 32 && this.#random.chance(0.1)) await this.#reopen();
      else for (const owner of [{ loops: this.#loops }, ...this.#fixed, ...this.#running]) if (owner.loops.length > 0 && this.#random.chance(0.5)) {
        const loop = this.#random.pick(owner.loops);
        if (!this.#drive(loop)) owner.loops.splice(owner.loops.indexOf(loop), 1);
      }
    }
    for (const fixed of this.#fixed) this.#closeSnapshot(fixed);
    for (const { tx } of this.#running) tx.abort();
    for (const { iterator } of this.#loops) iterator.return!();
    for (let number = 0; number < 100; number++) this.#store.putSync('key', number);
    expect(this.#store.stats().snapshots, `seed ${this.#seed}: nothing is left behind`).toEqual({ open: 0, oldest: undefined, oldVersions: 0 });
  }
}

test('any scan, at any pace, beside any writes, shows one point in time; and conflicts are those of what was read', async () => {
  const base = seedOf(12_000);
  const total = { conflicts: 0, commits: 0, items: 0 };
  for (let seed = base; seed < base + 100; seed++) {
    const life = new Life(seed);
    await life.run(400);
    for (const name of ['conflicts', 'commits', 'items'] as const) total[name] += life.figures[name];
  }
  expect(total.items).toBeGreaterThan(5000);
  expect(total.conflicts).toBeGreaterThan(50);
  expect(total.commits).toBeGreaterThan(100);
});
