/** A private copy of the project, in which something can be broken, built and tested without touching the project itself. */
import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileCore, quickOptions } from './quick-core.js';
import { TypeCheck } from './type-check.js';

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
  /** The file of that test, as far as it is known. */
  readonly file: string | undefined;
  /** Whether it failed by not coming back. */
  readonly hung: boolean;
  readonly passedCount: number;
  readonly seconds: number;
}

interface Report {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly name: string;
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
  /** What was changed, as it was. It comes from the copy and not from the project, in which work goes on meanwhile. */
  readonly #originals = new Map<string, Buffer>();
  readonly #types: TypeCheck;
  #running: ChildProcess | undefined;

  private constructor() {
    for (const name of readdirSync(PROJECT)) if (!LEFT_OUT.has(name)) this.#copy(name);
    for (const name of ['dist', 'build/worker.js', 'build/worker.d.ts', ...BUILT.map((built) => join('build', built))]) this.#copy(name);
    symlinkSync(join(PROJECT, 'node_modules'), join(this.#root, 'node_modules'));
    writeFileSync(join(this.#root, 'asconfig.json'), quickOptions(this.read('asconfig.json')));
    // Dependencies are never out of date, nor is the bundle, whose declarations take longest to build: no test of a planted bug needs it.
    for (const name of ['package.json', 'asconfig.json', 'build.mjs']) utimesSync(join(this.#root, name), LONG_AGO, LONG_AGO);
    for (const name of ['dist/index.js', 'build/worker.js']) utimesSync(join(this.#root, name), FAR_FUTURE, FAR_FUTURE);
    this.#types = new TypeCheck(this.#root);
  }

  /** A copy whose core was built in the way in which those with a bug will be. Throws where it cannot be. */
  static async make(): Promise<Workshop> {
    const shop = new Workshop();
    const problem = await shop.#buildCore();
    if (problem !== undefined) throw new Error(`the project does not build: ${problem}`);
    for (const name of BUILT) shop.#originals.set(join('build', name), readFileSync(join(shop.#root, 'build', name)));
    return shop;
  }

  #copy(path: string): void {
    cpSync(join(PROJECT, path), join(this.#root, path), COPY);
  }

  /** Ends what runs in the copy, and removes it. */
  dispose(): void {
    this.#end();
    rmSync(this.#root, { recursive: true, force: true });
  }

  read(file: string): string {
    return readFileSync(join(this.#root, file), 'utf8');
  }

  /** The test files of the copy, from its root. */
  testFiles(): string[] {
    return readdirSync(join(this.#root, 'test'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
      .map((entry) => relative(this.#root, join(entry.parentPath, entry.name)))
      .sort();
  }

  write(file: string, text: string): void {
    if (!this.#originals.has(file)) this.#originals.set(file, readFileSync(join(this.#root, file)));
    writeFileSync(join(this.#root, file), text);
    this.#types.forget(join(this.#root, file));
  }

  /** Puts a file back as it was, and with it what was built. */
  restore(file: string): void {
    for (const name of [file, ...BUILT.map((built) => join('build', built))]) writeFileSync(join(this.#root, name), this.#originals.get(name)!);
    this.#types.forget(join(this.#root, file));
  }

  /** Builds what a changed file makes out of date, and checks types, which no test does. Returns what went wrong, or undefined. */
  async build(file: string): Promise<string | undefined> {
    if (file.startsWith('assembly/')) {
      const problem = await this.#buildCore();
      if (problem !== undefined) return problem;
    }
    if (file.startsWith('assembly/') && !file.startsWith('assembly/shared/')) return undefined;
    return this.#types.check();
  }

  /** Compiles the core in both forms, and has the build make of it what the facade loads. Returns what went wrong, or undefined. */
  async #buildCore(): Promise<string | undefined> {
    const problem = await compileCore(this.#root);
    if (problem !== undefined) return problem;
    const { code, output } = await this.#node(['build.mjs'], BUILD_LIMIT);
    return code === 0 ? undefined : output;
  }

  /** Runs the tests of files, or those whose titles match a pattern, until the first failure, for so many seconds at most: half of that for one test, which a loop in the core can keep from noticing. */
  async test(files: readonly string[], limit: number, pattern?: string): Promise<TestRun> {
    const path = join(this.#root, 'build/report.json');
    rmSync(path, { force: true });
    const began = performance.now();
    const { code, output, hung } = await this.#node([
      'node_modules/vitest/vitest.mjs', 'run', ...files, ...(pattern === undefined ? [] : ['-t', pattern]),
      '--bail=1', `--testTimeout=${limit * 500}`, '--reporter=json', `--outputFile=${path}`,
    ], limit * 1000);
    const seconds = (performance.now() - began) / 1000;
    const file = files.length === 1 ? files[0] : undefined;
    if (hung) return { failure: 'a run that does not come back', file, hung, passedCount: 0, seconds };
    if (!existsSync(path)) return { failure: `no report: ${output.slice(-500)}`, file, hung, passedCount: 0, seconds };
    const report = JSON.parse(readFileSync(path, 'utf8')) as Report;
    const { name, ...ending } = failureOf(report, code !== 0);
    return { ...ending, file: name === undefined ? file : relative(this.#root, name), passedCount: report.numPassedTests, seconds };
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

function failureOf({ testResults }: Report, hasFailed: boolean): { failure: string | undefined; name?: string; hung: boolean } {
  if (!hasFailed) return { failure: undefined, hung: false };
  for (const { name, assertionResults } of testResults) {
    const failed = assertionResults.find(({ status }) => status === 'failed');
    if (failed !== undefined) return { failure: failed.fullName.trim(), name, hung: failed.failureMessages.some((message) => message.includes('Test timed out')) };
  }
  const broken = testResults.find(({ status }) => status === 'failed');
  if (broken === undefined) return { failure: 'an error outside of every test', hung: false };
  return { failure: `outside of every test: ${broken.message.split('\n')[0] ?? ''}`, name: broken.name, hung: false };
}
