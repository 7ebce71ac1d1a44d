/**
 * Brings back what `structured-write.ts` put into extensions. Nothing that is returned shares memory with the source, and
 * keys are defined as properties, never assigned, so none reaches a prototype.
 */
import { PlatformError } from '../errors.js';
import { copyToOwnBuffer } from './bytes.js';
import { lastNumberEnd, readNumber } from './key-number.js';
import { damagedValue, MAX_VALUE_DEPTH } from './messagepack.js';
import {
  TYPE_UNDEFINED, TYPE_NEGATIVE_ZERO, TYPE_BIGINT, TYPE_UTF16, TYPE_BYTES, TYPE_DATE, TYPE_MAP, TYPE_SET,
  TYPE_ENTRIES, TYPE_TYPED_ARRAY, TYPE_ARRAY_BUFFER, TYPE_DATA_VIEW, TYPE_REGEXP, TYPE_ERROR, TYPED_ARRAY_NAMES,
} from './structured-format.js';
import { KIND_UTF16, readText } from './text.js';

const NATIVE_ERRORS = new Map<string, ErrorConstructor>(
  [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((native) => [native.name, native as ErrorConstructor]),
);

/** Turns extensions back into values. */
export class Revival {
  readonly #copyBytes: (source: Uint8Array, start: number, end: number) => Uint8Array;
  readonly #decode: (data: Uint8Array) => unknown;
  #depth = 0;

  /** `decode` decodes what stands within an extension. */
  constructor(copyBytes: (source: Uint8Array, start: number, end: number) => Uint8Array, decode: (data: Uint8Array) => unknown) {
    this.#copyBytes = copyBytes;
    this.#decode = decode;
  }

  /** To be called before each value: a decode that failed may have left its depth behind. */
  reset(): void {
    this.#depth = 0;
  }

  /** The value of one extension. */
  revive(data: Uint8Array, type: number): unknown {
    switch (type) {
      case TYPE_UNDEFINED:
        return undefined;
      case TYPE_NEGATIVE_ZERO:
        return -0;
      case TYPE_BIGINT:
        return reviveBigint(data);
      case TYPE_UTF16:
        return readText(data, 0, data.length, KIND_UTF16);
      case TYPE_BYTES:
        return this.#copyBytes(data, 0, data.length);
      case TYPE_DATE:
        return reviveDate(data);
      case TYPE_TYPED_ARRAY:
        return reviveTypedArray(data);
      case TYPE_ARRAY_BUFFER:
        return copyToOwnBuffer(data, 0, data.length).buffer;
      case TYPE_DATA_VIEW:
        return new DataView(copyToOwnBuffer(data, 0, data.length).buffer);
    }
    const items = this.#readNested(data);
    switch (type) {
      case TYPE_MAP:
        return new Map(pairs(items));
      case TYPE_SET:
        return new Set(items);
      case TYPE_ENTRIES:
        return reviveEntries(items);
      case TYPE_REGEXP:
        return reviveRegExp(items);
      case TYPE_ERROR:
        return reviveError(items);
    }
    throw damagedValue();
  }

  #readNested(data: Uint8Array): unknown[] {
    if (++this.#depth > MAX_VALUE_DEPTH) throw damagedValue();
    const items = this.#decode(data);
    this.#depth--;
    if (!Array.isArray(items)) throw damagedValue();
    return items as unknown[];
  }
}

function reviveBigint(data: Uint8Array): bigint {
  const value = readNumber(data, 0, data.length);
  if (typeof value !== 'bigint' || lastNumberEnd() !== data.length) throw damagedValue();
  return value;
}

function reviveDate(data: Uint8Array): Date {
  if (data.length !== 8) throw damagedValue();
  return new Date(new DataView(data.buffer, data.byteOffset, data.length).getFloat64(0));
}

function reviveRegExp(items: unknown[]): RegExp {
  const [source, flags] = items;
  if (typeof source !== 'string' || typeof flags !== 'string') throw damagedValue();
  return new RegExp(source, flags);
}

function reviveTypedArray(data: Uint8Array): unknown {
  const name = TYPED_ARRAY_NAMES[data[0]];
  if (name === undefined) throw damagedValue();
  const constructor = (globalThis as unknown as Record<string, (new (buffer: ArrayBufferLike) => ArrayBufferView) | undefined>)[name];
  if (constructor === undefined) throw new PlatformError(`This runtime has no ${name}, which a value of the store contains: read it with a newer one.`);
  return new constructor(copyToOwnBuffer(data, 1, data.length).buffer);
}

function pairs(items: unknown[]): [unknown, unknown][] {
  if (items.length % 2 !== 0) throw damagedValue();
  return Array.from({ length: items.length / 2 }, (_, index) => [items[2 * index], items[2 * index + 1]]);
}

function reviveEntries(items: unknown[]): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  for (const [key, value] of pairs(items)) {
    if (typeof key !== 'string') throw damagedValue();
    // Assigning to `__proto__` would set the prototype; defining makes it a property like any other.
    Object.defineProperty(record, key, { value, writable: true, enumerable: true, configurable: true });
  }
  return record;
}

function reviveError(items: unknown[]): Error {
  const [name, message] = items;
  if (typeof name !== 'string' || typeof message !== 'string') throw damagedValue();
  const error = new (NATIVE_ERRORS.get(name) ?? Error)(message);
  if (error.name !== name) Object.defineProperty(error, 'name', { value: name, writable: true, configurable: true });
  // The stack would show where it was decoded, which has nothing to do with where it arose.
  error.stack = message === '' ? name : `${name}: ${message}`;
  return error;
}
