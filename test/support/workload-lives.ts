/** Sessions that run a workload step by step in a random order, beside readers that look its invariant up in transactions and snapshots; on a disk whose power goes now and then. */
import { ConflictError, type Isolation, type Snapshot, type Store, type Transaction } from '../../src/index.js';
import { Random } from './random.js';
import { SimulatedDisk, type Choice } from './simulated-disk.js';
import { openStore } from './stores.js';
import type { View, Workload } from './workloads.js';

const NEVER = 3_600_000;

/** Someone who takes part: a writer, or a reader that holds one view. */
interface Session {
  readonly tx: Transaction | undefined;
  readonly view: View;
  readonly steps: Generator<void, string | undefined>;
  readonly isWriter: boolean;
  readonly end: () => void;
}

export interface WorkloadFigures {
  commits: number;
  conflicts: number;
  checks: number;
  crashes: number;
}

export interface LifeShape {
  readonly isolation: Isolation;
  readonly sessions: number;
  readonly steps: number;
  readonly lives: number;
}

class WorkloadLife {
  readonly #sessions: (Session | undefined)[];

  constructor(readonly db: Store, readonly workload: Workload, readonly shape: LifeShape, readonly random: Random, readonly figures: WorkloadFigures, readonly safe: string[]) {
    this.#sessions = Array.from({ length: shape.sessions });
  }

  #begin(unique: number): Session {
    const { random, workload } = this;
    const choice = random.below(10);
    if (choice < 7) {
      const tx = this.db.begin({ isolation: this.shape.isolation });
      return { tx, view: tx, steps: workload.write(tx, random, unique), isWriter: true, end: () => tx.abort() };
    }
    const view: Transaction | Snapshot = choice < 9 ? this.db.begin({ isolation: this.shape.isolation }) : this.db.snapshot();
    return { tx: undefined, view, steps: workload.check(view), isWriter: false, end: () => view[Symbol.dispose]() };
  }

  #commit({ tx }: Session, mark: string): void {
    try {
      tx!.commitSync();
      this.figures.commits++;
      this.safe.push(mark);
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      this.figures.conflicts++;
    }
  }

  #step(number: number): void {
    const place = this.random.below(this.shape.sessions);
    const session = (this.#sessions[place] ??= this.#begin(number));
    const { done, value } = session.steps.next();
    if (done !== true) return;
    this.#sessions[place] = undefined;
    if (session.isWriter) this.#commit(session, value ?? '');
    else {
      session.end();
      this.figures.checks++;
      if (value !== undefined) throw new Error(value);
    }
  }

  /** Runs until it is over or the device fails; `first` is the number of the first step. */
  run(first: number, hasFailed: () => boolean): void {
    for (let number = first; number < first + this.shape.steps; number++) {
      try {
        this.#step(number);
      } catch (error) {
        if (hasFailed()) return;
        throw error;
      }
    }
    for (const session of this.#sessions) session?.end();
  }
}

/** The invariant, and everything that was ever acknowledged. */
function examine(db: Store, workload: Workload, safe: readonly string[]): void {
  const view = db.snapshot();
  const steps = workload.check(view);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  if (step.value !== undefined) throw new Error(step.value);
  for (const mark of safe) if (!workload.holds(view, mark)) throw new Error(`${mark} was acknowledged and is missing`);
  view.close();
}

/** Runs a workload through several lives, with a power loss behind each but the last. */
export async function liveWithWorkload(workload: Workload, shape: LifeShape, seed: number, figures: WorkloadFigures): Promise<void> {
  const random = new Random(seed);
  const safe: string[] = [];
  let image: Uint8Array = new Uint8Array(0);
  for (let number = 0; number < shape.lives; number++) {
    const disk = new SimulatedDisk(image);
    const db = openStore(disk, { flushInterval: NEVER, segmentSize: 4096, durability: shape.lives === 1 ? 'relaxed' : 'strict' }, seed + number);
    if (number === 0) workload.prepare(db);
    examine(db, workload, safe);
    const isLast = number === shape.lives - 1;
    if (!isLast) disk.failures = [{ at: disk.operations + random.below(400), kind: 'io', isSticky: true }];
    const life = new WorkloadLife(db, workload, shape, random, figures, safe);
    life.run(number * shape.steps, () => disk.failures.length > 0 && disk.operations > disk.failures[0]!.at);
    if (isLast) examine(db, workload, safe);
    else {
      figures.crashes++;
      const choices: readonly Choice[] = ['none', 'all', random, random];
      image = disk.image(random.pick(choices));
    }
    await db.close().catch(() => undefined);
  }
}
