/** Writes commit after commit, several at a time, and tells of each what the store has shown and promised. */
import type { Store } from '../../src/index.js';
import { apply, commitOf, type Life } from './workload.js';

/** How a life writes. */
export interface Manner {
  /** Whether the store flushes within the call. */
  readonly isSync: boolean;
  /** How many commits are on their way at once. They share flushes. */
  readonly depth: number;
}

export interface Listener {
  /** A commit was applied, and whoever reads sees it; not yet durable. */
  applied?(number: number, version: number): void;
  /** A commit was acknowledged. Called at that moment. */
  acknowledged(number: number, version: number): void;
  /** A commit was refused or is in doubt. Without this, it is thrown. */
  failed?(number: number, error: unknown): void;
}

/** Writes the commits from `from` on, until `goesOn` says no. Resolves when all of them are settled. */
export async function write(store: Store, life: Life, from: number, { isSync, depth }: Manner, goesOn: (number: number) => boolean | Promise<boolean>, listener: Listener): Promise<void> {
  const underway = new Set<Promise<void>>();
  for (let number = from; await goesOn(number); number++) {
    let promise: Promise<number>;
    try {
      promise = apply(store, life.seed, commitOf(life, number), isSync);
      listener.applied?.(number, store.stats().version);
    } catch (error) {
      promise = Promise.reject(error as Error);
    }
    const settled: Promise<void> = promise.then((version) => listener.acknowledged(number, version)).catch((error: unknown) => {
      if (listener.failed === undefined) throw error;
      listener.failed(number, error);
    }).finally(() => underway.delete(settled));
    underway.add(settled);
    // All of them are awaited below, but not before the first has failed.
    settled.catch(() => undefined);
    if (underway.size >= depth) await Promise.race(underway);
  }
  await Promise.all(underway);
}
