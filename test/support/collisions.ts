/**
 * Keys that share all 64 bits of their hash. NH multiplies a word of the key, plus a secret, with the word behind it, plus another; where the first sum is zero, the second word does
 * not count. Who knows the secrets, as a test does, can choose the first word so.
 */
import { Random } from './random.js';
import { avalanche, mix } from './xxh64.js';

const KEY_SIZE = 15;
/** With the tag that a key of bytes begins with. */
const ENCODED_SIZE = 16n;
const TAG_BYTES = 0x50;

/** The low 32 bits. */
const wrap = (number: bigint): bigint => BigInt.asUintN(32, number);

/** What the index keeps of a hash beside the address, while it has fewer than 256 pages: nothing, for one in 65,536. */
export function tagOf(hash: bigint): number {
  return Number(((hash & 31n) << 11n) | (hash >> 53n));
}

/** So many keys of bytes that collide in a store that `openStore` or `openInMemoryStore` has made with this seed, in a hash that is wanted. */
export function collidingKeys(seed: number, count: number, isWanted: (hash: bigint) => boolean = () => true): Uint8Array[] {
  const entropy = new DataView(new Random(seed).bytes(32).buffer);
  const low = entropy.getBigUint64(16, true);
  const high = entropy.getBigUint64(24, true);
  const first = mix(low, high);
  const second = mix(first, high + 8n);
  const length = mix(low, high) + ENCODED_SIZE * mix(high, low);
  const random = new Random(seed + 1);
  const start = new Uint8Array(8).fill(7);
  start[0] = TAG_BYTES;
  const view = new DataView(start.buffer);
  const hash = (): bigint => {
    const product = wrap(BigInt(view.getUint32(0, true)) + first) * wrap(BigInt(view.getUint32(4, true)) + (first >> 32n));
    return avalanche(product ^ BigInt.asUintN(64, length));
  };
  while (!isWanted(hash())) view.setUint32(4, random.next(), true);
  return Array.from({ length: count }, () => {
    // Behind the first word stands the one that makes the next not count.
    const key = new Uint8Array(KEY_SIZE);
    key.set(start.subarray(1));
    new DataView(key.buffer).setUint32(7, Number(wrap(-second)), true);
    key.set(random.bytes(4), 11);
    return key;
  });
}
