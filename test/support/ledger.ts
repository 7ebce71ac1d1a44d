/**
 * What a store must hold after each of its lives: the one who starts and ends the writers keeps it, from what they acknowledged. A state is right when it is that of all earlier lives with the
 * first so many operations of the last one, everything among them that was promised, and nothing in part.
 */
import { bytesOf, digestOf, KEY_COUNT, operationOf, type Stamp } from './life.js';

/** A key that a store holds, as a writer tells it that has just opened it. */
export interface Told {
  readonly key: number;
  readonly version: number;
  readonly stamp: Stamp;
  readonly digest: string;
}

/** What a writer found when it opened the store. */
export interface Dump {
  /** The highest version issued, as the store says. */
  readonly version: number;
  readonly clean: boolean;
  /** The bytes of a torn tail. */
  readonly dropped: number;
  readonly entries: readonly Told[];
}

interface Held {
  readonly stamp: Stamp;
  readonly size: number;
  /** Undefined as long as nobody has said it. */
  version: number | undefined;
}

type State = Map<number, Held>;

/** The life whose end nobody has seen yet. */
interface Life {
  readonly number: number;
  /** How many operations may have been applied and not acknowledged. */
  readonly lanes: number;
  /** The versions that were acknowledged, by the operation's number. */
  readonly versions: Map<number, number>;
  /** Operations that were refused as a whole. */
  readonly refused: Set<number>;
  /** So many operations, the first ones, were promised to be there. */
  promised: number;
}

const sameStamp = (left: Stamp, right: Stamp): boolean => left.life === right.life && left.number === right.number && left.index === right.index;

/** Applies an operation to a state. */
function applyTo(state: State, seed: number, life: number, number: number): void {
  for (const [index, { key, size }] of operationOf(seed, life, number).writes.entries()) {
    if (size === undefined) state.delete(key);
    else state.set(key, { stamp: { life, number, index }, size, version: undefined });
  }
}

/** The first key in which a store differs from a state, by where its value comes from; undefined where there is none. */
function differenceOf(state: State, entries: ReadonlyMap<number, Told>): string | undefined {
  for (let key = 0; key < KEY_COUNT; key++) {
    const held = state.get(key)?.stamp;
    const told = entries.get(key)?.stamp;
    if (held === undefined ? told === undefined : told !== undefined && sameStamp(held, told)) continue;
    return `key ${key} is ${told === undefined ? 'absent' : JSON.stringify(told)}, and should be ${held === undefined ? 'absent' : JSON.stringify(held)}`;
  }
  return undefined;
}

export class Ledger {
  readonly seed: number;
  #state: State = new Map();
  #life: Life | undefined;
  /** The highest version that anybody has been shown in an earlier life. */
  #versionMax = 0;
  /** How many operations were acknowledged, and how many of these were gone afterwards, which only a mode allows that promises nothing. */
  acknowledgedCount = 0;
  lostCount = 0;

  constructor(seed: number) {
    this.seed = seed;
  }

  /** A writer has opened the store, found this, and goes on as the life with this number. Throws when it should have found something else. */
  begin(number: number, lanes: number, dump: Dump): void {
    const entries = new Map(dump.entries.map((entry) => [entry.key, entry]));
    if (entries.size !== dump.entries.length) throw new Error('a scan shows a key twice');
    this.#settle(entries);
    this.#checkContents(entries);
    this.#versionMax = Math.max(this.#versionMax, dump.version);
    this.#life = { number, lanes, versions: new Map(), refused: new Set(), promised: 0 };
  }

  /** An operation was acknowledged, with its version; `isPromised`: under a mode in which it is then there to stay. */
  acknowledge(number: number, version: number, isPromised: boolean): void {
    const life = this.#life!;
    this.acknowledgedCount++;
    life.versions.set(number, version);
    // A version of 0 says that there was nothing to do: it promises nothing.
    if (version === 0) return;
    if (version <= this.#versionMax) throw new Error(`version ${version} of operation ${number} was issued in an earlier life, which had shown ${this.#versionMax}`);
    if (isPromised) this.promise(number + 1);
  }

  /** An operation was refused: nothing of it may ever be seen. */
  refuse(number: number): void {
    this.#life!.refused.add(number);
  }

  /** The first so many operations of the life were promised to be there, but for those that were refused. */
  promise(count: number): void {
    this.#life!.promised = Math.max(this.#life!.promised, count);
  }

  /** Finds how many operations of the last life the store holds. */
  #settle(entries: ReadonlyMap<number, Told>): void {
    const life = this.#life;
    if (life === undefined) {
      const difference = differenceOf(this.#state, entries);
      if (difference !== undefined) throw new Error(difference);
      return;
    }
    const shown = [...entries.values()].filter(({ stamp }) => stamp.life === life.number);
    const least = Math.max(life.promised, ...shown.map(({ stamp }) => stamp.number + 1));
    const most = life.versions.size + life.refused.size + life.lanes;
    const apply = (number: number): void => {
      if (!life.refused.has(number)) applyTo(this.#state, this.seed, life.number, number);
    };
    let applied = 0;
    let difference = `operation ${least - 1} is there, and no more than ${most} were begun`;
    for (; applied < least; applied++) apply(applied);
    for (; applied <= most; apply(applied++)) {
      const found = differenceOf(this.#state, entries);
      if (found === undefined) {
        this.#checkVersions(life, shown, applied);
        return;
      }
      if (applied === least) difference = found;
    }
    throw new Error(`no number of operations explains the store: ${life.promised} were promised, ${least} is the least, ${most} the most, and after the least, ${difference}`);
  }

  /** Versions rise with the operations, and all writes of an operation share one. */
  #checkVersions(life: Life, shown: readonly Told[], applied: number): void {
    const versions = new Map([...life.versions].filter(([, version]) => version !== 0));
    for (const { stamp, version } of shown) {
      if (life.refused.has(stamp.number)) throw new Error(`operation ${stamp.number} was refused, and is there`);
      const known = versions.get(stamp.number);
      if (known !== undefined && known !== version) throw new Error(`operation ${stamp.number} has version ${known} in one place and ${version} in another`);
      versions.set(stamp.number, version);
    }
    let before = this.#versionMax;
    for (const [number, version] of [...versions].sort(([left], [right]) => left - right)) {
      if (version <= before) throw new Error(`operation ${number} has version ${version}, and an earlier one has ${before}`);
      before = version;
      if (number >= applied) this.lostCount++;
    }
    this.#versionMax = before;
    this.#life = undefined;
  }

  /** Every key has the bytes and the version that its write gave it. */
  #checkContents(entries: ReadonlyMap<number, Told>): void {
    for (const [key, held] of this.#state) {
      const told = entries.get(key)!;
      held.version ??= told.version;
      if (held.version !== told.version) throw new Error(`key ${key} has version ${told.version}, and was given ${held.version}`);
      if (told.digest !== digestOf(bytesOf(this.seed, held.stamp, held.size))) throw new Error(`key ${key} holds other bytes than operation ${held.stamp.number} of life ${held.stamp.life} put`);
    }
  }
}
