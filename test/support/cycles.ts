/**
 * Cycles among the dependencies of transactions, and their names (Adya, 1999). A serializable transaction takes place at one point, one under snapshot isolation at two, its begin and its
 * commit; a history is allowed if no cycle leads through the points. With two points each, only cycles with two adjacent anti-dependencies vanish, which is what snapshot isolation allows
 * (Fekete and others, 2005), and transactions of both levels may stand side by side.
 */

/** Why one transaction comes before another: it wrote what the other wrote over, or read; it read what the other wrote over, or looked for what the other made; it ended before the other began. */
export const WW = 1;
export const WR = 2;
export const RW = 4;
export const RW_PREDICATE = 8;
export const REALTIME = 16;
/** From the begin of a transaction to its commit. */
const OWN = 32;

const NAMES: Readonly<Record<number, string>> = { [WW]: 'ww', [WR]: 'wr', [RW]: 'rw', [RW_PREDICATE]: 'rw (predicate)', [REALTIME]: 'realtime' };
const ANTI = RW | RW_PREDICATE;

export type CycleName = 'G0' | 'G1c' | 'G-single' | 'G-nonadjacent' | 'G2-item' | 'G2' | 'G0-realtime' | 'G1c-realtime' | 'G-single-realtime' | 'G-nonadjacent-realtime' | 'G2-item-realtime' | 'G2-realtime';

export interface Cycle {
  readonly name: CycleName;
  /** The transactions and what leads from each to the next, in words. */
  readonly text: string;
}

/** Edges between transactions: three numbers each. */
export class Edges {
  from = new Int32Array(1024);
  to = new Int32Array(1024);
  kind = new Uint8Array(1024);
  count = 0;

  add(from: number, to: number, kind: number): void {
    if (from === to) return;
    if (this.count === this.from.length) this.#grow();
    this.from[this.count] = from;
    this.to[this.count] = to;
    this.kind[this.count++] = kind;
  }

  #grow(): void {
    const [from, to, kind] = [new Int32Array(this.count * 2), new Int32Array(this.count * 2), new Uint8Array(this.count * 2)];
    from.set(this.from);
    to.set(this.to);
    kind.set(this.kind);
    this.from = from;
    this.to = to;
    this.kind = kind;
  }
}

/** The points at which transactions take place, and what leads from each to which. */
class PointGraph {
  readonly count: number;
  /** The edges that leave a point p are those of `targets` and `kinds` from starts[p] to starts[p + 1]. */
  readonly starts: Int32Array;
  readonly targets: Int32Array;
  readonly kinds: Uint8Array;

  /** `isSplit` says of each transaction whether it has two points; nodes beyond it, which only join others, have one. */
  constructor(nodeCount: number, edges: Edges, isSplit: Uint8Array) {
    this.count = nodeCount * 2;
    this.starts = new Int32Array(this.count + 1);
    const begin = (node: number): number => node * 2;
    const commit = (node: number): number => node * 2 + (isSplit[node] ?? 0);
    const { starts } = this;
    for (let index = 0; index < edges.count; index++) starts[((edges.kind[index]! & ANTI) === 0 ? commit(edges.from[index]!) : begin(edges.from[index]!)) + 1]!++;
    for (let node = 0; node < isSplit.length; node++) starts[begin(node) + 1]! += isSplit[node]!;
    for (let point = 0; point < this.count; point++) starts[point + 1]! += starts[point]!;
    this.targets = new Int32Array(starts[this.count]!);
    this.kinds = new Uint8Array(starts[this.count]!);
    const next = starts.slice();
    const put = (from: number, to: number, kind: number): void => {
      const at = next[from]!++;
      this.targets[at] = to;
      this.kinds[at] = kind;
    };
    for (let index = 0; index < edges.count; index++) {
      const [from, to, kind] = [edges.from[index]!, edges.to[index]!, edges.kind[index]!];
      if ((kind & ANTI) === 0) put(commit(from), begin(to), kind);
      else put(begin(from), commit(to), kind);
    }
    for (let node = 0; node < isSplit.length; node++) if (isSplit[node] === 1) put(begin(node), commit(node), OWN);
  }

  /** The strongly connected components of more than one point (Tarjan, 1972), without recursion. */
  components(): number[][] {
    const { count, starts, targets } = this;
    const order = new Int32Array(count);
    const low = new Int32Array(count);
    const cursor = starts.slice(0, count);
    const isOnStack = new Uint8Array(count);
    const stack = new Int32Array(count);
    const path = new Int32Array(count);
    const found: number[][] = [];
    let height = 0;
    let clock = 0;
    for (let root = 0; root < count; root++) {
      if (order[root] !== 0 || starts[root] === starts[root + 1]) continue;
      let depth = 0;
      path[0] = root;
      order[root] = low[root] = ++clock;
      stack[height++] = root;
      isOnStack[root] = 1;
      while (depth >= 0) {
        const point = path[depth]!;
        const at = cursor[point]!;
        if (at < starts[point + 1]!) {
          cursor[point]!++;
          const target = targets[at]!;
          if (order[target] === 0) {
            order[target] = low[target] = ++clock;
            stack[height++] = target;
            isOnStack[target] = 1;
            path[++depth] = target;
          } else if (isOnStack[target] === 1) low[point] = Math.min(low[point]!, order[target]!);
          continue;
        }
        depth--;
        if (depth >= 0) low[path[depth]!] = Math.min(low[path[depth]!]!, low[point]!);
        if (low[point] !== order[point]) continue;
        const top = height;
        do isOnStack[stack[--height]!] = 0;
        while (stack[height] !== point);
        if (top - height > 1) found.push([...stack.subarray(height, top)]);
      }
    }
    return found;
  }

  /** The shortest way from one point to another through a component along edges of some kinds: the numbers of its edges, or undefined. */
  wayBetween(from: number, to: number, kinds: number, members: ReadonlySet<number>): number[] | undefined {
    const cameBy = new Map<number, { readonly edge: number; readonly before: number }>();
    const queue = [from];
    for (const point of queue) {
      for (let edge = this.starts[point]!; edge < this.starts[point + 1]!; edge++) {
        const target = this.targets[edge]!;
        if ((this.kinds[edge]! & kinds) === 0 || !members.has(target) || cameBy.has(target)) continue;
        cameBy.set(target, { edge, before: point });
        if (target === to) {
          const way: number[] = [];
          for (let at = to; way.length === 0 || at !== from;) {
            const step = cameBy.get(at)!;
            way.unshift(step.edge);
            at = step.before;
          }
          return way;
        }
        queue.push(target);
      }
    }
    return undefined;
  }

  /** The gravest cycle of a component: the one with the strongest edges, and of those the first that a search finds. */
  gravest(component: readonly number[], nodeName: (node: number) => string): Cycle {
    const members = new Set(component);
    for (const time of [0, REALTIME]) {
      for (const [first, rest] of [[WW, WW], [WW | WR, WW | WR], [ANTI, WW | WR], [RW, WW | WR | RW], [ANTI, WW | WR | ANTI]] as const) {
        for (const point of component) {
          for (let edge = this.starts[point]!; edge < this.starts[point + 1]!; edge++) {
            if ((this.kinds[edge]! & first) === 0 || !members.has(this.targets[edge]!)) continue;
            const back = this.wayBetween(this.targets[edge]!, point, rest | time | OWN, members);
            if (back !== undefined) return this.#describe(point, [edge, ...back], time !== 0, nodeName);
          }
        }
      }
    }
    throw new Error('a component without a cycle');
  }

  #describe(start: number, cycle: readonly number[], isRealtime: boolean, nodeName: (node: number) => string): Cycle {
    const kinds = cycle.map((edge) => this.kinds[edge]!).filter((kind) => kind !== OWN);
    const antis = kinds.filter((kind) => (kind & ANTI) !== 0).length;
    const isAdjacent = kinds.some((kind, index) => (kind & ANTI) !== 0 && (kinds[(index + 1) % kinds.length]! & ANTI) !== 0);
    let name: CycleName = kinds.includes(WR) ? 'G1c' : 'G0';
    if (antis === 1) name = 'G-single';
    else if (antis > 1) name = !isAdjacent ? 'G-nonadjacent' : kinds.includes(RW_PREDICATE) ? 'G2' : 'G2-item';
    const words = [nodeName(start >> 1)];
    for (const edge of cycle) if (this.kinds[edge] !== OWN) words.push(`—${NAMES[this.kinds[edge]!]}→ ${nodeName(this.targets[edge]! >> 1)}`);
    return { name: isRealtime ? `${name}-realtime` : name, text: words.join(' ') };
  }
}

/** At most so many cycles are described; the others are counted. */
const DESCRIBED = 4;

export interface Cycles {
  readonly cycles: readonly Cycle[];
  /** How many components have any. */
  readonly count: number;
}

/** The cycles that no history may have whose transactions take place at one point, or, where `isSplit` is 1, at two. Nodes from `isSplit.length` on only join others, in time. */
export function cyclesIn(nodeCount: number, edges: Edges, isSplit: Uint8Array, nodeName: (node: number) => string): Cycles {
  const graph = new PointGraph(nodeCount, edges, isSplit);
  const components = graph.components();
  return { cycles: components.slice(0, DESCRIBED).map((component) => graph.gravest(component, nodeName)), count: components.length };
}
