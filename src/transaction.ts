/**
 * A transaction: reads at the version at which it began, with its own writes, and a commit that takes effect whole or not at all. It lives across any `await`. Nothing that it writes
 * is seen by others, or is in the log, before it commits.
 */
import { undefinedValue } from './batch.js';
import { checkExpected } from './collection.js';
import type { Key } from './codec/key.js';
import type { Space } from './codec/space.js';
import { EngineScan } from './engine/scan.js';
import type { EngineSession } from './engine/session.js';
import { expiryOf, type PutOptions } from './expiry.js';
import { Hold } from './holds.js';
import type { Kernel } from './kernel.js';
import type { Keyspace } from './keyspace.js';
import { spaceOf } from './ownership.js';
import type { Bounds } from './range.js';
import { Reader, type Entry, type Version } from './reader.js';
import type { OpenScan } from './scan.js';

/** Which anomalies a commit excludes: all, or all but write skew. */
export type Isolation = 'serializable' | 'snapshot';

/** What a transaction sees and does of the store itself, or of one of its keyspaces. */
export class TransactionView<V, K = Key, In = V> extends Reader<V, K> {
  /** @internal */
  protected readonly kernel: Kernel;
  /** @internal */
  protected readonly session: EngineSession;
  /** @internal */
  readonly hold: Hold;
  /** The transaction that this is a view of, which would otherwise be collected under it. */
  readonly #transaction: object | undefined;

  /** @internal */
  constructor(kernel: Kernel, space: Space<K, V>, session: EngineSession, hold: Hold, transaction: object | undefined) {
    super(space);
    this.kernel = kernel;
    this.session = session;
    this.hold = hold;
    this.#transaction = transaction;
  }

  /** The value of a key as the transaction sees it, or undefined. Under `serializable`, the commit fails if the key is committed anew by then. @throws ClosedError, FullError, and as `Collection.get`. */
  get(key: K): V | undefined {
    this.kernel.holds.check(this.hold);
    try {
      return this.session.get(key, this.space);
    } catch (error) {
      throw this.kernel.caught(error);
    }
  }

  /** Key, value and version as the transaction sees them, or undefined. As `get`. */
  getEntry(key: K): Entry<V, K> | undefined {
    this.kernel.holds.check(this.hold);
    try {
      const kind = this.session.find(key, this.space);
      if (kind < 0) return undefined;
      const version = this.kernel.engine.foundVersion;
      return { key, value: this.kernel.engine.found(kind, this.space.values), version };
    } catch (error) {
      throw this.kernel.caught(error);
    }
  }

  /** Whether the transaction sees a key. As `get`. */
  has(key: K): boolean {
    this.kernel.holds.check(this.hold);
    try {
      return this.session.find(key, this.space) >= 0;
    } catch (error) {
      throw this.kernel.caught(error);
    }
  }

  /** @internal Scans see the transaction's own writes as they were when the loop began. The range counts up to where it was read. */
  protected beginScan(bounds: Bounds, hasValues: boolean): OpenScan {
    const { kernel, hold } = this;
    kernel.holds.check(hold);
    let isOpen = true;
    try {
      const scan = new EngineScan(kernel.engine, bounds, { version: hold.version, clock: hold.clock, session: this.session.handle }, hasValues);
      return {
        scan,
        reader: this.#transaction ?? this,
        check: () => kernel.holds.check(hold),
        close: () => {
          // The session has given back its scans when it ended.
          const isLeft = isOpen && hold.isOpen;
          isOpen = false;
          if (isLeft) kernel.guard(() => scan.close());
        },
        caught: (error) => kernel.caught(error),
      };
    } catch (error) {
      throw kernel.caught(error);
    }
  }

  /** Puts a value, for the transaction alone until it commits. @throws InvalidArgumentError, TooLargeError, SchemaError, FullError, ReadOnlyError, ClosedError, PoisonedError. */
  put(key: K, value: In, options?: PutOptions): void {
    const { kernel, space } = this;
    kernel.holds.check(this.hold);
    if (value === undefined) throw undefinedValue();
    kernel.checkWritable();
    const checked = space.check(value);
    const expiry = options === undefined ? undefined : expiryOf(options, kernel.engine.now);
    try {
      this.session.put(key, checked, space, expiry);
    } catch (error) {
      throw kernel.caught(error);
    }
  }

  /** Deletes a key, for the transaction alone until it commits. @throws as `put`. */
  delete(key: K): void {
    this.kernel.holds.check(this.hold);
    this.kernel.checkWritable();
    try {
      this.session.delete(key, this.space);
    } catch (error) {
      throw this.kernel.caught(error);
    }
  }

  /**
   * Puts, or with `undefined` deletes, if the key has exactly this version when the transaction commits; 0 means that it must not exist then. It is no read: another commit to the key does not
   * conflict, and a mismatch makes the commit fail with `CasError`.
   */
  cas(key: K, version: Version, next: In | undefined, options?: PutOptions): void {
    checkExpected(version);
    if (next === undefined) this.delete(key);
    else this.put(key, next, options);
    this.kernel.guard(() => this.session.expect(version));
  }
}

export class Transaction<V = unknown> extends TransactionView<V> {
  /** The version at which it reads. */
  readonly version: Version;
  readonly isolation: Isolation;
  /** @internal Whether `commit` or `abort` has ended it: a store that has stopped ends it too, and then it has not committed. */
  isEnded = false;

  /** @internal Use `db.begin()` or `db.transact()`. */
  constructor(kernel: Kernel, space: Space<Key, V>, session: EngineSession, isolation: Isolation) {
    const hold = kernel.holds.add('transaction', session.version, session.clock, session);
    super(kernel, space, session, hold, undefined);
    this.isolation = isolation;
    this.version = session.version;
  }

  /** Whether it has neither committed nor been aborted. */
  get isOpen(): boolean {
    return this.hold.isOpen;
  }

  /** What the transaction sees and does of a keyspace. */
  in<W, L, In>(keyspace: Keyspace<W, L, In>): TransactionView<W, L, In> {
    return new TransactionView<W, L, In>(this.kernel, spaceOf(keyspace as Keyspace<W, L, never>, this.kernel.engine), this.session, this.hold, this);
  }

  #apply(): Version {
    this.kernel.holds.check(this.hold);
    try {
      if (this.session.isWriter) this.kernel.checkWritable();
      return this.session.commit(this.isolation === 'snapshot');
    } catch (error) {
      throw this.kernel.caught(error);
    } finally {
      this.abort();
    }
  }

  /**
   * Commits: applied, and visible to all at once, when the call returns; the promise resolves with the version when the store's durability holds for it, with 0 where nothing was written. The
   * transaction is over, whatever comes out.
   * @throws (as a rejection) ConflictError, CasError, FullError, ReadOnlyError, ClosedError; InvalidArgumentError where a codec, a getter or a listener calls it while another commit is being put together;
   * PoisonedError where the store has stopped before; CorruptionError, IoError where a record had to be read from the file and cannot: nothing was applied. OutcomeUnknownError: a flush, or handing over, has failed.
   */
  commit(): Promise<Version> {
    try {
      return this.kernel.acknowledge(this.#apply());
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** @internal Its function waits, so from now on it gets old. */
  noteWait(): void {
    const { hold, kernel } = this;
    if (hold.clock === 0) hold.clock = kernel.engine.now();
  }

  /** @internal As `commit`, resolving with `result`; what keeps it from being applied is thrown. */
  commitWith<T>(result: T): Promise<T> {
    return this.kernel.acknowledgeWith(this.#apply(), result);
  }

  /** As `commit`, returning when `putSync` would. */
  commitSync(): Version {
    return this.kernel.settle(this.#apply());
  }

  /** Ends the transaction without a trace. Idempotent, and does nothing after a commit. */
  abort(): void {
    this.isEnded = true;
    this.kernel.holds.release(this.hold);
    this.kernel.kept.transaction ??= this;
  }

  /** Aborts what has not committed. */
  [Symbol.dispose](): void {
    this.abort();
  }
}
