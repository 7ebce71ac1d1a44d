/**
 * Who reads at a fixed version: snapshots, transactions, scans. Each pins its version in the core, in O(1); what it can see stays until it is released. One that was forgotten is
 * noticed when it is collected as garbage, and reported; one that is merely old is reported too, because it keeps space from being used again.
 */
import { STATUS_MEMORY_FULL } from '../assembly/shared/status.js';
import type { Engine } from './engine/engine.js';
import { EngineCopy } from './engine/copy.js';
import { failure } from './engine/failure.js';
import { EngineScan, type ScanPoint } from './engine/scan.js';
import { ClosedError, InvalidArgumentError, VersionGoneError } from './errors.js';
import type { Kernel } from './kernel.js';
import type { Bounds } from './range.js';
import type { OpenScan } from './scan.js';

/** After so many milliseconds a view that is still open is reported, once. */
const OLD_AGE = 60_000;
/** A turn that begins more views than this, and ends none of them, has them watched at once, so that those which it drops can be collected. */
const FRESH_COUNT_MAX = 16;

const RESOLVED = Promise.resolve();

/**
 * Views of all stores that nobody watches before this turn of the event loop ends, and what they hold; of those that have ended, the last are gone. One list, because what is to be done at the end of a turn
 * keeps what it is to be done to: a turn that opens store after store keeps none of them by this.
 */
const fresh: { readonly holds: Holds; readonly view: object; readonly hold: Hold }[] = [];
let isTurnAwaited = false;

/** Has those watched that are still open. */
function watchFresh(): void {
  for (const { holds, view, hold } of fresh.splice(0)) if (hold.isOpen) holds.register(view, hold);
}

function endTurn(): void {
  isTurnAwaited = false;
  watchFresh();
}

/** What is held in the core. */
export interface Held {
  /** Gives it back. */
  end(): void;
}

export interface Warning {
  readonly code: string;
  readonly message: string;
}

export type Kind = 'snapshot' | 'transaction' | 'scan' | 'watch' | 'copy';

const ENDED: Record<Kind, string> = {
  snapshot: 'The snapshot is closed. Take another one.',
  transaction: 'The transaction has committed or was aborted. Begin another one.',
  scan: 'The scan has ended. Begin another one.',
  watch: 'The watch has ended. Begin another one.',
  copy: 'The copy has ended. Begin another one.',
};

/** Someone who reads at a version, as the store keeps it: without the object that the caller holds, so that this may be collected. */
export class Hold {
  readonly kind: Kind;
  readonly version: number;
  /** When it began, in epoch milliseconds: what has expired by then it does not see. 0 for a transaction that began where nothing may expire, and does not wait: it does not get old. */
  clock: number;
  readonly held: Held;
  isOpen = true;
  /** Whether the garbage collector is to say when it was forgotten. */
  isWatched = false;
  isReported = false;
  previous: Hold | undefined;
  next: Hold | undefined;

  constructor(kind: Kind, version: number, clock: number, held: Held) {
    this.kind = kind;
    this.version = version;
    this.clock = clock;
    this.held = held;
  }
}

export class Holds {
  readonly #engine: Engine;
  readonly #warn: (warning: Warning) => void;
  readonly #caught: (error: unknown) => unknown;
  #oldest: Hold | undefined;
  #newest: Hold | undefined;
  #count = 0;
  #why: (() => Error) | undefined;
  readonly #forgotten = new FinalizationRegistry<Hold>((hold) => this.#noteForgotten(hold));

  constructor(engine: Engine, warn: (warning: Warning) => void, caught: (error: unknown) => unknown) {
    this.#engine = engine;
    this.#warn = warn;
    this.#caught = caught;
  }

  /** How many views are open: snapshots, transactions and scans. */
  get count(): number {
    return this.#count;
  }

  /** The view that is open for longest. */
  get oldest(): Hold | undefined {
    let hold = this.#oldest;
    while (hold?.kind === 'watch') hold = hold.next;
    return hold;
  }

  /** How many views of a kind are open, and the one that is open for longest. O(views). */
  openOf(kind: Kind): { count: number; oldest: Hold | undefined } {
    let count = 0;
    let oldest: Hold | undefined;
    for (let hold = this.#oldest; hold !== undefined; hold = hold.next) {
      if (hold.kind !== kind) continue;
      count++;
      oldest ??= hold;
    }
    return { count, oldest };
  }

  /** Pins the newest version, or one that is kept, for a snapshot. */
  pin(version?: number): Hold {
    const { core } = this.#engine;
    const current = core.lastVersion();
    if (version !== undefined && version > current) throw new InvalidArgumentError(`Version ${version} is not there yet: the newest is ${current}.`);
    if (version !== undefined && core.isKept(version) === 0) {
      throw new VersionGoneError(`Version ${version} is not kept any more: take a snapshot while it is the newest, or open the store with the option history.`);
    }
    const pin = this.#pinAt(version);
    const clock = version === undefined ? this.#engine.now() : this.#engine.timeOf(version);
    return this.add('snapshot', version ?? current, clock, { end: () => core.unpin(pin) });
  }

  #pinAt(version: number | undefined): number {
    const { core } = this.#engine;
    const pin = version === undefined ? core.pinCurrent() : core.pinAt(version);
    this.#engine.refresh();
    if (pin === 0) throw failure(STATUS_MEMORY_FULL, this.#engine.name);
    return pin;
  }

  /** Begins a scan of the newest version, or of what `of` sees, whom `reader` keeps, with a pin of its own. `view` is who drives it. */
  scan(kernel: Kernel, bounds: Bounds, hasValues: boolean, view: object, of?: Hold, reader?: object): OpenScan {
    const engine = this.#engine;
    const version = of?.version ?? kernel.guard(() => engine.core.lastVersion());
    const pin = kernel.guard(() => this.#pinAt(of?.version));
    const point = { version, clock: of?.clock ?? engine.now(), session: 0 };
    let scan: EngineScan;
    try {
      scan = new EngineScan(engine, bounds, point, hasValues);
    } catch (error) {
      const told = kernel.caught(error);
      if (told === error) engine.core.unpin(pin);
      throw told;
    }
    const hold = this.#addScan(point, scan, pin);
    this.watch(view, hold);
    const open: OpenScan = {
      scan,
      reader,
      check: () => {
        if (of !== undefined) this.check(of);
        this.check(hold);
      },
      close: () => {
        this.release(hold);
        open.reader = undefined;
        kernel.kept.scan ??= { open, view, hold };
      },
      caught: (error) => kernel.caught(error),
    };
    return open;
  }

  /** Notes a scan. Apart from `scan`, because functions that are made in one place keep what any of them uses: who is watched must not be kept by what it holds. */
  #addScan({ version, clock }: ScanPoint, scan: EngineScan, pin: number): Hold {
    const { core } = this.#engine;
    return this.add('scan', version, clock, {
      end: () => {
        scan.close();
        core.unpin(pin);
      },
    });
  }

  /** Begins a copy of the newest version, with a pin of its own. */
  copy(hasHistory: boolean, entropy: Uint8Array): { copy: EngineCopy; hold: Hold } {
    const { core } = this.#engine;
    const pin = this.#pinAt(undefined);
    const version = core.lastVersion();
    const clock = this.#engine.now();
    let copy: EngineCopy;
    try {
      copy = new EngineCopy(this.#engine, version, clock, hasHistory, entropy);
    } catch (error) {
      if (this.#caught(error) === error) core.unpin(pin);
      throw error;
    }
    const hold = this.add('copy', version, clock, {
      end: () => {
        copy.end();
        core.unpin(pin);
      },
    });
    return { copy, hold };
  }

  /** Notes someone who reads at a version that is pinned. */
  add(kind: Kind, version: number, clock: number, held: Held): Hold {
    const hold = new Hold(kind, version, clock, held);
    if (this.#newest === undefined) this.#oldest = hold;
    else this.#newest.next = hold;
    hold.previous = this.#newest;
    this.#newest = hold;
    if (kind !== 'watch') this.#count++;
    return hold;
  }

  /**
   * Has the store notice when `view` is collected while it still holds `hold`: from the end of this turn on, because most have ended by then. What was once registered survives every collection of young
   * garbage, with all that it leads to, and waits for a full one.
   */
  watch(view: object, hold: Hold): void {
    if (fresh.push({ holds: this, view, hold }) > FRESH_COUNT_MAX) watchFresh();
    else if (!isTurnAwaited) {
      isTurnAwaited = true;
      void RESOLVED.then(endTurn);
    }
    // One that nobody was before needs no look at the clock.
    if (this.#oldest !== hold) this.#reportOld();
  }

  /** Has a view watched that its turn has not ended. */
  register(view: object, hold: Hold): void {
    hold.isWatched = true;
    this.#forgotten.register(view, hold, hold);
  }

  release(hold: Hold): void {
    if (!hold.isOpen) return;
    hold.isOpen = false;
    if (hold.previous === undefined) this.#oldest = hold.next;
    else hold.previous.next = hold.next;
    if (hold.next === undefined) this.#newest = hold.previous;
    else hold.next.previous = hold.previous;
    if (hold.kind !== 'watch') this.#count--;
    if (hold.isWatched) this.#forgotten.unregister(hold);
    else if (fresh.at(-1)?.hold === hold) fresh.pop();
    try {
      hold.held.end();
      this.#engine.refresh();
    } catch (error) {
      // A fault of the core has stopped the store, and whoever uses it next is told; this view has ended all the same.
      if (this.#caught(error) === error) throw error;
    }
  }

  /** Forgets all of them, because the store serves nothing more; `why` makes the error that says so. */
  end(why: () => Error): void {
    this.#why = why;
    for (let hold = this.#oldest; hold !== undefined; hold = hold.next) hold.isOpen = false;
    this.#oldest = undefined;
    this.#newest = undefined;
    this.#count = 0;
  }

  /** Throws when a view is not open any more. */
  check(hold: Hold): void {
    if (!hold.isOpen) throw this.#why?.() ?? new ClosedError(ENDED[hold.kind]);
  }

  #noteForgotten(hold: Hold): void {
    if (!hold.isOpen) return;
    this.release(hold);
    this.#warn({ code: 'VARVE_FORGOTTEN', message: `A ${hold.kind} at version ${hold.version} of ${this.#engine.name} was never ended: close or abort it, or declare it with \`using\`.` });
  }

  #reportOld(): void {
    const { oldest } = this;
    if (oldest === undefined || oldest.isReported || oldest.clock === 0 || this.#engine.now() - oldest.clock < OLD_AGE) return;
    oldest.isReported = true;
    this.#warn({
      code: 'VARVE_LONG_OPEN',
      message: `A ${oldest.kind} at version ${oldest.version} of ${this.#engine.name} has been open for ${Math.round((this.#engine.now() - oldest.clock) / 1000)} seconds, and keeps what it sees.`,
    });
  }
}
