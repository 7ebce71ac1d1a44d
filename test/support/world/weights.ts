/**
 * How a simulated world is made. Each has habits of its own (Groce and others, 2012: swarm testing): some acts never happen in it, others often, so that together worlds go to places that
 * one average world would not.
 */
import type { OpenOptions } from '../../../src/options.js';
import type { Random } from '../random.js';
import { SLOT_COUNT } from './keys.js';

/** Acts by their names, with how often they happen in an average world. */
export type Weights<Name extends string> = Readonly<Record<Name, number>>;

/** Draws weights around the usual ones: of those that may, some are left out, some come often. */
export function drawWeights<Name extends string>(random: Random, usual: Weights<Name>, always: ReadonlySet<string>): Weights<Name> {
  const weights: Record<string, number> = {};
  for (const name of Object.keys(usual) as Name[]) {
    const draw = random.below(10);
    const factor = draw < 3 && !always.has(name) ? 0 : draw < 8 ? 1 : 4;
    weights[name] = usual[name] * factor;
  }
  return weights as Weights<Name>;
}

/** Picks a name by its weight. */
export class Lottery<Name extends string> {
  readonly #names: readonly Name[];
  readonly #sums: number[] = [];
  #total = 0;

  constructor(weights: Weights<Name>) {
    this.#names = Object.keys(weights) as Name[];
    for (const name of this.#names) this.#sums.push((this.#total += weights[name]));
  }

  draw(random: Random): Name {
    const at = (random.next() / 2 ** 32) * this.#total;
    return this.#names[this.#sums.findIndex((sum) => at < sum)]!;
  }
}

/** What stays the same through all lives of a world. */
export interface Setup {
  readonly segmentSize: number;
  readonly history: OpenOptions['history'];
  /** The slots that are mostly used. */
  readonly slots: readonly number[];
  readonly largeChance: number;
  readonly largeSize: number;
  /** How often what is written expires. */
  readonly expiryChance: number;
  /** How many steps a life has on average. */
  readonly lifeLength: number;
  /** Whether crashes and failures come at all, and how often within a recovery. */
  readonly isCalm: boolean;
  readonly nestedChance: number;
  /** How often a life runs on the debug build, which verifies itself after every mutation. */
  readonly checksChance: number;
  readonly queueChance: number;
}

export function drawSetup(random: Random): Setup {
  const slots = new Set<number>();
  const count = random.pick([2, 4, 8, 20, 40]);
  while (slots.size < count) slots.add(random.below(SLOT_COUNT));
  const segmentSize = random.pick([4096, 4096, 4096, 4096, 8192, 16_384]);
  return {
    segmentSize,
    history: random.pick([undefined, undefined, undefined, 'all', { versions: 2 + random.below(4) }, { age: 1 + random.below(300) }, { versions: 4, age: 200 }] as const),
    slots: [...slots],
    largeChance: random.pick([0, 0, 0.02, 0.06, 0.25]),
    largeSize: random.pick([2, 4, 9]) * segmentSize,
    expiryChance: random.pick([0, 0, 0.1, 0.4]),
    lifeLength: random.pick([15, 60, 60, 100]),
    isCalm: random.chance(0.1),
    nestedChance: random.pick([0, 0.2, 0.5]),
    checksChance: random.pick([0, 0, 0, 0.2]),
    queueChance: random.pick([0, 0, 0.7]),
  };
}
