/** `@assemblyscript/loader` for browsers, in whose bundles it takes that place: the core exports functions and no objects, so that instantiating it is all there is to do. */

/** An instance of a compiled module. @throws WebAssembly.LinkError, RangeError. */
export function instantiateSync(module: WebAssembly.Module, imports: WebAssembly.Imports): { instance: WebAssembly.Instance } {
  return { instance: new WebAssembly.Instance(module, imports) };
}
