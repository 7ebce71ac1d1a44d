/**
 * Who has the file: of all pages of the site that have the store open, the one that holds its lock, and that has started the worker. The others wait in the lock's queue, so that the browser itself makes
 * one of them the next when the page is closed, crashes, or is killed. A page that is about to be frozen gives the store up first, because nobody could take it from a worker that stands still.
 */
import { PlatformError } from '../errors.js';
import type { FromWorker, Hello, ToWorker } from '../worker/protocol.js';
import { leaderLock, RELEASE } from '../worker/protocol.js';
import { startWorker, type StartedWorker, type WorkerOptions } from './start-worker.js';

/** What happens to a page that leads, or tries to. */
export interface LeadershipEvents {
  /** The lock is this page's: whoever led is gone. Resolves when nothing more is expected from there. */
  onGranted(): Promise<void>;
  onServing(hello: Hello, post: (calls: ArrayBuffer) => void): void;
  /** The store could not be opened. */
  onRefused(error: Error): void;
  onMessage(message: ArrayBuffer | (FromWorker & { type: 'warning' | 'closed' })): void;
  /** The lock is given back, and the worker, if there was one, is gone. */
  onEnded(): void;
  /** The page goes on after it was frozen. */
  onResumed(): void;
}

/** What is asked of the worker when it starts. */
export type Task = Omit<ToWorker & { type: 'start' }, 'type' | 'module'>;

const heardHello = (message: FromWorker): Hello | undefined => (message.type === 'serving' ? message.hello : undefined);

/** `task` is asked when the lock is granted: who takes over makes no new store where there was one. */
export class Leadership {
  readonly #path: string;
  readonly #isShared: boolean;
  readonly #task: () => Task;
  readonly #worker: WorkerOptions;
  readonly #events: LeadershipEvents;
  #queued: AbortController | undefined;
  #started: StartedWorker<Hello> | undefined;
  /** Aborts when the lock is to be given back. */
  #term: AbortController | undefined;
  #isFrozen = false;
  #isClosed = false;
  readonly #onFreeze = (event: Event): void => this.#freeze(event);
  readonly #onResume = (): void => this.#resume();

  constructor(path: string, isShared: boolean, task: () => Task, worker: WorkerOptions, events: LeadershipEvents) {
    this.#path = path;
    this.#isShared = isShared;
    this.#task = task;
    this.#worker = worker;
    this.#events = events;
    // A worker that nobody else waits for stands still with its page, and goes on with it.
    if (isShared) this.#listen('addEventListener');
  }

  #listen(way: 'addEventListener' | 'removeEventListener'): void {
    const { document } = globalThis as { document?: Document };
    document?.[way]('freeze', this.#onFreeze);
    document?.[way]('resume', this.#onResume);
    globalThis[way]('pagehide', this.#onFreeze);
    globalThis[way]('pageshow', this.#onResume);
  }

  /** Waits for the lock, unless it does already. A store that is this page's alone needs none. */
  seek(): void {
    if (this.#queued !== undefined || this.#term !== undefined || this.#isFrozen || this.#isClosed) return;
    const queued = new AbortController();
    this.#queued = queued;
    const lead = async (): Promise<void> => {
      this.#queued = undefined;
      if (!this.#isClosed && !this.#isFrozen) await this.#lead();
    };
    if (!this.#isShared) void lead();
    else navigator.locks.request(leaderLock(this.#path), { signal: queued.signal }, lead).catch(() => undefined);
  }

  /** Leads until the lock is given back: at once when the page is frozen or the store closed, whatever the worker is about. */
  #lead(): Promise<void> {
    const term = new AbortController();
    this.#term = term;
    void this.#begin(term.signal);
    return new Promise((resolve) => {
      term.signal.addEventListener('abort', () => resolve());
    });
  }

  async #begin(signal: AbortSignal): Promise<void> {
    try {
      await this.#events.onGranted();
      signal.throwIfAborted();
      const started = await startWorker((module) => ({ ...this.#task(), type: 'start', module }), this.#worker, heardHello, signal);
      if (signal.aborted) started.worker.terminate();
      else this.#serve(started);
    } catch (error) {
      // Once it is over, the lock is another's, or this page's once more.
      if (signal.aborted) return;
      this.#stop();
      this.#events.onRefused(error as Error);
    }
  }

  #serve(started: StartedWorker<Hello>): void {
    const { worker, said } = started;
    this.#started = started;
    if (said.release !== RELEASE) throw new PlatformError('The option worker makes a worker of another release of varve: take the file of the same build.');
    worker.onmessage = ({ data }: MessageEvent<ArrayBuffer | FromWorker>) => {
      if (data instanceof ArrayBuffer || data.type === 'warning' || data.type === 'closed') this.#events.onMessage(data);
      else if (data.type === 'failed') this.#restart();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#restart();
    };
    this.#events.onServing(said, (calls) => worker.postMessage(calls, [calls]));
  }

  /** The store has stopped, or the worker has: the next in the queue recovers it, or this page. */
  #restart(): void {
    this.#stop();
    this.seek();
  }

  /** Ends the worker where it stands, and gives the lock back. */
  #stop(): void {
    const term = this.#term;
    if (term === undefined) return;
    this.#started?.worker.terminate();
    this.#started = undefined;
    this.#term = undefined;
    term.abort();
    this.#events.onEnded();
  }

  #freeze(event: Event): void {
    // A page that is left for good ends with its worker; one that is only put aside may come back.
    if (event.type === 'pagehide' && !(event as PageTransitionEvent).persisted) return;
    this.#isFrozen = true;
    this.#queued?.abort();
    this.#queued = undefined;
    this.#stop();
  }

  #resume(): void {
    if (!this.#isFrozen) return;
    this.#isFrozen = false;
    this.#events.onResumed();
    this.seek();
  }

  /** Asks the worker to end in order; `closed` is its answer. False where this page has none. */
  requestClose(): boolean {
    if (this.#started === undefined) return false;
    this.#started.worker.postMessage({ type: 'close' });
    return true;
  }

  /** Ends whatever this page does for the store. */
  close(): void {
    this.#isClosed = true;
    this.#listen('removeEventListener');
    this.#queued?.abort();
    this.#queued = undefined;
    this.#stop();
  }
}
