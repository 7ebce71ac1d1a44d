/** Watching a store: the commits to a range of keys, in order, as they come. */
import { checkOptionsOf, checkSignal } from './abort.js';
import type { Key } from './codec/key.js';
import type { Space } from './codec/space.js';
import { EngineWatch } from './engine/watch.js';
import { InvalidArgumentError } from './errors.js';
import type { Hold } from './holds.js';
import type { Kernel } from './kernel.js';
import type { Bounds, Range } from './range.js';
import type { Change, Version } from './reader.js';

export interface WatchOptions {
  /** Begin behind this version, as far as the log still has what came since. Default: with the next commit. */
  since?: Version;
  /** Ends the watch: the iterator then rejects with its reason. */
  signal?: AbortSignal;
}

/** What a commit has written in the range that is watched. */
export interface Commit<V, K = Key> {
  readonly version: Version;
  /** When it was committed, in epoch milliseconds. */
  readonly time: number;
  /** Its writes, in the order in which they were made. */
  readonly changes: readonly Change<V, K>[];
}

/** The bounds of what is watched: a range, or one key. */
export function watchedBounds<V, K>(target: Range<K> | K | undefined, space: Space<K, V>): Bounds {
  if (target === undefined || isRange(target)) {
    const bounds = space.bounds(target as Range<K> | undefined);
    if (bounds.isReverse || bounds.limit !== Infinity) throw new InvalidArgumentError('A watch takes a range without reverse and limit: commits come in their order, and have no end.');
    return bounds;
  }
  return space.boundsOfKey(target as K);
}

function isRange(target: unknown): boolean {
  if (typeof target !== 'object' || target === null) return false;
  const prototype: unknown = Object.getPrototypeOf(target);
  return prototype === Object.prototype || prototype === null;
}

/** Where a watch stands, without the iterator that its user holds, so that this may be collected. */
interface Place<V, K> {
  readonly kernel: Kernel;
  readonly space: Space<K, V>;
  readonly watch: EngineWatch;
  readonly hold: Hold;
}

function begin<V, K>(kernel: Kernel, space: Space<K, V>, bounds: Bounds, since: Version | undefined): Place<V, K> {
  const { engine } = kernel;
  const current = engine.core.lastVersion();
  if (since !== undefined && (!Number.isInteger(since) || since < 0 || since > current)) {
    throw new InvalidArgumentError(`since is a version from 0 to ${current}, the newest.`);
  }
  const watch = new EngineWatch(engine, bounds, since ?? current);
  return { kernel, space, watch, hold: kernel.holds.add('watch', since ?? current, engine.now(), watch) };
}

/** The commits of a watch, one item each. Leave its loop, or declare it with `await using`, to end it. It ends by itself when the store is closed. */
export class Watcher<V, K = Key> implements AsyncIterableIterator<Commit<V, K>> {
  readonly #place: Place<V, K>;
  readonly #signal: AbortSignal | undefined;
  /** The call of `next` before this one, so that each commit goes to one of them. */
  #before: Promise<unknown> = Promise.resolve();

  /** @internal Use `db.watch()`. */
  constructor(kernel: Kernel, space: Space<K, V>, bounds: Bounds, options: WatchOptions) {
    checkOptionsOf('watch', options);
    const { since, signal } = options;
    checkSignal(signal);
    this.#place = kernel.guard(() => begin(kernel, space, bounds, since));
    this.#signal = signal;
    kernel.holds.watch(this, this.#place.hold);
  }

  /** The next commit, when there is one. @throws (as a rejection) LaggedError, PoisonedError, the reason of the signal. */
  next(): Promise<IteratorResult<Commit<V, K>, undefined>> {
    const next = this.#before.then(() => this.#next());
    this.#before = next.catch(() => undefined);
    return next;
  }

  async #next(): Promise<IteratorResult<Commit<V, K>, undefined>> {
    const { kernel, hold } = this.#place;
    for (;;) {
      if (kernel.stopped === 'failed') throw kernel.whyStopped();
      if (!hold.isOpen) return { done: true, value: undefined };
      try {
        this.#signal?.throwIfAborted();
        const commit = this.#read();
        if (commit !== undefined) return { done: false, value: commit };
      } catch (error) {
        this.#end();
        throw kernel.caught(error);
      }
      await kernel.nextCommit(this.#signal);
    }
  }

  #read(): Commit<V, K> | undefined {
    const { kernel, space, watch } = this.#place;
    const writes = watch.next(space);
    if (writes.length === 0) return undefined;
    const { version } = writes[0]!;
    const time = kernel.engine.timeOf(version);
    return { version, time, changes: writes.map((write) => ({ ...write, time })) };
  }

  #end(): void {
    this.#place.kernel.holds.release(this.#place.hold);
    this.#place.kernel.wake();
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
