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

function randomBits(random: Random): Uint8Array {
  const bytes = new Uint8Array(600 + random.below(1000));
  bytes[random.below(bytes.length)] = 1 << random.below(8);
  return bytes;
}

/** Values of all sorts. Long runs of zeros, and single bits among them, are what a lost sector looks like. */
const VALUES: readonly ((random: Random) => unknown)[] = [
  (random) => filled(random.below(200), random.below(256)),
  (random) => 'text'.repeat(random.below(40)),
  (random) => ({ number: random.below(1000), list: [1, 'two', null], at: new Date(random.below(2 ** 31)) }),
  (random) => new Uint8Array(random.below(1600)),
  randomBits,
  (random) => filled(1000 + random.below(1500), random.below(256)),
  (random) => filled(4000 + random.below(5000), random.below(256)),
  (random) => random.below(100),
];

/** What a random life does, and how often: each has habits of its own, because stores that do a little of everything never do much of anything. */
export class Habits {
  readonly options: OpenOptions;
  readonly hasQueue: boolean;
  /** From how many segments on the store has an image of its index. */
  readonly imageSegments: number;
  readonly #random: Random;
  readonly #names: readonly Name[];
  readonly #values: readonly ((random: Random) => unknown)[];
  readonly #steps: readonly (() => Step)[];
  readonly #deletes: number;
  readonly #waits: number;

  constructor(random: Random) {
    this.#random = random;
    this.options = {
      durability: random.pick(['strict', 'strict', 'buffered', 'relaxed'] as const),
      flush: random.chance(0.3) ? 'sync' : 'async',
      segmentSize: random.chance(0.8) ? 4096 : 8192,
      ...(random.chance(0.15) ? { history: { versions: 3 } } : {}),
    };
    this.hasQueue = random.chance(0.1);
    this.imageSegments = random.chance(0.3) ? Infinity : 1;
    this.#names = this.#some(WRITTEN);
    this.#values = this.#some(VALUES);
    this.#deletes = random.pick([0, 0.1, 0.4]);
    this.#waits = random.pick([0, 0.5, 1]);
    const rare = this.#some<Step['type']>(['settle', 'hold', 'flush', 'seal', 'hand over', 'reopen', 'process crash', 'power loss']);
    const often = Array.from({ length: 4 + random.below(20) }, () => () => this.#commit());
    this.#steps = [...often, ...rare.map((type) => () => ({ type }) as Step)];
  }

  #some<T>(all: readonly T[]): readonly T[] {
    const share = this.#random.pick([0.2, 0.5, 1]);
    const some = all.filter(() => this.#random.chance(share));
    return some.length === 0 ? [this.#random.pick(all)] : some;
  }

  /** The next step. */
  step(clock: number): Step {
    const random = this.#random;
    if (random.chance(0.03)) return { type: 'pass', milliseconds: random.below(2000) };
    if (random.chance(0.04)) return commit('single', [{ name: 't', value: 'soon gone', expiresAt: clock + 1 + random.below(3000) }], random.chance(this.#waits));
    return random.pick(this.#steps)();
  }

  #write(name = this.#random.pick(this.#names)): Write {
    return { name, value: this.#random.chance(this.#deletes) ? undefined : this.#random.pick(this.#values)(this.#random) };
  }

  #commit(): Step {
    const random = this.#random;
    const waits = random.chance(this.#waits);
    const choice = random.below(20);
    if (choice < 10) return commit('single', [this.#write()], waits);
    if (choice < 12) return commit('cas', [this.#write()], waits);
    if (choice === 12) return commit('cas that fails', [this.#write()], waits);
    if (choice === 13) return commit('drop', [{ name: 'space/a', value: undefined }, { name: 'space/b', value: undefined }], waits);
    // The writes of one commit, each of a key of its own.
    const names = this.#names.filter(() => random.chance(0.5));
    return commit(choice < 17 ? 'batch' : 'transaction', (names.length === 0 ? [random.pick(this.#names)] : names).map((name) => this.#write(name)), waits);
  }
}
