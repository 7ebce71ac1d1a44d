/** Names of the project's own for what it takes of WebAssembly: declarations that name the platform's do not check in programs without its library, such as those for Node alone. */

/** A compiled module: a `WebAssembly.Module`. */
export type WasmModule = object;

/** A linear memory: a `WebAssembly.Memory`. */
export interface WasmMemory {
  /** Its bytes; another buffer after growth. */
  readonly buffer: ArrayBuffer;
  /** Makes it larger by so many pages of 64 KiB, and returns how many it had. @throws RangeError. */
  grow(pages: number): number;
}
