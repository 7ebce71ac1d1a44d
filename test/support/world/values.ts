/** The values of a simulated world: every kind, small ones and such as are spread over several segments, random bytes and the long runs of zeros that lost sectors look like. */
import { isDeepStrictEqual } from 'node:util';
import { Random } from '../random.js';

/** Values of random bytes are views of one pool: the store copies what it is given, so they cost nothing to make and to remember. */
const POOL_SIZE = 1 << 17;
const pool = new Random(17).bytes(POOL_SIZE);
const zeros = new Uint8Array(POOL_SIZE);

const pooled = (random: Random, size: number): Uint8Array => {
  const start = random.below(POOL_SIZE - size);
  return pool.subarray(start, start + size);
};

/** Values up to this many bytes, where none larger was asked for. */
const SMALL_SIZE = 240;

/** A random value. `largeChance` is how often it takes `largeSize` bytes or less, instead of some. */
export function drawValue(random: Random, largeChance: number, largeSize: number, isBytes: boolean): unknown {
  if (random.chance(largeChance)) {
    const size = random.below(largeSize);
    return random.chance(0.2) ? zeros.subarray(0, size) : pooled(random, size);
  }
  const kind = isBytes ? random.below(3) : random.below(10);
  switch (kind) {
    case 0:
      return pooled(random, random.below(SMALL_SIZE));
    case 1:
      return zeros.subarray(0, random.below(1200));
    case 2: {
      const value = new Uint8Array(1 + random.below(1500));
      value[random.below(value.length)] = 1 << random.below(8);
      return value;
    }
    case 3:
      return 'text '.repeat(random.below(12)) + random.next();
    case 4:
      return { number: random.next(), list: [1, 'two', null], when: new Date(random.next()) };
    case 5:
      return new Map([['a', random.next()]]);
    case 6:
      return '漢'.repeat(random.below(20));
    default:
      return random.next();
  }
}

export function isSame(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (left instanceof Uint8Array && right instanceof Uint8Array) return left.length === right.length && Buffer.compare(left, right) === 0;
  return isDeepStrictEqual(left, right);
}

/** About how many bytes a value takes in the log. */
export const sizeOf = (value: unknown): number => (value instanceof Uint8Array ? value.length : 16);

/** A value in a few words. */
export function valueText(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  const text = value instanceof Map ? 'a map' : typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.length > 30 ? `${text.slice(0, 27)}…` : text;
}
