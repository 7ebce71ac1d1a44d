/**
 * The facade's side of what is not in memory: reads that the core asks for in the middle of a call, the errors that end such a call, and what makes room where memory is short.
 */
import * as layout from '../../assembly/shared/layout.js';
import * as status from '../../assembly/shared/status.js';
import type { Damage } from '../errors.js';
import type { Engine } from './engine.js';
import { InterruptedError, corruption, failure, reasonText } from './failure.js';
import type { CoreHost } from './module.js';

/** What the engine asks for when the log cannot go on by itself. */
export interface EngineHost {
  /** Makes a zeroed slot ready, or throws. `reserved` allows the slots kept for deletes. */
  prepareSlot(reserved: boolean): void;
  /** Makes a higher version ceiling durable, or throws. */
  raiseCeiling(): void;
  /** Makes room in memory by compaction. False where that has made none. */
  reclaim(): boolean;
  /** Has the file hold what is in memory, so that it can leave, or throws. Returns whether it did not hold it before. */
  flush(): boolean;
}

/** Fills `target[start, start + length)` from an offset of the file on, or throws what users are to be told. */
export type ReadFile = (target: Uint8Array, start: number, length: number, offset: number) => void;

/** More blocks than there can be. */
const BLOCKS_MAX = 2 ** 32 - 1;

/** Where the damage is that the core has just named. */
export function damageOf(engine: Engine): Damage {
  const offset = engine.slotOffset(engine.word(layout.CONTROL_DAMAGE_SLOT)) + engine.word(layout.CONTROL_DAMAGE_OFFSET);
  const [after, upTo] = [engine.number(layout.CONTROL_DAMAGE_AFTER), engine.number(layout.CONTROL_DAMAGE_UP_TO)];
  return {
    segment: engine.number(layout.CONTROL_DAMAGE_SEQUENCE),
    offset,
    bytes: engine.word(layout.CONTROL_DAMAGE_SIZE),
    reason: reasonText(engine.word(layout.CONTROL_DAMAGE_REASON)),
    versions: after === 0 && upTo === 0 ? undefined : { after, upTo: upTo === 0 ? undefined : upTo },
  };
}

export class Pager implements CoreHost {
  /** How many blocks may be in memory: undefined for as many as there is room for, 0 where nothing may leave. */
  blocks: number | undefined = 0;
  readonly #engine: Engine;
  #host: EngineHost | undefined;
  #read: ReadFile | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  attach(host: EngineHost, read: ReadFile): void {
    this.#host = host;
    this.#read = read;
  }

  /** Tells the core what may leave, now that it knows the size of a segment. */
  start(): void {
    const { core, memoryLimit } = this.#engine;
    if (this.blocks !== 0) core.letLeave(memoryLimit, this.blocks ?? BLOCKS_MAX);
  }

  /** Reads bytes of a slot for the core. What this throws comes out of the call of the core that asked. */
  readSlot(slot: number, offset: number, pointer: number, size: number): void {
    const engine = this.#engine;
    try {
      engine.refresh();
      this.#read!(engine.bytes, pointer >>> 0, size, engine.slotOffset(slot >>> 0) + offset);
    } catch (error) {
      throw this.#interrupt(error as Error);
    }
  }

  /** As `readSlot`, for bytes that the core may do without. */
  readAhead(slot: number, offset: number, pointer: number, size: number): boolean {
    const engine = this.#engine;
    try {
      engine.refresh();
      this.#read!(engine.bytes, pointer >>> 0, size, engine.slotOffset(slot >>> 0) + offset);
      return true;
    } catch {
      // Whoever asks for one of them reads it alone, and is told.
      return false;
    }
  }

  /** Throws what a status of the core means that ends one of its calls. */
  refuse(code: number): never {
    const { name } = this.#engine;
    throw this.#interrupt(code === status.STATUS_CORRUPT ? corruption(name, damageOf(this.#engine)) : failure(code, name));
  }

  /** The error that comes out of a call of the core: where that leaves something half-done, one that stops the store. */
  #interrupt(error: Error): Error {
    return this.#engine.word(layout.CONTROL_IS_CHANGING) === 0 ? error : new InterruptedError(error);
  }

  /** Lets what the file holds leave memory, and has it hold more where that may be. Returns whether it is worth while to try again. */
  makeSpace(mayFlush: boolean): boolean {
    if (this.#host === undefined) return false;
    return this.#engine.core.makeSpace(1) !== 0 || (mayFlush && this.#host.flush());
  }

  /** Has the file hold what nothing can leave memory before, unless a commit is being put together. */
  flushShort(): void {
    if (this.#engine.isStaging) return;
    this.#engine.setWord(layout.CONTROL_IS_SHORT, 0);
    this.#host?.flush();
  }
}
