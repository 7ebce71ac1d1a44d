/**
 * Histories of transactions, and the two questions that decide whether a store has kept them apart: does one serial order explain every read, and are there cycles among the dependencies
 * (Adya, 1999)? Nothing here knows how the store validates; every value is written once in a history, so that a read names its writer.
 */
import type { Isolation } from '../../src/index.js';

export type Act =
  | { readonly kind: 'get'; readonly key: string; readonly value: number | undefined }
  | { readonly kind: 'put'; readonly key: string; readonly value: number }
  | { readonly kind: 'delete'; readonly key: string }
  | { readonly kind: 'cas'; readonly key: string; readonly expected: number; readonly value: number | undefined };

/** A transaction that committed. */
export interface Committed {
  readonly id: number;
  readonly isolation: Isolation;
  /** The version at which it read. */
  readonly begin: number;
  /** The version that its commit was given: 0 where nothing was written. */
  readonly version: number;
  /** The version as of which it took place. */
  readonly position: number;
  readonly acts: readonly Act[];
}

interface Held {
  readonly value: number | undefined;
  readonly version: number;
}

type State = Map<string, Held>;

const existing = (held: Held | undefined): number => (held?.value === undefined ? 0 : held.version);

/** Runs a transaction on a state. The first thing that does not fit, in words, or what it leaves to write. */
function rerun({ id, acts }: Committed, state: State): string | Map<string, number | undefined> {
  const writes = new Map<string, number | undefined>();
  for (const act of acts) {
    if (act.kind === 'get') {
      const expected = writes.has(act.key) ? writes.get(act.key) : state.get(act.key)?.value;
      if (act.value !== expected) return `transaction ${id} read ${act.value} of ${act.key} where ${expected} was`;
    } else {
      writes.set(act.key, act.kind === 'delete' ? undefined : act.value);
      if (act.kind === 'cas' && existing(state.get(act.key)) !== act.expected) return `transaction ${id} had a cas of ${act.key} from ${act.expected} where ${existing(state.get(act.key))} was`;
    }
  }
  return writes;
}

const inOrder = (history: readonly Committed[]): Committed[] => history.toSorted((left, right) => left.position - right.position || right.version - left.version);

/** The states after each commit, by version, when the writes alone are taken one after another. */
function statesOf(history: readonly Committed[]): Map<number, State> {
  const state: State = new Map();
  const states = new Map<number, State>([[0, new Map()]]);
  for (const one of inOrder(history)) {
    if (one.version === 0) continue;
    for (const act of one.acts) {
      if (act.kind === 'get') continue;
      const value = act.kind === 'delete' ? undefined : act.value;
      if (value !== undefined || state.has(act.key)) state.set(act.key, { value, version: one.version });
    }
    states.set(one.version, new Map(state));
  }
  return states;
}

/** Whether one serial order, that of the versions, explains every read and every cas of every serializable transaction: the first that it does not, or undefined. */
export function serialContradiction(history: readonly Committed[]): string | undefined {
  const state: State = new Map();
  for (const one of inOrder(history)) {
    if (one.isolation === 'snapshot' && one.version === 0) continue;
    const known = one.isolation === 'serializable' ? one : { ...one, acts: one.acts.filter(({ kind }) => kind !== 'get') };
    const writes = rerun(known, state);
    if (typeof writes === 'string') return writes;
    for (const [key, value] of writes) {
      if (value === undefined && state.get(key)?.value === undefined) continue;
      if (one.version === 0) return `transaction ${one.id} changed ${key} and has no version`;
      state.set(key, { value, version: one.version });
    }
  }
  return undefined;
}

/** Whether each transaction read the state of the version at which it began: the first that did not, or undefined. */
export function snapshotContradiction(history: readonly Committed[]): string | undefined {
  const states = statesOf(history);
  for (const one of history) {
    const reads = { ...one, acts: one.acts.map((act): Act => (act.kind === 'cas' ? (act.value === undefined ? { kind: 'delete', key: act.key } : { kind: 'put', key: act.key, value: act.value }) : act)) };
    const state = states.get(one.begin);
    if (state === undefined) return `transaction ${one.id} began at version ${one.begin}, which no commit has`;
    const found = rerun(reads, state);
    if (typeof found === 'string') return found;
  }
  return undefined;
}

/** One transaction depends on another: it wrote what the other wrote, or read it; or (rw) it wrote over what the other had read. */
export interface Edge {
  readonly from: number;
  readonly to: number;
  readonly kind: 'ww' | 'wr' | 'rw';
}

interface Written {
  readonly id: number;
  readonly version: number;
  readonly value: number | undefined;
}

/** The versions of each key that were ever there, in order. */
function chainsOf(history: readonly Committed[]): Map<string, Written[]> {
  const chains = new Map<string, Written[]>();
  for (const { id, version, acts } of inOrder(history)) {
    if (version === 0) continue;
    const last = new Map<string, number | undefined>();
    for (const act of acts) if (act.kind !== 'get') last.set(act.key, act.kind === 'delete' ? undefined : act.value);
    for (const [key, value] of last) {
      const chain = chains.get(key) ?? [];
      chains.set(key, chain);
      if (value !== undefined || chain.at(-1)?.value !== undefined) chain.push({ id, version, value });
    }
  }
  return chains;
}

/** The dependencies between the transactions of a history. Throws where a read found what no commit has left: an aborted or an intermediate value. */
export function dependencies(history: readonly Committed[]): Edge[] {
  const edges: Edge[] = [];
  const add = (from: number, to: number, kind: Edge['kind']): void => {
    if (from !== to) edges.push({ from, to, kind });
  };
  const chains = chainsOf(history);
  for (const chain of chains.values()) for (let index = 1; index < chain.length; index++) add(chain[index - 1]!.id, chain[index]!.id, 'ww');
  for (const { id, begin, acts } of history) {
    const own = new Set<string>();
    for (const act of acts) {
      if (act.kind !== 'get') own.add(act.key);
      else if (!own.has(act.key)) {
        const chain = chains.get(act.key) ?? [];
        // That a key is absent has many causes; which one it was, the version tells at which the transaction read.
        const index = chain.findLastIndex(({ value, version }) => (act.value === undefined ? version <= begin : value === act.value));
        if (chain[index]?.value !== act.value) throw new Error(`transaction ${id} read ${act.value} of ${act.key}, which no commit has left there`);
        if (index >= 0) add(chain[index]!.id, id, 'wr');
        if (index + 1 < chain.length) add(id, chain[index + 1]!.id, 'rw');
      }
    }
  }
  return edges;
}

/** A cycle among dependencies, in words; undefined where there is none. With `isSkewAllowed` one of those that snapshot isolation excludes: without two rw in a row (Fekete and others, 2005). */
export function cycleIn(edges: readonly Edge[], isSkewAllowed: boolean): string | undefined {
  // A place is a transaction, and whether it was reached by an rw after which none may follow.
  const next = (place: string): { place: string; edge: Edge }[] => {
    const [id, wasRw] = place.split(' ');
    return edges
      .filter((edge) => edge.from === Number(id) && !(wasRw === 'rw' && edge.kind === 'rw'))
      .map((edge) => ({ place: `${edge.to} ${isSkewAllowed && edge.kind === 'rw' ? 'rw' : ''}`, edge }));
  };
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (place: string): string[] | undefined => {
    if (path.includes(place)) return path.slice(path.indexOf(place));
    if (done.has(place)) return undefined;
    path.push(place);
    for (const { place: to } of next(place)) {
      const found = visit(to);
      if (found !== undefined) return found;
    }
    path.pop();
    done.add(place);
    return undefined;
  };
  for (const { from } of edges) {
    const cycle = visit(`${from} `);
    if (cycle !== undefined) return `a cycle of transactions ${cycle.map((place) => place.trim()).join(' → ')}`;
  }
  return undefined;
}
