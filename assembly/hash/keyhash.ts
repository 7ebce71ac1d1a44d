/**
 * The hash that places a key in the index. It is keyed with random words drawn when the table is built, so that nobody can prepare
 * keys that collide: NH (Black, Halevi, Krawczyk, Krovetz, Rogaway: "UMAC", 1999), whose collision probability over its secret
 * words is 2^-32 for any two inputs of one block, whatever they are; longer keys fold the digests of their blocks with
 * SipHash-1-3 (Aumasson, Bernstein, 2012). Nothing durable depends on it.
 */
import { MAX_KEY_SIZE } from '../shared/limits';
import { avalanche, mix } from './xxh64';
import { requires, requiresRange } from '../verify/contract';

const BLOCK_SIZE: u32 = 64;
/** One 32-bit word for each 4 bytes of a block. */
const words: usize = memory.data(64, 8);

class Secret {
  static low: u64 = 0;
  static high: u64 = 0;
}

/** Draws the secret words from 16 random bytes. */
export function seedKeyHash(low: u64, high: u64): void {
  let state = low;
  for (let offset: usize = 0; offset < 64; offset += 8) {
    state = mix(state, high + offset);
    store<u64>(words + offset, state);
  }
  Secret.low = mix(low, high);
  Secret.high = mix(high, low);
}

/** A word times a word, each with its secret: the lower and the upper half of 8 bytes of the key. */
function product(word: u64, offset: u32): u64 {
  requires(offset < BLOCK_SIZE && (offset & 7) == 0);
  const secret = load<u64>(words + offset);
  return <u64>(<u32>word + <u32>secret) * <u64>(<u32>(word >> 32) + <u32>(secret >> 32));
}

/** NH of up to one block. Reads up to 7 bytes before `pointer`, where a record or window always has some, and none behind. */
function digest(pointer: usize, size: u32): u64 {
  requires(size <= BLOCK_SIZE);
  requiresRange(pointer - 7, <usize>size + 7);
  let sum: u64 = 0;
  let offset: u32 = 0;
  while (offset + 8 <= size) {
    sum += product(load<u64>(pointer + offset), offset);
    offset += 8;
  }
  const rest = size - offset;
  if (rest != 0) sum += product(load<u64>(pointer + size - 8) >> (64 - (rest << 3)), offset);
  return sum;
}

function long(pointer: usize, size: u32): u64 {
  requires(size > BLOCK_SIZE);
  let a = Secret.low ^ 0x736f6d6570736575;
  let b = Secret.high ^ 0x646f72616e646f6d;
  let c = Secret.low ^ 0x6c7967656e657261;
  let d = Secret.high ^ 0x7465646279746573;
  let remaining = size;
  let finishing = 0;
  while (finishing < 4) {
    let input: u64 = 0;
    if (remaining > 0) {
      const part = min<u32>(remaining, BLOCK_SIZE);
      input = digest(pointer, part);
      pointer += part;
      remaining -= part;
    } else {
      if (finishing == 0) input = size;
      else if (finishing == 1) c ^= 0xff;
      finishing++;
    }
    d ^= input;
    a += b;
    b = rotl<u64>(b, 13) ^ a;
    a = rotl<u64>(a, 32);
    c += d;
    d = rotl<u64>(d, 16) ^ c;
    a += d;
    d = rotl<u64>(d, 21) ^ a;
    c += b;
    b = rotl<u64>(b, 17) ^ c;
    c = rotl<u64>(c, 32);
    a ^= input;
  }
  return a ^ b ^ c ^ d;
}

/** The hash of a key of at least one byte. */
export function hashKey(pointer: usize, size: u32): u64 {
  requires(size != 0 && size <= <u32>MAX_KEY_SIZE);
  requiresRange(pointer, size);
  if (size > BLOCK_SIZE) return long(pointer, size);
  return avalanche(digest(pointer, size) ^ (Secret.low + <u64>size * Secret.high));
}
