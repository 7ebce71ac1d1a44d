/**
 * The key encoding against an oracle: a comparison written over JavaScript values from the documented order alone, which
 * shares no code with the encoding.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkKeySize, keyBound, MAX_KEY_BOUND, MAX_KEY_DEPTH, MAX_KEY_SIZE, readKey, writeKey, writeKeyPrefix, writeKeyPrefixEnd, type Key } from '../../src/codec/key.js';
import { CorruptionError, InvalidArgumentError, TooLargeError } from '../../src/errors.js';

const SEED = 20261123;
const CASE_COUNT = 3000;
const check = <T>(property: fc.IPropertyWithHooks<T> | fc.IProperty<T>, numRuns = CASE_COUNT): void => fc.assert(property, { seed: SEED, numRuns });

const bytesOf = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);

/** Encodes at an offset into dirty memory and checks on the way that nothing outside of the bound was touched. */
function encode(key: Key): Uint8Array {
  const bound = keyBound(key);
  const target = new Uint8Array(bound + 16).fill(0xaa);
  const end = writeKey(target, 8, key);
  expect(end - 8).toBeLessThanOrEqual(bound);
  expect(target.subarray(0, 8).every((byte) => byte === 0xaa)).toBe(true);
  expect(target.subarray(8 + bound).every((byte) => byte === 0xaa)).toBe(true);
  return target.slice(8, end);
}

function decode(bytes: Uint8Array): Key {
  const source = new Uint8Array(bytes.length + 16).fill(0xff);
  source.set(bytes, 8);
  return readKey(source, 8, 8 + bytes.length);
}

/** What a key is after a round trip: -0 is stored as 0, everything else is itself. */
function normal(key: Key): Key {
  if (typeof key === 'number') return key === 0 ? 0 : key;
  if (Array.isArray(key)) return (key as Key[]).map(normal);
  return key instanceof Uint8Array ? Uint8Array.from(key) : key;
}

function compareBytes(one: Uint8Array, other: Uint8Array): number {
  return Math.sign(Buffer.compare(one, other));
}

// ---- the oracle ----

function rank(key: Key): number {
  if (key === null) return 0;
  if (key === false) return 1;
  if (key === true) return 2;
  if (typeof key === 'number' || typeof key === 'bigint') return 3;
  if (typeof key === 'string') return 4;
  return key instanceof Uint8Array ? 5 : 6;
}

function compareLists<T>(one: readonly T[], other: readonly T[], compare: (a: T, b: T) => number): number {
  for (let index = 0; index < Math.min(one.length, other.length); index++) {
    const order = compare(one[index], other[index]);
    if (order !== 0) return order;
  }
  return Math.sign(one.length - other.length);
}

/** The documented order. JavaScript itself compares numbers with bigints exactly. */
function compareKeys(one: Key, other: Key): number {
  if (rank(one) !== rank(other)) return Math.sign(rank(one) - rank(other));
  switch (rank(one)) {
    case 3: {
      const [a, b] = [one as number | bigint, other as number | bigint];
      if (a < b) return -1;
      if (a > b) return 1;
      return Math.sign(Number(typeof a === 'bigint') - Number(typeof b === 'bigint'));
    }
    case 4: {
      const points = (text: string): number[] => Array.from(text, (character) => character.codePointAt(0)!);
      return compareLists(points(one as string), points(other as string), (a, b) => Math.sign(a - b));
    }
    case 5:
      return compareLists([...(one as Uint8Array)], [...(other as Uint8Array)], (a, b) => Math.sign(a - b));
    case 6:
      return compareLists(one as Key[], other as Key[], compareKeys);
  }
  return 0;
}

function matchesPrefix(key: Key, prefix: Key): boolean {
  if (rank(key) !== rank(prefix)) return false;
  const parts = (value: Key): readonly Key[] =>
    typeof value === 'string' ? Array.from(value) : value instanceof Uint8Array ? [...value] : (value as Key[]);
  const [long, short] = [parts(key), parts(prefix)];
  return short.length <= long.length && short.every((part, index) => compareKeys(part, long[index]) === 0);
}

// ---- keys to try ----

const DOUBLES = [
  0, -0, 1, -1, 0.5, -0.5, 1.5, 2, 255, 256, 257, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 53 + 2, -(2 ** 53), 2 ** 63, 2 ** 64, 2 ** 1023,
  Number.MIN_VALUE, -Number.MIN_VALUE, 2 ** -1022, 2 ** -1022 - Number.MIN_VALUE, Number.MAX_VALUE, -Number.MAX_VALUE, Infinity, -Infinity, Math.PI, 1e21,
];
const MAXIMUM = BigInt(Number.MAX_VALUE);
const BIGINTS = [
  0n, 1n, -1n, 255n, 256n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 53n + 2n, -(2n ** 53n), -(2n ** 53n) - 1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n, 2n ** 64n + 1n,
  MAXIMUM - 1n, MAXIMUM, MAXIMUM + 1n, 2n ** 1024n - 1n, 2n ** 1024n, 2n ** 1024n + 1n, 2n ** 2000n, 2n ** 3000n, 2n ** 9000n,
  ...[MAXIMUM - 1n, MAXIMUM, MAXIMUM + 1n, 2n ** 1024n, 2n ** 1976n - 1n, 2n ** 1976n, 2n ** 2040n, 2n ** 2048n, 2n ** 9000n, 2n ** 9000n + 1n].map((value) => -value),
  MAXIMUM + 2n ** 1976n - 1n, MAXIMUM + 2n ** 1976n,
];
const STRINGS = [
  '', '\0', '\0\0', '\u0001', 'a', 'a\0', 'a\0b', 'a\0\u00ff', 'a\u0001', 'ab', 'b', '__proto__', 'constructor', '\u007f', '\u0080', '\u07ff', '\u0800',
  '\ud7ff', '\ud800', '\ud800a', '\udbff', '\udc00', '\udc00\ud800', '\udfff', '\ue000', '\ufeff', '\ufffd', '\uffff', '\u{10000}', '\u{10ffff}', 'a\u{1f600}', 'a\ud83d',
  'caf\u00e9', 'cafe\u0301', 'x'.repeat(47), 'x'.repeat(48), 'x'.repeat(49), 'x'.repeat(60) + '\u00e9', 'x'.repeat(60) + '\ud800', 'x'.repeat(60) + '\0', '\u{1f600}'.repeat(30), '\ufeff' + 'y'.repeat(80),
];
const BYTES = [bytesOf(), bytesOf(0), bytesOf(0, 0), bytesOf(0, 255), bytesOf(0, 254), bytesOf(1), bytesOf(97), bytesOf(97, 0), bytesOf(255), bytesOf(255, 255), bytesOf(255, 0)];
const PLAIN: Key[] = [null, false, true, ...DOUBLES, ...BIGINTS, ...STRINGS, ...BYTES];
const TUPLES: Key[] = [
  [], [[]], [[], []], [[[]]], [''], ['', ''], [['']], [[''], ''], [[], ''], ['', []], [null], [null, null], [[null], null], ['a', 'b'], ['ab'], ['a', ''], ['a\0', 'b'], ['a\0b'], ['a', '\0b'],
  [bytesOf()], [bytesOf(0)], [bytesOf(0), bytesOf()], [bytesOf(), bytesOf(0)], [1, 2], [1n, 2], [1, 2n], [1n], [1], [[1]], [[1n]], [[1], 1n], [[1n], 1], [-0], [0], [0n], ['\ud800'], ['\u{10000}', '\uffff'],
  [['a'], 'b'], [['a', 'b']], [[['a']], [['b']]], ['__proto__', ['__proto__']],
];
const SAMPLES: Key[] = [...PLAIN, ...TUPLES, ...PLAIN.map((key): Key => [key]), ...PLAIN.map((key): Key => [key, 0]), ...BIGINTS.map((key): Key => [[key], 'z'])];

const anyDouble = fc.oneof(
  fc.constantFrom(...DOUBLES),
  fc.double({ noNaN: true }),
  fc.integer(),
  fc.tuple(fc.integer({ min: -1074, max: 1023 }), fc.integer({ min: -2, max: 2 }), fc.boolean()).map(([power, step, negative]) => {
    const value = 2 ** power * (1 + step * Number.EPSILON);
    return negative ? -value : value;
  }),
);
const anyBigint = fc.oneof(
  fc.constantFrom(...BIGINTS),
  fc.bigInt(),
  anyDouble.filter(Number.isInteger).chain((value) => fc.integer({ min: -3, max: 3 }).map((step) => BigInt(value) + BigInt(step))),
  fc.tuple(fc.integer({ min: 40, max: 5000 }), fc.bigInt({ min: -5n, max: 5n }), fc.boolean()).map(([power, step, negative]) => {
    const value = (1n << BigInt(power)) + step;
    return negative ? -value : value;
  }),
);
const anyString = fc.oneof(
  fc.constantFrom(...STRINGS),
  fc.string({ unit: fc.constantFrom('\0', '\u0001', 'a', 'b', '\u00e9', '\uffff', '\ud83d', '\ude00', '\u{10000}'), maxLength: 6 }),
  fc.string({ unit: 'binary' }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 80 }).map((units) => String.fromCharCode(...units)),
);
const anyBytes = fc.oneof(fc.array(fc.constantFrom(0, 1, 97, 254, 255), { maxLength: 5 }).map((bytes) => Uint8Array.from(bytes)), fc.uint8Array({ maxLength: 40 }));
const anyLeaf: fc.Arbitrary<Key> = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(null, false, true) },
  { weight: 3, arbitrary: anyDouble },
  { weight: 3, arbitrary: anyBigint },
  { weight: 3, arbitrary: anyString },
  { weight: 2, arbitrary: anyBytes },
);
const anyKey: fc.Arbitrary<Key> = fc.letrec<{ key: Key; tuple: Key[] }>((tie) => ({
  key: fc.oneof({ maxDepth: 4 }, anyLeaf, tie('tuple')),
  tuple: fc.array(tie('key'), { maxLength: 4 }),
})).key;

/** A key close to another: the same but for one part, one more part, or the type of one number. */
function nearby(key: Key): fc.Arbitrary<Key> {
  if (typeof key === 'number' && Number.isInteger(key)) return fc.integer({ min: -1, max: 1 }).map((step) => BigInt(key) + BigInt(step));
  if (typeof key === 'bigint') return fc.oneof(fc.constant(Number(key)), fc.integer({ min: -1, max: 1 }).map((step) => key + BigInt(step)));
  if (typeof key === 'string') return fc.oneof(fc.constantFrom('\0', '\u0001', '\ud800', '\udc00', '\uffff').map((end) => key + end), fc.constant(key.slice(0, -1)));
  if (key instanceof Uint8Array) return fc.oneof(fc.constantFrom(0, 1, 255).map((end) => Uint8Array.from([...key, end])), fc.constant(key.slice(0, -1)));
  if (!Array.isArray(key)) return anyLeaf;
  const parts = key as Key[];
  if (parts.length === 0) return anyLeaf.map((part): Key => [part]);
  return fc.oneof(
    anyLeaf.map((part): Key => [...parts, part]),
    fc.constant(parts.slice(0, -1)),
    fc.nat(parts.length - 1).chain((index) => nearby(parts[index]).map((part): Key => parts.with(index, part))),
  );
}
const anyPair = fc.oneof(fc.tuple(anyKey, anyKey), fc.tuple(anyLeaf, anyLeaf), fc.tuple(anyDouble, anyBigint), anyKey.chain((key) => fc.tuple(fc.constant(key), nearby(key))));

describe('order', () => {
  test('every pair of the samples is ordered as documented, and only equal keys are equal', () => {
    const encoded = SAMPLES.map(encode);
    const wrong: [Key, Key][] = [];
    for (const [first, one] of SAMPLES.entries()) {
      for (const [second, other] of SAMPLES.entries()) {
        if (compareBytes(encoded[first], encoded[second]) !== compareKeys(one, other)) wrong.push([one, other]);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('random pairs, most of them close together, are ordered as documented', () => {
    check(fc.property(anyPair, ([one, other]) => compareBytes(encode(one), encode(other)) === compareKeys(one, other)), 20000);
  });

  test('the oracle itself knows the documented order', () => {
    const ascending: Key[] = [
      null, false, true, -Infinity, -(2n ** 2000n), -Number.MAX_VALUE, -1, -1n, -Number.MIN_VALUE, 0, 0n, Number.MIN_VALUE, 2 ** 53, 2n ** 53n, 2n ** 53n + 1n,
      Number.MAX_VALUE, MAXIMUM, 2n ** 2000n, Infinity, '', '\0', '\ud800', '\uffff', '\u{10000}', bytesOf(), bytesOf(0), [], [null], [null, null], [0], [[]],
    ];
    for (const [index, key] of ascending.entries()) for (let next = index + 1; next < ascending.length; next++) expect(compareKeys(key, ascending[next])).toBe(-1);
  });
});

describe('round trip', () => {
  test('every sample comes back as it was, a number as a number and a bigint as a bigint', () => {
    for (const key of SAMPLES) expect(decode(encode(key))).toStrictEqual(normal(key));
  });

  test('random keys come back as they were', () => {
    check(fc.property(anyKey, (key) => {
      expect(decode(encode(key))).toStrictEqual(normal(key));
    }));
  });

  test('-0 is stored as 0', () => {
    expect(Object.is(decode(encode(-0)), 0)).toBe(true);
    expect(Object.is((decode(encode([-0])) as Key[])[0], 0)).toBe(true);
  });

  test('a Buffer comes back as a plain Uint8Array with memory of its own', () => {
    const source = Buffer.alloc(64);
    const end = writeKey(source, 0, Buffer.from('bytes'));
    const key = readKey(source, 0, end) as Uint8Array;
    source.fill(0);
    expect(Object.getPrototypeOf(key)).toBe(Uint8Array.prototype);
    expect(new TextDecoder().decode(key)).toBe('bytes');
  });

  test('the written bytes are those of the format', () => {
    const hex = (key: Key): string => Buffer.from(encode(key)).toString('hex');
    expect(hex(null)).toBe('10');
    expect(hex(false)).toBe('20');
    expect(hex(true)).toBe('21');
    expect(hex(1)).toBe('30bff0000000000000');
    expect(hex(-1)).toBe('30400fffffffffffff');
    expect(hex(1n)).toBe('30bff0000000000000fe');
    expect(hex(2n ** 53n + 1n)).toBe('30c340000000000000ff0101');
    expect(hex(-(2n ** 1024n))).toBe('30000fffffffffffffff7efe' + 'ff'.repeat(128));
    expect(hex('a\0b')).toBe('40610062');
    expect(hex('\ud800')).toBe('40eda080');
    expect(hex(bytesOf(0, 255))).toBe('5000ff');
    expect(hex(['a\0b', [], [1], bytesOf(0)])).toBe('60' + '406100ff6200' + '6000' + '6030bff000000000000000' + '5000ff00');
  });
});

describe('prefixes', () => {
  const encodePrefix = (write: typeof writeKey, prefix: Key): Uint8Array => {
    const target = new Uint8Array(keyBound(prefix) + 1);
    return target.slice(0, write(target, 0, prefix));
  };
  const rangeOf = (prefix: Key): [Uint8Array, Uint8Array] => [encodePrefix(writeKeyPrefix, prefix), encodePrefix(writeKeyPrefixEnd, prefix)];
  /** Whether a key lies in the range of a prefix exactly when it matches, and then begins with the bytes of the prefix. */
  const agrees = (key: Key, bytes: Uint8Array, prefix: Key, [start, end]: [Uint8Array, Uint8Array]): boolean => {
    const within = compareBytes(start, bytes) <= 0 && compareBytes(bytes, end) < 0;
    const begins = compareBytes(bytes.subarray(0, start.length), start) === 0;
    return within === matchesPrefix(key, prefix) && (!within || begins);
  };

  test('the range of a prefix holds exactly the samples that match it', () => {
    const prefixes = SAMPLES.filter((key) => typeof key === 'string' || (typeof key === 'object' && key !== null));
    const wrong: [Key, Key][] = [];
    const encoded = SAMPLES.map(encode);
    for (const prefix of prefixes) {
      const range = rangeOf(prefix);
      for (const [index, key] of SAMPLES.entries()) if (!agrees(key, encoded[index], prefix, range)) wrong.push([key, prefix]);
    }
    expect(wrong).toEqual([]);
  });

  test('random keys lie in the ranges of their own prefixes and of no others', () => {
    const pair = fc.oneof(
      fc.tuple(anyKey, anyKey),
      fc.tuple(fc.array(anyKey, { maxLength: 4 }), fc.nat(4)).map(([parts, count]): [Key, Key] => [parts, parts.slice(0, count)]),
      fc.tuple(fc.array(anyKey, { minLength: 1, maxLength: 4 }), fc.nat(3)).chain(([parts, count]) => nearby(parts.slice(0, count + 1)).map((prefix): [Key, Key] => [parts, prefix])),
      fc.tuple(anyString, fc.nat(8)).map(([text, length]): [Key, Key] => [text, Array.from(text).slice(0, length).join('')]),
      fc.tuple(anyBytes, fc.nat(8)).map(([bytes, length]): [Key, Key] => [bytes, bytes.slice(0, length)]),
    );
    check(fc.property(pair, ([key, prefix]) => {
      fc.pre(typeof prefix === 'string' || (typeof prefix === 'object' && prefix !== null));
      return agrees(key, encode(key), prefix, rangeOf(prefix));
    }), 10000);
  });

  test('only strings, bytes and tuples can be prefixes', () => {
    for (const prefix of [null, true, 1, 1n, undefined, {}]) expect(() => writeKeyPrefix(new Uint8Array(64), 0, prefix as Key)).toThrow(InvalidArgumentError);
  });
});

describe('refusals', () => {
  const both = (key: unknown): void => {
    const run = (): void => {
      keyBound(key as Key);
      writeKey(new Uint8Array(4096), 0, key as Key);
    };
    expect(run).toThrow(InvalidArgumentError);
    expect(run).toThrow(/Use null, a boolean/);
  };

  test('what is no key is refused, at the top and within tuples', () => {
    const invalid = [undefined, NaN, {}, Symbol('s'), () => 0, new Date(), new Uint16Array(2), new Int8Array(1), new Uint8ClampedArray(1), new Float64Array(1), new DataView(new ArrayBuffer(2)),
      new ArrayBuffer(2), new Map(), new Set(), Object(1), Object('a'), { length: 1, 0: 1 }, { [Symbol.toStringTag]: 'Uint8Array' }];
    for (const key of invalid) {
      both(key);
      both([key]);
      both(['a', [key]]);
    }
    // oxlint-disable-next-line no-sparse-arrays
    both([1, , 2]);
  });

  test('tuples nest as deep as the limit and no deeper, and a tuple that contains itself is refused', () => {
    const nest = (depth: number): Key => Array.from({ length: depth }).reduce<Key>((inner) => [inner], []);
    const deepest = nest(MAX_KEY_DEPTH - 1);
    expect(decode(encode(deepest))).toStrictEqual(deepest);
    both(nest(MAX_KEY_DEPTH));
    const cyclic: unknown[] = [1];
    cyclic.push(cyclic);
    both(cyclic);
    expect(() => writeKey(new Uint8Array(4096), 0, nest(MAX_KEY_DEPTH))).toThrow(InvalidArgumentError);
    expect(() => decode(Uint8Array.from([...new Uint8Array(MAX_KEY_DEPTH + 1).fill(0x60), ...new Uint8Array(MAX_KEY_DEPTH)]))).toThrow(CorruptionError);
  });

  test('keys at the size limit are taken, and what cannot fit is refused before it is encoded', () => {
    for (const key of ['k'.repeat(MAX_KEY_SIZE - 1), new Uint8Array(MAX_KEY_SIZE - 1), '\u00e9'.repeat((MAX_KEY_SIZE - 2) / 2), ['k'.repeat(MAX_KEY_SIZE - 3)], [new Uint8Array(60000)], [2n ** 500000n]]) {
      const bytes = encode(key);
      checkKeySize(bytes.length);
      expect(keyBound(key)).toBeLessThanOrEqual(MAX_KEY_BOUND);
      expect(decode(bytes)).toStrictEqual(key);
    }
    // Many powers of two are short when encoded, however many bits they have.
    expect(encode(Array.from({ length: 10000 }, () => 2n ** 1000n)).length).toBe(100001);
    expect(() => checkKeySize(encode(['\u00e9'.repeat(MAX_KEY_SIZE / 2)]).length)).toThrow(TooLargeError);
    const shared = Array.from({ length: 50 }).reduce<Key>((inner) => [inner, inner], []);
    for (const key of ['k'.repeat(10 * 1024 * 1024), 'k'.repeat(MAX_KEY_SIZE), ['k'.repeat(MAX_KEY_SIZE)], Array.from({ length: 1000000 }, () => 1), 2n ** 4000000n, shared]) {
      expect(() => keyBound(key)).toThrow(TooLargeError);
    }
  });
});

describe('bytes that are no key', () => {
  /** Either refused as corruption, or exactly what the key that was read encodes to. */
  const refusedOrCanonical = (bytes: Uint8Array): void => {
    let key: Key;
    try {
      key = decode(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(CorruptionError);
      return;
    }
    expect(Buffer.from(encode(key)).toString('hex')).toBe(Buffer.from(bytes).toString('hex'));
  };

  test('random bytes, and keys with a byte changed, removed or added, are refused or read as what they are', () => {
    const meaningful = fc.constantFrom(0x00, 0x01, 0x10, 0x20, 0x21, 0x30, 0x40, 0x50, 0x60, 0x80, 0xbf, 0xc0, 0xed, 0xf0, 0xf8, 0xfe, 0xff);
    check(fc.property(fc.array(fc.oneof(meaningful, fc.nat(255)), { maxLength: 60 }), (bytes) => refusedOrCanonical(Uint8Array.from(bytes))), 20000);
    check(fc.property(anyKey, fc.nat(), fc.nat(255), fc.constantFrom(0, 1, 2), (key, place, byte, change) => {
      const bytes = [...encode(key)];
      const index = place % bytes.length;
      if (change === 0) bytes[index] = byte;
      else if (change === 1) bytes.splice(index, 1);
      else bytes.splice(index, 0, byte);
      refusedOrCanonical(Uint8Array.from(bytes));
    }), 10000);
  });

  test('every cut of every sample is refused or read as what it is, never beyond its end', () => {
    for (const key of SAMPLES) {
      const bytes = encode(key);
      for (let size = 0; size < Math.min(bytes.length, 40); size++) refusedOrCanonical(bytes.subarray(0, size));
    }
  });

  test('second encodings of the same key are refused', () => {
    const second = [
      '', '00', '01', '11', '70', 'ff', '80', '3080000000000000', '307fffffffffffffff', '30fff8000000000000', '30bff8000000000000fe', '30bff8000000000000ff0101', '30bff0000000000000ff0101',
      '30c340000000000000ff020001', '30c340000000000000ff0102', '30c340000000000000ff00', '30c340000000000000fff80101', '30fff0000000000000fe', '30000fffffffffffffff' + 'fefe',
      '40c080', '40eda080edb080', '40ff', '4080', '40f4908080', '6040', '604061', '6060', '606060', '60400080', '60ff', '1010', '2000',
    ];
    for (const hex of second) expect(() => decode(Uint8Array.from(Buffer.from(hex, 'hex'))), hex).toThrow(CorruptionError);
  });
});
