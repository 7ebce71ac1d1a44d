/** A store: the operations on its own keys, which it has as a collection, and those that concern it as a whole. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { backup, copyToPath, type BackupOptions, type BackupReport } from './backup.js';
import type { Key } from './codec/key.js';
import { Space, type KeyCodec } from './codec/space.js';
import type { CodecName, ValueCodec } from './codec/value.js';
import { Collection } from './collection.js';
import type { CompactOptions, Compacted } from './compaction.js';
import type { Copied } from './copy.js';
import { explainDevice } from './durability/device-failure.js';
import type { Recovery } from './durability/recover.js';
import { EngineSession } from './engine/session.js';
import { InvalidArgumentError } from './errors.js';
import { exportStream, type ExportOptions } from './exchange/export.js';
import { importFrom, type ImportOptions, type ImportReport } from './exchange/import.js';
import type { ExchangeSource } from './exchange/source.js';
import type { Kernel } from './kernel.js';
import { Keyspace, dropKeyspace, keyspaceNames } from './keyspace.js';
import type { Version } from './reader.js';
import { Snapshot } from './snapshot.js';
import { collectStats, type Stats } from './stats.js';
import { traceCompact, type TracedCompact } from './tracing.js';
import { transact, transactSync, type TransactOptions } from './transact.js';
import { Transaction, type Isolation } from './transaction.js';
import { verifyStore } from './verify.js';

export interface KeyspaceOptions<V, K, In> {
  /** How its keys are told as keys of the store. Default: they are such keys. */
  keys?: KeyCodec<K>;
  /** How its values are encoded: a name, or a codec of one's own. Default: as those of the store. */
  values?: CodecName | ValueCodec<V>;
  /** Checks each value that is put, and may change it. Any validator that follows Standard Schema and does not wait. */
  schema?: StandardSchemaV1<In, V>;
}

export class Store<V = unknown> extends Collection<V> {
  /** The path of the file, or `:memory:`. */
  readonly name: string;
  /** What opening the store found. */
  readonly recovery: Recovery;
  readonly #codecFor: (values: CodecName | ValueCodec<unknown>) => ValueCodec<unknown>;
  #closing: Promise<void> | undefined;

  /** @internal Use `open`. */
  constructor(kernel: Kernel, space: Space<Key, V>, recovery: Recovery, codecFor: (values: CodecName | ValueCodec<unknown>) => ValueCodec<unknown>) {
    super(kernel, space);
    this.name = kernel.name;
    this.recovery = recovery;
    this.#codecFor = codecFor;
  }

  // ── Keyspaces ────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * A keyspace of the store: keys of its own, apart from all others, with their own values and order. It costs nothing until a key is put into it. Open it with the same codecs each time.
   * @throws InvalidArgumentError for a name of more than 255 bytes, or an empty one.
   */
  keyspace<W = unknown, K = Key, In = W>(name: string, options: KeyspaceOptions<W, K, In> = {}): Keyspace<W, K, In> {
    if (typeof name !== 'string') throw new InvalidArgumentError('keyspace takes the name of a keyspace.');
    const values = options.values === undefined ? this.space.values : this.#codecFor(options.values as ValueCodec<unknown>);
    return new Keyspace<W, K, In>(this.kernel, new Space(name, options.keys, values as ValueCodec<W>, options.schema as StandardSchemaV1<unknown, W> | undefined));
  }

  /** The names of the keyspaces that hold a key, in order. O(log n) for each. */
  keyspaces(): string[] {
    this.kernel.checkReadable();
    return this.kernel.guard(() => keyspaceNames(this.kernel));
  }

  /** Deletes every key of a keyspace, as one commit. Resolves with its version, 0 where there was none. O(keys of the keyspace). */
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
   * a store that was opened again goes back only in a log of which every segment is still there. @throws VersionGoneError, InvalidArgumentError. */
  at(version: Version): Snapshot<V> {
    this.kernel.checkReadable();
    if (!Number.isInteger(version) || version < 0) throw new InvalidArgumentError('at takes a version: a whole number from 0 on.');
    return new Snapshot(this.kernel, this.space, this.kernel.guard(() => this.kernel.holds.pin(version)));
  }

  // ── Transactions ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Begins a transaction. O(1). Commit or abort it. @throws FullError, ClosedError, PoisonedError, InvalidArgumentError. */
  begin(options?: { isolation?: Isolation }): Transaction<V> {
    const tx = this.#begin(options?.isolation, true);
    this.kernel.holds.watch(tx, tx.hold);
    return tx;
  }

  /** Begins a transaction that whoever begins it will end. Without a clock, where nothing can expire for it, it saves the look at one. */
  #begin(isolation: Isolation = 'serializable', hasClock: boolean): Transaction<V> {
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

  /**
   * Runs a function in a transaction and commits it; when another commit came between, runs it again, so it should do nothing but read and write through `tx`. An exception out of the function
   * aborts, and comes out unchanged. Resolves with what the function returned, when the commit is as durable as that of `put`. What a function does that returns no promise is applied, or refused for the first time,
   * when the call returns.
   * @throws (as a rejection) ConflictError when it has been run often enough, CasError, the reason of the signal, and what `commit` throws.
   */
  transact<T>(run: (tx: Transaction<V>) => T | Promise<T>, options: TransactOptions = {}): Promise<T> {
    return transact(() => this.#begin(options.isolation, false), run, options);
  }

  /** As `transact`, for a function that does not wait; returns when `putSync` would. */
  transactSync<T>(run: (tx: Transaction<V>) => T, options?: TransactOptions): T {
    return transactSync(() => this.#begin(options?.isolation, false), run, options);
  }

  // ── The store as a whole ─────────────────────────────────────────────────────────────────────────────────────────

  /** Resolves when everything that was applied before the call is durable. */
  async flush(): Promise<void> {
    this.kernel.checkIdle();
    await this.kernel.commits?.flush();
  }

  /**
   * Compacts the store as far as it goes, while others go on: copies what is live out of segments of which a sixteenth is dead, forgets the deletes that nothing needs any more, and gives the end of
   * the file back. A call waits for those before it. It is not needed for a store to keep its bounds, which commits see to, each a little. O(bytes of the store).
   * @throws (as a rejection) ReadOnlyError, FullError where there is no room to begin with, ClosedError, PoisonedError, the reason of the signal.
   */
  async compact(options: CompactOptions = {}): Promise<Compacted> {
    this.kernel.checkWritable();
    options.signal?.throwIfAborted();
    try {
      const traced: TracedCompact = { store: this.name };
      return await traceCompact.promise(traced, async () => (traced.report = await this.kernel.compactor.compact(options)));
    } catch (error) {
      throw this.kernel.caught(explainDevice(error, this.name));
    }
  }

  /** Figures about the store. Works after a failure too. O(segments). @throws IoError where the file's size cannot be told. */
  stats(): Stats {
    if (this.kernel.stopped === 'closed') throw this.kernel.whyStopped();
    try {
      return collectStats(this.kernel);
    } catch (error) {
      throw explainDevice(error, this.name);
    }
  }

  /** Checks every structure in memory, and every frame in the file. Resolves when all is well. @throws CorruptionError naming the place. */
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
   * @throws (as a rejection) InvalidArgumentError, also where there is something at the path and `overwrite` is not set; CorruptionError for damage in memory; LockedError where the store at
   * the path is open; NotFoundError, ReadOnlyError, FullError, IoError of the target; the reason of the signal; what `onProgress` or the stream throws. The store itself stays usable, and
   * nothing is left at the path.
   */
  backup(target: string | WritableStream<Uint8Array>, options: BackupOptions = {}): Promise<BackupReport> {
    return backup(this.kernel, target, options);
  }

  /**
   * The store, a keyspace or a range as a stream of bytes, as it is at the call: lines of JSON, or the compact form. Nothing is lost of any key and value; `docs/export.md` has both forms.
   * A chunk is made when somebody asks for one, 64 KiB at a time; until the stream has ended or is cancelled the store keeps what it shows. O(log n), and O(1) for each key.
   * @throws InvalidArgumentError, TooLargeError for a bad range; ClosedError, PoisonedError, FullError. The stream fails with ClosedError when the store is closed.
   */
  export(options: ExportOptions = {}): ReadableStream<Uint8Array> {
    return exportStream(this.kernel, this.space as Space<Key, unknown>, options);
  }

  /**
   * Puts what `export` has written, into the keyspaces that it came from, or into one: in batches of up to 1,000 keys or 1 MiB, each applied whole, and awaited before the next is read.
   * Values are stored as they were stored; schemas are not asked.
   * @throws (as a rejection) ImportError, which names the line or the block and tells how far it came: for a source that is malformed, damaged or cut off, and for a key that exists where
   * `existing` is `fail`. InvalidArgumentError, ReadOnlyError; FullError, OutcomeUnknownError as `batch`; the reason of the signal; what the source throws. Batches before stay applied.
   */
  import(source: ExchangeSource, options: ImportOptions = {}): Promise<ImportReport> {
    return importFrom(this.kernel, source, options);
  }

  /**
   * Ends the store in order: everything applied becomes durable, the lock is given back. Idempotent. Whoever uses the store afterwards gets a
   * ClosedError.
   */
  close(): Promise<void> {
    this.#closing ??= this.kernel.close();
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
