/** What a store with keyspaces, expiry and history of versions must show, by the rules alone: for the simulations of scans. Keys are numbered in their order. */
import type { Key } from '../../src/codec/key.js';
import type { Range } from '../../src/range.js';
import type { Random } from './random.js';

/** Keys in the documented order. */
export const KEYS: readonly Key[] = [
  -3, 0, 1, 2.5, 7, '', 'a', 'k', 'k1', 'k10', 'k11', 'k2', 'k20', 'k3', 'l', 'z', 'é', '漢', new Uint8Array([1]), new Uint8Array([1, 0]), new Uint8Array([2]),
  [], ['t'], ['t', 1], ['t', 2], ['t', 'x'], ['u', 1],
];
export const SPACES = ['', 'one', 'two'] as const;

interface Change {
  readonly version: number;
  readonly value: number | undefined;
  readonly expiry: number | undefined;
}

export interface Seen {
  readonly index: number;
  readonly value: number;
  readonly version: number;
}

/** A range of keys by their numbers: from the first to before the second. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A random range, and the keys that it means. */
export function randomRange(random: Random): { range: Range; span: Span; isReverse: boolean; limit: number } {
  const range: Range = {};
  let from = 0;
  let to = KEYS.length;
  const choice = random.below(8);
  if (choice === 0) {
    range.prefix = 'k1';
    from = KEYS.indexOf('k1');
    to = from + 3;
  } else if (choice === 1) {
    range.prefix = ['t'];
    from = KEYS.findIndex((key) => Array.isArray(key) && key[0] === 't');
    to = from + 4;
  }
  if (choice > 1 && random.chance(0.6)) {
    const low = random.below(KEYS.length);
    if (random.chance(0.5)) range.gte = KEYS[low]!;
    else range.gt = KEYS[low]!;
    from = range.gt === undefined ? low : low + 1;
  }
  if (choice > 1 && random.chance(0.6)) {
    const high = random.below(KEYS.length);
    if (random.chance(0.5)) range.lte = KEYS[high]!;
    else range.lt = KEYS[high]!;
    to = range.lt === undefined ? high + 1 : high;
  }
  const isReverse = random.chance(0.4);
  if (isReverse) range.reverse = true;
  const limit = random.chance(0.3) ? random.below(6) : Infinity;
  if (limit !== Infinity) range.limit = limit;
  return { range, span: { from, to: Math.max(from, to) }, isReverse, limit };
}

export class OrderedModel {
  readonly #changes = new Map<string, Change[]>();

  #of(space: string, index: number): Change[] {
    const name = `${space}/${index}`;
    let changes = this.#changes.get(name);
    if (changes === undefined) this.#changes.set(name, (changes = []));
    return changes;
  }

  change(space: string, index: number, version: number, value: number | undefined, expiry?: number): void {
    this.#of(space, index).push({ version, value, expiry });
  }

  /** What a reader at a version and a clock sees of a key. */
  seen(space: string, index: number, version: number, clock: number): Seen | undefined {
    const change = this.#of(space, index).findLast((one) => one.version <= version);
    if (change === undefined || change.value === undefined || (change.expiry !== undefined && change.expiry <= clock)) return undefined;
    return { index, value: change.value, version: change.version };
  }

  /** Whether a key changed, or expired, after a version and a clock. */
  isChanged(space: string, index: number, version: number, clock: number, now: number): boolean {
    const newest = this.#of(space, index).at(-1);
    if (newest === undefined) return false;
    return newest.version > version || (newest.expiry !== undefined && newest.expiry > clock && newest.expiry <= now);
  }
}
