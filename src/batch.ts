/** The operations of a batch: what they look like, and their check before anything of them is staged. */
import type { Key } from './codec/key.js';
import type { Space } from './codec/space.js';
import type { Engine } from './engine/engine.js';
import { stageDelete, stagePut } from './engine/staging.js';
import { InvalidArgumentError } from './errors.js';
import { expiryOf, type PutOptions } from './expiry.js';
import type { Keyspace } from './keyspace.js';
import { spaceOf } from './ownership.js';

/** One write of a batch: to the collection whose batch it is, or to a keyspace of the store. */
export type BatchOperation<V, K = Key> =
  | ({ readonly type: 'put'; readonly key: K; readonly value: V; readonly keyspace?: undefined } & PutOptions)
  | { readonly type: 'delete'; readonly key: K; readonly keyspace?: undefined }
  | ({ readonly type: 'put'; readonly keyspace: AnyKeyspace; readonly key: unknown; readonly value: unknown } & PutOptions)
  | { readonly type: 'delete'; readonly keyspace: AnyKeyspace; readonly key: unknown };

/** Any keyspace, whatever it holds. */
export type AnyKeyspace = Keyspace<any, any, any>;

/** A write, checked. */
interface Write {
  readonly key: unknown;
  /** Undefined for a delete. */
  readonly value: unknown;
  readonly expiry: number | undefined;
  readonly space: Space<unknown, unknown>;
}

/** The error for a value that is no value. */
export function undefinedValue(): InvalidArgumentError {
  return new InvalidArgumentError('undefined cannot be stored as a value: use delete, or null.');
}

function toWrite(operation: BatchOperation<unknown, unknown>, own: Space<unknown, unknown>, engine: Engine): Write {
  if (typeof operation !== 'object' || operation === null) throw new InvalidArgumentError("An operation of a batch is an object with a type, 'put' or 'delete'.");
  const { type, key, keyspace } = operation;
  const space = keyspace === undefined ? own : spaceOf(keyspace, engine);
  if (type === 'delete') return { key, value: undefined, expiry: undefined, space };
  if (type !== 'put') throw new InvalidArgumentError("The type of a batch operation is 'put' or 'delete'.");
  const { value } = operation;
  if (value === undefined) throw undefinedValue();
  return { key, value: space.check(value), expiry: expiryOf(operation, engine.now), space };
}

/** Applies operations as one commit, in order. Nothing is staged before all of them are checked. Returns the version, 0 where nothing had an effect. */
export function applyBatch(engine: Engine, operations: Iterable<BatchOperation<unknown, unknown>>, own: Space<unknown, unknown>): number {
  if (typeof operations !== 'object' || operations === null || !(Symbol.iterator in operations)) throw new InvalidArgumentError('batch takes an iterable of operations.');
  const writes = Array.from(operations, (operation) => toWrite(operation, own, engine));
  return engine.inBatch(() => {
    for (const { key, value, expiry, space } of writes) {
      if (value === undefined) stageDelete(engine, key, space);
      else stagePut(engine, key, value, space, expiry);
    }
  });
}
