/** A store from a page: the methods of `Store`, each as a promise. Every page and worker of the site that opens the same path uses one store, and sees what the others write. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Key } from '../codec/key.js';
import { Space } from '../codec/space.js';
import type { CodecName, ValueCodec } from '../codec/value.js';
import type { Recovery } from '../durability/recover.js';
import { InvalidArgumentError } from '../errors.js';
import type { Version } from '../reader.js';
import type { Stats } from '../stats.js';
import type { KeyspaceOptions } from '../store.js';
import { transact, type TransactOptions } from '../transact.js';
import type { Isolation } from '../transaction.js';
import * as protocol from '../worker/protocol.js';
import type { Connection } from './connection.js';
import { READ, WRITE } from './link.js';
import { SharedCollection, SharedKeyspace } from './shared-collection.js';
import { SharedSnapshot } from './shared-snapshot.js';
import { SharedTransaction } from './shared-transaction.js';

const nothing = (): void => undefined;

export class SharedStore<V = unknown> extends SharedCollection<V> {
  /** The path of the file, or `:memory:`. */
  readonly name: string;
  /** What opening the file found, by whichever page has opened it. */
  readonly recovery: Recovery;
  /** Whether the browser has promised to keep what this site stores. False: it may give it up when it runs out of room, or with a private window; ask with the option `persist`. */
  readonly persistent: boolean;
  readonly #connection: Connection;
  readonly #codecFor: (values: CodecName | ValueCodec<unknown>) => ValueCodec<unknown>;
  #closing: Promise<void> | undefined;

  /** @internal Use `open`. */
  constructor(
    connection: Connection, space: Space<Key, V>, about: { name: string; recovery: Recovery; persistent: boolean }, codecFor: (values: CodecName | ValueCodec<unknown>) => ValueCodec<unknown>,
  ) {
    super(connection.link, space);
    this.name = about.name;
    this.recovery = about.recovery;
    this.persistent = about.persistent;
    this.#connection = connection;
    this.#codecFor = codecFor;
  }

  /**
   * A keyspace of the store: keys of its own, with their own values and order. Its codecs and its schema run in this page. Open it with the same codecs each time.
   * @throws InvalidArgumentError for a name of more than 255 bytes, or an empty one.
   */
  keyspace<W = unknown, K = Key, In = W>(name: string, options: KeyspaceOptions<W, K, In> = {}): SharedKeyspace<W, K, In> {
    if (typeof name !== 'string') throw new InvalidArgumentError('keyspace takes the name of a keyspace.');
    const values = options.values === undefined ? this.space.values : this.#codecFor(options.values as ValueCodec<unknown>);
    return new SharedKeyspace<W, K, In>(this.sight.link, new Space(name, options.keys, values as ValueCodec<W>, options.schema as StandardSchemaV1<unknown, W> | undefined));
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
