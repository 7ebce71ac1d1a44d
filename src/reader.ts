/** What everything that is read from has in common: the store, its keyspaces, snapshots and transactions. */
import type { Key } from './codec/key.js';
import type { Space } from './codec/space.js';
import type { EngineScan } from './engine/scan.js';
import { InvalidArgumentError } from './errors.js';
import type { Bounds, Range } from './range.js';
import { takeRecord, type ExchangeRecord } from './exchange/record.js';
import { Scan, type OpenScan } from './scan.js';

/** The number of a commit: it rises with every commit and is never used twice. 0 means that a key does not exist. */
export type Version = number;

/** A key with its value and the version that wrote it. */
export interface Entry<V, K = Key> {
  readonly key: K;
  readonly value: V;
  /** 0 for what a transaction has written itself and not committed. */
  readonly version: Version;
}

/** A version of a key, as `history` and `watch` show it. */
export interface Change<V, K = Key> {
  readonly key: K;
  /** Undefined for a delete. */
  readonly value: V | undefined;
  readonly version: Version;
  readonly deleted: boolean;
  /** When it was committed, in epoch milliseconds. */
  readonly time: number;
}

export abstract class Reader<V, K = Key> {
  /** @internal */
  protected readonly space: Space<K, V>;

  /** @internal */
  protected constructor(space: Space<K, V>) {
    this.space = space;
  }

  /** The value of a key, or undefined. */
  abstract get(key: K): V | undefined;

  /** Key, value and version, or undefined. */
  abstract getEntry(key: K): Entry<V, K> | undefined;

  /** Whether a key exists. As `get`, without decoding the value. */
  abstract has(key: K): boolean;

  /** @internal Begins a scan for `view`, which is noticed when it is forgotten. */
  protected abstract beginScan(bounds: Bounds, hasValues: boolean, view: object): OpenScan;

  /** The values of many keys, in the order of the keys; undefined where one does not exist. @throws as `get`; InvalidArgumentError for what is no iterable, as a text. */
  getMany(keys: Iterable<K>): (V | undefined)[] {
    if (typeof keys !== 'object' || keys === null || !(Symbol.iterator in keys)) throw new InvalidArgumentError('getMany takes an iterable of keys.');
    const values: (V | undefined)[] = [];
    for (const key of keys) values.push(this.get(key));
    return values;
  }

  /**
   * The keys of a range with their values and versions, in order, lazily. What is written while a loop runs does not show in it. O(log n) to begin, and as `get` for each; the first scan
   * of a store sorts its keys, and the next ones those that are new.
   * @throws InvalidArgumentError, TooLargeError for a bad range; ClosedError, PoisonedError, FullError, and what `get` throws for values, when the loop begins or goes on.
   */
  scan(range?: Range<K>): Scan<Entry<V, K>> {
    const { space } = this;
    if (!space.hasKeyCodec) return this.#scan(range, true, (scan) => ({ key: scan.key(space), value: scan.value(space), version: scan.version }));
    // A codec of keys is the caller's, and may end the scan: the value is taken before.
    return this.#scan(range, true, (scan) => {
      const { version } = scan;
      const value = scan.value(space);
      return { key: scan.key(space), value, version };
    });
  }

  /** The keys of a range, in order. As `scan`, without decoding values. */
  keys(range?: Range<K>): Scan<K> {
    const { space } = this;
    return this.#scan(range, false, (scan) => scan.key(space));
  }

  /** The values of a range, in the order of their keys. As `scan`, without decoding keys. */
  values(range?: Range<K>): Scan<V> {
    const { space } = this;
    return this.#scan(range, true, (scan) => scan.value(space));
  }

  /** How many keys are in a range. O(keys in the range), without decoding any. @throws as `scan`. */
  count(range?: Range<K>): number {
    const open = this.beginScan(this.space.bounds(range), false, this);
    try {
      open.check();
      return open.scan.count();
    } catch (error) {
      throw open.caught(error);
    } finally {
      open.close();
    }
  }

  /** @internal The keys of a range with what is stored of their values, in order. As `scan`. */
  records(range?: Range<K>): Scan<ExchangeRecord> {
    return this.#scan(range, true, takeRecord);
  }

  #scan<T>(range: Range<K> | undefined, hasValues: boolean, read: (scan: EngineScan) => T): Scan<T> {
    const bounds = this.space.bounds(range);
    return new Scan((view) => this.beginScan(bounds, hasValues, view), read);
  }
}
