/**
 * What a history on lists says by itself, in the manner of Elle (Kingsbury, Alvaro, 2020): which order the versions of each key had, what of it no store may show, and which transaction
 * depends on which. It believes nothing but what was read.
 *
 * A key lives from the append that found nothing to the delete: a generation. Within one, every list that was read is a beginning of the longest. That a key is absent has one reason where
 * it was never deleted; where it was, a read of nothing gives no edge.
 */
import { Edges, REALTIME, RW, RW_PREDICATE, WR, WW, cyclesIn, type Cycle, type Cycles } from './cycles.js';
import { isPrefix, isSameList, type List, type ListHistory } from './list-history.js';

export type AnomalyName =
  | 'duplicate' | 'garbage' | 'incompatible order' | 'internal' | 'lost write' | 'lost update' | 'G1a' | 'G1b';

export interface Anomaly {
  readonly name: AnomalyName | Cycle['name'];
  readonly text: string;
}

/** What a transaction has done to one key. */
interface Touch {
  key: number;
  /** What it found there before it wrote; `isRead` where it has looked. */
  isRead: boolean;
  isScanned: boolean;
  found: List;
  /** What it must find there now, where that is known. */
  isKnown: boolean;
  now: List;
  hasWritten: boolean;
  hasDeleted: boolean;
  /** The element that it appended last, or −1. */
  own: number;
}

/** At most so many anomalies of a history are put into words. */
const WORDED = 50;

export class DependencyGraph {
  readonly #anomalies: Anomaly[] = [];
  readonly edges = new Edges();
  readonly #history: ListHistory;
  /** By transaction: whether it counts as committed. */
  readonly #isCommitted: Uint8Array;
  /** By element: who appended it and to which key, whether it was the last act of that transaction on the key, and where it stands in its generation. */
  readonly #writer: Int32Array;
  readonly #key: Int32Array;
  readonly #isFinal: Uint8Array;
  readonly #position: Int32Array;
  /** By the first element of a generation: the longest list of it. */
  readonly #longest: List[];
  /** By element: who has written over the version that it ends. */
  readonly #successor: Int32Array;
  /** By key: how many deletes have left it absent, how many generations were found, how often one was begun by somebody who saw nothing, and by whom. */
  readonly #deletes: Int32Array;
  readonly #generations: Int32Array;
  readonly #beginnings: Int32Array;
  readonly #beginner: Int32Array;
  readonly #reads: { readonly txn: number; readonly touch: Touch }[] = [];
  readonly #touchOf: Int32Array;
  readonly #touchedBy: Int32Array;
  committed = 0;
  /** Transactions, and places in time that stand between them. */
  nodeCount: number;

  constructor(history: ListHistory) {
    const { txns, keyCount, elementCount } = history;
    this.#history = history;
    this.#isCommitted = new Uint8Array(txns.length);
    this.#writer = new Int32Array(elementCount).fill(-1);
    this.#key = new Int32Array(elementCount);
    this.#isFinal = new Uint8Array(elementCount);
    this.#position = new Int32Array(elementCount).fill(-1);
    this.#longest = Array.from({ length: elementCount });
    this.#successor = new Int32Array(elementCount).fill(-1);
    this.#deletes = new Int32Array(keyCount);
    this.#generations = new Int32Array(keyCount);
    this.#beginnings = new Int32Array(keyCount);
    this.#beginner = new Int32Array(keyCount);
    this.#touchOf = new Int32Array(keyCount);
    this.#touchedBy = new Int32Array(keyCount).fill(-1);
    this.nodeCount = txns.length;
    this.#noteWriters();
    this.#decide();
    for (let txn = 0; txn < txns.length; txn++) this.#follow(txn);
    this.#order();
    this.#depend();
    this.#findLost();
    this.#addRealtime();
  }

  #report(name: AnomalyName, text: string): void {
    if (this.#anomalies.length < WORDED) this.#anomalies.push({ name, text });
  }

  #noteWriters(): void {
    const last = new Map<number, number>();
    for (const [txn, { acts }] of this.#history.txns.entries()) {
      last.clear();
      for (const act of acts) {
        if (act.kind !== 'append' && act.kind !== 'delete') continue;
        const before = last.get(act.key);
        if (before !== undefined) this.#isFinal[before] = 0;
        last.delete(act.key);
        if (act.kind === 'delete') continue;
        if (this.#writer[act.element] !== -1) throw new Error(`element ${act.element} is appended twice: then it does not tell who has`);
        this.#writer[act.element] = txn;
        this.#key[act.element] = act.key;
        this.#isFinal[act.element] = 1;
        last.set(act.key, act.element);
      }
    }
  }

  /** Decides of the unknown which have committed: those whose appends were seen by one that has. */
  #decide(): void {
    const { txns } = this.#history;
    const decided: number[] = [];
    const accept = (txn: number): void => {
      if (this.#isCommitted[txn] === 1) return;
      this.#isCommitted[txn] = 1;
      decided.push(txn);
    };
    for (let txn = 0; txn < txns.length; txn++) if (txns[txn]!.status === 'committed') accept(txn);
    this.committed = decided.length;
    if (txns.every(({ status }) => status !== 'unknown')) return;
    const see = (list: readonly number[]): void => {
      for (const element of list) {
        const writer = this.#writer[element] ?? -1;
        if (writer >= 0 && txns[writer]!.status === 'unknown') accept(writer);
      }
    };
    for (const txn of decided) {
      for (const act of txns[txn]!.acts) {
        if (act.kind === 'read' && act.list !== undefined) see(act.list);
        else if (act.kind === 'scan') for (const list of act.lists) see(list);
      }
    }
    this.committed = decided.length;
  }

  #touch(touches: Touch[], txn: number, key: number): Touch {
    if (this.#touchedBy[key] === txn) return touches[this.#touchOf[key]!]!;
    const touch: Touch = { key, isRead: false, isScanned: false, found: undefined, isKnown: false, now: undefined, hasWritten: false, hasDeleted: false, own: -1 };
    this.#touchedBy[key] = txn;
    this.#touchOf[key] = touches.length;
    touches.push(touch);
    return touch;
  }

  /** A transaction finds a list at a key, or nothing. */
  #find(txn: number, touch: Touch, list: List, isScanned: boolean): void {
    if (touch.isKnown) {
      if (!isSameList(touch.now, list)) this.#report('internal', `${this.#name(txn)} finds ${show(list)} at key ${touch.key} where it must find ${show(touch.now)}`);
    } else if (touch.hasWritten) {
      if (list === undefined || list.at(-1) !== touch.own) this.#report('internal', `${this.#name(txn)} finds ${show(list)} at key ${touch.key} and not its own append`);
    } else {
      touch.isRead = true;
      touch.isScanned = isScanned;
      touch.found = list;
    }
    touch.isKnown = true;
    touch.now = list;
  }

  /** Follows a transaction: what it has found, whether that fits its own acts, and what it leaves. */
  #follow(txn: number): void {
    const { acts, status } = this.#history.txns[txn]!;
    const isCommitted = this.#isCommitted[txn] === 1;
    // What a crash has taken back says nothing about the others.
    if (!isCommitted && status === 'unknown') return;
    const touches: Touch[] = [];
    for (const act of acts) {
      if (act.kind === 'scan') {
        let index = 0;
        for (let key = act.from; key < act.to; key++) this.#find(txn, this.#touch(touches, txn, key), act.keys[index] === key ? act.lists[index++] : undefined, true);
        if (index !== act.keys.length) this.#report('internal', `${this.#name(txn)} finds keys ${act.keys.join(' ')} in a scan from ${act.from} to ${act.to}`);
        continue;
      }
      const touch = this.#touch(touches, txn, act.key);
      if (act.kind === 'read') this.#find(txn, touch, act.list, false);
      else {
        touch.hasWritten = true;
        if (act.kind === 'delete') {
          touch.hasDeleted = true;
          touch.isKnown = true;
          touch.now = undefined;
        } else {
          touch.own = act.element;
          if (touch.isKnown) touch.now = touch.now === undefined ? [act.element] : [...touch.now, act.element];
        }
      }
    }
    for (const touch of touches) {
      if (touch.isRead) this.#reads.push({ txn, touch });
      if (isCommitted && touch.isRead && touch.hasWritten) this.#claim(txn, touch);
    }
  }

  /** Notes that a transaction has written over what it found. */
  #claim(txn: number, { key, found, now, hasDeleted }: Touch): void {
    if (found === undefined) {
      if (now === undefined) return;
      this.#beginnings[key]!++;
      this.#beginner[key] = txn;
      return;
    }
    if (hasDeleted && now === undefined) this.#deletes[key]!++;
    const last = found.at(-1)!;
    const before = this.#successor[last]!;
    if (before === undefined) return;
    if (before !== -1 && before !== txn) this.#report('lost update', `${this.#name(before)} and ${this.#name(txn)} have both written over ${show(found)} of key ${key}`);
    this.#successor[last] = txn;
  }

  /** The order of the versions: the longest list of each generation. */
  #order(): void {
    const firsts: number[] = [];
    for (const { touch: { key, found } } of this.#reads) {
      if (found === undefined) continue;
      const first = found[0]!;
      if (!(first < this.#longest.length) || this.#key[first] !== key) {
        this.#report('garbage', `${show(found)} was found at key ${key}`);
        continue;
      }
      const longest = this.#longest[first];
      if (longest === undefined) firsts.push(first);
      if (longest === undefined || found.length > longest.length) this.#longest[first] = found;
    }
    for (const first of firsts) this.#place(this.#longest[first]!);
  }

  /** Gives the elements of a generation their places, and the transactions that follow each other there their order. */
  #place(list: readonly number[]): void {
    const key = this.#key[list[0]!]!;
    let before = -1;
    this.#generations[key]!++;
    if (this.#beginnings[key] === 0) this.#beginner[key] = this.#writer[list[0]!] ?? -1;
    for (const [index, element] of list.entries()) {
      const writer = this.#writer[element] ?? -1;
      if (writer === -1 || this.#key[element] !== key) {
        this.#report('garbage', `element ${element} was found in ${show(list)} of key ${key}, and nobody has appended it there`);
        continue;
      }
      if (this.#position[element] !== -1) this.#report('duplicate', `element ${element} was found twice: in ${show(list)} of key ${key}`);
      if (this.#isCommitted[writer] === 0) this.#report('G1a', `element ${element} of key ${key} was found, and ${this.#name(writer)} was aborted`);
      this.#position[element] = index;
      if (before !== -1 && this.#writer[before] !== writer) {
        if (this.#isFinal[before] === 0) this.#report('G1b', `${this.#name(writer)} has appended to what ${this.#name(this.#writer[before]!)} had at key ${key} in between`);
        this.edges.add(this.#writer[before]!, writer, WW);
        this.#successor[before] = writer;
      }
      before = element;
    }
  }

  /** What each read depends on, and what depends on it. */
  #depend(): void {
    for (const { txn, touch: { key, found, isScanned } } of this.#reads) {
      const isCommitted = this.#isCommitted[txn] === 1;
      if (found === undefined) {
        // A scan that did not find a key has looked for it by a predicate.
        const isFirstKnown = this.#beginner[key]! >= 0 && this.#deletes[key] === 0 && (this.#beginnings[key] === 1 || (this.#beginnings[key] === 0 && this.#generations[key] === 1));
        if (isCommitted && isFirstKnown) this.edges.add(txn, this.#beginner[key]!, isScanned ? RW_PREDICATE : RW);
        continue;
      }
      const last = found.at(-1)!;
      const longest = this.#longest[found[0]!];
      if (longest === undefined) continue;
      if (!isPrefix(found, longest)) this.#report('incompatible order', `${show(found)} and ${show(longest)} were found at key ${key}`);
      const writer = this.#writer[last] ?? -1;
      if (writer === -1) continue;
      if (this.#isFinal[last] === 0) this.#report('G1b', `${this.#name(txn)} finds ${show(found)} at key ${key}, which ${this.#name(writer)} had there in between`);
      if (!isCommitted) continue;
      this.edges.add(writer, txn, WR);
      if (this.#successor[last] !== -1) this.edges.add(txn, this.#successor[last]!, RW);
    }
    for (let key = 0; key < this.#beginnings.length; key++) {
      if (this.#beginnings[key]! > 1 && this.#deletes[key] === 0) this.#report('lost update', `key ${key} was begun ${this.#beginnings[key]} times, and never deleted`);
    }
  }

  #findLost(): void {
    for (let element = 0; element < this.#writer.length; element++) {
      const writer = this.#writer[element]!;
      if (writer === -1 || this.#isFinal[element] === 0 || this.#isCommitted[writer] === 0 || this.#position[element] !== -1) continue;
      this.#report('lost write', `element ${element}, which ${this.#name(writer)} has appended to key ${this.#key[element]}, was never found`);
    }
  }

  /** Real time, with a node for each moment at which some had ended when others began: so many edges as transactions, not their square. */
  #addRealtime(): void {
    const { txns, eventCount } = this.#history;
    const events = new Int32Array(eventCount);
    for (const [txn, { invoked, completed }] of txns.entries()) {
      if (this.#isCommitted[txn] === 0) continue;
      events[invoked] = txn + 1;
      if (completed < eventCount) events[completed] = -txn - 1;
    }
    let moment = -1;
    let isOpen = false;
    for (const event of events) {
      if (event < 0) {
        if (!isOpen) {
          const next = this.nodeCount++;
          if (moment !== -1) this.edges.add(moment, next, REALTIME);
          moment = next;
          isOpen = true;
        }
        this.edges.add(-event - 1, moment, REALTIME);
      } else if (event > 0) {
        isOpen = false;
        if (moment !== -1) this.edges.add(moment, event - 1, REALTIME);
      }
    }
  }

  #name(node: number): string {
    const txn = this.#history.txns[node];
    return txn === undefined ? 'a moment' : `T${node}${txn.version > 0 ? ` (version ${txn.version})` : ''}`;
  }

  /** Everything that the history shows and no store may, by name. */
  findings(): readonly Anomaly[] {
    return [...this.#anomalies, ...this.cycles().cycles];
  }

  /** The cycles that the levels of the transactions do not allow; with `isStrict`, those that would not be allowed if all of them were serializable. */
  cycles(isStrict = false): Cycles {
    const { txns } = this.#history;
    const isSplit = new Uint8Array(txns.length);
    if (!isStrict) for (const [txn, { isolation }] of txns.entries()) isSplit[txn] = isolation === 'snapshot' ? 1 : 0;
    return cyclesIn(this.nodeCount, this.edges, isSplit, (node) => this.#name(node));
  }
}

function show(list: List): string {
  return list === undefined ? 'nothing' : `[${list.join(' ')}]`;
}
