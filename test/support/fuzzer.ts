/**
 * A coverage-guided fuzzer: it changes inputs that reached something new, runs the target, and keeps what reaches something newer. A feature is a counter of the target together with
 * the power of two that it came to, so a loop that turns more often counts as new too; of the inputs with a feature, the smallest is kept. It draws from a seed and nothing else: the
 * same seed, corpus and number of runs give the same inputs.
 */
import type { Random } from './random.js';

export interface FuzzTarget {
  readonly name: string;
  /** How large an input may get. */
  readonly sizeMax: number;
  /** Runs one input. Throws for what must never happen; what the input may rightly meet, it catches. */
  run(input: Uint8Array): void | Promise<void>;
  /** Makes the counters zero, before a run. */
  clear(): void;
  /** What the run counted. */
  read(): ArrayLike<number>;
  /** An input made from another; `others` are the inputs that were kept. */
  mutate(input: Uint8Array, random: Random, others: readonly Uint8Array[]): Uint8Array;
}

/** What a target throws, with the input that made it. */
export interface Finding {
  readonly input: Uint8Array;
  readonly error: Error;
  readonly executions: number;
}

interface Entry {
  readonly input: Uint8Array;
  /** How many features have this as their smallest input. */
  owned: number;
}

/** One of eight ranges of a count. */
function rangeOf(count: number): number {
  return count < 4 ? count - 1 : count < 8 ? 3 : count < 16 ? 4 : count < 64 ? 5 : count < 1024 ? 6 : 7;
}

export class Fuzzer {
  readonly target: FuzzTarget;
  executions = 0;
  /** How many features were met. */
  features = 0;
  readonly #random: Random;
  #owners: (Entry | undefined)[] = [];
  #entries: Entry[] = [];
  #inputs: Uint8Array[] = [];

  constructor(target: FuzzTarget, random: Random) {
    this.target = target;
    this.#random = random;
  }

  /** The inputs that are worth keeping: together they have every feature that was met. */
  get corpus(): readonly Uint8Array[] {
    return this.#inputs;
  }

  /** How many counters were ever above zero. */
  get coverage(): number {
    let count = 0;
    for (let first = 0; first < this.#owners.length; first += 8) if (this.#owners.slice(first, first + 8).some((owner) => owner !== undefined)) count++;
    return count;
  }

  /** Runs an input, and keeps it where it reaches something new or is smaller than what did. Returns what the target threw, if it did. */
  async try(input: Uint8Array): Promise<Error | undefined> {
    this.target.clear();
    this.executions++;
    try {
      const running = this.target.run(input);
      if (running !== undefined) await running;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
    this.#learn(input);
    return undefined;
  }

  #learn(input: Uint8Array): void {
    const counts = this.target.read();
    let entry: Entry | undefined;
    let isShrinking = false;
    for (let index = 0; index < counts.length; index++) {
      const count = counts[index]!;
      if (count === 0) continue;
      const feature = index * 8 + rangeOf(count);
      const owner = this.#owners[feature];
      if (owner !== undefined && owner.input.length <= input.length) continue;
      entry ??= { input: input.slice(), owned: 0 };
      if (owner === undefined) this.features++;
      else if (--owner.owned === 0) isShrinking = true;
      this.#owners[feature] = entry;
      entry.owned++;
    }
    if (entry === undefined) return;
    if (isShrinking) this.#entries = this.#entries.filter(({ owned }) => owned > 0);
    this.#entries.push(entry);
    this.#inputs = this.#entries.map((kept) => kept.input);
  }

  /** The next input to try: half of the time made from one that was kept lately. */
  next(): Uint8Array {
    const random = this.#random;
    const count = this.#inputs.length;
    const lately = Math.min(count, 1 + (count >> 3));
    const base = random.chance(0.5) ? this.#inputs[count - 1 - random.below(lately)]! : this.#inputs[random.below(count)]!;
    return this.target.mutate(base, random, this.#inputs);
  }

  /** Tries the inputs that there are, then new ones until `isOver`. Stops at the first finding. */
  async run(inputs: readonly Uint8Array[], isOver: (executions: number) => boolean): Promise<Finding | undefined> {
    for (const input of inputs) {
      const error = await this.try(input);
      if (error !== undefined) return { input, error, executions: this.executions };
    }
    while (!isOver(this.executions)) {
      const input = this.next();
      const error = await this.try(input);
      if (error !== undefined) return { input, error, executions: this.executions };
    }
    return undefined;
  }
}

/** What a finding is about, for telling two apart: the class of the error and its message without numbers. */
export function signatureOf(error: Error): string {
  return `${error.name}: ${error.message.replaceAll(/\d+/g, 'n').slice(0, 200)}`;
}

/** A smaller input with the same signature: cuts pieces out, and makes bytes zero, as long as it stays. */
export async function minimise(target: FuzzTarget, finding: Finding, triesMax: number, keepsSize: boolean): Promise<Uint8Array> {
  const signature = signatureOf(finding.error);
  let best = finding.input;
  let tries = 0;
  const stays = async (input: Uint8Array): Promise<boolean> => {
    tries++;
    target.clear();
    try {
      await target.run(input);
    } catch (error) {
      return error instanceof Error && signatureOf(error) === signature;
    }
    return false;
  };
  for (let size = best.length >> 1; size > 0 && tries < triesMax; size >>= 1) {
    for (let offset = 0; offset < best.length && tries < triesMax; ) {
      const cut = keepsSize ? best.slice() : new Uint8Array(best.length - Math.min(size, best.length - offset));
      if (keepsSize) cut.fill(0, offset, offset + size);
      else {
        cut.set(best.subarray(0, offset));
        cut.set(best.subarray(offset + size), offset);
      }
      const isSame = keepsSize && Buffer.compare(cut, best) === 0;
      if (!isSame && await stays(cut)) {
        best = cut;
        if (keepsSize) offset += size;
      } else offset += size;
    }
  }
  return best;
}
