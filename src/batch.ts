/** The operations of a batch: what they look like, and their check before anything of them is staged. */
import type { Key } from './codec/key.js';
import { InvalidArgumentError } from './errors.js';

/** One write of a batch. */
export type BatchOperation<V> =
  | { readonly type: 'put'; readonly key: Key; readonly value: V }
  | { readonly type: 'delete'; readonly key: Key };

/** The error for a value that is no value. */
export function undefinedValue(): InvalidArgumentError {
  return new InvalidArgumentError('undefined cannot be stored as a value: use delete, or null.');
}

/** Checks the operations of a batch before anything of it is staged. */
export function toWrites<V>(operations: Iterable<BatchOperation<V>>): { key: Key; value: unknown }[] {
  if (typeof operations !== 'object' || operations === null || !(Symbol.iterator in operations)) throw new InvalidArgumentError('batch takes an iterable of operations.');
  const writes: { key: Key; value: unknown }[] = [];
  for (const operation of operations) {
    if (operation?.type === 'put') {
      if (operation.value === undefined) throw undefinedValue();
      writes.push({ key: operation.key, value: operation.value });
    } else if (operation?.type === 'delete') writes.push({ key: operation.key, value: undefined });
    else throw new InvalidArgumentError("The type of a batch operation is 'put' or 'delete'.");
  }
  return writes;
}
