/** The core as an instance with a memory of its own: one for each store. */
import { instantiateSync } from '@assemblyscript/loader';
import { FullError } from '../errors.js';
import { compiledCore } from './compile.js';
import type { Core } from './core.js';
import type { WasmMemory, WasmModule } from './wasm-types.js';

const WASM_PAGE_SIZE = 65536;
/** The least that the core begins with. */
const INITIAL_PAGES_MIN = 16;

/** A memory of `initial` pages, or of as many as the platform gives. */
function allocateMemory(initial: number, maximum: number): WasmMemory {
  for (;;) {
    try {
      return new WebAssembly.Memory({ initial, maximum });
    } catch (cause) {
      if (initial === INITIAL_PAGES_MIN) throw new FullError('The platform has no memory left for a store: close another one.', { cause });
      initial = Math.max(INITIAL_PAGES_MIN, initial >> 1);
    }
  }
}

/** What a core may take of memory, in bytes. */
export interface MemoryRange {
  /** What it sets aside when it begins; pages that are never touched cost nothing but address space. */
  readonly initial: number;
  readonly limit: number;
}

/** What the core asks for when it comes to bytes that are not in memory (`assembly/paging/host.ts`). */
export interface CoreHost {
  /** Reads bytes of a slot into memory, or throws. */
  readSlot(slot: number, offset: number, pointer: number, size: number): void;
  /** Reads bytes of a slot into memory that nobody has asked for yet. Returns whether they could be had. */
  readAhead(slot: number, offset: number, pointer: number, size: number): boolean;
  /** Throws the error for a status. */
  refuse(code: number): void;
}

/** A core with a memory of its own. */
export function instantiate(range: MemoryRange, host: CoreHost, module?: WasmModule): { core: Core; memory: WasmMemory } {
  const compiled = module ?? compiledCore();
  const maximum = Math.floor(range.limit / WASM_PAGE_SIZE);
  const memory = allocateMemory(Math.max(INITIAL_PAGES_MIN, Math.min(maximum, Math.floor(range.initial / WASM_PAGE_SIZE))), maximum);
  const calls: CoreHost = {
    readSlot: (slot, offset, pointer, size) => host.readSlot(slot, offset, pointer, size),
    readAhead: (slot, offset, pointer, size) => host.readAhead(slot, offset, pointer, size),
    refuse: (code) => host.refuse(code),
  };
  const { instance } = instantiateSync(compiled, { env: { memory, ...calls } as Record<string, unknown> });
  return { core: instance.exports as unknown as Core, memory };
}
