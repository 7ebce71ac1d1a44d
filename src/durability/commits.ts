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
/** A writer that leaves the timers no turn looks at the clock itself, at one write in so many: each look costs a tenth of a write. */
const WRITES_PER_LOOK = 16;

const RESOLVED = Promise.resolve();

interface Waiter {
  readonly result: unknown;
  readonly resolve: (result: unknown) => void;
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
  /** Whether a promise is kept at the end of the turn, by a synchronous call: always but for strict with asynchronous flushes. */
  readonly #keepsInTurn: boolean;
  readonly #flushInterval: number;
  /** What the promises resolve with that are kept at the end of this turn, in their order. Slots are used again, because a writer that awaits each put has one at a time. */
  readonly #inTurn: unknown[] = [];
  #inTurnFirst = 0;
  #inTurnCount = 0;
  /** Who waits for a flush that has not begun. */
  #waiters: Waiter[] = [];
  #isScheduled = false;
  /** The flush that is on its way; it never rejects, and resolves with what went wrong. */
  #flushing: Promise<unknown> | undefined;
  /** The flush that those share who came while another was on its way. */
  #nextFlush: Promise<unknown> | undefined;
  #flushTimer: unknown;
  #sealTimer: unknown;
  #lastFlush = performance.now();
  #writeCount = 0;
  #activity = 0;
  #isClosed = false;
  /** Called by writers now and then. */
  onLook: () => void = () => undefined;
  readonly #onTurn = (): void => this.#endTurn();
  readonly #onInTurn = (): unknown => this.#keepInTurn();

  constructor(log: LogFile, durability: Durability, blocks: boolean, flushInterval: number) {
    this.#log = log;
    this.#durability = durability;
    this.#keepsInTurn = durability === 'buffered' || blocks;
    this.#flushInterval = flushInterval;
  }

  /** The promise of a write that was applied: resolves with `result` when the mode's promise holds. */
  acknowledge<T>(result: T): Promise<T> {
    if (this.#durability === 'relaxed') {
      try {
        this.#noteRelaxed();
      } catch (error) {
        return Promise.reject(error as Error);
      }
      return Promise.resolve(result);
    }
    if (this.#keepsInTurn) {
      // Callbacks of one resolved promise run in their order, so the first hands over for all, and each finds its own result at the front.
      this.#inTurn[this.#inTurnCount++] = result;
      return RESOLVED.then(this.#onInTurn) as Promise<T>;
    }
    return new Promise((resolve, reject) => {
      this.#waiters.push({ result, resolve: resolve as (result: unknown) => void, reject });
      this.#schedule();
    });
  }

  /** The end of a synchronous write: returns when the mode's promise for it holds. */
  settle(): void {
    if (this.#durability === 'strict') this.#flushNow();
    else if (this.#durability === 'relaxed') this.#noteRelaxed();
    else {
      if (this.#log.engine.pendingSize > PENDING_SIZE_MAX) this.#handOver();
      this.#schedule();
      this.#look();
    }
  }

  /** Whether everything that was applied is durable. */
  get #isDurable(): boolean {
    return this.#log.engine.pendingSize === 0 && !this.#log.isUnflushed;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    void RESOLVED.then(this.#onTurn);
  }

  #noteRelaxed(): void {
    if (this.#log.engine.pendingSize > RELAXED_PENDING_SIZE_MAX) this.#handOver();
    this.#armFlush();
    this.#look();
  }

  /** Keeps an eye on the interval, because a loop that gives no turn starves timers. */
  #look(): void {
    if (++this.#writeCount % WRITES_PER_LOOK !== 0) return;
    this.onLook();
    const isOverdue = performance.now() - this.#lastFlush > this.#flushInterval * 2;
    if (!isOverdue && !this.#log.isWaitedFor) return;
    if (this.#isDurable) return;
    // A loop that gives no turn would never let another way of flushing come to its end.
    if (isOverdue) this.#flushNow();
    else if (this.#flushing === undefined) this.flush().catch(() => undefined);
  }

  /** A flush that blocks. What it would have made durable is in doubt when it fails. */
  #flushNow(): void {
    try {
      this.#log.flushSync();
    } catch (error) {
      throw this.#doubt(error);
    }
    this.#noteFlushed();
  }

  #noteFlushed(): void {
    this.#lastFlush = performance.now();
    this.#noteActivity();
  }

  #armFlush(): void {
    if (this.#flushTimer !== undefined || this.#isClosed) return;
    this.#flushTimer = startTimer(() => {
      this.#flushTimer = undefined;
      if (this.#isClosed || this.#log.failure !== undefined || this.#isDurable) return;
      // Its failure poisons the store, which tells everyone whom it concerns.
      this.flush().catch(() => undefined);
    }, this.#flushInterval);
  }

  /** Keeps the promise that is next in this turn, and does what it takes if it is the first. */
  #keepInTurn(): unknown {
    const result = this.#inTurn[this.#inTurnFirst];
    this.#inTurn[this.#inTurnFirst++] = undefined;
    if (this.#inTurnFirst === this.#inTurnCount) this.#inTurnFirst = this.#inTurnCount = 0;
    if (this.#log.failure !== undefined) throw this.#doubt(this.#log.failure);
    if (this.#durability === 'strict') {
      if (!this.#isDurable) this.#flushNow();
    } else if (this.#log.engine.pendingSize !== 0) this.#handOverTurn();
    return result;
  }

  /** Hands over what was applied. What the operating system has taken of it is in doubt when that fails. */
  #handOver(): void {
    try {
      this.#log.handOver();
    } catch (error) {
      throw this.#doubt(error);
    }
  }

  #handOverTurn(): void {
    this.#handOver();
    this.#armFlush();
    this.#look();
  }

  /** The end of a turn of the event loop: the microtask checkpoint. */
  #endTurn(): void {
    this.#isScheduled = false;
    if (this.#log.failure !== undefined) return;
    try {
      if (this.#durability === 'buffered') this.#handOverTurn();
      else if (this.#flushing === undefined && this.#waiters.length > 0) void this.#startFlush();
    } catch {
      // The store is poisoned, which told everyone whom it concerns.
    }
  }

  /** Hands over what was applied without anybody waiting for it, and has it flushed within the interval. */
  handOverLater(): void {
    this.#log.handOver();
    this.#armFlush();
  }

  /** Flushes for everyone who waits, and then for those who came meanwhile. Never rejects: resolves with what went wrong. */
  #startFlush(): Promise<unknown> {
    const waiters = this.#waiters;
    this.#waiters = [];
    this.#flushing = this.#log.flush().then(() => {
      this.#flushing = undefined;
      this.#noteFlushed();
      for (const waiter of waiters) waiter.resolve(waiter.result);
      if (this.#waiters.length > 0) this.#schedule();
      return undefined;
    }, (error: unknown) => {
      this.#flushing = undefined;
      for (const waiter of waiters) waiter.reject(this.#doubt(error));
      return error;
    });
    return this.#flushing;
  }

  /** Makes everything that was applied before the call durable. */
  async flush(): Promise<void> {
    if (this.#isDurable && this.#flushing === undefined && !this.#log.isSuperblockDue) return;
    // A flush that is already on its way need not cover what was handed over since it began.
    const error = await (this.#flushing === undefined ? this.#startFlush() : (this.#nextFlush ??= this.#flushing.then(() => {
      this.#nextFlush = undefined;
      return this.#flushing ?? this.#startFlush();
    })));
    if (error !== undefined) throw this.#doubt(error);
  }

  #noteActivity(): void {
    this.#activity++;
    if (this.#sealTimer !== undefined || this.#isClosed) return;
    const seen = this.#activity;
    this.#sealTimer = startTimer(() => {
      this.#sealTimer = undefined;
      if (this.#isClosed || this.#log.failure !== undefined) return;
      if (this.#activity !== seen) this.#noteActivity();
      else if (this.#isDurable) this.#seal();
    }, SEAL_DELAY);
  }

  #seal(): void {
    try {
      this.#log.seal();
    } catch {
      // The store is poisoned, and nobody waits for a seal.
    }
  }

  /** What someone is told whose bytes may or may not have arrived. */
  #doubt(error: unknown): OutcomeUnknownError {
    return new OutcomeUnknownError(
      `The write or flush that this commit to ${this.#log.engine.name} waited for failed: it may or may not be there. Close the store, open it again and look.`,
      { cause: this.#log.failure ?? error });
  }

  /** Tells everyone who waits that the store was poisoned. Those of a flush that is on its way learn it from that. */
  rejectAll(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.reject(this.#doubt(this.#log.failure));
  }

  /** Ends the timers, and waits for what is on its way. What is still pending is the caller's to write. */
  async stop(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#flushTimer as Parameters<typeof clearTimeout>[0]);
    clearTimeout(this.#sealTimer as Parameters<typeof clearTimeout>[0]);
    while (this.#flushing !== undefined) await this.#flushing;
  }

  /** Keeps the promises of those who waited for a flush that has now been made. */
  resolveAll(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.resolve(waiter.result);
  }
}
