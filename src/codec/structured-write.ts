/**
 * Prepares values for MessagePack: what the library would change is replaced by an extension, and only the arrays and
 * objects around such a value are copied; ordinary JSON-like data is passed on as it is. What cannot be stored is refused.
 */
import { ExtData } from '@msgpack/msgpack';
import { MAX_VALUE_SIZE } from '../../assembly/shared/limits.js';
import { InvalidArgumentError, TooLargeError } from '../errors.js';
import { detached, isBytes, nameOfTypedArray } from './bytes.js';
import { bigintBound, writeBigint } from './key-number.js';
import { isPlainObject, isPlainText, MAX_VALUE_DEPTH, tooDeep, type Packer } from './messagepack.js';
import {
  TYPE_UNDEFINED, TYPE_NEGATIVE_ZERO, TYPE_BIGINT, TYPE_UTF16, TYPE_BYTES, TYPE_DATE, TYPE_MAP, TYPE_SET,
  TYPE_ENTRIES, TYPE_TYPED_ARRAY, TYPE_ARRAY_BUFFER, TYPE_DATA_VIEW, TYPE_REGEXP, TYPE_ERROR, TYPED_ARRAY_NAMES,
} from './structured-format.js';
import { writeUtf16 } from './text.js';

/** No array is copied that has more items than this: V8 ends the process where one grows beyond some hundred million. */
const COPIED_LENGTH_MAX = MAX_VALUE_SIZE / 4;
const NO_BYTES = new Uint8Array(0);
const UNDEFINED = new ExtData(TYPE_UNDEFINED, NO_BYTES);
const NEGATIVE_ZERO = new ExtData(TYPE_NEGATIVE_ZERO, NO_BYTES);

function refused(): InvalidArgumentError {
  return new InvalidArgumentError(
    'A value contains a function, a symbol or an instance of a class, which cannot be stored: ' +
      'store plain objects, arrays, primitives, Date, Map, Set, RegExp, Error, typed arrays or buffers.',
  );
}

function tooManyItems(count: number): TooLargeError {
  return new TooLargeError(`A value contains an array of ${count} items, holes included: store its parts under keys of their own.`);
}

/** Turns values into what the library encodes exactly. */
export class Preparation {
  readonly #packer: Packer;

  /** `packer` encodes what stands within an extension. */
  constructor(packer: Packer) {
    this.#packer = packer;
  }

  /** `value`, or what stands for it where the library would not bring it back. */
  prepare(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case 'string':
        return isPlainText(value) ? value : prepareText(value);
      case 'number':
        return Object.is(value, -0) ? NEGATIVE_ZERO : value;
      case 'boolean':
        return value;
      case 'undefined':
        return UNDEFINED;
      case 'bigint': {
        const data = new Uint8Array(bigintBound(value));
        return new ExtData(TYPE_BIGINT, data.subarray(0, writeBigint(data, 0, value)));
      }
      case 'object':
        if (value === null) return null;
        if (depth > MAX_VALUE_DEPTH) throw tooDeep();
        if (Array.isArray(value)) return this.#prepareArray(value, depth);
        return isPlainObject(value) ? this.#prepareRecord(value, depth) : this.#prepareInstance(value, depth);
    }
    throw refused();
  }

  #prepareArray(items: unknown[], depth: number): unknown[] {
    let copy: unknown[] | undefined;
    // Each takes a byte at least.
    if (items.length > MAX_VALUE_SIZE) throw tooManyItems(items.length);
    for (let index = 0; index < items.length; index++) {
      const item = items[index];
      const prepared = this.prepare(item, depth + 1);
      if (copy === undefined && !Object.is(prepared, item)) {
        if (items.length > COPIED_LENGTH_MAX) throw tooManyItems(items.length);
        copy = [];
        for (let before = 0; before < index; before++) copy.push(items[before]);
      }
      copy?.push(prepared);
    }
    return copy ?? items;
  }

  #prepareRecord(record: Record<string, unknown>, depth: number): unknown {
    const keys = Object.keys(record);
    let copy: Record<string, unknown> | undefined;
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index];
      if (key === '__proto__' || !isPlainText(key)) return this.#prepareEntries(record, keys, depth);
      const item = record[key];
      const prepared = this.prepare(item, depth + 1);
      if (copy === undefined && !Object.is(prepared, item)) {
        copy = {};
        for (let before = 0; before < index; before++) copy[keys[before]] = record[keys[before]];
      }
      if (copy !== undefined) copy[key] = prepared;
    }
    return copy ?? record;
  }

  /** An object with a key that the library cannot bring back becomes a list of its keys and values in turn. */
  #prepareEntries(record: Record<string, unknown>, keys: string[], depth: number): ExtData {
    return this.#nested(TYPE_ENTRIES, keys.flatMap((key) => [this.prepare(key, depth), this.prepare(record[key], depth + 1)]));
  }

  #prepareInstance(value: object, depth: number): ExtData {
    if (ArrayBuffer.isView(value)) return prepareView(value);
    switch (Object.getPrototypeOf(value)) {
      case Date.prototype: {
        const data = new Uint8Array(8);
        new DataView(data.buffer).setFloat64(0, (value as Date).getTime());
        return new ExtData(TYPE_DATE, data);
      }
      case Map.prototype:
        return this.#nested(TYPE_MAP, [...(value as Map<unknown, unknown>)].flat().map((item) => this.prepare(item, depth + 1)));
      case Set.prototype:
        return this.#nested(TYPE_SET, [...(value as Set<unknown>)].map((item) => this.prepare(item, depth + 1)));
      case RegExp.prototype:
        return this.#nested(TYPE_REGEXP, [this.prepare((value as RegExp).source, depth), (value as RegExp).flags]);
      case ArrayBuffer.prototype:
        return new ExtData(TYPE_ARRAY_BUFFER, bytesOf(value as ArrayBuffer));
    }
    if (value instanceof Error) {
      return this.#nested(TYPE_ERROR, [this.prepare(String(value.name), depth), this.prepare(String(value.message), depth)]);
    }
    throw refused();
  }

  #nested(type: number, items: unknown[]): ExtData {
    return new ExtData(type, this.#packer.encode(items).slice());
  }
}

function prepareText(text: string): ExtData {
  const data = new Uint8Array(text.length * 2);
  writeUtf16(data, 0, text);
  return new ExtData(TYPE_UTF16, data);
}

function bytesOf(buffer: ArrayBufferLike, offset?: number, size?: number): Uint8Array {
  try {
    return new Uint8Array(buffer, offset, size);
  } catch (cause) {
    throw detached(cause);
  }
}

function prepareView(view: ArrayBufferView): ExtData {
  const bytes = bytesOf(view.buffer, view.byteOffset, view.byteLength);
  if (isBytes(view)) return new ExtData(TYPE_BYTES, bytes);
  const name = nameOfTypedArray(view);
  if (name === undefined) return new ExtData(TYPE_DATA_VIEW, bytes);
  const nameIndex = TYPED_ARRAY_NAMES.indexOf(name);
  if (nameIndex < 0) throw refused();
  const data = new Uint8Array(1 + bytes.length);
  data[0] = nameIndex;
  data.set(bytes, 1);
  return new ExtData(TYPE_TYPED_ARRAY, data);
}
