/**
 * One life of a store: from its opening to its end, with everything that is open in it. What writes goes through here, so that the ledger always knows what was applied, what was promised,
 * and what is in doubt.
 */
import { ConflictError, CasError, FullError, OutcomeUnknownError, PoisonedError } from '../../../src/errors.js';
import type { Durability } from '../../../src/durability/commits.js';
import type { Keyspace } from '../../../src/keyspace.js';
import type { Store } from '../../../src/store.js';
import { CrashError, type SimulatedDisk } from '../simulated-disk.js';
import { SPACES } from './keys.js';
import type { Commit, Draft } from './ledger.js';
import { must } from './must.js';
import type { QueuedDevice } from './queue.js';
import { isWholeLog } from './segments.js';
import type { Session } from './session.js';
import { drain } from './time.js';
import type { Loop, View } from './views.js';
import type { Watch } from './watches.js';
import type { World } from './world.js';

export interface Habits {
  readonly durability: Durability;
  readonly blocks: boolean;
  /** Whether the store runs on the debug build, and verifies itself after every mutation. */
  readonly checks: boolean;
}

export class Life {
  readonly sessions: Session[] = [];
  readonly views: View[] = [];
  /** Loops over the store itself. */
  readonly loops: Loop[] = [];
  readonly watches: Watch[] = [];
  readonly collections: readonly (Store | Keyspace)[];
  /** Whether the store was opened with every segment that it ever had, where it keeps all of its history. */
  readonly hasWholeLog: boolean;
  /** Promises of writes that have not settled. */
  waiting = 0;
  isPoisoned = false;
  /** From here on nobody looks at what is still to come. */
  isOver = false;
  /** Whether the disk was full when a write came. */
  wasFull = false;
  /** What went wrong where nobody waited. */
  violation: unknown;
  steps = 0;

  constructor(readonly world: World, readonly db: Store, readonly disk: SimulatedDisk, readonly queue: QueuedDevice | undefined, readonly habits: Habits) {
    // Nobody else asks for it.
    this.hasWholeLog = world.setup.history === 'all' && isWholeLog(disk.processImage());
    this.collections = SPACES.map((name, space) => (space === 0 ? db : db.keyspace(name, name === 'two' ? { values: 'bytes' } : {})));
    world.ledger.version = db.stats().version;
  }

  /** Whether the store can do nothing more. */
  get isDead(): boolean {
    return this.isPoisoned || this.disk.isCrashed;
  }

  /** Runs a write that is done when it returns. `drafts` is what it changes, asked for when it has come to its end; `mayFail` says which errors it is expected to throw. */
  writeSync(call: () => number, drafts: () => readonly Draft[], mayFail?: (error: unknown) => boolean): void {
    let version = 0;
    try {
      version = call();
    } catch (error) {
      this.#noteFailure(error, drafts, mayFail);
      return;
    }
    const commit = this.#note(drafts(), version);
    if (commit !== undefined && this.habits.durability === 'strict') this.promise(this.world.ledger.commits.length);
  }

  /** Starts a write that its promise tells the end of. Resolves when that has come. */
  write(call: () => Promise<number>, drafts: () => readonly Draft[], mayFail?: (error: unknown) => boolean): Promise<void> {
    const { ledger } = this.world;
    const promise = call();
    const isApplied = this.db.stats().version !== ledger.version;
    const written = drafts();
    if (isApplied) ledger.apply(written, ledger.version + 1);
    const count = ledger.commits.length;
    const { version: reached } = ledger;
    this.waiting++;
    return promise.then((version) => {
      this.waiting--;
      if (this.isOver) return;
      must(version === (written.length === 0 ? 0 : reached) && isApplied === (version !== 0), () => `a write has version ${version} instead of ${written.length === 0 ? 0 : reached}`);
      if (isApplied) this.acknowledge(count);
    }, (error: unknown) => {
      this.waiting--;
      if (!this.isOver) this.#judge(error, isApplied, mayFail);
    }).catch((error: unknown) => {
      this.violation ??= error;
    });
  }

  /** Waits for a write that is applied later than it is called, beside no other. */
  async writeLate(call: () => Promise<unknown>, drafts: () => readonly Draft[], mayFail?: (error: unknown) => boolean): Promise<void> {
    const { ledger } = this.world;
    try {
      await call();
    } catch (error) {
      this.#noteFailure(error, drafts, mayFail);
      return;
    }
    const { version } = this.db.stats();
    if (this.#note(drafts(), version === ledger.version ? 0 : version) !== undefined) this.acknowledge(ledger.commits.length);
  }

  /** Someone was told that so many commits are safe, as far as the store's mode goes. */
  acknowledge(count: number): void {
    if (this.habits.durability === 'strict') this.promise(count);
    else if (this.habits.durability === 'buffered') this.world.ledger.hand(count);
  }

  promise(count: number): void {
    const { ledger } = this.world;
    ledger.promise(count);
    this.disk.mark = ledger.durable;
  }

  /** Enters a commit that has returned with a version. */
  #note(drafts: readonly Draft[], version: number): Commit | undefined {
    const { ledger } = this.world;
    must(version === (drafts.length === 0 ? 0 : ledger.version + 1), () => `a write of ${drafts.length} changes has version ${version} behind ${ledger.version}`);
    return version === 0 ? undefined : ledger.apply(drafts, version);
  }

  #noteFailure(error: unknown, drafts: () => readonly Draft[], mayFail: ((error: unknown) => boolean) | undefined): void {
    const { ledger } = this.world;
    const { version } = this.db.stats();
    const isApplied = version !== ledger.version;
    must(!isApplied || version === ledger.version + 1, () => `a write that failed has left version ${version} behind ${ledger.version}`);
    if (isApplied) {
      const commit = ledger.apply(drafts(), version);
      if (this.disk.isCrashed && commit.size > this.world.setup.segmentSize && this.disk.pendingCount > 0) this.world.reach('crash in the middle of a commit over two segments');
    }
    this.#judge(error, isApplied, mayFail);
  }

  /** Holds the error of a write against what it says: whether the write was applied, and how the store goes on. */
  #judge(error: unknown, isApplied: boolean, mayFail: ((error: unknown) => boolean) | undefined): void {
    const { isCrashed } = this.disk;
    if (error instanceof CrashError) must(isCrashed, () => 'a crash without one');
    else if (error instanceof OutcomeUnknownError) must(isApplied && (isCrashed || this.isPoisoned), () => `an outcome is in doubt (${error.message}), and the write was ${isApplied ? '' : 'not '}applied`);
    else if (error instanceof PoisonedError) must(!isApplied && this.isPoisoned, () => `a write was ${isApplied ? '' : 'not '}applied, and was told that ${error.message}`);
    else if (error instanceof FullError) {
      must(!isApplied && this.wasFullLately(), () => 'a write was refused for want of room');
      this.world.reach('disk full');
      this.world.figures.failures++;
      this.wasFull = true;
    } else if (error instanceof ConflictError || error instanceof CasError) must(!isApplied && mayFail?.(error) === true, () => `unexpected: ${error.message}`);
    else throw error;
  }

  /** Whether the disk has had no room, or said so. */
  wasFullLately(): boolean {
    return this.disk.capacity !== Infinity || this.disk.failures.some(({ kind }) => kind === 'full') || this.queue?.hasFailed === true;
  }

  /** Waits for a promise, with the flushes let go that it may wait for, and the queue of the device at work and time passing where it gives way to others. Every promise of a store must settle. */
  async settle<T>(promise: Promise<T>, givesWay = false): Promise<T> {
    let isSettled = false;
    const note = (): void => {
      isSettled = true;
    };
    promise.then(note, note);
    for (let turn = 0; !isSettled; turn++) {
      // Whose power is gone waits for ever.
      if (turn > 100 && this.disk.isCrashed) throw new CrashError();
      must(turn < (givesWay ? 300_000 : 1000), () => 'a promise never settles');
      await undefined;
      if (turn % 30 !== 29) continue;
      this.disk.releaseFlushes();
      if (!givesWay || isSettled || this.disk.isCrashed) continue;
      this.work();
      await this.pass(1);
    }
    return promise;
  }

  /** Lets the queue of the device do one thing. */
  work(): void {
    if (this.queue?.work() !== true) return;
    if (!this.queue.hasFailed) this.world.reach('slot zeroed in the background');
    else {
      this.world.figures.failures++;
      this.world.reach('background queue failed');
    }
  }

  /** Lets time pass. Whatever was applied in the modes that flush by a timer is durable when its interval is over. */
  async pass(milliseconds: number): Promise<void> {
    await drain();
    const { time, ledger } = this.world;
    const count = ledger.commits.length;
    const wasHeld = this.disk.holdFlushes || this.disk.heldFlushCount > 0;
    time.pass(milliseconds);
    await drain();
    if (milliseconds <= FLUSH_INTERVAL || wasHeld || this.isDead) return;
    if (count > ledger.durable) this.world.reach('flushed by the interval');
    this.promise(count);
  }
}

/** In milliseconds: the default of the store. */
const FLUSH_INTERVAL = 100;
