/**
 * Sessions that append to lists and wait: for each other, for shared flushes, and for nothing when the power goes. A history spans several lives of a store on a simulated disk; what a crash left
 * in doubt is decided by what is found afterwards. Only promises decide who is next, so a history repeats.
 */
import { CasError, ConflictError, type Isolation, type Store, type Transaction } from '../../src/index.js';
import type { Durability } from '../../src/durability/commits.js';
import { LISTS, ListActor, ListKeys, ListSpace } from './list-append.js';
import type { Act, ListHistory, Txn } from './list-history.js';
import type { Random } from './random.js';
import { SimulatedDisk, type Choice } from './simulated-disk.js';
import { openStore } from './stores.js';

type Lists = readonly number[];

const NEVER = 3_600_000;

export interface LivesShape {
  readonly sessions: number;
  readonly groups: number;
  readonly txnsPerLife: number;
  readonly lives: number;
  /** Under `strict` the power goes at the end of a life, under `buffered` the process dies. */
  readonly durability: Exclude<Durability, 'relaxed'>;
  readonly isolation: Isolation | 'mixed';
}

/** A transaction that was begun. */
interface Attempt {
  readonly isolation: Isolation;
  readonly acts: Act[];
  readonly invoked: number;
  readonly begin: number;
  /** Whether its commit was called. */
  isCommitting: boolean;
}

const isReader = ({ acts }: { readonly acts: readonly Act[] }): boolean => acts.every(({ kind }) => kind === 'read' || kind === 'scan');

export interface LivesFigures {
  crashes: number;
  /** Transactions whose outcome nobody was told, and reads of what was not yet durable when the power went. */
  unknown: number;
  forgotten: number;
}

/** One life of a store, with all of its sessions. */
class Life {
  readonly txns: Txn[] = [];
  /** The highest version that somebody was told to be safe, and the highest that anybody has seen. */
  acknowledged = 0;
  highest = 0;
  #left: number;
  /** Committed, and not promised to survive a crash. */
  readonly #unsafe = new Set<Txn>();
  readonly #actor: ListActor;

  constructor(readonly db: Store<Lists>, readonly disk: SimulatedDisk, readonly space: ListSpace, readonly shape: LivesShape) {
    this.#left = shape.txnsPerLife;
    this.#actor = new ListActor(new ListKeys(db, 0), space);
  }

  /** Lets others go on, for a while. */
  async #pause(): Promise<void> {
    for (let turns = this.space.random.below(4); turns >= 0; turns--) await undefined;
  }

  #attempt(begin: number, isolation: Isolation): Attempt {
    this.highest = Math.max(this.highest, begin);
    return { isolation, acts: [], invoked: this.space.event(), begin, isCommitting: false };
  }

  #end({ isolation, acts, invoked, begin }: Attempt, status: Txn['status'], version = 0): void {
    this.txns.push({ isolation, acts, status, invoked, completed: status === 'unknown' ? Infinity : this.space.event(), begin, version });
    this.highest = Math.max(this.highest, version);
  }

  /** A commit that was awaited is as safe as the mode says; one that did not wait is so under `strict`. */
  #commit(attempt: Attempt, version: number, wasAwaited: boolean): void {
    this.#end(attempt, 'committed', version);
    if (wasAwaited || this.shape.durability === 'strict') this.acknowledged = Math.max(this.acknowledged, version);
    else this.#unsafe.add(this.txns.at(-1)!);
  }

  /** What is known of a transaction when the store has crashed. */
  afterCrash(txn: Txn): Txn {
    const isReading = isReader(txn);
    // Reads see a write as soon as it is applied. What was not safe yet may be taken back, and with it what they found.
    if (txn.begin > this.acknowledged && (txn.status === 'aborted' || (txn.status === 'committed' && isReading))) return { ...txn, acts: txn.acts.filter(({ kind }) => kind === 'append' || kind === 'delete') };
    return !isReading && this.#unsafe.has(txn) && txn.version > this.acknowledged ? { ...txn, status: 'unknown', completed: Infinity } : txn;
  }

  /** What an error says of an attempt. Only a commit whose answer did not come is in doubt. */
  #fail(attempt: Attempt, error: unknown): void {
    const isRefused = error instanceof ConflictError || error instanceof CasError;
    this.#end(attempt, isRefused || !attempt.isCommitting || isReader(attempt) ? 'aborted' : 'unknown');
  }

  async #act(tx: Transaction<Lists>, { acts }: Attempt): Promise<void> {
    for (let left = this.space.random.below(4); left >= 0; left--) {
      this.#actor.act(tx, acts);
      await this.#pause();
    }
  }

  async #manual(isolation: Isolation, isSync: boolean): Promise<void> {
    const tx = this.db.begin({ isolation });
    const attempt = this.#attempt(tx.version, isolation);
    try {
      await this.#act(tx, attempt);
      if (this.space.random.chance(0.05)) {
        tx.abort();
        this.#end(attempt, 'aborted');
        return;
      }
      attempt.isCommitting = true;
      this.#commit(attempt, isSync ? tx.commitSync() : await tx.commit(), !isSync);
    } catch (error) {
      this.#fail(attempt, error);
    }
  }

  /** The version of the commit that has just been made by a transaction that did not wait; what it appended last is still there. */
  #versionOf({ acts }: Attempt): number {
    const last = acts.findLast(({ kind }) => kind === 'append');
    return last?.kind === 'append' ? this.#actor.keys.ofStore(last.key).getEntry(this.#actor.keys.nameOf(last.key))!.version : 0;
  }

  /** With one rerun, which does not wait for a timer. */
  async #transact(isolation: Isolation): Promise<void> {
    let attempt: Attempt | undefined;
    try {
      await this.db.transact(async (tx) => {
        if (attempt !== undefined) this.#end(attempt, 'aborted');
        attempt = this.#attempt(tx.version, isolation);
        await this.#act(tx, attempt);
        attempt.isCommitting = true;
      }, { isolation, retries: 1 });
      this.#commit(attempt!, 0, true);
    } catch (error) {
      if (attempt !== undefined) this.#fail(attempt, error);
    }
  }

  #transactSync(isolation: Isolation): void {
    let attempt: Attempt | undefined;
    try {
      this.db.transactSync((tx) => {
        attempt = this.#attempt(tx.version, isolation);
        for (let left = this.space.random.below(3); left >= 0; left--) this.#actor.act(tx, attempt.acts);
        attempt.isCommitting = true;
      }, { isolation });
      this.#commit(attempt!, this.#versionOf(attempt!), false);
    } catch (error) {
      if (attempt !== undefined) this.#fail(attempt, error);
    }
  }

  /** A read and a write without a transaction; nobody comes between, and the answer comes later. */
  async #append(): Promise<void> {
    const attempt = this.#attempt(this.db.stats().version, 'serializable');
    try {
      const key = this.space.key();
      const place = this.#actor.keys.ofStore(key);
      const name = this.#actor.keys.nameOf(key);
      const entry = place.getEntry(name);
      attempt.acts.push({ kind: 'read', key, list: entry?.value });
      const element = this.space.element(key);
      const list = [...(entry?.value ?? []), element];
      attempt.acts.push({ kind: 'append', key, element });
      attempt.isCommitting = true;
      const version = this.space.random.chance(0.5) ? await place.put(name, list) : (await place.cas(name, entry?.version ?? 0, list)).version;
      this.#commit(attempt, version, true);
    } catch (error) {
      this.#fail(attempt, error);
    }
  }

  /** Whether the store still serves. */
  get #isAlive(): boolean {
    try {
      this.db.has(-1);
      return true;
    } catch {
      return false;
    }
  }

  async #session(): Promise<void> {
    while (this.#left > 0 && this.#isAlive) {
      this.#left--;
      const { isolation: level } = this.shape;
      const isolation = level === 'mixed' ? this.space.random.pick(['serializable', 'snapshot'] as const) : level;
      const choice = this.space.random.below(20);
      if (choice < 8) await this.#manual(isolation, false);
      else if (choice < 10) await this.#manual(isolation, true);
      else if (choice < 16) await this.#transact(isolation);
      else if (choice < 17) this.#transactSync(isolation);
      else await this.#append();
      await this.#pause();
    }
  }

  /** All sessions to their ends; flushes take so long as chance will have it. */
  async run(): Promise<void> {
    let isOver = false;
    const flushes = async (): Promise<void> => {
      while (!isOver) {
        for (let turns = this.space.random.below(40); turns >= 0; turns--) await undefined;
        this.disk.releaseFlushes(1);
      }
      this.disk.holdFlushes = false;
      this.disk.releaseFlushes();
    };
    this.disk.holdFlushes = true;
    const released = flushes();
    await Promise.all(Array.from({ length: this.shape.sessions }, () => this.#session()));
    isOver = true;
    await released;
  }
}

/** What a crash may leave of the disk. */
function imageOf(disk: SimulatedDisk, random: Random): Uint8Array {
  const choices: readonly Choice[] = ['none', 'all', random, random, random.below(disk.pendingCount + 1)];
  return disk.image(random.pick(choices));
}

/** A history of several lives. */
export async function liveWithLists(shape: LivesShape, random: Random, seed: number, figures: LivesFigures): Promise<ListHistory> {
  const space = new ListSpace(random, shape.groups);
  const txns: Txn[] = [];
  let image: Uint8Array = new Uint8Array(0);
  let highest = 0;
  for (let number = 0; ; number++) {
    const isLast = number === shape.lives - 1;
    const disk = new SimulatedDisk(image);
    const db = openStore(disk, { durability: shape.durability, flushInterval: NEVER, segmentSize: 8192, values: LISTS as never }, seed + number) as Store<Lists>;
    const life = new Life(db, disk, space, shape);
    // From one operation on the device takes nothing more.
    if (!isLast) disk.failures = [{ at: disk.operations + 10 + random.below(shape.txnsPerLife), kind: 'io', isSticky: true }];
    await life.run();
    if (txns.length > 0 && life.txns.some(({ version }) => version > 0 && version <= highest)) throw new Error(`a version up to ${highest} was given again after a crash (T17)`);
    highest = Math.max(highest, life.highest);
    if (isLast) {
      txns.push(...life.txns, new ListActor(new ListKeys(db, 0), space).readAll(db, 'serializable'));
      await db.close();
      return space.historyOf(txns);
    }
    figures.crashes++;
    for (const txn of life.txns) {
      const left = life.afterCrash(txn);
      if (left.status === 'unknown') figures.unknown++;
      if (left.acts.length < txn.acts.length) figures.forgotten++;
      txns.push(left);
    }
    image = shape.durability === 'buffered' ? disk.processImage() : imageOf(disk, random);
    await db.close().catch(() => undefined);
  }
}
