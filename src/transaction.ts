/**
 * A transaction: reads at the version at which it began, with its own writes, and a commit that takes effect whole or not at all. It lives across any `await`. Nothing that it writes
 * is seen by others, or is in the log, before it commits.
 */
import { undefinedValue } from './batch.js';
import type { Key } from './codec/key.js';
import type { ValueCodec } from './codec/value.js';
import type { EngineSession } from './engine/session.js';
import { InvalidArgumentError } from './errors.js';
import type { Hold, Holds } from './snapshots.js';

/** Which anomalies a commit excludes: all, or all but write skew. */
export type Isolation = 'serializable' | 'snapshot';

/** What a transaction needs of its store. */
export interface TransactionHost<V> {
  readonly codec: ValueCodec<V>;
  readonly holds: Holds;
  /** Throws where the store takes no writes. */
  checkWritable(): void;
  /** Turns what came out of the engine into what the caller is told. */
  caught(error: unknown): unknown;
  acknowledge(version: number): Promise<number>;
  settle(version: number): number;
}

const VERSION_MAX = 2 ** 48;

export class Transaction<V = unknown> {
  /** The version at which it reads. */
  readonly version: number;
  readonly isolation: Isolation;
  readonly #host: TransactionHost<V>;
  readonly #session: EngineSession;
  readonly #hold: Hold;

  /** @internal Use `db.begin()` or `db.transact()`. */
  constructor(host: TransactionHost<V>, session: EngineSession, isolation: Isolation, isWatched: boolean) {
    this.#host = host;
    this.#session = session;
    this.isolation = isolation;
    this.version = session.version;
    this.#hold = host.holds.add('transaction', session.version, session);
    if (isWatched) host.holds.watch(this, this.#hold);
  }

  /** Whether it has neither committed nor been aborted. */
  get isOpen(): boolean {
    return this.#host.holds.isOpen(this.#hold);
  }

  #run<T>(action: () => T): T {
    this.#host.holds.check(this.#hold);
    try {
      return action();
    } catch (error) {
      throw this.#host.caught(error);
    }
  }

  /** The value of a key as the transaction sees it, or undefined. Under `serializable`, the commit fails if the key is committed anew by then. @throws ClosedError, InvalidArgumentError, FullError. */
  get(key: Key): V | undefined {
    return this.#run(() => this.#session.get(key, this.#host.codec));
  }

  /** Whether the transaction sees a key. As `get`. */
  has(key: Key): boolean {
    return this.#run(() => this.#session.has(key));
  }

  /** The values of many keys. As `get`. */
  getMany(keys: Iterable<Key>): (V | undefined)[] {
    return Array.from(keys, (key) => this.get(key));
  }

  /** Puts a value, for the transaction alone until it commits. */
  put(key: Key, value: V): void {
    if (value === undefined) throw undefinedValue();
    this.#run(() => {
      this.#host.checkWritable();
      this.#session.put(key, value, this.#host.codec);
    });
  }

  /** Deletes a key, for the transaction alone until it commits. */
  delete(key: Key): void {
    this.#run(() => {
      this.#host.checkWritable();
      this.#session.delete(key);
    });
  }

  /**
   * Puts, or with `undefined` deletes, if the key has exactly this version when the transaction commits; 0 means that it must not exist then. It is no read: another commit to the key does not
   * conflict, and a mismatch makes the commit fail with `CasError`.
   */
  cas(key: Key, version: number, next: V | undefined): void {
    if (!Number.isInteger(version) || version < 0 || version >= VERSION_MAX) {
      throw new InvalidArgumentError('cas takes the version that the key is expected to have: a whole number, 0 for a key that must not exist.');
    }
    if (next === undefined) this.delete(key);
    else this.put(key, next);
    this.#session.expect(version);
  }

  #apply(): number {
    this.#host.holds.check(this.#hold);
    try {
      if (this.#session.isWriter) this.#host.checkWritable();
      return this.#session.commit(this.isolation === 'snapshot');
    } catch (error) {
      throw this.#host.caught(error);
    } finally {
      this.abort();
    }
  }

  /**
   * Commits: applied, and visible to all at once, when the call returns; the promise resolves with the version when the store's durability holds for it, with 0 where nothing was written. The
   * transaction is over, whatever comes out.
   * @throws (as a rejection) ConflictError, CasError, FullError, ClosedError: nothing was applied. OutcomeUnknownError: a flush failed.
   */
  async commit(): Promise<number> {
    return this.#host.acknowledge(this.#apply());
  }

  /** As `commit`, returning when `putSync` would. */
  commitSync(): number {
    return this.#host.settle(this.#apply());
  }

  /** Ends the transaction without a trace. Idempotent, and does nothing after a commit. */
  abort(): void {
    this.#host.holds.release(this.#hold);
  }

  /** Aborts what has not committed. */
  [Symbol.dispose](): void {
    this.abort();
  }
}
