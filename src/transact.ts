/** Running a function as a transaction, and again when another commit came between. */
import { ConflictError, InvalidArgumentError } from './errors.js';
import type { Isolation, Transaction } from './transaction.js';

/** What `transact` needs of a transaction, wherever it is. */
export interface Transactional {
  readonly isEnded: boolean;
  /** Whether it cannot commit any more, because the worker that had it has ended: what it throws is then no error of the function that runs. */
  readonly isLost?: boolean;
  commit(): Promise<unknown>;
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
    const { retries = RETRIES_DEFAULT, timeout = Infinity, signal } = options;
    if (!(retries >= 0)) throw new InvalidArgumentError('The option retries takes a number from 0 on.');
    if (!(timeout >= 0)) throw new InvalidArgumentError('The option timeout takes milliseconds, from 0 on.');
    this.#retries = retries;
    this.#end = performance.now() + timeout;
    this.#signal = signal;
  }

  check(): void {
    this.#signal?.throwIfAborted();
  }

  /** Throws `error` unless it is a conflict after which another run is allowed. */
  take(error: unknown, isConflict: boolean): void {
    if (!isConflict || this.#count >= this.#retries || performance.now() >= this.#end) throw error;
    this.#count++;
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

/** Runs `run` in transactions that `begin` makes until one commits. Resolves with what it returned. */
export async function transact<X extends Transactional, T>(begin: () => X, run: (tx: X) => T | Promise<T>, options: TransactOptions): Promise<T> {
  checkFunction(run);
  const patience = new Patience(options);
  for (;;) {
    patience.check();
    const tx = begin();
    let isCommitting = false;
    try {
      const result = await run(tx);
      patience.check();
      isCommitting = true;
      if (!tx.isEnded) await tx.commit();
      return result;
    } catch (error) {
      patience.take(error, (isCommitting || tx.isLost === true) && error instanceof ConflictError);
    } finally {
      tx.abort();
    }
    await patience.wait();
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
      patience.take(error, isCommitting && error instanceof ConflictError);
    } finally {
      tx.abort();
    }
  }
}
