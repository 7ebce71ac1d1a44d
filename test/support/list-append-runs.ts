/** Many histories of appends to lists, each generated, checked and forgotten: so a run of any length takes linear time and little memory. */
import { MemoryDevice } from '../../src/device/memory.js';
import type { Isolation, Store } from '../../src/index.js';
import { DependencyGraph } from './dependency-graph.js';
import { LISTS, ListAppend, type Shape } from './list-append.js';
import type { ListHistory } from './list-history.js';
import { liveWithLists, type LivesFigures, type LivesShape } from './list-lives.js';
import { Random } from './random.js';
import { openStore } from './stores.js';
import { versionContradiction } from './version-replay.js';

/** So many histories one store lives through. What it has deleted leaves tombstones. */
const HISTORIES_PER_STORE = 20;
/** The keys of each history have numbers of their own. */
const BASE_STEP = 1 << 20;
const NEVER = 3_600_000;

/** How many sessions take turns, on how many groups of keys, for how many transactions: from two that always meet to a thousand that are open at once. */
const SHAPES: readonly (readonly [sessions: number, groups: number, txns: number])[] = [
  [2, 1, 1000], [3, 1, 1000], [4, 2, 2000], [8, 6, 4000], [16, 16, 4000], [64, 64, 6000], [250, 250, 8000], [1000, 1000, 12_000],
];
const LEVELS: readonly Shape['isolation'][] = ['serializable', 'serializable', 'snapshot', 'mixed'];

export interface ListFigures extends LivesFigures {
  histories: number;
  committed: number;
  aborted: number;
  edges: number;
  /** Cycles that only snapshot isolation allows, by name. */
  readonly skews: Record<string, number>;
  /** Seconds of a processor that the store, the sessions and the checks took together. */
  processor: number;
}

export function addListFigures(to: ListFigures, from: ListFigures): void {
  for (const name of ['histories', 'committed', 'aborted', 'edges', 'crashes', 'unknown', 'forgotten', 'processor'] as const) to[name] += from[name];
  for (const [name, count] of Object.entries(from.skews)) to.skews[name] = (to.skews[name] ?? 0) + count;
}

export class ListRuns {
  readonly figures: ListFigures = { histories: 0, committed: 0, aborted: 0, edges: 0, skews: {}, crashes: 0, unknown: 0, forgotten: 0, processor: 0 };
  #store: Store<readonly number[]> | undefined;
  /** How many histories the store has lived through. */
  #age = 0;

  /** With `actual`, transactions really run at that level, whatever they are held to: to see that the checks notice. */
  constructor(readonly actual?: Isolation) {}

  #storeFor(seed: number): Store<readonly number[]> {
    if (this.#store === undefined || ++this.#age === HISTORIES_PER_STORE) {
      this.#age = 0;
      this.#store = openStore(new MemoryDevice(), { durability: 'relaxed', flushInterval: NEVER, values: LISTS as never }, seed) as Store<readonly number[]>;
    }
    return this.#store;
  }

  /** Checks a history. Throws, with what it was, where no store may have it. */
  #check(history: ListHistory, isolation: Shape['isolation'], what: string): void {
    const { figures } = this;
    const graph = new DependencyGraph(history);
    const anomalies = graph.findings();
    if (anomalies.length > 0) throw new Error(`${what}: ${anomalies.slice(0, 10).map(({ name, text }) => `${name}: ${text}`).join('\n')}`);
    if (isolation === 'snapshot') for (const { name } of graph.cycles(true).cycles) figures.skews[name] = (figures.skews[name] ?? 0) + 1;
    figures.histories++;
    figures.committed += graph.committed;
    figures.aborted += history.txns.length - graph.committed;
    figures.edges += graph.edges.count;
  }

  /** Generates the history of a seed, of sessions that take turns, and checks it. */
  run(seed: number, txnsMost = Infinity): void {
    const random = new Random(seed);
    const [sessions, groups, txns] = random.pick(SHAPES);
    const shape: Shape = { sessions, groups, txns: Math.min(txns, txnsMost), isolation: random.pick(LEVELS) };
    const what = `seed ${seed}, ${sessions} sessions, ${shape.isolation} (replay with npm run isolation -- --history ${seed})`;
    const { stackTraceLimit } = Error;
    // A tenth of the time would go into the stacks of conflicts.
    Error.stackTraceLimit = 0;
    const store = this.#storeFor(seed);
    let history: ListHistory;
    try {
      history = new ListAppend(store, shape, random, this.#age * BASE_STEP, this.actual).run();
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
    this.#check(history, shape.isolation, what);
    const contradiction = versionContradiction(history);
    if (contradiction !== undefined) throw new Error(`${what}: ${contradiction}`);
  }

  /** Generates the history of a seed, of sessions that wait, through several lives with a crash behind each but the last, and checks it. */
  async live(seed: number): Promise<void> {
    const random = new Random(seed);
    const sessions = random.pick([2, 4, 10, 40, 100]);
    const shape: LivesShape = {
      sessions,
      groups: Math.ceil(sessions / 3),
      txnsPerLife: 50 + random.below(250),
      lives: 1 + random.below(4),
      durability: random.pick(['strict', 'strict', 'buffered'] as const),
      isolation: random.pick(LEVELS),
    };
    this.#check(await liveWithLists(shape, random, seed, this.figures), shape.isolation, `seed ${seed}, ${sessions} sessions, ${shape.lives} lives, ${shape.durability}, ${shape.isolation} (replay with npm run isolation -- --lives ${seed})`);
  }
}
