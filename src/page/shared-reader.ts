/** What everything that is read from a page has in common: the store, its keyspaces, snapshots and transactions. Each method is that of `Reader`, and waits. */
import type { Key } from '../codec/key.js';
import type { Space } from '../codec/space.js';
import { InvalidArgumentError } from '../errors.js';
import type { ExchangeRecord } from '../exchange/record.js';
import type { Bounds, Range } from '../range.js';
import type { Entry } from '../reader.js';
import type { FrameReader } from '../worker/frames.js';
import * as protocol from '../worker/protocol.js';
import { readKey, readRecord, readValue, writeKey, writeRange } from './encode.js';
import { IN_VIEW, type Fate, type Link } from './link.js';
import { SharedScan } from './shared-scan.js';

/** Where a reader reads: the store as it is, or the view of a worker, and what becomes of calls when that worker ends. */
export interface Sight {
  readonly link: Link;
  readonly view: number;
  readonly fate: Fate;
  /** Whether scans may read ahead. */
  readonly isAhead: boolean;
  /** Throws where nothing is read any more. */
  check(): void;
}

export abstract class SharedReader<V, K = Key> {
  /** @internal */
  readonly space: Space<K, V>;
  /** @internal */
  readonly sight: Sight;

  /** @internal */
  protected constructor(space: Space<K, V>, sight: Sight) {
    this.space = space;
    this.sight = sight;
  }

  #ask<T>(operation: number, key: K, decode: (frames: FrameReader) => T): Promise<T> {
    const { sight, space } = this;
    return sight.link.call(sight.fate, operation, (frames) => {
      sight.check();
      frames.word(sight.view);
      writeKey(frames, key, space as Space<K, never>);
    }, decode);
  }

  /** The value of a key, or undefined. @throws (as a rejection) InvalidArgumentError, TooLargeError, ClosedError, PoisonedError. */
  get(key: K): Promise<V | undefined> {
    const { values } = this.space;
    return this.#ask(protocol.OP_GET, key, (frames) => readValue(frames, values));
  }

  /** Key, value and version, or undefined. As `get`. */
  getEntry(key: K): Promise<Entry<V, K> | undefined> {
    const { values } = this.space;
    return this.#ask(protocol.OP_ENTRY, key, (frames) => {
      const value = readValue(frames, values);
      return value === undefined ? undefined : { key, value, version: frames.number() };
    });
  }

  /** Whether a key exists. As `get`. */
  has(key: K): Promise<boolean> {
    return this.#ask(protocol.OP_HAS, key, (frames) => frames.byte() === 1);
  }

  /**
   * Copies the stored bytes of a value into `target` and resolves with their size; with -1 where the key does not exist. When the size is greater than `target.length`, nothing was copied.
   */
  getInto(key: K, target: Uint8Array): Promise<number> {
    if (!(target instanceof Uint8Array)) return Promise.reject(new InvalidArgumentError('getInto copies into a Uint8Array.'));
    return this.#ask(protocol.OP_GET, key, (frames) => {
      const stored = frames.value();
      if (stored === undefined) return -1;
      const { source, start, end } = stored;
      if (end - start <= target.length) target.set(source.subarray(start, end));
      return end - start;
    });
  }

  /** The values of many keys, in the order of the keys; undefined where one does not exist. They cross together. */
  async getMany(keys: Iterable<K>): Promise<(V | undefined)[]> {
    if (typeof keys !== 'object' || keys === null || !(Symbol.iterator in keys)) throw new InvalidArgumentError('getMany takes an iterable of keys.');
    return Promise.all(Array.from(keys, (key) => this.get(key)));
  }

  /** How many keys are in a range. O(keys in the range). */
  count(range?: Range<K>): Promise<number> {
    const { sight, space } = this;
    return sight.link.call(sight.fate, protocol.OP_COUNT, (frames) => {
      sight.check();
      frames.word(sight.view);
      writeRange(frames, space.bounds(range));
    }, (frames) => frames.number());
  }

  /** The keys of a range with their values and versions, in order, for `for await`. */
  scan(range?: Range<K>): SharedScan<Entry<V, K>> {
    const { space } = this;
    return this.#scan(protocol.SORT_ENTRIES, space.bounds(range), (frames) => ({ key: readKey(frames, space as Space<K, never>), value: readValue(frames, space.values)!, version: frames.number() }));
  }

  /** The keys of a range, in order. As `scan`. */
  keys(range?: Range<K>): SharedScan<K> {
    const { space } = this;
    return this.#scan(protocol.SORT_KEYS, space.bounds(range), (frames) => readKey(frames, space as Space<K, never>));
  }

  /** The values of a range, in the order of their keys. As `scan`. */
  values(range?: Range<K>): SharedScan<V> {
    const { space } = this;
    return this.#scan(protocol.SORT_VALUES, space.bounds(range), (frames) => readValue(frames, space.values)!);
  }

  /** @internal What is stored between bounds, in order. As `scan`. */
  records(bounds: Bounds): SharedScan<ExchangeRecord> {
    return this.#scan(protocol.SORT_RECORDS, bounds, readRecord);
  }

  #scan<T>(sort: number, bounds: Bounds, read: (frames: FrameReader) => T): SharedScan<T> {
    const { sight } = this;
    return new SharedScan(() => {
      sight.check();
      return {
        link: sight.link,
        opening: sight.fate,
        going: sight.view === 0 ? IN_VIEW : sight.fate,
        operation: protocol.OP_SCAN,
        isAhead: sight.isAhead,
        write: (frames, cursor) => {
          frames.word(sight.view);
          frames.word(cursor);
          frames.byte(sort);
          writeRange(frames, bounds);
        },
        read,
      };
    });
  }
}
