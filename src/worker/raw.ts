/**
 * Keys and values as they are stored, for a worker that serves pages: these encode and decode, so that codecs, schemas and their functions stay where they were written, and the worker moves bytes. The
 * one space that it has spans the store and all its keyspaces.
 */
import type { BatchOperation } from '../batch.js';
import { BaseStore } from '../base-store.js';
import type { Key } from '../codec/key.js';
import type { Space } from '../codec/space.js';
import type { ValueFormat } from '../codec/value.js';
import type { Device } from '../device/device.js';
import type { WasmModule } from '../engine/wasm-types.js';
import { applyRecords, EXISTING, type Applied } from '../exchange/apply.js';
import type { ExchangeRecord } from '../exchange/record.js';
import { openKernelOnDevice, openPath } from '../opening.js';
import type { Settings } from '../options.js';
import type { Bounds } from '../range.js';
import type { Change } from '../reader.js';
import type { Isolation } from '../transaction.js';
import type { Watcher } from '../watch.js';
import type { FrameWriter, StoredBytes } from './frames.js';
import type { StoreSettings, Warned } from './protocol.js';

const EVERYTHING_FROM = Uint8Array.of(0x10);
const EVERYTHING_TO = Uint8Array.of(0x81);
const NOTHING = new Uint8Array(0);
/** What stands for a key or value that went straight into an answer. */
const WRITTEN: StoredBytes = { kind: 0, source: NOTHING, start: 0, end: 0 };

/** Where what is read goes: into an answer, or, where there is none, into memory of its own. */
export interface Target {
  answer: FrameWriter | undefined;
}

class RawValues implements ValueFormat<StoredBytes> {
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

/** What the engine asks of a space. */
type AnySpace = Pick<Space<Uint8Array, StoredBytes>, 'name' | 'values' | 'from' | 'to' | 'hasKeyCodec' | 'tagOffset' | 'ofText' | 'bound' | 'write' | 'read' | 'check' | 'bounds'>;

class RawSpace implements AnySpace {
  readonly name = undefined;
  readonly values: ValueFormat<StoredBytes>;
  readonly from = EVERYTHING_FROM;
  readonly to = EVERYTHING_TO;
  readonly hasKeyCodec = false;
  /** Keys stay as they are encoded: the page tells what they are. */
  readonly tagOffset = -1;
  readonly #target: Target;

  constructor(target: Target) {
    this.values = new RawValues(target);
    this.#target = target;
  }

  bound(key: Uint8Array): number {
    return key.length;
  }

  write(target: Uint8Array, offset: number, key: Uint8Array): number {
    target.set(key, offset);
    return offset + key.length;
  }

  read(source: Uint8Array, start: number, end: number): Uint8Array {
    const { answer } = this.#target;
    if (answer === undefined) return source.slice(start, end);
    answer.block(source, start, end);
    return NOTHING;
  }

  ofText(): Uint8Array {
    throw new TypeError('A key that stays as it is encoded was told as a text.');
  }

  check(value: unknown): StoredBytes {
    return value as StoredBytes;
  }

  /** The page has made them. */
  bounds(range: unknown): Bounds {
    return range as Bounds;
  }
}

interface Expiry {
  readonly expiresAt: number;
}

/** What is read of a store, a snapshot or a transaction, in the terms of `RawSpace`. */
export interface RawReader {
  get(key: Uint8Array): StoredBytes | undefined;
  getEntry(key: Uint8Array): { readonly version: number } | undefined;
  has(key: Uint8Array): boolean;
  count(range: Bounds): number;
  scan(range: Bounds): Iterable<unknown>;
  keys(range: Bounds): Iterable<unknown>;
  values(range: Bounds): Iterable<unknown>;
  records(range: Bounds): Iterable<ExchangeRecord>;
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
export interface RawStore extends RawReader, Pick<BaseStore<StoredBytes>, 'recovery' | 'keyspaces' | 'dropKeyspace' | 'flush' | 'compact' | 'stats' | 'verify' | 'backup' | 'close'> {
  put(key: Uint8Array, value: StoredBytes, options?: Expiry): Promise<number>;
  delete(key: Uint8Array): Promise<number>;
  cas(key: Uint8Array, version: number, value: StoredBytes | undefined, options?: Expiry): Promise<{ readonly ok: boolean; readonly version: number }>;
  batch(operations: readonly BatchOperation<StoredBytes, Uint8Array>[]): Promise<number>;
  snapshot(): RawSnapshot;
  at(version: number): RawSnapshot;
  begin(options: { isolation: Isolation }): RawTransaction;
  history(key: Uint8Array): Iterator<Change<StoredBytes, Uint8Array>>;
  watch(range: Bounds, options: { since?: number }): Watcher<StoredBytes, Uint8Array>;
  /** Puts records as they are stored, as one commit; `existing` is the number of one of `EXISTING`. */
  apply(records: readonly ExchangeRecord[], existing: number): Promise<Applied>;
}

/** A store, and what imports from pages ask of it. */
class ServedStore extends BaseStore<StoredBytes> {
  async apply(records: readonly ExchangeRecord[], existing: number): Promise<Applied> {
    return applyRecords(this.kernel, records, EXISTING[existing]!);
  }
}

const settingsOf = (settings: StoreSettings, module: WasmModule, onWarning: (warning: Warned) => void): Settings => ({ ...settings, values: 'bytes', ownBuffers: true, module, onWarning });
const spaceFor = (target: Target): Space<Key, StoredBytes> => new RawSpace(target) as unknown as Space<Key, StoredBytes>;

/** Opens a store on a device, to look it through. @throws as `open` does. */
export function openRawOnDevice(device: Device, settings: StoreSettings, module: WasmModule): BaseStore<unknown> {
  const { kernel, recovery } = openKernelOnDevice(device, settingsOf(settings, module, () => undefined), () => undefined);
  return new BaseStore(kernel, spaceFor({ answer: undefined }), recovery) as BaseStore<unknown>;
}

/** Opens a store whose keys and values are bytes. Rejects as `open` does. */
export async function openRaw(path: string, settings: StoreSettings, module: WasmModule, target: Target, onWarning: (warning: Warned) => void): Promise<RawStore> {
  const store = await openPath(path, settingsOf(settings, module, onWarning), ({ kernel, recovery }) => new ServedStore(kernel, spaceFor(target), recovery));
  // The store takes whatever its space takes for keys.
  return store as unknown as RawStore;
}
