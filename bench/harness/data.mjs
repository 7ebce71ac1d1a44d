/**
 * What benchmarks work on: seeded random numbers, keys and values. The same seed gives the same work, and a key that was called fresh is never given out a
 * second time in a process, so that warm-up and measurement never meet each other's keys.
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const KEY_SIZE = 16;
export const VALUE_SIZE = 100;

/**
 * A small generator of 32-bit numbers (Mulberry32): good enough to shuffle with, and the same everywhere.
 * @param {number} seed
 */
export function createRandom(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return (bits ^ (bits >>> 14)) >>> 0;
  };
  return { next, below: (/** @type {number} */ limit) => next() % limit };
}

/**
 * A string that is one run of characters in memory. A concatenation is a tree until somebody reads it, and that cost belongs to no row.
 * @param {string} text
 */
function flat(text) {
  return decoder.decode(encoder.encode(text));
}

/**
 * A key of 16 ASCII characters.
 * @param {string} prefix at most 6 characters
 * @param {number} number
 */
export function keyFor(prefix, number) {
  return flat(prefix + String(number).padStart(KEY_SIZE - prefix.length, '0'));
}

/**
 * The keys of a store: `user:00000000000` and on.
 * @param {number} count
 */
export function createKeys(count) {
  return Array.from({ length: count }, (_, index) => keyFor('user:', index));
}

let freshCount = 0;

/**
 * Keys that nobody in this process has had. The counter never restarts.
 * @param {number} count
 */
export function freshKeys(count) {
  return Array.from({ length: count }, () => keyFor('new:', freshCount++));
}

/**
 * A sequence of positions, uniform over `[0, limit)`.
 * @param {number} length
 * @param {number} limit
 * @param {{ below(limit: number): number }} random
 */
export function uniformOrder(length, limit, random) {
  return Uint32Array.from({ length }, () => random.below(limit));
}

/**
 * The value that a key has when it was numbered: its first byte tells the number, so that reading the wrong value is seen.
 * @param {number} number
 * @param {number} size
 */
export function valueFor(number, size = VALUE_SIZE) {
  const value = new Uint8Array(size).fill(0x5a);
  value[0] = firstByteFor(number);
  return value;
}

/**
 * @param {number} number
 */
export function firstByteFor(number) {
  return (Math.imul(number, 0x9e3779b1) >>> 24) & 0xff;
}
