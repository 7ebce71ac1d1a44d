/** A watch of the core, as the facade uses it: its commits, write by write. */
import { RECORD_FLAG_TOMBSTONE } from '../../assembly/shared/format.js';
import * as layout from '../../assembly/shared/layout.js';
import * as status from '../../assembly/shared/status.js';
import type { Space } from '../codec/space.js';
import { ClosedError, LaggedError, VersionGoneError } from '../errors.js';
import type { Bounds } from '../range.js';
import type { Engine } from './engine.js';
import { failure } from './failure.js';

/** One write of a commit. */
export interface Watched<V, K> {
  readonly key: K;
  readonly value: V | undefined;
  readonly version: number;
  readonly deleted: boolean;
}

export class EngineWatch {
  readonly #engine: Engine;
  readonly #handle: number;
  #hasEnded = false;

  /** Begins behind the version `since`. Throws `VersionGoneError`, `FullError`. */
  constructor(engine: Engine, { from, to }: Bounds, since: number) {
    const { core } = engine;
    this.#engine = engine;
    if (core.canWatchSince(since) === 0) {
      throw new VersionGoneError(`The log of ${engine.name} no longer has every commit since version ${since}: read the store itself, and watch from there.`);
    }
    this.#handle = core.openWatch(since) >>> 0;
    engine.refresh();
    if (this.#handle === 0) throw failure(status.STATUS_MEMORY_FULL, engine.name);
    try {
      this.#bound(false, from);
      this.#bound(true, to);
    } catch (error) {
      this.end();
      throw error;
    }
  }

  #bound(isHigh: boolean, bytes: Uint8Array): void {
    this.#engine.setBound(bytes);
    const isBound = this.#engine.core.boundWatch(this.#handle, isHigh, bytes.length);
    this.#engine.refresh();
    if (isBound === 0) throw failure(status.STATUS_MEMORY_FULL, this.#engine.name);
  }

  /** All writes of the next commit; none where there is no other yet. Throws `LaggedError`. */
  next<K, V>(space: Space<K, V>): Watched<V, K>[] {
    const writes: Watched<V, K>[] = [];
    for (;;) {
      const kind = this.#engine.core.nextWatched(this.#handle, writes.length === 0);
      if (kind === status.STATUS_ABSENT) return writes;
      if (kind === status.STATUS_LAGGED) throw new LaggedError(`A watch of ${this.#engine.name} was too slow: commits that it had yet to read have left the log. Read the store itself, and watch anew.`);
      writes.push(this.#read(kind, space));
      if (this.#hasEnded) throw new ClosedError('The watch was ended by the codec that it called.');
    }
  }

  #read<K, V>(kind: number, space: Space<K, V>): Watched<V, K> {
    const engine = this.#engine;
    const start = engine.word(layout.CONTROL_OUTPUT_POINTER);
    const end = start + engine.word(layout.CONTROL_OUTPUT_SIZE);
    const version = engine.foundVersion;
    const deleted = (kind & RECORD_FLAG_TOMBSTONE) !== 0;
    if (!space.hasKeyCodec) return { key: space.read(engine.bytes, start, end), value: deleted ? undefined : engine.found(kind, space.values), version, deleted };
    // A codec of the caller's may read the store, and then something else stands where the value was shown.
    const keyBytes = engine.bytes.slice(start, end);
    const value = deleted ? undefined : engine.found(kind, space.values);
    return { key: space.read(keyBytes, 0, keyBytes.length), value, version, deleted };
  }

  /** Gives back what the watch holds. */
  end(): void {
    this.#hasEnded = true;
    this.#engine.core.closeWatch(this.#handle);
    this.#engine.refresh();
  }
}
