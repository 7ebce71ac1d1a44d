/** A process that uses a store on a disk that the main process serves. It blocks while its file system waits for that disk, which the one that serves it must not do. */
import { rmSync } from 'node:fs';
import { loadLibrary } from './library.js';
import type { Acknowledged, Shown } from './recording.js';
import { look, spoil } from './spoil.js';
import { Tally } from './tally.js';
import type { AnyTask, ExamineTask, FailTask, Report, StoreTask } from './tasks.js';
import { examine, Violation, versionOf } from './workload.js';
import { write } from './writer.js';

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };
type Library = Awaited<ReturnType<typeof loadLibrary>>;
type Opened = Awaited<ReturnType<Library['open']>>;

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? String(error);

/** What the store says, or is found to have broken, is about the store; everything else is trouble of the rig. */
function tellError(report: Mutable<Report>, error: unknown): void {
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  if (error instanceof Violation || codeOf(error).startsWith('VARVE_')) report.violation = reason;
  else report.trouble = reason;
}

class Clerk {
  readonly #library: Library;
  readonly #task: StoreTask;
  readonly #tally: Tally;
  readonly #acknowledged: Acknowledged[] = [];
  readonly #shown: Shown[] = [];
  readonly #report: Mutable<Report> = { acknowledged: this.#acknowledged, shown: this.#shown };

  constructor(library: Library, task: StoreTask) {
    this.#library = library;
    this.#task = task;
    this.#tally = new Tally(task.tally, false);
  }

  #open(): Promise<Opened> {
    const { path, segmentSize, manner } = this.#task;
    return this.#library.open(path, { segmentSize, flush: manner.isSync ? 'sync' : 'async' });
  }

  #noteApplied(version: number): void {
    this.#shown.push({ version, events: this.#tally.get().events });
  }

  #noteAcknowledged(number: number, version: number): void {
    this.#acknowledged.push({ number, version, flushed: this.#tally.get().flushed });
  }

  /** Does the task. Whatever is thrown is told in the report. */
  async run(): Promise<Report> {
    const task = this.#task;
    try {
      if (task.type === 'write') await this.#write(await this.#open(), 1);
      else if (task.type === 'examine') await this.#examine(task);
      else await this.#fail(task);
    } catch (error) {
      tellError(this.#report, error);
    } finally {
      this.#tally.close();
    }
    return this.#report;
  }

  async #write(store: Opened, from: number): Promise<void> {
    const { life, manner, commits } = this.#task;
    await write(store, life, from, manner, (number) => number < from + commits, {
      applied: (_, version) => this.#noteApplied(version),
      acknowledged: (number, version) => this.#noteAcknowledged(number, version),
    });
    await store.close();
  }

  async #examine({ knowledge, shown, life, manner, commits, closes, keepsLock }: ExamineTask): Promise<void> {
    if (!keepsLock) rmSync(`${this.#task.path}.lock`, { force: true });
    let store: Opened;
    try {
      store = await this.#open();
    } catch (error) {
      this.#report.refusal = codeOf(error);
      throw error;
    }
    const { flushed } = this.#tally.get();
    const state = examine(store, knowledge);
    await store.verify();
    this.#report.found = { state, flushed };
    const before = Math.max(shown, versionOf(state));
    await write(store, life, state.number + 1, manner, (number) => number <= state.number + commits, {
      applied: (_, version) => this.#noteApplied(version),
      acknowledged: (number, version) => {
        if (version <= before) throw new Violation(`commit ${number} was given version ${version}; versions up to ${before} had been shown before`);
        this.#noteAcknowledged(number, version);
      },
    });
    if (closes) await store.close();
  }

  /** F-40: who waits is told that the outcome is unknown; afterwards nothing is served; closing ends it. */
  async #fail({ life, manner, commits, failAt }: FailTask): Promise<void> {
    const store = await this.#open();
    const failures: { readonly number: number; readonly code: string }[] = [];
    await write(store, life, 1, manner, async (number) => {
      if (number === failAt) await armed();
      return number <= commits && failures.length === 0;
    }, {
      applied: (_, version) => this.#noteApplied(version),
      acknowledged: (number, version) => this.#noteAcknowledged(number, version),
      failed: (number, error) => failures.push({ number, code: codeOf(error) }),
    });
    this.#report.inDoubt = failures.filter(({ code }) => code === 'VARVE_OUTCOME_UNKNOWN').length;
    this.#report.failed = failures.length > 0;
    if (failures.length > 0) await this.#expectPoisoned(store, failures.map(({ code }) => code));
    // A failing close has nothing to add: what it would say was said.
    await store.close().catch(() => undefined);
  }

  async #expectPoisoned(store: Opened, codes: readonly string[]): Promise<void> {
    const other = codes.find((code) => code !== 'VARVE_OUTCOME_UNKNOWN' && code !== 'VARVE_POISONED');
    if (other !== undefined) throw new Violation(`a commit that met the failing disk was told ${other}`);
    if (!store.stats().failed) throw new Violation('the disk failed a commit, and the store says that it has not stopped');
    const attempts: readonly (readonly [string, () => unknown])[] = [
      ['put', () => store.put('after', 1)], ['putSync', () => store.putSync('after', 1)], ['flush', () => store.flush()], ['get', () => store.get('last')],
      ['snapshot', () => store.snapshot()], ['begin', () => store.begin()],
    ];
    for (const [name, attempt] of attempts) {
      const code = await Promise.resolve().then(attempt).then(() => 'no error', codeOf);
      if (code !== 'VARVE_POISONED') throw new Violation(`${name} on a store that has stopped gives ${code}`);
    }
  }
}

/** Has the main process tell the disk to fail. */
function armed(): Promise<void> {
  return new Promise((resolve) => {
    process.once('message', () => resolve());
    process.send!({ arm: true });
  });
}

async function doTask(library: Library, task: AnyTask): Promise<Report> {
  if ('life' in task) return new Clerk(library, task).run();
  const report: Mutable<Report> = { acknowledged: [], shown: [] };
  try {
    report.seen = task.type === 'spoil' ? await spoil(task.path, armed) : look(task.path);
  } catch (error) {
    tellError(report, error);
  }
  return report;
}

/** The program of the process: one task after the other. */
export async function runClerk(): Promise<void> {
  const library = await loadLibrary();
  for (;;) {
    const task = await new Promise<AnyTask>((resolve) => process.once('message', resolve as (message: unknown) => void));
    process.send!({ report: await doTask(library, task) });
  }
}
