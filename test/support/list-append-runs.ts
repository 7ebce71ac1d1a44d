/** Many histories of appends to lists, each generated, checked and forgotten: so a run of any length takes linear time and little memory. */
import { MemoryDevice } from '../../src/device/memory.js';
import type { Isolation, Store } from '../../src/index.js';
import { DependencyGraph } from './dependency-graph.js';
import { LISTS, ListAppend, type Shape } from './list-append.js';
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

export interface ListFigures {
  histories: number;
  committed: number;
  aborted: number;
  edges: number;
  /** Cycles that only snapshot isolation allows, by name. */
  readonly skews: Record<string, number>;
  /** Milliseconds that the store and the sessions took, and the checks. */
  running: number;
  checking: number;
}

export function noListFigures(): ListFigures {
  return { histories: 0, committed: 0, aborted: 0, edges: 0, skews: {}, running: 0, checking: 0 };
}

export function addListFigures(to: ListFigures, from: ListFigures): void {
  for (const name of ['histories', 'committed', 'aborted', 'edges', 'running', 'checking'] as const) to[name] += from[name];
  for (const [name, count] of Object.entries(from.skews)) to.skews[name] = (to.skews[name] ?? 0) + count;
}

export class ListRuns {
  readonly figures = noListFigures();
  #store: Store<readonly number[]> | undefined;

  /** With `actual`, transactions really run at that level, whatever they are held to: to see that the checks notice. */
  constructor(readonly actual?: Isolation) {}

  #open(seed: number): Store<readonly number[]> {
    return openStore(new MemoryDevice(), { durability: 'relaxed', flushInterval: NEVER, values: LISTS as never }, seed) as Store<readonly number[]>;
  }

  /** Generates the history of a seed and checks it. Throws, with the seed, where a store may not have it. */
  run(seed: number): void {
    const { figures } = this;
    const random = new Random(seed);
    const [sessions, groups, txns] = random.pick(SHAPES);
    const shape: Shape = { sessions, groups, txns, isolation: random.pick(LEVELS) };
    if (figures.histories % HISTORIES_PER_STORE === 0) this.#store = this.#open(seed);
    const start = performance.now();
    const history = new ListAppend(this.#store!, shape, random, (figures.histories % HISTORIES_PER_STORE) * BASE_STEP, this.actual).run();
    const middle = performance.now();
    const graph = new DependencyGraph(history);
    const anomalies = [...graph.anomalies, ...graph.cycles().cycles];
    const contradiction = versionContradiction(history);
    const place = `seed ${seed}, ${sessions} sessions, ${shape.isolation} (replay with npm run isolation -- --list-seed ${seed})`;
    if (anomalies.length > 0) throw new Error(`${place}: ${anomalies.slice(0, 10).map(({ name, text }) => `${name}: ${text}`).join('\n')}`);
    if (contradiction !== undefined) throw new Error(`${place}: ${contradiction}`);
    if (shape.isolation === 'snapshot') for (const { name } of graph.cycles(true).cycles) figures.skews[name] = (figures.skews[name] ?? 0) + 1;
    figures.histories++;
    figures.committed += graph.committed;
    figures.aborted += history.txns.length - graph.committed;
    figures.edges += graph.edges.count;
    figures.running += middle - start;
    figures.checking += performance.now() - middle;
  }
}
