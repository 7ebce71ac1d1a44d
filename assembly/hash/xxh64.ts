/**
 * xxHash64 (Yann Collet, "xxHash fast digest algorithm", specification 0.1.1): what every checksum of the format is made with.
 * It detects damage; it is no proof against somebody who makes damage on purpose.
 */
import { requiresRange } from '../verify/contract';
const P1: u64 = 0x9e3779b185ebca87;
const P2: u64 = 0xc2b2ae3d27d4eb4f;
const P3: u64 = 0x165667b19e3779f9;
const P4: u64 = 0x85ebca77c2b2ae63;
const P5: u64 = 0x27d4eb2f165667c5;

function round(accumulator: u64, input: u64): u64 {
  return rotl<u64>(accumulator + input * P2, 31) * P1;
}

function merge(hash: u64, accumulator: u64): u64 {
  return (hash ^ round(0, accumulator)) * P1 + P4;
}

/** Spreads every bit of `hash` over all of them. */
export function avalanche(hash: u64): u64 {
  hash = (hash ^ (hash >> 33)) * P2;
  hash = (hash ^ (hash >> 29)) * P3;
  return hash ^ (hash >> 32);
}

/** One word folded into a seed: for seeds made of several parts. */
export function mix(seed: u64, word: u64): u64 {
  return avalanche(rotl<u64>(seed ^ round(0, word), 27) * P1 + P4);
}

export function xxh64(pointer: usize, size: u32, seed: u64): u64 {
  requiresRange(pointer, size);
  const end = pointer + size;
  let hash: u64;
  if (size >= 32) {
    let a = seed + P1 + P2;
    let b = seed + P2;
    let c = seed;
    let d = seed - P1;
    const limit = end - 32;
    do {
      a = round(a, load<u64>(pointer));
      b = round(b, load<u64>(pointer, 8));
      c = round(c, load<u64>(pointer, 16));
      d = round(d, load<u64>(pointer, 24));
      pointer += 32;
    } while (pointer <= limit);
    hash = rotl<u64>(a, 1) + rotl<u64>(b, 7) + rotl<u64>(c, 12) + rotl<u64>(d, 18);
    hash = merge(merge(merge(merge(hash, a), b), c), d);
  } else {
    hash = seed + P5;
  }
  hash += size;
  while (pointer + 8 <= end) {
    hash = rotl<u64>(hash ^ round(0, load<u64>(pointer)), 27) * P1 + P4;
    pointer += 8;
  }
  if (pointer + 4 <= end) {
    hash = rotl<u64>(hash ^ (<u64>load<u32>(pointer) * P1), 23) * P2 + P3;
    pointer += 4;
  }
  while (pointer < end) {
    hash = rotl<u64>(hash ^ (<u64>load<u8>(pointer) * P5), 11) * P1;
    pointer++;
  }
  return avalanche(hash);
}
