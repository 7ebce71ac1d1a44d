/** The parts of the core, through its debug build. */
import { describe, expect, test } from 'vitest';
import * as format from '../../assembly/shared/format.js';
import { Random, seedOf } from '../support/random.js';
import { makeCore } from './core.js';

const INTACT = 0;
const TORN = 1;
const DAMAGED = 2;

function hexOf(high: number, low: number): string {
  return (high >>> 0).toString(16).padStart(8, '0') + (low >>> 0).toString(16).padStart(8, '0');
}

describe('xxh64', () => {
  const { inside, bytes } = makeCore();
  const at = inside.allocate(12) + 64;
  const of = (data: Uint8Array, seed: number): string => {
    bytes().set(data, at);
    const high = inside.xxh64(at, data.length, seed);
    return hexOf(high, new DataView(bytes().buffer).getUint32(at - 8, true));
  };
  const text = (words: string): Uint8Array => new TextEncoder().encode(words);

  test('gives the published vectors', () => {
    expect(of(text(''), 0)).toBe('ef46db3751d8e999');
    expect(of(text('a'), 0)).toBe('d24ec4f1a98c6e5b');
    expect(of(text('abc'), 0)).toBe('44bc2cf5ad770999');
    expect(of(text('Nobody inspects the spammish repetition'), 0)).toBe('fbcea83c8a378bf1');
  });
});

describe('the key hash', () => {
  const { inside, bytes } = makeCore();
  const at = inside.allocate(16) + 64;
  const hash = (data: Uint8Array): number => {
    bytes().set(data, at);
    return inside.keyHash(at, data.length) >>> 0;
  };

  test('depends on its seed, the length, and every bit of keys of any size', () => {
    const random = new Random(seedOf(1));
    for (const size of [1, 2, 7, 8, 9, 31, 63, 64, 65, 128, 200]) {
      const key = random.bytes(size);
      inside.seedHash(1, 2);
      const first = hash(key);
      expect(hash(key)).toBe(first);
      const seen = new Set([first]);
      for (let bit = 0; bit < size * 8; bit++) {
        const other = key.slice();
        other[bit >> 3]! ^= 1 << (bit & 7);
        seen.add(hash(other));
      }
      // 32 folded bits of up to 1,600 hashes: a collision or two may happen, a pattern may not.
      expect(seen.size).toBeGreaterThan(size * 8 - 2);
      inside.seedHash(3, 4);
      expect(hash(key)).not.toBe(first);
    }
  });

  test('reads nothing of what stands around a key', () => {
    const key = new Random(seedOf(2)).bytes(11);
    const first = hash(key);
    bytes().fill(0xff, at - 8, at);
    bytes().fill(0xff, at + 11, at + 40);
    bytes().set(key, at);
    expect(inside.keyHash(at, 11) >>> 0).toBe(first);
  });

  test('spreads keys that differ in a counter', () => {
    inside.seedHash(5, 6);
    const buckets = new Uint32Array(256);
    for (let index = 0; index < 51_200; index++) buckets[hash(new TextEncoder().encode(`user:${index}`)) & 255]!++;
    expect(Math.max(...buckets)).toBeLessThan(300);
    expect(Math.min(...buckets)).toBeGreaterThan(120);
  });
});

describe('blocks of memory', () => {
  test('are disjoint, aligned, recycled, and refused at the limit with nothing changed', () => {
    const { inside } = makeCore(64);
    const random = new Random(seedOf(3));
    const held: { block: number; shift: number }[] = [];
    let refused = 0;
    for (let step = 0; step < 3000; step++) {
      if (random.chance(0.55)) {
        const shift = 12 + random.below(6);
        const block = inside.allocate(shift) >>> 0;
        if (block === 0) {
          refused++;
          continue;
        }
        expect(block % Math.min(2 ** shift, 65536)).toBe(0);
        for (const other of held) {
          const isApart = block + 2 ** shift <= other.block || other.block + 2 ** other.shift <= block;
          if (!isApart) throw new Error(`step ${step}: two blocks overlap`);
        }
        held.push({ block, shift });
      } else if (held.length > 0) {
        const [{ block, shift }] = held.splice(random.below(held.length), 1) as [{ block: number; shift: number }];
        inside.release(block, shift);
      }
    }
    expect(refused, 'the limit was met').toBeGreaterThan(0);
  });

  test.each([false, true])('are refused where addresses end, and given once (with a limit: %s)', (isLimited) => {
    const { inside } = makeCore(65_536);
    if (isLimited) {
      inside.init(18, true, true);
      inside.letLeave(2 ** 32, 2 ** 32 - 1);
    }
    const held: { begin: number; end: number }[] = [];
    // The larger ones first: each is asked for until it is refused, and once more when what is left has gone to smaller ones.
    for (const shift of [30, 29, 28, 24, 18, 16, 30, 28, 24, 18, 12, 30, 12]) {
      for (let block = inside.allocate(shift) >>> 0; block !== 0; block = inside.allocate(shift) >>> 0) held.push({ begin: block, end: block + 2 ** shift });
    }
    held.sort((one, other) => one.begin - other.begin);
    for (const [index, { begin }] of held.entries()) if (index > 0 && begin < held[index - 1]!.end) throw new Error(`two blocks overlap at ${begin}`);
    expect(held[0]!.begin).toBeGreaterThan(0);
    expect(held.at(-1)!.end).toBe(2 ** 32 - 65_536);
  });
});

describe('a record', () => {
  test('fails its check after any single flipped bit but in its link, and at any other place', () => {
    const { inside, bytes } = makeCore();
    const at = inside.allocate(12);
    const random = new Random(seedOf(4));
    bytes().set(random.bytes(100), at + format.RECORD_HEADER_SIZE);
    const size = inside.sealRecord(at, 1, 13, 50, 4096);
    expect(inside.checkRecord(at, size, 4096)).toBe(1);
    expect(inside.checkRecord(at, size, 4104)).toBe(0);
    expect(inside.checkRecord(at, size - 8, 4096)).toBe(0);
    for (let bit = 0; bit < size * 8; bit++) {
      const byte = bit >> 3;
      bytes()[at + byte]! ^= 1 << (bit & 7);
      const isLink = byte >= format.RECORD_LINK && byte < format.RECORD_FLAGS;
      expect(inside.checkRecord(at, size, 4096), `bit ${bit}`).toBe(isLink ? 1 : 0);
      bytes()[at + byte]! ^= 1 << (bit & 7);
    }
  });
});

describe('a frame', () => {
  const { inside, bytes } = makeCore();
  const block = inside.allocate(16);
  const limit = 16384;

  /** Bodies that a lost sector resembles: random, empty, with long runs of zeros, with lone bits. */
  function body(random: Random, size: number): Uint8Array {
    const data = random.chance(0.3) ? random.bytes(size) : new Uint8Array(size);
    for (let bits = random.below(4); bits > 0 && size > 0; bits--) data[random.below(size)]! |= 1 << random.below(8);
    return data;
  }

  function make(random: Random): { offset: number; size: number } {
    const offset = random.below(512) * 8;
    bytes().fill(0, block, block + limit + 8192);
    const bodySize = random.below(400) * 8;
    bytes().set(body(random, bodySize), block + offset + format.FRAME_HEAD_SIZE);
    return { offset, size: inside.sealFrame(block + offset, bodySize, 1, offset) };
  }

  test('is never taken for torn after one flipped bit: damaged, or restored to what it was', () => {
    const random = new Random(seedOf(5));
    let flips = 0;
    for (let round = 0; round < 60; round++) {
      const { offset, size } = make(random);
      const image = bytes().slice(block, block + limit);
      expect(inside.judgeFrame(block + offset, limit, offset)).toBe(INTACT);
      const all = round < 12;
      for (let bit = 0; bit < size * 8; bit += all ? 1 : 1 + random.below(40)) {
        flips++;
        bytes()[block + offset + (bit >> 3)]! ^= 1 << (bit & 7);
        const verdict = inside.judgeFrame(block + offset, limit, offset);
        const isSame = Buffer.compare(Buffer.from(bytes().subarray(block, block + limit)), Buffer.from(image)) === 0;
        if (verdict === TORN || (verdict === INTACT) !== isSame) throw new Error(`round ${round}, bit ${bit}: verdict ${verdict}`);
        bytes().set(image, block);
      }
    }
    expect(flips).toBeGreaterThan(50_000);
  });

  test('is torn, never damaged, when any subset of its sectors did not arrive', () => {
    const random = new Random(seedOf(6));
    for (let round = 0; round < 400; round++) {
      const { offset, size } = make(random);
      const image = bytes().slice(block, block + limit);
      const first = Math.floor(offset / 512);
      const last = Math.floor((offset + size - 1) / 512);
      for (let draw = 0; draw < 12; draw++) {
        let lost = 0;
        for (let sector = first; sector <= last; sector++) {
          if (!random.chance(draw === 0 ? 1 : 0.4)) continue;
          const begin = Math.max(sector * 512, offset);
          const end = Math.min(sector * 512 + 512, offset + size);
          if (image.subarray(begin, end).some((byte) => byte !== 0)) lost++;
          bytes().fill(0, block + begin, block + end);
        }
        const verdict = inside.judgeFrame(block + offset, limit, offset);
        const isSame = Buffer.compare(Buffer.from(bytes().subarray(block, block + limit)), Buffer.from(image)) === 0;
        const isRight = lost === 0 ? verdict === INTACT : verdict === TORN || (verdict === INTACT && isSame);
        if (!isRight) throw new Error(`round ${round}, draw ${draw}: ${lost} sectors lost, verdict ${verdict}`);
        bytes().set(image, block);
      }
    }
  });

  test('is damaged when bytes of a sector changed otherwise', () => {
    const random = new Random(seedOf(7));
    for (let round = 0; round < 500; round++) {
      const { offset, size } = make(random);
      const at = block + offset + random.below(size);
      const before = bytes()[at]!;
      const after = 1 + random.below(255);
      if (after === before) continue;
      bytes()[at] = after;
      expect(inside.judgeFrame(block + offset, limit, offset), `round ${round}`).not.toBe(TORN);
    }
  });

  test('is not found at another place', () => {
    const random = new Random(seedOf(8));
    const { offset, size } = make(random);
    bytes().copyWithin(block + offset + 8192, block + offset, block + offset + size);
    expect(inside.judgeFrame(block + offset + 8192, limit, offset + 8192)).toBe(DAMAGED);
  });
});
