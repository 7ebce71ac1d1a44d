/** The options of `open`: what they mean, what they default to, and what is refused. */
import { checkOptionsOf } from './abort.js';
import { SEGMENT_SIZE_SHIFT_MAX, SEGMENT_SIZE_SHIFT_MIN } from '../assembly/shared/format.js';
import type { ValueCodec } from './codec/foreign.js';
import type { CodecName } from './codec/value.js';
import { initialMemorySize } from './device/platform.js';
import type { Durability } from './durability/commits.js';
import type { MemoryRange } from './engine/module.js';
import type { WasmModule } from './engine/wasm-types.js';
import { InvalidArgumentError } from './errors.js';

export interface OpenOptions {
  /** When an awaited write resolves: `strict` (default) when it is flushed, `buffered` when the operating system has it, `relaxed` when it is applied. */
  durability?: Durability;
  /** Within how many milliseconds `buffered` and `relaxed` writes are flushed, from 1 to 3,600,000; within twice that in a loop that leaves timers no turn. Default 100. */
  flushInterval?: number;
  /** `sync` lets a strict store block the event loop for a flush, which is faster for one writer; `async` (default) does not. */
  flush?: 'async' | 'sync';
  /** False: the store must exist. Default true. */
  create?: boolean;
  /**
   * Open without writing anything. Refused while a writer holds the store. It takes no lock, so it keeps no writer out: once one has come, reads of what is not in memory may fail with CorruptionError, which
   * then says nothing of the file; open it anew. In a browser it takes the handle of the file, as a writer does.
   */
  readOnly?: boolean;
  /** Read what is intact of a damaged store, read-only; `db.recovery.lost` lists the rest. */
  salvage?: boolean;
  /** The size of a segment of a new store, in bytes: a power of two from 4 KiB to 16 MiB. Default 256 KiB. Smaller ones take shorter keys and values. A store that is there keeps its own. */
  segmentSize?: number;
  /**
   * `limit`: the most linear memory that the store takes, in bytes, from 1 MiB; default and maximum 4 GiB. `initial`: how much address space it sets aside when it is opened; what is never
   * touched costs no memory, and growing beyond costs a pause of some milliseconds. Default 256 MiB where there is a process, 16 MiB in a page.
   */
  memory?: { limit?: number; initial?: number };
  /**
   * How much of the past is kept for `history` and `at`: of each key so many `versions`, the newest among them, each for `age` milliseconds after it was superseded; or `'all'`. It takes the memory and
   * the disk that those versions took. Default: what somebody still reads.
   */
  history?: 'all' | { versions?: number; age?: number };
  /**
   * `utilisation`: how much of the log compaction keeps live, from 0.1 to 0.95; default 0.75. More takes less room on disk and in memory, and more writing. `false`: nothing is compacted but by
   * `compact()`.
   */
  compaction?: false | { utilisation?: number };
  /** How values are encoded: a name, or a codec of one's own. Default `default`, which takes everything that can be stored. */
  values?: CodecName | ValueCodec<unknown>;
  /** `pooled` (default): bytes are views of shared slabs. `own`: each has an ArrayBuffer of its own, which costs several times the lookup. */
  buffers?: 'pooled' | 'own';
  /** A compiled core, a `WebAssembly.Module`, where the platform forbids compiling at run time. */
  module?: WasmModule;
  /** Told of what a person should look at. The library prints nothing. */
  onWarning?: (warning: { code: string; message: string }) => void;
}

/** Options with every default filled in. */
export interface Settings {
  readonly durability: Durability;
  readonly flushInterval: number;
  readonly blocks: boolean;
  readonly create: boolean;
  readonly readOnly: boolean;
  readonly salvage: boolean;
  readonly segmentSizeShift: number;
  readonly memory: MemoryRange;
  /** How many versions of a key are kept, 1 for the newest alone, and for how many milliseconds, 0 for ever. */
  readonly history: { readonly versions: number; readonly age: number };
  /** How much of the log compaction keeps live, from 0 to 1; 0 where it is left to `compact()`. */
  readonly utilisation: number;
  readonly values: CodecName | ValueCodec<unknown>;
  readonly ownBuffers: boolean;
  readonly module: WasmModule | undefined;
  readonly onWarning: ((warning: { code: string; message: string }) => void) | undefined;
}

const SEGMENT_SIZE_DEFAULT = 256 << 10;
/** The largest linear memory that 32-bit pointers reach, and the least that the engine starts with, in bytes. */
const MEMORY_LIMIT_MAX = 2 ** 32;
const MEMORY_LIMIT_MIN = 2 ** 20;
/** The most versions of a key that can be asked for, and the longest age: some 35 years. */
const VERSIONS_MAX = 2 ** 32 - 1;
const AGE_MAX = 2 ** 40;
const UTILISATION_DEFAULT = 0.75;
const UTILISATION_MIN = 0.1;
const UTILISATION_MAX = 0.95;
const NAMES = new Set([
  'durability', 'flushInterval', 'flush', 'create', 'readOnly', 'salvage', 'segmentSize', 'memory', 'history', 'compaction', 'values', 'buffers', 'module', 'onWarning',
]);

function oneOf<T>(name: string, value: T | undefined, allowed: readonly T[]): T {
  if (value === undefined) return allowed[0]!;
  if (!allowed.includes(value)) throw new InvalidArgumentError(`The option ${name} takes ${allowed.map((choice) => `'${String(choice)}'`).join(' or ')}.`);
  return value;
}

function flag(name: string, value: boolean | undefined, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value !== 'boolean') throw new InvalidArgumentError(`The option ${name} takes true or false.`);
  return value;
}

function number(name: string, value: number | undefined, fallback: number, least: number, most: number): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number' || !(value >= least && value <= most)) throw new InvalidArgumentError(`The option ${name} takes a number from ${least} to ${most}.`);
  return value;
}

function segmentSizeShift(size: unknown = SEGMENT_SIZE_DEFAULT): number {
  const shift = typeof size === 'number' ? Math.log2(size) : NaN;
  if (!Number.isInteger(shift) || shift < SEGMENT_SIZE_SHIFT_MIN || shift > SEGMENT_SIZE_SHIFT_MAX) {
    throw new InvalidArgumentError(`The option segmentSize takes a power of two from ${2 ** SEGMENT_SIZE_SHIFT_MIN} to ${2 ** SEGMENT_SIZE_SHIFT_MAX} bytes.`);
  }
  return shift;
}

function memoryOf(memory: OpenOptions['memory'] = {}): MemoryRange {
  if (typeof memory !== 'object' || memory === null) throw new InvalidArgumentError('The option memory takes an object with limit, initial or both.');
  return {
    initial: number('memory.initial', memory.initial, initialMemorySize(), MEMORY_LIMIT_MIN, MEMORY_LIMIT_MAX),
    limit: number('memory.limit', memory.limit, MEMORY_LIMIT_MAX, MEMORY_LIMIT_MIN, MEMORY_LIMIT_MAX),
  };
}

function historyOf(history: OpenOptions['history']): Settings['history'] {
  if (history === undefined) return { versions: 1, age: 0 };
  if (history === 'all') return { versions: VERSIONS_MAX, age: 0 };
  if (typeof history !== 'object' || history === null || (history.versions === undefined && history.age === undefined)) {
    throw new InvalidArgumentError("The option history takes 'all', or an object with versions, age or both.");
  }
  return { versions: Math.floor(number('history.versions', history.versions, VERSIONS_MAX, 1, VERSIONS_MAX)), age: number('history.age', history.age, 0, 1, AGE_MAX) };
}

function utilisationOf(compaction: OpenOptions['compaction']): number {
  if (compaction === false) return 0;
  if (compaction !== undefined && (typeof compaction !== 'object' || compaction === null)) throw new InvalidArgumentError('The option compaction takes false, or an object with utilisation.');
  return number('compaction.utilisation', compaction?.utilisation, UTILISATION_DEFAULT, UTILISATION_MIN, UTILISATION_MAX);
}

/** Checks options and fills in the defaults. Throws `InvalidArgumentError`. */
export function resolveOptions(options: OpenOptions): Settings {
  checkOptionsOf('open', options);
  for (const name of Object.keys(options)) {
    if (!NAMES.has(name)) throw new InvalidArgumentError(`There is no option ${name}. The options are ${[...NAMES].join(', ')}.`);
  }
  const { values = 'default', module, onWarning } = options;
  if (module !== undefined && (typeof module !== 'object' || module === null)) throw new InvalidArgumentError('The option module takes a WebAssembly.Module.');
  if (onWarning !== undefined && typeof onWarning !== 'function') throw new InvalidArgumentError('The option onWarning takes a function.');
  const salvage = flag('salvage', options.salvage, false);
  return {
    durability: oneOf('durability', options.durability, ['strict', 'buffered', 'relaxed']),
    flushInterval: number('flushInterval', options.flushInterval, 100, 1, 3_600_000),
    blocks: oneOf('flush', options.flush, ['async', 'sync']) === 'sync',
    create: flag('create', options.create, true),
    readOnly: flag('readOnly', options.readOnly, false) || salvage,
    salvage,
    segmentSizeShift: segmentSizeShift(options.segmentSize),
    memory: memoryOf(options.memory),
    history: historyOf(options.history),
    utilisation: utilisationOf(options.compaction),
    values,
    ownBuffers: oneOf('buffers', options.buffers, ['pooled', 'own']) === 'own',
    module,
    onWarning,
  };
}
