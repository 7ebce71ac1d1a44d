/** What every store can do, whoever encodes its keys and values: fixed views, transactions, and what concerns it as a whole. */
import { checkOptionsOf, checkSignal } from './abort.js';
import { backup, copyToPath, type BackupOptions, type BackupReport } from './backup.js';
import type { Key } from './codec/key.js';
import type { Space } from './codec/space.js';
import { Collection } from './collection.js';
import type { CompactOptions, Compacted } from './compaction.js';
import type { Copied } from './copy.js';
import { explainDevice } from './durability/device-failure.js';
import type { Recovery } from './durability/recover.js';
import { EngineSession } from './engine/session.js';
import { InvalidArgumentError } from './errors.js';
import type { Kernel } from './kernel.js';
import { dropKeyspace, keyspaceNames } from './keyspace.js';
import type { Version } from './reader.js';
import { Snapshot } from './snapshot.js';
import { collectStats, type Stats } from './stats.js';
import { traceCompact, type TracedCompact } from './tracing.js';
import { Transaction, type Isolation } from './transaction.js';
import { verifyStore } from './verify.js';

/** A store without codecs of its own: what `Store` is to programs, and what a worker has that serves pages. */
export class BaseStore<V> extends Collection<V> {
  /** The path of the file, or `:memory:`. */
  readonly name: string;
  /** What opening the store found. */
  readonly recovery: Recovery;
  #closing: Promise<void> | undefined;

  /** @internal Use `open`. */
  constructor(kernel: Kernel, space: Space<Key, V>, recovery: Recovery) {
    super(kernel, space);
    this.name = kernel.name;
    this.recovery = recovery;
  }

  // ── Keyspaces ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The names of the keyspaces that hold a key, in order. O(log n) for each. @throws ClosedError, PoisonedError, FullError. */
  keyspaces(): string[] {
    this.kernel.checkReadable();
    return this.kernel.guard(() => keyspaceNames(this.kernel));
  }

  /** Deletes every key of a keyspace, as one commit. Resolves with its version, 0 where there was none. O(keys of the keyspace). @throws (as a rejection) InvalidArgumentError for what is no name; as `delete`. */
  dropKeyspace(name: string): Promise<Version> {
    try {
      return this.kernel.acknowledge(this.#drop(name));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** As `dropKeyspace`, returning when `putSync` would. */
  dropKeyspaceSync(name: string): Version {
    return this.kernel.settle(this.#drop(name));
  }

  #drop(name: string): Version {
    this.kernel.checkWritable();
    if (typeof name !== 'string') throw new InvalidArgumentError('dropKeyspace takes the name of a keyspace.');
    try {
      return dropKeyspace(this.kernel, name);
    } catch (error) {
      throw this.kernel.caught(error);
    }
  }

  // ── Fixed views ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** A fixed view of the store as it is now. O(1), whatever the store holds. Close it, or declare it with `using`. @throws FullError, ClosedError, PoisonedError. */
  snapshot(): Snapshot<V> {
    this.kernel.checkReadable();
    return new Snapshot(this.kernel, this.space, this.kernel.guard(() => this.kernel.holds.pin()));
  }

  /** A fixed view of the store as it was at a version that is still kept: that of another snapshot, the newest, or, with the option `history`, one since which nothing was given up;
   * a store that was opened again goes back only in a log of which every segment is still there, also of those that a crash has left with nothing in them.
   * @throws VersionGoneError; InvalidArgumentError, also for a version above the newest; FullError, ClosedError, PoisonedError. */
  at(version: Version): Snapshot<V> {
    this.kernel.checkReadable();
    if (!Number.isInteger(version) || version < 0) throw new InvalidArgumentError('at takes a version: a whole number from 0 on.');
    return new Snapshot(this.kernel, this.space, this.kernel.guard(() => this.kernel.holds.pin(version)));
  }

  // ── Transactions ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Begins a transaction. O(1). Commit or abort it. @throws FullError, ClosedError, PoisonedError, InvalidArgumentError. */
  begin(options?: { isolation?: Isolation }): Transaction<V> {
    if (options !== undefined) checkOptionsOf('begin', options);
    const tx = this.beginAs(options?.isolation, true);
    this.kernel.holds.watch(tx, tx.hold);
    return tx;
  }

  /** @internal Begins a transaction that whoever begins it will end. Without a clock, where nothing can expire for it, it saves the look at one. */
  protected beginAs(isolation: Isolation = 'serializable', hasClock: boolean): Transaction<V> {
    const { kernel } = this;
    kernel.checkReadable();
    if (isolation !== 'serializable' && isolation !== 'snapshot') throw new InvalidArgumentError("The option isolation takes 'serializable' or 'snapshot'.");
    const { engine } = kernel;
    try {
      return new Transaction(kernel, this.space, new EngineSession(engine, hasClock || engine.mayExpire ? engine.now() : 0), isolation);
    } catch (error) {
      throw kernel.caught(error);
    }
  }

  // ── The store as a whole ─────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Resolves when everything that was applied before the call is durable; at once for a store in memory, or one that was opened read-only.
   * @throws (as a rejection) OutcomeUnknownError where the flush fails: what was applied before may or may not be durable, and the store has stopped. ClosedError, PoisonedError; InvalidArgumentError where a
   * codec, a getter or a listener calls it while a commit is being put together.
   */
  async flush(): Promise<void> {
    this.kernel.checkIdle();
    await this.kernel.commits?.flush();
  }

  /**
   * Compacts the store as far as it goes, while others go on: copies what is live out of segments of which a sixteenth is dead, forgets the deletes that nothing needs any more, and gives the end of
   * the file back. A call waits for those before it. It is not needed for a store to keep its bounds, which commits see to, each a little. O(bytes of the store).
   * @throws (as a rejection) InvalidArgumentError, ReadOnlyError; FullError where there is no room to begin with; CorruptionError, IoError for what has to be read from the file and cannot;
   * OutcomeUnknownError where a flush fails; ClosedError, also when the store is closed meanwhile, PoisonedError, the reason of the signal. What was copied by then stays so.
   */
  async compact(options: CompactOptions = {}): Promise<Compacted> {
    this.kernel.checkWritable();
    checkOptionsOf('compact', options);
    checkSignal(options.signal);
    try {
      const traced: TracedCompact = { store: this.name };
      return await traceCompact.promise(traced, async () => (traced.report = await this.kernel.compactor.compact(options)));
    } catch (error) {
      throw this.kernel.caught(explainDevice(error, this.name));
    }
  }

  /** Figures about the store. Works after a failure too. O(segments and open views). @throws ClosedError; IoError where the file's size cannot be told. */
  stats(): Stats {
    if (this.kernel.stopped === 'closed') throw this.kernel.whyStopped();
    try {
      return collectStats(this.kernel);
    } catch (error) {
      throw explainDevice(error, this.name);
    }
  }

  /**
   * Checks every structure in memory, and every frame in the file, without giving others their turn. Resolves when all is well. O(bytes of the store).
   * @throws (as a rejection) CorruptionError naming the places, after which the store goes on; IoError, FullError, ClosedError, PoisonedError; InvalidArgumentError as `flush`.
   */
  async verify(): Promise<void> {
    this.kernel.checkIdle();
    try {
      verifyStore(this.kernel.engine, this.kernel.log);
    } catch (error) {
      throw this.kernel.caught(explainDevice(error, this.name));
    }
  }

  /**
   * Writes a copy of the store as it is when this begins, while writers go on: keys of all keyspaces with their values, kinds, expiries and versions, without what was overwritten, deleted
   * or has expired, and with an identity of its own. It is a store that `open` opens, and its versions go on from that of the copy. At a path it appears whole, durable and read back, or not
   * at all; a stream gets the bytes of the file in order, as it wants them, for which the copy is laid out twice. Each record is held against its checksum on the way. O(bytes of the log), in steps of about a millisecond and in
   * memory that does not grow with the store.
   * @throws (as a rejection) InvalidArgumentError, also where there is something at the path and `overwrite` is not set; OutcomeUnknownError where the flush fails that it begins with; CorruptionError for
   * damage in memory, and with IoError for what has to be read from the file and cannot; LockedError where the store at the path is open; NotFoundError, ReadOnlyError, FullError, IoError of the target;
   * ClosedError, also when the store is closed meanwhile, PoisonedError; the reason of the signal; what `onProgress` or the stream throws. Where none of this is a failure of the store itself it stays
   * usable, and nothing is left at the path that was not there before.
   */
  backup(target: string | WritableStream<Uint8Array>, options: BackupOptions = {}): Promise<BackupReport> {
    return backup(this.kernel, target, options);
  }

  /**
   * Ends the store in order: everything applied becomes durable, the lock is given back. Idempotent. Whoever uses the store afterwards gets a
   * ClosedError; watches end. A store that has stopped is closed without an error.
   * @throws (as a rejection, each time) PoisonedError where what was applied could not be made durable: it may or may not be there; and where the path no longer leads to the file to which the store has written. Lock and file are given back all the same.
   */
  close(): Promise<void> {
    if (this.#closing !== undefined) return this.#closing;
    let follow!: (closed: Promise<void>) => void;
    // Made before anything is told: who listens may close the store too.
    this.#closing = new Promise((resolve) => {
      follow = resolve;
    });
    follow(this.kernel.close());
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal Copies what the store holds to a file that is not there yet. */
  copyTo(path: string): Promise<Copied> {
    return copyToPath(this.kernel, path, {});
  }

  /** Hands what was applied to the operating system, before a process ends without `close`. */
  handOverAtExit(): void {
    if (this.kernel.stopped !== undefined || this.kernel.commits === undefined) return;
    try {
      this.kernel.log!.handOver();
    } catch {
      // The process ends, and nobody is left to be told.
    }
  }
}
