/** The ranges that scans take: what they mean, and their bounds as encoded keys. */
import type { Key } from './codec/key.js';
import { MAX_KEY_BOUND, isTuple, keyBound, takeTuple, writeKey, writeKeyPrefix, writeKeyPrefixEnd } from './codec/key.js';
import type { Space } from './codec/space.js';
import { InvalidArgumentError } from './errors.js';

/** A range of keys. Without any bound it is all of them. */
export interface Range<K = Key> {
  /** Strings that begin with this one, bytes that begin with these, or tuples that begin with these parts. */
  prefix?: Key;
  /** Keys above, or from, this one. */
  gt?: K;
  gte?: K;
  /** Keys below, or up to, this one. */
  lt?: K;
  lte?: K;
  /** From the highest key down. Default false. */
  reverse?: boolean;
  /** At most so many. Default: all. */
  limit?: number;
}

/** A range as the engine takes it: from the first bytes on, and before the second. */
export interface Bounds {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  readonly isReverse: boolean;
  readonly limit: number;
}

const NAMES = new Set(['prefix', 'gt', 'gte', 'lt', 'lte', 'reverse', 'limit']);

/** The order of encoded keys. */
function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const size = Math.min(left.length, right.length);
  for (let index = 0; index < size; index++) if (left[index] !== right[index]) return left[index]! - right[index]!;
  return left.length - right.length;
}

/** Checks a range and encodes its bounds. Throws `InvalidArgumentError`, `TooLargeError`. */
export function toBounds<K>(range: Range<K> | undefined, space: Space<K, unknown>): Bounds {
  if (range === undefined) return { from: space.from, to: space.to, isReverse: false, limit: Infinity };
  if (typeof range !== 'object' || range === null) throw new InvalidArgumentError('A range is an object with any of prefix, gt, gte, lt, lte, reverse and limit.');
  for (const name of Object.keys(range)) if (!NAMES.has(name)) throw new InvalidArgumentError(`A range has no ${name}. It takes ${[...NAMES].join(', ')}.`);
  const { reverse = false, limit = Infinity } = range;
  if (typeof reverse !== 'boolean') throw new InvalidArgumentError('The reverse of a range is true or false.');
  if (limit !== Infinity && (!Number.isInteger(limit) || limit < 0)) throw new InvalidArgumentError('The limit of a range is a whole number from 0 on.');
  let { from, to } = space;
  const raise = (bytes: Uint8Array): void => {
    if (compareBytes(bytes, from) > 0) from = bytes;
  };
  const lower = (bytes: Uint8Array): void => {
    if (compareBytes(bytes, to) < 0) to = bytes;
  };
  let { prefix } = range;
  if (prefix !== undefined) {
    if (isTuple(prefix)) {
      const parts: Key[] = [];
      takeTuple(prefix, parts);
      prefix = parts;
    }
    raise(encode(space, prefix, writeKeyPrefix));
    lower(encode(space, prefix, writeKeyPrefixEnd));
  }
  if (range.gte !== undefined) raise(encode(space, space.keyOf(range.gte), writeKey));
  if (range.gt !== undefined) raise(successor(encode(space, space.keyOf(range.gt), writeKey)));
  if (range.lt !== undefined) lower(encode(space, space.keyOf(range.lt), writeKey));
  if (range.lte !== undefined) lower(successor(encode(space, space.keyOf(range.lte), writeKey)));
  return { from, to, isReverse: reverse, limit };
}

/** The bounds of one key, which is asked once for what it is told as. Throws `InvalidArgumentError`, `TooLargeError`. */
export function boundsOfKey<K>(key: K, space: Space<K, unknown>): Bounds {
  const from = encode(space, space.keyOf(key), writeKey);
  return { from, to: successor(from), isReverse: false, limit: Infinity };
}

/** Where most keys are encoded: a part of an array that is new would get a buffer of its own, which costs more than all the rest. */
const scratch = new Uint8Array(512);

function encode<K>(space: Space<K, unknown>, key: Key, write: (target: Uint8Array, offset: number, key: Key) => number): Uint8Array {
  let plain = key;
  let keyMost: number;
  if (isTuple(key)) {
    const copy: Key[] = [];
    keyMost = takeTuple(key, copy);
    plain = copy;
  } else keyMost = keyBound(key);
  const bound = space.from.length + Math.min(keyMost, MAX_KEY_BOUND) + 2;
  const target = bound <= scratch.length ? scratch : new Uint8Array(bound);
  return target.slice(0, space.writeWith(target, 0, (bytes, offset) => write(bytes, offset, plain)));
}

/** The first bytes behind these in the order. */
function successor(bytes: Uint8Array): Uint8Array {
  const next = new Uint8Array(bytes.length + 1);
  next.set(bytes);
  return next;
}
