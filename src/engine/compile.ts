/** The compiled core: decoded and compiled once a process, synchronously, so that a store can be opened wherever code runs. Where a security policy forbids it, the error says what to allow. */
import { wasmText } from '../../build/wasm.js';
import { notCompiled } from './not-compiled.js';

let compiled: WebAssembly.Module | undefined;

/** The bytes behind the text that the build makes of them: each character stands for the byte 35 below it. */
function decode(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < bytes.length; index++) bytes[index] = text.charCodeAt(index) - 35;
  return bytes;
}

/** The compiled core, at once. @throws PlatformError. */
export function compiledCore(): WebAssembly.Module {
  try {
    return (compiled ??= new WebAssembly.Module(decode(wasmText)));
  } catch (cause) {
    throw notCompiled(cause);
  }
}
