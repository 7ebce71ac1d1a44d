/** What counts as bytes: a `Uint8Array` of any realm, Node's `Buffer` among them, and no other typed array. */
import { InvalidArgumentError } from '../errors.js';

const NOTHING = new Uint8Array(0);
const typedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype) as object;
/** Reads the internal slot, so neither another realm nor a `Symbol.toStringTag` of one's own misleads it. */
const typedArrayName = Object.getOwnPropertyDescriptor(typedArrayPrototype, Symbol.toStringTag)!.get as (this: unknown) => string | undefined;
/** And this how many bytes there are, whatever a class of one's own, or a property, calls its length. */
const typedArrayLength = Object.getOwnPropertyDescriptor(typedArrayPrototype, 'length')!.get as (this: unknown) => number;

/** The intrinsic name of a typed array, or undefined for everything else. */
export function nameOfTypedArray(value: unknown): string | undefined {
  return typedArrayName.call(value);
}

/** Whether a value is bytes. What only looks so, a proxy or an object with that prototype, is not: the platform would run its code while it copies. */
export function isBytes(value: unknown): value is Uint8Array {
  return typedArrayName.call(value) === 'Uint8Array';
}

/** How many bytes the platform copies. Throws `InvalidArgumentError` where their buffer was transferred away. */
export function sizeOfBytes(bytes: Uint8Array): number {
  const size = typedArrayLength.call(bytes);
  if (size === 0) checkAttached(bytes);
  return size;
}

function checkAttached(bytes: Uint8Array): void {
  try {
    NOTHING.set(bytes);
  } catch (cause) {
    throw detached(cause);
  }
}

/** The error for bytes that are not there any more. */
export function detached(cause: unknown): InvalidArgumentError {
  return new InvalidArgumentError('The buffer behind these bytes was transferred away, or has become too short for them: nothing was changed. Keep it, or copy it before.', { cause });
}

/** A copy of `source[start, end)` in a buffer of its own. */
export function copyToOwnBuffer(source: Uint8Array, start: number, end: number): Uint8Array {
  const copy = new Uint8Array(end - start);
  copy.set(source.subarray(start, end));
  return copy;
}
