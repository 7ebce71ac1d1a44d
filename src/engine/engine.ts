/**
 * One store's core and the views of its memory: the only file that knows both. Keys and values are written straight to where they will stand in
 * the log, and read straight from there; no view or pointer is held across an `await` or a call that may grow memory.
 */
import * as format from '../../assembly/shared/format.js';
import * as layout from '../../assembly/shared/layout.js';
import { MAX_KEY_SIZE, PARTS_SHARE_SHIFT } from '../../assembly/shared/limits.js';
import * as status from '../../assembly/shared/status.js';
import type { Slab } from '../codec/slab.js';
import type { Space } from '../codec/space.js';
import type { ValueReader } from '../codec/value.js';
import type { Core } from './core.js';
import { encodeApart, encodeRecord, keyTooLarge } from './encode.js';
import { failure } from './failure.js';
import { copyLarge, readLarge } from './large.js';
import { instantiate, type MemoryRange } from './module.js';
import { Pager, type EngineHost, type ReadFile } from './pager.js';
import { ShownValues } from './shown.js';
import { stageExpected } from './staging.js';
import type { WasmMemory, WasmModule } from './wasm-types.js';

const POINTER = layout.CONTROL_WRITE_POINTER >> 2;
const ROOM = layout.CONTROL_WRITE_ROOM >> 2;
const PENDING = layout.CONTROL_PENDING_SIZE >> 2;
const VALUE_POINTER = layout.CONTROL_VALUE_POINTER >> 2;
const VALUE_SIZE = layout.CONTROL_VALUE_SIZE >> 2;
const VERSION = layout.CONTROL_VERSION >> 3;
const TIME = layout.CONTROL_TIME >> 3;
const HEADER = format.RECORD_HEADER_SIZE;
const LARGE = format.RECORD_FLAG_LARGE;
const KIND_MASK = format.RECORD_KIND_MASK;
const TOMBSTONE = format.RECORD_FLAG_TOMBSTONE;
const IS_SHORT = layout.CONTROL_IS_SHORT >> 2;
const HAS_EXPIRY = layout.CONTROL_HAS_EXPIRY >> 2;

export class Engine {
  /** What messages call the store. */
  readonly name: string;
  readonly memory: WasmMemory;
  /** The most that the memory may grow to, in bytes. */
  readonly memoryLimit: number;
  readonly core: Core;
  segmentSize = 0;
  /** The clock, in epoch milliseconds. */
  readonly now: () => number;
  /** Set when the core stopped in the middle of something: it is never called again. */
  isBroken = false;
  /** How many transactions were refused because another commit had come between. */
  conflictCount = 0;
  /** Whether a commit is being put together, its writes staged or what it needs made ready: code of the caller's that runs meanwhile may only read. */
  isStaging = false;
  /** Where the bytes are copied to that callers keep; undefined where each has a buffer of its own. */
  slab: Slab | undefined;
  /** The bytes of linear memory; `refresh` renews them after growth. */
  bytes: Uint8Array;
  #words: Uint32Array;
  #numbers: Float64Array;
  /** Where the facade writes keys for the core, and finds the text that the core makes of keys. */
  readonly window: number;
  readonly #shown = new ShownValues();
  #host: EngineHost | undefined;
  readonly #pager: Pager;

  constructor(name: string, range: MemoryRange, now: () => number, module?: WasmModule) {
    this.name = name;
    this.now = now;
    this.memoryLimit = range.limit;
    this.#pager = new Pager(this);
    const { core, memory } = instantiate(range, this.#pager, module);
    this.core = core;
    this.memory = memory;
    this.window = core.createWindows() >>> 0;
    if (this.window === 0) throw failure(status.STATUS_MEMORY_FULL, name);
    this.bytes = new Uint8Array(memory.buffer);
    this.#words = new Uint32Array(memory.buffer);
    this.#numbers = new Float64Array(memory.buffer);
  }

  /** Renews the views when memory has grown; a detached view is empty. */
  refresh(): void {
    if (this.#words.length !== 0) return;
    this.bytes = new Uint8Array(this.memory.buffer);
    this.#words = new Uint32Array(this.memory.buffer);
    this.#numbers = new Float64Array(this.memory.buffer);
  }

  /** Fixes the segment size; `entropy` is 32 random bytes. */
  init(segmentSizeShift: number, inMemory: boolean, isNew: boolean, entropy: Uint8Array): void {
    this.bytes.set(entropy, layout.CONTROL_ENTROPY);
    this.core.init(segmentSizeShift, inMemory, isNew);
    this.segmentSize = 2 ** segmentSizeShift;
    this.#pager.start();
  }

  attach(host: EngineHost, read: ReadFile): void {
    this.#host = host;
    this.#pager.attach(host, read);
  }

  /** Lets segments leave memory, once their size is fixed, where there is no room for all of them; `blocks` is the most that may be in memory, 0 where nothing may leave. */
  letLeave(blocks?: number): void {
    this.#pager.blocks = blocks;
  }

  /** Reads a 32-bit field of the control block. */
  word(offset: number): number {
    this.refresh();
    return this.#words[offset / 4]!;
  }

  /** Reads a wide field of the control block. */
  number(offset: number): number {
    this.refresh();
    return this.#numbers[offset / 8]!;
  }

  /** Writes a 32-bit field, of the control block or of a structure that the core has shown. */
  setWord(offset: number, value: number): void {
    this.refresh();
    this.#words[offset / 4] = value;
  }

  /** Bytes that the device has not been given. */
  get pendingSize(): number {
    return this.#words.length === 0 ? this.word(layout.CONTROL_PENDING_SIZE) : this.#words[PENDING]!;
  }

  // ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Encodes a key into the window and returns its size. */
  encodeKey<K>(key: K, space: Space<K, unknown>): number {
    this.#relieve();
    const bound = space.bound(key);
    if (bound <= MAX_KEY_SIZE) return space.write(this.bytes, this.window, key) - this.window;
    const bytes = encodeApart(key, space, bound);
    this.bytes.set(bytes, this.window);
    return bytes.length;
  }

  /** Puts the bound of a range into the window. It may be one byte longer than the longest key: what is behind that key. */
  setBound(bytes: Uint8Array): void {
    if (bytes.length > MAX_KEY_SIZE + 1) throw keyTooLarge(bytes.length);
    this.#relieve();
    this.bytes.set(bytes, this.window);
  }

  /** Whether anything in the store may expire. */
  get mayExpire(): boolean {
    return this.word(layout.CONTROL_HAS_EXPIRY) !== 0;
  }

  /** Tells the core the time, where something may expire. To be called before what depends on it. */
  tick(): void {
    this.#relieve();
    if (this.#words[HAS_EXPIRY] !== 0) this.core.setClock(this.now());
  }

  /** Looks a key up: the kind of its value, or a negative number. */
  find<K>(key: K, space: Space<K, unknown>): number {
    const size = this.encodeKey(key, space);
    if (this.#words[HAS_EXPIRY] !== 0) this.core.setClock(this.now());
    return this.after(this.core.get(size));
  }

  /** Where the last call was short of memory, has the file hold what can leave only then: before the next, because a flush shows its output where a call shows what it has found, and whoever hears of it may read. */
  #relieve(): void {
    if (this.#words.length === 0) this.refresh();
    if (this.#words[IS_SHORT] !== 0) this.#pager.flushShort();
  }

  /** The result of a call that may have taken memory for the log, or for what it has read from the file. */
  after(result: number): number {
    if (this.#words.length === 0) this.refresh();
    return result;
  }

  /** The value of a key, or undefined. */
  get<K, V>(key: K, space: Space<K, V>): V | undefined {
    const kind = this.find(key, space);
    return kind < 0 ? undefined : this.found(kind, space.values);
  }

  /** The value that the last lookup found, of the kind that it returned. */
  found<V>(kind: number, codec: ValueReader<V>): V {
    if ((kind & LARGE) !== 0) return readLarge(this, kind & KIND_MASK, codec);
    const start = this.#words[VALUE_POINTER]!;
    return codec.read(this.bytes, start, start + this.#words[VALUE_SIZE]!, kind);
  }

  /** The key of an item of a scan's batch. */
  itemKey<K>(item: number, space: Space<K, unknown>): K {
    if (this.#words.length === 0) this.refresh();
    const start = this.#words[(item + layout.ITEM_KEY) / 4]!;
    return space.read(this.bytes, start, start + this.#words[(item + layout.ITEM_KEY_SIZE) / 4]!);
  }

  /** The value of an item of a scan's batch. */
  itemValue<V>(item: number, codec: ValueReader<V>): V {
    if (this.#words.length === 0) this.refresh();
    const words = this.#words;
    const start = words[(item + layout.ITEM_VALUE) / 4]!;
    const size = words[(item + layout.ITEM_VALUE_SIZE) / 4]!;
    const kind = words[(item + layout.ITEM_KIND) / 4]!;
    if ((kind & LARGE) === 0) return codec.read(this.bytes, start, start + size, kind);
    words[VALUE_POINTER] = start;
    words[VALUE_SIZE] = size;
    return readLarge(this, kind & KIND_MASK, codec);
  }

  /** The version of an encoded key, 0 where it does not exist. */
  versionOfBytes(keyBytes: Uint8Array): number {
    this.setBound(keyBytes);
    if (this.after(this.core.get(keyBytes.length)) < 0) this.#numbers[VERSION] = 0;
    return this.foundVersion;
  }

  /** The version that the last call met. */
  get foundVersion(): number {
    return this.#numbers[VERSION]!;
  }

  has<K>(key: K, space: Space<K, unknown>): boolean {
    return this.find(key, space) >= 0;
  }

  /** Looks a key up as of a version that is pinned, and a clock: the kind of its value, or a negative number. */
  findAt<K>(key: K, version: number, clock: number, space: Space<K, unknown>): number {
    return this.after(this.core.getAt(this.encodeKey(key, space), version, clock));
  }

  /** When a version was committed, in epoch milliseconds: what is still in an open frame, now. */
  timeOf(version: number): number {
    const time = this.after(this.core.timeOf(version));
    return time < 0 ? this.now() : time;
  }

  /** When the version that `findBefore` has found was committed, in epoch milliseconds: compaction may have moved it out of the frame that tells. */
  get foundTime(): number {
    return this.#numbers[TIME]! || this.timeOf(this.foundVersion);
  }

  /** The newest version of a key below another: its kind, with the flag of a tombstone for a delete, or a negative number. */
  findBefore<K>(key: K, before: number, space: Space<K, unknown>): number {
    return this.after(this.core.versionBefore(this.encodeKey(key, space), before));
  }

  /** Copies the stored bytes of a value into `target` and returns their size; -1 where there is no such key. Copies nothing when they do not fit. */
  copyInto<K>(key: K, target: Uint8Array, space: Space<K, unknown>): number {
    const kind = this.find(key, space);
    if (kind < 0) return -1;
    if ((kind & LARGE) !== 0) {
      const size = this.core.largeSize() >>> 0;
      if (size <= target.length) copyLarge(this, target);
      return size;
    }
    const start = this.#words[VALUE_POINTER]!;
    const size = this.#words[VALUE_SIZE]!;
    if (size <= target.length) this.#shown.copy(this.bytes, start, size, target);
    return size;
  }

  // ── Writing one key ──────────────────────────────────────────────────────────────────────────────────────────────

  /** Puts a value. Returns the version. */
  put<K, V>(key: K, value: V, space: Space<K, V>): number {
    this.#relieve();
    // The key first, because code of the caller's may stand behind it; none does behind a value that has a bound.
    const keyMost = space.bound(key);
    const bound = space.values.bound(value);
    if (bound < 0 || bound + keyMost > this.#words[ROOM]! || keyMost > MAX_KEY_SIZE) return this.putApart(key, value, space, undefined, undefined, keyMost);
    const start = this.#words[POINTER]! + HEADER;
    const keyEnd = space.write(this.bytes, start, key);
    const written = space.values.write(this.bytes, keyEnd, value);
    if (this.#words[HAS_EXPIRY] !== 0) this.core.setClock(this.now());
    const version = this.after(this.core.put(keyEnd - start, written >>> 4, written & KIND_MASK));
    return version > 0 ? version : this.#putAgain(version, key, value, space, keyMost);
  }

  #putAgain<K, V>(code: number, key: K, value: V, space: Space<K, V>, keyMost: number): number {
    this.resolve(code, false);
    return this.putApart(key, value, space, undefined, undefined, keyMost);
  }

  /** Clears what keeps a call from succeeding, or throws. Nothing may be flushed while the writes of a commit are staged. */
  resolve(code: number, reserved: boolean, mayFlush = !this.isStaging): void {
    if (code === status.STATUS_NEED_SLOT) this.#host!.prepareSlot(reserved);
    else if (code === status.STATUS_NEED_CEILING) this.#host!.raiseCeiling();
    else if (code === status.STATUS_NEED_TIME) this.core.setTime(this.now());
    else if (code !== status.STATUS_MEMORY_FULL || (!this.#pager.makeSpace(mayFlush) && this.#host?.reclaim() !== true)) throw failure(code, this.name);
    this.refresh();
  }

  #makeRoom(size: number, reserved: boolean): void {
    for (let code = this.core.makeRoom(size, reserved); code !== status.STATUS_OK; code = this.core.makeRoom(size, reserved)) this.resolve(code, reserved);
    this.refresh();
  }

  /**
   * Puts what does not simply fit at the tail, or expires, in epoch milliseconds. With `expected`, as a cas: the result is negative on a mismatch. `keyMost` is the key's bound, where the space was asked
   * for that last: a caller's codec of keys is asked once.
   */
  putApart<K, V>(key: K, value: V, space: Space<K, V>, expected: number | undefined, expiry: number | undefined, keyMost = space.bound(key)): number {
    const record = encodeRecord(key, value, space, expiry, keyMost);
    const { keyBytes, bytes, flags, size } = record;
    this.tick();
    if (size > this.#words[ROOM]! && size > this.segmentSize >> PARTS_SHARE_SHIFT) {
      let isStaged = true;
      const version = this.inBatch(() => void (isStaged = stageExpected(this, record, expected)));
      return isStaged ? version : status.STATUS_MISMATCH;
    }
    for (;;) {
      // What kept the record from being put may have moved the end of the log, where there is less room then.
      this.#makeRoom(size, false);
      if (expiry !== undefined) this.core.setExpiry(expiry);
      const start = this.#words[POINTER]! + HEADER + size - keyBytes.length - bytes.length;
      this.bytes.set(keyBytes, start);
      this.bytes.set(bytes, start + keyBytes.length);
      const version = this.after(expected === undefined
        ? this.core.put(keyBytes.length, bytes.length, flags)
        : this.core.cas(keyBytes.length, bytes.length, flags, expected));
      if (version > 0 || version === status.STATUS_MISMATCH) return version;
      this.resolve(version, false);
    }
  }

  /** Deletes a key. Returns the version, or 0 where there was nothing. */
  delete<K>(key: K, space: Space<K, unknown>): number {
    return Math.max(0, this.#remove(key, space, undefined));
  }

  /** Deletes, or with `expected` deletes when the version is that. Negative: a mismatch, or nothing there. */
  #remove<K>(key: K, space: Space<K, unknown>, expected: number | undefined): number {
    this.tick();
    const keyMost = space.bound(key);
    for (;;) {
      const keyBytes = keyMost > this.#words[ROOM]! || keyMost > MAX_KEY_SIZE ? encodeApart(key, space, keyMost) : undefined;
      if (keyBytes !== undefined) {
        if (!expected && this.versionOfBytes(keyBytes) === 0) return status.STATUS_ABSENT;
        this.#makeRoom(keyBytes.length, true);
      }
      const start = this.#words[POINTER]! + HEADER;
      if (keyBytes !== undefined) this.bytes.set(keyBytes, start);
      const size = keyBytes === undefined ? space.write(this.bytes, start, key) - start : keyBytes.length;
      const version = this.after(expected === undefined ? this.core.del(size) : this.core.cas(size, 0, TOMBSTONE, expected));
      if (version > 0 || version === status.STATUS_ABSENT || version === status.STATUS_MISMATCH) return version;
      this.resolve(version, true);
    }
  }

  /**
   * Puts a value, or deletes when it is undefined, if the key's version is `expected`. Returns the new version, 0 when there was nothing to
   * delete, or -1: `foundVersion` then is what the key has.
   */
  cas<K, V>(key: K, expected: number, value: V | undefined, space: Space<K, V>, expiry: number | undefined): number {
    const result = value === undefined ? this.#remove(key, space, expected) : this.#casPut(key, expected, value, space, expiry);
    if (result === status.STATUS_ABSENT) return 0;
    return result === status.STATUS_MISMATCH ? -1 : result;
  }

  #casPut<K, V>(key: K, expected: number, value: V, space: Space<K, V>, expiry: number | undefined): number {
    this.tick();
    const keyMost = space.bound(key);
    const bound = space.values.bound(value);
    if (expiry !== undefined || bound < 0 || bound + keyMost > this.#words[ROOM]! || keyMost > MAX_KEY_SIZE) return this.putApart(key, value, space, expected, expiry, keyMost);
    const start = this.#words[POINTER]! + HEADER;
    const keyEnd = space.write(this.bytes, start, key);
    const written = space.values.write(this.bytes, keyEnd, value);
    const version = this.after(this.core.cas(keyEnd - start, written >>> 4, written & KIND_MASK, expected));
    if (version > 0 || version === status.STATUS_MISMATCH) return version;
    this.resolve(version, false);
    return this.putApart(key, value, space, expected, undefined, keyMost);
  }

  // ── Writing many keys ────────────────────────────────────────────────────────────────────────────────────────────

  /** Runs what stages the writes of one commit (`staging.ts`), and commits them: all or nothing. Returns the version, 0 where nothing had an effect. */
  inBatch(stage: () => void): number {
    this.tick();
    for (let code = this.core.beginBatch(); code !== status.STATUS_OK; code = this.core.beginBatch()) this.resolve(code, false);
    this.isStaging = true;
    try {
      stage();
    } catch (error) {
      this.core.abortBatch();
      this.refresh();
      throw error;
    } finally {
      this.isStaging = false;
    }
    const version = this.core.commitBatch();
    this.refresh();
    if (version < 0) throw failure(version, this.name);
    return version;
  }

  /** Makes room for a staged record of so many bytes behind its header. */
  makeBatchRoom(size: number, reserved: boolean): void {
    for (let code = this.core.makeBatchRoom(size, reserved); code !== status.STATUS_OK; code = this.core.makeBatchRoom(size, reserved)) this.resolve(code, reserved);
    this.refresh();
  }

  /** Where what stands behind the next record's header goes, and how many bytes fit. */
  get tailPointer(): number {
    return this.word(layout.CONTROL_WRITE_POINTER) + HEADER;
  }

  get tailRoom(): number {
    return this.word(layout.CONTROL_WRITE_ROOM);
  }

  // ── The device's side ────────────────────────────────────────────────────────────────────────────────────────────

  /** Where in memory the bytes are that the core shows for the device. */
  get outputPointer(): number {
    return this.word(layout.CONTROL_OUTPUT_POINTER);
  }

  /** Where in the file they go. */
  get outputOffset(): number {
    return this.slotOffset(this.word(layout.CONTROL_OUTPUT_SLOT)) + this.word(layout.CONTROL_OUTPUT_OFFSET);
  }

  /** The offset of a slot in the file. */
  slotOffset(slot: number): number {
    return format.SLOTS_OFFSET + slot * this.segmentSize;
  }
}
