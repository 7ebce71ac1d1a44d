/** A private copy of the project, in which something can be broken, built and tested without touching the project itself. */
import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
/** What is not copied: dependencies are shared, and the rest is of no use to tests. */
const LEFT_OUT = new Set(['node_modules', '.git', 'build', 'dist']);
const BUILT = ['varve.wasm', 'varve.debug.wasm', 'wasm.js', 'wasm.d.ts'];
/** How long a build may take, in milliseconds. */
const BUILD_LIMIT = 240_000;
const LONG_AGO = new Date('2000-01-01');
const FAR_FUTURE = new Date('2100-01-01');
/** Times are kept, because the build looks at them: what is changed afterwards is newer than what was built. */
const COPY = { recursive: true, preserveTimestamps: true };

/** How a run of tests ended. */
export interface TestRun {
  /** The title of the first test that failed, or what went wrong outside of all tests; undefined where all passed. */
  readonly failure: string | undefined;
  /** Whether it failed by not coming back. */
  readonly hung: boolean;
  readonly passedCount: number;
  readonly seconds: number;
}

interface Report {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly message: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string; readonly failureMessages: readonly string[] }[];
  }[];
}

interface Ending {
  readonly code: number | null;
  readonly output: string;
  readonly hung: boolean;
}

export class Workshop {
  readonly #root = mkdtempSync(join(tmpdir(), 'varve-workshop-'));
  #running: ChildProcess | undefined;

  constructor() {
    for (const name of readdirSync(PROJECT)) if (!LEFT_OUT.has(name)) this.restore(name);
    symlinkSync(join(PROJECT, 'node_modules'), join(this.#root, 'node_modules'));
    this.restore('dist');
    // Dependencies are never out of date, nor is the bundle, whose declarations take longest to build: no test of a planted bug needs it.
    utimesSync(join(this.#root, 'package.json'), LONG_AGO, LONG_AGO);
    utimesSync(join(this.#root, 'dist/index.js'), FAR_FUTURE, FAR_FUTURE);
  }

  /** Ends what runs in the copy, and removes it. */
  dispose(): void {
    this.#end();
    rmSync(this.#root, { recursive: true, force: true });
  }

  read(file: string): string {
    return readFileSync(join(this.#root, file), 'utf8');
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.#root, file), text);
  }

  /** Puts a file or folder back as the project has it, and with it what was built. */
  restore(path: string): void {
    cpSync(join(PROJECT, path), join(this.#root, path), COPY);
    for (const name of BUILT) cpSync(join(PROJECT, 'build', name), join(this.#root, 'build', name), COPY);
  }

  /** Builds what a changed file makes out of date, and checks types, which no test does. Returns what went wrong, or undefined. */
  async build(file: string): Promise<string | undefined> {
    const tasks: (readonly string[])[] = [];
    if (file.startsWith('assembly/')) tasks.push(['build.mjs']);
    if (!file.startsWith('assembly/') || file.startsWith('assembly/shared/')) tasks.push(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', ...CHECK_ONLY]);
    for (const task of tasks) {
      const { code, output } = await this.#node(task, BUILD_LIMIT);
      if (code !== 0) return output;
    }
    return undefined;
  }

  /** Runs the tests of a file, or those whose titles match a pattern, until the first failure, for so many seconds at most: half of that for one test, which a loop in the core can keep from noticing. */
  async test(file: string, limit: number, pattern?: string): Promise<TestRun> {
    const path = join(this.#root, 'build/report.json');
    rmSync(path, { force: true });
    const began = performance.now();
    const { code, output, hung } = await this.#node([
      'node_modules/vitest/vitest.mjs', 'run', file, ...(pattern === undefined ? [] : ['-t', pattern]),
      '--bail=1', `--testTimeout=${limit * 500}`, '--reporter=json', `--outputFile=${path}`,
    ], limit * 1000);
    const seconds = (performance.now() - began) / 1000;
    if (hung) return { failure: 'a run that does not come back', hung, passedCount: 0, seconds };
    if (!existsSync(path)) return { failure: `no report: ${output.slice(-500)}`, hung, passedCount: 0, seconds };
    const report = JSON.parse(readFileSync(path, 'utf8')) as Report;
    return { ...failureOf(report, code !== 0), passedCount: report.numPassedTests, seconds };
  }

  /** Runs a program of Node's in the copy. One that takes too long is ended, with those that it has started. */
  #node(command: readonly string[], limit: number): Promise<Ending> {
    const { VARVE_SHARD: _, ...env } = process.env;
    const child = spawn(process.execPath, command, { cwd: this.#root, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    this.#running = child;
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (output += text.toString()));
    let hung = false;
    const timer = setTimeout(() => {
      hung = true;
      this.#end();
    }, limit);
    return new Promise((resolve) => {
      child.on('close', (code) => {
        clearTimeout(timer);
        this.#running = undefined;
        resolve({ code, output, hung });
      });
    });
  }

  /** Ends the program that runs, and those that it has started: they are a group of their own. */
  #end(): void {
    if (this.#running?.pid !== undefined) process.kill(-this.#running.pid, 'SIGKILL');
  }
}

/** What is planted may leave a name unused, and that is not what is wrong with it. */
const CHECK_ONLY = ['--emitDeclarationOnly', 'false', '--declaration', 'false', '--noEmit', '--noUnusedLocals', 'false', '--noUnusedParameters', 'false'];

function failureOf(report: Report, hasFailed: boolean): { failure: string | undefined; hung: boolean } {
  if (!hasFailed) return { failure: undefined, hung: false };
  for (const { assertionResults } of report.testResults) {
    const failed = assertionResults.find(({ status }) => status === 'failed');
    if (failed !== undefined) return { failure: failed.fullName.trim(), hung: failed.failureMessages.some((message) => message.includes('Test timed out')) };
  }
  const broken = report.testResults.find(({ status }) => status === 'failed');
  return { failure: broken === undefined ? 'an error outside of every test' : `outside of every test: ${broken.message.split('\n')[0] ?? ''}`, hung: false };
}
