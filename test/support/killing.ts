/**
 * Stores that live many short lives: writers are killed in the middle, at moments that nobody can foresee, and each life begins with what the one before left. Whatever the moment, what the
 * next writer finds is held against the ledger.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { OpenOptions } from '../../src/options.js';
import { bundleProgram, Child, Lines, Pool } from './children.js';
import { Ledger, type Dump } from './ledger.js';
import { Random } from './random.js';
import type { Order, Slate } from './writer.js';

export const MODES = {
  strict: { durability: 'strict' },
  'strict, blocking': { durability: 'strict', flush: 'sync' },
  buffered: { durability: 'buffered', flushInterval: 20 },
  relaxed: { durability: 'relaxed', flushInterval: 20 },
} as const satisfies Record<string, OpenOptions>;

export type ModeName = keyof typeof MODES;

export interface Figures {
  lives: number;
  /** Lives that were ended before the store had opened. */
  killedOpening: number;
  tornTails: number;
  endedInOrder: number;
  acknowledged: number;
  lost: number;
}

/** When a life is to end: some microseconds after so many lines, or, with -1, after the order was given. */
interface Plan {
  readonly lines: number;
  readonly microseconds: number;
}

const SLATE_SIZE = 4 << 20;
const LANES_MAX = 6;

/** Waits so briefly that no timer could. */
function spin(microseconds: number): void {
  const end = performance.now() + microseconds / 1000;
  while (performance.now() < end);
}

function orderOf(random: Random, path: string, seed: number, life: number, mode: OpenOptions): Order {
  return {
    path, seed, life,
    options: { ...mode, segmentSize: 4096 << random.below(4) },
    lanes: 1 + random.below(LANES_MAX),
    isSync: random.chance(0.2),
    end: random.chance(0.1) ? { by: random.chance(0.5) ? 'close' : 'exit', after: random.below(60) } : undefined,
    restAfter: random.chance(0.1) ? random.below(30) : -1,
    verifies: random.chance(0.1),
  };
}

function planOf(random: Random): Plan {
  if (random.chance(0.12)) return { lines: -1, microseconds: random.below(30_000) };
  return { lines: random.below(random.chance(0.1) ? 300 : 60), microseconds: random.chance(0.5) ? 0 : random.below(1500) };
}

/** One life, whoever lives it: hears the writer's lines and tells the ledger. */
class Life {
  readonly order: Order;
  readonly #ledger: Ledger;
  readonly #figures: Figures;
  lineCount = 0;
  hasOpened = false;
  hasEnded = false;
  /** What went wrong, if anything did. */
  failure: Error | undefined;

  constructor(order: Order, ledger: Ledger, figures: Figures) {
    this.order = order;
    this.#ledger = ledger;
    this.#figures = figures;
  }

  hear(line: string): void {
    try {
      this.#take(line);
    } catch (error) {
      this.failure ??= error as Error;
    }
  }

  #take(line: string): void {
    const word = line.slice(0, line.indexOf(' '));
    const rest = line.slice(word.length + 1);
    this.lineCount++;
    switch (word) {
      case 'opened': {
        const dump = JSON.parse(rest) as Dump;
        if (dump.dropped > 0) this.#figures.tornTails++;
        this.#ledger.begin(this.order.life, this.order.lanes, dump);
        this.hasOpened = true;
        break;
      }
      case 'done': {
        const [number, version] = rest.split(' ').map(Number);
        this.#ledger.acknowledge(number!, version!, this.order.options.durability !== 'relaxed');
        break;
      }
      case 'flushed':
      case 'ended':
        this.#ledger.promise(Number(rest));
        if (word === 'ended') this.hasEnded = true;
        break;
      default:
        throw new Error(`the writer says: ${line}`);
    }
  }
}

/** Where writers live: a process each, or a thread each. `live` resolves when the writer is gone. */
interface Habitat {
  live(life: Life, plan: Plan): Promise<void>;
  end(): Promise<void>;
}

class Processes implements Habitat {
  readonly #pool: Pool;

  constructor(folder: string, size: number) {
    const program = join(folder, 'writer.mjs');
    bundleProgram(program, 'test/support/writer.ts', 'serve');
    this.#pool = new Pool(size, () => new Child(process.execPath, [program]));
  }

  async live(life: Life, plan: Plan): Promise<void> {
    const child = this.#pool.take();
    if ((await child.hear()) !== 'ready') throw new Error('a writer that was not asked speaks');
    let isDue = plan.lines >= 0;
    const end = (): void => {
      if (!isDue || life.lineCount <= plan.lines) return;
      isDue = false;
      spin(plan.microseconds);
      child.process.kill('SIGKILL');
    };
    child.onLine = (line) => {
      life.hear(line);
      end();
    };
    child.tell(JSON.stringify(life.order));
    if (plan.lines < 0) setTimeout(() => child.process.kill('SIGKILL'), plan.microseconds / 1000);
    const { code, signal } = await child.ended;
    if (signal !== 'SIGKILL' && code !== 0) throw life.failure ?? new Error(`a writer ended with ${signal ?? `code ${code}`}`);
  }

  end(): Promise<void> {
    return this.#pool.end();
  }
}

class Threads implements Habitat {
  readonly #program: string;

  constructor(folder: string) {
    this.#program = join(folder, 'thread.mjs');
    bundleProgram(this.#program, 'test/support/writer.ts', 'serveThread');
  }

  async live(life: Life, plan: Plan): Promise<void> {
    const slate: Slate = { order: life.order, shared: new SharedArrayBuffer(SLATE_SIZE) };
    const size = new Int32Array(slate.shared, 0, 1);
    const lines = new Lines();
    let read = 0;
    const hear = (): void => {
      const end = Atomics.load(size, 0);
      for (const line of lines.take(Buffer.from(new Uint8Array(slate.shared, 4 + read, end - read)).toString('latin1'))) life.hear(line);
      read = end;
    };
    const thread = new Worker(this.#program, { workerData: slate });
    const gone = new Promise<void>((resolve, reject) => thread.on('exit', () => resolve()).on('error', reject));
    let isGone = false;
    void gone.finally(() => (isGone = true)).catch(() => undefined);
    if (plan.lines < 0) await new Promise((resolve) => setTimeout(resolve, plan.microseconds / 1000));
    else while (!isGone && life.lineCount <= plan.lines) {
      hear();
      await new Promise(setImmediate);
    }
    spin(plan.lines < 0 ? 0 : plan.microseconds);
    await thread.terminate();
    await gone;
    hear();
  }

  async end(): Promise<void> {
    // Every thread is gone by then.
  }
}

/** What a run of lives is about. */
export interface Run {
  readonly folder: string;
  readonly seed: number;
  readonly habitat: 'process' | 'thread';
  /** One store for each of these, all living at once. */
  readonly modes: readonly ModeName[];
  /** How to see what failed again. */
  readonly replay: string;
  /** Asked before each life, with how many there were: whether there is another one. */
  readonly goesOn: (lives: number) => boolean;
}

/** Lets one store live until enough. */
async function runStore(run: Run, index: number, habitat: Habitat, figures: Figures): Promise<void> {
  const mode = run.modes[index]!;
  const seed = run.seed + index;
  const random = new Random(seed);
  const ledger = new Ledger(seed);
  const path = join(run.folder, `${run.habitat}-${seed}.varve`);
  for (let life = 0; run.goesOn(figures.lives); life++) {
    figures.lives++;
    const before = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
    const one = new Life(orderOf(random, path, seed, life, MODES[mode]), ledger, figures);
    try {
      await habitat.live(one, planOf(random));
      if (one.failure !== undefined) throw one.failure;
    } catch (cause) {
      writeFileSync(`${path}.before`, before);
      throw new Error(`${mode}, seed ${seed}, life ${life}: ${(cause as Error).message}\nThe store as that life found it: ${path}.before\nAgain: VARVE_SEED=${run.seed} ${run.replay}`, { cause });
    }
    if (!one.hasOpened) figures.killedOpening++;
    if (one.hasEnded) figures.endedInOrder++;
  }
  figures.acknowledged += ledger.acknowledgedCount;
  figures.lost += ledger.lostCount;
}

/** Lets one store for each mode live and die until enough. Throws at the first thing that is not as it was promised. */
export async function runLives(run: Run): Promise<Figures> {
  const figures: Figures = { lives: 0, killedOpening: 0, tornTails: 0, endedInOrder: 0, acknowledged: 0, lost: 0 };
  const habitat = run.habitat === 'process' ? new Processes(run.folder, run.modes.length + 1) : new Threads(run.folder);
  try {
    await Promise.all(run.modes.map((_, index) => runStore(run, index, habitat, figures)));
  } finally {
    await habitat.end();
  }
  return figures;
}

export function textOf(figures: Figures, milliseconds: number): string {
  const { lives, killedOpening, tornTails, endedInOrder, acknowledged, lost } = figures;
  return `${lives} lives (${(lives / milliseconds * 1000).toFixed(1)} a second), ${endedInOrder} ended in order, the others killed, ${killedOpening} of them before the store was open; ` +
    `${tornTails} torn tails, ${acknowledged} operations acknowledged, ${lost} of them gone, where the mode allows it`;
}
