/**
 * Keys and their values: the store itself, or a keyspace. Arguments are checked here, durability is left to `Commits`, bytes to the engine. Reads are synchronous and see every write
 * that was applied; a write is applied when the call returns, and its promise says when it is safe.
 */
import { applyBatch, undefinedValue, type BatchOperation } from './batch.js';
import type { Key } from './codec/key.js';
import type { Space } from './codec/space.js';
import { InvalidArgumentError } from './errors.js';
import { expiryOf, type PutOptions } from './expiry.js';
import { historyOf } from './history.js';
import type { Kernel } from './kernel.js';
import type { Bounds, Range } from './range.js';
import { Reader, type Change, type Entry, type Version } from './reader.js';
import type { OpenScan } from './scan.js';
import { Watcher, watchedBounds, type WatchOptions } from './watch.js';

/** The outcome of a `cas`: the new version, or the one that the key has. */
export type CasResult = { readonly ok: true; readonly version: Version } | { readonly ok: false; readonly version: Version };

const VERSION_MAX = 2 ** 48;

/** Throws for what cannot be the version that a key is expected to have. */
export function checkExpected(version: Version): void {
  if (!Number.isInteger(version) || version < 0 || version >= VERSION_MAX) {
    throw new InvalidArgumentError('cas takes the version that the key is expected to have: a whole number, 0 for a key that must not exist.');
  }
}

/** `In` is what may be put: more than `V` where a schema turns one into the other. */
export class Collection<V, K = Key, In = V> extends Reader<V, K> {
  /** @internal */
  protected readonly kernel: Kernel;

  /** @internal */
  constructor(kernel: Kernel, space: Space<K, V>) {
    super(space);
    this.kernel = kernel;
  }

  // ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * The value of a key, or undefined. Synchronous; O(1), two cache misses. Bytes are views of a shared slab: copy them, or open with `buffers: 'own'`, before
   * handing their `buffer` on.
   * @throws InvalidArgumentError for what cannot be a key, and for a value that another codec has written; TooLargeError for a key over 128 KiB; ClosedError, PoisonedError; CorruptionError, IoError for what is
   * not in memory and cannot be read from the file: the store goes on.
   */
  get(key: K): V | undefined {
    const { kernel } = this;
    if (kernel.stopped !== undefined) throw kernel.whyStopped();
    try {
      return kernel.engine.get(key, this.space);
    } catch (error) {
      throw kernel.caught(error);
    }
  }

  /** Key, value and version, or undefined. As `get`. */
  getEntry(key: K): Entry<V, K> | undefined {
    const { kernel, space } = this;
    if (kernel.stopped !== undefined) throw kernel.whyStopped();
    try {
      const kind = kernel.engine.find(key, space);
      if (kind < 0) return undefined;
      const version = kernel.engine.foundVersion;
      return { key, value: kernel.engine.found(kind, space.values), version };
    } catch (error) {
      throw kernel.caught(error);
    }
  }

  /** Whether a key exists. As `get`, without decoding the value. */
  has(key: K): boolean {
    const { kernel } = this;
    if (kernel.stopped !== undefined) throw kernel.whyStopped();
    try {
      return kernel.engine.has(key, this.space);
    } catch (error) {
      throw kernel.caught(error);
    }
  }

  /**
   * Copies the stored bytes of a value into `target` and returns their size; -1 where the key does not exist. When the size is greater than
   * `target.length`, nothing was copied. For values stored as bytes or text; the fastest way to read, as it makes no object. @throws as `get`; InvalidArgumentError for what is no Uint8Array.
   */
  getInto(key: K, target: Uint8Array): number {
    const { kernel } = this;
    if (kernel.stopped !== undefined) throw kernel.whyStopped();
    if (!(target instanceof Uint8Array)) throw new InvalidArgumentError('getInto copies into a Uint8Array.');
    try {
      return kernel.engine.copyInto(key, target, this.space);
    } catch (error) {
      throw kernel.caught(error);
    }
  }

  /**
   * The versions of a key that are kept, from the newest on, deletes among them; how far back that goes is what the option `history` says, and what open snapshots see.
   * O(log n) for each, and O(frames of a segment) for its time.
   * @throws InvalidArgumentError, TooLargeError, ClosedError, PoisonedError; as `get` when the loop goes on.
   */
  history(key: K): IterableIterator<Change<V, K>> {
    this.kernel.checkReadable();
    // What cannot be a key is refused at once.
    this.kernel.engine.encodeKey(key, this.space);
    return historyOf(this.kernel, key, this.space);
  }

  /**
   * The commits to a range, or to one key, in order, one item each: an async iterator. The log is its buffer, so a watch costs writers nothing; one that falls more than 64 segments of
   * superseded log or 16 MiB behind, and more than four segments, has lost its place. It sees a commit when it is applied.
   * @throws VersionGoneError where the log no longer has what came since `since`; InvalidArgumentError, TooLargeError, FullError, ClosedError, PoisonedError, the reason of the signal. What ends it later its
   * steps reject with.
   */
  watch(target?: Range<K> | K, options: WatchOptions = {}): Watcher<V, K> {
    this.kernel.checkReadable();
    return new Watcher(this.kernel, this.space, watchedBounds(target, this.space), options);
  }

  /** @internal */
  protected beginScan(bounds: Bounds, hasValues: boolean, view: object): OpenScan {
    this.kernel.checkReadable();
    return this.kernel.holds.scan(this.kernel, bounds, hasValues, view);
  }

  // ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Puts a value. Applied when the call returns; the promise resolves with the version when the store's durability holds for it. O(1).
   * @throws (as a rejection) InvalidArgumentError, TooLargeError, SchemaError, FullError, ReadOnlyError, ClosedError; PoisonedError where the store has stopped before; CorruptionError, IoError where a record had to
   * be read from the file and cannot: nothing was changed. OutcomeUnknownError: a flush, or handing over, has failed, and the store has stopped.
   */
  put(key: K, value: In, options?: PutOptions): Promise<Version> {
    try {
      return this.kernel.acknowledge(this.#put(key, value, options));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Puts a value and returns the version: under `strict` after a flush, under `buffered` and `relaxed` when it is applied. @throws as `put`. */
  putSync(key: K, value: In, options?: PutOptions): Version {
    return this.kernel.settle(this.#put(key, value, options));
  }

  #put(key: K, value: In, options: PutOptions | undefined): Version {
    const { kernel, space } = this;
    if (kernel.isReadOnly) throw kernel.whyNotWritable();
    if (value === undefined) throw undefinedValue();
    const checked = space.check(value);
    const expiry = options === undefined ? undefined : expiryOf(options, kernel.engine.now);
    try {
      return expiry === undefined ? kernel.engine.put(key, checked, space) : kernel.engine.putApart(key, checked, space, undefined, expiry);
    } catch (error) {
      throw kernel.caught(error);
    }
  }

  /** Deletes a key. Resolves with the version, or with 0 where there was nothing: then nothing is written. @throws (as a rejection) as `put`. */
  delete(key: K): Promise<Version> {
    try {
      return this.kernel.acknowledge(this.#delete(key));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Deletes a key and returns the version, or 0. As `putSync`. */
  deleteSync(key: K): Version {
    return this.kernel.settle(this.#delete(key));
  }

  #delete(key: K): Version {
    const { kernel } = this;
    if (kernel.isReadOnly) throw kernel.whyNotWritable();
    try {
      return kernel.engine.delete(key, this.space);
    } catch (error) {
      throw kernel.caught(error);
    }
  }

  /**
   * Puts a value, or deletes with `undefined`, if the key's version is exactly `version`; 0 means that it must not exist. Of any number of contenders for one
   * version exactly one wins. A delete of what does not exist, as expected, is ok with version 0. @throws (as a rejection) as `put`; a mismatch is no error.
   */
  cas(key: K, version: Version, next: In | undefined, options?: PutOptions): Promise<CasResult> {
    try {
      const result = this.#cas(key, version, next, options);
      return result.ok ? this.kernel.acknowledgeWith(result.version, result) : Promise.resolve(result);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** As `cas`, returning when `putSync` would. */
  casSync(key: K, version: Version, next: In | undefined, options?: PutOptions): CasResult {
    const result = this.#cas(key, version, next, options);
    if (result.ok) this.kernel.settle(result.version);
    return result;
  }

  #cas(key: K, expected: Version, next: In | undefined, options: PutOptions | undefined): CasResult {
    const { kernel, space } = this;
    if (kernel.isReadOnly) throw kernel.whyNotWritable();
    checkExpected(expected);
    const value = next === undefined ? undefined : space.check(next);
    const expiry = expiryOf(options, kernel.engine.now);
    try {
      const version = kernel.engine.cas(key, expected, value, space, expiry);
      return version < 0 ? { ok: false, version: kernel.engine.foundVersion } : { ok: true, version };
    } catch (error) {
      throw kernel.caught(error);
    }
  }

  /** Applies writes as one commit: all or none, in order, under one version. Resolves with it, or with 0 where nothing had an effect. @throws (as a rejection) as `put`. */
  batch(operations: Iterable<BatchOperation<In, K>>): Promise<Version> {
    try {
      return this.kernel.acknowledge(this.#batch(operations));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** As `batch`, returning when `putSync` would. */
  batchSync(operations: Iterable<BatchOperation<In, K>>): Version {
    return this.kernel.settle(this.#batch(operations));
  }

  #batch(operations: Iterable<BatchOperation<In, K>>): Version {
    const { kernel } = this;
    if (kernel.isReadOnly) throw kernel.whyNotWritable();
    try {
      return applyBatch(kernel.engine, operations, this.space as Space<unknown, unknown>);
    } catch (error) {
      throw kernel.caught(error);
    }
  }
}
