/** The codecs of keys and values as targets: any bytes as what the store holds, read by codecs that have counters in their source. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { bundleWithCounters, SOURCE_ARMS_MAX } from './instrument-source.js';
import type { FuzzTarget } from './fuzzer.js';
import { mutateBytes } from './mutator.js';

const SIZE_MAX = 512;

/** Encodings that every fuzzer of these codecs would find, given as its words. */
const WORDS = [
  '10', '20', '21', '30', '40', '50', '60', '00', '00ff', 'fe', 'ff', '3080000000000000ff', '30c3e0000000000000ff0101', '300010000000000000', '30fff0000000000000', 'eda080', 'edb080', 'f09f9880',
  'c700', 'd400', 'c70102', 'c80010', '81a161', '92', 'dc0002', 'c40100', 'd6ff00000000', 'd7ff0000000000000000', 'c70cff', 'a95f5f70726f746f5f5f', 'ca7fc00000', 'cb7ff8000000000000', 'cf', 'd3',
  'c7020600', 'c7020700', 'c7020890', 'c7040c92a161a0', 'c7070d92a5457272', '7b7d', '5b5d', '22', '6e756c6c',
].map((hex) => Uint8Array.from(Buffer.from(hex, 'hex')));

interface Checks {
  checkKeys(input: Uint8Array): void;
  checkValue(input: Uint8Array): void;
}

class CodecTarget implements FuzzTarget {
  readonly sizeMax = SIZE_MAX;
  readonly name: string;
  readonly #counters: Uint8Array;
  readonly #check: (input: Uint8Array) => void;
  readonly #words: readonly Uint8Array[];

  constructor(name: string, check: (input: Uint8Array) => void, counters: Uint8Array, words: readonly Uint8Array[]) {
    this.name = name;
    this.#check = check;
    this.#counters = counters;
    this.#words = words;
  }

  clear(): void {
    this.#counters.fill(0);
  }

  read(): Uint8Array {
    return this.#counters;
  }

  run(input: Uint8Array): void {
    // Most inputs are refused, and collecting the stack of an error takes longer than all the rest.
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    try {
      this.#check(input);
    } finally {
      Error.stackTraceLimit = limit;
    }
  }

  mutate(input: Uint8Array, random: Parameters<FuzzTarget['mutate']>[1], others: readonly Uint8Array[]): Uint8Array {
    return mutateBytes(input, random, others, this.#words, SIZE_MAX);
  }
}

/** Both targets. */
export async function codecTargets(): Promise<{ readonly key: FuzzTarget; readonly value: FuzzTarget }> {
  const bundle = await bundleWithCounters('test/support/codec-checks.ts', (path) => /\/src\/codec\/|\/@msgpack\//.test(path));
  const all = new Uint8Array(SOURCE_ARMS_MAX);
  (globalThis as { varveArms?: Uint8Array }).varveArms = all;
  const folder = new URL('../../build/fuzz/', import.meta.url);
  const file = new URL(`codec-checks.${process.pid}.mjs`, folder);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, bundle.code);
  const checks = (await import(file.href)) as Checks;
  rmSync(file);
  const counters = all.subarray(0, bundle.armCount);
  const words = [...WORDS, ...bundle.constants.filter((constant) => Number.isInteger(constant) && constant >= 0 && constant < 256).map((constant) => Uint8Array.of(constant))];
  return {
    key: new CodecTarget('key', (input) => checks.checkKeys(input), counters, words),
    value: new CodecTarget('value', (input) => checks.checkValue(input), counters, words),
  };
}

/** Where the fuzzer begins: each of its words, alone and as the second key or with every codec and kind. */
export function codecSeeds(): Uint8Array[] {
  const seeds = [new Uint8Array(0)];
  for (const word of WORDS) {
    for (const first of [0, 1, 8, 24, 25, 29, 33, 54]) seeds.push(Uint8Array.of(first, ...word));
  }
  return seeds;
}
