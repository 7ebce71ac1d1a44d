/** Transactions from a page. Reads wait for the worker; writes are sent along with the next read or the commit, which says what was wrong with them. */
import type { Key } from '../codec/key.js';
import type { Space } from '../codec/space.js';
import { checkExpected } from '../collection.js';
import { ClosedError } from '../errors.js';
import type { PutOptions } from '../expiry.js';
import type { Version } from '../reader.js';
import type { Isolation } from '../transaction.js';
import { NO_EXPIRY } from '../worker/frames.js';
import * as protocol from '../worker/protocol.js';
import { writeKey, writeValue } from './encode.js';
import { COMMIT, transactionLost, type Fate, type Link } from './link.js';
import { spaceIn, writeExpiry, writePut, type SharedKeyspace } from './shared-collection.js';
import { SharedReader, type Sight } from './shared-reader.js';

/** What a transaction sees and does of the store itself, or of one of its keyspaces. */
export class SharedTransactionView<V, K = Key, In = V> extends SharedReader<V, K> {
  /** @internal */
  constructor(space: Space<K, V>, sight: Sight) {
    super(space, sight);
  }

  /** Puts a value, for the transaction alone until it commits. @throws InvalidArgumentError, TooLargeError, SchemaError, ClosedError. */
  put(key: K, value: In, options?: PutOptions): void {
    this.sight.check();
    this.sight.link.tell(protocol.OP_WRITE, (frames) => {
      frames.word(this.sight.view);
      writePut(frames, key, value, options, this.space);
    });
  }

  /** Deletes a key, for the transaction alone until it commits. */
  delete(key: K): void {
    this.sight.check();
    this.sight.link.tell(protocol.OP_WRITE, (frames) => {
      frames.word(this.sight.view);
      writeKey(frames, key, this.space as Space<K, never>);
      frames.number(NO_EXPIRY);
      frames.absent();
    });
  }

  /** Puts, or with `undefined` deletes, if the key has exactly this version when the transaction commits; a mismatch makes the commit fail with `CasError`. */
  cas(key: K, version: Version, next: In | undefined, options?: PutOptions): void {
    this.sight.check();
    checkExpected(version);
    this.sight.link.tell(protocol.OP_EXPECT, (frames) => {
      frames.word(this.sight.view);
      writeKey(frames, key, this.space as Space<K, never>);
      frames.number(version);
      writeExpiry(frames, options);
      if (next === undefined) frames.absent();
      else writeValue(frames, this.space.check(next), this.space as Space<never, V>);
    });
  }
}

export class SharedTransaction<V = unknown> extends SharedTransactionView<V> {
  readonly isolation: Isolation;
  readonly #state: { isOpen: boolean; isLost: boolean };
  /** The version at which it reads. */
  readonly version: Promise<Version>;

  /** @internal Use `db.begin()` or `db.transact()`. */
  constructor(link: Link, space: Space<Key, V>, isolation: Isolation) {
    const view = link.nextNumber();
    const state = { isOpen: true, isLost: false };
    const lost = (): Error => {
      state.isLost = true;
      return transactionLost();
    };
    const fate: Fate = { isRepeated: false, unanswered: lost, lost };
    super(space, {
      link, view, fate, isAhead: false, check: () => {
        if (link.isClosed) throw link.whyClosed();
        if (!state.isOpen) throw new ClosedError('The transaction has committed or was aborted. Begin another one.');
      },
    });
    this.#state = state;
    this.isolation = isolation;
    this.version = link.call(fate, protocol.OP_BEGIN, (frames) => {
      frames.word(view);
      frames.byte(isolation === 'snapshot' ? 1 : 0);
    }, (frames) => frames.number());
    // Its commit tells the same.
    this.version.catch(() => undefined);
    // What every view and scan of it has too: the last of them keeps it.
    link.watchOver(this.sight, protocol.OP_END_VIEW, view);
  }

  /** Whether it has neither committed nor been aborted. */
  get isOpen(): boolean {
    return this.#state.isOpen;
  }

  /** @internal Whether `commit` or `abort` has ended it. */
  get isEnded(): boolean {
    return !this.#state.isOpen;
  }

  /** @internal Whether the worker that had it has ended. */
  get isLost(): boolean {
    return this.#state.isLost;
  }

  /** What the transaction sees and does of a keyspace. */
  in<W, L, In>(keyspace: SharedKeyspace<W, L, In>): SharedTransactionView<W, L, In> {
    return new SharedTransactionView<W, L, In>(spaceIn(keyspace as SharedKeyspace<W, L, never>, this.sight.link), this.sight);
  }

  /**
   * Commits. Resolves with the version when the store's durability holds for it, with 0 where nothing was written. The transaction is over, whatever comes out.
   * @throws (as a rejection) ConflictError, also when the worker that had it has ended before; CasError, FullError, ClosedError: nothing was applied. OutcomeUnknownError: nobody knows.
   */
  commit(): Promise<Version> {
    const { link, view } = this.sight;
    const commit = link.call(COMMIT, protocol.OP_COMMIT, (frames) => {
      this.sight.check();
      frames.word(view);
    }, (frames) => frames.number());
    this.#end();
    return commit;
  }

  /** Ends the transaction without a trace. Idempotent, and does nothing after a commit. */
  abort(): void {
    this.#end();
  }

  #end(): void {
    if (!this.#state.isOpen) return;
    this.#state.isOpen = false;
    // Behind a commit there is nothing left to end, which is no harm.
    this.sight.link.release(this.sight, protocol.OP_END_VIEW, this.sight.view);
  }

  /** Aborts what has not committed. */
  [Symbol.dispose](): void {
    this.abort();
  }
}
