/** Errors that came out of code of the caller's, whatever they are: a codec that is WebAssembly itself may trap as the core would, and that says nothing of the core. */

const known = new WeakSet<object>();

/** Notes that an error came out of code of the caller's, and returns it. */
export function ofCaller(error: unknown): unknown {
  if (typeof error === 'object' && error !== null) known.add(error);
  return error;
}

/** Whether an error came out of code of the caller's. */
export function isOfCaller(error: object): boolean {
  return known.has(error);
}
