/**
 * The compiled core: decoded and compiled once a process, instantiated once a store. Compiling is synchronous, so that a store can be opened
 * wherever code runs; a page whose security policy forbids it gets an error that says what to allow.
 */
import { instantiateSync } from '@assemblyscript/loader';
import { wasmText } from '../../build/wasm.js';
import { FullError, PlatformError } from '../errors.js';
import type { Core } from './core.js';

const WASM_PAGE_SIZE = 65536;
/** The least that the core begins with. */
const INITIAL_PAGES_MIN = 16;

let compiled: WebAssembly.Module | undefined;

/** The bytes behind the text that the build makes of them: each character stands for the byte 35 below it. */
function decode(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < bytes.length; index++) bytes[index] = text.charCodeAt(index) - 35;
  return bytes;
}

function compile(): WebAssembly.Module {
  try {
    return new WebAssembly.Module(decode(wasmText));
  } catch (cause) {
    throw new PlatformError(
      "WebAssembly could not be compiled. A page with a Content-Security-Policy must allow 'wasm-unsafe-eval' in script-src; " +
      'or pass a compiled WebAssembly.Module as the option `module`.', { cause });
  }
}

/** A memory of `initial` pages, or of as many as the platform gives. */
function allocateMemory(initial: number, maximum: number): WebAssembly.Memory {
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
  /** Throws the error for a status. */
  refuse(code: number): void;
}

/** A core with a memory of its own. */
export function instantiate(range: MemoryRange, host: CoreHost, module?: WebAssembly.Module): { core: Core; memory: WebAssembly.Memory } {
  compiled ??= module ?? compile();
  const maximum = Math.floor(range.limit / WASM_PAGE_SIZE);
  const memory = allocateMemory(Math.max(INITIAL_PAGES_MIN, Math.min(maximum, Math.floor(range.initial / WASM_PAGE_SIZE))), maximum);
  const calls: CoreHost = {
    readSlot: (slot, offset, pointer, size) => host.readSlot(slot, offset, pointer, size),
    refuse: (code) => host.refuse(code),
  };
  const { instance } = instantiateSync(module ?? compiled, { env: { memory, ...calls } as Record<string, unknown> });
  return { core: instance.exports as unknown as Core, memory };
}
