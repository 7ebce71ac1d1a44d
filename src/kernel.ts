/** What a store and its keyspaces share: the engine, when writes are safe, who reads at which version, and whether the store still serves. */
import { Compactor } from './compaction.js';
import { Commits } from './durability/commits.js';
import type { LogFile } from './durability/log-file.js';
import type { Engine } from './engine/engine.js';
import { isFault, poisoned } from './engine/failure.js';
import { ClosedError, InvalidArgumentError, ReadOnlyError } from './errors.js';
import type { Settings } from './options.js';
import { Holds, type Warning } from './holds.js';
import { traceClose, traceCommit } from './tracing.js';

const BUSY = 'A commit is being put together: a codec, a getter, a toJSON or a listener that it calls may read the store, and not write to it, flush or verify it.';

/** What a kernel is made of; `open` puts it together. */
export interface KernelParts {
  /** What messages call the store: the path of its file, or `:memory:`. */
  readonly name: string;
  readonly engine: Engine;
  /** Undefined for a store in memory. */
  readonly log: LogFile | undefined;
  readonly settings: Settings;
  /** So many random bytes. */
  readonly random: (size: number) => Uint8Array;
  /** Gives lock and device back. */
  readonly release: () => void;
}

export class Kernel {
  readonly name: string;
  readonly engine: Engine;
  readonly log: LogFile | undefined;
  readonly settings: Settings;
  readonly random: (size: number) => Uint8Array;
  readonly holds: Holds;
  readonly compactor: Compactor;
  /** Undefined where nothing is written, or there is no file. */
  readonly commits: Commits | undefined;
  /**
   * The first of each that has ended. Without any that lives, a collection of garbage makes V8 forget what it has compiled for them, and the thousands that follow take eight times as
   * long.
   */
  readonly kept: { transaction: object | undefined; snapshot: object | undefined; scan: object | undefined } = { transaction: undefined, snapshot: undefined, scan: undefined };
  /** Why the store serves nothing more, or undefined. */
  stopped: 'closed' | 'failed' | undefined;
  readonly #release: () => void;
  /** Those who wait for a commit. */
  readonly #watchers: { readonly resolve: () => void; readonly signal: AbortSignal | undefined }[] = [];
  readonly #onAbort = (): void => this.wake();
  /** What stopped a store in memory. */
  #fault: Error | undefined;

  constructor({ name, engine, log, settings, random, release }: KernelParts) {
    this.name = name;
    this.engine = engine;
    this.log = log;
    this.settings = settings;
    this.random = random;
    this.#release = release;
    this.holds = new Holds(engine, (warning) => this.#warn(warning), (error) => this.caught(error));
    if (log !== undefined && !settings.readOnly) this.commits = new Commits(log, settings.durability, settings.blocks, settings.flushInterval);
    this.compactor = new Compactor(engine, log, this.commits, () => this.checkIdle());
    if (log === undefined) engine.attach({ prepareSlot: () => undefined, raiseCeiling: () => undefined, flush: () => false, reclaim: () => this.compactor.reclaim() }, () => undefined);
    if (log === undefined || settings.readOnly) return;
    log.onPoison = () => this.#stopFor(log.failure!);
    log.onFull = () => this.compactor.reclaim();
    if (settings.utilisation > 0) {
      log.onFlush = () => this.compactor.noteFlush();
      this.commits!.onLook = () => this.compactor.keepPace();
    }
  }

  /** Whether writes are refused. */
  get isReadOnly(): boolean {
    return this.stopped !== undefined || this.settings.readOnly || this.engine.isStaging;
  }

  checkReadable(): void {
    if (this.stopped !== undefined) throw this.whyStopped();
  }

  checkWritable(): void {
    if (this.isReadOnly) throw this.whyNotWritable();
  }

  /** Throws also while a commit is being put together: what a codec, a getter or a toJSON may then not do. */
  checkIdle(): void {
    this.checkReadable();
    if (this.engine.isStaging) throw new InvalidArgumentError(BUSY);
  }

  /** Resolves with the next commit, or when there is something else to look at; rejects never. */
  nextCommit(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      this.#watchers.push({ resolve, signal });
      // A signal that comes while nothing is committed wakes everyone who waits, and each looks for itself.
      signal?.addEventListener('abort', this.#onAbort, { once: true });
    });
  }

  /** Tells those who watch that there is something to look at: at the end of the turn, for all of its commits. */
  wake(): void {
    if (this.#watchers.length === 0) return;
    for (const { resolve, signal } of this.#watchers.splice(0)) {
      // A signal may outlive the store, and would keep all of it.
      signal?.removeEventListener('abort', this.#onAbort);
      resolve();
    }
  }

  /** The promise of a write that was applied: resolves with its version. */
  acknowledge(version: number): Promise<number> {
    return this.acknowledgeWith(version, version);
  }

  /** The promise of a write that was applied: resolves with `result`. */
  acknowledgeWith<T>(version: number, result: T): Promise<T> {
    this.wake();
    if (traceCommit.isHeard && version !== 0) return traceCommit.promise({ store: this.name, version }, () => this.#acknowledge(version, result));
    return this.#acknowledge(version, result);
  }

  #acknowledge<T>(version: number, result: T): Promise<T> {
    return this.commits === undefined || version === 0 ? Promise.resolve(result) : this.commits.acknowledge(result);
  }

  /** What a write by a call that does not wait owes before it returns. */
  settle(version: number): number {
    this.wake();
    if (version === 0) return version;
    if (traceCommit.isHeard) traceCommit.sync({ store: this.name, version }, () => this.commits?.settle());
    else this.commits?.settle();
    return version;
  }

  /** Ends the store: everything applied becomes durable, lock and device are given back. */
  close(): Promise<void> {
    return traceClose.promise({ store: this.name }, () => this.#close());
  }

  async #close(): Promise<void> {
    // A commit that is being put together is finished first.
    if (this.engine.isStaging) await undefined;
    const failed = this.stopped === 'failed';
    this.stopped = 'closed';
    this.holds.end(() => this.whyStopped());
    this.wake();
    try {
      if (this.commits === undefined || this.log === undefined) return;
      this.compactor.stop();
      await this.commits.stop();
      if (failed) return;
      // A flush that was on its way has failed since: what was applied is not durable, and whoever closes the store is told.
      if (this.log.failure !== undefined) throw this.log.poison(this.log.failure);
      if (this.settings.utilisation > 0 && !this.log.isClean) this.compactor.tighten();
      this.log.finish();
      this.commits.resolveAll();
    } finally {
      this.#release();
    }
  }

  /** Serves nothing more, and tells everyone whom it concerns. */
  #stopFor(failure: Error): void {
    if (this.stopped === undefined) this.stopped = 'failed';
    this.holds.end(() => this.whyStopped());
    this.commits?.rejectAll();
    this.wake();
    this.#warn({ code: 'VARVE_POISONED', message: `${this.name} has stopped: ${failure.message}` });
  }

  #warn(warning: Warning): void {
    try {
      this.settings.onWarning?.(warning);
    } catch {
      // What a listener does wrong must not keep others from being told.
    }
  }

  /** Turns what came out of the engine into what the caller is told: a fault of the core stops the store. */
  caught(error: unknown): unknown {
    if (!isFault(error)) return error;
    this.engine.isBroken = true;
    if (this.log !== undefined) return this.log.poison(error);
    this.#fault = error;
    this.#stopFor(error);
    return this.whyStopped();
  }

  /** Does something with the core; what it throws is what the caller is told. */
  guard<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      throw this.caught(error);
    }
  }

  whyStopped(): Error {
    const failure = this.log?.failure ?? this.#fault;
    return this.stopped === 'failed' && failure !== undefined ? poisoned(this.name, failure) : new ClosedError(`${this.name} is closed. Open it again to use it.`);
  }

  whyNotWritable(): Error {
    if (this.stopped !== undefined) return this.whyStopped();
    if (this.engine.isStaging) return new InvalidArgumentError(BUSY);
    return new ReadOnlyError(`${this.name} was opened read-only. Open it without readOnly and salvage to write.`);
  }
}
