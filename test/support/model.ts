/** What a store should hold: a plain Map, and the operations that change both alike. */
import type { Key } from '../../src/codec/key.js';
import type { BatchOperation } from '../../src/batch.js';
import type { Store } from '../../src/store.js';
import type { Random } from './random.js';

export interface Held {
  readonly value: unknown;
  readonly version: number;
}

/** The state of a store: keys by name. */
export type State = ReadonlyMap<string, Held>;

/** One step of a history. */
export type Step =
  | { readonly type: 'put'; readonly key: string; readonly value: unknown }
  | { readonly type: 'delete'; readonly key: string }
  | { readonly type: 'cas'; readonly key: string; readonly isRight: boolean; readonly value: unknown }
  | { readonly type: 'batch'; readonly operations: readonly BatchOperation<unknown>[] };

/** How a random history looks. */
export interface Shape {
  readonly keyCount: number;
  readonly valueSizeMax: number;
  readonly batchSizeMax: number;
}

function randomValue(random: Random, shape: Shape): unknown {
  const kind = random.below(8);
  if (kind === 0) return 'text'.repeat(random.below(20));
  if (kind === 1) return { number: random.below(1000), list: [1, 'two', null] };
  // Long runs of zeros, and single bits among them, are what a lost sector looks like.
  if (kind === 2) return new Uint8Array(random.below(shape.valueSizeMax));
  const bytes = kind === 3 ? new Uint8Array(1 + random.below(shape.valueSizeMax)) : random.bytes(random.below(Math.min(200, shape.valueSizeMax)));
  if (kind === 3) bytes[random.below(bytes.length)] = 1 << random.below(8);
  return bytes;
}

export function randomStep(random: Random, shape: Shape): Step {
  const key = `key${random.below(shape.keyCount)}`;
  const choice = random.below(20);
  if (choice < 3) return { type: 'delete', key };
  if (choice < 5) return { type: 'cas', key, isRight: random.chance(0.7), value: random.chance(0.2) ? undefined : randomValue(random, shape) };
  if (choice < 8) {
    const operations: BatchOperation<unknown>[] = [];
    for (let count = random.below(shape.batchSizeMax); count >= 0; count--) {
      const name = `key${random.below(shape.keyCount)}`;
      operations.push(random.chance(0.25) ? { type: 'delete', key: name } : { type: 'put', key: name, value: randomValue(random, shape) });
    }
    return { type: 'batch', operations };
  }
  return { type: 'put', key, value: randomValue(random, shape) };
}

/** The versions that a key has in the model: 0 where it does not exist. */
function versionIn(state: State, key: string): number {
  return state.get(key)?.version ?? 0;
}

/** What a step leaves of a state, given the version that the store gave it. */
export function applyToModel(state: State, step: Step, version: number): State {
  if (version === 0) return state;
  const next = new Map(state);
  const write = (key: string, value: unknown): void => {
    if (value === undefined) next.delete(key);
    else next.set(key, { value, version });
  };
  if (step.type === 'batch') for (const operation of step.operations) write(operation.key as string, operation.type === 'put' ? operation.value : undefined);
  else write(step.key, step.type === 'delete' ? undefined : step.value);
  return next;
}

/** Applies a step through the `…Sync` forms. Returns the version: 0 where it had no effect. */
export function applySync(store: Store, state: State, step: Step): number {
  switch (step.type) {
    case 'put':
      return store.putSync(step.key, step.value);
    case 'delete':
      return store.deleteSync(step.key);
    case 'batch':
      return store.batchSync(step.operations);
    case 'cas': {
      const expected = versionIn(state, step.key) + (step.isRight ? 0 : 1);
      const result = store.casSync(step.key, expected, step.value);
      if (result.ok !== step.isRight) throw new Error('a cas decided wrongly');
      if (!result.ok && result.version !== versionIn(state, step.key)) throw new Error('a cas that failed names a wrong version');
      return result.ok ? result.version : 0;
    }
  }
}

/** Applies a step through the awaited forms: applied at once, acknowledged by the promise. */
export function applyAsync(store: Store, state: State, step: Step): Promise<number> {
  switch (step.type) {
    case 'put':
      return store.put(step.key, step.value);
    case 'delete':
      return store.delete(step.key);
    case 'batch':
      return store.batch(step.operations);
    case 'cas':
      return store.cas(step.key, versionIn(state, step.key) + (step.isRight ? 0 : 1), step.value).then((result) => (result.ok ? result.version : 0));
  }
}

function isSame(left: unknown, right: unknown): boolean {
  if (left instanceof Uint8Array && right instanceof Uint8Array) {
    return left.length === right.length && left.every((byte, index) => byte === right[index]);
  }
  return typeof left === 'object' && typeof right === 'object' ? JSON.stringify(left) === JSON.stringify(right) : left === right;
}

/** What reads entries: a store, or a view of one. */
interface Reader {
  getEntry(key: Key): { readonly value: unknown; readonly version: number } | undefined;
}

/** The first difference between what a reader sees and a state, in words; undefined where there is none. */
export function differenceSeen(store: Reader, state: State, keyCount: number): string | undefined {
  for (let index = 0; index < keyCount; index++) {
    const key: Key = `key${index}`;
    const expected = state.get(key);
    const found = store.getEntry(key);
    if (expected === undefined) {
      if (found !== undefined) return `${key} exists`;
    } else if (found === undefined) return `${key} is missing`;
    else if (found.version !== expected.version) return `${key} has version ${found.version} instead of ${expected.version}`;
    else if (!isSame(found.value, expected.value)) return `${key} has another value`;
  }
  return undefined;
}

/** The first difference between a store and a state, in words; undefined where there is none. */
export function difference(store: Store, state: State, keyCount: number): string | undefined {
  const seen = differenceSeen(store, state, keyCount);
  if (seen !== undefined) return seen;
  const { keys } = store.stats();
  return keys === state.size ? undefined : `${keys} keys instead of ${state.size}`;
}
