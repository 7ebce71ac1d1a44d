/**
 * What a store of the crash tests should hold, and what it does hold. Both are told by the versions of a few keys, because no two commits of a life share a version; the values that belong to them are compared whole.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Store } from '../../src/store.js';

/** Every key that a workload writes. `t` is only ever put so that it expires; `after` and `large` only by whoever examines a crash. */
export const NAMES = ['a', 'b', 'c', 'd', 't', 'space/a', 'space/b', 'after', 'large'] as const;
export type Name = (typeof NAMES)[number];

/** The keyspace of the keys that are not the store's own. */
export const SPACE = 'space';
/** The keys as the store knows them, and whether they are those of the keyspace. */
const KEYS = NAMES.map((name) => ({ name, key: name.replace(`${SPACE}/`, ''), isInSpace: name.startsWith(SPACE) }));

export const keyOf = (name: Name): string => KEYS[NAMES.indexOf(name)]!.key;
export const isInSpace = (name: Name): boolean => KEYS[NAMES.indexOf(name)]!.isInSpace;

export const spaceOf = (store: Store): ReturnType<Store['keyspace']> => store.keyspace(SPACE);

/** A write of a commit: a delete where the value is undefined. */
export interface Write {
  readonly name: Name;
  readonly value: unknown;
  /** When the value expires, in epoch milliseconds. */
  readonly expiresAt?: number;
}

export interface Held {
  readonly version: number;
  readonly expiresAt: number;
}

/** The keys that exist. */
export type State = ReadonlyMap<Name, Held>;

/** Whether a commit of these writes has an effect: one of nothing but deletes of what is not there has none, and no version. */
export function hasEffect(state: State, writes: readonly Write[]): boolean {
  return writes.some(({ name, value }) => value !== undefined || state.has(name));
}

export function applyWrites(state: State, writes: readonly Write[], version: number): State {
  const next = new Map(state);
  for (const { name, value, expiresAt = Infinity } of writes) {
    if (value === undefined) next.delete(name);
    else next.set(name, { version, expiresAt });
  }
  return next;
}

/** A state in one word: of each key the version that is seen at a time, or nothing. */
export function signatureOf(state: State, clock: number): string {
  return NAMES.map((name) => {
    const held = state.get(name);
    return held === undefined || held.expiresAt <= clock ? '' : held.version;
  }).join();
}

/** A state, as a signature, with another version of one key. */
export function withVersion(signature: string, name: Name, version: number): string {
  return signature.split(',').map((held, index) => (NAMES[index] === name ? version : held)).join();
}

function isSame(left: unknown, right: unknown): boolean {
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right) === 0;
  return left === right || (typeof left === 'object' && isDeepStrictEqual(left, right));
}

/** The values that were ever put, by key and version. */
export class Values {
  readonly #known = new Map<string, unknown>();

  note(writes: readonly Write[], version: number): void {
    for (const { name, value } of writes) if (value !== undefined) this.#known.set(`${name}@${version}`, value);
  }

  forget(): void {
    this.#known.clear();
  }

  /** The state that a store holds, as a signature. Throws where a key has a version that it never had, or one with a value that is not its own. */
  read(store: Store): string {
    const space = spaceOf(store);
    let signature = '';
    for (const { name, key, isInSpace: isHere } of KEYS) {
      const entry = (isHere ? space : store).getEntry(key);
      if (signature !== '' || name !== NAMES[0]) signature += ',';
      if (entry === undefined) continue;
      const { value, version } = entry;
      signature += version;
      const id = `${name}@${version}`;
      const known = this.#known.get(id);
      if (known === undefined) throw new Error(`${name} has version ${version}, which it never had`);
      if (!isSame(value, known)) throw new Error(`${name} has at version ${version} another value than it was given`);
    }
    return signature;
  }
}

/** The keys that the scans of a store show, as those that a signature names. Throws where they differ. */
export function checkScan(store: Store, signature: string): void {
  const seen = [...store.keys(), ...[...spaceOf(store).keys()].map((key) => `${SPACE}/${String(key)}`)].map(String).sort();
  const versions = signature.split(',');
  const expected = NAMES.filter((_, index) => versions[index] !== '').map(String).sort();
  if (!isDeepStrictEqual(seen, expected)) throw new Error(`a scan shows ${seen.join(', ')} instead of ${expected.join(', ')}`);
}
