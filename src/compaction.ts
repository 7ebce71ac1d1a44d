/**
 * Compaction beyond what every commit does for it: while a store is idle, when it is asked for, and when there is no room left. Works in steps, between which others have their turn; what is copied goes to
 * the file as everything else does, and the places it came from are free when a flush has made the copies durable.
 */
import * as status from '../assembly/shared/status.js';
import type { Commits } from './durability/commits.js';
import type { LogFile } from './durability/log-file.js';
import type { Engine } from './engine/engine.js';
import { failure } from './engine/failure.js';
import { CorruptionError, FullError, IoError } from './errors.js';

/** What `compact()` has done. */
export interface Compacted {
  /** Bytes of records that were copied. */
  readonly movedBytes: number;
  /** What the file takes, in bytes, before and after; for a store in memory, its segments. */
  readonly before: number;
  readonly after: number;
}

export interface CompactOptions {
  /** Ends it early: the store is then as compact as it got. */
  signal?: AbortSignal;
}

/** Records that a step looks at or copies: some hundred microseconds. */
const UNITS_PER_STEP = 2048;
/** After how many milliseconds without a flush a store counts as idle. */
const IDLE_DELAY = 20;
/** Bytes that may wait to be handed over between two steps. */
const PENDING_SIZE_MAX = 1 << 20;
/** A segment is emptied when asked for if one in so many of its bytes is dead; when there is no room left, if one in so many is. */
const ASKED_DEAD_SHARE = 16;
const PRESSED_DEAD_SHARE = 4;
/** Rounds of `compact`: what a first one empties may let a second forget deletes, and a third what these had kept. */
const ROUNDS_MAX = 6;
const ANY_SLOT = 0xffffffff;
/** Segments that are begun until tail and next stand where the first free slots are: the slot of the next was chosen before. */
const ROTATE_COUNT = 2;
/** How often what stands at the end of the file is brought to its beginning, at most. */
const SHRINK_COUNT = 3;
/** Headers that are written, at most, until what is dead has left the list. */
const SETTLE_COUNT = 4;
/** Slots that a closed store may have beyond those that hold something, and the part of them, and the bytes, that are not worth the work; bytes that are copied before it is closed, at most. */
const SLACK_COUNT = 4;
const SLACK_SHARE = 16;
const SLACK_SIZE = 1 << 20;
const TIGHTEN_SIZE_MAX = 16 << 20;

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}

export class Compactor {
  readonly #engine: Engine;
  readonly #log: LogFile | undefined;
  readonly #commits: Commits | undefined;
  /** Throws when the store no longer serves. */
  readonly #check: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isReclaiming = false;
  /** The last of those who asked for everything to be compacted: the next waits for it, because there is one choice of segments at a time. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(engine: Engine, log: LogFile | undefined, commits: Commits | undefined, check: () => void) {
    this.#engine = engine;
    this.#log = log;
    this.#commits = commits;
    this.#check = check;
  }

  /** Called after a flush: when the store then stays idle, compaction goes on by itself. */
  noteFlush(): void {
    if (this.#timer === undefined && this.#engine.core.hasCompactionWork() !== 0) this.#arm(IDLE_DELAY);
  }

  /** Called by writers now and then: does a step where commits alone do not keep up, because segments are to be read from the file for it. */
  keepPace(): void {
    if (this.#timer === undefined && this.#engine.core.isCompactionBehind() !== 0) this.#work();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #arm(delay: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#work();
    }, delay);
    (this.#timer as { unref?: () => void }).unref?.();
  }

  /** A step while nobody waits. */
  #work(): void {
    try {
      this.#check();
      const code = this.#step(false);
      if (code === status.STATUS_NEED_SLOT) this.#log?.provideSlot(false);
      if (this.#engine.pendingSize > 0) this.#commits?.handOverLater();
      if ((code === status.STATUS_OK || code === status.STATUS_NEED_SLOT) && this.#engine.core.hasCompactionWork() !== 0) this.#arm(1);
    } catch (error) {
      // A store that has stopped told everyone whom it concerns; one without room goes on when it has some; of what cannot be read, whoever reads it is told.
      if ((error instanceof CorruptionError || error instanceof IoError) && !this.#engine.isBroken) this.#engine.core.abandonRound();
    }
  }

  /** Compaction issues no version, and so nobody else takes the mark away that the store was ended in order. It goes, durably, before anything is written. */
  #unmark(): void {
    if (this.#log?.isClean === true) this.#log.flushSync(true);
  }

  /** A step. Returns what keeps it from going on, or STATUS_OK. */
  #step(reserved: boolean): number {
    const { core, now } = this.#engine;
    this.#unmark();
    let code = core.compactStep(UNITS_PER_STEP, reserved);
    if (code === status.STATUS_NEED_TIME) {
      core.setTime(now());
      code = core.compactStep(UNITS_PER_STEP, reserved);
    }
    this.#engine.refresh();
    // For more than one segment it takes more than one step.
    return code === status.STATUS_NEED_TIME ? status.STATUS_OK : code;
  }

  get #size(): number {
    return this.#log === undefined ? this.#engine.core.segmentCount() * this.#engine.segmentSize : this.#log.device.size();
  }

  /** Lets others have their turn. Whoever goes on behind it, or behind a flush, does so in a store that still serves: it may have been closed meanwhile. */
  async #turn(): Promise<void> {
    await turn();
    this.#check();
  }

  async #flush(): Promise<void> {
    await this.#commits?.flush();
    this.#check();
  }

  /** Does steps until nothing is left of what was asked for, a writer who had no room has ended that, or it cannot go on. */
  async #runToEnd(signal: AbortSignal | undefined): Promise<void> {
    const { core } = this.#engine;
    let isStuck = false;
    while (core.isCompactionAskedFor() !== 0) {
      signal?.throwIfAborted();
      const code = this.#step(isStuck);
      if (code === status.STATUS_OK) isStuck = false;
      else if (code === status.STATUS_NEED_SLOT) this.#log!.provideSlot(true);
      else if (isStuck) throw failure(code, this.#engine.name);
      if (code === status.STATUS_MEMORY_FULL) {
        isStuck = true;
        await this.#flush();
      } else if (this.#engine.pendingSize > PENDING_SIZE_MAX) await this.#flush();
      await this.#turn();
    }
  }

  /** Has a header leave out what is dead, durably, so that its slots are free. */
  async #settle(): Promise<void> {
    if (this.#log === undefined) return;
    // The copies, the header that leaves out what they came from, the superblock that goes past it: each is durable before the next. The tail that is left behind has nothing in it, and waits itself.
    for (let count = 0; count < SETTLE_COUNT && this.#engine.core.waitingSegmentCount() > 1; count++) {
      await this.#flush();
      this.#log.beginSegment(false);
    }
    await this.#flush();
  }

  /** As `#settle`, for who cannot wait. What was begun last is not flushed yet. */
  #settleAtOnce(log: LogFile): void {
    for (let count = 0; count < SETTLE_COUNT && this.#engine.core.waitingSegmentCount() > 1; count++) {
      log.flushSync();
      log.beginSegment(false);
    }
  }

  /** Brings what stands at the end of the file to its beginning, and gives the end back. */
  async #shrink(log: LogFile, signal: AbortSignal | undefined): Promise<void> {
    // First tail and next, so that what is copied goes there.
    for (let count = 0; count < ROTATE_COUNT; count++) {
      while (log.slots.recall()) await this.#turn();
      log.beginSegment(true);
    }
    await this.#flush();
    // What is live fits into so many slots from the first on; two more are the tail's and the one that it names as next.
    this.#engine.core.startCompaction(this.#engine.segmentSize, this.#engine.core.segmentCount() + ROTATE_COUNT);
    await this.#runToEnd(signal);
    await this.#settle();
    while (log.slots.recall()) await this.#turn();
    log.trim();
    await this.#flush();
  }

  /** Writes an image of the index for the one that was dropped. */
  async #renewImage(): Promise<void> {
    if (this.#log === undefined) return;
    this.#log.image.resume();
    while (this.#log.workOnImage()) await this.#turn();
    while (this.#log.image.isOnItsWay) await this.#flush();
  }

  /** Compacts everything, forgets the deletes that nothing needs, and gives the end of the file back. */
  compact({ signal }: CompactOptions): Promise<Compacted> {
    const compacted = this.#last.then(() => this.#compact(signal));
    this.#last = compacted.catch(() => undefined);
    return compacted;
  }

  async #compact(signal: AbortSignal | undefined): Promise<Compacted> {
    this.#check();
    const { core } = this.#engine;
    const before = this.#size;
    const movedBefore = core.movedSize();
    try {
      this.#unmark();
      for (let round = 0, held = Infinity; round < ROUNDS_MAX && core.segmentCount() < held; round++) {
        held = round < 2 ? Infinity : core.segmentCount();
        core.sweepTombstones();
        core.startCompaction(this.#engine.segmentSize / ASKED_DEAD_SHARE, ANY_SLOT);
        await this.#runToEnd(signal);
        await this.#settle();
        await this.#runToEnd(signal);
      }
      // An image of the index may stand at the end of the file.
      this.#log?.dropImage();
      // The slots that one pass has freed are where another can bring what is left.
      for (let pass = 0, end = Infinity; this.#log !== undefined && pass < SHRINK_COUNT && this.#log.slots.count < end; pass++) {
        end = this.#log.slots.count;
        await this.#shrink(this.#log, signal);
      }
      await this.#renewImage();
    } finally {
      this.#log?.image.resume();
      if (!this.#engine.isBroken) core.endCompaction();
    }
    return { movedBytes: core.movedSize() - movedBefore, before, after: this.#size };
  }

  /**
   * Before a store is closed: where the file has many more slots than what it holds would take, because what is live stands at its end, that goes to its beginning, as far as it costs little. What is dead in
   * between stays.
   */
  tighten(): void {
    const { core } = this.#engine;
    const log = this.#log!;
    log.image.holdBack();
    const wanted = core.segmentCount() + SLACK_COUNT;
    const slack = Math.max(SLACK_COUNT, wanted / SLACK_SHARE, SLACK_SIZE / this.#engine.segmentSize);
    if (core.canCompact() === 0 || log.slots.count < wanted + slack) return;
    const end = core.movedSize() + TIGHTEN_SIZE_MAX;
    try {
      // The image that is written when the store is closed finds the first free slots only where the one before is not in its way.
      log.dropImage();
      // What a burst has left dead waits for a durable header that leaves it out: its slots are those that what is live goes to.
      this.#settleAtOnce(log);
      for (let count = 0; count < ROTATE_COUNT; count++) {
        log.slots.recall();
        log.beginSegment(true);
      }
      log.flushSync();
      core.startCompaction(this.#engine.segmentSize, wanted);
      while (core.hasCompactionWork() !== 0 && core.movedSize() < end) {
        const code = this.#step(false);
        if (code === status.STATUS_NEED_SLOT) log.provideSlot(true);
        else if (code !== status.STATUS_OK) break;
        if (this.#engine.pendingSize > PENDING_SIZE_MAX) log.flushSync();
      }
      this.#settleAtOnce(log);
    } catch (error) {
      // A store without room is closed as it is.
      if (!(error instanceof FullError)) throw error;
    } finally {
      if (!this.#engine.isBroken) core.endCompaction();
    }
  }

  /** Where there is no room left for a write: empties what is worth it, at once. Returns whether that has made some. */
  reclaim(): boolean {
    const { core } = this.#engine;
    if (this.#isReclaiming || core.canCompact() === 0) return false;
    this.#isReclaiming = true;
    const before = core.segmentCount();
    try {
      core.startCompaction(this.#engine.segmentSize / PRESSED_DEAD_SHARE, ANY_SLOT);
      for (let failures = 0; core.hasCompactionWork() !== 0 && failures < 3;) {
        const code = this.#step(true);
        if (code === status.STATUS_OK) continue;
        failures++;
        this.#log?.flushSync();
        if (code === status.STATUS_NEED_SLOT) this.#log!.provideSlot(true);
      }
      this.#log?.flushSync();
    } catch (error) {
      if (!(error instanceof FullError)) throw error;
    } finally {
      if (!this.#engine.isBroken) core.endCompaction();
      this.#isReclaiming = false;
    }
    return core.segmentCount() < before;
  }
}
