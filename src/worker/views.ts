/** The snapshots and transactions of one page, by the numbers that it has given them. */
import { readExpiry, type FrameReader } from './frames.js';
import { LOST } from './outbox.js';
import * as protocol from './protocol.js';
import type { RawReader, RawStore, RawTransaction } from './raw.js';

/** A snapshot or transaction of the page. */
interface View {
  readonly reader: RawReader;
  readonly transaction: RawTransaction | undefined;
  readonly version: number;
  readonly end: () => void;
  /** What a write of it was refused with: its commit says so. */
  failure: { readonly error: unknown } | undefined;
}

export class Views {
  readonly #store: RawStore;
  readonly #views = new Map<number, View>();

  constructor(store: RawStore) {
    this.#store = store;
  }

  /** What a number reads: 0 is the store as it is. Throws `LOST`, and what its view was refused with. */
  reader(number: number): RawReader {
    return number === 0 ? this.#store : this.#view(number).reader;
  }

  #view(number: number): View {
    const view = this.#views.get(number);
    if (view === undefined) throw LOST;
    if (view.failure !== undefined && view.transaction === undefined) throw view.failure.error;
    return view;
  }

  /** Opens a view. Returns its version. */
  open(operation: number, frames: FrameReader): number {
    const number = frames.word();
    try {
      const view = operation === protocol.OP_BEGIN ? this.#begin(frames.byte() === 1) : this.#snapshot(frames.number());
      this.#views.set(number, view);
      return view.version;
    } catch (error) {
      // Calls that follow in the same message are told the reason.
      this.#views.set(number, { reader: this.#store, transaction: undefined, version: 0, end: () => undefined, failure: { error } });
      throw error;
    }
  }

  #begin(isSnapshot: boolean): View {
    const transaction = this.#store.begin({ isolation: isSnapshot ? 'snapshot' : 'serializable' });
    return { reader: transaction, transaction, version: transaction.version, end: () => transaction.abort(), failure: undefined };
  }

  #snapshot(version: number): View {
    const snapshot = version < 0 ? this.#store.snapshot() : this.#store.at(version);
    return { reader: snapshot, transaction: undefined, version: snapshot.version, end: () => snapshot.close(), failure: undefined };
  }

  /** A write of a transaction. It is not answered, so what is wrong with it waits for the commit. */
  stage(operation: number, frames: FrameReader): void {
    const view = this.#views.get(frames.word());
    const key = frames.block();
    const expected = operation === protocol.OP_EXPECT ? frames.number() : 0;
    const expiry = readExpiry(frames);
    const value = frames.value();
    if (view?.transaction === undefined || view.failure !== undefined) return;
    try {
      if (operation === protocol.OP_EXPECT) view.transaction.cas(key, expected, value, expiry);
      else if (value === undefined) view.transaction.delete(key);
      else view.transaction.put(key, value, expiry);
    } catch (error) {
      view.failure = { error };
    }
  }

  /** Commits a transaction, which is over, whatever comes out. */
  commit(number: number): Promise<number> {
    const view = this.#view(number);
    this.#views.delete(number);
    if (view.failure !== undefined) {
      view.end();
      throw view.failure.error;
    }
    return view.transaction!.commit();
  }

  end(number: number): void {
    const view = this.#views.get(number);
    this.#views.delete(number);
    view?.end();
  }

  endAll(): void {
    for (const number of this.#views.keys()) this.end(number);
  }
}
