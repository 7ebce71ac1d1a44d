/** One record of a store as one line of JSON, and back. */
import { MAX_KEY_SIZE, VALUE_KIND_COUNT } from '../../assembly/shared/limits.js';
import { keyBound, readKey, writeKey, type Key } from '../codec/key.js';
import { keyspaceNameOf } from '../codec/keyspace-name.js';
import { Space } from '../codec/space.js';
import { KIND_BYTES, KIND_JSON, KIND_MSGPACK, KIND_STRUCTURED, codecByName, type ValueFormat } from '../codec/value.js';
import { InvalidArgumentError, TooLargeError } from '../errors.js';
import { fromTagged, toTagged, type Json } from './tagged.js';
import { prefixSizeOf, type ExchangeRecord } from './record.js';

const NAMES = new Set(['key', 'value', 'keyspace', 'expiresAt', 'codec', 'kind']);

/** A value as it is stored. */
interface Stored {
  readonly bytes: Uint8Array;
  readonly kind: number;
}

/** What a line holds. The platform's own message would show some of it. */
function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new InvalidArgumentError('It is not JSON.');
  }
}

/** Turns records into lines and lines into records. Codecs have room of their own, so each side has one of these. */
export class Lines {
  readonly #values: ValueFormat<unknown> = codecByName('default');
  readonly #json: ValueFormat<unknown> = codecByName('json');
  readonly #messagePack: ValueFormat<unknown> = codecByName('msgpack');
  readonly #spaces = new Map<string | undefined, Space<Key, unknown>>();

  /** The line of a record, without its end. */
  write({ keyBytes, bytes, kind, expiry }: ExchangeRecord): string {
    const prefix = prefixSizeOf(keyBytes);
    const line: { [name: string]: Json } = {};
    if (prefix !== 0) line['keyspace'] = keyspaceNameOf(keyBytes);
    line['key'] = toTagged(readKey(keyBytes, prefix, keyBytes.length));
    if (expiry !== undefined) line['expiresAt'] = expiry;
    const [name, value] = this.#decode(bytes, kind);
    if (typeof name === 'string') line['codec'] = name;
    else if (name !== undefined) line['kind'] = name;
    line['value'] = value;
    return JSON.stringify(line);
  }

  /** What a stored value is in JSON, and by which codec or kind it is to be stored again, where that is not the default. What no codec of ours has written comes as its bytes. */
  #decode(bytes: Uint8Array, kind: number): [name: string | number | undefined, value: Json] {
    const name = kind === KIND_JSON ? 'json' : kind === KIND_MSGPACK ? 'msgpack' : undefined;
    if (kind === KIND_BYTES) return [undefined, toTagged(bytes)];
    if (name === undefined && kind > KIND_STRUCTURED) return [kind, toTagged(bytes)];
    try {
      const value = this.#codecOf(name).read(bytes, 0, bytes.length, kind);
      if (isSame(this.#encodeWith(value, name), bytes, kind)) return [name, toTagged(value)];
    } catch {
      // It is not ours, as told below.
    }
    // An import may have given bytes a kind of ours, and they may make sense to ours: only what ours would write again is taken for its own.
    return [kind, toTagged(bytes)];
  }

  #codecOf(name: 'json' | 'msgpack' | undefined): ValueFormat<unknown> {
    return name === 'json' ? this.#json : name === 'msgpack' ? this.#messagePack : this.#values;
  }

  /** The record of a line. Throws `InvalidArgumentError`, `TooLargeError`. */
  read(text: string): ExchangeRecord {
    const line = parse(text);
    if (typeof line !== 'object' || line === null || Array.isArray(line)) throw new InvalidArgumentError('A line holds one object.');
    for (const name of Object.keys(line)) if (!NAMES.has(name)) throw new InvalidArgumentError(`A line has no member ${name}. It takes ${[...NAMES].join(', ')}.`);
    if (line['key'] === undefined || line['value'] === undefined) throw new InvalidArgumentError('A line has a key and a value.');
    const { keyspace, expiresAt } = line;
    if (keyspace !== undefined && typeof keyspace !== 'string') throw new InvalidArgumentError('The keyspace of a line is its name.');
    if (expiresAt !== undefined && !(Number.isSafeInteger(expiresAt) && (expiresAt as number) > 0 && (expiresAt as number) < 2 ** 48)) throw new InvalidArgumentError('expiresAt is a whole number of epoch milliseconds.');
    const { bytes, kind } = this.#encode(line['value'], line['codec'], line['kind']);
    return { keyBytes: this.#key(keyspace, fromTagged(line['key']) as Key), bytes, kind, expiry: expiresAt as number | undefined };
  }

  #key(keyspace: string | undefined, key: Key): Uint8Array {
    let space = this.#spaces.get(keyspace);
    if (space === undefined) {
      space = new Space(keyspace, undefined, this.#values);
      this.#spaces.set(keyspace, space);
    }
    const target = new Uint8Array(space.from.length + Math.min(keyBound(key), 3 * MAX_KEY_SIZE) + 1);
    const size = space.writeWith(target, 0, (bytes, offset) => writeKey(bytes, offset, key));
    if (size > MAX_KEY_SIZE) throw new TooLargeError(`A key takes ${size} bytes, and keys may take ${MAX_KEY_SIZE}.`);
    return target.subarray(0, size);
  }

  #encode(json: Json, codec: Json | undefined, kind: Json | undefined): Stored {
    const value = fromTagged(json);
    if (kind !== undefined) {
      if (!Number.isInteger(kind) || (kind as number) < 0 || (kind as number) >= VALUE_KIND_COUNT || !(value instanceof Uint8Array)) throw new InvalidArgumentError('The value of a line with a kind is its bytes, and the kind a whole number up to 15.');
      return { bytes: value, kind: kind as number };
    }
    if (value === undefined) throw new InvalidArgumentError('undefined cannot be stored as a value.');
    if (codec !== undefined && codec !== 'json' && codec !== 'msgpack') throw new InvalidArgumentError("The codec of a line is 'json' or 'msgpack'.");
    const { bytes, kind: written } = this.#encodeWith(value, codec);
    return { bytes: bytes.slice(), kind: written };
  }

  /** The value as a codec of ours stores it; valid until the codec is used again. */
  #encodeWith(value: unknown, name: 'json' | 'msgpack' | undefined): Stored {
    if (name === undefined && value instanceof Uint8Array) return { bytes: value, kind: KIND_BYTES };
    const codec = this.#codecOf(name);
    return { bytes: codec.toBytes(value), kind: codec.lastKind };
  }
}

function isSame(stored: Stored, bytes: Uint8Array, kind: number): boolean {
  return stored.kind === kind && stored.bytes.length === bytes.length && stored.bytes.every((byte, index) => byte === bytes[index]);
}
