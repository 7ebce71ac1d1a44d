/** Which interleavings there are to be tried: sets of casts, each for a question of its own. All of them are tried by `npm run isolation -- --interleavings`. */
import type { Isolation } from '../../src/index.js';
import { playAll, Stage, type Figures, type Share } from './interleavings.js';
import { ALL, BRIEF, choices, CORE, FEW, outside, OUTSIDE, PASS, programsOf, READS, snapshot, THREES, type Program } from './programs.js';

export interface CastSet {
  readonly name: string;
  readonly casts: () => Iterable<readonly Program[]>;
  readonly levels: readonly (readonly Isolation[])[];
  readonly isBrief: boolean;
  /** The part of it that ordinary tests play: one of so many. */
  readonly shareOf: number;
}

const BOTH: readonly (readonly Isolation[])[] = [['serializable'], ['snapshot']];
const MIXED: readonly (readonly Isolation[])[] = [['serializable', 'snapshot'], ['snapshot', 'serializable']];

function* product(left: Iterable<readonly Program[]>, right: readonly (readonly Program[])[]): Generator<readonly Program[]> {
  for (const some of left) for (const others of right) yield [...some, ...others];
}

const set = (name: string, shareOf: number, casts: () => Iterable<readonly Program[]>, levels = BOTH, isBrief = false): CastSet => ({ name, casts, levels, isBrief, shareOf });
const writers = OUTSIDE.map((op) => [outside(op)]);
const passing = [[outside(PASS)]];

export const SETS: readonly CastSet[] = [
  set('two of one operation', 1, () => choices(programsOf(ALL, 1), 2)),
  set('two of two operations, the few', 3, () => choices(programsOf(FEW, 2), 2)),
  set('two of two operations', 300, () => choices(programsOf(ALL, 2), 2)),
  set('two of three operations', 500, () => choices(programsOf(FEW, 3), 2)),
  set('two of two operations, at different levels', 20, () => choices(programsOf(CORE, 2), 2), MIXED),
  set('three of one operation', 100, () => choices(programsOf(CORE, 1), 3)),
  set('three with a name', 30, () => THREES),
  set('two, and a writer without a transaction', 10, () => product(choices(programsOf(CORE, 1), 2), writers)),
  set('one of two operations, and two writers without a transaction', 4, () => product(choices(programsOf(CORE, 2), 1), [...choices(OUTSIDE.map(outside), 2)])),
  set('one of two operations, a snapshot and a writer', 60, () => product(product(choices(programsOf(CORE, 2), 1), READS.map((op) => [snapshot(op)])), writers)),
  set('two, and the clock moves', 3, () => product(choices(programsOf(BRIEF, 1), 2), passing), BOTH, true),
  set('one of two operations, a writer, and the clock moves', 2, () => product(product(choices(programsOf(BRIEF, 2), 1), writers), passing), BOTH, true),
  set('one, a snapshot, and the clock moves', 1, () => product(product(choices(programsOf(BRIEF, 1), 1), READS.map((op) => [snapshot(op)])), passing), BOTH, true),
];

/** Plays a share of a set. */
export function playSet({ casts, levels, isBrief }: CastSet, share: Share): Figures {
  const stage = new Stage({ isBrief });
  playAll(stage, casts(), levels, share);
  const { open, oldVersions } = stage.leftovers();
  // Scans that were left open end with their transactions, and nobody reads any more.
  if (open !== 0 || oldVersions !== 0) throw new Error(`${open} views are open and ${oldVersions} old versions are kept when everything has ended (T14, T18)`);
  return stage.figures;
}
