/** The main process's side of a clerk: starts it, asks it, and kills it. */
import { fork, type ChildProcess } from 'node:child_process';
import { isEnding, onEnd } from './ending.js';
import type { AnyTask, Report } from './tasks.js';

/** How long a task may take, in milliseconds. */
const SILENCE_MAX = 60_000;

export class Desk {
  readonly #process: ChildProcess;
  readonly #undo: () => Promise<void>;
  /** How the process has ended, once it has. */
  #end: string | undefined;

  constructor() {
    this.#process = fork(process.argv[1]!, { env: { ...process.env, VARVE_TORTURE_ROLE: 'clerk' }, detached: true, execArgv: ['--enable-source-maps'] });
    const ended = new Promise<void>((resolve) => {
      this.#process.on('close', (code, signal) => {
        this.#end = signal ?? `code ${code}`;
        resolve();
      });
    });
    // A message to one that has ended cannot be sent; that it has is noticed by its end.
    this.#process.on('error', () => undefined);
    this.#undo = onEnd('a process that uses stores', async () => {
      this.#process.kill('SIGKILL');
      await ended;
    });
  }

  /** Has a task done. `arm` is called when the disk shall fail from now on. Not to answer, or to die, is a violation as well. */
  ask(task: AnyTask, arm: () => void = () => undefined): Promise<Report> {
    if (this.#end !== undefined) return Promise.reject(new Error(`the process that uses stores has ended with ${this.#end}, and had nothing to do`));
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
      const onClose = (): void => {
        if (isEnding()) reject(new Error('the run is ending'));
        else violate(`the process that used the store ended with ${this.#end}`);
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
