/**
 * The compiled core of a page. It is built for size, because a call that crosses to a worker costs many times what faster loops would save, and is deflated, because people wait for what a page loads. It
 * is compiled without blocking the page, which hands the module to the worker that has its store.
 */
import { deflatedCore } from '../../build/small.js';
import { notCompiled } from './not-compiled.js';

let compiled: WebAssembly.Module | undefined;

async function inflate(text: string): Promise<ArrayBuffer> {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'))).arrayBuffer();
}

/** The compiled core, without blocking whoever waits for it. Rejects with `PlatformError`. */
export async function compileCore(): Promise<WebAssembly.Module> {
  try {
    return (compiled ??= await WebAssembly.compile(await inflate(deflatedCore)));
  } catch (cause) {
    throw notCompiled(cause);
  }
}
