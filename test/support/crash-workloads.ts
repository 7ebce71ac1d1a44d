/** What the stores of the crash tests live through: every short sequence of a few steps, and long random ones. */
import { PART_SIZE_MIN } from '../../assembly/shared/limits.js';
import type { OpenOptions } from '../../src/options.js';
import type { Manner, Step } from './crash-life.js';
import type { Name, Write } from './crash-model.js';
import type { Random } from './random.js';

/** Bytes that look like no others, and never like a lost sector. */
function filled(size: number, first: number): Uint8Array {
  return new Uint8Array(size).map((_, index) => ((index * 31 + first) & 0xff) | 1);
}

const commit = (manner: Manner, writes: readonly Write[], waits = false): Step => ({ type: 'commit', manner, writes, waits });

/** The alphabet of the short sequences. A value of `big` takes parts in segments of 4 KiB. */
export const ALPHABET: Readonly<Record<string, Step>> = {
  'put a': commit('single', [{ name: 'a', value: filled(300, 1) }]),
  'put b big': commit('single', [{ name: 'b', value: filled(5 * PART_SIZE_MIN, 2) }]),
  'delete a': commit('single', [{ name: 'a', value: undefined }]),
  batch: commit('batch', [{ name: 'a', value: 'batch' }, { name: 'b', value: undefined }, { name: 'c', value: new Uint8Array(700) }]),
  transaction: commit('transaction', [{ name: 'c', value: { in: 'a transaction' } }, { name: 'space/a', value: 1 }]),
  flush: { type: 'flush' },
  reopen: { type: 'reopen' },
  'process crash': { type: 'process crash' },
};

/** The modes that they are run under: what `relaxed` adds is in the random lives. */
export const SEQUENCE_MODES = ['strict', 'buffered'] as const;

/** Every sequence of so many steps. */
export function* sequences(length: number): Generator<readonly string[]> {
  if (length === 0) {
    yield [];
    return;
  }
  for (const before of sequences(length - 1)) for (const name of Object.keys(ALPHABET)) yield [...before, name];
}

const WRITTEN: readonly Name[] = ['a', 'b', 'c', 'd', 'space/a', 'space/b'];

function randomValue(random: Random): unknown {
  const kind = random.below(10);
  if (kind < 3) return filled(random.below(200), random.below(256));
  if (kind === 3) return 'text'.repeat(random.below(40));
  if (kind === 4) return { number: random.below(1000), list: [1, 'two', null], at: new Date(random.below(2 ** 31)) };
  // Long runs of zeros, and single bits among them, are what a lost sector looks like.
  if (kind === 5) return new Uint8Array(random.below(1600));
  if (kind === 6) {
    const bytes = new Uint8Array(600 + random.below(1000));
    bytes[random.below(bytes.length)] = 1 << random.below(8);
    return bytes;
  }
  if (kind === 7) return filled(1000 + random.below(1500), random.below(256));
  if (kind === 8) return filled(4000 + random.below(5000), random.below(256));
  return random.below(100);
}

function randomWrite(random: Random, name = random.pick(WRITTEN)): Write {
  return { name, value: random.chance(0.2) ? undefined : randomValue(random) };
}

/** The writes of one commit, each of a key of its own. */
function randomWrites(random: Random): Write[] {
  const names = WRITTEN.filter(() => random.chance(0.4));
  return (names.length === 0 ? [random.pick(WRITTEN)] : names).map((name) => randomWrite(random, name));
}

function randomCommit(random: Random, waits: boolean, clock: number): Step {
  const choice = random.below(20);
  if (choice < 9) return commit('single', [randomWrite(random)], waits);
  if (choice === 9) return commit('single', [{ name: 't', value: 'soon gone', expiresAt: clock + 1 + random.below(3000) }], waits);
  if (choice < 12) return commit('cas', [randomWrite(random)], waits);
  if (choice === 12) return commit('cas that fails', [randomWrite(random)], waits);
  if (choice === 13) return commit('drop', [{ name: 'space/a', value: undefined }, { name: 'space/b', value: undefined }], waits);
  return commit(choice < 17 ? 'batch' : 'transaction', randomWrites(random), waits);
}

/** The options of a random life. */
export function randomOptions(random: Random): OpenOptions {
  const durability = random.pick(['strict', 'strict', 'buffered', 'relaxed'] as const);
  return {
    durability,
    flush: random.chance(0.3) ? 'sync' : 'async',
    segmentSize: random.chance(0.75) ? 4096 : 8192,
    ...(random.chance(0.15) ? { history: { versions: 3 } } : {}),
  };
}

/** The next step of a random life. */
export function randomStep(random: Random, clock: number): Step {
  const choice = random.below(40);
  if (choice < 30) return randomCommit(random, random.chance(0.4), clock);
  if (choice < 33) return { type: 'settle' };
  if (choice < 34) return { type: 'pass', milliseconds: random.below(2000) };
  if (choice < 36) return { type: random.pick(['flush', 'hand over'] as const) };
  if (choice < 38) return { type: 'seal' };
  return { type: random.pick(['reopen', 'process crash', 'power loss'] as const) };
}
