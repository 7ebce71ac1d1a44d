/** Programs of these tests in processes of their own: bundled, started ahead, spoken to in lines, and ended at any moment. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { buildSync } from 'esbuild';

/** Bundles the call of a function without parameters, exported by a source that is given relative to the project's root, into a file that Node runs. */
export function bundleProgram(path: string, source: string, call: string): void {
  buildSync({
    stdin: { contents: `import { ${call} } from './${source}'; await ${call}();`, resolveDir: new URL('../../', import.meta.url).pathname, loader: 'ts' },
    outfile: path,
    bundle: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'error',
  });
}

/** Cuts what arrives into lines. */
export class Lines {
  #rest = '';

  /** The lines that are whole now. */
  take(text: string): string[] {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!;
    return lines;
  }
}

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ChildSettings {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Whether what the process says on its error output is ours to see. */
  readonly isQuiet?: boolean;
}

/** A process that speaks in lines. Those that nobody takes with `onLine` wait for `hear`. */
export class Child {
  readonly process: ChildProcess;
  /** Resolves when the process is gone and all its lines have arrived. */
  readonly ended: Promise<Ending>;
  onLine: ((line: string) => void) | undefined;
  readonly #unheard: string[] = [];
  #wake: (() => void) | undefined;
  #hasEnded = false;

  constructor(command: string, parameters: readonly string[], { env = {}, cwd, isQuiet = false }: ChildSettings = {}) {
    this.process = spawn(command, parameters, { stdio: ['pipe', 'pipe', isQuiet ? 'ignore' : 'inherit'], env: { ...process.env, ...env }, ...(cwd === undefined ? {} : { cwd }) });
    const lines = new Lines();
    this.process.stdout!.setEncoding('latin1').on('data', (text: string) => {
      for (const line of lines.take(text)) {
        if (this.onLine === undefined) this.#unheard.push(line);
        else this.onLine(line);
      }
      this.#wake?.();
    });
    // A process that has just been killed reads nothing more.
    this.process.stdin!.on('error', () => undefined);
    this.ended = new Promise((resolve, reject) => {
      this.process.on('error', reject);
      this.process.on('close', (code, signal) => {
        this.#hasEnded = true;
        this.#wake?.();
        resolve({ code, signal });
      });
    });
  }

  get pid(): number {
    return this.process.pid!;
  }

  tell(line: string): void {
    this.process.stdin!.write(`${line}\n`);
  }

  /** The next line. */
  async hear(): Promise<string> {
    while (this.#unheard.length === 0) {
      if (this.#hasEnded) throw new Error('a process ended before it said what was awaited');
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.#unheard.shift()!;
  }

  /** Kills the process, and waits until it is gone. */
  async kill(): Promise<Ending> {
    this.process.kill('SIGKILL');
    return this.ended;
  }
}

/** Children that have loaded what they need and wait for their order: starting one takes longer than most of their lives. */
export class Pool {
  readonly #start: () => Child;
  readonly #waiting: Child[];
  #isEnded = false;

  constructor(size: number, start: () => Child) {
    this.#start = start;
    this.#waiting = Array.from({ length: size }, start);
  }

  /** The child that has waited longest; another takes its place. */
  take(): Child {
    if (this.#isEnded) throw new Error('the pool has ended');
    this.#waiting.push(this.#start());
    return this.#waiting.shift()!;
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    await Promise.all(this.#waiting.map((child) => child.kill()));
  }
}

/**
 * Whether something that these tests need of the machine is there, judged by a command that succeeds where it is. Where it is not, tests that need it are skipped with a word; under CI, where it
 * was promised, that is an error.
 */
export function isAvailable(what: string, command: string, ...parameters: readonly string[]): boolean {
  if (spawnSync(command, parameters, { stdio: 'ignore' }).status === 0) return true;
  if (process.env['CI'] !== undefined) throw new Error(`${what} is missing, and a run under CI does not go without.`);
  process.stdout.write(`${what} is missing here: what needs it is skipped.\n`);
  return false;
}
