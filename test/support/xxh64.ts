/**
 * xxHash64 in plain TypeScript, written from its public description, and the `mix` of FORMAT.md: for readers of the file format that share nothing with the
 * engine. Guarantees the published results; speed is left to the engine.
 */

const PRIME_1 = 0x9e3779b185ebca87n;
const PRIME_2 = 0xc2b2ae3d27d4eb4fn;
const PRIME_3 = 0x165667b19e3779f9n;
const PRIME_4 = 0x85ebca77c2b2ae63n;
const PRIME_5 = 0x27d4eb2f165667c5n;

/** The low 64 bits. */
const wrap = (number: bigint): bigint => BigInt.asUintN(64, number);
const rotateLeft = (word: bigint, count: bigint): bigint => wrap((word << count) | (word >> (64n - count)));
/** What a word of the input becomes before it meets the state. */
const round = (accumulator: bigint, word: bigint): bigint => wrap(rotateLeft(wrap(accumulator + word * PRIME_2), 31n) * PRIME_1);
const absorbWord = (state: bigint, word: bigint): bigint => wrap(rotateLeft(state ^ round(0n, word), 27n) * PRIME_1 + PRIME_4);

/** The last step of a hash: every bit comes to depend on all. */
export function avalanche(state: bigint): bigint {
  let hash = wrap((state ^ (state >> 33n)) * PRIME_2);
  hash = wrap((hash ^ (hash >> 29n)) * PRIME_3);
  return hash ^ (hash >> 32n);
}

/** The hash of bytes under a seed, both taken as unsigned 64 bits. */
export function xxh64(bytes: Uint8Array, seed = 0n): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = bytes.length;
  let offset = 0;
  let state: bigint;
  if (size >= 32) {
    let first = wrap(seed + PRIME_1 + PRIME_2);
    let second = wrap(seed + PRIME_2);
    let third = wrap(seed);
    let fourth = wrap(seed - PRIME_1);
    for (; offset + 32 <= size; offset += 32) {
      first = round(first, view.getBigUint64(offset, true));
      second = round(second, view.getBigUint64(offset + 8, true));
      third = round(third, view.getBigUint64(offset + 16, true));
      fourth = round(fourth, view.getBigUint64(offset + 24, true));
    }
    state = wrap(rotateLeft(first, 1n) + rotateLeft(second, 7n) + rotateLeft(third, 12n) + rotateLeft(fourth, 18n));
    for (const lane of [first, second, third, fourth]) state = wrap((state ^ round(0n, lane)) * PRIME_1 + PRIME_4);
  } else state = wrap(seed + PRIME_5);
  state = wrap(state + BigInt(size));
  for (; offset + 8 <= size; offset += 8) state = absorbWord(state, view.getBigUint64(offset, true));
  if (offset + 4 <= size) {
    state = wrap(rotateLeft(state ^ wrap(BigInt(view.getUint32(offset, true)) * PRIME_1), 23n) * PRIME_2 + PRIME_3);
    offset += 4;
  }
  for (; offset < size; offset++) state = wrap(rotateLeft(state ^ wrap(BigInt(bytes[offset]!) * PRIME_5), 11n) * PRIME_1);
  return avalanche(state);
}

/** A new seed from a seed and a word, as FORMAT.md defines it. */
export function mix(seed: bigint, word: bigint): bigint {
  return avalanche(absorbWord(wrap(seed), wrap(word)));
}
