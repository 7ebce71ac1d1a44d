/** What a clerk can be asked to do, and what it reports. */
import type { Acknowledged, Shown } from './recording.js';
import type { Knowledge, Life, State } from './workload.js';
import type { Manner } from './writer.js';

interface Task {
  readonly path: string;
  readonly tally: string;
  readonly segmentSize: number;
  readonly life: Life;
  readonly manner: Manner;
  /** How many commits are written. */
  readonly commits: number;
}

/** Writes a store from the beginning, and closes it. */
export interface WriteTask extends Task {
  readonly type: 'write';
}

/** Opens what a power cut has left, examines it, writes a few commits more, and closes it or, to be killed, leaves it open. */
export interface ExamineTask extends Task {
  readonly type: 'examine';
  readonly knowledge: Knowledge;
  /** The highest version that was shown before the cut. */
  readonly shown: number;
  readonly closes: boolean;
  /** Whether the lock file stays that the writer has left. A power cut empties it, and a store gives a file that makes no sense a fifth of a second to be finished: most images are spared that. */
  readonly keepsLock: boolean;
}

/** Writes until the disk fails, and looks at how the store takes it. */
export interface FailTask extends Task {
  readonly type: 'fail';
  /** After this commit the disk is told to fail. */
  readonly failAt: number;
}

/** Spoils a file, or looks at one that was spoilt. */
export interface SpoilTask {
  readonly type: 'spoil' | 'look';
  readonly path: string;
}

export type AnyTask = WriteTask | ExamineTask | FailTask | SpoilTask;
export type StoreTask = Exclude<AnyTask, SpoilTask>;

export interface Report {
  readonly acknowledged: readonly Acknowledged[];
  readonly shown: readonly Shown[];
  /** The state that was found, and when it was. */
  readonly found?: { readonly state: State; readonly flushed: number };
  /** The code of the error with which the store refused to open, where that may be. */
  readonly refusal?: string;
  /** How many commits were told that their outcome is unknown. */
  readonly inDoubt?: number;
  /** Whether the disk's failure reached the store. */
  readonly failed?: boolean;
  /** What became of a spoilt file, in words. */
  readonly seen?: string;
  readonly violation?: string;
  readonly trouble?: string;
}
