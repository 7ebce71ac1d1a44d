/**
 * Keys and values as JSON and back, without loss. What JSON has is itself; what it lacks is an object with one member, whose name begins with `$`: `docs/export.md` lists them. An object that
 * has such a name of its own is written as a list of its members, so that none is mistaken.
 */
import { nameOfTypedArray } from '../codec/bytes.js';
import { TYPED_ARRAY_NAMES } from '../codec/structured-format.js';
import { InvalidArgumentError } from '../errors.js';
import { fromBase64, toBase64 } from './base64.js';

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

type View = ArrayBufferView<ArrayBuffer>;

const NUMBERS: Readonly<Record<string, number>> = { NaN, Infinity, '-Infinity': -Infinity, '-0': -0 };
const LONE_SURROGATE = /[\ud800-\udfff]/u;

function malformed(what: string): InvalidArgumentError {
  return new InvalidArgumentError(`${what} is not what this tag holds.`);
}

// ── Writing ────────────────────────────────────────────────────────────────────────────────────────────────────────

function writeText(text: string): Json {
  return LONE_SURROGATE.test(text) ? { $string: Array.from({ length: text.length }, (_, index) => text.charCodeAt(index)) } : text;
}

function writeNumber(value: number): Json {
  if (Object.is(value, -0)) return { $number: '-0' };
  return Number.isFinite(value) ? value : { $number: String(value) };
}

function writeView(view: View): Json {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  if (view instanceof Uint8Array) return { $bytes: toBase64(bytes) };
  const name = nameOfTypedArray(view);
  return name === undefined ? { $view: toBase64(bytes) } : { $array: [name, toBase64(bytes)] };
}

function writeRecord(record: Record<string, unknown>): Json {
  const names = Object.keys(record);
  if (names.some((name) => name.startsWith('$') || LONE_SURROGATE.test(name))) return { $object: names.map((name) => [writeText(name), toTagged(record[name])]) };
  const written: { [name: string]: Json } = {};
  // A member of the name `__proto__` is one like any other.
  for (const name of names) Object.defineProperty(written, name, { value: toTagged(record[name]), writable: true, enumerable: true, configurable: true });
  return written;
}

/** A key or value that a store takes, as JSON. */
export function toTagged(value: unknown): Json {
  switch (typeof value) {
    case 'string':
      return writeText(value);
    case 'number':
      return writeNumber(value);
    case 'boolean':
      return value;
    case 'bigint':
      return { $bigint: String(value) };
    case 'undefined':
      return { $undefined: true };
  }
  if (value === null) return null;
  if (Array.isArray(value)) return Array.from(value as unknown[], toTagged);
  if (ArrayBuffer.isView(value)) return writeView(value as View);
  if (value instanceof Date) return { $date: Number.isNaN(value.getTime()) ? null : value.toISOString() };
  if (value instanceof Map) return { $map: Array.from(value as Map<unknown, unknown>, ([name, item]) => [toTagged(name), toTagged(item)]) };
  if (value instanceof Set) return { $set: Array.from(value as Set<unknown>, toTagged) };
  if (value instanceof ArrayBuffer) return { $buffer: toBase64(new Uint8Array(value)) };
  if (value instanceof RegExp) return { $regexp: [writeText(value.source), value.flags] };
  if (value instanceof Error) return { $error: [writeText(value.name), writeText(value.message)] };
  return writeRecord(value as Record<string, unknown>);
}

// ── Reading ────────────────────────────────────────────────────────────────────────────────────────────────────────

function readBytes(tag: string, json: Json): Uint8Array<ArrayBuffer> {
  const bytes = typeof json === 'string' ? fromBase64(json) : undefined;
  if (bytes === undefined) throw malformed(tag);
  return bytes;
}

function readPairs(tag: string, json: Json): [unknown, unknown][] {
  if (!Array.isArray(json)) throw malformed(tag);
  return json.map((pair) => {
    if (!Array.isArray(pair) || pair.length !== 2) throw malformed(tag);
    return [fromTagged(pair[0]!), fromTagged(pair[1]!)];
  });
}

function readTexts(tag: string, json: Json): [string, string] {
  if (!Array.isArray(json) || json.length !== 2) throw malformed(tag);
  const [first, second] = json.map(fromTagged);
  if (typeof first !== 'string' || typeof second !== 'string') throw malformed(tag);
  return [first, second];
}

function readObject(json: Json): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  for (const [name, value] of readPairs('$object', json)) {
    if (typeof name !== 'string') throw malformed('$object');
    Object.defineProperty(record, name, { value, writable: true, enumerable: true, configurable: true });
  }
  return record;
}

function readString(json: Json): string {
  if (!Array.isArray(json) || !json.every((unit) => Number.isInteger(unit) && (unit as number) >= 0 && (unit as number) <= 0xffff)) throw malformed('$string');
  return json.map((unit) => String.fromCharCode(unit as number)).join('');
}

function readArray(json: Json): View {
  const [name, text] = readTexts('$array', json);
  const constructor = (globalThis as unknown as Record<string, (new (buffer: ArrayBuffer) => View) | undefined>)[name];
  const bytes = fromBase64(text);
  if (!TYPED_ARRAY_NAMES.includes(name) || constructor === undefined || bytes === undefined) throw malformed('$array');
  try {
    return new constructor(bytes.buffer);
  } catch {
    throw malformed('$array');
  }
}

function readDate(json: Json): Date {
  const date = new Date(typeof json === 'string' ? json : NaN);
  if (json !== null && Number.isNaN(date.getTime())) throw malformed('$date');
  return date;
}

function readBigint(json: Json): bigint {
  if (typeof json !== 'string' || !/^-?\d+$/.test(json)) throw malformed('$bigint');
  return BigInt(json);
}

function readRegExp(json: Json): RegExp {
  const [source, flags] = readTexts('$regexp', json);
  try {
    return new RegExp(source, flags);
  } catch {
    throw malformed('$regexp');
  }
}

function readError(json: Json): Error {
  const [name, message] = readTexts('$error', json);
  const error = new Error(message);
  Object.defineProperty(error, 'name', { value: name, writable: true, configurable: true });
  return error;
}

const READERS: Readonly<Record<string, (json: Json) => unknown>> = {
  $string: readString,
  $number: (json) => {
    if (typeof json !== 'string' || !Object.hasOwn(NUMBERS, json)) throw malformed('$number');
    return NUMBERS[json];
  },
  $bigint: readBigint,
  $undefined: () => undefined,
  $bytes: (json) => readBytes('$bytes', json),
  $view: (json) => new DataView(readBytes('$view', json).buffer),
  $buffer: (json) => readBytes('$buffer', json).buffer,
  $array: readArray,
  $date: readDate,
  $map: (json) => new Map(readPairs('$map', json)),
  $set: (json) => {
    if (!Array.isArray(json)) throw malformed('$set');
    return new Set(json.map(fromTagged));
  },
  $object: readObject,
  $regexp: readRegExp,
  $error: readError,
};

/** The key or value that JSON stands for. Throws `InvalidArgumentError` for a tag that does not exist, or with what it does not hold. */
export function fromTagged(json: Json): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return json.map(fromTagged);
  const names = Object.keys(json);
  if (names.length === 1 && names[0]!.startsWith('$')) {
    const [tag] = names as [string];
    if (!Object.hasOwn(READERS, tag)) throw new InvalidArgumentError('There is no such tag. An object with one member whose name begins with $ is written as {"$object":[[name,value]]}.');
    return READERS[tag]!(json[tag]!);
  }
  const record: Record<string, unknown> = {};
  for (const name of names) Object.defineProperty(record, name, { value: fromTagged(json[name]!), writable: true, enumerable: true, configurable: true });
  return record;
}
