/** Watching a store from a page. The log of the store is the buffer: the page asks for what has come, and while it does not, commits wait in the log. */
import type { Key } from '../codec/key.js';
import type { Space } from '../codec/space.js';
import { InvalidArgumentError } from '../errors.js';
import type { Bounds } from '../range.js';
import type { Change, Version } from '../reader.js';
import type { Commit, WatchOptions } from '../watch.js';
import type { FrameReader } from '../worker/frames.js';
import { OP_COMMITS, OP_END_WATCH, OP_WATCH } from '../worker/protocol.js';
import { readKey, readValue, writeRange } from './encode.js';
import { IN_WATCH, TermEnded, type Link } from './link.js';

/** Where a watch begins that is given no version. */
const FROM_NOW = -1;

/** The commits of a watch, one item each. Leave its loop, or declare it with `await using`, to end it. It ends by itself when the store is closed. */
export class SharedWatcher<V, K = Key> implements AsyncIterableIterator<Commit<V, K>> {
  readonly #link: Link;
  readonly #space: Space<K, V>;
  readonly #bounds: Bounds;
  readonly #signal: AbortSignal | undefined;
  #number = 0;
  /** The version of the last commit that was given out, or from which it watches. */
  #since: Version;
  #opening: Promise<unknown>;
  /** The question that is on its way, so that one that was woken from is not asked twice. */
  #asked: Promise<Commit<V, K>[]> | undefined;
  #ready: Commit<V, K>[] = [];
  #before: Promise<unknown> = Promise.resolve();
  #isEnded = false;
  #wake: (() => void) | undefined;

  /** @internal Use `db.watch()`. */
  constructor(link: Link, space: Space<K, V>, bounds: Bounds, { since, signal }: WatchOptions) {
    signal?.throwIfAborted();
    if (link.isClosed) throw link.whyClosed();
    if (since !== undefined && (!Number.isInteger(since) || since < 0)) throw new InvalidArgumentError('since is a version: a whole number from 0 on.');
    this.#link = link;
    this.#space = space;
    this.#bounds = bounds;
    this.#signal = signal;
    this.#since = since ?? FROM_NOW;
    this.#opening = this.#open(false);
  }

  /** Begins it at a worker. `isAgain`: it goes on from another one. */
  #open(isAgain: boolean): Promise<unknown> {
    const link = this.#link;
    const number = link.nextNumber();
    this.#number = number;
    const since = this.#since;
    const opening = link.call(IN_WATCH, OP_WATCH, (frames) => {
      frames.word(number);
      writeRange(frames, this.#bounds);
      frames.number(since);
      frames.byte(isAgain && since !== FROM_NOW ? 1 : 0);
    }, (frames) => {
      if (this.#since === FROM_NOW) this.#since = frames.number();
    });
    link.watchOver(this, OP_END_WATCH, number);
    // Whoever waits for a commit is told.
    opening.catch(() => undefined);
    return opening;
  }

  /** The next commit, when there is one. @throws (as a rejection) LaggedError, VersionGoneError, PoisonedError, the reason of the signal. */
  next(): Promise<IteratorResult<Commit<V, K>, undefined>> {
    const next = this.#before.then(() => this.#next());
    this.#before = next.catch(() => undefined);
    return next;
  }

  async #next(): Promise<IteratorResult<Commit<V, K>, undefined>> {
    while (!this.#isEnded) {
      try {
        this.#signal?.throwIfAborted();
        const value = this.#ready.shift();
        if (value !== undefined) {
          this.#since = value.version;
          return { done: false, value };
        }
        if (this.#link.isClosed) break;
        const commits = await this.#fetch();
        if (commits === undefined) continue;
        if (commits.length === 0) this.#end();
        this.#ready = commits;
      } catch (error) {
        if (this.#link.isClosed || this.#isEnded) break;
        if (error instanceof TermEnded) this.#opening = this.#open(true);
        else {
          this.#end();
          throw error;
        }
      }
    }
    return { done: true, value: undefined };
  }

  /** What has come, when something has; undefined when there is something else to look at. */
  async #fetch(): Promise<Commit<V, K>[] | undefined> {
    let wake = (): void => undefined;
    const woken = new Promise<undefined>((resolve) => {
      wake = () => resolve(undefined);
    });
    this.#wake = wake;
    // While somebody waits, and no longer: the signal would keep a watch that was forgotten.
    this.#signal?.addEventListener('abort', wake);
    try {
      return await Promise.race([this.#ask(), woken]);
    } finally {
      this.#signal?.removeEventListener('abort', wake);
    }
  }

  /** Asks for what has come, once the watch has begun. */
  #ask(): Promise<Commit<V, K>[]> {
    if (this.#asked === undefined) {
      this.#asked = this.#opening.then(() => this.#link.call(IN_WATCH, OP_COMMITS, (frames) => frames.word(this.#number), (frames) => this.#read(frames)));
      const done = (): void => {
        this.#asked = undefined;
      };
      this.#asked.then(done, done);
    }
    return this.#asked;
  }

  #read(frames: FrameReader): Commit<V, K>[] {
    const commits: Commit<V, K>[] = [];
    for (let count = frames.word(); count > 0; count--) {
      const version = frames.number();
      const time = frames.number();
      const changes: Change<V, K>[] = [];
      for (let left = frames.word(); left > 0; left--) {
        const key = readKey(frames, this.#space as Space<K, never>);
        const value = readValue(frames, this.#space.values);
        changes.push({ key, value, version, deleted: value === undefined, time });
      }
      commits.push({ version, time, changes });
    }
    return commits;
  }

  #end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#link.release(this, OP_END_WATCH, this.#number);
    this.#wake?.();
  }

  async return(): Promise<{ done: true; value: undefined }> {
    this.#end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
  }
}
