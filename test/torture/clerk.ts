/**
 * A process that uses a store on a disk that the main process serves. It blocks while its file system waits for that disk, which the one that serves it must not do. The two speak by messages; how much
 * the disk has seen stands in a small file, because the moment matters at which it is looked at.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { openSync, readSync, rmSync, writeSync } from 'node:fs';
import { isEnding, onEnd } from './host.js';
import { loadLibrary } from './library.js';
import type { Acknowledged, Shown } from './recording.js';
import { look, spoil } from './spoil.js';
import { examine, Violation, versionOf, type Knowledge, type Life, type State } from './workload.js';
import { write, type Manner } from './writer.js';

/** The file that says what the disk has seen: how many events, and how many of them up to and with its last flush. */
export class Tally {
  readonly #descriptor: number;

  constructor(path: string, isWriter: boolean) {
    this.#descriptor = openSync(path, isWriter ? 'w' : 'r');
    if (isWriter) this.set(0, 0);
  }

  set(events: number, flushed: number): void {
    writeSync(this.#descriptor, new Float64Array([events, flushed]), 0, 16, 0);
  }

  get(): { readonly events: number; readonly flushed: number } {
    const words = new Float64Array(2);
    readSync(this.#descriptor, words, 0, 16, 0);
    return { events: words[0]!, flushed: words[1]! };
  }
}

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
type StoreTask = Exclude<AnyTask, SpoilTask>;

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

/** How long a task may take, in milliseconds. */
const SILENCE_MAX = 60_000;

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };
type Library = Awaited<ReturnType<typeof loadLibrary>>;
type Opened = Awaited<ReturnType<Library['open']>>;

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? String(error);

class Clerk {
  readonly #library: Library;
  readonly #task: StoreTask;
  readonly #tally: Tally;
  readonly #acknowledged: Acknowledged[] = [];
  readonly #shown: Shown[] = [];
  readonly report: Mutable<Report> = { acknowledged: this.#acknowledged, shown: this.#shown };

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

  async run(): Promise<void> {
    const task = this.#task;
    if (task.type === 'write') await this.#write(await this.#open(), 1);
    else if (task.type === 'examine') await this.#examine(task);
    else await this.#fail(task);
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
      this.report.refusal = codeOf(error);
      throw error;
    }
    const { flushed } = this.#tally.get();
    const state = examine(store, knowledge);
    await store.verify();
    this.report.found = { state, flushed };
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
    this.report.inDoubt = failures.filter(({ code }) => code === 'VARVE_OUTCOME_UNKNOWN').length;
    this.report.failed = failures.length > 0;
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

/** The program of the process: one task after the other. */
export async function runClerk(): Promise<void> {
  const library = await loadLibrary();
  for (;;) {
    const task = await new Promise<AnyTask>((resolve) => process.once('message', resolve as (message: unknown) => void));
    if (!('life' in task)) {
      const seen = task.type === 'spoil' ? await spoil(task.path, armed) : look(task.path);
      process.send!({ report: { acknowledged: [], shown: [], seen } satisfies Report });
      continue;
    }
    const clerk = new Clerk(library, task);
    try {
      await clerk.run();
    } catch (error) {
      const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      if (error instanceof Violation || codeOf(error).startsWith('VARVE_')) clerk.report.violation = reason;
      else clerk.report.trouble = reason;
    }
    process.send!({ report: clerk.report });
  }
}

/** The main process's side of such a process. */
export class Desk {
  readonly #process: ChildProcess;
  readonly #undo: () => Promise<void>;

  constructor() {
    this.#process = fork(process.argv[1]!, { env: { ...process.env, VARVE_TORTURE_ROLE: 'clerk' }, detached: true, execArgv: ['--enable-source-maps'] });
    const ended = new Promise<void>((resolve) => this.#process.on('close', () => resolve()));
    this.#undo = onEnd('a process that uses stores', async () => {
      this.#process.kill('SIGKILL');
      await ended;
    });
  }

  /** Has a task done. `arm` is called when the disk shall fail from now on. Not to answer, or to die, is a violation as well. */
  ask(task: AnyTask, arm: () => void = () => undefined): Promise<Report> {
    return new Promise((resolve, reject) => {
      const end = (report: Report): void => {
        clearTimeout(silence);
        this.#process.off('message', onMessage);
        this.#process.off('close', onClose);
        if (report.trouble === undefined) resolve(report);
        else reject(new Error(report.trouble));
      };
      const violate = (violation: string): void => end({ acknowledged: [], shown: [], violation });
      const onMessage = (message: unknown): void => {
        const { report } = message as { report?: Report };
        if (report !== undefined) {
          end(report);
          return;
        }
        arm();
        this.#process.send({ armed: true });
      };
      const onClose = (code: number | null, signal: string | null): void => {
        if (isEnding()) reject(new Error('the run is ending'));
        else violate(`the process that used the store ended with ${signal ?? `code ${code}`}`);
      };
      const silence = setTimeout(() => violate('the process that uses the store does not answer'), SILENCE_MAX);
      this.#process.on('message', onMessage);
      this.#process.on('close', onClose);
      this.#process.send(task);
    });
  }

  /** Kills it, as it is. */
  kill(): Promise<void> {
    return this.#undo();
  }
}
