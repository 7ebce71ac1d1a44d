/** Where one page's calls are worked on: runs each against the store, and answers it. Holds what the page has open, and ends it with the page. */
import type { BatchOperation } from '../batch.js';
import type { ExchangeRecord } from '../exchange/record.js';
import type { Bounds } from '../range.js';
import { Feed } from './feed.js';
import { FrameReader, NO_EXPIRY, readExpiry, type StoredBytes } from './frames.js';
import { Cursor } from './items.js';
import { Jobs } from './jobs.js';
import { LOST, Outbox } from './outbox.js';
import * as protocol from './protocol.js';
import type { RawReader, RawStore, Target } from './raw.js';
import { Views } from './views.js';

const nothing = (): void => undefined;

function readBounds(frames: FrameReader): Bounds {
  const from = frames.block();
  const to = frames.block();
  const isReverse = frames.byte() === 1;
  return { from, to, isReverse, limit: frames.number() };
}

/** Items of a range, as an iterator that writes keys and values straight into answers. */
function itemsOf(reader: RawReader, sort: number, range: Bounds): Iterator<unknown> {
  const items = sort === protocol.SORT_ENTRIES ? reader.scan(range) : sort === protocol.SORT_KEYS ? reader.keys(range) : sort === protocol.SORT_VALUES ? reader.values(range) : reader.records(range);
  return items[Symbol.iterator]();
}

export class Desk {
  readonly #store: RawStore;
  readonly #target: Target;
  readonly #outbox: Outbox;
  readonly #views: Views;
  readonly #jobs: Jobs;
  readonly #cursors = new Map<number, Cursor>();
  readonly #watches = new Map<number, Feed>();
  /** The calls for commits that wait, by their watches. */
  readonly #asked = new Map<number, number>();

  /** `isOwn`: messages are handed over as whole buffers. */
  constructor(store: RawStore, target: Target, isOwn: boolean, post: (answers: ArrayBuffer) => void) {
    this.#store = store;
    this.#target = target;
    this.#outbox = new Outbox(isOwn, post);
    this.#views = new Views(store);
    this.#jobs = new Jobs(store);
  }

  /** Works on a message of calls. What is wrong with one is its answer. */
  handle(message: ArrayBuffer): void {
    const frames = new FrameReader(message);
    this.#target.answer = this.#outbox.answer;
    try {
      while (!frames.isAtEnd) this.#call(frames);
    } finally {
      this.#target.answer = undefined;
    }
    this.#outbox.schedule();
  }

  #call(frames: FrameReader): void {
    const operation = frames.byte();
    const id = frames.word();
    const start = this.#outbox.begin(id);
    try {
      if (this.#run(operation, id, frames)) {
        this.#outbox.finish(start);
        return;
      }
    } catch (error) {
      this.#outbox.takeBack(start);
      if (id !== 0) this.#outbox.refuse(id, error);
      return;
    }
    // It is answered later, or not at all.
    this.#outbox.takeBack(start);
  }

  /** Resolves when everything that was called is answered; watches do not count. */
  idle(): Promise<void> {
    return this.#outbox.idle();
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
      case protocol.OP_RECORDS:
        return this.#write(operation, id, frames);
      case protocol.OP_WATCH:
        return this.#openWatch(frames);
      case protocol.OP_COMMITS:
        return this.#commits(id, frames.word());
      case protocol.OP_SNAPSHOT:
      case protocol.OP_BEGIN:
        this.#outbox.answer.number(this.#views.open(operation, frames));
        return true;
      case protocol.OP_COMMIT:
        return this.#outbox.later(id, this.#views.commit(frames.word()), (version) => this.#outbox.answer.number(version));
      case protocol.OP_WRITE:
      case protocol.OP_EXPECT:
        this.#views.stage(operation, frames);
        return false;
      case protocol.OP_END_VIEW:
      case protocol.OP_END_CURSOR:
      case protocol.OP_END_WATCH:
      case protocol.OP_END_JOB:
        return this.#endOne(operation, frames.word());
      default:
        return this.#whole(operation, id, frames);
    }
  }

  /** What is asked is read from the message before its view is looked for, which may be gone: the next call begins behind it all the same. */
  #read(operation: number, frames: FrameReader): boolean {
    const { answer } = this.#outbox;
    const view = frames.word();
    if (operation === protocol.OP_COUNT) {
      const range = readBounds(frames);
      answer.number(this.#views.reader(view).count(range));
      return true;
    }
    if (operation === protocol.OP_SCAN) {
      const cursor = frames.word();
      const sort = frames.byte();
      const range = readBounds(frames);
      return this.#openCursor(cursor, new Cursor(sort, itemsOf(this.#views.reader(view), sort, range)));
    }
    const key = frames.block();
    const reader = this.#views.reader(view);
    if (operation === protocol.OP_HAS) answer.byte(reader.has(key) ? 1 : 0);
    else if (operation === protocol.OP_GET) {
      if (reader.get(key) === undefined) answer.absent();
    } else {
      const entry = reader.getEntry(key);
      if (entry === undefined) answer.absent();
      else answer.number(entry.version);
    }
    return true;
  }

  #openCursor(number: number, cursor: Cursor): boolean {
    this.#cursors.set(number, cursor);
    return this.#more(number);
  }

  #more(number: number): boolean {
    const cursor = this.#cursors.get(number);
    if (cursor === undefined) throw LOST;
    try {
      if (cursor.fill(this.#outbox.answer)) return true;
    } catch (error) {
      this.#cursors.delete(number);
      throw error;
    }
    this.#cursors.delete(number);
    return true;
  }

  #write(operation: number, id: number, frames: FrameReader): boolean {
    const { answer } = this.#outbox;
    const writeVersion = (version: number): void => answer.number(version);
    if (operation === protocol.OP_RECORDS) {
      const existing = frames.byte();
      return this.#outbox.later(id, this.#store.apply(readRecords(frames), existing), ({ written, version, clash }) => {
        answer.word(written);
        answer.number(version);
        answer.number(clash ?? protocol.NO_CLASH);
      });
    }
    if (operation === protocol.OP_BATCH) return this.#outbox.later(id, this.#store.batch(readOperations(frames)), writeVersion);
    const key = frames.block();
    if (operation === protocol.OP_DELETE) return this.#outbox.later(id, this.#store.delete(key), writeVersion);
    if (operation === protocol.OP_PUT) {
      const expiry = readExpiry(frames);
      return this.#outbox.later(id, this.#store.put(key, frames.value()!, expiry), writeVersion);
    }
    const expected = frames.number();
    const expiry = readExpiry(frames);
    return this.#outbox.later(id, this.#store.cas(key, expected, frames.value(), expiry), ({ ok, version }) => {
      answer.byte(ok ? 1 : 0);
      answer.number(version);
    });
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
    this.#outbox.answer.number(from < 0 ? newest : from);
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
    const start = this.#outbox.begin(id);
    try {
      feed.answer(this.#outbox.answer);
      this.#outbox.finish(start);
    } catch (error) {
      this.#outbox.takeBack(start);
      this.#outbox.refuse(id, error);
    }
    this.#outbox.schedule();
  }

  #endOne(operation: number, number: number): boolean {
    if (operation === protocol.OP_END_VIEW) this.#views.end(number);
    else if (operation === protocol.OP_END_JOB) this.#jobs.end(number);
    else if (operation === protocol.OP_END_CURSOR) {
      this.#cursors.get(number)?.end();
      this.#cursors.delete(number);
    } else this.#endWatch(number);
    return false;
  }

  #endWatch(number: number): void {
    this.#watches.get(number)?.end();
    this.#watches.delete(number);
    const id = this.#asked.get(number);
    if (id === undefined) return;
    this.#asked.delete(number);
    // Who waits for commits is told that there are none, or the page would remember the question for ever.
    queueMicrotask(() => {
      this.#outbox.refuse(id, LOST);
      this.#outbox.schedule();
    });
  }

  #whole(operation: number, id: number, frames: FrameReader): boolean {
    const store = this.#store;
    const { answer } = this.#outbox;
    switch (operation) {
      case protocol.OP_FLUSH:
        return this.#outbox.later(id, store.flush(), nothing);
      case protocol.OP_VERIFY:
        return this.#outbox.later(id, store.verify(), nothing);
      case protocol.OP_STATS:
        answer.text(JSON.stringify(store.stats()));
        return true;
      case protocol.OP_KEYSPACES:
        answer.text(JSON.stringify(store.keyspaces()));
        return true;
      case protocol.OP_COMPACT:
        return this.#outbox.later(id, this.#jobs.compact(frames.word()), (compacted) => answer.text(JSON.stringify(compacted)));
      case protocol.OP_BACKUP: {
        const number = frames.word();
        this.#jobs.beginBackup(number, frames.byte() === 1);
        return this.#outbox.later(id, this.#jobs.nextPart(number), (write) => write(answer));
      }
      case protocol.OP_PART:
        return this.#outbox.later(id, this.#jobs.nextPart(frames.word()), (write) => write(answer));
      default:
        return this.#outbox.later(id, store.dropKeyspace(frames.text()), (version) => answer.number(version));
    }
  }

  /** Ends everything that the page holds, and answers nothing more. */
  end(): void {
    this.#outbox.end();
    this.#views.endAll();
    this.#jobs.endAll();
    for (const held of [...this.#cursors.values(), ...this.#watches.values()]) held.end();
    this.#cursors.clear();
    this.#watches.clear();
  }
}

/** The operations of a batch, whose keys and values stay where they are in the message. */
function readOperations(frames: FrameReader): BatchOperation<StoredBytes, Uint8Array>[] {
  const operations: BatchOperation<StoredBytes, Uint8Array>[] = [];
  for (let count = frames.word(); count > 0; count--) {
    const key = frames.block();
    const expiry = readExpiry(frames);
    const value = frames.value();
    operations.push(value === undefined ? { type: 'delete', key } : { type: 'put', key, value, ...expiry });
  }
  return operations;
}

/** Records that are imported. */
function readRecords(frames: FrameReader): ExchangeRecord[] {
  const records: ExchangeRecord[] = [];
  for (let count = frames.word(); count > 0; count--) {
    const keyBytes = frames.block();
    const expiry = frames.number();
    const { kind, source, start, end } = frames.value()!;
    records.push({ keyBytes, bytes: source.subarray(start, end), kind, expiry: expiry === NO_EXPIRY ? undefined : expiry });
  }
  return records;
}
