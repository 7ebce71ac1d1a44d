/**
 * One store's core and the views of its memory: the only file that knows both. Keys and values are written straight to where they will stand in
 * the log, and read straight from there; no view or pointer is held across an `await` or a call that may grow memory.
 */
import * as format from '../../assembly/shared/format.js';
import * as layout from '../../assembly/shared/layout.js';
import { MAX_KEY_SIZE } from '../../assembly/shared/limits.js';
import * as status from '../../assembly/shared/status.js';
import { keyBound, writeKey, type Key } from '../codec/key.js';
import type { ValueCodec } from '../codec/value.js';
import type { Core } from './core.js';
import { encodeApart, encodeValue } from './encode.js';
import { failure, reasonText, type Damage } from './failure.js';
import { instantiate, type MemoryRange } from './module.js';

/** What the engine asks for when the log cannot go on by itself. */
export interface EngineHost {
  /** Makes a zeroed slot ready, or throws. `reserved` allows the slots kept for deletes. */
  prepareSlot(reserved: boolean): void;
  /** Makes a higher version ceiling durable, or throws. */
  raiseCeiling(): void;
}

/** One write of a batch, as the engine takes it. */
export interface Write {
  readonly key: Key;
  /** The value; `undefined` deletes. */
  readonly value: unknown;
}

const POINTER = layout.CONTROL_WRITE_POINTER >> 2;
const ROOM = layout.CONTROL_WRITE_ROOM >> 2;
const PENDING = layout.CONTROL_PENDING_SIZE >> 2;
const VALUE_POINTER = layout.CONTROL_VALUE_POINTER >> 2;
const VALUE_SIZE = layout.CONTROL_VALUE_SIZE >> 2;
const VERSION = layout.CONTROL_VERSION >> 3;
const HEADER = format.RECORD_HEADER_SIZE;
const LARGE = format.RECORD_FLAG_LARGE;
const KIND_MASK = format.RECORD_KIND_MASK;
const TOMBSTONE = format.RECORD_FLAG_TOMBSTONE;
/** A value that takes more than this share of a segment goes in parts rather than leave the rest of a segment unused. */
const PARTS_SHARE = 8;
/** The least that is worth making a part of, in bytes. */
const PART_SIZE_MIN = 512;

export class Engine {
  /** What messages call the store. */
  readonly name: string;
  readonly memory: WebAssembly.Memory;
  /** The most that the memory may grow to, in bytes. */
  readonly memoryLimit: number;
  readonly core: Core;
  segmentSize = 0;
  /** Set when the core stopped in the middle of something: it is never called again. */
  isBroken = false;
  /** The bytes of linear memory; `refresh` renews them after growth. */
  bytes: Uint8Array;
  #words: Uint32Array;
  #numbers: Float64Array;
  readonly #window: number;
  #host: EngineHost | undefined;

  constructor(name: string, range: MemoryRange, module?: WebAssembly.Module) {
    this.name = name;
    this.memoryLimit = range.limit;
    const { core, memory } = instantiate(range, module);
    this.core = core;
    this.memory = memory;
    this.#window = core.createWindows() >>> 0;
    if (this.#window === 0) throw failure(status.STATUS_MEMORY_FULL, name);
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
  }

  attach(host: EngineHost): void {
    this.#host = host;
  }

  /** Reads a 32-bit field of the control block. */
  word(offset: number): number {
    this.refresh();
    return this.#words[offset >> 2]!;
  }

  /** Reads a wide field of the control block. */
  number(offset: number): number {
    this.refresh();
    return this.#numbers[offset >> 3]!;
  }

  /** Bytes that the device has not been given. */
  get pendingSize(): number {
    return this.#words.length === 0 ? this.word(layout.CONTROL_PENDING_SIZE) : this.#words[PENDING]!;
  }

  // ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Encodes a key into the window and returns its size. */
  encodeKey(key: Key): number {
    if (this.#words.length === 0) this.refresh();
    const bound = keyBound(key);
    if (bound <= MAX_KEY_SIZE) return writeKey(this.bytes, this.#window, key) - this.#window;
    const bytes = encodeApart(key, bound);
    this.bytes.set(bytes, this.#window);
    return bytes.length;
  }

  /** Looks a key up: the kind of its value, or a negative number. */
  #find(key: Key): number {
    return this.core.get(this.encodeKey(key));
  }

  /** The value of a key, or undefined. */
  get<V>(key: Key, codec: ValueCodec<V>): V | undefined {
    const kind = this.#find(key);
    return kind < 0 ? undefined : this.found(kind, codec);
  }

  /** The value that the last lookup found, of the kind that it returned. */
  found<V>(kind: number, codec: ValueCodec<V>): V {
    if ((kind & LARGE) !== 0) return this.#large(kind & KIND_MASK, codec);
    const start = this.#words[VALUE_POINTER]!;
    return codec.read(this.bytes, start, start + this.#words[VALUE_SIZE]!, kind);
  }

  #large<V>(kind: number, codec: ValueCodec<V>): V {
    const bytes = new Uint8Array(this.core.largeSize() >>> 0);
    this.#copyLarge(bytes);
    return codec.read(bytes, 0, bytes.length, kind);
  }

  #copyLarge(target: Uint8Array): void {
    const list = this.#words[VALUE_POINTER]!;
    const count = this.core.partCount();
    let offset = 0;
    for (let index = 0; index < count; index++) {
      const size = this.core.partAt(list, index) >>> 0;
      const pointer = this.#words[layout.CONTROL_OUTPUT_POINTER >> 2]!;
      target.set(this.bytes.subarray(pointer, pointer + size), offset);
      offset += size;
    }
  }

  /** The version of a key, 0 where it does not exist. */
  versionOf(key: Key): number {
    return this.#find(key) < 0 ? 0 : this.#numbers[VERSION]!;
  }

  /** The version that the last call met. */
  get foundVersion(): number {
    return this.#numbers[VERSION]!;
  }

  has(key: Key): boolean {
    return this.#find(key) >= 0;
  }

  /** Value and version of a key. */
  entry<V>(key: Key, codec: ValueCodec<V>): { value: V; version: number } | undefined {
    const kind = this.#find(key);
    if (kind < 0) return undefined;
    const version = this.foundVersion;
    return { value: this.found(kind, codec), version };
  }

  /** The value that a key had at a version that is pinned, or undefined. */
  getAt<V>(key: Key, version: number, codec: ValueCodec<V>): V | undefined {
    const kind = this.core.getAt(this.encodeKey(key), version);
    return kind < 0 ? undefined : this.found(kind, codec);
  }

  hasAt(key: Key, version: number): boolean {
    return this.core.getAt(this.encodeKey(key), version) >= 0;
  }

  /** Value and version of a key as of a version that is pinned. */
  entryAt<V>(key: Key, at: number, codec: ValueCodec<V>): { value: V; version: number } | undefined {
    const kind = this.core.getAt(this.encodeKey(key), at);
    if (kind < 0) return undefined;
    const version = this.foundVersion;
    return { value: this.found(kind, codec), version };
  }

  /** Copies the stored bytes of a value into `target` and returns their size; -1 where there is no such key. Copies nothing when they do not fit. */
  copyInto(key: Key, target: Uint8Array): number {
    const kind = this.#find(key);
    if (kind < 0) return -1;
    if ((kind & LARGE) !== 0) {
      const size = this.core.largeSize() >>> 0;
      if (size <= target.length) this.#copyLarge(target);
      return size;
    }
    const start = this.#words[VALUE_POINTER]!;
    const size = this.#words[VALUE_SIZE]!;
    if (size <= target.length) target.set(this.bytes.subarray(start, start + size));
    return size;
  }

  // ── Writing one key ──────────────────────────────────────────────────────────────────────────────────────────────

  /** Puts a value. Returns the version. */
  put<V>(key: Key, value: V, codec: ValueCodec<V>): number {
    if (this.#words.length === 0) this.refresh();
    const bound = codec.bound(value);
    const keyMost = keyBound(key);
    if (bound < 0 || bound + keyMost > this.#words[ROOM]! || keyMost > MAX_KEY_SIZE) return this.#putApart(key, value, codec, undefined);
    const start = this.#words[POINTER]! + HEADER;
    const keyEnd = writeKey(this.bytes, start, key);
    const written = codec.write(this.bytes, keyEnd, value);
    const version = this.core.put(keyEnd - start, written >>> 4, written & KIND_MASK);
    return version > 0 ? version : this.#putAgain(version, key, value, codec);
  }

  #putAgain<V>(code: number, key: Key, value: V, codec: ValueCodec<V>): number {
    this.resolve(code, false);
    return this.put(key, value, codec);
  }

  /** Clears what keeps a call from succeeding, or throws. */
  resolve(code: number, reserved: boolean): void {
    if (code === status.STATUS_NEED_SLOT) this.#host!.prepareSlot(reserved);
    else if (code === status.STATUS_NEED_CEILING) this.#host!.raiseCeiling();
    else throw failure(code, this.name);
    this.refresh();
  }

  #makeRoom(size: number, reserved: boolean): void {
    for (let code = this.core.makeRoom(size, reserved); code !== status.STATUS_OK; code = this.core.makeRoom(size, reserved)) this.resolve(code, reserved);
    this.refresh();
  }

  /** Puts what does not simply fit at the tail. With `expected`, as a cas: the result is negative on a mismatch. */
  #putApart<V>(key: Key, value: V, codec: ValueCodec<V>, expected: number | undefined): number {
    const keyBytes = encodeApart(key, keyBound(key));
    const { bytes, kind } = encodeValue(value, codec);
    const size = keyBytes.length + bytes.length;
    if (size > this.#words[ROOM]! && size > this.segmentSize / PARTS_SHARE) return this.#putLarge(keyBytes, bytes, kind, key, expected);
    this.#makeRoom(size, false);
    for (;;) {
      const start = this.#words[POINTER]! + HEADER;
      this.bytes.set(keyBytes, start);
      this.bytes.set(bytes, start + keyBytes.length);
      const version = expected === undefined
        ? this.core.put(keyBytes.length, bytes.length, kind)
        : this.core.cas(keyBytes.length, bytes.length, kind, expected);
      if (version > 0 || version === status.STATUS_MISMATCH) return version;
      this.resolve(version, false);
    }
  }

  #putLarge(keyBytes: Uint8Array, bytes: Uint8Array, kind: number, key: Key, expected: number | undefined): number {
    if (expected !== undefined && this.versionOf(key) !== expected) return status.STATUS_MISMATCH;
    return this.inBatch(() => this.#stage(keyBytes, bytes, kind));
  }

  /** Deletes a key. Returns the version, or 0 where there was nothing. */
  delete(key: Key): number {
    return Math.max(0, this.#remove(key, undefined));
  }

  /** Deletes, or with `expected` deletes when the version is that. Negative: a mismatch, or nothing there. */
  #remove(key: Key, expected: number | undefined): number {
    this.refresh();
    const keyMost = keyBound(key);
    const keyBytes = keyMost > this.#words[ROOM]! || keyMost > MAX_KEY_SIZE ? encodeApart(key, keyMost) : undefined;
    if (keyBytes !== undefined) {
      if (!expected && this.versionOf(key) === 0) return status.STATUS_ABSENT;
      this.#makeRoom(keyBytes.length, true);
    }
    for (;;) {
      const start = this.#words[POINTER]! + HEADER;
      if (keyBytes !== undefined) this.bytes.set(keyBytes, start);
      const size = keyBytes === undefined ? writeKey(this.bytes, start, key) - start : keyBytes.length;
      const version = expected === undefined ? this.core.del(size) : this.core.cas(size, 0, TOMBSTONE, expected);
      if (version > 0 || version === status.STATUS_ABSENT || version === status.STATUS_MISMATCH) return version;
      this.resolve(version, true);
    }
  }

  /**
   * Puts a value, or deletes when it is undefined, if the key's version is `expected`. Returns the new version, 0 when there was nothing to
   * delete, or -1: `mismatchVersion` then is what the key has.
   */
  cas<V>(key: Key, expected: number, value: V | undefined, codec: ValueCodec<V>): number {
    const result = value === undefined ? this.#remove(key, expected) : this.#casPut(key, expected, value, codec);
    if (result === status.STATUS_ABSENT) return 0;
    return result === status.STATUS_MISMATCH ? -1 : result;
  }

  #casPut<V>(key: Key, expected: number, value: V, codec: ValueCodec<V>): number {
    if (this.#words.length === 0) this.refresh();
    const bound = codec.bound(value);
    const keyMost = keyBound(key);
    if (bound < 0 || bound + keyMost > this.#words[ROOM]! || keyMost > MAX_KEY_SIZE) return this.#putApart(key, value, codec, expected);
    const start = this.#words[POINTER]! + HEADER;
    const keyEnd = writeKey(this.bytes, start, key);
    const written = codec.write(this.bytes, keyEnd, value);
    const version = this.core.cas(keyEnd - start, written >>> 4, written & KIND_MASK, expected);
    if (version > 0 || version === status.STATUS_MISMATCH) return version;
    this.resolve(version, false);
    return this.#casPut(key, expected, value, codec);
  }

  // ── Writing many keys ────────────────────────────────────────────────────────────────────────────────────────────

  /** Applies writes as one commit, in order. Returns its version, 0 where nothing had an effect. */
  batch(writes: Iterable<Write>, codec: ValueCodec<unknown>): number {
    return this.inBatch(() => {
      for (const { key, value } of writes) {
        if (value === undefined) this.#stageDelete(key);
        else this.#stagePut(key, value, codec);
      }
    });
  }

  /** Runs what stages the writes of one commit, and commits them: all or nothing. */
  inBatch(stage: () => void): number {
    for (let code = this.core.beginBatch(); code !== status.STATUS_OK; code = this.core.beginBatch()) this.resolve(code, false);
    try {
      stage();
    } catch (error) {
      this.core.abortBatch();
      this.refresh();
      throw error;
    }
    const version = this.core.commitBatch();
    this.refresh();
    if (version < 0) throw failure(version, this.name);
    return version;
  }

  #makeBatchRoom(size: number, reserved: boolean): void {
    for (let code = this.core.makeBatchRoom(size, reserved); code !== status.STATUS_OK; code = this.core.makeBatchRoom(size, reserved)) this.resolve(code, reserved);
    this.refresh();
  }

  #stagePut(key: Key, value: unknown, codec: ValueCodec<unknown>): void {
    if (this.#words.length === 0) this.refresh();
    const bound = codec.bound(value);
    const keyMost = keyBound(key);
    if (bound < 0 || bound + keyMost > this.#words[ROOM]! || keyMost > MAX_KEY_SIZE) {
      const encoded = encodeValue(value, codec);
      this.#stage(encodeApart(key, keyMost), encoded.bytes, encoded.kind);
      return;
    }
    const start = this.#words[POINTER]! + HEADER;
    const keyEnd = writeKey(this.bytes, start, key);
    const written = codec.write(this.bytes, keyEnd, value);
    this.core.stageRecord(keyEnd - start, written >>> 4, written & KIND_MASK);
  }

  #stageDelete(key: Key): void {
    if (!this.core.hasToDelete(this.encodeKey(key))) return;
    const keyBytes = encodeApart(key, keyBound(key));
    this.#makeBatchRoom(keyBytes.length, true);
    this.bytes.set(keyBytes, this.#words[POINTER]! + HEADER);
    this.core.stageRecord(keyBytes.length, 0, TOMBSTONE);
  }

  /** Stages an encoded key and value, in parts where it is large. */
  #stage(keyBytes: Uint8Array, bytes: Uint8Array, kind: number): void {
    const size = keyBytes.length + bytes.length;
    if (size <= this.#words[ROOM]! || size <= this.segmentSize / PARTS_SHARE) {
      this.#makeBatchRoom(size, false);
      const start = this.#words[POINTER]! + HEADER;
      this.bytes.set(keyBytes, start);
      this.bytes.set(bytes, start + keyBytes.length);
      this.core.stageRecord(keyBytes.length, bytes.length, kind);
      return;
    }
    for (let offset = 0; offset < bytes.length;) {
      if (this.#words[ROOM]! < PART_SIZE_MIN) this.#makeBatchRoom(Math.min(bytes.length - offset, PART_SIZE_MIN), false);
      const part = Math.min(bytes.length - offset, this.#words[ROOM]!);
      this.bytes.set(bytes.subarray(offset, offset + part), this.#words[POINTER]! + HEADER);
      const code = this.core.stagePart(part);
      this.refresh();
      if (code !== status.STATUS_OK) throw failure(code, this.name);
      offset += part;
    }
    this.#makeBatchRoom(keyBytes.length + this.core.partListSize(), false);
    this.bytes.set(keyBytes, this.#words[POINTER]! + HEADER);
    this.core.stageLarge(keyBytes.length, kind);
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

  /** Where the damage is that the core has just named. */
  damage(): Damage {
    const offset = this.slotOffset(this.word(layout.CONTROL_DAMAGE_SLOT)) + this.word(layout.CONTROL_DAMAGE_OFFSET);
    return {
      segment: this.number(layout.CONTROL_DAMAGE_SEQUENCE),
      offset,
      bytes: this.word(layout.CONTROL_DAMAGE_SIZE),
      reason: reasonText(this.word(layout.CONTROL_DAMAGE_REASON)),
    };
  }
}
