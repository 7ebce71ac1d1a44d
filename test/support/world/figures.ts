/** What a run of simulated worlds has done, and the rare states that it must have come to: a run that never met them has not tested them. */
export const RARE = [
  'power lost at an operation', 'power lost between operations', 'process died', 'power lost right behind a process restart', 'crash within recovery', 'crash within the recovery of a crash within recovery',
  'crash while a store was made', 'crash in the middle of a commit over two segments', 'commit over two segments cut from the log', 'torn tail cut', 'commit in flight lost', 'commit in flight kept',
  'flush failed and lost its bytes', 'flush failed and read as before', 'flush failed and kept its bytes', 'write failed in part', 'failure within recovery', 'failure while closing', 'read failed while opening', 'read failed while verifying',
  'disk full', 'room again behind a full disk', 'delete on a full disk', 'slot zeroed in the background', 'background queue failed', 'slot used again', 'idle log sealed', 'flushed by the interval',
  'conflict on a key', 'conflict on a tombstone', 'conflict on an absent key', 'conflict on an expired key', 'conflict in a range', 'conflict between writers under snapshot', 'write skew under snapshot', 'cas of a transaction failed', 'transaction run again', 'commit of four sessions open at once',
  'expired key under a snapshot', 'expired key back by the clock', 'view of a past version', 'version gone', 'watch from the past', 'watch woken', 'store closed under a scan',
  'read-only store', 'intact store salvaged', 'damage refused', 'damage harmless', 'salvage with losses', 'nothing left to salvage', 'tail lost with a stale sector', 'store reopened without a change', 'keyspace dropped', 'promise kept by close',
] as const;

export type Rare = (typeof RARE)[number];

export interface Figures {
  worlds: number;
  lives: number;
  operations: number;
  openings: number;
  crashes: number;
  /** Failures of the disk that a store has met, and full disks. */
  failures: number;
  /** Images with decay, and how many of them were refused. */
  damaged: number;
  refused: number;
  /** Seconds of processor time. */
  seconds: number;
  readonly rare: Partial<Record<Rare, number>>;
}

export function noFigures(): Figures {
  return { worlds: 0, lives: 0, operations: 0, openings: 0, crashes: 0, failures: 0, damaged: 0, refused: 0, seconds: 0, rare: {} };
}

export function reach(figures: Figures, state: Rare): void {
  figures.rare[state] = (figures.rare[state] ?? 0) + 1;
}

/** Adds the figures of another share to these. */
export function addFigures(total: Figures, share: Figures): void {
  for (const name of ['worlds', 'lives', 'operations', 'openings', 'crashes', 'failures', 'damaged', 'refused', 'seconds'] as const) total[name] += share[name];
  for (const state of RARE) if (share.rare[state] !== undefined) total.rare[state] = (total.rare[state] ?? 0) + share.rare[state];
}

/** The rare states that were never reached. */
export const unreached = (figures: Figures): Rare[] => RARE.filter((state) => figures.rare[state] === undefined);

/** The figures, for people. Rates are those of one processor. */
export function tell(figures: Figures): string {
  const { worlds, lives, operations, openings, crashes, failures, damaged, refused, seconds } = figures;
  const rate = (count: number): string => `${count} (${Math.round(count / Math.max(seconds, 1e-9))}/s)`;
  const rare = RARE.map((state) => `${state} ${figures.rare[state] ?? 0}`).join(' · ');
  return `simulation: ${worlds} worlds, ${rate(lives)} lives, ${rate(operations)} operations, ${rate(openings)} openings, ${rate(crashes)} crashes, ${rate(failures)} failures of the disk, `
    + `${damaged} damaged files of which ${refused} were refused; ${seconds.toFixed(1)} s of one processor\nsometimes: ${rare}\n`;
}
