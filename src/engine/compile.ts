/**
 * The compiled core: decoded and compiled once a process or page. A store compiles synchronously, so that it can be opened wherever code runs; a page hands the module to the worker that has its store, and
 * does not wait while it is compiled. A page whose security policy forbids compiling gets an error that says what to allow.
 */
import { wasmText } from '../../build/wasm.js';
import { PlatformError } from '../errors.js';

let compiled: WebAssembly.Module | undefined;

/** The bytes behind the text that the build makes of them: each character stands for the byte 35 below it. */
function decode(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < bytes.length; index++) bytes[index] = text.charCodeAt(index) - 35;
  return bytes;
}

function notCompiled(cause: unknown): PlatformError {
  return new PlatformError(
    "WebAssembly could not be compiled. A page with a Content-Security-Policy must allow 'wasm-unsafe-eval' in script-src; " +
    'or pass a compiled WebAssembly.Module as the option `module`.', { cause });
}

/** The compiled core, at once. @throws PlatformError. */
export function compiledCore(): WebAssembly.Module {
  try {
    return (compiled ??= new WebAssembly.Module(decode(wasmText)));
  } catch (cause) {
    throw notCompiled(cause);
  }
}

/** The compiled core, without blocking whoever waits for it. Rejects with `PlatformError`. */
export async function compileCore(): Promise<WebAssembly.Module> {
  try {
    return (compiled ??= await WebAssembly.compile(decode(wasmText)));
  } catch (cause) {
    throw notCompiled(cause);
  }
}
