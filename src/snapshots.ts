/**
 * Who reads at a fixed version. Taking a view pins its version in the core, in O(1); what it can see stays until it is released. A view that was forgotten is noticed when it is
 * collected as garbage, and reported; one that is merely old is reported too, because it keeps space from being used again.
 */
import type { Key } from './codec/key.js';
import type { ValueCodec } from './codec/value.js';
import type { Engine } from './engine/engine.js';
import { failure } from './engine/failure.js';
import { STATUS_MEMORY_FULL } from '../assembly/shared/status.js';
import { ClosedError, InvalidArgumentError, VersionGoneError } from './errors.js';

/** After so many milliseconds a view that is still open is reported, once. */
const OLD_AGE = 60_000;

/** Someone who reads at a version, as the store keeps it: without the object that the caller holds, so that this may be collected. */
export interface Hold {
  readonly kind: 'snapshot' | 'transaction';
  readonly version: number;
  /** When it began, in epoch milliseconds. */
  readonly since: number;
  readonly held: Held;
  /** Whether the garbage collector is to say when it was forgotten. */
  isWatched: boolean;
  isReported: boolean;
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

export class Holds {
  readonly #engine: Engine;
  readonly #warn: (warning: Warning) => void;
  readonly #open = new Set<Hold>();
  #why: (() => Error) | undefined;
  readonly #forgotten = new FinalizationRegistry<Hold>((hold) => this.#noteForgotten(hold));

  constructor(engine: Engine, warn: (warning: Warning) => void) {
    this.#engine = engine;
    this.#warn = warn;
  }

  /** How many views are open. */
  get count(): number {
    return this.#open.size;
  }

  /** The oldest view that is open. They are kept in the order in which they were taken. */
  get oldest(): Hold | undefined {
    return this.#open.values().next().value;
  }

  /** Pins the newest version, or one that is pinned already, for a snapshot. */
  pin(version?: number): Hold {
    const { core } = this.#engine;
    const current = core.lastVersion();
    if (version !== undefined && version > current) throw new InvalidArgumentError(`Version ${version} is not there yet: the newest is ${current}.`);
    const pin = version === undefined ? core.pinCurrent() : core.pinAt(version);
    this.#engine.refresh();
    if (pin === 0) throw version === undefined ? failure(STATUS_MEMORY_FULL, this.#engine.name) : new VersionGoneError(`Version ${version} is not kept any more: take a snapshot while it is the newest.`);
    return this.add('snapshot', version ?? current, { end: () => core.unpin(pin) });
  }

  /** Notes someone who reads at a version that is pinned. */
  add(kind: Hold['kind'], version: number, held: Held): Hold {
    const hold: Hold = { kind, version, since: Date.now(), held, isWatched: false, isReported: false };
    this.#open.add(hold);
    return hold;
  }

  /** Has the store notice when `view` is collected while it still holds `hold`. */
  watch(view: object, hold: Hold): void {
    hold.isWatched = true;
    this.#forgotten.register(view, hold, hold);
    this.#reportOld();
  }

  release(hold: Hold): void {
    if (!this.#open.delete(hold)) return;
    if (hold.isWatched) this.#forgotten.unregister(hold);
    hold.held.end();
    this.#engine.refresh();
  }

  /** Forgets all of them, because the store serves nothing more; `why` makes the error that says so. */
  end(why: () => Error): void {
    this.#why = why;
    this.#open.clear();
  }

  isOpen(hold: Hold): boolean {
    return this.#open.has(hold);
  }

  /** Throws when a view is not open any more. */
  check(hold: Hold): void {
    if (!this.#open.has(hold)) throw this.#why?.() ?? new ClosedError(hold.kind === 'snapshot' ? 'The snapshot is closed. Take another one.' : 'The transaction has committed or was aborted. Begin another one.');
  }

  #noteForgotten(hold: Hold): void {
    if (!this.#open.has(hold)) return;
    this.release(hold);
    this.#warn({ code: 'VARVE_FORGOTTEN', message: `A ${hold.kind} at version ${hold.version} of ${this.#engine.name} was never ended: close or abort it, or declare it with \`using\`.` });
  }

  #reportOld(): void {
    const oldest = this.oldest!;
    if (oldest.isReported || Date.now() - oldest.since < OLD_AGE) return;
    oldest.isReported = true;
    this.#warn({ code: 'VARVE_LONG_OPEN', message: `A ${oldest.kind} at version ${oldest.version} of ${this.#engine.name} has been open for ${Math.round((Date.now() - oldest.since) / 1000)} seconds, and keeps what it sees.` });
  }
}

/** A key with its value and the version that wrote it. */
interface SeenEntry<V> {
  readonly key: Key;
  readonly value: V;
  readonly version: number;
}

/** A fixed view of a store: reads see the version at which it was taken, whatever is written meanwhile. Close it, or declare it with `using`. */
export class Snapshot<V = unknown> {
  /** The version that it sees. */
  readonly version: number;
  readonly #engine: Engine;
  readonly #codec: ValueCodec<V>;
  readonly #holds: Holds;
  readonly #hold: Hold;

  /** @internal Use `db.snapshot()` or `db.at(version)`. */
  constructor(engine: Engine, codec: ValueCodec<V>, holds: Holds, hold: Hold) {
    this.#engine = engine;
    this.#codec = codec;
    this.#holds = holds;
    this.#hold = hold;
    this.version = hold.version;
    holds.watch(this, hold);
  }

  #check(): void {
    this.#holds.check(this.#hold);
  }

  /** The value that a key had, or undefined. O(log n) in the versions that are kept of the key, O(1) where it was not written since. @throws ClosedError, InvalidArgumentError. */
  get(key: Key): V | undefined {
    this.#check();
    return this.#engine.getAt(key, this.version, this.#codec);
  }

  /** Key, value and version as they were, or undefined. As `get`. */
  getEntry(key: Key): SeenEntry<V> | undefined {
    this.#check();
    const found = this.#engine.entryAt(key, this.version, this.#codec);
    return found === undefined ? undefined : { key, value: found.value, version: found.version };
  }

  /** Whether a key existed. As `get`. */
  has(key: Key): boolean {
    this.#check();
    return this.#engine.hasAt(key, this.version);
  }

  /** The values that many keys had, in the order of the keys. */
  getMany(keys: Iterable<Key>): (V | undefined)[] {
    const values: (V | undefined)[] = [];
    for (const key of keys) values.push(this.get(key));
    return values;
  }

  /** Releases what only this snapshot keeps. Idempotent. */
  close(): void {
    this.#holds.release(this.#hold);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
