/** Fixed views of a store, from a page. */
import type { Key } from '../codec/key.js';
import type { Space } from '../codec/space.js';
import { ClosedError } from '../errors.js';
import type { Version } from '../reader.js';
import { OP_END_VIEW, OP_SNAPSHOT } from '../worker/protocol.js';
import { IN_VIEW, type Link } from './link.js';
import { spaceIn, type SharedKeyspace } from './shared-collection.js';
import { SharedReader, type Sight } from './shared-reader.js';

const NEWEST = -1;

/** What a snapshot sees of the store itself, or of one of its keyspaces. */
export class SharedSnapshotView<V, K = Key> extends SharedReader<V, K> {
  /** @internal */
  constructor(space: Space<K, V>, sight: Sight) {
    super(space, sight);
  }
}

/**
 * A fixed view of a store. Close it, or declare it with `using`. It lives in the worker that had the store when it was taken: when another takes over, reads of it are refused with
 * VersionGoneError.
 */
export class SharedSnapshot<V = unknown> extends SharedSnapshotView<V> {
  readonly #state: { isOpen: boolean };
  /** The version that it sees. @throws (as a rejection) VersionGoneError, ClosedError, FullError. */
  readonly version: Promise<Version>;

  /** @internal Use `db.snapshot()` or `db.at(version)`. */
  constructor(link: Link, space: Space<Key, V>, version: Version = NEWEST) {
    const view = link.nextNumber();
    const state = { isOpen: true };
    super(space, {
      link, view, fate: IN_VIEW, isAhead: true, check: () => {
        if (!state.isOpen) throw new ClosedError('The snapshot is closed. Take another one.');
      },
    });
    this.#state = state;
    this.version = link.call(IN_VIEW, OP_SNAPSHOT, (frames) => {
      frames.word(view);
      frames.number(version);
    }, (frames) => frames.number());
    // Reads of the snapshot tell the same.
    this.version.catch(() => undefined);
    // What every view and scan of it has too: the last of them keeps it.
    link.watchOver(this.sight, OP_END_VIEW, view);
  }

  /** What the snapshot sees of a keyspace. */
  in<W, K>(keyspace: SharedKeyspace<W, K, never>): SharedSnapshotView<W, K> {
    return new SharedSnapshotView(spaceIn(keyspace, this.sight.link), this.sight);
  }

  /** Releases what only this snapshot keeps. Idempotent. */
  close(): void {
    if (!this.#state.isOpen) return;
    this.#state.isOpen = false;
    this.sight.link.release(this.sight, OP_END_VIEW, this.sight.view);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
