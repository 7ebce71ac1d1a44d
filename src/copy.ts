/**
 * A consistent copy of a store on its way out: segments of another log, laid out by the core in steps that each take a small part of a turn of the event loop. Writers, scans and
 * transactions go on between them. Backups and salvage are this.
 */
import { SUPERBLOCK_SIZE } from '../assembly/shared/format.js';
import { nextTurn } from './device/platform.js';
import type { EngineCopy } from './engine/copy.js';
import type { Hold } from './holds.js';
import type { Kernel } from './kernel.js';
import type { Version } from './reader.js';

/** How far a copy has come. */
export interface CopyProgress {
  /** Bytes of the store's log that were looked through. */
  readonly done: number;
  /** How many there were when the copy began: `done` is the same at the end. */
  readonly total: number;
  /** Bytes of the copy that were written. */
  readonly bytes: number;
}

export interface CopyOptions {
  /** Whether the versions that the option `history` of the store keeps are copied too, deletes among them, each with its commit time. Default false: the newest versions, whose commit times are then right to a second. */
  history?: boolean;
  /** Ends the work: the promise then rejects with its reason, and nothing is left behind. */
  signal?: AbortSignal;
  /** Told after each segment that was written. What it throws ends the work. */
  onProgress?: (progress: CopyProgress) => void;
}

export interface Copied {
  /** The version that the copy shows: every commit up to it, and none behind it. */
  readonly version: Version;
  /** Versions of keys that were written, those of keyspaces too: without `history`, one for each key. A key that compaction moves meanwhile may be written twice, which changes nothing. */
  readonly keys: number;
  /** Bytes of their encoded keys and values. */
  readonly bytes: number;
  /** Bytes of the copy's file. */
  readonly size: number;
}

/** Where a copy goes. */
export interface CopySink {
  /** Whether what the file begins with cannot be written again when the end is known. */
  readonly isInOrder: boolean;
  /** Takes the next bytes of the file, which are valid only until it returns. */
  write(bytes: Uint8Array, offset: number): void | Promise<void>;
  /** Takes what the file begins with once it is known where the log ends, makes the copy durable and, where it can, holds it against what was laid out. */
  finish(copy: EngineCopy, segmentCount: number): Promise<void>;
}

const ENTROPY_SIZE = 32;

/** Lays a copy out for its length alone, which its first bytes are to say: what is missing at its end is then noticed. */
async function measure(kernel: Kernel, copy: EngineCopy, check: () => void): Promise<void> {
  while (!copy.hasEnded) {
    await nextTurn();
    check();
    kernel.guard(() => copy.step());
  }
  kernel.guard(() => copy.restart());
}

/** A copy that was begun: what it shows is fixed. */
export interface BegunCopy {
  readonly copy: EngineCopy;
  readonly hold: Hold;
}

/** Begins a copy of what the store holds now. `copyStore` makes it, or its hold is to be released. O(segments). */
export function beginCopy(kernel: Kernel, { history = false }: CopyOptions): BegunCopy {
  kernel.checkIdle();
  return kernel.guard(() => kernel.holds.copy(history, kernel.random(ENTROPY_SIZE)));
}

/** Makes a copy that was begun. Resolves when the sink has all of it. O(bytes of the log), in memory that does not depend on them. */
export async function copyStore(kernel: Kernel, { copy, hold }: BegunCopy, sink: CopySink, { signal, onProgress }: CopyOptions): Promise<Copied> {
  const check = (): void => {
    kernel.holds.check(hold);
    signal?.throwIfAborted();
  };
  try {
    // What the copy shows is durable here before it is anywhere else.
    await kernel.commits?.flush();
    check();
    if (sink.isInOrder) await measure(kernel, copy, check);
    await sink.write(copy.superblocks(), 0);
    let offset = 2 * SUPERBLOCK_SIZE;
    let count = 0;
    while (!copy.hasEnded) {
      await nextTurn();
      check();
      const segment = kernel.guard(() => copy.step());
      if (segment === undefined) continue;
      offset += segment.length;
      count++;
      await sink.write(segment, offset - segment.length);
      onProgress?.({ done: copy.figures.done, total: copy.figures.total, bytes: offset });
      check();
    }
    // The slot that the last segment names as next belongs to the file.
    const { segmentSize } = kernel.engine;
    await sink.write(new Uint8Array(segmentSize), offset);
    check();
    await sink.finish(copy, count);
    check();
    const { records, bytes } = copy.figures;
    return { version: hold.version, keys: records, bytes, size: offset + segmentSize };
  } catch (error) {
    throw kernel.caught(error);
  } finally {
    kernel.holds.release(hold);
  }
}
