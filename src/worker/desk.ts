/** Where one page's calls are worked on: runs each against the store, and gathers the answers of a turn into one message. Holds the page's snapshots, transactions, scans and watches, and ends them with it. */
import type { BatchOperation } from '../batch.js';
import type { Bounds } from '../range.js';
import { Feed } from './feed.js';
import { FrameReader, FrameWriter, type StoredBytes } from './frames.js';
import { Cursor } from './items.js';
import * as protocol from './protocol.js';
import type { RawReader, RawStore, RawTransaction, Target } from './raw.js';
import { tellError } from './told-error.js';

/** A snapshot or transaction of the page. */
interface View {
  readonly reader: RawReader;
  readonly transaction: RawTransaction | undefined;
  readonly version: number;
  readonly end: () => void;
  /** What a write of it was refused with: its commit says so. */
  failure: { readonly error: unknown } | undefined;
}

/** Thrown for a call whose view, cursor or watch is not here. */
const LOST = new Error('lost');
/** How many turns of microtasks answers wait for those of writes that are about to be kept. */
const PATIENCE = 12;

function expiring(expiry: number): { expiresAt: number } | undefined {
  return expiry < 0 ? undefined : { expiresAt: expiry };
}

function readBounds(frames: FrameReader): Bounds {
  const from = frames.block();
  const to = frames.block();
  const isReverse = frames.byte() === 1;
  return { from, to, isReverse, limit: frames.number() };
}

export class Desk {
  readonly #store: RawStore;
  readonly #target: Target;
  readonly #post: (answers: ArrayBuffer) => void;
  /** Whether messages are handed over as whole buffers. */
  readonly #isOwn: boolean;
  readonly #answer = new FrameWriter();
  readonly #views = new Map<number, View>();
  readonly #cursors = new Map<number, Cursor>();
  readonly #watches = new Map<number, Feed>();
  /** The calls for commits that wait, by their watches. */
  readonly #asked = new Map<number, number>();
  /** Writes and the like whose answers are not written yet. */
  #waiting = 0;
  #isScheduled = false;
  #whenIdle: (() => void) | undefined;
  #isEnded = false;

  constructor(store: RawStore, target: Target, isOwn: boolean, post: (answers: ArrayBuffer) => void) {
    this.#store = store;
    this.#target = target;
    this.#isOwn = isOwn;
    this.#post = post;
  }

  /** Works on a message of calls. What is wrong with one is its answer. */
  handle(message: ArrayBuffer): void {
    const frames = new FrameReader(message);
    this.#target.answer = this.#answer;
    try {
      while (!frames.isAtEnd) this.#call(frames);
    } finally {
      this.#target.answer = undefined;
    }
    this.#schedule();
  }

  #call(frames: FrameReader): void {
    const operation = frames.byte();
    const id = frames.word();
    const start = this.#begin(id);
    try {
      if (this.#run(operation, id, frames)) {
        this.#finish(start);
        return;
      }
    } catch (error) {
      this.#answer.size = start;
      if (id !== 0) this.#refuse(id, error);
      return;
    }
    // It is answered later, or not at all.
    this.#answer.size = start;
  }

  /** Begins an answer. Returns where it does. */
  #begin(id: number, status = protocol.ANSWER_OK): number {
    const start = this.#answer.size;
    this.#answer.word(id);
    this.#answer.byte(status);
    this.#answer.word(0);
    return start;
  }

  /** Writes how long the answer is that began at `start`. */
  #finish(start: number): void {
    this.#answer.patch(start + protocol.ANSWER_SIZE_OFFSET, this.#answer.size - start - protocol.ANSWER_HEAD_SIZE);
  }

  #refuse(id: number, error: unknown): void {
    const start = this.#begin(id, error === LOST ? protocol.ANSWER_LOST : protocol.ANSWER_ERROR);
    if (error !== LOST) this.#answer.text(JSON.stringify(tellError(error)));
    this.#finish(start);
  }

  /** Answers when a promise has an outcome. */
  #later<T>(id: number, promise: Promise<T>, write: (result: T) => void): false {
    this.#waiting++;
    promise.then((result) => {
      const start = this.#begin(id);
      write(result);
      this.#finish(start);
    }).catch((error: unknown) => this.#refuse(id, error)).finally(() => {
      this.#waiting--;
      this.#schedule();
    });
    return false;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isEnded) return;
    this.#isScheduled = true;
    queueMicrotask(() => this.#send(PATIENCE));
  }

  /** Sends what is answered: later, while answers of writes of this turn are about to come. */
  #send(patience: number): void {
    if (this.#waiting > 0 && patience > 0) {
      queueMicrotask(() => this.#send(patience - 1));
      return;
    }
    this.#isScheduled = false;
    if (!this.#answer.isEmpty && !this.#isEnded) this.#post(this.#answer.take(this.#isOwn));
    if (this.#waiting === 0) this.#whenIdle?.();
  }

  /** Resolves when everything that was called is answered; watches do not count. */
  async idle(): Promise<void> {
    if (this.#waiting === 0 && this.#answer.isEmpty) return;
    await new Promise<void>((resolve) => {
      this.#whenIdle = resolve;
      this.#schedule();
    });
  }

  /** Runs a call. True when its answer is written behind its beginning. */
  #run(operation: number, id: number, frames: FrameReader): boolean {
    switch (operation) {
      case protocol.OP_GET:
      case protocol.OP_ENTRY:
      case protocol.OP_HAS:
      case protocol.OP_COUNT:
      case protocol.OP_SCAN:
        return this.#read(operation, frames);
      case protocol.OP_HISTORY: {
        const cursor = frames.word();
        return this.#openCursor(cursor, new Cursor(protocol.SORT_CHANGES, this.#store.history(frames.block())));
      }
      case protocol.OP_MORE:
        return this.#more(frames.word());
      case protocol.OP_PUT:
      case protocol.OP_DELETE:
      case protocol.OP_CAS:
      case protocol.OP_BATCH:
        return this.#write(operation, id, frames);
      case protocol.OP_WATCH:
        return this.#openWatch(frames);
      case protocol.OP_COMMITS:
        return this.#commits(id, frames.word());
      case protocol.OP_SNAPSHOT:
      case protocol.OP_BEGIN:
        return this.#openView(operation, frames);
      case protocol.OP_COMMIT:
        return this.#commit(id, frames.word());
      case protocol.OP_WRITE:
      case protocol.OP_EXPECT:
        return this.#stage(operation, frames);
      case protocol.OP_END_VIEW:
      case protocol.OP_END_CURSOR:
      case protocol.OP_END_WATCH:
        return this.#endOne(operation, frames.word());
      default:
        return this.#whole(operation, id, frames);
    }
  }

  #read(operation: number, frames: FrameReader): boolean {
    const answer = this.#answer;
    const number = frames.word();
    const reader = number === 0 ? this.#store : this.#view(number).reader;
    switch (operation) {
      case protocol.OP_GET:
        if (reader.get(frames.block()) === undefined) answer.absent();
        return true;
      case protocol.OP_ENTRY: {
        const entry = reader.getEntry(frames.block());
        if (entry === undefined) answer.absent();
        else answer.number(entry.version);
        return true;
      }
      case protocol.OP_HAS:
        answer.byte(reader.has(frames.block()) ? 1 : 0);
        return true;
      case protocol.OP_COUNT:
        answer.number(reader.count(readBounds(frames)));
        return true;
      default: {
        const cursor = frames.word();
        const sort = frames.byte();
        const range = readBounds(frames);
        const items = sort === protocol.SORT_ENTRIES ? reader.scan(range) : sort === protocol.SORT_KEYS ? reader.keys(range) : reader.values(range);
        return this.#openCursor(cursor, new Cursor(sort, items[Symbol.iterator]()));
      }
    }
  }

  #view(number: number): View {
    const view = this.#views.get(number);
    if (view === undefined) throw LOST;
    if (view.failure !== undefined && view.transaction === undefined) throw view.failure.error;
    return view;
  }

  #openCursor(number: number, cursor: Cursor): boolean {
    this.#cursors.set(number, cursor);
    return this.#more(number);
  }

  #more(number: number): boolean {
    const cursor = this.#cursors.get(number);
    if (cursor === undefined) throw LOST;
    try {
      if (cursor.fill(this.#answer)) return true;
    } catch (error) {
      this.#cursors.delete(number);
      throw error;
    }
    this.#cursors.delete(number);
    return true;
  }

  #write(operation: number, id: number, frames: FrameReader): boolean {
    const writeVersion = (version: number): void => this.#answer.number(version);
    if (operation === protocol.OP_BATCH) return this.#later(id, this.#store.batch(operationsOf(frames)), writeVersion);
    const key = frames.block();
    if (operation === protocol.OP_DELETE) return this.#later(id, this.#store.delete(key), writeVersion);
    if (operation === protocol.OP_PUT) {
      const expiry = frames.number();
      return this.#later(id, this.#store.put(key, frames.value()!, expiring(expiry)), writeVersion);
    }
    const expected = frames.number();
    const expiry = frames.number();
    return this.#later(id, this.#store.cas(key, expected, frames.value(), expiring(expiry)), ({ ok, version }) => {
      this.#answer.byte(ok ? 1 : 0);
      this.#answer.number(version);
    });
  }

  #openView(operation: number, frames: FrameReader): boolean {
    const number = frames.word();
    try {
      const view = operation === protocol.OP_BEGIN ? this.#beginView(frames.byte() === 1) : this.#snapshotView(frames.number());
      this.#views.set(number, view);
      this.#answer.number(view.version);
    } catch (error) {
      // Calls that follow in the same message are told the reason.
      this.#views.set(number, { reader: this.#store, transaction: undefined, version: 0, end: () => undefined, failure: { error } });
      throw error;
    }
    return true;
  }

  #beginView(isSnapshot: boolean): View {
    const transaction = this.#store.begin({ isolation: isSnapshot ? 'snapshot' : 'serializable' });
    return { reader: transaction, transaction, version: transaction.version, end: () => transaction.abort(), failure: undefined };
  }

  #snapshotView(version: number): View {
    const snapshot = version < 0 ? this.#store.snapshot() : this.#store.at(version);
    return { reader: snapshot, transaction: undefined, version: snapshot.version, end: () => snapshot.close(), failure: undefined };
  }

  /** A write of a transaction. It is not answered, so what is wrong with it waits for the commit. */
  #stage(operation: number, frames: FrameReader): boolean {
    const view = this.#views.get(frames.word());
    const key = frames.block();
    const expected = operation === protocol.OP_EXPECT ? frames.number() : 0;
    const expiry = frames.number();
    const value = frames.value();
    if (view?.transaction === undefined || view.failure !== undefined) return false;
    try {
      if (operation === protocol.OP_EXPECT) view.transaction.cas(key, expected, value, expiring(expiry));
      else if (value === undefined) view.transaction.delete(key);
      else view.transaction.put(key, value, expiring(expiry));
    } catch (error) {
      view.failure = { error };
    }
    return false;
  }

  #commit(id: number, number: number): boolean {
    const view = this.#view(number);
    this.#views.delete(number);
    if (view.failure !== undefined) {
      view.end();
      throw view.failure.error;
    }
    return this.#later(id, view.transaction!.commit(), (version) => this.#answer.number(version));
  }

  #openWatch(frames: FrameReader): boolean {
    const number = frames.word();
    const bounds = readBounds(frames);
    const since = frames.number();
    const isResumed = frames.byte() === 1;
    const newest = this.#store.stats().version;
    // What a worker that is gone has shown and not made durable, this one never knew.
    const from = isResumed ? Math.min(since, newest) : since;
    this.#watches.set(number, new Feed(this.#store.watch(bounds, from < 0 ? {} : { since: from }), () => this.#answerWatch(number)));
    this.#answer.number(from < 0 ? newest : from);
    return true;
  }

  #commits(id: number, number: number): boolean {
    if (!this.#watches.has(number)) throw LOST;
    this.#asked.set(number, id);
    queueMicrotask(() => this.#answerWatch(number));
    return false;
  }

  #answerWatch(number: number): void {
    const feed = this.#watches.get(number);
    const id = this.#asked.get(number);
    if (feed === undefined || id === undefined || !feed.hasAnswer) return;
    this.#asked.delete(number);
    const start = this.#begin(id);
    try {
      feed.answer(this.#answer);
      this.#finish(start);
    } catch (error) {
      this.#answer.size = start;
      this.#refuse(id, error);
    }
    this.#schedule();
  }

  #endOne(operation: number, number: number): boolean {
    const held: Map<number, { end(): void }> = operation === protocol.OP_END_VIEW ? this.#views : operation === protocol.OP_END_CURSOR ? this.#cursors : this.#watches;
    const one = held.get(number);
    held.delete(number);
    if (operation === protocol.OP_END_WATCH) this.#asked.delete(number);
    one?.end();
    return false;
  }

  #whole(operation: number, id: number, frames: FrameReader): boolean {
    const store = this.#store;
    const nothing = (): void => undefined;
    switch (operation) {
      case protocol.OP_FLUSH:
        return this.#later(id, store.flush(), nothing);
      case protocol.OP_VERIFY:
        return this.#later(id, store.verify(), nothing);
      case protocol.OP_STATS:
        this.#answer.text(JSON.stringify(store.stats()));
        return true;
      case protocol.OP_KEYSPACES:
        this.#answer.text(JSON.stringify(store.keyspaces()));
        return true;
      default:
        return this.#later(id, store.dropKeyspace(frames.text()), (version) => this.#answer.number(version));
    }
  }

  /** Ends everything that the page holds, and answers nothing more. */
  end(): void {
    this.#isEnded = true;
    for (const held of [...this.#views.values(), ...this.#cursors.values(), ...this.#watches.values()]) held.end();
    this.#views.clear();
    this.#cursors.clear();
    this.#watches.clear();
  }
}

/** The operations of a batch, whose keys and values stay where they are in the message. */
function operationsOf(frames: FrameReader): BatchOperation<StoredBytes, Uint8Array>[] {
  const operations: BatchOperation<StoredBytes, Uint8Array>[] = [];
  for (let count = frames.word(); count > 0; count--) {
    const key = frames.block();
    const expiry = frames.number();
    const value = frames.value();
    operations.push(value === undefined ? { type: 'delete', key } : { type: 'put', key, value, ...expiring(expiry) });
  }
  return operations;
}
