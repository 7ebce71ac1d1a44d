/**
 * Sessions that append to lists, step by step and in a random order: transactions of reads, scans, appends and deletes, snapshots that stay open, and writes without a transaction. What they
 * find becomes a history. All of them end within it, so that histories can be checked one by one, however long a run is.
 */
import { CasError, ConflictError, type Isolation, type Key, type Keyspace, type Snapshot, type Store, type Transaction, type ValueCodec } from '../../src/index.js';
import type { Act, List, ListHistory, Txn } from './list-history.js';
import type { Random } from './random.js';

/** Lists as four bytes an element. */
export const LISTS: ValueCodec<readonly number[]> = {
  name: 'lists',
  encode: (list) => new Uint8Array(Int32Array.from(list).buffer),
  decode(bytes) {
    const list: number[] = [];
    for (let at = 0; at < bytes.length; at += 4) list.push(bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
    return list;
  },
};

/** Keys come in groups: neighbours in one order, all of one keyspace, and only a few of which exist at first. */
export const GROUP_SIZE = 8;
/** After so many appends a group is left alone, and another takes its place: lists stay short. */
const GROUP_APPENDS = 48;

export interface Shape {
  readonly sessions: number;
  /** How many groups are in use at a time. */
  readonly groups: number;
  readonly txns: number;
  readonly isolation: Isolation | 'mixed';
}

type Lists = readonly number[];

/** What a session has begun. */
interface Running {
  readonly view: Transaction<Lists> | Snapshot<Lists>;
  readonly isSnapshot: boolean;
  readonly isolation: Isolation;
  readonly acts: Act[];
  readonly invoked: number;
  readonly begin: number;
  stepsLeft: number;
}

/** Where a key is: the store itself, or the keyspace of every other group. */
export class ListKeys {
  readonly #odd: Keyspace<Lists>;

  /** Keys of different bases are different keys. */
  constructor(readonly db: Store<Lists>, readonly base: number) {
    this.#odd = db.keyspace<Lists>('odd');
  }

  isOdd(key: number): boolean {
    return (Math.floor(key / GROUP_SIZE) & 1) === 1;
  }

  nameOf(key: number): Key {
    return this.base + key;
  }

  /** What a transaction sees of the place of a key. */
  of(tx: Transaction<Lists>, key: number): Pick<Transaction<Lists>, 'get' | 'getEntry' | 'put' | 'delete' | 'cas' | 'scan'> {
    return this.isOdd(key) ? tx.in(this.#odd) : tx;
  }

  ofSnapshot(snapshot: Snapshot<Lists>, key: number): Pick<Snapshot<Lists>, 'get' | 'scan'> {
    return this.isOdd(key) ? snapshot.in(this.#odd) : snapshot;
  }

  ofStore(key: number): Pick<Store<Lists>, 'get' | 'getEntry' | 'putSync' | 'casSync' | 'put' | 'cas'> {
    return this.isOdd(key) ? this.#odd : this.db;
  }
}

/** What is in use: which keys a session may choose, and which elements and events have been given out. */
export class ListSpace {
  readonly #active: number[];
  readonly #appends: number[] = [];
  #groupCount: number;
  elementCount = 0;
  eventCount = 0;

  constructor(readonly random: Random, groups: number) {
    this.#groupCount = groups;
    this.#active = Array.from({ length: groups }, (_, group) => group);
  }

  get keyCount(): number {
    return this.#groupCount * GROUP_SIZE;
  }

  /** A key that is in use. */
  key(): number {
    return this.random.pick(this.#active) * GROUP_SIZE + this.random.below(GROUP_SIZE);
  }

  event(): number {
    return this.eventCount++;
  }

  /** An element that nobody has appended. */
  element(key: number): number {
    const group = Math.floor(key / GROUP_SIZE);
    const appends = (this.#appends[group] ?? 0) + 1;
    this.#appends[group] = appends;
    const place = appends === GROUP_APPENDS ? this.#active.indexOf(group) : -1;
    if (place >= 0) this.#active[place] = this.#groupCount++;
    return this.elementCount++;
  }

  historyOf(txns: readonly Txn[]): ListHistory {
    return { txns, keyCount: this.keyCount, elementCount: this.elementCount, eventCount: this.eventCount };
  }
}

/** Random acts of a transaction, on the store and in its record. */
export class ListActor {
  constructor(readonly keys: ListKeys, readonly space: ListSpace) {}

  scan(view: Pick<Transaction<Lists>, 'scan'>, acts: Act[], from: number, to: number): void {
    const found: number[] = [];
    const lists: Lists[] = [];
    for (const { key, value } of view.scan({ gte: this.keys.nameOf(from), lt: this.keys.nameOf(to) })) {
      found.push((key as number) - this.keys.base);
      lists.push(value);
    }
    acts.push({ kind: 'scan', from, to, keys: found, lists });
  }

  /** A part of the group of a key. */
  scanAround(view: Pick<Transaction<Lists>, 'scan'>, acts: Act[], key: number): void {
    const low = key - (key % GROUP_SIZE);
    const from = low + this.space.random.below(GROUP_SIZE / 2);
    this.scan(view, acts, from, from + 1 + this.space.random.below(low + GROUP_SIZE - from));
  }

  read(view: Pick<Transaction<Lists>, 'get'>, acts: Act[], key: number): List {
    const list = view.get(this.keys.nameOf(key));
    acts.push({ kind: 'read', key, list });
    return list;
  }

  append(tx: Transaction<Lists>, acts: Act[], key: number): void {
    const view = this.keys.of(tx, key);
    const name = this.keys.nameOf(key);
    const element = this.space.element(key);
    const entry = view.getEntry(name);
    acts.push({ kind: 'read', key, list: entry?.value }, { kind: 'append', key, element });
    const list = entry === undefined ? [element] : [...entry.value, element];
    // A cas from the version that was seen asks for no more than the transaction does anyway. What the transaction has written itself has none.
    if (entry !== undefined && entry.version > 0 && this.space.random.chance(0.2)) view.cas(name, entry.version, list);
    else view.put(name, list);
  }

  /** A transaction that deletes also appends elsewhere, so that somebody can see that it was there. */
  delete(tx: Transaction<Lists>, acts: Act[], key: number, other: number): void {
    const view = this.keys.of(tx, key);
    this.read(view, acts, key);
    view.delete(this.keys.nameOf(key));
    acts.push({ kind: 'delete', key });
    this.append(tx, acts, other === key ? key - (key % GROUP_SIZE) + ((key + 1) % GROUP_SIZE) : other);
  }

  act(tx: Transaction<Lists>, acts: Act[]): void {
    const { random } = this.space;
    const key = this.space.key();
    const choice = random.below(20);
    if (choice < 7) this.read(this.keys.of(tx, key), acts, key);
    else if (choice < 10) this.scanAround(this.keys.of(tx, key), acts, key);
    else if (choice < 19) this.append(tx, acts, key);
    else this.delete(tx, acts, key, this.space.key());
  }

  /** Reads every key there is, in one transaction. */
  readAll(db: Store<Lists>, isolation: Isolation): Txn {
    const acts: Act[] = [];
    const invoked = this.space.event();
    const tx = db.begin({ isolation });
    for (let key = 0; key < this.space.keyCount; key += GROUP_SIZE) this.scan(this.keys.of(tx, key), acts, key, key + GROUP_SIZE);
    tx.commitSync();
    return { isolation, acts, status: 'committed', invoked, completed: this.space.event(), begin: tx.version, version: 0 };
  }
}

/** One history of sessions that take turns. */
export class ListAppend {
  readonly #db: Store<Lists>;
  readonly #shape: Shape;
  readonly #space: ListSpace;
  readonly #actor: ListActor;
  readonly #txns: Txn[] = [];
  readonly #sessions: (Running | undefined)[];
  #open = 0;

  /** Keys of different bases are different keys. With `actual`, transactions really run at that level. */
  constructor(db: Store<Lists>, shape: Shape, random: Random, base: number, readonly actual?: Isolation) {
    this.#db = db;
    this.#shape = shape;
    this.#space = new ListSpace(random, shape.groups);
    this.#actor = new ListActor(new ListKeys(db, base), this.#space);
    this.#sessions = Array.from({ length: shape.sessions });
  }

  get #isolation(): Isolation {
    const { isolation } = this.#shape;
    return isolation === 'mixed' ? this.#space.random.pick(['serializable', 'snapshot'] as const) : isolation;
  }

  #begin(session: number): void {
    const { random } = this.#space;
    const isSnapshot = random.chance(0.05);
    const invoked = this.#space.event();
    const isolation = isSnapshot ? 'serializable' : this.#isolation;
    const view = isSnapshot ? this.#db.snapshot() : this.#db.begin({ isolation: this.actual ?? isolation });
    this.#sessions[session] = { view, isSnapshot, isolation, acts: [], invoked, begin: view.version, stepsLeft: 1 + random.below(5) };
    this.#open++;
  }

  #end(session: number, { view, isSnapshot, isolation, acts, invoked, begin }: Running): void {
    this.#sessions[session] = undefined;
    this.#open--;
    let status: Txn['status'] = 'committed';
    let version = 0;
    if (isSnapshot) (view as Snapshot<Lists>).close();
    else if (this.#space.random.chance(0.04)) {
      (view as Transaction<Lists>).abort();
      status = 'aborted';
    } else {
      try {
        version = (view as Transaction<Lists>).commitSync();
      } catch (error) {
        if (!(error instanceof ConflictError || error instanceof CasError)) throw error;
        status = 'aborted';
      }
    }
    this.#txns.push({ isolation, acts, status, invoked, completed: this.#space.event(), begin, version });
  }

  /** A transaction that does not wait. */
  #transactSync(): void {
    const isolation = this.#isolation;
    const invoked = this.#space.event();
    let acts: Act[] = [];
    let begin = 0;
    this.#db.transactSync((tx) => {
      acts = [];
      begin = tx.version;
      for (let left = this.#space.random.below(3); left >= 0; left--) this.#actor.act(tx, acts);
    }, { isolation });
    // What was appended last is still there.
    const last = acts.findLast(({ kind }) => kind === 'append');
    const version = last?.kind === 'append' ? this.#actor.keys.ofStore(last.key).getEntry(this.#actor.keys.nameOf(last.key))!.version : 0;
    this.#txns.push({ isolation, acts, status: 'committed', invoked, completed: this.#space.event(), begin, version });
  }

  /** A read and a write without a transaction, between which nobody else can do anything. */
  #append(): void {
    const invoked = this.#space.event();
    const key = this.#space.key();
    const place = this.#actor.keys.ofStore(key);
    const name = this.#actor.keys.nameOf(key);
    const element = this.#space.element(key);
    const entry = place.getEntry(name);
    const list = [...(entry?.value ?? []), element];
    const version = this.#space.random.chance(0.5) ? place.putSync(name, list) : place.casSync(name, entry?.version ?? 0, list).version;
    const acts: Act[] = [{ kind: 'read', key, list: entry?.value }, { kind: 'append', key, element }];
    this.#txns.push({ isolation: 'serializable', acts, status: 'committed', invoked, completed: this.#space.event(), begin: version - 1, version });
  }

  /** Runs until so many transactions have ended, and then those that are open to their end. */
  run(): ListHistory {
    const { sessions, txns } = this.#shape;
    const { random } = this.#space;
    const isOver = (): boolean => this.#txns.length >= txns;
    while (!isOver() || this.#open > 0) {
      const session = random.below(sessions);
      const running = this.#sessions[session];
      if (running === undefined) {
        if (isOver()) continue;
        const choice = random.below(20);
        if (choice === 0) this.#transactSync();
        else if (choice === 1) this.#append();
        else this.#begin(session);
      } else if (running.stepsLeft-- === 0) this.#end(session, running);
      else if (running.isSnapshot) this.#look(running);
      else this.#actor.act(running.view as Transaction<Lists>, running.acts);
    }
    this.#txns.push(this.#actor.readAll(this.#db, 'serializable'));
    return this.#space.historyOf(this.#txns);
  }

  #look({ view, acts }: Running): void {
    const key = this.#space.key();
    const place = this.#actor.keys.ofSnapshot(view as Snapshot<Lists>, key);
    if (this.#space.random.chance(0.6)) this.#actor.read(place, acts, key);
    else this.#actor.scanAround(place as Pick<Transaction<Lists>, 'scan'>, acts, key);
  }
}
