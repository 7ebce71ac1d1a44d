/**
 * A space of keys: the store itself, or one of its keyspaces. Every key of a keyspace begins, in its encoding, with the keyspace's name, so that each is one range of the store's
 * order, and sessions, batches and snapshots span them without knowing of them.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { InvalidArgumentError, SchemaError } from '../errors.js';
import { boundsOfKey, toBounds, type Bounds, type Range } from '../range.js';
import { isTuple, keyBound, readKey, takeTuple, writeKey, type Key } from './key.js';
import { KEYSPACES_FROM, endOf, prefixOf } from './keyspace-name.js';
import type { ValueFormat } from './value.js';

/** How the keys of a keyspace are told as keys of the store, and back. Their order is that of what they are told as. */
export interface KeyCodec<K> {
  toKey(key: K): Key;
  fromKey(key: Key): K;
}

/** The first byte of the least key of the store itself; below it, keys are the engine's. */
const FIRST_KEY = 0x10;

const NO_PREFIX = new Uint8Array(0);
const STORE_FROM = Uint8Array.of(FIRST_KEY);
const STORE_TO = KEYSPACES_FROM;

export class Space<K, V> {
  /** The name of the keyspace; undefined for the store itself. */
  readonly name: string | undefined;
  readonly values: ValueFormat<V>;
  readonly #keys: KeyCodec<K> | undefined;
  readonly #prefix: Uint8Array;
  readonly #schema: StandardSchemaV1<unknown, V> | undefined;
  /** What the key of the last `bound` is encoded as, where that is not the key itself. */
  #told: Key | undefined;
  /** Where its keys begin in the order, and where they have ended. */
  readonly from: Uint8Array;
  readonly to: Uint8Array;

  constructor(name: string | undefined, keys: KeyCodec<K> | undefined, values: ValueFormat<V>, schema?: StandardSchemaV1<unknown, V>) {
    this.name = name;
    this.values = values;
    this.#keys = keys;
    this.#schema = schema;
    this.#prefix = name === undefined ? NO_PREFIX : prefixOf(name);
    this.from = name === undefined ? STORE_FROM : this.#prefix;
    this.to = name === undefined ? STORE_TO : endOf(this.#prefix);
  }

  /** An upper bound of the encoded size of a key. The one moment at which the caller's own codec is asked how the key is told, and a tuple for its parts, behind which accessors or a proxy may stand. */
  bound(key: K): number {
    const told = this.keyOf(key);
    if (isTuple(told)) {
      const copy: Key[] = [];
      const bound = takeTuple(told, copy);
      this.#told = copy;
      return this.#prefix.length + bound;
    }
    this.#told = this.#keys === undefined ? undefined : told;
    return this.#prefix.length + keyBound(told);
  }

  /** Encodes the key of the last `bound` at `offset`, where so many bytes are free, and returns the end offset. Runs no code of the caller's. */
  write(target: Uint8Array, offset: number, key: K): number {
    const prefix = this.#prefix;
    for (let index = 0; index < prefix.length; index++) target[offset++] = prefix[index]!;
    return writeKey(target, offset, this.#told === undefined ? (key as Key) : this.#told);
  }

  /** Encodes what stands behind the prefix with a function of one's own: a bound of a range. */
  writeWith(target: Uint8Array, offset: number, write: (target: Uint8Array, offset: number) => number): number {
    target.set(this.#prefix, offset);
    return write(target, offset + this.#prefix.length);
  }

  /** Decodes the key that fills `source[start, end)`. */
  read(source: Uint8Array, start: number, end: number): K {
    const key = readKey(source, start + this.#prefix.length, end);
    return this.#keys === undefined ? (key as K) : this.#keys.fromKey(key);
  }

  /** A range as the engine takes it. @throws InvalidArgumentError, TooLargeError. */
  bounds(range: Range<K> | undefined): Bounds {
    return toBounds(range, this);
  }

  /** The range of one key. @throws InvalidArgumentError, TooLargeError. */
  boundsOfKey(key: K): Bounds {
    return boundsOfKey(key, this);
  }

  /** At which byte of an encoded key it is said what the key is; -1 in a space whose keys stay as they are encoded, which is told of none as a text. */
  get tagOffset(): number {
    return this.#prefix.length;
  }

  /** The key that is told as a text. */
  ofText(text: string): K {
    return this.#keys === undefined ? (text as K) : this.#keys.fromKey(text);
  }

  /** Whether code of the caller's says how keys are told. */
  get hasKeyCodec(): boolean {
    return this.#keys !== undefined;
  }

  /** What is stored of a value that is put: what the schema makes of it, where there is one. Throws `SchemaError`. */
  check(value: unknown): V {
    if (this.#schema === undefined) return value as V;
    const result = this.#schema['~standard'].validate(value);
    if (result instanceof Promise) throw new InvalidArgumentError(`The schema of the keyspace ${this.name} checks asynchronously: use one that does not wait.`);
    if (result.issues !== undefined) throw new SchemaError(`A value does not fit the schema of the keyspace ${this.name}: nothing was changed. See the issues of this error.`, result.issues);
    if (result.value === undefined) throw new InvalidArgumentError(`The schema of the keyspace ${this.name} makes undefined of a value, which cannot be stored: nothing was changed.`);
    return result.value;
  }

  /** What a key is told as. */
  keyOf(key: K): Key {
    return this.#keys === undefined ? (key as Key) : this.#keys.toKey(key);
  }
}
