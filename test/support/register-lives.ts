/** Clients that read and write a few keys without transactions, awaited and not, through several lives of a store; what each key has seen becomes a history for the search for an order. */
import type { Entry, Store } from '../../src/index.js';
import type { RegisterOp } from './linearizable.js';
import type { Random } from './random.js';
import { SimulatedDisk, type Choice } from './simulated-disk.js';
import { openStore } from './stores.js';

const NEVER = 3_600_000;
const KEYS = ['a', 'b', 'c'];

/** An operation as it is recorded. */
type Noted = { -readonly [Name in keyof RegisterOp]: RegisterOp[Name] };

export interface RegisterFigures {
  operations: number;
  crashes: number;
  unknown: number;
}

class Life {
  readonly ops = new Map<string, Noted[]>(KEYS.map((key) => [key, []]));
  /** The write that a key shows, as it was applied last. */
  readonly #applied = new Map<string, Noted>();
  /** What saw a write, which a crash takes back with it. */
  readonly #saw = new Map<Noted, Noted>();
  #left: number;

  constructor(readonly db: Store, readonly disk: SimulatedDisk, readonly random: Random, readonly clock: { time: number; value: number }, clients: number) {
    this.#left = clients * 25;
  }

  async #pause(): Promise<void> {
    for (let turns = this.random.below(3); turns >= 0; turns--) await undefined;
  }

  #note(key: string, op: Omit<Noted, 'invoked' | 'completed'>): Noted {
    const noted: Noted = { ...op, invoked: this.clock.time++, completed: Infinity };
    this.ops.get(key)!.push(noted);
    return noted;
  }

  #complete(noted: Noted): void {
    noted.completed = this.clock.time++;
  }

  /** An answer that changed nothing: it came at once, and holds as long as what it saw. */
  #see(key: string, noted: Noted): void {
    this.#complete(noted);
    const write = this.#applied.get(key);
    if (write !== undefined) this.#saw.set(noted, write);
  }

  async #put(key: string, isSync: boolean): Promise<void> {
    const value = this.clock.value++;
    const noted = this.#note(key, { kind: 'put', value });
    const answer = isSync ? this.db.putSync(key, value) : this.db.put(key, value);
    this.#applied.set(key, noted);
    await answer;
    this.#complete(noted);
  }

  async #delete(key: string, isSync: boolean): Promise<void> {
    const isApplied = this.db.has(key);
    const noted = this.#note(key, { kind: 'delete' });
    const answer = isSync ? this.db.deleteSync(key) : this.db.delete(key);
    if (isApplied) this.#applied.set(key, noted);
    noted.ok = (await answer) !== 0;
    if (isApplied) this.#complete(noted);
    else this.#see(key, noted);
  }

  async #cas(key: string, seen: Entry<unknown> | undefined, isSync: boolean): Promise<void> {
    const value = this.random.chance(0.2) ? undefined : this.clock.value++;
    const before = this.db.getEntry(key)?.version ?? 0;
    const isApplied = before === (seen?.version ?? 0) && (before !== 0 || value !== undefined);
    const noted = this.#note(key, { kind: 'cas', seen: seen?.value as number | undefined, value });
    const answer = isSync ? this.db.casSync(key, seen?.version ?? 0, value) : this.db.cas(key, seen?.version ?? 0, value);
    if (isApplied) this.#applied.set(key, noted);
    noted.ok = (await answer).ok;
    if (isApplied) this.#complete(noted);
    else this.#see(key, noted);
  }

  #get(key: string): Entry<unknown> | undefined {
    const noted = this.#note(key, { kind: 'get' });
    const entry = this.db.getEntry(key);
    noted.seen = entry?.value as number | undefined;
    this.#see(key, noted);
    return entry;
  }

  async #client(): Promise<void> {
    let seen: { readonly key: string; readonly entry: Entry<unknown> | undefined } | undefined;
    while (this.#left-- > 0) {
      const key = this.random.pick(KEYS);
      const choice = this.random.below(10);
      const isSync = this.random.chance(0.2);
      if (choice < 4) seen = { key, entry: this.#get(key) };
      else if (choice < 6) await this.#put(key, isSync);
      else if (choice < 7) await this.#delete(key, isSync);
      else if (seen !== undefined) await this.#cas(seen.key, seen.entry, isSync);
      await this.#pause();
    }
  }

  async run(clients: number): Promise<void> {
    let isOver = false;
    const flushes = async (): Promise<void> => {
      while (!isOver) {
        for (let turns = this.random.below(30); turns >= 0; turns--) await undefined;
        this.disk.releaseFlushes(1);
      }
      this.disk.holdFlushes = false;
      this.disk.releaseFlushes();
    };
    this.disk.holdFlushes = true;
    const released = flushes();
    // A client whose store has stopped is done.
    await Promise.all(Array.from({ length: clients }, () => this.#client().catch(() => undefined)));
    isOver = true;
    await released;
  }

  /** What is left of the record after a crash: not what only saw a write that was never answered, which the crash may take back. */
  surviving(key: string): Noted[] {
    return this.ops.get(key)!.filter((op) => {
      const write = this.#saw.get(op);
      if (op.kind === 'get' && op.completed === Infinity) return false;
      return write === undefined || write.completed !== Infinity;
    });
  }
}

/** The histories of the keys, through so many lives, with a power loss behind each but the last. */
export async function liveWithRegisters(random: Random, seed: number, figures: RegisterFigures): Promise<ReadonlyMap<string, readonly RegisterOp[]>> {
  const lives = 1 + random.below(4);
  const clients = 2 + random.below(6);
  const clock = { time: 0, value: 1 };
  const histories = new Map<string, Noted[]>(KEYS.map((key) => [key, []]));
  let image: Uint8Array = new Uint8Array(0);
  for (let number = 0; number < lives; number++) {
    const disk = new SimulatedDisk(image);
    const db = openStore(disk, { flushInterval: NEVER, segmentSize: 4096 }, seed + number);
    const life = new Life(db, disk, random, clock, clients);
    const isLast = number === lives - 1;
    if (!isLast) disk.failures = [{ at: disk.operations + 5 + random.below(60), kind: 'io', isSticky: true }];
    await life.run(clients);
    for (const key of KEYS) {
      const left = isLast ? life.ops.get(key)! : life.surviving(key);
      histories.get(key)!.push(...left);
      figures.operations += left.length;
      figures.unknown += left.filter(({ completed }) => completed === Infinity).length;
    }
    if (!isLast) {
      figures.crashes++;
      const choices: readonly Choice[] = ['none', 'all', random, random, random.below(disk.pendingCount + 1)];
      image = disk.image(random.pick(choices));
    }
    await db.close().catch(() => undefined);
  }
  return histories;
}
