/**
 * The compiled core: decoded and compiled once a process, instantiated once a store. Compiling is synchronous, so that a store can be opened
 * wherever code runs; a page whose security policy forbids it gets an error that says what to allow.
 */
import { instantiateSync } from '@assemblyscript/loader';
import { wasmText } from '../../build/wasm.js';
import { PlatformError } from '../errors.js';
import type { Core } from './core.js';

const WASM_PAGE_SIZE = 65536;
const INITIAL_PAGES = 16;

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

/** A core with a memory of its own, bounded by `memoryLimit` bytes. */
export function instantiate(memoryLimit: number, module?: WebAssembly.Module): { core: Core; memory: WebAssembly.Memory } {
  compiled ??= module ?? compile();
  const maximum = Math.floor(memoryLimit / WASM_PAGE_SIZE);
  const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum });
  const { instance } = instantiateSync(module ?? compiled, { env: { memory } });
  return { core: instance.exports as unknown as Core, memory };
}
