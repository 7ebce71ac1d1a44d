/**
 * What the writers write, and what a store must hold after any number of these commits. Commit number n of a life is a function of the seed, so whoever examines a store needs no record
 * of what was written: the last commit names itself in the key `last`, and everything else follows from it.
 */
import type { Store } from '../../src/index.js';
import { Random } from '../support/random.js';

/** A run of a writer between two power cuts. Commits are numbered through all lives; what a number writes differs from life to life, so that what a cut had undone is not taken for what came after. */
export interface Life {
  readonly seed: number;
  readonly life: number;
}

type Kind = 'put' | 'cas' | 'batch' | 'transaction';

/** One write of a commit: its value is made from where it comes from, when it is wanted. */
interface Write {
  readonly key: string;
  readonly isDelete: boolean;
  readonly index: number;
}

export interface Commit {
  readonly kind: Kind;
  readonly life: number;
  readonly number: number;
  readonly writes: readonly Write[];
}

/** The key that every commit writes. */
const LAST = 'last';
const KEY_COUNT = 40;
const WRITES_MAX = 8;
/** Values beyond a segment are cut into parts; the smallest segments are smaller than this. */
const LARGE_SIZE_MAX = 120_000;

function randomOf(seed: number, ...words: readonly number[]): Random {
  let mixed = seed;
  for (const word of words) mixed = Math.imul(mixed ^ word, 0x9e3779b1) ^ (mixed >>> 15);
  return new Random(mixed);
}

/** Commit `number` of a life. */
export function commitOf({ seed, life }: Life, number: number): Commit {
  const random = randomOf(seed, life, number);
  const kind = random.pick<Kind>(['put', 'cas', 'batch', 'batch', 'transaction', 'transaction']);
  const writes: Write[] = [{ key: LAST, isDelete: false, index: 0 }];
  if (kind === 'batch' || kind === 'transaction') {
    for (let index = 1 + random.below(WRITES_MAX); index > 0; index--) writes.push({ key: `key${random.below(KEY_COUNT)}`, isDelete: random.chance(0.25), index });
  }
  return { kind, life, number, writes };
}

function bytesOf(random: Random): Uint8Array {
  const kind = random.below(20);
  if (kind === 0) return random.bytes(random.below(LARGE_SIZE_MAX));
  // Long runs of zeros, and a single bit among them, are what a lost sector looks like.
  if (kind === 1) return new Uint8Array(random.below(6000));
  if (kind === 2) {
    const bytes = new Uint8Array(1 + random.below(6000));
    bytes[random.below(bytes.length)] = 1 << random.below(8);
    return bytes;
  }
  return random.bytes(random.below(kind < 10 ? 60 : 1200));
}

/** Where a value comes from. */
interface Origin {
  readonly life: number;
  readonly number: number;
  readonly index: number;
}

function valueOf(seed: number, { life, number, index }: Origin): unknown {
  const random = randomOf(seed, life, number, index + 1);
  if (index === 0) return { life, number, filler: 'x'.repeat(random.below(200)) };
  return bytesOf(random);
}

function versionOfCas({ ok, version }: { readonly ok: boolean; readonly version: number }): number {
  if (!ok) throw new Violation(`a cas on the version that the store had just shown found version ${version}`);
  return version;
}

/** Applies a commit: to the memory of the store at once, durably when the promise resolves with its version, or, with `isSync`, before this returns. */
export function apply(store: Store, seed: number, commit: Commit, isSync: boolean): Promise<number> {
  const values = commit.writes.map(({ key, isDelete, index }) => ({ key, value: isDelete ? undefined : valueOf(seed, { ...commit, index }) }));
  switch (commit.kind) {
    case 'put':
      return isSync ? Promise.resolve(store.putSync(LAST, values[0]!.value)) : store.put(LAST, values[0]!.value);
    case 'cas': {
      const expected = store.getEntry(LAST)?.version ?? 0;
      if (isSync) return Promise.resolve(versionOfCas(store.casSync(LAST, expected, values[0]!.value)));
      return store.cas(LAST, expected, values[0]!.value).then(versionOfCas);
    }
    case 'batch': {
      const operations = values.map(({ key, value }) => (value === undefined ? { type: 'delete', key } as const : { type: 'put', key, value } as const));
      return isSync ? Promise.resolve(store.batchSync(operations)) : store.batch(operations);
    }
    case 'transaction': {
      const tx = store.begin();
      for (const { key, value } of values) {
        tx.get(key);
        if (value === undefined) tx.delete(key);
        else tx.put(key, value);
      }
      return isSync ? Promise.resolve(tx.commitSync()) : tx.commit();
    }
  }
}

/** A key that exists: where its value comes from, and the version that the store has shown for it; 0 where it has shown none yet. */
export interface Held extends Origin {
  readonly version: number;
}

/** The state after a commit: what a store that ends there must hold, exactly. */
export interface State {
  /** The number of the last commit, 0 for an empty store. */
  readonly number: number;
  readonly held: readonly (readonly [key: string, held: Held])[];
}

export const EMPTY: State = { number: 0, held: [] };

/** A broken promise of the store. */
export class Violation extends Error {}

function isSame(value: unknown, expected: unknown): boolean {
  if (expected instanceof Uint8Array) return value instanceof Uint8Array && Buffer.compare(value, expected) === 0;
  return JSON.stringify(value) === JSON.stringify(expected);
}

/** What is known of a store before it is examined. */
export interface Knowledge {
  /** The state in which the life began. */
  readonly from: State;
  readonly life: Life;
  /** Commits of the life that were acknowledged, with their versions. */
  readonly acknowledged: readonly (readonly [number: number, version: number])[];
}

/** The state that a store ends in, if it is one that it may end in. @throws Violation. */
export function examine(store: Store, { from, life, acknowledged }: Knowledge): State {
  const last = store.getEntry(LAST);
  const said = last?.value as { life: number; number: number } | undefined;
  const number = said?.number ?? 0;
  const newest = acknowledged.reduce((highest, [acked]) => Math.max(highest, acked), from.number);
  if (number < newest) throw new Violation(`commit ${newest} was acknowledged, and the store ends at ${number}`);
  if (number > from.number && said!.life !== life.life) throw new Violation(`the store ends at commit ${number} of life ${said!.life}, which an earlier power cut had undone`);

  const held = new Map(from.held);
  const versions = new Map(acknowledged);
  for (let next = from.number + 1; next <= number; next++) {
    for (const { key, isDelete, index } of commitOf(life, next).writes) {
      if (isDelete) held.delete(key);
      else held.set(key, { life: life.life, number: next, index, version: versions.get(next) ?? 0 });
    }
  }
  return { number, held: compare(store, life.seed, held) };
}

/** Holds a store against what it must hold. Returns that with the versions that were found. */
function compare(store: Store, seed: number, expected: ReadonlyMap<string, Held>): State['held'] {
  const versions = new Map<number, number>();
  const found: [string, Held][] = [];
  for (const { key, value, version } of store.scan()) {
    const held = expected.get(key as string);
    if (held === undefined) throw new Violation(`${String(key)} is there, and was deleted or never written`);
    if (!isSame(value, valueOf(seed, held))) throw new Violation(`${String(key)} does not hold what commit ${held.number} put there: a part of a commit is missing, or its value is damaged`);
    if (!isSame(store.get(key), valueOf(seed, held))) throw new Violation(`${String(key)} reads otherwise by itself than in a scan`);
    if (held.version !== 0 && held.version !== version) throw new Violation(`${String(key)} was put at version ${held.version} and is there at ${version}`);
    const shared = versions.get(held.number) ?? version;
    if (shared !== version) throw new Violation(`commit ${held.number} has the versions ${shared} and ${version}`);
    versions.set(held.number, version);
    found.push([key as string, { ...held, version }]);
  }
  if (found.length !== expected.size) throw new Violation(`${expected.size - found.length} keys are missing: ${[...expected.keys()].filter((key) => !store.has(key)).join(', ')}`);
  let before = 0;
  for (const [number, version] of [...versions].sort(([one], [other]) => one - other)) {
    if (version <= before) throw new Violation(`commit ${number} has version ${version}, not above that of the commit before`);
    before = version;
  }
  return found;
}

/** The highest version in a state. */
export function versionOf(state: State): number {
  return state.held.reduce((highest, [, { version }]) => Math.max(highest, version), 0);
}
