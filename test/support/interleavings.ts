/**
 * Plays interleavings of short programs on a store, and holds each against two judges: the rules, which say what every operation finds and which commits fail, neither fewer nor more; and
 * the serial orders, which know no rules.
 */
import type { Device } from '../../src/device/device.js';
import { MemoryDevice } from '../../src/device/memory.js';
import { CasError, ConflictError, type Isolation, type Keyspace, type Range, type Snapshot, type Store, type Transaction } from '../../src/index.js';
import type { Reader } from '../../src/reader.js';
import { INITIAL, PLACES, addEntry, schedulesOf, stepsOf, textOf, textOfOp, type Op, type Program } from './programs.js';
import { abandon } from './crash-prober.js';
import { hasSerialOrder, type Brief, type Played } from './serial-orders.js';
import { openStore } from './stores.js';
import { BRIEF_TIME, TransactionRules, type RuledSession, type Verdict } from './transaction-rules.js';

/** No timer runs within a test. */
const NEVER = 3_600_000;
/** Each interleaving has keys of its own. After so many of them a new store begins; one on a disk of which images are made begins sooner. */
const WORLDS_PER_STORE = 4000;
const WORLDS_PER_DISK = 40;
const BEGINNING = 1_700_000_000_000;
const [A, B, C, K] = [0, 1, 2, 3];

type Views = readonly [own: Reader<unknown>, keyspace: Reader<unknown>];

/** Someone who takes part, and how far it is. */
class Actor {
  step = 0;
  tx: Transaction | Snapshot | undefined;
  ruled: RuledSession | undefined;
  begin = 0;
  end = 0;
  isCommitted = false;
  readonly findings: (number | undefined)[] = [];
  readonly values: number[] = [];

  constructor(readonly program: Program, readonly isolation: Isolation, readonly number: number) {}

  /** The value that an operation writes: no other writes the same. */
  valueOf(index: number): number {
    return 10 * (this.number + 1) + index;
  }
}

export interface PlayOptions {
  /** The value of the first place is gone when the clock moves. */
  readonly isBrief?: boolean;
  /** Where the store lies, which is then strict: in memory by default. */
  readonly device?: () => Device;
  /** The level at which transactions really run, whatever they are held to: to see that the judges notice. */
  readonly actual?: Isolation;
  /** Called when a world is made, before its first step. */
  readonly onWorld?: () => void;
  /** Called behind each step, with the states that were committed before it and are now. */
  readonly onStep?: (before: readonly number[], after: readonly number[]) => void;
}

export interface Figures {
  interleavings: number;
  commits: number;
  conflicts: number;
  mismatches: number;
  /** Interleavings under snapshot isolation that no serial order explains. */
  skews: number;
}

export function noFigures(): Figures {
  return { interleavings: 0, commits: 0, conflicts: 0, mismatches: 0, skews: 0 };
}

export function addFigures(to: Figures, from: Figures): void {
  for (const name of ['interleavings', 'commits', 'conflicts', 'mismatches', 'skews'] as const) to[name] += from[name];
}

export class Stage {
  readonly figures = noFigures();
  readonly #options: PlayOptions;
  #db!: Store;
  #keyspace!: Keyspace<unknown>;
  #now = BEGINNING;
  #world = 0;
  #keys: readonly string[] = [];

  constructor(options: PlayOptions = {}) {
    this.#options = options;
  }

  /** Begins a world of fresh keys. Every other has had a value at the third place, and has a tombstone there. */
  #raise(): TransactionRules {
    const isDisk = this.#options.device !== undefined;
    if (this.#world++ % (isDisk ? WORLDS_PER_DISK : WORLDS_PER_STORE) === 0) {
      // Its timer would keep the one before, and its memory with it, as long as this process gives no turn.
      if (this.#world > 1) abandon(this.#db);
      const device = this.#options.device?.() ?? new MemoryDevice();
      const durability = isDisk ? 'strict' : 'relaxed';
      this.#db = openStore(device, { durability, flushInterval: NEVER, segmentSize: isDisk ? 4096 : 65_536 }, 1, false, () => this.#now);
      this.#keyspace = this.#db.keyspace('k');
    }
    const keys = PLACES.map((name) => `${this.#world}${name}`);
    this.#keys = keys;
    const isDeleted = this.#world % 2 === 1;
    const ttl = this.#options.isBrief === true ? { ttl: BRIEF_TIME } : {};
    const made = this.#db.batchSync([
      { type: 'put', key: keys[A]!, value: INITIAL[A]!, ...ttl },
      { type: 'put', key: keys[B]!, value: INITIAL[B]! },
      ...(isDeleted ? [{ type: 'put' as const, key: keys[C]!, value: 9 }] : []),
    ]);
    const deleted = isDeleted ? this.#db.deleteSync(keys[C]!) : 0;
    return new TransactionRules([made, made, deleted, 0], Math.max(made, deleted), ttl.ttl !== undefined);
  }

  #viewsOf(tx: Transaction | Snapshot | undefined): Views {
    if (tx === undefined) return [this.#db, this.#keyspace];
    return [tx, (tx as Transaction).in(this.#keyspace)];
  }

  /** The range of an operation: in bounds that belong to it where it goes to an end of the places, and such that do not elsewhere. */
  #rangeOf({ from, to }: { readonly from: number; readonly to: number }): Range {
    const low: Range = from === A ? { gte: this.#keys[from]! } : { gt: this.#keys[from - 1]! };
    return { ...low, ...(to === C ? { lte: this.#keys[to]! } : { lt: this.#keys[to + 1]! }) };
  }

  /** What an operation that reads finds in the store. */
  #look(op: Op, [own, keyspace]: Views): number | undefined {
    if (op.kind === 'get') return ((op.place === K ? keyspace : own).get(this.#keys[op.place]!) as number | undefined) ?? 0;
    if (op.kind !== 'scan' && op.kind !== 'count') return undefined;
    const range = this.#rangeOf(op);
    if (op.kind === 'count') return own.count(range);
    let finding = 0;
    const place = (key: unknown): number => this.#keys.indexOf(key as string);
    if (op.isLeftOpen) {
      const first = own.scan(range)[Symbol.iterator]().next();
      return first.done === true ? 0 : addEntry(0, place(first.value.key), first.value.value as number);
    }
    for (const { key, value } of own.scan({ ...range, reverse: op.isReverse, limit: op.limit })) finding = addEntry(finding, place(key), value as number);
    return finding;
  }

  #write(op: Op, value: number, tx: Transaction, rules: TransactionRules): void {
    if (!('place' in op)) return;
    const view = op.place === K ? tx.in(this.#keyspace) : tx;
    const key = this.#keys[op.place]!;
    if (op.kind === 'put') view.put(key, value, op.isBrief ? { ttl: BRIEF_TIME } : undefined);
    else if (op.kind === 'cas') view.cas(key, rules.expectedBy(op), value);
    else if (op.kind === 'delete' || op.kind === 'renew') view.delete(key);
    if (op.kind === 'renew') view.put(key, value);
  }

  /** An operation without a transaction. Returns whether it took place. */
  #writeOutside(op: Op, value: number, rules: TransactionRules): { verdict: Verdict; version: number } {
    const db = this.#db;
    if (op.kind === 'pass') {
      this.#now += BRIEF_TIME;
      rules.time += BRIEF_TIME;
    }
    if (!('place' in op)) return { verdict: 'commits', version: 0 };
    const key = this.#keys[op.place]!;
    if (op.kind === 'put') return { verdict: 'commits', version: db.putSync(key, value, op.isBrief ? { ttl: BRIEF_TIME } : undefined) };
    if (op.kind === 'delete') return { verdict: 'commits', version: db.deleteSync(key) };
    if (op.kind === 'renew') return { verdict: 'commits', version: db.batchSync([{ type: 'delete', key }, { type: 'put', key, value }]) };
    if (op.kind !== 'cas') return { verdict: 'commits', version: 0 };
    const result = db.casSync(key, rules.expectedBy(op), value);
    return { verdict: result.ok ? 'commits' : 'mismatches', version: result.ok ? result.version : 0 };
  }

  #commit(tx: Transaction): { verdict: Verdict; version: number } {
    try {
      return { verdict: 'commits', version: tx.commitSync() };
    } catch (error) {
      if (error instanceof ConflictError) return { verdict: 'conflicts', version: 0 };
      if (error instanceof CasError) return { verdict: 'mismatches', version: 0 };
      throw error;
    }
  }

  /** Holds what came of a commit against the rules, and takes it over. */
  #judge(actor: Actor, rules: TransactionRules, { verdict, version }: { verdict: Verdict; version: number }): void {
    const expected = rules.verdict(actor.ruled!);
    const isExpected = verdict === expected || (expected === 'conflicts or mismatches' && verdict !== 'commits');
    if (!isExpected) throw new Error(`a transaction ${verdict} where it ${expected}`);
    if (verdict === 'conflicts') this.figures.conflicts++;
    else if (verdict === 'mismatches') this.figures.mismatches++;
    else {
      this.figures.commits++;
      actor.isCommitted = true;
      const right = rules.commit(actor.ruled!);
      if (version !== right) throw new Error(`a commit has version ${version} instead of ${right}`);
    }
  }

  #do(actor: Actor, rules: TransactionRules, index: number): void {
    const op = actor.program.ops[index]!;
    const value = actor.valueOf(index);
    const { tx } = actor;
    const finding = this.#look(op, this.#viewsOf(tx));
    const expected = rules.does(actor.ruled!, op, value);
    if (finding !== expected) throw new Error(`${textOfOp(op)} found ${finding} instead of ${expected}`);
    actor.findings.push(finding);
    actor.values.push(value);
    if (actor.program.kind === 'transaction') this.#write(op, value, tx as Transaction, rules);
    else if (actor.program.kind === 'outside') this.#judge(actor, rules, this.#writeOutside(op, value, rules));
  }

  /** Takes one step of an actor. */
  #step(actor: Actor, rules: TransactionRules, number: number): void {
    const { program } = actor;
    const { step } = actor;
    actor.step++;
    actor.end = number;
    if (step === 0) {
      actor.begin = number;
      // A write without a transaction depends on nothing that came before it.
      actor.ruled = rules.begin(program.kind === 'transaction' ? actor.isolation : 'serializable');
      if (program.kind === 'transaction') actor.tx = this.#db.begin({ isolation: this.#options.actual ?? actor.isolation });
      else if (program.kind === 'snapshot') actor.tx = this.#db.snapshot();
      else this.#do(actor, rules, 0);
    } else if (step <= program.ops.length) this.#do(actor, rules, step - 1);
    else if (program.kind === 'snapshot') {
      (actor.tx as Snapshot).close();
      actor.isCommitted = true;
    } else if (program.isAborted) (actor.tx as Transaction).abort();
    else this.#judge(actor, rules, this.#commit(actor.tx as Transaction));
  }

  /** What a store, this one or one that was recovered, holds of the world that is played. */
  stateOf(db: Store): number[] {
    return this.#keys.map((key, place) => ((place === K ? db.keyspace('k').get(key) : db.get(key)) as number | undefined) ?? 0);
  }

  /** Plays one interleaving. Throws, with the interleaving in words, where a judge objects. */
  play(cast: readonly Program[], schedule: Uint8Array, levels: readonly Isolation[]): void {
    const rules = this.#raise();
    const actors = cast.map((program, number) => new Actor(program, levels[number % levels.length]!, number));
    const brief = new Set<number>(this.#options.isBrief === true ? [INITIAL[A]!] : []);
    const { onWorld, onStep } = this.#options;
    onWorld?.();
    let number = 0;
    try {
      for (const who of schedule) {
        const actor = actors[who]!;
        const op = actor.program.ops[actor.program.kind === 'outside' ? 0 : actor.step - 1];
        if (op?.kind === 'put' && op.isBrief && rules.time === 0) brief.add(actor.valueOf(actor.step - 1));
        const before = onStep === undefined ? [] : rules.state();
        this.#step(actor, rules, number++);
        onStep?.(before, rules.state());
      }
      this.#judgeAll(actors, rules, levels, brief);
    } catch (error) {
      throw new Error(`${(error as Error).message}, at step ${number} of ${cast.map((program, index) => `${index}: ${textOf(program)}`).join('; ')}, in the order ${schedule.join('')}, under ${levels.join(' and ')}`, { cause: error });
    }
    this.figures.interleavings++;
  }

  #judgeAll(actors: readonly Actor[], rules: TransactionRules, levels: readonly Isolation[], brief: Brief): void {
    const final = this.stateOf(this.#db);
    const right = rules.state();
    if (final.some((value, place) => value !== right[place])) throw new Error(`the state is ${final.join(' ')} instead of ${right.join(' ')}`);
    const played: Played[] = [];
    for (const actor of actors) if (actor.isCommitted) played.push({ ops: actor.program.ops, findings: actor.findings, values: actor.values, begin: actor.begin, end: actor.end });
    if (hasSerialOrder(played, final, brief)) return;
    if (levels.every((level) => level === 'serializable')) throw new Error('no serial order explains what was found');
    this.figures.skews++;
  }

  /** What is left in the store for those who read, when nobody does any more. */
  leftovers(): { readonly open: number; readonly oldVersions: number } {
    // What is superseded from now on is kept for nobody.
    this.#db.putSync('last', 0);
    const { open, oldVersions } = this.#db.stats().snapshots;
    return { open, oldVersions };
  }
}

/** Plays every interleaving of casts, at each of the levels; of a share, every so manieth. */
export function playAll(stage: Stage, casts: Iterable<readonly Program[]>, levels: readonly (readonly Isolation[])[], share: Share): void {
  const { stackTraceLimit } = Error;
  // A fifth of the time would go into the stacks of conflicts.
  Error.stackTraceLimit = 0;
  let number = share.count - share.index;
  try {
    for (const cast of casts) {
      const schedules = schedulesOf(cast.map(stepsOf));
      for (const level of levels) for (const schedule of schedules) if (number++ % share.count === 0) stage.play(cast, schedule, level);
    }
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** One of `count` shares of a whole. */
export interface Share {
  readonly index: number;
  readonly count: number;
}
