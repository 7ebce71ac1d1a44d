/** A scan of the core, as the facade uses it: its batch, item by item. */
import { RECORD_KIND_MASK } from '../../assembly/shared/format.js';
import * as layout from '../../assembly/shared/layout.js';
import * as status from '../../assembly/shared/status.js';
import { TAG_STRING } from '../codec/key-format.js';
import type { Space } from '../codec/space.js';
import { KIND_UTF8, readText } from '../codec/text.js';
import type { Bounds } from '../range.js';
import { KIND_BYTES, type ValueReader } from '../codec/value.js';
import type { Engine } from './engine.js';
import { failure } from './failure.js';

/** As of what a scan reads: a version that is pinned, with the clock that goes with it, or a session. */
export interface ScanPoint {
  readonly version: number;
  readonly clock: number;
  /** The session's handle, or 0. */
  readonly session: number;
}

/** A value as it is stored. */
export interface StoredValue {
  readonly bytes: Uint8Array;
  readonly kind: number;
}

const STORED: ValueReader<StoredValue> = { read: (source, start, end, kind) => ({ bytes: source.slice(start, end), kind }) };

/** From so many keys on, decoding them at once takes less time than one by one. */
const TEXT_COUNT_MIN = 4;
/** From so many values of such a size on, copying all of a batch at once takes less time than one by one, and not much more memory. */
const STRETCH_COUNT_MIN = 4;
const STRETCH_VALUE_SIZE_MIN = 64;

/** The first batches of a scan without a limit are small: who leaves it early has not read far. */
const FIRST_COUNT = 16;

export class EngineScan {
  readonly #engine: Engine;
  readonly #handle: number;
  readonly #items: number;
  /** As of what it reads. */
  readonly #version: number;
  #left: number;
  #most: number;
  #count = 0;
  #index = 0;
  /** Where the current item stands in memory. */
  #item = 0;
  /** The keys of the batch, where they were decoded at once; or empty. */
  #text = '';
  /** The items of the batch with the values that stand in them, where they were copied at once. */
  #stretch: Uint8Array | undefined;

  constructor(engine: Engine, bounds: Bounds, point: ScanPoint, hasValues: boolean) {
    const { core } = engine;
    this.#engine = engine;
    this.#version = point.version;
    this.#left = bounds.limit;
    this.#most = bounds.limit === Infinity ? FIRST_COUNT : layout.CURSOR_ITEM_COUNT;
    this.#handle = core.openScan(point.version, point.clock, point.session, bounds.isReverse, hasValues) >>> 0;
    engine.refresh();
    if (this.#handle === 0) throw failure(status.STATUS_MEMORY_FULL, engine.name);
    this.#items = this.#handle + layout.CURSOR_ITEMS;
    try {
      this.#bound(false, bounds.from);
      this.#bound(true, bounds.to);
      for (let code = core.startScan(this.#handle); code !== status.STATUS_OK; code = core.startScan(this.#handle)) engine.resolve(code, false);
      engine.refresh();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #bound(isHigh: boolean, bytes: Uint8Array): void {
    this.#engine.setBound(bytes);
    const isBound = this.#engine.core.boundScan(this.#handle, isHigh, bytes.length);
    this.#engine.refresh();
    if (isBound === 0) throw failure(status.STATUS_MEMORY_FULL, this.#engine.name);
  }

  /** Goes on to the next item. False at the end. */
  next(): boolean {
    if (this.#index === this.#count && !this.#fill()) return false;
    this.#item = this.#items + this.#index * layout.ITEM_SIZE;
    this.#index++;
    // The core learns how far the caller has read: that much of the range counts when a session commits.
    this.#engine.setWord(this.#handle + layout.CURSOR_CONSUMED, this.#index);
    return true;
  }

  #fill(): boolean {
    const most = Math.min(this.#left, this.#most);
    if (most <= 0) return false;
    const count = this.#engine.core.fillScan(this.#handle, most);
    this.#engine.refresh();
    if (count < 0) throw failure(count, this.#engine.name);
    this.#left -= count;
    this.#most = layout.CURSOR_ITEM_COUNT;
    this.#count = count;
    this.#index = 0;
    this.#text = '';
    this.#stretch = undefined;
    // That nothing is left is read too.
    if (count === 0) this.#engine.setWord(this.#handle + layout.CURSOR_CONSUMED, 1);
    return count !== 0;
  }

  /** How many items are left: reads them all. */
  count(): number {
    let total = this.#count - this.#index;
    this.#most = layout.CURSOR_ITEM_COUNT;
    while (this.#fill()) {
      total += this.#count;
      this.#engine.setWord(this.#handle + layout.CURSOR_CONSUMED, this.#count);
    }
    return total;
  }

  /** The key of the current item. */
  key<K, V>(space: Space<K, V>): K {
    const engine = this.#engine;
    // Later than at the first, the keys before it may have gone.
    if (this.#index === 1 && this.#count >= TEXT_COUNT_MIN && space.tagOffset >= 0) this.#text = this.#decodeKeys(space.tagOffset);
    if (this.#text === '') return engine.itemKey(this.#item, space);
    const start = engine.word(this.#item + layout.ITEM_TEXT);
    const size = engine.word(this.#item + layout.ITEM_KEY_SIZE) - space.tagOffset - 1;
    return space.ofText(this.#text.substring(start, start + size));
  }

  /** The keys of the batch as one text, where all of them are short texts of ASCII; empty where they are not. */
  #decodeKeys(tagOffset: number): string {
    const { core, bytes, window } = this.#engine;
    const size = core.textOfScan(this.#handle, tagOffset, TAG_STRING);
    return size === 0 ? '' : readText(bytes, window, window + size, KIND_UTF8);
  }

  /** The encoded key of the current item. */
  get keyBytes(): Uint8Array {
    const start = this.#engine.word(this.#item + layout.ITEM_KEY);
    return this.#engine.bytes.slice(start, start + this.#engine.word(this.#item + layout.ITEM_KEY_SIZE));
  }

  /** The stored bytes of the value of the current item, and their kind. */
  get stored(): StoredValue {
    return this.#engine.itemValue(this.#item, STORED);
  }

  /** When the value of an encoded key, which is that of the current item, expires: in epoch milliseconds; undefined where it does not. */
  expiryOf(keyBytes: Uint8Array): number | undefined {
    if (!this.#engine.mayExpire) return undefined;
    this.#engine.setBound(keyBytes);
    const expiry = this.#engine.core.keyExpiry(keyBytes.length, this.#version);
    return expiry === 0 ? undefined : expiry;
  }

  /** The value of the current item. */
  value<K, V>(space: Space<K, V>): V {
    const engine = this.#engine;
    if (this.#index === 1 && this.#count >= STRETCH_COUNT_MIN) this.#stretch = this.#takeValues();
    const stretch = this.#stretch;
    const room = this.#item + layout.ITEM_ROOM;
    const kind = engine.word(this.#item + layout.ITEM_KIND);
    // What has a flag is the list of a value in parts.
    if (stretch === undefined || kind > RECORD_KIND_MASK || engine.word(this.#item + layout.ITEM_VALUE) !== room) return engine.itemValue(this.#item, space.values);
    const start = room - this.#items;
    return space.values.read(stretch, start, start + engine.word(this.#item + layout.ITEM_VALUE_SIZE), kind);
  }

  /** Copies all items at once for whoever keeps their values, where the first is such that it pays. */
  #takeValues(): Uint8Array | undefined {
    const engine = this.#engine;
    const isSuitable = engine.word(this.#item + layout.ITEM_KIND) === KIND_BYTES && engine.word(this.#item + layout.ITEM_VALUE) === this.#item + layout.ITEM_ROOM &&
      engine.word(this.#item + layout.ITEM_VALUE_SIZE) >= STRETCH_VALUE_SIZE_MIN;
    return isSuitable ? engine.slab?.take(engine.bytes, this.#items, this.#items + this.#count * layout.ITEM_SIZE) : undefined;
  }

  /** The version of the current item; 0 for what a session has written itself. */
  get version(): number {
    return this.#engine.number(this.#item + layout.ITEM_VERSION);
  }

  /** Ends the scan. To be called once, and not after its session has ended. */
  close(): void {
    this.#engine.core.closeScan(this.#handle);
    this.#engine.refresh();
  }
}
