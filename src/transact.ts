/** Running a function as a transaction, and again when another commit came between. */
import { checkOptionsOf, checkSignal } from './abort.js';
import { ConflictError, InvalidArgumentError } from './errors.js';
import type { Isolation, Transaction } from './transaction.js';

/** What `transact` needs of a transaction, wherever it is. */
export interface Transactional {
  readonly isEnded: boolean;
  /** Whether it cannot commit any more, because the worker that had it has ended: what it throws is then no error of the function that runs. */
  readonly isLost?: boolean;
  commit(): Promise<unknown>;
  /** Where a commit is applied when the call returns: throws when it may not be, and resolves with `result` when the store's durability holds for it. It is over, whatever comes out. */
  commitWith?<T>(result: T): Promise<T>;
  /** Told when the function has turned out to wait. */
  noteWait?(): void;
  abort(): void;
}

export interface TransactOptions {
  /** `serializable` (default) or `snapshot`. */
  isolation?: Isolation;
  /** How often it is run again after a conflict. Default 10. */
  retries?: number;
  /** Within how many milliseconds after the call it may still be run again. Default: no limit. */
  timeout?: number;
  /** Ends the rerunning: `transact` rejects with its reason, unless the transaction has committed. */
  signal?: AbortSignal;
}

const RETRIES_DEFAULT = 10;
/** The longest that a rerun waits, in milliseconds: twice as long after each conflict, and less by chance, so that contenders part. */
const BACKOFF_MAX = 64;

/** When running again has to stop. */
class Patience {
  readonly #retries: number;
  readonly #end: number;
  readonly #signal: AbortSignal | undefined;
  #count = 0;

  constructor(options: TransactOptions) {
    checkOptionsOf('transact', options);
    const { retries = RETRIES_DEFAULT, timeout = Infinity, signal } = options;
    if (!(retries >= 0)) throw new InvalidArgumentError('The option retries takes a number from 0 on.');
    if (!(timeout >= 0)) throw new InvalidArgumentError('The option timeout takes milliseconds, from 0 on.');
    checkSignal(signal);
    this.#retries = retries;
    // Most have no end, and looking at the clock takes as long as a lookup.
    this.#end = timeout === Infinity ? Infinity : performance.now() + timeout;
    this.#signal = signal;
  }

  check(): void {
    this.#signal?.throwIfAborted();
  }

  /** Whether another run is allowed after an error; `mayConflict` tells that it came of the transaction, and not of the function. */
  allows(error: unknown, mayConflict: boolean): boolean {
    if (!mayConflict || !(error instanceof ConflictError) || this.#count >= this.#retries || performance.now() >= this.#end) return false;
    this.#count++;
    return true;
  }

  /** A while that grows with the conflicts. The first rerun does not wait. */
  wait(): Promise<void> {
    if (this.#count < 2) return Promise.resolve();
    const longest = Math.min(BACKOFF_MAX, 2 ** (this.#count - 2));
    return new Promise((resolve) => setTimeout(resolve, Math.random() * longest));
  }
}

function checkFunction(run: unknown): void {
  if (typeof run !== 'function') throw new InvalidArgumentError('transact takes a function, which is given the transaction.');
}

/** Whether whoever has a value must wait for it. */
function isThenable(value: unknown): boolean {
  return ((typeof value === 'object' && value !== null) || typeof value === 'function') && typeof (value as { readonly then?: unknown }).then === 'function';
}

/** A transaction in which the function runs, and what that has returned. */
interface Begun<X, T> {
  readonly tx: X;
  readonly result: T | Promise<T>;
}

/**
 * Runs `run` in transactions that `begin` makes until one commits. Resolves with what it returned. What a function that does not wait has done is committed before the call returns, with one promise
 * for all of it.
 */
export function transact<X extends Transactional, T>(begin: () => X, run: (tx: X) => T | Promise<T>, options: TransactOptions): Promise<T> {
  let tx: X | undefined;
  let isCommitting = false;
  let patience: Patience | undefined;
  try {
    checkFunction(run);
    patience = new Patience(options);
    patience.check();
    tx = begin();
    const result = run(tx);
    if (tx.commitWith === undefined || isThenable(result)) return goOn(begin, run, patience, { tx, result });
    patience.check();
    if (tx.isEnded) return Promise.resolve(result);
    isCommitting = true;
    return tx.commitWith(result as T);
  } catch (error) {
    tx?.abort();
    if (patience === undefined || !patience.allows(error, isCommitting || tx?.isLost === true)) return Promise.reject(error as Error);
    return goOn(begin, run, patience, undefined);
  }
}

/** Awaits the function of the transaction that was begun, or of another, and of others after conflicts, until one has committed. */
async function goOn<X extends Transactional, T>(begin: () => X, run: (tx: X) => T | Promise<T>, patience: Patience, first: Begun<X, T> | undefined): Promise<T> {
  for (let begun = first; ; begun = undefined) {
    if (begun === undefined) {
      await patience.wait();
      patience.check();
    }
    const tx = begun?.tx ?? begin();
    let isCommitting = false;
    try {
      tx.noteWait?.();
      const result = await (begun === undefined ? run(tx) : begun.result);
      patience.check();
      isCommitting = true;
      if (!tx.isEnded) await tx.commit();
      return result;
    } catch (error) {
      if (!patience.allows(error, isCommitting || tx.isLost === true)) throw error;
    } finally {
      tx.abort();
    }
  }
}

/** As `transact`, for a function that does not wait. */
export function transactSync<V, T>(begin: () => Transaction<V>, run: (tx: Transaction<V>) => T, options: TransactOptions | undefined): T {
  checkFunction(run);
  let patience = options === undefined ? undefined : new Patience(options);
  for (;;) {
    patience?.check();
    const tx = begin();
    let isCommitting = false;
    try {
      const result = run(tx);
      if (result instanceof Promise) throw new InvalidArgumentError('The function of transactSync returned a promise: use transact.');
      isCommitting = true;
      if (!tx.isEnded) tx.commitSync();
      return result;
    } catch (error) {
      patience ??= new Patience({});
      if (!patience.allows(error, isCommitting)) throw error;
    } finally {
      tx.abort();
    }
  }
}
