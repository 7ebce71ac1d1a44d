/** A store from a page: the methods of `Store`, each as a promise. Every page and worker of the site that opens the same path uses one store, and sees what the others write. */
import { orAborted } from '../abort.js';
import type { BackupOptions, BackupReport } from '../backup.js';
import type { CodecFor } from '../codec/chosen.js';
import type { Key } from '../codec/key.js';
import type { Space } from '../codec/space.js';
import type { CompactOptions, Compacted } from '../compaction.js';
import type { Recovery } from '../durability/recover.js';
import type { WasmModule } from '../engine/wasm-types.js';
import { InvalidArgumentError } from '../errors.js';
import type { ExportOptions } from '../exchange/export.js';
import type { ImportOptions, ImportReport } from '../exchange/import.js';
import type { ExchangeSource } from '../exchange/source.js';
import { spaceOf, type KeyspaceOptions } from '../keyspace-options.js';
import type { Version } from '../reader.js';
import type { Stats } from '../stats.js';
import { transact, type TransactOptions } from '../transact.js';
import type { Isolation } from '../transaction.js';
import * as protocol from '../worker/protocol.js';
import type { Connection } from './connection.js';
import { lazyStream } from './lazy-stream.js';
import { READ, WRITE } from './link.js';
import type { Persistence } from './persistence.js';
import { SharedCollection, SharedKeyspace } from './shared-collection.js';
import { SharedSnapshot } from './shared-snapshot.js';
import { SharedTransaction } from './shared-transaction.js';

const nothing = (): void => undefined;

export class SharedStore<V = unknown> extends SharedCollection<V> {
  /** The path of the file, or `:memory:`. */
  readonly name: string;
  /** What opening the file found, by whichever page has opened it. */
  readonly recovery: Recovery;
  readonly #connection: Connection;
  readonly #codecFor: CodecFor;
  readonly #module: () => Promise<WasmModule>;
  readonly #persistence: Persistence | undefined;
  #closing: Promise<void> | undefined;

  /** @internal Use `open`. */
  constructor(
    connection: Connection, space: Space<Key, V>, about: { name: string; recovery: Recovery; persistence: Persistence | undefined }, codecFor: CodecFor,
    module: () => Promise<WasmModule>,
  ) {
    super(connection.link, space);
    this.name = about.name;
    this.recovery = about.recovery;
    this.#persistence = about.persistence;
    this.#connection = connection;
    this.#codecFor = codecFor;
    this.#module = module;
  }

  /**
   * Whether the browser has promised to keep what this site stores. False: it may give it up when it runs out of room, or with a private window; ask with the option `persist`. Becomes true when a person
   * who was asked has agreed.
   */
  get persistent(): boolean {
    return this.#persistence?.isPromised ?? false;
  }

  /**
   * A keyspace of the store: keys of its own, with their own values and order. Its codecs and its schema run in this page. Open it with the same codecs each time.
   * @throws InvalidArgumentError for a name of more than 255 bytes, or an empty one; for options that are none, a codec that does not exist or lacks one of its functions, and a schema that is none.
   */
  keyspace<W = unknown, K = Key, In = W>(name: string, options: KeyspaceOptions<W, K, In> = {}): SharedKeyspace<W, K, In> {
    return new SharedKeyspace<W, K, In>(this.sight.link, spaceOf(name, options, this.#codecFor, this.space.values));
  }

  /** The names of the keyspaces that hold a key, in order. */
  keyspaces(): Promise<string[]> {
    return this.sight.link.call(READ, protocol.OP_KEYSPACES, nothing, (frames) => JSON.parse(frames.text()) as string[]);
  }

  /** Deletes every key of a keyspace, as one commit. Resolves with its version, 0 where there was none. */
  dropKeyspace(name: string): Promise<Version> {
    return this.sight.link.call(WRITE, protocol.OP_DROP, (frames) => frames.text(name), (frames) => frames.number());
  }

  /** A fixed view of the store as it is when the call reaches it. Close it, or declare it with `using`. */
  snapshot(): SharedSnapshot<V> {
    this.#checkOpen();
    return new SharedSnapshot(this.sight.link, this.space);
  }

  /** A fixed view of the store as it was at a version that is still kept. @throws InvalidArgumentError; its reads reject with VersionGoneError where it is not kept. */
  at(version: Version): SharedSnapshot<V> {
    this.#checkOpen();
    if (!Number.isInteger(version) || version < 0) throw new InvalidArgumentError('at takes a version: a whole number from 0 on.');
    return new SharedSnapshot(this.sight.link, this.space, version);
  }

  /** Begins a transaction. Commit or abort it. @throws ClosedError, InvalidArgumentError. */
  begin(options?: { isolation?: Isolation }): SharedTransaction<V> {
    this.#checkOpen();
    const isolation = options?.isolation ?? 'serializable';
    if (isolation !== 'serializable' && isolation !== 'snapshot') throw new InvalidArgumentError("The option isolation takes 'serializable' or 'snapshot'.");
    return new SharedTransaction(this.sight.link, this.space, isolation);
  }

  /**
   * Runs a function in a transaction and commits it; when another commit came between, of this page or another, or the worker that had the transaction has ended before it committed, runs it again. An
   * exception out of the function aborts, and comes out unchanged. Resolves with what the function returned, when the commit is as durable as that of `put`.
   */
  transact<T>(run: (tx: SharedTransaction<V>) => T | Promise<T>, options: TransactOptions = {}): Promise<T> {
    return transact(() => this.begin(options.isolation === undefined ? {} : { isolation: options.isolation }), run, options);
  }

  /** Resolves when everything that was applied before the call is durable. */
  flush(): Promise<void> {
    return this.sight.link.call(READ, protocol.OP_FLUSH, nothing, nothing);
  }

  /** Figures about the store. */
  stats(): Promise<Stats> {
    return this.sight.link.call(READ, protocol.OP_STATS, nothing, (frames) => JSON.parse(frames.text()) as Stats);
  }

  /** Checks every structure in memory, and every frame in the file. Resolves when all is well. @throws (as a rejection) CorruptionError naming the place. */
  verify(): Promise<void> {
    return this.sight.link.call(READ, protocol.OP_VERIFY, nothing, nothing);
  }

  /**
   * Compacts the store as far as it goes, for every page, while all go on. As `Store.compact`.
   * @throws (as a rejection) ReadOnlyError, FullError, ClosedError, PoisonedError, the reason of the signal: the store is then as compact as it got.
   */
  async compact({ signal }: CompactOptions = {}): Promise<Compacted> {
    signal?.throwIfAborted();
    const { link } = this.sight;
    const job = link.nextNumber();
    try {
      return await orAborted(link.call(READ, protocol.OP_COMPACT, (frames) => frames.word(job), (frames) => JSON.parse(frames.text()) as Compacted), signal);
    } finally {
      link.tell(protocol.OP_END_JOB, (frames) => frames.word(job));
    }
  }

  /**
   * Writes a copy of the store as it is when the call reaches it to a stream, while every page goes on: the bytes of a file that `restore` and `open` of any platform take. The worker lays out a part when the
   * stream wants one. As `Store.backup`, whose targets in a page are streams alone.
   * @throws (as a rejection) InvalidArgumentError; VersionGoneError when the worker has ended meanwhile; the reason of the signal; what `onProgress` or the stream throws. The stream is then aborted.
   */
  async backup(target: WritableStream<Uint8Array>, options: BackupOptions = {}): Promise<BackupReport> {
    const { backupTo } = await import('./shared-exchange.js');
    return backupTo(this.sight.link, target, options);
  }

  /**
   * The store, a keyspace or a range as a stream of bytes, as it is when the call reaches it. As `Store.export`, except that the stream fails with what is wrong with the options, and with VersionGoneError
   * when the worker has ended meanwhile.
   */
  export(options: ExportOptions = {}): ReadableStream<Uint8Array> {
    const signal = options?.signal;
    signal?.throwIfAborted();
    const snapshot = this.snapshot();
    return lazyStream(async () => {
      const { exportChunks, hashOf } = await import('./shared-exchange.js');
      return exportChunks(snapshot as SharedSnapshot, this.space as Space<Key, unknown>, options, hashOf(await this.#module()));
    }, signal, () => snapshot.close());
  }

  /**
   * Puts what `export` has written, in batches that are each applied whole, and awaited before the next is read. As `Store.import`.
   * @throws (as a rejection) ImportError, InvalidArgumentError, ReadOnlyError, FullError; OutcomeUnknownError when the worker ended with a batch; the reason of the signal; what the source throws. Batches
   * before stay applied.
   */
  async import(source: ExchangeSource, options: ImportOptions = {}): Promise<ImportReport> {
    const { importFrom, hashOf } = await import('./shared-exchange.js');
    return importFrom(this.sight.link, source, options, hashOf(await this.#module()));
  }

  /** Ends this page's use of the store, in order: everything that it has written becomes durable. Other pages go on. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#connection.close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #checkOpen(): void {
    if (this.sight.link.isClosed) throw this.sight.link.whyClosed();
  }
}
