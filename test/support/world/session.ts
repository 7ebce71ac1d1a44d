/**
 * A transaction of a simulated world, beside what it must do: what each of its reads shows, and whether its commit succeeds. The model of validation is exact: an outcome other than the
 * one foretold is a violation, in either direction.
 */
import { CasError, ConflictError } from '../../../src/errors.js';
import type { Transaction, TransactionView } from '../../../src/transaction.js';
import { Random } from '../random.js';
import { SPACES, drawRange, keyOf, slotOf, slotText, spaceOf, type Span } from './keys.js';
import type { Draft } from './ledger.js';
import type { Life } from './life.js';
import { must } from './must.js';
import { checkEntry, expectScan, mustBeClosed, startLoop, type Loop, type Shown } from './views.js';
import { drawDraft } from './writes.js';

/** What a session knows of a slot, in the order in which it first met it. */
interface Met {
  isRead: boolean;
  own: Draft | undefined;
  /** The version that a cas expects; two that expect different ones cannot both hold. */
  expected: number | undefined;
  isContradicted: boolean;
}

type Verdict = 'commits' | 'conflicts' | { readonly version: number };

export class Session {
  readonly loops: Loop[] = [];
  readonly clock: number;
  readonly #met = new Map<number, Met>();
  /** What its scans have read, by scan. */
  readonly #spans = new Map<object, Span & { readonly space: number }>();

  constructor(readonly life: Life, readonly tx: Transaction) {
    this.clock = life.world.time.now;
    must(tx.version === life.world.ledger.version, () => `a transaction begins at version ${tx.version}, and the store has ${life.world.ledger.version}`);
  }

  get #where(): string {
    return `a transaction of version ${this.tx.version}`;
  }

  #view(space: number): TransactionView<unknown> {
    return space === 0 ? this.tx : this.tx.in(this.life.collections[space] as never);
  }

  #meet(slot: number): Met {
    let met = this.#met.get(slot);
    if (met === undefined) this.#met.set(slot, (met = { isRead: false, own: undefined, expected: undefined, isContradicted: false }));
    return met;
  }

  /** What the session sees of a slot: its own write first. */
  #see(slot: number): Shown | undefined {
    const own = this.#met.get(slot)?.own;
    if (own === undefined) return this.life.world.ledger.seen(slot, this.tx.version, this.clock);
    return own.value === undefined ? undefined : { slot, value: own.value, version: 0 };
  }

  get isWriter(): boolean {
    for (const { own } of this.#met.values()) if (own !== undefined) return true;
    return false;
  }

  read(slot: number, random: Random): void {
    const met = this.#meet(slot);
    const expected = this.#see(slot);
    const view = this.#view(spaceOf(slot));
    if (random.chance(0.7)) checkEntry(view.getEntry(keyOf(slot)), expected, slot, this.#where);
    else must(view.has(keyOf(slot)) === (expected !== undefined), () => `${this.#where}: has of ${slotText(slot)}`);
    if (met.own === undefined) met.isRead = true;
  }

  write(slot: number, random: Random): void {
    const view = this.#view(spaceOf(slot));
    const key = keyOf(slot);
    const { draft, options } = drawDraft(this.life.world, slot, random, random.chance(0.25));
    if (random.chance(0.15)) {
      const { current, expected } = this.#drawExpected(slot, random);
      view.cas(key, expected, draft.value, options);
      const met = this.#meet(slot);
      met.isContradicted ||= met.expected !== undefined && met.expected !== expected;
      met.expected = expected;
      this.life.world.tell(() => `  cas ${slotText(slot)} from ${expected} (it has ${current})`);
    } else if (draft.value === undefined) view.delete(key);
    else view.put(key, draft.value, options);
    this.#meet(slot).own = draft;
  }

  #drawExpected(slot: number, random: Random): { current: number; expected: number } {
    const current = this.life.world.ledger.current(slot)?.version ?? 0;
    const seen = this.life.world.ledger.seen(slot, this.tx.version, this.clock)?.version ?? 0;
    return { current, expected: random.pick([current, current, seen, 0, current + 1]) };
  }

  scan(random: Random): void {
    const drawn = drawRange(random);
    const space = random.below(SPACES.length);
    const { span, isReverse, limit } = drawn;
    const items = expectScan(space, drawn, (slot) => this.#see(slot));
    const token = {};
    const onRead = (last: Shown | undefined): void => {
      if (last === undefined) this.#spans.set(token, { space, ...span });
      else {
        const index = last.slot - slotOf(space, 0);
        this.#spans.set(token, isReverse ? { space, from: index, to: span.to } : { space, from: span.from, to: index + 1 });
      }
    };
    const view = this.#view(space);
    if (random.chance(0.3) || this.loops.length > 2) {
      must(view.count(drawn.range) === items.length, () => `${this.#where}: count`);
      if (items.length < limit) onRead(undefined);
      else if (items.length > 0) onRead(items.at(-1));
    } else this.loops.push(startLoop(view, space, drawn, random, items, this.#where, onRead));
  }

  /** Whether a commit now succeeds, by the rules alone. Slots come in the order in which they were met. */
  verdict(): Verdict {
    const { ledger } = this.life.world;
    const isSnapshot = this.tx.isolation === 'snapshot';
    const isChanged = (slot: number): boolean => ledger.isChanged(slot, this.tx.version, this.clock);
    for (const [slot, { isRead, own, expected, isContradicted }] of this.#met) {
      if ((isSnapshot ? own !== undefined && expected === undefined : isRead) && isChanged(slot)) {
        this.#noteConflict(slot, isSnapshot);
        return 'conflicts';
      }
      const version = ledger.current(slot)?.version ?? 0;
      if (expected !== undefined && (isContradicted || version !== expected)) return { version };
    }
    for (const { space, from, to } of isSnapshot ? [] : this.#spans.values()) {
      for (let index = from; index < to; index++) {
        if (!isChanged(slotOf(space, index))) continue;
        this.life.world.reach('conflict in a range');
        return 'conflicts';
      }
    }
    if (isSnapshot && [...this.#met].some(([slot, { isRead, own }]) => isRead && own === undefined && isChanged(slot))) this.life.world.reach('write skew under snapshot');
    return 'commits';
  }

  #noteConflict(slot: number, isSnapshot: boolean): void {
    const { world } = this.life;
    const { ledger } = world;
    const newest = ledger.newest(slot)!;
    if (isSnapshot) world.reach('conflict between writers under snapshot');
    else if (newest.version <= this.tx.version) world.reach('conflict on an expired key');
    else if (newest.value === undefined) world.reach('conflict on a tombstone');
    else if (ledger.at(slot, this.tx.version) === undefined) world.reach('conflict on an absent key');
    else world.reach('conflict on a key');
  }

  /** What a commit changes. A delete of what is not there leaves nothing. */
  drafts(): Draft[] {
    const { ledger } = this.life.world;
    const drafts: Draft[] = [];
    for (const [slot, { own }] of this.#met) {
      if (own !== undefined && (own.value !== undefined || ledger.current(slot) !== undefined)) drafts.push(own);
    }
    return drafts;
  }

  /** Whether an error is what the verdict foretold. */
  explains(error: unknown, verdict: Verdict): boolean {
    if (verdict === 'commits') return false;
    if (verdict === 'conflicts') return error instanceof ConflictError;
    if (!(error instanceof CasError) || error.version !== verdict.version) return false;
    this.life.world.reach('cas of a transaction failed');
    return true;
  }

  mustBeOver(): void {
    must(!this.tx.isOpen, () => `${this.#where} is open after its end`);
    for (const loop of this.loops) mustBeClosed(() => loop.iterator.next(), loop.where);
    mustBeClosed(() => this.tx.get('k'), this.#where);
  }
}

/** Draws what a session does next, short of its end. */
export function stepSession(session: Session, random: Random): void {
  const slot = random.pick(session.life.world.setup.slots);
  const choice = random.below(10);
  if (choice < 4) session.read(slot, random);
  else if (choice < 8) session.write(slot, random);
  else session.scan(random);
}

export function beginSession(life: Life, random: Random): void {
  if (life.sessions.length > 4) return;
  life.sessions.push(new Session(life, life.db.begin({ isolation: random.chance(0.7) ? 'serializable' : 'snapshot' })));
}

export function useSession(life: Life, random: Random): void {
  if (life.sessions.length === 0) beginSession(life, random);
  const session = random.pick(life.sessions);
  for (let steps = 1 + random.below(3); steps > 0; steps--) stepSession(session, random);
}

export function endSession(life: Life, random: Random): Promise<void> | undefined {
  if (life.sessions.length === 0) return undefined;
  const wasCrowded = life.sessions.length > 3;
  const [session] = life.sessions.splice(random.below(life.sessions.length), 1) as [Session];
  if (random.chance(0.15)) {
    session.tx.abort();
    session.mustBeOver();
    return undefined;
  }
  // A transaction that wrote nothing is not checked.
  const verdict = session.isWriter ? session.verdict() : 'commits';
  const drafts = (): Draft[] => (verdict === 'commits' ? session.drafts() : []);
  const mayFail = (error: unknown): boolean => session.explains(error, verdict);
  life.world.tell(() => `  commit of ${session.tx.isolation} ${session.tx.version}: ${JSON.stringify(verdict)}`);
  const { commits } = life.world.ledger;
  const before = commits.length;
  let promise: Promise<void> | undefined;
  if (random.chance(0.5)) life.writeSync(() => session.tx.commitSync(), drafts, mayFail);
  else promise = life.write(() => session.tx.commit(), drafts, mayFail);
  if (wasCrowded && commits.length > before) life.world.reach('commit of four sessions open at once');
  if (verdict !== 'commits') must(commits.length === before || life.isDead, () => 'a commit came through that should not');
  if (life.isDead) return promise;
  session.mustBeOver();
  return promise !== undefined && random.chance(0.5) ? life.settle(promise) : undefined;
}

/** A function run as a transaction, beside which another writes what it reads, once: then it is run again. */
export async function transact(life: Life, random: Random): Promise<void> {
  const { world } = life;
  const isolation = random.chance(0.7) ? 'serializable' : 'snapshot';
  const isSync = random.chance(0.5);
  const slot = random.pick(world.setup.slots);
  const interferes = random.chance(0.5);
  const steps = 1 + random.below(4);
  const seed = random.next();
  let runs = 0;
  let session: Session | undefined;
  let verdict: Verdict = 'commits';
  const body = (tx: Transaction): void => {
    runs++;
    // Each run does the same.
    const draw = new Random(seed);
    session = new Session(life, tx);
    session.read(slot, draw);
    for (let step = 0; step < steps; step++) stepSession(session, draw);
    if (interferes && runs === 1) {
      const { draft, options } = drawDraft(world, slot, draw, false);
      life.writeSync(() => life.collections[spaceOf(slot)]!.putSync(keyOf(slot), draft.value, options), () => [draft]);
    }
    verdict = session.isWriter ? session.verdict() : 'commits';
  };
  const drafts = (): Draft[] => (verdict === 'commits' ? session!.drafts() : []);
  const mayFail = (error: unknown): boolean => session!.explains(error, verdict);
  // What comes out is the version that the store then has, or 0 where nothing was written.
  const versionAfter = (before: number): number => (life.db.stats().version === before ? 0 : life.db.stats().version);
  if (isSync) {
    life.writeSync(() => {
      life.db.transactSync(body, { isolation, retries: 1 });
      return versionAfter(world.ledger.version);
    }, drafts, mayFail);
  } else {
    const run = async (tx: Transaction): Promise<void> => {
      await undefined;
      body(tx);
    };
    await life.settle(life.writeLate(() => life.db.transact(run, { isolation, retries: 1 }), drafts, mayFail));
  }
  if (runs > 1) world.reach('transaction run again');
  must(runs <= 2 && (runs === 1 || interferes), () => `a transaction was run ${runs} times`);
}
