/** The keys of a simulated world, in the documented order, in three spaces: the store itself and two keyspaces. A key in a space is a slot, and a slot is a number. */
import type { Key } from '../../../src/codec/key.js';
import type { Range } from '../../../src/range.js';
import type { Random } from '../random.js';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** Keys of all kinds, and such as trip those who keep them in objects. */
export const KEYS: readonly Key[] = [
  null, false, true, -Infinity, -3, 0, 1, 2.5, 7, 7n, 12_345_678_901_234_567_890n,
  '', '__proto__', 'a', 'constructor', 'k', 'k\0', 'k1', 'k10', 'k11', 'k2', `k${'x'.repeat(300)}`, 'l', 'é', '漢', '\ud800', '😀',
  bytes(), bytes(1), bytes(1, 0), bytes(2), [], [null], ['t'], ['t', 1], ['t', 2], ['t', 'x'], ['u', 1],
];

/** The store itself has the empty name. The values of `two` are bytes alone. */
export const SPACES = ['', 'one', 'two'] as const;
export const BYTES_SPACE = 2;
export const SLOT_COUNT = KEYS.length * SPACES.length;

export const slotOf = (space: number, index: number): number => space * KEYS.length + index;
export const spaceOf = (slot: number): number => Math.floor(slot / KEYS.length);
export const keyOf = (slot: number): Key => KEYS[slot % KEYS.length]!;

function keyText(key: Key): string {
  if (typeof key === 'string') return JSON.stringify(key.length > 20 ? `${key.slice(0, 4)}…${key.length}` : key);
  if (typeof key === 'bigint') return `${key}n`;
  if (key instanceof Uint8Array) return `<${key.join(' ')}>`;
  return Array.isArray(key) ? `[${key.map(keyText).join(', ')}]` : String(key);
}

/** A slot in words. */
export function slotText(slot: number): string {
  const space = SPACES[spaceOf(slot)]!;
  return `${space === '' ? '' : `${space}/`}${keyText(keyOf(slot))}`;
}

/** Finds the number of a key that a store has returned; -1 for one that nobody put. */
export function indexOfKey(key: Key): number {
  return indexByText.get(keyText(key)) ?? -1;
}

const indexByText = new Map(KEYS.map((key, index) => [keyText(key), index]));

/** A run of keys by their numbers: from the first to before the second. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

const startsWith = (key: Key, prefix: Key): boolean => {
  if (typeof key === 'string' && typeof prefix === 'string') return key.startsWith(prefix);
  if (key instanceof Uint8Array && prefix instanceof Uint8Array) return prefix.every((byte, at) => key[at] === byte);
  return Array.isArray(key) && Array.isArray(prefix) && key.length >= prefix.length && prefix.every((part, at) => key[at] === part);
};

const PREFIXES = (['k1', 'k', '', bytes(1), ['t'], []] as Key[]).map((prefix) => {
  const from = KEYS.findIndex((key) => startsWith(key, prefix));
  return { prefix, from, to: KEYS.findLastIndex((key) => startsWith(key, prefix)) + 1 };
});

export interface DrawnRange {
  readonly range: Range;
  readonly span: Span;
  readonly isReverse: boolean;
  readonly limit: number;
}

/** A random range, and the keys that it means. */
export function drawRange(random: Random): DrawnRange {
  const range: Range = {};
  let from = 0;
  let to = KEYS.length;
  if (random.chance(0.25)) {
    const one = random.pick(PREFIXES);
    range.prefix = one.prefix;
    ({ from, to } = one);
  }
  if (random.chance(0.4)) {
    const low = random.below(KEYS.length);
    if (random.chance(0.5)) range.gte = KEYS[low]!;
    else range.gt = KEYS[low]!;
    from = Math.max(from, range.gt === undefined ? low : low + 1);
  }
  if (random.chance(0.4)) {
    const high = random.below(KEYS.length);
    if (random.chance(0.5)) range.lte = KEYS[high]!;
    else range.lt = KEYS[high]!;
    to = Math.min(to, range.lt === undefined ? high + 1 : high);
  }
  const isReverse = random.chance(0.4);
  if (isReverse) range.reverse = true;
  const limit = random.chance(0.3) ? random.below(6) : Infinity;
  if (limit !== Infinity) range.limit = limit;
  return { range, span: { from, to: Math.max(from, to) }, isReverse, limit };
}
