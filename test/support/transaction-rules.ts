/**
 * What the documentation says of transactions, as a program over a few places: what each read must find, and exactly which commits must fail. It shares nothing with the store's way of
 * finding out.
 */
import type { Isolation } from '../../src/index.js';
import { INITIAL, findingOf, type Op } from './programs.js';

/** What may come of a commit. Where a transaction both conflicts and has a cas that fails, the documentation does not say which of the two it is told. */
export type Verdict = 'commits' | 'conflicts' | 'mismatches' | 'conflicts or mismatches';

/** How long a brief value lives, and how far the clock moves at once, in milliseconds. */
export const BRIEF_TIME = 10;

/** Who reads at a point in time: a transaction or a snapshot. */
export class RuledSession {
  /** What it sees of each place, its own writes too. */
  readonly view: number[];
  /** Places that it has read, has written, has a cas on: a bit each. */
  reads = 0;
  writes = 0;
  cases = 0;
  hasContradiction = false;
  isWriter = false;
  readonly expected: number[] = [];
  readonly expiries: number[] = [];

  constructor(readonly isolation: Isolation, readonly version: number, readonly time: number, seen: readonly number[]) {
    this.view = [...seen];
  }
}

export class TransactionRules {
  /** The value of each place, 0 for none; the version of its last change, deletes too; and when it expires. */
  readonly #values: number[];
  readonly #changes: number[];
  readonly #expiries: number[];
  /** The versions of the values of the beginning. */
  readonly #initial: number[];
  version: number;
  time = 0;

  /** `changes` are the versions that the values of the beginning have, `version` is the newest of the store. With `isBrief`, the first of them is. */
  constructor(changes: readonly number[], version: number, isBrief: boolean) {
    this.#values = [...INITIAL];
    this.#changes = [...changes];
    this.#initial = [...changes];
    this.#expiries = INITIAL.map((_, place) => (isBrief && place === 0 ? BRIEF_TIME : Infinity));
    this.version = version;
  }

  #valueOf(place: number): number {
    return this.#expiries[place]! > this.time ? this.#values[place]! : 0;
  }

  /** The state that everybody sees who begins now. */
  state(): number[] {
    return this.#values.map((_, place) => this.#valueOf(place));
  }

  begin(isolation: Isolation): RuledSession {
    return new RuledSession(isolation, this.version, this.time, this.state());
  }

  /** The version that a cas means. */
  expectedBy(op: Op & { readonly kind: 'cas' }): number {
    return op.expects === 'nothing' ? 0 : this.#initial[op.place]!;
  }

  /** What an operation of a session finds (T3, T4, T5); a write notes `value`. */
  does(session: RuledSession, op: Op, value: number): number | undefined {
    const { view } = session;
    if (op.kind === 'get') {
      if ((session.writes & (1 << op.place)) === 0) session.reads |= 1 << op.place;
    } else if (op.kind === 'scan' || op.kind === 'count') session.reads |= this.#placesRead(op, view);
    else if (op.kind !== 'pass') {
      if (op.kind === 'cas') this.#expect(session, op.place, this.expectedBy(op));
      session.isWriter = true;
      session.writes |= 1 << op.place;
      view[op.place] = op.kind === 'delete' ? 0 : value;
      session.expiries[op.place] = op.kind === 'put' && op.isBrief ? this.time + BRIEF_TIME : Infinity;
    }
    return findingOf(op, view);
  }

  #expect(session: RuledSession, place: number, version: number): void {
    if ((session.cases & (1 << place)) !== 0 && session.expected[place] !== version) session.hasContradiction = true;
    session.cases |= 1 << place;
    session.expected[place] = version;
  }

  /** A scan has read up to the last entry that it was asked for: all of its range, where it came to the end. */
  #placesRead(op: Op & { readonly kind: 'scan' | 'count' }, view: readonly number[]): number {
    const isReverse = op.kind === 'scan' && op.isReverse;
    let left = op.kind === 'scan' ? op.limit : Infinity;
    let places = 0;
    for (let step = 0; step <= op.to - op.from && left > 0; step++) {
      const place = isReverse ? op.to - step : op.from + step;
      places |= 1 << place;
      if (view[place] !== 0) left--;
    }
    return places;
  }

  /** Whether a place was committed anew since a session began; that its value expired since is a delete. */
  #isChanged(place: number, session: RuledSession): boolean {
    return this.#changes[place]! > session.version || (this.#expiries[place]! > session.time && this.#expiries[place]! <= this.time);
  }

  /** What must come of a commit (T7 to T11). */
  verdict(session: RuledSession): Verdict {
    if (!session.isWriter) return 'commits';
    const relied = session.isolation === 'snapshot' ? session.writes & ~session.cases : session.reads;
    let isConflict = false;
    let isMismatch = session.hasContradiction;
    for (let place = 0; place < INITIAL.length; place++) {
      if ((relied & (1 << place)) !== 0 && this.#isChanged(place, session)) isConflict = true;
      if ((session.cases & (1 << place)) !== 0 && session.expected[place] !== this.versionOf(place)) isMismatch = true;
    }
    if (isConflict) return isMismatch ? 'conflicts or mismatches' : 'conflicts';
    return isMismatch ? 'mismatches' : 'commits';
  }

  /** The version that a place is told to have: 0 where nothing is (T12). */
  versionOf(place: number): number {
    return this.#valueOf(place) === 0 ? 0 : this.#changes[place]!;
  }

  /** Commits what a session has written. Returns the version: 0 where nothing had an effect. */
  commit(session: RuledSession): number {
    const version = this.version + 1;
    for (let place = 0; place < INITIAL.length; place++) {
      const value = session.view[place]!;
      if ((session.writes & (1 << place)) === 0 || (value === 0 && this.#valueOf(place) === 0)) continue;
      this.#values[place] = value;
      this.#changes[place] = version;
      this.#expiries[place] = session.expiries[place]!;
      this.version = version;
    }
    return this.version === version ? version : 0;
  }
}
