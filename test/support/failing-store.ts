/**
 * A store whose device fails at one operation, once or for ever: a fixed piece of work on it, what came of each commit, and what must hold then. Used to try every operation with every error.
 */
import { FullError, OutcomeUnknownError, PoisonedError } from '../../src/errors.js';
import { openOnDevice } from '../../src/open.js';
import type { OpenOptions } from '../../src/options.js';
import type { Store } from '../../src/store.js';
import { settingsFor } from './crash-prober.js';
import { ResetEngine } from './reset-engine.js';
import { SimulatedDisk } from './simulated-disk.js';
import { stillSurroundings } from './stores.js';

/** A disk that remembers what each write was, so that a test can have it fail in the middle. */
export class NotedDisk extends SimulatedDisk {
  /** By the number of the operation. */
  readonly writes = new Map<number, { readonly offset: number; readonly length: number }>();

  override write(source: Uint8Array, start: number, length: number, offset: number): void {
    this.writes.set(this.operations, { offset, length });
    super.write(source, start, length, offset);
  }
}

const engines = { first: new ResetEngine(() => 1_700_000_000_000), second: new ResetEngine(() => 1_700_000_000_000) };

/** Opens a store with an engine that is used again: the one that it served before must be done with. */
export function openFast(disk: SimulatedDisk, options: OpenOptions, engine: keyof typeof engines = 'first'): Store {
  return openOnDevice(disk, settingsFor(options), () => disk.close(), { ...stillSurroundings(7), engine: engines[engine].take() });
}

/** What became of a commit. */
export type Fate = 'waiting' | 'acknowledged' | 'unknown' | 'refused';

export interface Work {
  readonly store: Store | undefined;
  /** By the number of the commit, which is also its key. */
  readonly fates: Fate[];
  /** Those that an awaited flush has made durable, whatever the mode: all below this number. */
  flushed: number;
  /** What opening, a commit, a flush, a check or the end of the store failed with, in the order of the work. */
  readonly errors: { readonly step: string; readonly error: Error }[];
  /** The codes of what the listener for warnings was told. */
  readonly warnings: string[];
}

/** The number of the first operation of each part of the work, on a disk that never fails. */
export interface Marks {
  readonly opened: number;
  readonly closing: number;
}

/** Keys are numbers in the order of the commits; every third commit has a second key, and some take segments of their own. */
const VALUES = [20, 300, 700, 20, 2600, 90, 500, 20, 1200, 20, 5200, 40, 300, 900, 20, 600].map((size, index) => new Uint8Array(size).fill(index + 1));
export const COMMIT_COUNT = VALUES.length;

const pairOf = (commit: number): string => `pair of ${commit}`;

/** Which commits a store holds. Throws where one is there in part. */
export function commitsIn(store: Store): number[] {
  return VALUES.flatMap((value, commit) => {
    const found = store.get(commit) as Uint8Array | undefined;
    const isPaired = commit % 3 !== 0 || store.has(pairOf(commit)) === (found !== undefined);
    if (!isPaired) throw new Error(`commit ${commit} is there in part`);
    if (found !== undefined && Buffer.compare(found, value) !== 0) throw new Error(`commit ${commit} has another value`);
    return found === undefined ? [] : [commit];
  });
}

function commit(db: Store, number: number): Promise<number> {
  const value = VALUES[number]!;
  if (number % 3 !== 0) return db.put(number, value);
  return db.batch([{ type: 'put', key: number, value }, { type: 'put', key: pairOf(number), value: number }]);
}

function fateOf(error: unknown): Fate {
  if (error instanceof OutcomeUnknownError) return 'unknown';
  if (error instanceof FullError || error instanceof PoisonedError) return 'refused';
  throw error;
}

/** Opens a store on a disk and does the work, as far as it lets itself be done; closes it unless something is to be looked at first. */
export async function work(
  disk: SimulatedDisk, options: OpenOptions, mark: (what: keyof Marks) => void, beforeClosing: (work: Work) => Promise<void> = async () => undefined,
): Promise<Work> {
  const errors: Work['errors'] = [];
  const note = (step: string) => (error: unknown): void => void errors.push({ step, error: error as Error });
  const warnings: string[] = [];
  let store: Store;
  try {
    store = openFast(disk, { ...options, onWarning: ({ code }) => warnings.push(code) });
  } catch (error) {
    note('open')(error);
    return { store: undefined, fates: [], flushed: 0, errors, warnings };
  }
  mark('opened');
  const fates: Fate[] = VALUES.map(() => 'waiting');
  const done: Work = { store, fates, flushed: 0, errors, warnings };
  // Two at a time, so that commits share flushes; now and then everything is flushed, or checked.
  for (let number = 0; number < COMMIT_COUNT; number += 2) {
    await Promise.all([number, number + 1].map((one) => commit(store, one).then(() => {
      fates[one] = 'acknowledged';
    }, (error: unknown) => {
      note(`commit ${one}`)(error);
      fates[one] = fateOf(error);
    })));
    if (number % 6 === 4) {
      await store.flush().then(() => {
        done.flushed = number + 2;
      }, note('flush'));
    }
    if (number % 8 === 6) await store.verify().catch(note('verify'));
  }
  await beforeClosing(done);
  mark('closing');
  await store.close().catch(note('close'));
  return done;
}
