/**
 * The value codecs: what goes in comes out the same, what a codec does not take is refused, and bytes that no codec wrote
 * are corruption. Equality is checked by a comparison of our own where the usual ones are too lenient.
 */
import { types } from 'node:util';
import { createContext, runInContext } from 'node:vm';
import { decode as libraryDecode, encode as libraryEncode, ExtData } from '@msgpack/msgpack';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Slab } from '../../src/codec/slab.js';
import {
  codecByName, createBytesCodec, createDefaultCodec, createJsonCodec, createMessagePackCodec, createUtf8Codec, KIND_ASCII, KIND_BYTES, KIND_JSON, KIND_MSGPACK, KIND_OWN,
  KIND_STRUCTURED, KIND_UTF16, KIND_UTF8, type CodecName, type ValueFormat,
} from '../../src/codec/value.js';
import { CorruptionError, InvalidArgumentError, PlatformError, TooLargeError } from '../../src/errors.js';

const SEED = 20261123;
const check = <T>(property: fc.IPropertyWithHooks<T> | fc.IProperty<T>, numRuns = 2000): void => fc.assert(property, { seed: SEED, numRuns });
const slab = new Slab();
const copyBytes = (source: Uint8Array, start: number, end: number): Uint8Array => slab.copy(source, start, end);
const defaultCodec = createDefaultCodec(copyBytes);
const bytesCodec = createBytesCodec(copyBytes) as ValueFormat<unknown>;
const utf8Codec = createUtf8Codec() as ValueFormat<unknown>;
const jsonCodec = createJsonCodec();
const msgpackCodec = createMessagePackCodec();

interface Encoded {
  bytes: Uint8Array;
  kind: number;
}

/** Encodes as the store does: within the bound into memory, or apart. */
function encode(codec: ValueFormat<unknown>, value: unknown): Encoded {
  const bound = codec.bound(value);
  if (bound < 0) return { bytes: codec.toBytes(value).slice(), kind: codec.lastKind };
  const target = new Uint8Array(bound + 16).fill(0xaa);
  const written = codec.write(target, 8, value);
  const size = Math.floor(written / 16);
  expect(size).toBeLessThanOrEqual(bound);
  expect(target.subarray(0, 8).every((byte) => byte === 0xaa)).toBe(true);
  expect(target.subarray(8 + bound).every((byte) => byte === 0xaa)).toBe(true);
  return { bytes: target.slice(8, 8 + size), kind: written % 16 };
}

/** Decodes out of the middle of memory that is overwritten afterwards, as the engine's is. */
function decode(codec: ValueFormat<unknown>, { bytes, kind }: Encoded, at = 8): unknown {
  const source = new Uint8Array(bytes.length + 32).fill(0xff);
  source.set(bytes, at);
  const value = codec.read(source, at, at + bytes.length, kind);
  source.fill(0x55);
  return value;
}

const roundTrip = (codec: ValueFormat<unknown>, value: unknown): unknown => decode(codec, encode(codec, value));

function bytesOfView(view: ArrayBufferView | ArrayBuffer): number[] {
  return view instanceof ArrayBuffer ? [...new Uint8Array(view)] : [...new Uint8Array(view.buffer, view.byteOffset, view.byteLength)];
}

/** Exact equality: types, prototypes, -0, the order of keys and entries, own properties named `__proto__`. Null prototypes come back plain. */
function same(one: unknown, other: unknown): boolean {
  if (typeof one !== 'object' || one === null || typeof other !== 'object' || other === null) return Object.is(one, other);
  const tag = (value: object): string => Object.prototype.toString.call(value);
  const plain = Object.getPrototypeOf(one) === null ? Object.prototype : one instanceof Uint8Array ? Uint8Array.prototype : (Object.getPrototypeOf(one) as object);
  if (tag(one) !== tag(other) || Object.getPrototypeOf(other) !== plain) return false;
  const sameList = (a: readonly unknown[], b: readonly unknown[]): boolean => a.length === b.length && a.every((item, index) => same(item, b[index]));
  if (one instanceof Date) return Object.is(one.getTime(), (other as Date).getTime());
  if (one instanceof RegExp) return String(one) === String(other);
  if (one instanceof Error) return one.name === (other as Error).name && one.message === (other as Error).message;
  if (one instanceof Map) return sameList([...one].flat(), [...(other as Map<unknown, unknown>)].flat());
  if (one instanceof Set) return sameList([...one], [...(other as Set<unknown>)]);
  if (ArrayBuffer.isView(one) || one instanceof ArrayBuffer) return sameList(bytesOfView(one), bytesOfView(other as ArrayBuffer));
  if (Array.isArray(one)) return sameList(Array.from(one), other as unknown[]);
  const entries = (value: object): unknown[] => Object.keys(value).flatMap((key) => [key, (value as Record<string, unknown>)[key]]);
  return sameList(entries(one), entries(other));
}

function expectSame(codec: ValueFormat<unknown>, value: unknown): void {
  const back = roundTrip(codec, value);
  if (!same(value, back)) expect(back).toStrictEqual(value);
  expect(same(value, back)).toBe(true);
}

/** An object with the given entries as own properties, whatever their names. */
function record(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [key, value] of entries) Object.defineProperty(result, key, { value, writable: true, enumerable: true, configurable: true });
  return result;
}

function nest(depth: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 1;
  for (let index = 0; index < depth; index++) value = wrap(value);
  return value;
}

const LENGTHS = [0, 1, 2, 15, 16, 31, 32, 33, 47, 48, 49, 66, 67, 100, 199, 200, 201, 4095, 4096, 4097, 16384, 16385, 70000];
const STRINGS = [
  ...LENGTHS.map((length) => 'a'.repeat(length)),
  ...LENGTHS.slice(1).flatMap((length) => ['\u00e9', '\u20ac', '\ud800', '\udfff', '\ufeff', '\0'].flatMap((odd) => [odd + 'b'.repeat(length - 1), 'b'.repeat(length - 1) + odd])),
  '\u{1f600}', '\u{1f600}'.repeat(40), '\udc00\ud800', '\ud83d', 'cafe\u0301', '\u0080', '\uffff', '\u{10ffff}', '\u20ac'.repeat(9000), '\ud800'.repeat(9000),
];

const NUMBERS = [0, -0, 1, -1, 0.1, NaN, Infinity, -Infinity, 127, 128, 255, 256, 65535, 65536, 2 ** 31, 2 ** 32 - 1, 2 ** 32, -32, -33, -128, -129, -32768, -32769, -(2 ** 31), -(2 ** 31) - 1,
  2 ** 53 - 1, -(2 ** 53 - 1), 2 ** 53, 2 ** 64, Number.MIN_VALUE, Number.MAX_VALUE, 1.7e12];
const BIGINTS = [0n, 1n, -1n, 255n, 2n ** 53n + 1n, 2n ** 64n, -(2n ** 64n), 2n ** 1024n, -(2n ** 1024n), 3n ** 5000n, -(7n ** 3000n)];
const BUFFER = Uint8Array.from({ length: 64 }, (_, index) => index * 7).buffer;
const EXOTIC: unknown[] = [
  undefined, new Date(0), new Date(-1), new Date(1.7e12), new Date(NaN), new Date(8.64e15), new Date(-8.64e15), new Map(), new Set(), /a\/b/giu, /(?:)/, new RegExp('\ud800'), new RegExp('\n'),
  new Map<unknown, unknown>([[1, 2], ['1', 3], [NaN, -0], [-0, NaN], [{ a: 1 }, [undefined]], [undefined, null], [new Map([[1n, new Set([undefined])]]), 'x']]),
  new Set<unknown>([1, '1', 1n, NaN, null, undefined, [], {}, new Date(5)]), new ArrayBuffer(0), BUFFER, new DataView(BUFFER, 3, 9),
  new Uint8Array(0), new Uint8Array(BUFFER, 1, 5), Buffer.from('node'), new Int8Array(BUFFER, 1, 5), new Uint8ClampedArray(BUFFER, 2), new Int16Array(BUFFER, 2, 3), new Uint16Array(BUFFER, 2, 3),
  new Int32Array(BUFFER, 4, 3), new Uint32Array(BUFFER, 4, 3), new Float32Array([0, -0, NaN, 1.5]), new Float64Array([0, -0, NaN, 1e300]), new BigInt64Array([-1n]), new BigUint64Array([2n ** 64n - 1n]),
  new Error('why'), new TypeError('what \ud800'), new RangeError(''), Object.assign(new Error('named'), { name: 'CustomError' }),
];
const RECORDS: unknown[] = [
  {}, [], [[]], [{}], [[[], {}]], { a: { b: { c: [1, 'x', null, true] } } }, { undefined: undefined, b: undefined }, [undefined], [null, undefined, -0], { 10: 'a', 9: 'b', '-1': 'c', '01': 'd', 1.5: 'e' },
  { constructor: 1, prototype: 2, toString: 3, hasOwnProperty: 4, valueOf: null, length: 0, toJSON: 5 }, { '': 0 }, { '\ud800': 1, b: -0 }, { ['\ufeff' + 'k'.repeat(300)]: 1 }, { ['k'.repeat(300)]: 1 },
  record([['__proto__', { polluted: true }]]), record([['a', 1], ['__proto__', null], ['1', -0]]), { deep: [record([['__proto__', record([['__proto__', [undefined]]])]])] },
  Object.assign(Object.create(null) as object, { a: 1, b: [Object.create(null)] }), { negative: -0, list: [1, -0, { z: -0 }], kept: { a: 1 } }, Array.from({ length: 20 }, (_, index) => index),
  Array.from({ length: 70000 }, (_, index) => index % 7), record(Array.from({ length: 20 }, (_, index) => [`k${index}`, index])), record(Array.from({ length: 70000 }, (_, index) => [`k${index}`, 0])),
];
const EVERYTHING: unknown[] = [null, true, false, ...NUMBERS, ...BIGINTS, ...STRINGS, ...EXOTIC, ...RECORDS];

const anyString = fc.oneof(fc.constantFrom(...STRINGS.filter((text) => text.length < 300)), fc.string({ unit: 'binary' }), fc.array(fc.nat(0xffff), { maxLength: 80 }).map((units) => String.fromCharCode(...units)));
const anyLeaf = fc.oneof(
  fc.constantFrom(null, true, false, undefined), fc.constantFrom(...NUMBERS), fc.double(), fc.integer(), fc.bigInt(), fc.constantFrom(...BIGINTS), anyString, fc.uint8Array({ maxLength: 300 }), fc.constantFrom(...EXOTIC),
  fc.date({ noInvalidDate: false }),
);
const anyKeyName = fc.oneof(fc.constantFrom('__proto__', 'constructor', 'toString', '0', '7', '', 'a', 'b'), anyString);
const anyValue: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    anyLeaf,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.uniqueArray(fc.tuple(anyKeyName, tie('value')), { maxLength: 5, selector: ([key]) => key }).map(record),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.array(tie('value'), { maxLength: 4 }).map((items) => new Set(items)),
  ),
})).value;

describe('the default codec', () => {
  test('every sample comes back exactly, alone and nested', () => {
    for (const value of EVERYTHING) {
      expectSame(defaultCodec, value);
      expectSame(defaultCodec, [value]);
      expectSame(defaultCodec, { first: 1, value, last: 'x' });
      expectSame(defaultCodec, new Map([[value, [value]]]));
    }
  });

  test('random values come back exactly', () => {
    check(fc.property(anyValue, (value) => {
      expectSame(defaultCodec, value);
    }), 4000);
  });

  test('strings and bytes have kinds of their own, and the smallest shape that keeps them', () => {
    const shape = (value: unknown): [number, number] => {
      const { kind, bytes } = encode(defaultCodec, value);
      return [kind, bytes.length];
    };
    for (const length of LENGTHS) {
      expect(shape('a'.repeat(length))).toEqual([KIND_ASCII, length]);
      expect(shape('a'.repeat(length) + '\u00e9')).toEqual([KIND_UTF8, length + 2]);
      expect(shape('a'.repeat(length) + '\ud800')).toEqual([KIND_UTF16, 2 * length + 2]);
      expect(shape(new Uint8Array(length))).toEqual([KIND_BYTES, length]);
    }
    expect(shape({})[0]).toBe(KIND_STRUCTURED);
    expect(shape(new Uint16Array(4))[0]).toBe(KIND_STRUCTURED);
  });

  test('ordinary data is plain MessagePack', () => {
    const value = { id: 7, name: 'Ada', tags: ['a', 'b'], nested: { ok: true, none: null, ratio: 0.5 } };
    expect(encode(defaultCodec, value).bytes).toEqual(libraryEncode(value));
  });

  test('encoding leaves the value as it was', () => {
    const inner = { z: -0, u: undefined };
    const value = Object.freeze([Object.freeze(inner), Object.freeze(['\ud800', Object.freeze([1n])])]);
    expectSame(defaultCodec, value);
    expect(value[0]).toBe(inner);
    expect(Object.is(inner.z, -0)).toBe(true);
  });

  test('holes come back as undefined, other realms as this one', () => {
    // oxlint-disable-next-line no-sparse-arrays
    expect(roundTrip(defaultCodec, [1, , 3])).toStrictEqual([1, undefined, 3]);
    const context = createContext({});
    const foreign = runInContext('({ a: [1, { b: new Uint8Array([1, 2]) }] })', context) as unknown;
    expect(roundTrip(defaultCodec, foreign)).toStrictEqual({ a: [1, { b: Uint8Array.of(1, 2) }] });
    expect(encode(defaultCodec, runInContext('new Uint8Array([1, 2])', context)).kind).toBe(KIND_BYTES);
  });

  test('errors keep their class where it is native', () => {
    expect(roundTrip(defaultCodec, new TypeError('x'))).toBeInstanceOf(TypeError);
    class OwnError extends Error {
      override name = 'OwnError';
    }
    const back = roundTrip(defaultCodec, new OwnError('mine')) as Error;
    expect([back.name, back.message, back.stack, types.isNativeError(back)]).toEqual(['OwnError', 'mine', 'OwnError: mine', true]);
  });

  test('what cannot be stored is refused, alone and nested', () => {
    class Point {
      x = 1;
    }
    class OwnMap extends Map {}
    const invalid = [() => 0, function named() {}, class {}, Symbol('s'), Symbol.iterator, new Point(), new OwnMap(), Object.create({}), new WeakMap(), Promise.resolve(), Object(1), Object('s'), Object(1n),
      new ExtData(0, new Uint8Array(1)), new URL('a:b'), globalThis];
    for (const value of invalid) {
      for (const wrapped of [value, [value], { a: { value } }, new Map([[value, 1]]), new Map([[1, value]]), new Set([value])]) {
        expect(() => encode(defaultCodec, wrapped)).toThrow(InvalidArgumentError);
      }
    }
    expectSame(defaultCodec, { still: 'works' });
  });

  test('values nest as deep as the limit and no deeper, and cycles are refused', () => {
    const wraps: ((inner: unknown) => unknown)[] = [(inner) => [inner], (inner) => ({ inner }), (inner) => new Map([[inner, 1]]), (inner) => new Set([inner]), (inner) => [-0, inner], (inner) => record([['__proto__', inner]])];
    for (const wrap of wraps) {
      expectSame(defaultCodec, nest(512, wrap));
      expect(() => encode(defaultCodec, nest(513, wrap))).toThrow(InvalidArgumentError);
      expect(() => encode(defaultCodec, nest(100000, wrap))).toThrow(/contains itself/);
    }
    const cycle: unknown[] = [];
    cycle.push({ cycle });
    const map = new Map<unknown, unknown>();
    map.set('self', map);
    for (const value of [cycle, map]) expect(() => encode(defaultCodec, value)).toThrow(InvalidArgumentError);
  });

  test('no stored key reaches a prototype', () => {
    const attack = JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"a":{"__proto__":{"polluted":1}}}') as Record<string, unknown>;
    for (const codec of [defaultCodec, jsonCodec]) {
      const back = roundTrip(codec, attack) as Record<string, unknown>;
      expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
      expect(Object.keys(back)).toEqual(['__proto__', 'constructor', 'a']);
      expect(back['polluted']).toBeUndefined();
      expect((back['a'] as Record<string, unknown>)['polluted']).toBeUndefined();
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    // The same attack as bytes that the codec itself would never write.
    const forged = Uint8Array.from([0x81, 0xa9, ...new TextEncoder().encode('__proto__'), 0x81, 0xa1, 0x70, 0x01]);
    for (const [codec, kind] of [[defaultCodec, KIND_STRUCTURED], [msgpackCodec, KIND_MSGPACK]] as const) expect(() => decode(codec, { bytes: forged, kind })).toThrow(CorruptionError);
  });

  test('a getter that fails or changes its mind leaves the codec usable', () => {
    let calls = 0;
    const fickle = { get value(): unknown { return calls++ === 0 ? 1 : () => 0; } };
    const failing = { get value(): never { throw new Error('from the getter'); } };
    const nesting = { get value(): unknown { return defaultCodec.toBytes({ other: [undefined] }).length; } };
    expect(() => encode(defaultCodec, fickle)).toThrow(InvalidArgumentError);
    expect(() => encode(defaultCodec, failing)).toThrow('from the getter');
    expect(roundTrip(defaultCodec, nesting)).toStrictEqual({ value: 11 });
    expectSame(defaultCodec, { ok: [undefined] });
  });

  test('a large value does not keep its memory, and is exact', () => {
    const value = { text: 'x'.repeat(3_000_000), list: [new Uint8Array(2_000_000).fill(7)] };
    expectSame(defaultCodec, value);
    defaultCodec.toBytes({ small: 1 });
    expect(defaultCodec.toBytes({ small: 1 }).buffer.byteLength).toBeLessThan(1_048_577);
  });

  test('a typed array that this runtime does not know is named', () => {
    if ('Float16Array' in globalThis) return expectSame(defaultCodec, new (globalThis as unknown as { Float16Array: new (items: number[]) => ArrayBufferView }).Float16Array([1.5]));
    expect(() => decode(defaultCodec, { bytes: Uint8Array.from([0xc7, 3, 9, 10, 0, 0]), kind: KIND_STRUCTURED })).toThrow(PlatformError);
  });
});

describe('the named codecs', () => {
  test('bytes takes Uint8Array only', () => {
    for (const size of [0, 1, 100, 8192, 8193, 100000]) expectSame(bytesCodec, Uint8Array.from({ length: size }, (_, index) => index));
    expectSame(bytesCodec, Buffer.from('node'));
    for (const value of ['a', null, undefined, [1], 1, {}, new Uint16Array(1), new ArrayBuffer(1), new DataView(BUFFER)]) {
      expect(() => bytesCodec.bound(value)).toThrow(InvalidArgumentError);
      expect(() => bytesCodec.write(new Uint8Array(9), 0, value)).toThrow(InvalidArgumentError);
      expect(() => bytesCodec.toBytes(value)).toThrow(InvalidArgumentError);
    }
    expect(bytesCodec.toBytes(Uint8Array.of(1, 2))).toEqual(Uint8Array.of(1, 2));
  });

  test('utf8 takes strings only', () => {
    for (const value of STRINGS) expectSame(utf8Codec, value);
    check(fc.property(anyString, (value) => {
      expectSame(utf8Codec, value);
      const bytes = utf8Codec.toBytes(value).slice();
      expect(decode(utf8Codec, { bytes, kind: utf8Codec.lastKind })).toBe(value);
    }));
    for (const value of [new Uint8Array(1), null, undefined, 1, Object('a')]) {
      expect(() => utf8Codec.bound(value)).toThrow(InvalidArgumentError);
      expect(() => utf8Codec.write(new Uint8Array(9), 0, value)).toThrow(InvalidArgumentError);
      expect(() => utf8Codec.toBytes(value)).toThrow(InvalidArgumentError);
    }
  });

  test('json gives what JSON gives', () => {
    check(fc.property(fc.jsonValue(), (value) => {
      expect(roundTrip(jsonCodec, value)).toStrictEqual(JSON.parse(JSON.stringify(value)));
    }));
    for (const value of [...STRINGS, { text: 'x'.repeat(6000) }, { text: '\u20ac'.repeat(6000) }]) expect(roundTrip(jsonCodec, value)).toStrictEqual(value);
    expect(roundTrip(jsonCodec, { when: new Date(0), gone: undefined, list: [undefined, NaN] })).toStrictEqual({ when: '1970-01-01T00:00:00.000Z', list: [null, null] });
    const cycle: unknown[] = [];
    cycle.push(cycle);
    for (const value of [undefined, () => 0, Symbol('s'), 1n, { a: 1n }, cycle, { toJSON: () => undefined }, { toJSON() { throw new Error('no'); } }]) expect(() => encode(jsonCodec, value)).toThrow(InvalidArgumentError);
  });

  test('msgpack writes what every MessagePack reader understands, and reads it back', () => {
    const values = [null, true, ...NUMBERS.filter((value) => !Object.is(value, -0)), ...STRINGS.filter((text) => !/\p{Surrogate}/u.test(text) && text.charCodeAt(0) !== 0xfeff), new Date(0), new Date(1.7e12 + 7), new Date(-1),
      new Date(8.64e15), new Uint8Array([1, 2, 3]), [new Uint8Array(300), [new Uint8Array(70000)]], { a: [1, { b: new Uint8Array(2) }], when: new Date(5), constructor: 1 }, Object.assign(Object.create(null) as object, { a: 1 })];
    for (const value of values) {
      expectSame(msgpackCodec, value);
      expectSame(msgpackCodec, { value });
      if (typeof value !== 'string') expect(same(value, libraryDecode(encode(msgpackCodec, value).bytes))).toBe(true);
    }
    expect(roundTrip(msgpackCodec, { gone: undefined, zero: -0 })).toStrictEqual({ zero: 0 });
    const plain = fc.jsonValue().filter((value) => !/"__proto__":|\\ufeff|\ufeff|\\ud[89a-f]/iu.test(JSON.stringify(value)));
    check(fc.property(plain, (value) => {
      expect(roundTrip(msgpackCodec, value)).toStrictEqual(JSON.parse(JSON.stringify(value)));
    }));
  });

  test('msgpack refuses what it could not bring back', () => {
    const invalid = [undefined, 1n, '\ud800', 'x'.repeat(60) + '\udfff', '\ufeff' + 'x'.repeat(300), new Date(NaN), new Map(), new Set(), new Uint16Array(1), new ArrayBuffer(1), /a/u, new Error('x'), () => 0, Symbol('s'), [undefined],
      new ExtData(3, new Uint8Array(2)), record([['__proto__', 1]]), { '\ud800': 1 }, new URL('a:b'), nest(513, (inner) => [inner])];
    for (const value of invalid) {
      expect(() => encode(msgpackCodec, value)).toThrow(InvalidArgumentError);
      expect(() => encode(msgpackCodec, [{ value: [value] }])).toThrow(InvalidArgumentError);
    }
    expectSame(msgpackCodec, nest(512, (inner) => ({ inner })));
  });

  test('a codec is found by its name', () => {
    for (const name of ['default', 'bytes', 'utf8', 'json', 'msgpack'] as const) expect(codecByName(name).name).toBe(name);
    for (const name of ['', 'toString', '__proto__', 'JSON', undefined]) expect(() => codecByName(name as CodecName)).toThrow(InvalidArgumentError);
    expect(roundTrip(codecByName('default'), { a: Uint8Array.of(1) })).toStrictEqual({ a: Uint8Array.of(1) });
  });

  test('a value written with another codec is refused by name, a kind that does not exist is corruption', () => {
    const written: [ValueFormat<unknown>, unknown][] = [[bytesCodec, Uint8Array.of(1)], [utf8Codec, 'a'], [utf8Codec, '\u00e9'], [utf8Codec, '\ud800'], [jsonCodec, {}], [msgpackCodec, {}], [defaultCodec, {}]];
    for (const [writer, value] of written) {
      const encoded = encode(writer, value);
      for (const reader of [defaultCodec, bytesCodec, utf8Codec, jsonCodec, msgpackCodec]) {
        const readable = reader === writer || (reader === defaultCodec && encoded.kind <= KIND_STRUCTURED);
        if (readable) expect(same(value, decode(reader, encoded))).toBe(true);
        else expect(() => decode(reader, encoded)).toThrow(new InvalidArgumentError(`The codec '${reader.name}' cannot read a value that was written with '${writer.name}': use the codec that wrote it.`));
      }
    }
    for (const codec of [defaultCodec, bytesCodec, utf8Codec, jsonCodec, msgpackCodec]) {
      expect(() => decode(codec, { bytes: new Uint8Array(3), kind: KIND_OWN })).toThrow(new InvalidArgumentError(`The codec '${codec.name}' cannot read a value that was written with a codec of the program's own: use the codec that wrote it.`));
      for (let kind = KIND_OWN + 1; kind < 16; kind++) expect(() => decode(codec, { bytes: new Uint8Array(3), kind })).toThrow(CorruptionError);
    }
  });
});

describe('bytes that are no value', () => {
  const readers = [[defaultCodec, KIND_ASCII], [defaultCodec, KIND_UTF8], [defaultCodec, KIND_UTF16], [defaultCodec, KIND_STRUCTURED], [jsonCodec, KIND_JSON], [msgpackCodec, KIND_MSGPACK]] as const;
  const survives = (codec: ValueFormat<unknown>, encoded: Encoded): void => {
    try {
      decode(codec, encoded);
    } catch (error) {
      if (!(error instanceof PlatformError)) expect(error).toBeInstanceOf(CorruptionError);
    }
  };

  test('random bytes, and values with a byte changed, are corruption or some value, and nothing else', () => {
    const heads = fc.constantFrom(0x80, 0x81, 0x90, 0x92, 0xa1, 0xa9, 0xc0, 0xc1, 0xc4, 0xc7, 0xc8, 0xc9, 0xcb, 0xd4, 0xd6, 0xd9, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xff, 0, 1, 2, 6, 8);
    check(fc.property(fc.array(fc.oneof(heads, fc.nat(255)), { maxLength: 40 }), fc.constantFrom(...readers), (bytes, [codec, kind]) => survives(codec, { bytes: Uint8Array.from(bytes), kind })), 20000);
    check(fc.property(anyValue, fc.nat(), fc.nat(255), (value, place, byte) => {
      const { bytes } = encode(defaultCodec, [value]);
      bytes[place % bytes.length] = byte;
      survives(defaultCodec, { bytes, kind: KIND_STRUCTURED });
    }), 4000);
  });

  test('cut and lengthened values are corruption', () => {
    const value = { a: [1, 'x', -0, undefined, 1n, new Date(5), new Map([[1, 2]]), new Uint8Array(4), 2 ** 40, 0.5], b: 'y'.repeat(40) };
    const plain = { a: [1, 'x', new Date(5), new Uint8Array(4), 2 ** 40, 0.5], b: 'y'.repeat(40) };
    for (const [codec, sample] of [[defaultCodec, value], [msgpackCodec, plain]] as const) {
      const { bytes, kind } = encode(codec, sample);
      for (let size = 0; size < bytes.length; size++) expect(() => decode(codec, { bytes: bytes.subarray(0, size), kind })).toThrow(CorruptionError);
      expect(() => decode(codec, { bytes: Uint8Array.from([...bytes, 0xc0]), kind })).toThrow(CorruptionError);
    }
  });

  test('malformed text and JSON are corruption', () => {
    const cases: [number, number[]][] = [
      [KIND_ASCII, [0x61, 0x80]], [KIND_ASCII, [...new Uint8Array(60).fill(0x61), 0xc3, 0xa9]], [KIND_UTF8, [0x61, 0x80]], [KIND_UTF8, [0xed, 0xa0, 0x80]], [KIND_UTF8, [...new Uint8Array(60).fill(0x61), 0xc3]], [KIND_UTF16, [1]],
    ];
    for (const [kind, bytes] of cases) for (const codec of [defaultCodec, utf8Codec]) expect(() => decode(codec, { bytes: Uint8Array.from(bytes), kind })).toThrow(CorruptionError);
    for (const text of ['', '{', '{"a":}', 'undefined', '\u0000']) expect(() => decode(jsonCodec, { bytes: new TextEncoder().encode(text), kind: KIND_JSON })).toThrow(CorruptionError);
    expect(() => decode(jsonCodec, { bytes: Uint8Array.of(0x22, 0xff, 0x22), kind: KIND_JSON })).toThrow(CorruptionError);
  });

  test('lengths beyond the end, nesting without end, and binary where there is none, are corruption and cost nothing', () => {
    const hex = ['ddffffffff', 'dfffffffff', 'dc ffff c0', 'dbffffffff', 'c6ffffffff', 'c9ffffffff06', 'dd00ffffff'.repeat(50), '91'.repeat(5000), 'c1', 'c403010203', '92c0c1', '81c0c0', '8190c0',
      'c70406dd7fffff', 'c70106c0', 'c7020690', 'c7020691c0', 'd40601', 'd4027f', 'd605ffffffff', 'c7040902000000', 'd409ff', 'c7030c92c0c0', 'c7040c92a128a0', 'c7030d91c0', 'c7040892010203', 'd47f00', 'd6ff00000000'];
    for (const text of hex) expect(() => decode(defaultCodec, { bytes: Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex')), kind: KIND_STRUCTURED }), text).toThrow(CorruptionError);
    let bytes = Uint8Array.of(0x90);
    for (let depth = 0; depth < 600; depth++) bytes = Uint8Array.from([0x91, 0xc8, bytes.length >> 8, bytes.length & 0xff, 7, ...bytes]);
    expect(() => decode(defaultCodec, { bytes, kind: KIND_STRUCTURED })).toThrow(CorruptionError);
    expectSame(defaultCodec, nest(512, (inner) => new Set([inner])));
    for (const text of ['d47f00', 'd5ff0000', 'c1', 'ddffffffff']) expect(() => decode(msgpackCodec, { bytes: Uint8Array.from(Buffer.from(text, 'hex')), kind: KIND_MSGPACK }), text).toThrow(CorruptionError);
  });
});

describe('the slab', () => {
  test('copies any range at any alignment, and copies never touch each other', () => {
    const own = new Slab();
    const source = Uint8Array.from({ length: 70003 }, (_, index) => (index * 31) & 0xff);
    const copies: [Uint8Array, number, number][] = [];
    check(fc.property(fc.nat(40000), fc.oneof(fc.nat(40), fc.nat(600), fc.integer({ min: 8185, max: 8200 }), fc.nat(29000)), (start, size) => {
      copies.push([own.copy(source, start, start + size), start, start + size]);
      copies.push([own.copy(source.subarray(start, start + size), 0, size), start, start + size]);
    }), 3000);
    for (let size = 0; size < 20; size++) copies.push([own.copy(source, 70003 - size, 70003), 70003 - size, 70003]);
    const original = source.slice();
    source.fill(0);
    for (const [copy, start, end] of copies) {
      expect(Buffer.compare(copy, original.subarray(start, end))).toBe(0);
      expect(copy.byteOffset % 8).toBe(0);
      expect(copy.buffer.byteLength === 65536 || copy.byteOffset === 0).toBe(true);
    }
    expect(new Set(copies.filter(([copy]) => copy.length <= 8192 && copy.length > 0).map(([copy]) => copy.buffer)).size).toBeLessThan(copies.length / 10);
  });

  test('reads to the very end of memory whose size is no multiple of four, at an odd offset, and after it moved', () => {
    const own = new Slab();
    for (const size of [1, 3, 5, 101, 103]) {
      const odd = Uint8Array.from({ length: size + 1 }, (_, index) => index + 1);
      expect(own.copy(odd, 0, size + 1)).toEqual(odd);
      expect(own.copy(odd.subarray(1), 0, size)).toEqual(odd.slice(1));
      expect(own.copy(odd.subarray(0, size), Math.max(0, size - 4), size)).toEqual(odd.slice(Math.max(0, size - 4), size));
    }
    // Growing a WebAssembly memory detaches its buffer, as a transfer does.
    const before = new ArrayBuffer(65536);
    new Uint8Array(before).fill(3);
    expect(own.copy(new Uint8Array(before), 8, 20)).toEqual(new Uint8Array(12).fill(3));
    const after = structuredClone(before, { transfer: [before] });
    new Uint8Array(after).fill(4);
    expect(before.byteLength).toBe(0);
    expect(own.copy(new Uint8Array(after), 60000, 60012)).toEqual(new Uint8Array(12).fill(4));
  });

  test('every slab is marked once, and nothing else is', () => {
    const marked: ArrayBuffer[] = [];
    const own = new Slab((buffer) => marked.push(buffer));
    const source = new Uint8Array(20000);
    const views = Array.from({ length: 100 }, () => own.copy(source, 0, 8000));
    const large = own.copy(source, 0, 8193);
    expect(new Set(views.map((view) => view.buffer))).toEqual(new Set(marked));
    expect(marked.length).toBe(new Set(marked).size);
    expect(marked).not.toContain(large.buffer);
    expect(large.buffer.byteLength).toBe(8193);
    expect(own.copy(source, 5, 5)).toEqual(new Uint8Array(0));
  });
});

test('an array whose holes alone would take more than a value may is refused before it is walked', () => {
  for (const length of [2 ** 26 + 1, 2 ** 28 + 1, 2 ** 32 - 1]) {
    const sparse: unknown[] = [1, 2, 3];
    sparse.length = length;
    expect(() => encode(defaultCodec, sparse)).toThrow(TooLargeError);
    expect(() => encode(defaultCodec, { deep: [sparse] })).toThrow(TooLargeError);
  }
});
