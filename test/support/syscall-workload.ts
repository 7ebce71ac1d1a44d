/** A process whose system calls fail: opens a store, writes and closes, twice, and tells what became of each step. It leaves marks in its own calls, so that they can be told apart. */
import { accessSync, constants, readdirSync, readlinkSync } from 'node:fs';
import { open } from '../../src/open.js';
import type { OpenOptions } from '../../src/options.js';
import type { Stats } from '../../src/stats.js';
import type { Store } from '../../src/store.js';
import { keyOf, perform } from './life.js';
import { dumpOf, sayLine } from './writer.js';

export interface Workload {
  readonly path: string;
  /** A path at which nothing is, looked at between the phases. */
  readonly mark: string;
  readonly seed: number;
  readonly options: OpenOptions;
  /** The number of the first session's life. */
  readonly firstLife: number;
  readonly groups: number;
}

/** How many operations are on their way at once. */
export const GROUP_SIZE = 3;
export const SESSIONS = 2;
/** How often, and how many milliseconds apart, the store is asked whether slots were prepared in the background, which is to happen under the eyes of the test. */
const LOOKS = 40;
const LOOK_PAUSE = 5;

/** The phases, by the mode of access that is asked for where they begin. */
export const PHASES = { open: constants.F_OK, run: constants.R_OK, close: constants.W_OK, end: constants.X_OK } as const;

/** The codes of an error and of what caused it. */
function codesOf(error: unknown): string {
  const codes: string[] = [];
  for (let one = error; one instanceof Error; one = one.cause) codes.push((one as { code?: string }).code ?? one.name);
  return codes.join('<');
}

function enter(workload: Workload, phase: keyof typeof PHASES): void {
  try {
    accessSync(workload.mark, PHASES[phase]);
  } catch {
    // Nothing is there, and nothing should be.
  }
}

/** What this process has open of the store. */
function descriptorsOf(path: string): number {
  const targets = readdirSync('/proc/self/fd').map((number) => {
    try {
      return readlinkSync(`/proc/self/fd/${number}`);
    } catch {
      return '';
    }
  });
  return targets.filter((target) => target.startsWith(path)).length;
}

/** The store's figures, which need a call that may fail as well. */
function figuresOf(db: Store): Stats | undefined {
  try {
    return db.stats();
  } catch (error) {
    sayLine(`figures 0 ${codesOf(error)}`);
    return undefined;
  }
}

async function prepared(db: Store): Promise<void> {
  for (let looks = 0; looks < LOOKS; looks++) {
    const figures = figuresOf(db);
    if (figures === undefined || figures.failed || figures.file!.readySlots > 1) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_PAUSE));
  }
}

async function writeGroups(db: Store, { seed, groups }: Workload, life: number): Promise<void> {
  for (let group = 0; group < groups; group++) {
    await Promise.all(Array.from({ length: GROUP_SIZE }, async (_, one) => {
      const number = group * GROUP_SIZE + one;
      try {
        sayLine(`done ${number} ${await perform(db, seed, life, number, false)}`);
      } catch (error) {
        sayLine(`failed ${number} ${codesOf(error)}`);
      }
    }));
    try {
      db.get(keyOf(0));
      sayLine(`reads ${group} ok`);
    } catch (error) {
      sayLine(`reads ${group} ${codesOf(error)}`);
    }
    if (group === 0) await prepared(db);
  }
}

async function session(workload: Workload, life: number): Promise<void> {
  enter(workload, 'open');
  let db: Store;
  try {
    db = await open(workload.path, { ...workload.options, memory: { initial: 1 << 20 } });
  } catch (error) {
    sayLine(`refused ${life} ${codesOf(error)}`);
    return;
  }
  sayLine(`opened ${life} ${JSON.stringify(dumpOf(db, figuresOf(db)?.version ?? 0))}`);
  enter(workload, 'run');
  await writeGroups(db, workload, life);
  enter(workload, 'close');
  try {
    await db.close();
    sayLine(`closed ${life} ok`);
  } catch (error) {
    sayLine(`closed ${life} ${codesOf(error)}`);
  }
}

export async function work(): Promise<void> {
  const workload = JSON.parse(process.argv[2]!) as Workload;
  for (let index = 0; index < SESSIONS; index++) {
    await session(workload, workload.firstLife + index);
    enter(workload, 'end');
    sayLine(`descriptors ${descriptorsOf(workload.path)}`);
  }
  process.exit(0);
}
