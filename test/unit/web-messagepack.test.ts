/** MessagePack as pages have it: byte for byte what the library writes, and reading back what it reads. The tests of the codecs of values run with it in the library's place too. */
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { createMessagePack } from '../../src/codec/messagepack.js';
import * as web from '../../src/codec/web-messagepack.js';

vi.mock('@msgpack/msgpack', async () => ({ ...await vi.importActual<object>('@msgpack/msgpack'), ...await import('../../src/codec/web-messagepack.js') }));
const library = await vi.importActual<typeof import('@msgpack/msgpack')>('@msgpack/msgpack');

const webCodec = { tryToEncode: (value: unknown) => (value instanceof web.ExtData ? value : null), decode: (data: Uint8Array, type: number) => new web.ExtData(type, data.slice()) };
const libraryCodec = { tryToEncode: (value: unknown) => (value instanceof web.ExtData ? new library.ExtData(value.type, value.data) : null), decode: (data: Uint8Array, type: number) => new web.ExtData(type, data.slice()) };
const options = { maxDepth: 514, ignoreUndefined: true } as const;
const encoders = [new web.Encoder({ ...options, extensionCodec: webCodec }), new library.Encoder({ ...options, extensionCodec: libraryCodec as never })] as const;
const decoders = [new web.Decoder({ extensionCodec: webCodec as never }), new library.Decoder({ extensionCodec: libraryCodec as never })] as const;

/** Both write the same bytes, and both read these as the same. */
function expectSame(value: unknown): void {
  const [own, theirs] = encoders.map((encoder) => encoder.encodeSharedRef(value).slice());
  expect(Buffer.compare(own!, theirs!), 'bytes').toBe(0);
  const [read, expected] = decoders.map((decoder) => decoder.decode(theirs!));
  expect(read).toStrictEqual(expected);
}

test('numbers at the bounds of every form', () => {
  for (let power = 0; power <= 53; power++) for (const sign of [1, -1]) for (const offset of [-1, 0, 1]) expectSame(sign * (2 ** power + offset));
  for (const value of [0, -0, 0.1, -1.5, NaN, Infinity, -Infinity, 1e300, Number.MIN_VALUE, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) expectSame(value);
  // No writer of ours makes these.
  for (const bytes of [[0xca, 0x3f, 0xc0, 0, 0], [0xcf, 255, 255, 255, 255, 255, 255, 255, 255], [0xd3, 128, 0, 0, 0, 0, 0, 0, 0], [0xd3, 255, 255, 255, 255, 255, 255, 255, 255]]) {
    expect(decoders[0].decode(Uint8Array.from(bytes))).toBe(decoders[1].decode(Uint8Array.from(bytes)));
  }
});

test('texts, bytes, extensions, arrays and objects of every length at which their form changes', () => {
  for (const size of [0, 1, 10, 11, 23, 24, 25, 31, 32, 33, 85, 86, 255, 256, 257, 21_845, 21_846, 65_535, 65_536]) {
    for (const unit of ['a', 'é', '☃', '😀', 'aé☃😀']) expectSame(unit.repeat(size));
    expectSame(new Uint8Array(size).fill(7));
  }
  for (const size of [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 255, 256, 65_535, 65_536]) for (const type of [0, 13, 127, -128]) expectSame(new web.ExtData(type, new Uint8Array(size).fill(1)));
  for (const size of [0, 1, 15, 16, 17, 65_535, 65_536]) {
    expectSame(Array.from({ length: size }, (_, index) => index));
    expectSame(Object.fromEntries(Array.from({ length: size }, (_, index) => [`key ${index}`, index])));
  }
  expectSame({ gone: undefined, nothing: null, yes: true, no: false, list: [undefined] });
});

test('dates, before 1970 and far away too', () => {
  const times = [0, 1, 999, 1000, 1001, 2 ** 32 * 1000 - 1, 2 ** 32 * 1000, 2 ** 34 * 1000 - 1, 2 ** 34 * 1000, 8.64e15, -1, -999, -1000, -8.64e15];
  for (const time of times) {
    const bytes = web.encodeTimestampExtension(new Date(time))!;
    expect(bytes).toEqual(library.encodeTimestampExtension(new Date(time)));
    expect(web.decodeTimestampExtension(bytes).getTime()).toBe(time);
  }
  expect(web.encodeTimestampExtension('no date')).toBeNull();
  expect(() => web.decodeTimestampExtension(new Uint8Array(5))).toThrow();
});

test('whatever a value is made of', () => {
  const leaf = fc.oneof(fc.string({ unit: 'grapheme' }), fc.double(), fc.maxSafeInteger(), fc.boolean(), fc.constant(null), fc.uint8Array(), fc.uint8Array().map((data) => new web.ExtData(3, data)));
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('tree')), fc.dictionary(fc.string().filter((key) => key !== '__proto__'), tie('tree'), { noNullPrototype: true })),
  }));
  fc.assert(fc.property(tree, (value) => expectSame(value)), { numRuns: 2000 });
});

test('a getter that comes back to the encoder gets its own bytes; what nests too deeply, or has a key that no object has, is refused', () => {
  const inner = { get more() { return encoders[0].encodeSharedRef('inner').length; } };
  expectSame({ inner, after: 1 });
  let nested: unknown = 1;
  for (let depth = 0; depth < 514; depth++) nested = [nested];
  expect(() => encoders[0].encodeSharedRef(nested)).toThrow();
  expect(() => encoders[0].encodeSharedRef([() => 1])).toThrow();
  expect(() => decoders[0].decode(Uint8Array.from([0x81, 0xa9, ...Buffer.from('__proto__'), 1]))).toThrow();
  expect(() => decoders[0].decode(Uint8Array.from([0x81, 0xc0, 1]))).toThrow();
  // One that failed goes on.
  expectSame(['fine']);
});

test('the codec of that name has it in the place of the library', () => {
  expect(createMessagePack().encode({ when: new Date(5) })).toEqual(library.encode({ when: new Date(5) }));
});

describe('the codecs of values', async () => {
  await import('./value-codec.test.js');
});
