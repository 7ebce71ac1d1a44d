/** What counts as bytes: a `Uint8Array` of any realm, Node's `Buffer` among them, and no other typed array. */

const typedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype) as object;
/** Reads the internal slot, so neither another realm nor a `Symbol.toStringTag` of one's own misleads it. */
const typedArrayName = Object.getOwnPropertyDescriptor(typedArrayPrototype, Symbol.toStringTag)!.get as (this: unknown) => string | undefined;

/** The intrinsic name of a typed array, or undefined for everything else. */
export function nameOfTypedArray(value: unknown): string | undefined {
  return typedArrayName.call(value);
}

export function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array || typedArrayName.call(value) === 'Uint8Array';
}

/** A copy of `source[start, end)` in a buffer of its own. */
export function copyToOwnBuffer(source: Uint8Array, start: number, end: number): Uint8Array {
  const copy = new Uint8Array(end - start);
  copy.set(source.subarray(start, end));
  return copy;
}
