/**
 * Flushes and writes that fail on a real file system (F-40, F-43, F-45). The kernel marks pages clean whose write has failed: the next flush succeeds, the cache shows the new bytes and the disk has the old
 * ones. A store must stop at the first failure, and what it says after it was opened again must hold when the cache is gone.
 */
import { join } from 'node:path';
import type { Random } from '../support/random.js';
import { Desk } from './desk.js';
import { Disk } from './disk.js';
import type { Figures } from './figures.js';
import { IMAGE_SIZE, makeFolder, run, type FileSystemName } from './host.js';
import { Recording } from './recording.js';
import { RefusedError, ServedDisk } from './served.js';
import { Tally } from './tally.js';
import type { AnyTask, ExamineTask, Report } from './tasks.js';
import { EMPTY, type Knowledge, type Life } from './workload.js';

/** What fails: one flush, one write, or everything up to and with the next flush. */
const FAULTS = ['flush', 'write', 'interval'] as const;
/** After so many rounds each kind has had its turn. */
export const FAULT_COUNT = FAULTS.length;
type FaultName = (typeof FAULTS)[number];

const COMMITS_MAX = 60;
const COMMITS_AFTER = 3;
/** How the store refuses a file system that has stopped itself. */
const REFUSALS = new Set(['VARVE_IO', 'VARVE_READ_ONLY']);

/** A fault that strikes once; `skip` events of its kind pass before. */
function faultOf(name: FaultName, skip: number): (kind: 'write' | 'flush') => boolean {
  let left = skip;
  let isOver = false;
  return (kind) => {
    if (isOver || (name !== 'interval' && kind !== name)) return false;
    if (left > 0) {
      if (kind === name || kind === 'flush') left--;
      return false;
    }
    isOver = name !== 'interval' || kind === 'flush';
    return true;
  };
}

export class Failures {
  readonly #served: ServedDisk;
  readonly #formatted: Disk;
  readonly #figures: Figures;
  readonly #random: Random;
  readonly #tallyPath = join(makeFolder(true), 'tally');
  readonly #segmentSize = 16384;
  #lives = 0;
  /** Commits whose outcome was unknown; cases in which the file system stopped itself; in which no failure reached the store. */
  inDoubt = 0;
  stopped = 0;
  missed = 0;

  private constructor(served: ServedDisk, figures: Figures, random: Random) {
    this.#served = served;
    this.#formatted = served.disk;
    this.#figures = figures;
    this.#random = random;
    new Tally(this.#tallyPath, true);
  }

  static async make(fileSystem: FileSystemName, figures: Figures, random: Random): Promise<Failures> {
    return new Failures(await ServedDisk.make(fileSystem, IMAGE_SIZE), figures, random);
  }

  get #path(): string {
    return join(this.#served.folder, 'store.varve');
  }

  /** What the file system does with a failed flush where no store is careful. */
  async control(): Promise<string> {
    const disk = (this.#served.disk = new Disk(this.#formatted));
    const path = join(this.#served.folder, 'spoilt');
    const desk = new Desk();
    await this.#served.mount();
    const { seen } = await desk.ask({ type: 'spoil', path }, () => (disk.fault = faultOf('write', 0)));
    if (seen?.startsWith('the flush fails') !== true) throw new Error(`the disk failed a write, and nobody was told: ${seen}`);
    disk.fault = undefined;
    await this.#served.unmount();
    await this.#served.mount();
    const after = await desk.ask({ type: 'look', path });
    await this.#served.unmount();
    await desk.kill();
    return `${seen}, and without the cache the ${after.seen} ones`;
  }

  /** One failure, with everything that follows. `number` chooses its kind. */
  async round(number: number): Promise<void> {
    const random = this.#random;
    const name = FAULTS[number % FAULTS.length]!;
    const failAt = 1 + random.below(COMMITS_MAX / 2);
    const skip = random.below(3);
    const life: Life = { seed: random.seed, life: this.#lives++ };
    this.#figures.cycles++;
    const wrong = await this.#follow(life, name, failAt, skip).catch((error: unknown) => {
      if (error instanceof RefusedError) return `the file system does not mount: ${error.message}`;
      throw error;
    });
    if (wrong !== undefined) this.#figures.violate(`${wrong} (seed ${random.seed}, life ${life.life}: ${name}, after commit ${failAt} and ${skip} more)`);
  }

  async #follow(life: Life, name: FaultName, failAt: number, skip: number): Promise<string | undefined> {
    const random = this.#random;
    this.#served.disk = new Disk(this.#formatted);
    await this.#served.mount();
    const start = this.#served.disk;
    const disk = (this.#served.disk = new Disk(start));
    disk.events = [];
    try {
      const failing = await this.#ask({
        type: 'fail', path: this.#path, tally: this.#tallyPath, segmentSize: this.#segmentSize, life, commits: COMMITS_MAX, failAt, manner: { isSync: random.chance(0.4), depth: 1 + random.below(5) },
      }, () => (disk.fault = faultOf(name, skip)));
      disk.fault = undefined;
      this.#figures.acknowledged += failing.acknowledged.length;
      this.inDoubt += failing.inDoubt ?? 0;
      if (failing.failed === false) this.missed++;
      if (failing.violation !== undefined) return failing.violation;
      const shown = failing.shown.reduce((highest, { version }) => Math.max(highest, version), 0);
      const before: Knowledge = { from: EMPTY, life, acknowledged: failing.acknowledged.map(({ number, version }) => [number, version]) };

      // The cache is warm: it may show what the disk never took. The process is then killed, so nothing is written because of an orderly end.
      const warm = await this.#ask(this.#look(before, shown, 0, false));
      const cut = disk.events.length;
      if (warm.violation !== undefined && !(REFUSALS.has(warm.refusal ?? '') && await this.#hasStopped())) return `with a warm cache: ${warm.violation}`;
      if (warm.found === undefined) this.stopped++;
      const known: Knowledge = warm.found === undefined ? before : { from: warm.found.state, life: { ...life, life: this.#lives++ }, acknowledged: [] };

      await this.#served.unmount();
      await this.#served.mount();
      const cold = await this.#ask(this.#look(known, shown, COMMITS_AFTER, true));
      if (cold.violation !== undefined) return `with a cold cache: ${cold.violation}`;
      await this.#served.unmount();
      this.#figures.images++;

      // The same moment, if the power had gone too: what a recovery has said must stay (F-10).
      const recording = new Recording(start, disk.events.slice(0, cut));
      for (const [, image] of recording.images([recording.flushedOnly(cut)])) this.#served.disk = new Disk(image);
      await this.#served.mount();
      const after = await this.#ask(this.#look(known, shown, COMMITS_AFTER, true));
      if (after.violation !== undefined) return `after a power cut: ${after.violation}`;
      this.#figures.images++;
      return undefined;
    } finally {
      disk.fault = undefined;
      await this.#served.unmount();
    }
  }

  #look(knowledge: Knowledge, shown: number, commits: number, closes: boolean): ExamineTask {
    return {
      type: 'examine', path: this.#path, tally: this.#tallyPath, segmentSize: this.#segmentSize, life: { seed: this.#random.seed, life: this.#lives++ }, commits,
      manner: { isSync: false, depth: 1 }, knowledge, shown, closes, keepsLock: true,
    };
  }

  /** Has a task done by a process that is killed afterwards. */
  async #ask(task: AnyTask, arm?: () => void): Promise<Report> {
    const desk = new Desk();
    try {
      return await desk.ask(task, arm);
    } finally {
      await desk.kill();
    }
  }

  /** Whether the file system refuses everybody, because it has stopped itself. */
  #hasStopped(): Promise<boolean> {
    return run('touch', join(this.#served.folder, 'probe')).then(() => false, () => true);
  }
}
