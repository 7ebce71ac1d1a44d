/**
 * Changes of bytes that know nothing of what they mean: flips, edges of ranges, insertions, cuts, copies, pieces of other inputs, and words of a dictionary.
 */
import type { Random } from './random.js';

/** Numbers at which something usually changes, as unsigned 64 bits. */
export const EDGES: readonly bigint[] = [
  0n, 1n, 2n, 3n, 7n, 8n, 15n, 16n, 23n, 24n, 31n, 32n, 55n, 56n, 63n, 64n, 127n, 128n, 255n, 256n, 511n, 512n, 513n, 4095n, 4096n, 32767n, 32768n, 65535n, 65536n,
  0x1ffffn, 0x20000n, 0x3ffffn, 0xffffffn, 0x1000000n, 0x7fffffffn, 0x80000000n, 0xfffffff8n, 0xffffffffn, 0x100000000n, 0x7fffffffffffn, 0xffffffffffffn, 0x1000000000000n,
  0x1fffffffffffffn, 0x20000000000000n, 0x7fffffffffffffffn, 0x8000000000000000n, 0xfffffffffffffff8n, 0xffffffffffffffffn,
];

/** A number at an edge, or next to one. */
export function edge(random: Random): bigint {
  const number = random.pick(EDGES);
  return random.chance(0.7) ? number : BigInt.asUintN(64, number + BigInt(random.below(17) - 8));
}

/** Writes the low bytes of a number, little-endian, as far as they lie within. */
export function setNumber(bytes: Uint8Array, offset: number, size: number, value: bigint): void {
  for (let index = 0; index < size && offset + index < bytes.length; index++) bytes[offset + index] = Number((value >> BigInt(8 * index)) & 0xffn);
}

function splice(bytes: Uint8Array, offset: number, removed: number, inserted: Uint8Array): Uint8Array {
  const result = new Uint8Array(bytes.length - removed + inserted.length);
  result.set(bytes.subarray(0, offset));
  result.set(inserted, offset);
  result.set(bytes.subarray(offset + removed), offset + inserted.length);
  return result;
}

/** A length that is small most of the time. */
function short(random: Random, bound: number): number {
  return 1 + random.below(Math.min(bound, 1 << random.below(7)));
}

function piece(bytes: Uint8Array, random: Random): Uint8Array {
  const offset = random.below(bytes.length + 1);
  return bytes.subarray(offset, offset + short(random, Math.max(1, bytes.length)));
}

/** Changes bytes at places that `place` draws, without changing their count. */
export function changeInPlace(bytes: Uint8Array, random: Random, place: () => number): void {
  const at = place();
  switch (random.below(5)) {
    case 0:
      bytes[at]! ^= 1 << random.below(8);
      return;
    case 1:
      bytes[at] = random.below(256);
      return;
    case 2:
      bytes[at]! += random.below(33) - 16;
      return;
    case 3:
      setNumber(bytes, at, 1 << random.below(4), edge(random));
      return;
    default:
      bytes.copyWithin(at, place(), place() + short(random, 64));
  }
}

/** A changed copy, of at most `sizeMax` bytes. */
export function mutateBytes(input: Uint8Array, random: Random, others: readonly Uint8Array[], dictionary: readonly Uint8Array[], sizeMax: number): Uint8Array {
  let bytes: Uint8Array = input.slice();
  for (let count = 1 << random.below(4); count > 0; count--) {
    const offset = random.below(bytes.length + 1);
    switch (random.below(8)) {
      case 0:
        bytes = splice(bytes, offset, 0, random.bytes(short(random, 16)));
        break;
      case 1:
        bytes = splice(bytes, offset, Math.min(short(random, 64), bytes.length - offset), new Uint8Array(0));
        break;
      case 2:
        bytes = splice(bytes, offset, 0, piece(bytes, random));
        break;
      case 3:
        bytes = splice(bytes, offset, Math.min(random.below(16), bytes.length - offset), piece(random.pick(others), random));
        break;
      case 4:
        bytes = splice(bytes, offset, random.chance(0.5) ? 0 : Math.min(1, bytes.length - offset), random.pick(dictionary));
        break;
      default:
        if (bytes.length > 0) changeInPlace(bytes, random, () => random.below(bytes.length));
    }
  }
  return bytes.length > sizeMax ? bytes.slice(0, sizeMax) : bytes;
}
