/**
 * Keys and values as they are stored, for a worker that serves pages: these encode and decode, so that codecs, schemas and their functions stay where they were written, and the worker moves bytes. The
 * one space that it has spans the store and all its keyspaces.
 */
import type { BatchOperation } from '../batch.js';
import { Space } from '../codec/space.js';
import type { Key } from '../codec/key.js';
import type { ValueCodec } from '../codec/value.js';
import { InvalidArgumentError } from '../errors.js';
import { openPath } from '../opening.js';
import { resolveOptions } from '../options.js';
import type { Range } from '../range.js';
import type { Change } from '../reader.js';
import { Store } from '../store.js';
import type { Isolation } from '../transaction.js';
import type { Watcher } from '../watch.js';
import type { FrameWriter, StoredBytes } from './frames.js';
import type { StoreOptions, Warned } from './protocol.js';

const EVERYTHING_FROM = Uint8Array.of(0x10);
const EVERYTHING_TO = Uint8Array.of(0x81);
const NOTHING = new Uint8Array(0);
/** What stands for a key or value that went straight into an answer. */
const WRITTEN: StoredBytes = { kind: 0, source: NOTHING, start: 0, end: 0 };

/** Where what is read goes: into an answer, or, where there is none, into memory of its own. */
export interface Target {
  answer: FrameWriter | undefined;
}

class RawValues implements ValueCodec<StoredBytes> {
  readonly name = 'raw';
  lastKind = 0;
  readonly #target: Target;

  constructor(target: Target) {
    this.#target = target;
  }

  bound(value: StoredBytes): number {
    return value.end - value.start;
  }

  write(target: Uint8Array, offset: number, { kind, source, start, end }: StoredBytes): number {
    target.set(source.subarray(start, end), offset);
    return (end - start) * 16 + kind;
  }

  toBytes({ kind, source, start, end }: StoredBytes): Uint8Array {
    this.lastKind = kind;
    return source.subarray(start, end);
  }

  read(source: Uint8Array, start: number, end: number, kind: number): StoredBytes {
    const { answer } = this.#target;
    if (answer === undefined) return { kind, source: source.slice(start, end), start: 0, end: end - start };
    answer.value(kind, source, start, end);
    return WRITTEN;
  }
}

export class RawSpace extends Space<Uint8Array, StoredBytes> {
  override readonly from = EVERYTHING_FROM;
  override readonly to = EVERYTHING_TO;
  readonly #target: Target;

  constructor(target: Target) {
    super(undefined, undefined, new RawValues(target));
    this.#target = target;
  }

  override bound(key: Uint8Array): number {
    return key.length;
  }

  override write(target: Uint8Array, offset: number, key: Uint8Array): number {
    target.set(key, offset);
    return offset + key.length;
  }

  /** A bound of a range is told as bytes, and written as they are, without the tag that a key of bytes has. */
  override writeWith(target: Uint8Array, offset: number, write: (target: Uint8Array, offset: number) => number): number {
    const end = write(target, offset);
    target.copyWithin(offset, offset + 1, end);
    return end - 1;
  }

  override read(source: Uint8Array, start: number, end: number): Uint8Array {
    const { answer } = this.#target;
    if (answer === undefined) return source.slice(start, end);
    answer.block(source, start, end);
    return NOTHING;
  }

  override keyOf(key: Uint8Array): Key {
    return key;
  }
}

export type RawRange = Range<Uint8Array>;

interface Expiry {
  readonly expiresAt: number;
}

/** What is read of a store, a snapshot or a transaction, in the terms of `RawSpace`. */
export interface RawReader {
  get(key: Uint8Array): StoredBytes | undefined;
  getEntry(key: Uint8Array): { readonly version: number } | undefined;
  has(key: Uint8Array): boolean;
  count(range: RawRange): number;
  scan(range: RawRange): Iterable<unknown>;
  keys(range: RawRange): Iterable<unknown>;
  values(range: RawRange): Iterable<unknown>;
}

export interface RawTransaction extends RawReader {
  readonly version: number;
  put(key: Uint8Array, value: StoredBytes, options?: Expiry): void;
  delete(key: Uint8Array): void;
  cas(key: Uint8Array, version: number, value: StoredBytes | undefined, options?: Expiry): void;
  commit(): Promise<number>;
  abort(): void;
}

export interface RawSnapshot extends RawReader {
  readonly version: number;
  close(): void;
}

/** A store, in the terms of `RawSpace`. */
export interface RawStore extends RawReader, Pick<Store, 'recovery' | 'keyspaces' | 'dropKeyspace' | 'flush' | 'stats' | 'verify' | 'close'> {
  put(key: Uint8Array, value: StoredBytes, options?: Expiry): Promise<number>;
  delete(key: Uint8Array): Promise<number>;
  cas(key: Uint8Array, version: number, value: StoredBytes | undefined, options?: Expiry): Promise<{ readonly ok: boolean; readonly version: number }>;
  batch(operations: readonly BatchOperation<StoredBytes, Uint8Array>[]): Promise<number>;
  snapshot(): RawSnapshot;
  at(version: number): RawSnapshot;
  begin(options: { isolation: Isolation }): RawTransaction;
  history(key: Uint8Array): Iterator<Change<StoredBytes, Uint8Array>>;
  watch(range: RawRange, options: { since?: number }): Watcher<StoredBytes, Uint8Array>;
}

/** Opens a store whose keys and values are bytes. Rejects as `open` does. */
export async function openRaw(path: string, options: StoreOptions, module: WebAssembly.Module, target: Target, onWarning: (warning: Warned) => void): Promise<RawStore> {
  const settings = resolveOptions({ ...options, module, onWarning });
  const noCodec = (): never => {
    throw new InvalidArgumentError('A store that serves pages has no codecs: they are the pages\'.');
  };
  const store = await openPath(path, settings, ({ kernel, recovery }) => new Store(kernel, new RawSpace(target) as unknown as Space<Key, StoredBytes>, recovery, noCodec));
  // The store takes whatever its space takes for keys.
  return store as unknown as RawStore;
}
