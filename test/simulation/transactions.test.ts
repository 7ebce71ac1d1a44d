/** Random interleavings of transactions against a model that knows, of each key, when it last changed. Every structure is verified after every mutation. */
import { expect, test } from 'vitest';
import { CasError, ConflictError } from '../../src/errors.js';
import type { Isolation, Transaction } from '../../src/transaction.js';
import { MemoryDevice } from '../../src/device/memory.js';
import { Random, seedOf } from '../support/random.js';
import { openStore } from '../support/stores.js';

interface Change {
  readonly value: number | undefined;
  readonly version: number;
}

type History = Map<string, Change[]>;

/** What a key was at a version. */
function at(history: History, key: string, version: number): Change {
  return history.get(key)?.findLast((change) => change.version <= version) ?? { value: undefined, version: 0 };
}

interface Running {
  readonly tx: Transaction;
  readonly reads: Set<string>;
  readonly writes: Map<string, number | undefined>;
  readonly expected: Map<string, number>;
  contradicts: boolean;
}

const existing = (change: Change): number => (change.value === undefined ? 0 : change.version);

/** What must come of a commit, by the rules alone. */
function verdict(running: Running, history: History): 'ok' | 'conflict or cas' | 'conflict' | 'cas' {
  const { tx, reads, writes, expected } = running;
  if (writes.size === 0) return 'ok';
  const relied = tx.isolation === 'snapshot' ? [...writes.keys()].filter((key) => !expected.has(key)) : [...reads];
  const isConflict = relied.some((key) => at(history, key, Infinity).version > tx.version);
  const isMismatch = running.contradicts || [...expected].some(([key, version]) => existing(at(history, key, Infinity)) !== version);
  if (isConflict && isMismatch) return 'conflict or cas';
  return isConflict ? 'conflict' : isMismatch ? 'cas' : 'ok';
}

function outcome(tx: Transaction): { kind: 'ok' | 'conflict' | 'cas'; version: number } {
  try {
    return { kind: 'ok', version: tx.commitSync() };
  } catch (error) {
    if (error instanceof ConflictError) return { kind: 'conflict', version: 0 };
    if (error instanceof CasError) return { kind: 'cas', version: 0 };
    throw error;
  }
}

function live(seed: number, steps: number, keyCount: number): { commits: number; conflicts: number } {
  const random = new Random(seed);
  const store = openStore(new MemoryDevice(), { durability: 'relaxed', segmentSize: 4096 }, seed, true);
  const history: History = new Map();
  const running: Running[] = [];
  const figures = { commits: 0, conflicts: 0 };
  const record = (key: string, value: number | undefined, version: number): void => {
    const changes = history.get(key) ?? [];
    history.set(key, changes);
    changes.push({ value, version });
  };
  for (let number = 0; number < steps; number++) {
    const where = `seed ${seed}, step ${number}`;
    const key = `key${random.below(keyCount)}`;
    const choice = random.below(20);
    if (running.length < 2 || (choice === 0 && running.length < 12)) {
      const isolation: Isolation = random.chance(0.5) ? 'serializable' : 'snapshot';
      running.push({ tx: store.begin({ isolation }), reads: new Set(), writes: new Map(), expected: new Map(), contradicts: false });
      continue;
    }
    const one = random.pick(running);
    if (choice < 9) {
      const expected = one.writes.has(key) ? one.writes.get(key) : at(history, key, one.tx.version).value;
      expect(one.tx.get(key), `${where}: a read (T2, T3, T4, T5)`).toBe(expected);
      if (!one.writes.has(key)) one.reads.add(key);
    } else if (choice < 13) {
      one.tx.put(key, number);
      one.writes.set(key, number);
    } else if (choice < 14) {
      one.tx.delete(key);
      one.writes.set(key, undefined);
    } else if (choice < 15) {
      const version = random.chance(0.8) ? existing(at(history, key, Infinity)) : random.below(1000);
      one.tx.cas(key, version, number);
      if (one.expected.has(key) && one.expected.get(key) !== version) one.contradicts = true;
      one.expected.set(key, version);
      one.writes.set(key, number);
    } else if (choice < 16) {
      record(key, number, store.putSync(key, number));
    } else {
      running.splice(running.indexOf(one), 1);
      if (choice === 16) {
        one.tx.abort();
        continue;
      }
      const expected = verdict(one, history);
      const { kind, version } = outcome(one.tx);
      if (expected === 'conflict or cas') expect(['conflict', 'cas'], where).toContain(kind);
      else expect(kind, `${where}: the outcome of a commit (T7 to T11, T15)`).toBe(expected);
      if (kind !== 'ok') figures.conflicts++;
      if (version === 0) continue;
      figures.commits++;
      for (const [name, value] of one.writes) {
        if (value !== undefined || at(history, name, Infinity).value !== undefined) record(name, value, version);
      }
      for (const [name, changes] of history) {
        const newest = changes.at(-1)!;
        expect(store.getEntry(name)?.version ?? 0, `${where}: ${name} after a commit (T1, T6, T17)`).toBe(existing(newest));
      }
    }
  }
  for (const { tx } of running) tx.abort();
  for (let number = 0; number < 100; number++) store.putSync('key0', number);
  expect(store.stats().snapshots, `seed ${seed}: nothing is left behind (T14)`).toEqual({ open: 0, oldest: undefined, oldVersions: 0 });
  return figures;
}

test('any interleaving of transactions commits and fails as the rules say (T1 to T15)', () => {
  const base = seedOf(9000);
  let commits = 0;
  let conflicts = 0;
  for (let seed = base; seed < base + 12; seed++) {
    const figures = live(seed, 700, 4 + (seed % 20));
    commits += figures.commits;
    conflicts += figures.conflicts;
  }
  expect(commits).toBeGreaterThan(250);
  expect(conflicts).toBeGreaterThan(50);
});
