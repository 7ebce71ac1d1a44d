/**
 * What must hold of any bytes that the codecs are given: they are refused with the error that the codecs document, or they are what a writer wrote. Bundled by the fuzzer with counters
 * in the codecs; this file has none.
 */
import { isDeepStrictEqual } from 'node:util';
import { serialize } from 'node:v8';
import { keyBound, readKey, writeKey, writeKeyPrefix, writeKeyPrefixEnd, type Key } from '../../src/codec/key.js';
import { codecByName, type CodecName, type ValueFormat } from '../../src/codec/value.js';
import { CorruptionError, InvalidArgumentError, PlatformError } from '../../src/errors.js';

function fail(what: string): never {
  throw new Error(what);
}

// ── Keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The key that bytes are, or undefined where they are refused. */
function decodeKey(bytes: Uint8Array): { readonly key: Key } | undefined {
  try {
    return { key: readKey(bytes, 0, bytes.length) };
  } catch (error) {
    if (error instanceof CorruptionError) return undefined;
    throw error;
  }
}

function encodeWith(write: (target: Uint8Array, offset: number, key: Key) => number, key: Key, bound: number): Uint8Array {
  const target = new Uint8Array(bound + 4);
  const end = write(target, 1, key);
  if (end - 1 > bound) fail(`the bound of a key is ${bound}, and it took ${end - 1}`);
  return target.subarray(1, end);
}

/** Kinds of keys in their documented order. */
function rankOf(key: Key): number {
  if (key === null) return 0;
  switch (typeof key) {
    case 'boolean':
      return key ? 2 : 1;
    case 'number':
    case 'bigint':
      return 3;
    case 'string':
      return 4;
  }
  return key instanceof Uint8Array ? 5 : 6;
}

function compareNumbers(left: number | bigint, right: number | bigint): number {
  if (left < right) return -1;
  if (left > right) return 1;
  return typeof left === typeof right ? 0 : typeof left === 'number' ? -1 : 1;
}

function compareLists<T>(left: ArrayLike<T>, right: ArrayLike<T>, compare: (one: T, other: T) => number): number {
  for (let index = 0; index < left.length && index < right.length; index++) {
    const order = compare(left[index]!, right[index]!);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** The order that README documents: null, booleans, numbers, texts by code point, bytes, tuples by their parts. */
function compareKeys(left: Key, right: Key): number {
  const rank = rankOf(left);
  const other = rankOf(right);
  if (rank !== other || rank < 3) return rank - other;
  if (rank === 3) return compareNumbers(left as number, right as number);
  if (rank === 4) return compareLists([...(left as string)], [...(right as string)], (one, another) => one.codePointAt(0)! - another.codePointAt(0)!);
  if (rank === 5) return compareLists(left as Uint8Array, right as Uint8Array, (one, another) => one - another);
  return compareLists(left as readonly Key[], right as readonly Key[], compareKeys);
}

function checkPrefix(key: Key, bytes: Uint8Array): void {
  if (typeof key !== 'string' && !(key instanceof Uint8Array) && !Array.isArray(key)) return;
  const bound = keyBound(key) + 2;
  if (Buffer.compare(encodeWith(writeKeyPrefix, key, bound), bytes) > 0) fail('a key lies before the keys that it is a prefix of');
  if (Buffer.compare(encodeWith(writeKeyPrefixEnd, key, bound), bytes) <= 0) fail('a key lies behind the keys that it is a prefix of');
}

/** Two keys in one input: each is refused or has this one encoding, and their order is that of their bytes. */
export function checkKeys(input: Uint8Array): void {
  let before: { readonly key: Key; readonly bytes: Uint8Array } | undefined;
  // The first byte says where the second begins.
  const cut = input.length === 0 ? 0 : Math.min(1 + input[0]!, input.length);
  for (const bytes of [input.subarray(Math.min(1, input.length), cut), input.subarray(cut)]) {
    const decoded = decodeKey(bytes);
    if (decoded === undefined) continue;
    const { key } = decoded;
    if (Buffer.compare(encodeWith(writeKey, key, keyBound(key)), bytes) !== 0) fail('a key has two encodings');
    checkPrefix(key, bytes);
    if (before !== undefined && Math.sign(compareKeys(before.key, key)) !== Buffer.compare(before.bytes, bytes)) fail('bytes and keys have different orders');
    before = { key, bytes };
  }
}

// ── Values ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const CODECS: readonly CodecName[] = ['default', 'default', 'bytes', 'utf8', 'json', 'msgpack'];
const KINDS = [0, 1, 2, 3, 4, 5, 6, 7, 15];

function decodeValue(codec: ValueFormat<unknown>, source: Uint8Array, start: number, kind: number): { readonly value: unknown } | undefined {
  try {
    return { value: codec.read(source, start, source.length, kind) };
  } catch (error) {
    // Damage; a kind of another codec; a typed array that this runtime does not have.
    if (error instanceof CorruptionError || error instanceof InvalidArgumentError || error instanceof PlatformError) return undefined;
    throw error;
  }
}

/** The bytes of a value, or undefined where the codec does not take it. */
function encodeValue(codec: ValueFormat<unknown>, value: unknown): { readonly bytes: Uint8Array; readonly kind: number } | undefined {
  try {
    const bound = codec.bound(value);
    if (bound < 0) return { bytes: codec.toBytes(value).slice(), kind: codec.lastKind };
    const target = new Uint8Array(bound);
    const written = codec.write(target, 0, value);
    return { bytes: target.subarray(0, written >> 4), kind: written & 15 };
  } catch (error) {
    if (error instanceof InvalidArgumentError) return undefined;
    throw error;
  }
}

const codecs = new Map(CODECS.map((name) => [name, codecByName(name)]));

/** Whether a value came back the same. Dates that are no time are not deeply equal to one another everywhere, and their serializations are; MessagePack has one zero. */
function isSame(codec: CodecName, back: unknown, value: unknown): boolean {
  const expected = codec === 'msgpack' ? withOneZero(value) : value;
  return isDeepStrictEqual(back, expected) || serialize(back).equals(serialize(expected));
}

/** A value of plain MessagePack with 0 for -0. */
function withOneZero(value: unknown): unknown {
  if (typeof value === 'number') return value === 0 ? 0 : value;
  if (Array.isArray(value)) return value.map(withOneZero);
  if (typeof value !== 'object' || value === null || value instanceof Date || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withOneZero(part)]));
}

/** The first byte chooses codec and kind, the rest is the value. */
export function checkValue(input: Uint8Array): void {
  if (input.length === 0) return;
  const name = CODECS[input[0]! % CODECS.length]!;
  const kind = KINDS[Math.floor(input[0]! / CODECS.length) % KINDS.length]!;
  const codec = codecs.get(name)!;
  const source = input.slice();
  const decoded = decodeValue(codec, source, 1, kind);
  if (decoded === undefined) return;
  const encoded = encodeValue(codec, decoded.value);
  source.fill(0xa5);
  // MessagePack of other programs may say what this codec does not take: a text that is not well-formed, a time out of range.
  if (encoded === undefined) {
    if (name !== 'msgpack') fail(`the codec ${name} reads a value of kind ${kind} that it does not take`);
    return;
  }
  const again = encodeValue(codec, decoded.value);
  if (again === undefined || Buffer.compare(again.bytes, encoded.bytes) !== 0) fail(`what the codec ${name} read shares memory with what it read from`);
  const back = decodeValue(codec, encoded.bytes, 0, encoded.kind);
  if (back === undefined) fail(`the codec ${name} does not read what it wrote`);
  if (!isSame(name, back.value, decoded.value)) fail(`the codec ${name} reads something else than it wrote`);
}
