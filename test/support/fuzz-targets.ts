/** The targets of the fuzzer by name, each with the inputs that it begins from. */
import { CountedCore } from './counted-core.js';
import { codecSeeds, codecTargets } from './fuzz-codec.js';
import { FileTarget, sampleFiles } from './fuzz-file.js';
import type { FuzzTarget } from './fuzzer.js';

export const TARGET_NAMES = ['file', 'key', 'value'] as const;
export type TargetName = (typeof TARGET_NAMES)[number];

export interface Prepared {
  readonly target: FuzzTarget;
  readonly seeds: readonly Uint8Array[];
  /** How many counters there are. */
  readonly counters: number;
}

let codecs: Promise<Record<'key' | 'value', FuzzTarget>> | undefined;

/** Prepares a target. The first of the file decoder puts the instrumented core in the place of the shipped one, for the whole process. */
export async function prepare(name: TargetName, isThorough = false): Promise<Prepared> {
  if (name !== 'file') {
    codecs ??= codecTargets();
    const target = (await codecs)[name];
    return { target, seeds: codecSeeds(), counters: target.read().length };
  }
  const core = CountedCore.shared('for hangs');
  core.install({ isPooled: true });
  const target = new FileTarget(core);
  target.isThorough = isThorough;
  return { target, seeds: await sampleFiles(core), counters: core.instrumented.arms.length };
}
