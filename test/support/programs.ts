/**
 * Short programs over four places, of which every interleaving can be tried: what transactions, snapshots, writers without a transaction and the clock do, and in how many ways their steps
 * can follow each other.
 */

/** The places, in the order of their keys: three keys of the store itself, and a key of a keyspace. The first two hold a value at the beginning. */
export const PLACES = ['a', 'b', 'c', 'k'] as const;
export const INITIAL: readonly number[] = [1, 2, 0, 0];
const [A, B, C, K] = [0, 1, 2, 3];
/** A scan is of keys of the store itself. */
const LAST = C;

/** A range reaches from one place to another, both included. */
interface Ranged {
  readonly from: number;
  readonly to: number;
}

export type Op =
  | { readonly kind: 'get' | 'delete' | 'renew'; readonly place: number }
  /** With `isBrief`, a put whose value lives until the clock moves. */
  | { readonly kind: 'put'; readonly place: number; readonly isBrief: boolean }
  /** A put that needs the version of the beginning, or that the key does not exist. */
  | { readonly kind: 'cas'; readonly place: number; readonly expects: 'initial' | 'nothing' }
  | ({ readonly kind: 'scan'; readonly limit: number; readonly isReverse: boolean; readonly isLeftOpen: boolean } & Ranged)
  | ({ readonly kind: 'count' } & Ranged)
  /** The clock moves: what is brief is gone. */
  | { readonly kind: 'pass' };

/** `outside` is one operation without a transaction: one step. The others begin, do their operations, and end. */
export interface Program {
  readonly kind: 'transaction' | 'snapshot' | 'outside';
  readonly ops: readonly Op[];
  readonly isAborted: boolean;
}

const get = (place: number): Op => ({ kind: 'get', place });
const put = (place: number, isBrief = false): Op => ({ kind: 'put', place, isBrief });
const remove = (place: number): Op => ({ kind: 'delete', place });
const renew = (place: number): Op => ({ kind: 'renew', place });
const cas = (place: number, expects: 'initial' | 'nothing'): Op => ({ kind: 'cas', place, expects });
const scan = (from: number, to: number, limit = Infinity, isReverse = false, isLeftOpen = false): Op => ({ kind: 'scan', from, to, limit, isReverse, isLeftOpen });
const count = (from: number, to: number): Op => ({ kind: 'count', from, to });

/** What conflicts are made of. */
export const CORE: readonly Op[] = [get(A), get(B), get(C), put(A), put(B), put(C), remove(A), cas(A, 'initial'), scan(A, LAST)];
/** Everything that a transaction can do to the places, once in each way that the rules tell apart. */
export const ALL: readonly Op[] = [
  ...CORE, remove(C), renew(A), cas(C, 'nothing'), cas(A, 'nothing'), scan(B, LAST), scan(A, B), scan(A, LAST, 1), scan(A, LAST, 1, true), scan(A, LAST, 1, false, true), count(A, LAST), get(K), put(K),
];
/** The few of which programs of three are made. */
export const FEW: readonly Op[] = [get(A), put(A), get(C), put(C), remove(A), scan(A, LAST)];
/** What may happen beside transactions. */
export const OUTSIDE: readonly Op[] = [put(A), remove(A), renew(A), put(C), cas(A, 'initial'), cas(C, 'nothing')];
export const READS: readonly Op[] = [get(A), get(C), scan(A, LAST), count(B, LAST), get(K)];
export const BRIEF: readonly Op[] = [get(A), put(A), put(A, true), put(B), put(C, true), remove(A), cas(A, 'initial'), cas(A, 'nothing'), scan(A, LAST), count(A, LAST), scan(A, LAST, 1)];
export const PASS: Op = { kind: 'pass' };

export const transaction = (...ops: Op[]): Program => ({ kind: 'transaction', ops, isAborted: false });
export const aborted = (...ops: Op[]): Program => ({ kind: 'transaction', ops, isAborted: true });
export const snapshot = (...ops: Op[]): Program => ({ kind: 'snapshot', ops, isAborted: false });
export const outside = (op: Op): Program => ({ kind: 'outside', ops: [op], isAborted: false });

/** Threes that theory has names for: more than two are needed to see them. */
export const THREES: readonly (readonly Program[])[] = [
  // The anomaly that only a reader shows.
  [transaction(get(A), get(B), put(A)), transaction(get(B), put(B)), transaction(get(A), get(B))],
  [transaction(scan(A, LAST), put(A)), transaction(get(B), put(B)), transaction(scan(A, LAST))],
  // Skew around three.
  [transaction(get(A), put(B)), transaction(get(B), put(C)), transaction(get(C), put(A))],
  [transaction(scan(A, LAST), put(K)), transaction(get(K), put(C)), transaction(get(C), get(K))],
  // Lost updates, an observer of two writers, and one key that comes and goes.
  [transaction(get(A), put(A)), transaction(get(A), put(A)), transaction(get(A), put(A))],
  [transaction(put(A), put(B)), transaction(put(A), put(B)), transaction(get(A), get(B))],
  [transaction(renew(A), put(B)), transaction(get(A), put(C)), transaction(remove(A), get(C))],
  [transaction(cas(A, 'initial'), put(B)), transaction(get(B), cas(A, 'initial')), transaction(get(A), put(C))],
];

/** Every program of at most `most` of these operations, and aborted ones of one. */
export function programsOf(alphabet: readonly Op[], most: number): Program[] {
  let longest: readonly (readonly Op[])[] = [[]];
  const found: (readonly Op[])[] = [[]];
  for (let length = 1; length <= most; length++) {
    longest = longest.flatMap((ops) => alphabet.map((op) => [...ops, op]));
    found.push(...longest);
  }
  return [...found.map((ops) => transaction(...ops)), ...alphabet.map((op) => aborted(op))];
}

const nameOf = (place: number): string => PLACES[place]!;

export function textOfOp(op: Op): string {
  switch (op.kind) {
    case 'get':
    case 'delete':
    case 'renew':
      return `${op.kind} ${nameOf(op.place)}`;
    case 'put':
      return `put ${nameOf(op.place)}${op.isBrief ? ' for a while' : ''}`;
    case 'cas':
      return `cas ${nameOf(op.place)} from ${op.expects}`;
    case 'scan':
      return `scan ${nameOf(op.from)}..${nameOf(op.to)}${op.limit === Infinity ? '' : ` limit ${op.limit}`}${op.isReverse ? ' reverse' : ''}${op.isLeftOpen ? ' left open' : ''}`;
    case 'count':
      return `count ${nameOf(op.from)}..${nameOf(op.to)}`;
    case 'pass':
      return 'the clock moves';
  }
}

export function textOf({ kind, ops, isAborted }: Program): string {
  return `${kind} (${ops.map(textOfOp).join(', ')}${isAborted ? ', abort' : ''})`;
}

/** The same with the first two places exchanged; undefined where their order matters. */
function mirrored(program: Program): Program | undefined {
  if (program.ops.some(({ kind }) => kind === 'scan' || kind === 'count')) return undefined;
  return { ...program, ops: program.ops.map((op) => ('place' in op && op.place <= B ? { ...op, place: B - op.place } : op)) };
}

/** Every choice of `size` programs, whatever their order. Of two that differ only in which of the first two places is which, one. */
export function* choices(programs: readonly Program[], size: number): Generator<readonly Program[]> {
  const numberOf = new Map(programs.map((program, number) => [textOf(program), number]));
  const mirrors = programs.map((program) => {
    const mirror = mirrored(program);
    return mirror === undefined ? undefined : numberOf.get(textOf(mirror));
  });
  const chosen: number[] = [];
  function* choose(from: number): Generator<readonly Program[]> {
    if (chosen.length === size) {
      const mirror = chosen.map((number) => mirrors[number]);
      if (mirror.every((number) => number !== undefined)) {
        mirror.sort((left, right) => left! - right!);
        const difference = mirror.findIndex((number, index) => number !== chosen[index]);
        if (difference >= 0 && mirror[difference]! < chosen[difference]!) return;
      }
      yield chosen.map((number) => programs[number]!);
      return;
    }
    for (let number = from; number < programs.length; number++) {
      chosen.push(number);
      yield* choose(number);
      chosen.pop();
    }
  }
  yield* choose(0);
}

export function stepsOf({ kind, ops }: Program): number {
  return kind === 'outside' ? 1 : ops.length + 2;
}

const known = new Map<string, readonly Uint8Array[]>();

/** Every order in which the steps of several can follow each other: each is the list of who takes the next step. */
export function schedulesOf(lengths: readonly number[]): readonly Uint8Array[] {
  const name = lengths.join(' ');
  const before = known.get(name);
  if (before !== undefined) return before;
  const left = [...lengths];
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const current = new Uint8Array(total);
  const found: Uint8Array[] = [];
  const fill = (at: number): void => {
    if (at === total) found.push(current.slice());
    for (let who = 0; who < left.length; who++) {
      if (left[who] === 0) continue;
      left[who]!--;
      current[at] = who;
      fill(at + 1);
      left[who]!++;
    }
  };
  fill(0);
  known.set(name, found);
  return found;
}

/**
 * What an operation finds in a state, which holds a value for each place, or 0: the value, the count, or for a scan three digits an entry, place and value. Undefined for what finds
 * nothing.
 */
export function findingOf(op: Op, state: readonly number[]): number | undefined {
  if (op.kind === 'get') return state[op.place]!;
  if (op.kind !== 'scan' && op.kind !== 'count') return undefined;
  let finding = 0;
  let left = op.kind === 'scan' ? op.limit : Infinity;
  for (let step = 0; step <= op.to - op.from && left > 0; step++) {
    const place = op.kind === 'scan' && op.isReverse ? op.to - step : op.from + step;
    if (state[place] === 0) continue;
    finding = op.kind === 'count' ? finding + 1 : addEntry(finding, place, state[place]!);
    left--;
  }
  return finding;
}

/** What a scan has found, with one more entry. */
export function addEntry(finding: number, place: number, value: number): number {
  return finding * 1000 + (place + 1) * 100 + value;
}
