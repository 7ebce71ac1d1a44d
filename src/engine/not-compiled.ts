/** What is said where the core cannot be compiled. */
import { PlatformError } from '../errors.js';

/** The error of a platform that does not compile, with what it said. */
export function notCompiled(cause: unknown): PlatformError {
  return new PlatformError(
    "WebAssembly could not be compiled. A page with a Content-Security-Policy must allow 'wasm-unsafe-eval' in script-src; " +
    'or pass a compiled WebAssembly.Module as the option `module`.', { cause });
}
