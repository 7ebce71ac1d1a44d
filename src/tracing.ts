/**
 * What a store does, as diagnostics channels tell it: beginnings, ends and failures, for whoever listens. Payloads name the store and count; they never hold a key or a value. Where nobody
 * listens, or the platform has no such channels, an operation pays one look at whether somebody does, and reads pay nothing.
 */
import type { BackupReport } from './backup.js';
import type { Compacted } from './compaction.js';
import type { TracingChannels } from './device/platform-file.js';
import { tracingChannels } from './device/platform.js';
import type { Recovery } from './durability/recover.js';
import type { RestoreReport } from './restoring.js';

/** What every payload has. */
export interface Traced {
  /** The path of the store's file, or `:memory:`. */
  readonly store: string;
  /** What went wrong, once it has. */
  error?: unknown;
}

/** Of `varve:open`. */
export interface TracedOpen extends Traced {
  readonly readOnly: boolean;
  /** What opening found, once it has. */
  recovery?: Recovery;
}

/** Of `varve:commit`. */
export interface TracedCommit extends Traced {
  /** The version that was applied. */
  readonly version: number;
}

/** Of `varve:flush`. */
export interface TracedFlush extends Traced {
  /** Bytes of the log that the operating system had not been given when the flush began. */
  readonly bytes: number;
}

/** Of `varve:backup`. */
export interface TracedCopy extends Traced {
  /** The path of the copy; undefined for a stream. */
  readonly target: string | undefined;
  /** What was copied, once it is. */
  report?: BackupReport;
}

/** Of `varve:restore`: `store` is the path of the new store. */
export interface TracedRestore extends Traced {
  /** The path that is restored from; undefined for a stream. */
  readonly source: string | undefined;
  /** What was restored, once it is. */
  report?: RestoreReport;
}

/** Of `varve:import`. */
export interface TracedExchange extends Traced {
  /** How many records went through, once all have. */
  records?: number;
}

/** Of `varve:compact`. */
export interface TracedCompact extends Traced {
  /** What was done, once it is. */
  report?: Compacted;
}

/** One thing that is told. */
export class Trace<T extends Traced> {
  readonly #channels: TracingChannels | undefined;

  constructor(name: string) {
    this.#channels = tracingChannels(name);
  }

  /** Whether anybody listens. */
  get isHeard(): boolean {
    const channels = this.#channels;
    if (channels === undefined) return false;
    return channels.start.hasSubscribers || channels.end.hasSubscribers || channels.asyncStart.hasSubscribers || channels.asyncEnd.hasSubscribers || channels.error.hasSubscribers;
  }

  #fail(traced: T, error: unknown): void {
    traced.error = error;
    this.#channels!.error.publish(traced);
  }

  /** Does something that does not wait: `start`, then `error` where it throws, then `end`. */
  sync<R>(traced: T | undefined, run: () => R): R {
    if (traced === undefined || !this.isHeard) return run();
    const { start, end } = this.#channels!;
    start.publish(traced);
    try {
      return run();
    } catch (error) {
      this.#fail(traced, error);
      throw error;
    } finally {
      end.publish(traced);
    }
  }

  /** Begins something that is awaited: `start`, and `end` when it has begun; then `error` where it rejects, `asyncStart` and `asyncEnd` when it is settled. */
  promise<R>(traced: T | undefined, run: () => Promise<R>): Promise<R> {
    if (traced === undefined || !this.isHeard) return run();
    const { asyncStart, asyncEnd } = this.#channels!;
    const settle = (): void => {
      asyncStart.publish(traced);
      asyncEnd.publish(traced);
    };
    return this.#begun(traced, run).then((result) => {
      settle();
      return result;
    }, (error: unknown) => {
      this.#fail(traced, error);
      settle();
      throw error;
    });
  }

  #begun<R>(traced: T, run: () => Promise<R>): Promise<R> {
    const { start, end } = this.#channels!;
    start.publish(traced);
    try {
      return run();
    } finally {
      end.publish(traced);
    }
  }
}

export const traceOpen = new Trace<TracedOpen>('varve:open');
export const traceCommit = new Trace<TracedCommit>('varve:commit');
export const traceFlush = new Trace<TracedFlush>('varve:flush');
export const traceCompact = new Trace<TracedCompact>('varve:compact');
export const traceBackup = new Trace<TracedCopy>('varve:backup');
export const traceRestore = new Trace<TracedRestore>('varve:restore');
export const traceImport = new Trace<TracedExchange>('varve:import');
export const traceClose = new Trace<Traced>('varve:close');
