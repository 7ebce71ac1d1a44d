/**
 * What a store may hold: every commit that was applied, in order, and how many of the first ones survive what. After a crash a store must hold what some prefix of the commits leaves, and
 * not a shorter one than was promised: these prefixes are the allowed states, and the rest of this file says what each of them shows to whom.
 */
import { SLOT_COUNT, slotText } from './keys.js';
import { must } from './must.js';
import type { Time } from './time.js';
import { sizeOf } from './values.js';

/** A write on its way: undefined deletes. What does not expire does so at Infinity. */
export interface Draft {
  readonly slot: number;
  readonly value: unknown;
  readonly expiry: number;
}

export interface Change extends Draft {
  readonly version: number;
}

export interface Commit {
  readonly version: number;
  /** Every record of it in the order of the log: of a key that stands twice, the last counts. */
  readonly changes: readonly Change[];
  readonly size: number;
  /** Which of the clocks the store saw when it was applied, and when it was known to be in the file: its time is one of those. */
  readonly firstClock: number;
  lastClock: number;
}

export class Ledger {
  readonly commits: Commit[] = [];
  /** Every commit that was ever applied, also those that a crash has taken. */
  readonly applied = new Map<number, Commit>();
  /** The version that the store says it has reached: the next commit has the next one. */
  version = 0;
  /** The highest version that anybody was ever shown. */
  shown = 0;
  /** Whether a commit has ever written a key twice. The first of these records is nobody's version, and a segment of nothing else is given up also where all history is kept. */
  hasWrittenTwice = false;
  /** Whether a store was ever compacted because that was asked for. */
  isCompacted = false;
  /** How many versions of each slot crashes have taken. */
  readonly lost = new Uint32Array(SLOT_COUNT);
  #durable = 0;
  #handed = 0;
  readonly #chains: Change[][] = Array.from({ length: SLOT_COUNT }, () => []);
  readonly #touched = new Set<number>();

  /** `keepsHistory`: whether the stores keep what is superseded. Those forget no delete. */
  constructor(readonly time: Time, readonly keepsHistory: boolean) {}

  /** Whether a store may have forgotten deletes, and values that have expired. */
  get mayForget(): boolean {
    return this.isCompacted && !this.keepsHistory;
  }

  /** How many of the first commits survive a power loss. */
  get durable(): number {
    return this.#durable;
  }

  /** How many of the first commits survive the death of the process. */
  get handed(): number {
    return Math.max(this.#handed, this.#durable);
  }

  /** The slots that anything was ever written to. */
  get touched(): ReadonlySet<number> {
    return this.#touched;
  }

  apply(drafts: readonly Draft[], version: number): Commit {
    const changes = drafts.map((draft) => ({ ...draft, version }));
    const size = drafts.reduce((sum, { value }) => sum + 40 + sizeOf(value), 56);
    const commit = { version, changes, size, firstClock: this.time.clocks.length - 1, lastClock: Infinity };
    this.commits.push(commit);
    this.applied.set(version, commit);
    for (const change of changes) {
      const chain = this.#chains[change.slot]!;
      if (chain.at(-1)?.version === version) {
        chain.pop();
        this.hasWrittenTwice = true;
      }
      chain.push(change);
      this.#touched.add(change.slot);
    }
    this.version = version;
    this.shown = Math.max(this.shown, version);
    return commit;
  }

  /** So many commits are known to survive a power loss. */
  promise(count: number): void {
    for (let index = this.#durable; index < count; index++) this.commits[index]!.lastClock = this.time.clocks.length - 1;
    this.#durable = Math.max(this.#durable, count);
  }

  /** So many commits are known to survive the death of the process. */
  hand(count: number): void {
    this.#handed = Math.max(this.#handed, count);
  }

  /** What a recovery has found is what there is: later commits are gone, and the others are durable. */
  settle(count: number): void {
    for (const commit of this.commits.splice(count).reverse()) {
      for (const { slot, version } of commit.changes) {
        const chain = this.#chains[slot]!;
        if (chain.at(-1)?.version !== version) continue;
        chain.pop();
        this.lost[slot]!++;
      }
    }
    this.#handed = count;
    this.promise(count);
  }

  /** The versions of a slot, the newest last. */
  chain(slot: number): readonly Change[] {
    return this.#chains[slot]!;
  }

  newest(slot: number): Change | undefined {
    return this.#chains[slot]!.at(-1);
  }

  /** The change that a slot had at a version, a delete too. */
  at(slot: number, version: number): Change | undefined {
    const chain = this.#chains[slot]!;
    let index = chain.length - 1;
    while (index >= 0 && chain[index]!.version > version) index--;
    return chain[index];
  }

  /** Whether compaction may have forgotten a change: a delete, or a value that has expired by some clock. */
  isForgettable(change: Change | undefined): boolean {
    return this.mayForget && change !== undefined && (change.value === undefined || this.time.clocks.some((clock) => clock >= change.expiry));
  }

  /** What a reader at a version and a clock sees of a slot. */
  seen(slot: number, version: number, clock: number): Change | undefined {
    const change = this.at(slot, version);
    return change === undefined || change.value === undefined || change.expiry <= clock ? undefined : change;
  }

  /** What is there now. */
  current(slot: number): Change | undefined {
    return this.seen(slot, Infinity, this.time.now);
  }

  /** Whether a slot was committed anew since a version, or has expired since a clock. */
  isChanged(slot: number, version: number, clock: number): boolean {
    const newest = this.newest(slot);
    return newest !== undefined && (newest.version > version || (newest.expiry > clock && newest.expiry <= this.time.now));
  }

  /** How many keys exist, and how many deletes are remembered. */
  counts(): { keys: number; tombstones: number } {
    let keys = 0;
    let tombstones = 0;
    for (const slot of this.#touched) {
      const newest = this.newest(slot);
      if (newest?.value !== undefined) keys++;
      else if (newest !== undefined) tombstones++;
    }
    return { keys, tombstones };
  }

  /** The index of the newest commit that is not above a version; -1 where there is none. */
  indexOf(version: number): number {
    let index = this.commits.length - 1;
    while (index >= 0 && this.commits[index]!.version > version) index--;
    return index;
  }

  /** Throws unless a time may be that of a commit: what the clock showed between when it was applied and when it was in the file. */
  checkTime(commit: Commit, time: number): void {
    const { clocks } = this.time;
    const last = Math.min(commit.lastClock, clocks.length - 1);
    for (let index = commit.firstClock; index <= last; index++) if (clocks[index] === time) return;
    must(false, () => `commit ${commit.version} of ${commit.changes.map(({ slot }) => slotText(slot)).join(', ')} is said to have been made at ${time}, and the clock showed ${clocks.slice(commit.firstClock, last + 1).join(', ')}`);
  }
}
