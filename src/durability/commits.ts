/**
 * When an acknowledged write is acknowledged: the three durability modes, and group commit. Everything that was applied in one turn of the event
 * loop goes to the device as one frame; everything that waits while a flush is running shares the next one.
 */
import { OutcomeUnknownError } from '../errors.js';
import type { LogFile } from './log-file.js';

export type Durability = 'strict' | 'buffered' | 'relaxed';

/** Bytes that a synchronous writer may leave unwritten within one turn. */
const PENDING_SIZE_MAX = 256 << 10;
/** Bytes that a relaxed store may leave unwritten. */
const RELAXED_PENDING_SIZE_MAX = 4 << 20;
/** After how long an idle store seals its last commit, in milliseconds. */
const SEAL_DELAY = 50;

interface Waiter {
  readonly version: number;
  readonly resolve: (version: number) => void;
  readonly reject: (error: Error) => void;
}

/** Starts a timer that never keeps a process alive. */
function startTimer(action: () => void, delay: number): unknown {
  const timer: unknown = setTimeout(action, delay);
  if (typeof timer === 'object' && timer !== null && 'unref' in timer) (timer as { unref(): void }).unref();
  return timer;
}

export class Commits {
  readonly #log: LogFile;
  readonly #durability: Durability;
  readonly #blocks: boolean;
  readonly #flushInterval: number;
  readonly #onFailure: (error: unknown) => void;
  #waiters: Waiter[] = [];
  #isScheduled = false;
  #isFlushing: Promise<void> | undefined;
  #flushTimer: unknown;
  #sealTimer: unknown;
  #lastFlush = performance.now();
  /** Whether bytes were handed over that no flush has covered. */
  #isDirty = false;
  #activity = 0;
  #isClosed = false;
  readonly #onTurn = (): void => this.#endTurn();

  constructor(log: LogFile, durability: Durability, blocks: boolean, flushInterval: number, onFailure: (error: unknown) => void) {
    this.#log = log;
    this.#durability = durability;
    this.#blocks = blocks;
    this.#flushInterval = flushInterval;
    this.#onFailure = onFailure;
  }

  /** The promise of a write that was applied: resolves with its version when the mode's promise holds. */
  acknowledge(version: number): Promise<number> {
    if (this.#durability === 'relaxed') {
      this.#noteRelaxed();
      return Promise.resolve(version);
    }
    return new Promise((resolve, reject) => {
      this.#waiters.push({ version, resolve, reject });
      if (!this.#isScheduled) this.#schedule();
    });
  }

  /** The end of a synchronous write: returns when the mode's promise for it holds. */
  settle(): void {
    if (this.#durability === 'strict') {
      this.#log.flushSync();
      this.#isDirty = false;
      this.#noteActivity();
    } else if (this.#durability === 'relaxed') this.#noteRelaxed();
    else if (this.#log.engine.pendingSize > PENDING_SIZE_MAX) this.#handOver();
    else if (!this.#isScheduled) this.#schedule();
  }

  #schedule(): void {
    this.#isScheduled = true;
    void RESOLVED.then(this.#onTurn);
  }

  #noteRelaxed(): void {
    if (this.#log.engine.pendingSize > RELAXED_PENDING_SIZE_MAX) this.#handOver();
    this.#isDirty = true;
    this.#armFlush();
  }

  /** Hands over in the middle of a turn, and keeps an eye on the interval, because a synchronous loop starves timers. */
  #handOver(): void {
    this.#log.handOver();
    this.#isDirty = true;
    if (performance.now() - this.#lastFlush > this.#flushInterval * 2) {
      this.#log.flushSync();
      this.#noteFlushed();
    } else this.#armFlush();
  }

  #noteFlushed(): void {
    this.#lastFlush = performance.now();
    this.#isDirty = false;
    this.#noteActivity();
  }

  #armFlush(): void {
    if (this.#flushTimer !== undefined || this.#isClosed) return;
    this.#flushTimer = startTimer(() => {
      this.#flushTimer = undefined;
      if (this.#isDirty && this.#log.failure === undefined && !this.#isClosed) this.flush().catch(this.#onFailure);
    }, this.#flushInterval);
  }

  /** The end of a turn of the event loop: the microtask checkpoint. */
  #endTurn(): void {
    this.#isScheduled = false;
    if (this.#isClosed || this.#log.failure !== undefined) return;
    try {
      this.#log.handOver();
      if (this.#durability === 'buffered') {
        this.#isDirty = true;
        this.#armFlush();
        this.#resolveAll();
      } else if (this.#blocks) {
        this.#log.flushSync();
        this.#noteFlushed();
        this.#resolveAll();
      } else if (this.#isFlushing === undefined) this.#startFlush();
    } catch (error) {
      this.#onFailure(error);
    }
  }

  #resolveAll(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.resolve(waiter.version);
  }

  /** Flushes for everyone who waits, and again for those who came meanwhile. */
  #startFlush(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    this.#isDirty = false;
    this.#isFlushing = this.#log.flush().then(() => {
      this.#isFlushing = undefined;
      this.#noteFlushed();
      for (const waiter of waiters) waiter.resolve(waiter.version);
      if (this.#waiters.length > 0 && !this.#isScheduled) this.#schedule();
    }, (error: unknown) => {
      this.#isFlushing = undefined;
      this.#waiters.unshift(...waiters);
      this.#onFailure(error);
    });
  }

  /** Makes everything that was applied before the call durable. */
  async flush(): Promise<void> {
    while (this.#isFlushing !== undefined) await this.#isFlushing;
    this.#startFlush();
    while (this.#isFlushing !== undefined) await this.#isFlushing;
    if (this.#log.failure !== undefined) throw this.#log.poison(this.#log.failure);
  }

  #noteActivity(): void {
    this.#activity++;
    if (this.#sealTimer !== undefined || this.#isClosed) return;
    const seen = this.#activity;
    this.#sealTimer = startTimer(() => {
      this.#sealTimer = undefined;
      if (this.#isClosed || this.#log.failure !== undefined) return;
      if (this.#activity !== seen) this.#noteActivity();
      else if (!this.#isDirty && this.#log.engine.pendingSize === 0) this.#seal();
    }, SEAL_DELAY);
  }

  #seal(): void {
    try {
      this.#log.seal();
    } catch (error) {
      this.#onFailure(error);
    }
  }

  /** Rejects everyone who waits: nobody knows whether their bytes have arrived. */
  rejectAll(cause: Error, name: string): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      waiter.reject(new OutcomeUnknownError(
        `The write or flush that this commit to ${name} waited for failed: it may or may not be there. Close the store, open it again and look.`, { cause }));
    }
  }

  /** Ends the timers. What is still pending is the caller's to write. */
  async stop(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#flushTimer as Parameters<typeof clearTimeout>[0]);
    clearTimeout(this.#sealTimer as Parameters<typeof clearTimeout>[0]);
    while (this.#isFlushing !== undefined) await this.#isFlushing;
  }

  /** Resolves those who waited for a flush that has now been made. */
  resolveAll(): void {
    this.#resolveAll();
  }
}

const RESOLVED = Promise.resolve();
