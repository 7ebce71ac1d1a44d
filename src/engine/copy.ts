/** A copy of the core, as the facade uses it: the file of the copy, from its first byte to its last. */
import * as format from '../../assembly/shared/format.js';
import * as layout from '../../assembly/shared/layout.js';
import * as status from '../../assembly/shared/status.js';
import type { Engine } from './engine.js';
import { corruption, failure } from './failure.js';
import { damageOf } from './pager.js';

/** How much of a turn of the event loop a step takes, in records that are looked at: about a millisecond. */
const STEP_WORK = 8192;
/** A step that only has to catch up with what is written meanwhile may take so much more each time, and at most. */
const STEP_WORK_MAX = 1 << 24;
const SUPERBLOCKS_SIZE = 2 * format.SUPERBLOCK_SIZE;

/** How far a copy has come. */
export interface CopyFigures {
  /** Bytes of the log that were looked through, and how many there were when the copy began. */
  readonly done: number;
  readonly total: number;
  /** Records that were copied, and the bytes of their keys and values. */
  readonly records: number;
  readonly bytes: number;
}

export class EngineCopy {
  readonly #engine: Engine;
  readonly #handle: number;
  #work = STEP_WORK;
  #hasEnded = false;

  /** Begins a copy of what a pinned version and a clock show. `entropy` is 32 random bytes. Throws `FullError`. */
  constructor(engine: Engine, version: number, clock: number, hasHistory: boolean, entropy: Uint8Array) {
    this.#engine = engine;
    engine.refresh();
    engine.bytes.set(entropy, layout.CONTROL_ENTROPY);
    this.#handle = engine.core.openCopy(version, clock, hasHistory) >>> 0;
    engine.refresh();
    if (this.#handle === 0) throw failure(status.STATUS_MEMORY_FULL, engine.name);
  }

  /** Goes on with the copy. Returns the next segment of it, which is valid until the next call of the engine; undefined when the step is over without one. Throws `CorruptionError`, `FullError`. */
  step(): Uint8Array | undefined {
    const engine = this.#engine;
    const result = engine.core.stepCopy(this.#handle, this.#work);
    engine.refresh();
    if (result === status.STATUS_CORRUPT) throw corruption(engine.name, damageOf(engine));
    if (result < 0) throw failure(result, engine.name);
    const { done, total } = this.figures;
    if (done === total) this.#work = Math.min(this.#work * 2, STEP_WORK_MAX);
    if (result === layout.COPY_PAUSED) return undefined;
    this.#hasEnded = result === layout.COPY_LAST;
    return engine.bytes.subarray(engine.outputPointer, engine.outputPointer + engine.segmentSize);
  }

  /** Begins anew a copy that has ended: what it begins with then says how long it is. */
  restart(): void {
    this.#engine.core.restartCopy(this.#handle);
    this.#work = STEP_WORK;
    this.#hasEnded = false;
  }

  /** Whether the last segment was shown. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get figures(): CopyFigures {
    const engine = this.#engine;
    return {
      done: engine.number(layout.CONTROL_COPY_DONE),
      total: engine.number(layout.CONTROL_COPY_TOTAL),
      records: engine.number(layout.CONTROL_COPY_RECORDS),
      bytes: engine.number(layout.CONTROL_COPY_BYTES),
    };
  }

  /** What the file begins with, valid until the next call of the engine. Before the end it does not say yet where the log ends. */
  superblocks(): Uint8Array {
    const { core, bytes } = this.#engine;
    core.copySuperblocks(this.#handle, this.#hasEnded);
    const window = core.superblockWindow() >>> 0;
    return bytes.subarray(window, window + SUPERBLOCKS_SIZE);
  }

  /** Takes back what was written: `read` fills bytes with the segment at an index. */
  readBack(index: number, read: (target: Uint8Array, offset: number) => void): void {
    const engine = this.#engine;
    const block = engine.core.slotBlock() >>> 0;
    engine.refresh();
    if (block === 0) throw failure(status.STATUS_MEMORY_FULL, engine.name);
    try {
      read(engine.bytes.subarray(block, block + engine.segmentSize), engine.slotOffset(index));
      engine.core.readCopyBack(this.#handle, block);
    } finally {
      engine.core.releaseSlotBlock(block);
    }
  }

  /** Whether everything that was taken back is what was shown. */
  get isTrue(): boolean {
    return this.#engine.core.isCopyTrue(this.#handle) !== 0;
  }

  /** Gives back what the copy holds. */
  end(): void {
    this.#engine.core.closeCopy(this.#handle);
    this.#engine.refresh();
  }
}
