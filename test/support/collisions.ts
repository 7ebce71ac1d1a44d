/**
 * Keys that share all 64 bits of their hash. NH multiplies a word of the key, plus a secret, with the word behind it, plus another; where the first sum is zero, the second word does
 * not count. Who knows the secrets, as a test does, can choose the first word so.
 */
import { Random } from './random.js';
import { mix } from './xxh64.js';

/** So many keys of bytes that collide in a store that `openStore` has made with this seed. */
export function collidingKeys(seed: number, count: number): Uint8Array[] {
  const entropy = new DataView(new Random(seed).bytes(32).buffer);
  const low = entropy.getBigUint64(16, true);
  const high = entropy.getBigUint64(24, true);
  const secret = mix(mix(low, high), high + 8n);
  const random = new Random(seed + 1);
  return Array.from({ length: count }, () => {
    // Behind the tag that a key of bytes begins with, bytes 7 to 10 are the first word of the second pair.
    const key = new Uint8Array(15).fill(7);
    new DataView(key.buffer).setUint32(7, Number(-secret & 0xffffffffn), true);
    key.set(random.bytes(4), 11);
    return key;
  });
}
