/** Workloads with an invariant that any lost, mixed or half-seen transaction breaks: money that is moved, a ring that is knotted anew, a set that only grows. */
import type { Range, Store, Transaction } from '../../src/index.js';
import type { Random } from './random.js';

/** What an invariant is looked up in. */
export interface View {
  get(key: string): unknown;
  scan(range: Range): Iterable<{ readonly key: unknown; readonly value: unknown }>;
  count(range: Range): number;
}

export interface Workload {
  readonly name: string;
  prepare(db: Store): void;
  /** A transaction, with pauses in which others go on; what it returns is there for ever once it has committed. */
  write(tx: Transaction, random: Random, unique: number): Generator<void, string>;
  /** Looks the invariant up, with pauses. Returns what is wrong, in words. */
  check(view: View): Generator<void, string | undefined>;
  /** Whether what a transaction returned is there. */
  holds(view: View, mark: string): boolean;
}

const ACCOUNTS = 12;
const TOTAL = ACCOUNTS * 100;
const account = (number: number): string => `account:${String(number).padStart(2, '0')}`;

export const BANK: Workload = {
  name: 'bank',
  prepare(db) {
    db.batchSync(Array.from({ length: ACCOUNTS }, (_, number) => ({ type: 'put', key: account(number), value: 100 })));
  },
  *write(tx, random) {
    const from = account(random.below(ACCOUNTS));
    const to = account(random.below(ACCOUNTS));
    const held = tx.get(from) as number;
    yield;
    // Nobody goes below zero, and who pays himself pays nothing.
    const amount = Math.min(held, random.below(50));
    tx.put(from, held - amount);
    yield;
    tx.put(to, (tx.get(to) as number) + amount);
    return '';
  },
  *check(view) {
    let sum = 0;
    let count = 0;
    for (const { value } of view.scan({ prefix: 'account:' })) {
      sum += value as number;
      count++;
      if ((value as number) < 0) return `an account holds ${String(value)}`;
      yield;
    }
    return sum === TOTAL && count === ACCOUNTS ? undefined : `${count} accounts hold ${sum} instead of ${TOTAL}`;
  },
  holds: () => true,
};

const NODES = 10;
const node = (number: number): string => `node:${number}`;

/** Each node names the next. A transaction takes three edges and knots them anew, so that there is one ring again. */
export const RING: Workload = {
  name: 'ring',
  prepare(db) {
    db.batchSync(Array.from({ length: NODES }, (_, number) => ({ type: 'put', key: node(number), value: (number + 1) % NODES })));
  },
  *write(tx, random) {
    const first = random.below(NODES);
    const second = tx.get(node(first)) as number;
    yield;
    const third = tx.get(node(second)) as number;
    yield;
    const fourth = tx.get(node(third)) as number;
    tx.put(node(first), third);
    tx.put(node(third), second);
    yield;
    tx.put(node(second), fourth);
    return '';
  },
  *check(view) {
    let at = 0;
    for (let steps = 1; steps <= NODES; steps++) {
      at = view.get(node(at)) as number;
      if (at === 0) return steps === NODES ? undefined : `the ring closes after ${steps} of ${NODES} nodes`;
      yield;
    }
    return 'the ring does not close';
  },
  holds: () => true,
};

/** Each insert makes a key, counts it, and adds it to a list that all share. */
export const SET: Workload = {
  name: 'set',
  prepare(db) {
    db.batchSync([{ type: 'put', key: 'size', value: 0 }, { type: 'put', key: 'members', value: [] }]);
  },
  *write(tx, random, unique) {
    const mark = `element:${unique}`;
    const size = tx.get('size') as number;
    yield;
    tx.put(mark, random.below(100));
    tx.put('size', size + 1);
    yield;
    tx.put('members', [...(tx.get('members') as string[]), mark]);
    return mark;
  },
  *check(view) {
    const size = view.get('size') as number;
    yield;
    const count = view.count({ prefix: 'element:' });
    yield;
    const members = new Set(view.get('members') as string[]);
    if (size !== count || size !== members.size) return `${count} elements and ${members.size} members, and the size is ${size}`;
    for (const { key } of view.scan({ prefix: 'element:' })) if (!members.has(key as string)) return `${String(key)} is no member`;
    return undefined;
  },
  holds: (view, mark) => view.get(mark) !== undefined,
};
