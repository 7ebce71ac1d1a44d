/**
 * A store: the public operations on keys. Arguments are checked here, durability is left to `Commits`, bytes to the engine. Reads are synchronous and
 * see every write that was applied; a write is applied when the call returns, and its promise says when it is safe.
 */
import { toWrites, undefinedValue, type BatchOperation } from './batch.js';
import type { Key } from './codec/key.js';
import type { ValueCodec } from './codec/value.js';
import { Commits } from './durability/commits.js';
import { explainDevice } from './durability/device-failure.js';
import type { LogFile } from './durability/log-file.js';
import type { Recovery } from './durability/recover.js';
import type { Engine } from './engine/engine.js';
import { isFault, poisoned } from './engine/failure.js';
import { EngineSession } from './engine/session.js';
import { ClosedError, InvalidArgumentError, ReadOnlyError } from './errors.js';
import type { Settings } from './options.js';
import { Holds, Snapshot } from './snapshots.js';
import { collectStats, type Stats } from './stats.js';
import { transact, transactSync, type TransactOptions } from './transact.js';
import { Transaction, type Isolation, type TransactionHost } from './transaction.js';
import { verifyStore } from './verify.js';

/** The number of a commit: it rises with every commit and is never used twice. 0 means that a key does not exist. */
export type Version = number;

/** A key with its value and the version that wrote it. */
export interface Entry<V> {
  readonly key: Key;
  readonly value: V;
  readonly version: Version;
}

/** The outcome of a `cas`: the new version, or the one that the key has. */
export type CasResult = { readonly ok: true; readonly version: Version } | { readonly ok: false; readonly version: Version };

/** What a store is made of; `open` puts it together. */
export interface StoreParts<V> {
  readonly name: string;
  readonly engine: Engine;
  /** Undefined for a store in memory. */
  readonly log: LogFile | undefined;
  readonly codec: ValueCodec<V>;
  readonly settings: Settings;
  readonly recovery: Recovery;
  /** Gives lock and device back. */
  readonly release: () => void;
}

const VERSION_MAX = 2 ** 48;

export class Store<V = unknown> {
  /** The path of the file, or `:memory:`. */
  readonly name: string;
  /** What opening the store found. */
  readonly recovery: Recovery;
  readonly #engine: Engine;
  readonly #log: LogFile | undefined;
  readonly #commits: Commits | undefined;
  readonly #codec: ValueCodec<V>;
  readonly #settings: Settings;
  readonly #holds: Holds;
  readonly #host: TransactionHost<V>;
  readonly #release: () => void;
  /** What stopped a store in memory. */
  #fault: Error | undefined;
  /** Why the store serves nothing more, or undefined. */
  #stopped: 'closed' | 'failed' | undefined;
  #closing: Promise<void> | undefined;

  /** @internal Use `open`. */
  constructor(parts: StoreParts<V>) {
    this.name = parts.name;
    this.recovery = parts.recovery;
    this.#engine = parts.engine;
    this.#log = parts.log;
    this.#codec = parts.codec;
    this.#settings = parts.settings;
    this.#release = parts.release;
    this.#holds = new Holds(parts.engine, (warning) => this.#warn(warning));
    this.#host = {
      codec: parts.codec,
      holds: this.#holds,
      checkWritable: () => {
        if (this.#stopped !== undefined || parts.settings.readOnly) throw this.#whyNotWritable();
      },
      caught: (error) => this.#caught(error),
      acknowledge: (version) => this.#acknowledge(version),
      settle: (version) => this.#settle(version),
    };
    if (parts.log !== undefined && !parts.settings.readOnly) {
      this.#commits = new Commits(parts.log, parts.settings.durability, parts.settings.blocks, parts.settings.flushInterval);
      parts.log.onPoison = () => this.#stopFor(parts.log!.failure!);
    }
  }

  // ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * The value of a key, or undefined. Synchronous; O(1), two cache misses. Bytes are views of a shared slab: copy them, or open with `buffers: 'own'`, before
   * handing their `buffer` on.
   * @throws InvalidArgumentError for what cannot be a key, TooLargeError for a key over 128 KiB, ClosedError, PoisonedError.
   */
  get(key: Key): V | undefined {
    if (this.#stopped !== undefined) throw this.#whyStopped();
    try {
      return this.#engine.get(key, this.#codec);
    } catch (error) {
      throw this.#caught(error);
    }
  }

  /** Key, value and version, or undefined. As `get`. */
  getEntry(key: Key): Entry<V> | undefined {
    if (this.#stopped !== undefined) throw this.#whyStopped();
    try {
      const found = this.#engine.entry(key, this.#codec);
      return found === undefined ? undefined : { key, value: found.value, version: found.version };
    } catch (error) {
      throw this.#caught(error);
    }
  }

  /** Whether a key exists. As `get`, without decoding the value. */
  has(key: Key): boolean {
    if (this.#stopped !== undefined) throw this.#whyStopped();
    try {
      return this.#engine.has(key);
    } catch (error) {
      throw this.#caught(error);
    }
  }

  /** The values of many keys, in the order of the keys; undefined where one does not exist. */
  getMany(keys: Iterable<Key>): (V | undefined)[] {
    if (typeof keys !== 'object' || keys === null || !(Symbol.iterator in keys)) throw new InvalidArgumentError('getMany takes an iterable of keys.');
    const values: (V | undefined)[] = [];
    for (const key of keys) values.push(this.get(key));
    return values;
  }

  /**
   * Copies the stored bytes of a value into `target` and returns their size; -1 where the key does not exist. When the size is greater than
   * `target.length`, nothing was copied. For values stored as bytes or text; the fastest way to read, as it makes no object.
   */
  getInto(key: Key, target: Uint8Array): number {
    if (this.#stopped !== undefined) throw this.#whyStopped();
    if (!(target instanceof Uint8Array)) throw new InvalidArgumentError('getInto copies into a Uint8Array.');
    try {
      return this.#engine.copyInto(key, target);
    } catch (error) {
      throw this.#caught(error);
    }
  }

  // ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Puts a value. Applied when the call returns; the promise resolves with the version when the store's durability holds for it. O(1).
   * @throws (as a rejection) InvalidArgumentError, TooLargeError, FullError: nothing was changed. OutcomeUnknownError: a flush failed.
   */
  put(key: Key, value: V): Promise<Version> {
    try {
      return this.#acknowledge(this.#put(key, value));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Puts a value and returns the version: under `strict` after a flush, under `buffered` and `relaxed` when it is applied. */
  putSync(key: Key, value: V): Version {
    const version = this.#put(key, value);
    if (this.#commits !== undefined) this.#commits.settle();
    return version;
  }

  #put(key: Key, value: V): Version {
    if (this.#stopped !== undefined || this.#settings.readOnly) throw this.#whyNotWritable();
    if (value === undefined) throw undefinedValue();
    try {
      return this.#engine.put(key, value, this.#codec);
    } catch (error) {
      throw this.#caught(error);
    }
  }

  /** Deletes a key. Resolves with the version, or with 0 where there was nothing: then nothing is written. */
  delete(key: Key): Promise<Version> {
    try {
      return this.#acknowledge(this.#delete(key));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Deletes a key and returns the version, or 0. As `putSync`. */
  deleteSync(key: Key): Version {
    return this.#settle(this.#delete(key));
  }

  #delete(key: Key): Version {
    if (this.#stopped !== undefined || this.#settings.readOnly) throw this.#whyNotWritable();
    try {
      return this.#engine.delete(key);
    } catch (error) {
      throw this.#caught(error);
    }
  }

  /**
   * Puts a value, or deletes with `undefined`, if the key's version is exactly `version`; 0 means that it must not exist. Of any number of contenders for one
   * version exactly one wins. A delete of what does not exist, as expected, is ok with version 0.
   */
  cas(key: Key, version: Version, next: V | undefined): Promise<CasResult> {
    try {
      const result = this.#cas(key, version, next);
      if (!result.ok || result.version === 0) return Promise.resolve(result);
      return this.#acknowledge(result.version).then(() => result);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** As `cas`, returning when `putSync` would. */
  casSync(key: Key, version: Version, next: V | undefined): CasResult {
    const result = this.#cas(key, version, next);
    if (result.ok) this.#settle(result.version);
    return result;
  }

  #cas(key: Key, expected: Version, next: V | undefined): CasResult {
    if (this.#stopped !== undefined || this.#settings.readOnly) throw this.#whyNotWritable();
    if (!Number.isInteger(expected) || expected < 0 || expected >= VERSION_MAX) {
      throw new InvalidArgumentError('cas takes the version that the key is expected to have: a whole number, 0 for a key that must not exist.');
    }
    try {
      const version = this.#engine.cas(key, expected, next, this.#codec);
      return version < 0 ? { ok: false, version: this.#engine.versionOf(key) } : { ok: true, version };
    } catch (error) {
      throw this.#caught(error);
    }
  }

  /** Applies writes as one commit: all or none, in order, under one version. Resolves with it, or with 0 where nothing had an effect. */
  batch(operations: Iterable<BatchOperation<V>>): Promise<Version> {
    try {
      return this.#acknowledge(this.#batch(operations));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** As `batch`, returning when `putSync` would. */
  batchSync(operations: Iterable<BatchOperation<V>>): Version {
    return this.#settle(this.#batch(operations));
  }

  #batch(operations: Iterable<BatchOperation<V>>): Version {
    if (this.#stopped !== undefined || this.#settings.readOnly) throw this.#whyNotWritable();
    const writes = toWrites(operations);
    try {
      return this.#engine.batch(writes, this.#codec as ValueCodec<unknown>);
    } catch (error) {
      throw this.#caught(error);
    }
  }

  #acknowledge(version: Version): Promise<Version> {
    return this.#commits === undefined || version === 0 ? Promise.resolve(version) : this.#commits.acknowledge(version);
  }

  #settle(version: Version): Version {
    if (version !== 0) this.#commits?.settle();
    return version;
  }

  // ── Fixed views ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** A fixed view of the store as it is now. O(1), whatever the store holds. Close it, or declare it with `using`. @throws FullError, ClosedError, PoisonedError. */
  snapshot(): Snapshot<V> {
    if (this.#stopped !== undefined) throw this.#whyStopped();
    return new Snapshot(this.#engine, this.#codec, this.#holds, this.#holds.pin());
  }

  /** A fixed view of the store as it was at a version that is still kept: that of another snapshot, or the newest. @throws VersionGoneError, InvalidArgumentError. */
  at(version: Version): Snapshot<V> {
    if (this.#stopped !== undefined) throw this.#whyStopped();
    if (!Number.isInteger(version) || version < 0) throw new InvalidArgumentError('at takes a version: a whole number from 0 on.');
    return new Snapshot(this.#engine, this.#codec, this.#holds, this.#holds.pin(version));
  }

  // ── Transactions ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Begins a transaction. O(1). Commit or abort it. @throws FullError, ClosedError, PoisonedError, InvalidArgumentError. */
  begin(options?: { isolation?: Isolation }): Transaction<V> {
    return this.#begin(options?.isolation, true);
  }

  /** Begins a transaction; one that is not watched is ended by whoever began it. */
  #begin(isolation: Isolation = 'serializable', isWatched: boolean): Transaction<V> {
    if (this.#stopped !== undefined) throw this.#whyStopped();
    if (isolation !== 'serializable' && isolation !== 'snapshot') throw new InvalidArgumentError("The option isolation takes 'serializable' or 'snapshot'.");
    return new Transaction(this.#host, new EngineSession(this.#engine), isolation, isWatched);
  }

  /**
   * Runs a function in a transaction and commits it; when another commit came between, runs it again, so it should do nothing but read and write through `tx`. An exception out of the function
   * aborts, and comes out unchanged. Resolves with what the function returned, when the commit is as durable as that of `put`.
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
    if (this.#stopped !== undefined) throw this.#whyStopped();
    await this.#commits?.flush();
  }

  /** Figures about the store. Works after a failure too. O(segments). */
  stats(): Stats {
    if (this.#stopped === 'closed') throw this.#whyStopped();
    return collectStats(this.#engine, this.#log, this.#settings, this.#holds, this.#stopped === 'failed');
  }

  /** Checks every structure in memory, and every frame in the file. Resolves when all is well. @throws CorruptionError naming the place. */
  async verify(): Promise<void> {
    if (this.#stopped !== undefined) throw this.#whyStopped();
    try {
      verifyStore(this.#engine, this.#log);
    } catch (error) {
      throw explainDevice(error, this.name);
    }
  }

  /**
   * Ends the store in order: everything applied becomes durable, the lock is given back. Idempotent. Whoever uses the store afterwards gets a
   * ClosedError.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const failed = this.#stopped === 'failed';
    this.#stopped = 'closed';
    this.#holds.end(() => this.#whyStopped());
    try {
      if (this.#commits === undefined || this.#log === undefined) return;
      await this.#commits.stop();
      if (failed || this.#log.failure !== undefined) return;
      this.#log.finish();
      this.#commits.resolveAll();
    } finally {
      this.#release();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Hands what was applied to the operating system, before a process ends without `close`. */
  handOverAtExit(): void {
    if (this.#stopped !== undefined || this.#commits === undefined) return;
    try {
      this.#log!.handOver();
    } catch {
      // The process ends, and nobody is left to be told.
    }
  }

  /** Serves nothing more, and tells everyone whom it concerns. */
  #stopFor(failure: Error): void {
    if (this.#stopped === undefined) this.#stopped = 'failed';
    this.#holds.end(() => this.#whyStopped());
    this.#commits?.rejectAll();
    this.#warn({ code: 'VARVE_POISONED', message: `${this.name} has stopped: ${failure.message}` });
  }

  #warn(warning: { code: string; message: string }): void {
    try {
      this.#settings.onWarning?.(warning);
    } catch {
      // What a listener does wrong must not keep others from being told.
    }
  }

  /** Turns what came out of the engine into what the caller is told: a fault of the core stops the store. */
  #caught(error: unknown): unknown {
    if (!isFault(error)) return error;
    this.#engine.isBroken = true;
    if (this.#log !== undefined) return this.#log.poison(error);
    this.#fault = error;
    this.#stopFor(error);
    return this.#whyStopped();
  }

  #whyStopped(): Error {
    const failure = this.#log?.failure ?? this.#fault;
    return this.#stopped === 'failed' && failure !== undefined ? poisoned(this.name, failure) : new ClosedError(`${this.name} is closed. Open it again to use it.`);
  }

  #whyNotWritable(): Error {
    return this.#stopped !== undefined ? this.#whyStopped() : new ReadOnlyError(`${this.name} was opened read-only. Open it without readOnly and salvage to write.`);
  }
}
