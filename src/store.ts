/** A store as programs have it: with codecs for its keys and values, which keyspaces, transactions that are run again, exports and imports need. */
import { BaseStore } from './base-store.js';
import type { CodecFor } from './codec/chosen.js';
import type { Key } from './codec/key.js';
import type { Space } from './codec/space.js';
import type { Recovery } from './durability/recover.js';
import { exportStream, type ExportOptions } from './exchange/export.js';
import { importFrom, type ImportOptions, type ImportReport } from './exchange/import.js';
import type { ExchangeSource } from './exchange/source.js';
import type { Kernel } from './kernel.js';
import { Keyspace } from './keyspace.js';
import { spaceOf, type KeyspaceOptions } from './keyspace-options.js';
import { transact, transactSync, type TransactOptions } from './transact.js';
import type { Transaction } from './transaction.js';

export class Store<V = unknown> extends BaseStore<V> {
  readonly #codecFor: CodecFor;

  /** @internal Use `open`. */
  constructor(kernel: Kernel, space: Space<Key, V>, recovery: Recovery, codecFor: CodecFor) {
    super(kernel, space, recovery);
    this.#codecFor = codecFor;
  }

  /**
   * A keyspace of the store: keys of its own, apart from all others, with their own values and order. It costs nothing until a key is put into it. Open it with the same codecs each time.
   * @throws InvalidArgumentError for a name of more than 255 bytes in UTF-8, an empty one, or one with U+0000 or a lone surrogate; for options that are none, a codec that does not exist or lacks one of its functions, and a schema that is none.
   */
  keyspace<W = unknown, K = Key, In = W>(name: string, options: KeyspaceOptions<W, K, In> = {}): Keyspace<W, K, In> {
    return new Keyspace<W, K, In>(this.kernel, spaceOf(name, options, this.#codecFor, this.space.values));
  }

  /**
   * Runs a function in a transaction and commits it; when another commit came between, runs it again, so it should do nothing but read and write through `tx`. An exception out of the function
   * aborts, and comes out unchanged. Resolves with what the function returned, when the commit is as durable as that of `put`. What a function does that returns no promise is applied, or refused for the first time,
   * when the call returns.
   * @throws (as a rejection) InvalidArgumentError; ConflictError when it has been run often or long enough, CasError, the reason of the signal, and what `begin` and `commit` throw.
   */
  transact<T>(run: (tx: Transaction<V>) => T | Promise<T>, options: TransactOptions = {}): Promise<T> {
    return transact(() => this.beginAs(options.isolation, false), run, options);
  }

  /** As `transact`, for a function that does not wait; returns when `putSync` would. */
  transactSync<T>(run: (tx: Transaction<V>) => T, options?: TransactOptions): T {
    return transactSync(() => this.beginAs(options?.isolation, false), run, options);
  }

  /**
   * The store, a keyspace or a range as a stream of bytes, as it is at the call: lines of JSON, or the compact form. Nothing is lost of any key and value; `docs/export.md` has both forms.
   * A chunk of 64 KiB or 2,000 keys is made ahead, and the next when that is taken; until the stream has ended or is cancelled the store keeps what it shows. O(log n), and O(1) for each key.
   * @throws InvalidArgumentError, TooLargeError for bad options; the reason of the signal; ClosedError, PoisonedError, FullError. The stream fails with ClosedError when the store is closed, with PoisonedError when
   * it stops, with CorruptionError or IoError for what has to be read from the file and cannot.
   */
  export(options: ExportOptions = {}): ReadableStream<Uint8Array> {
    return exportStream(this.kernel, this.space as Space<Key, unknown>, options);
  }

  /**
   * Puts what `export` has written, into the keyspaces that it came from, or into one: in batches of up to 1,000 keys or 1 MiB, each applied whole, and awaited before the next is read.
   * Values are stored as they were stored; schemas are not asked.
   * @throws (as a rejection) ImportError, which names the line or the block and tells how far it came: for a source that is malformed, damaged or cut off, and for a key that exists where
   * `existing` is `fail`. InvalidArgumentError, ReadOnlyError, ClosedError, PoisonedError; FullError, OutcomeUnknownError as `batch`; the reason of the signal; what the source and `onProgress` throw. Batches
   * before stay applied.
   */
  import(source: ExchangeSource, options: ImportOptions = {}): Promise<ImportReport> {
    return importFrom(this.kernel, source, options);
  }
}
