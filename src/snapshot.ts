/** Fixed views of a store: reads see the version at which a snapshot was taken, whatever is written meanwhile. */
import type { Key } from './codec/key.js';
import type { Space } from './codec/space.js';
import type { Hold } from './holds.js';
import type { Kernel } from './kernel.js';
import type { Keyspace } from './keyspace.js';
import { spaceOf } from './ownership.js';
import type { Bounds } from './range.js';
import { Reader, type Entry, type Version } from './reader.js';
import type { OpenScan } from './scan.js';

/** What a snapshot sees of the store itself, or of one of its keyspaces. */
export class SnapshotView<V, K = Key> extends Reader<V, K> {
  /** @internal */
  protected readonly kernel: Kernel;
  /** @internal */
  protected readonly hold: Hold;
  /** The snapshot that this is a view of, which would otherwise be collected under it. */
  readonly #snapshot: object | undefined;

  /** @internal */
  constructor(kernel: Kernel, space: Space<K, V>, hold: Hold, snapshot: object | undefined) {
    super(space);
    this.kernel = kernel;
    this.hold = hold;
    this.#snapshot = snapshot;
  }

  #find(key: K): number {
    this.kernel.holds.check(this.hold);
    try {
      const kind = this.kernel.engine.findAt(key, this.hold.version, this.hold.clock, this.space);
      // The codec of keys is the caller's, and may have closed the snapshot.
      this.kernel.holds.check(this.hold);
      return kind;
    } catch (error) {
      throw this.kernel.caught(error);
    }
  }

  #found(kind: number): V {
    try {
      return this.kernel.engine.found(kind, this.space.values);
    } catch (error) {
      throw this.kernel.caught(error);
    }
  }

  /** The value that a key had, or undefined. O(log n) in the versions that are kept of the key, O(1) where it was not written since. @throws ClosedError, and as `Collection.get`. */
  get(key: K): V | undefined {
    const kind = this.#find(key);
    return kind < 0 ? undefined : this.#found(kind);
  }

  /** Key, value and version as they were, or undefined. As `get`. */
  getEntry(key: K): Entry<V, K> | undefined {
    const kind = this.#find(key);
    if (kind < 0) return undefined;
    const version = this.kernel.engine.foundVersion;
    return { key, value: this.#found(kind), version };
  }

  /** Whether a key existed. As `get`. */
  has(key: K): boolean {
    return this.#find(key) >= 0;
  }

  /** @internal */
  protected beginScan(bounds: Bounds, hasValues: boolean, view: object): OpenScan {
    this.kernel.holds.check(this.hold);
    return this.kernel.holds.scan(this.kernel, bounds, hasValues, view, this.hold, this.#snapshot ?? this);
  }
}

/** A fixed view of a store. Close it, or declare it with `using`. */
export class Snapshot<V = unknown> extends SnapshotView<V> {
  /** The version that it sees. */
  readonly version: Version;

  /** @internal Use `db.snapshot()` or `db.at(version)`. */
  constructor(kernel: Kernel, space: Space<Key, V>, hold: Hold) {
    super(kernel, space, hold, undefined);
    this.version = hold.version;
    kernel.holds.watch(this, hold);
  }

  /** What the snapshot sees of a keyspace. */
  in<W, K>(keyspace: Keyspace<W, K, never>): SnapshotView<W, K> {
    return new SnapshotView(this.kernel, spaceOf(keyspace, this.kernel.engine), this.hold, this);
  }

  /** Releases what only this snapshot keeps. Idempotent. */
  close(): void {
    this.kernel.holds.release(this.hold);
    this.kernel.kept.snapshot ??= this;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
