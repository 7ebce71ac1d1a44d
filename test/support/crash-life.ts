/**
 * The life of a store on a simulated disk, step by step, with its crashes: what was applied, what of it was promised to survive a power loss, and what the death of the process alone. At each operation of the
 * disk whoever watches is told, and may ask what a crash at this moment may leave.
 */
import type { BatchOperation } from '../../src/batch.js';
import type { BackgroundZeroing, Device } from '../../src/device/device.js';
import { openOnDevice } from '../../src/open.js';
import type { OpenOptions, Settings } from '../../src/options.js';
import type { Store } from '../../src/store.js';
import { SPACE, applyWrites, hasEffect, isInSpace, keyOf, signatureOf, spaceOf, type State, type Values, type Write } from './crash-model.js';
import { abandon, settingsFor, type Clock } from './crash-prober.js';
import type { Random } from './random.js';
import { SimulatedDisk, type Operation } from './simulated-disk.js';

/** How writes are made: each by its own call, or as one commit; `drop` drops the keyspace, whose keys the writes name. */
export type Manner = 'single' | 'cas' | 'cas that fails' | 'batch' | 'transaction' | 'drop';

export type Step =
  | { readonly type: 'commit'; readonly manner: Manner; readonly writes: readonly Write[]; /** Through the awaited form, together with the steps that follow up to a `settle`. */ readonly waits: boolean }
  | { readonly type: 'settle' | 'hold' | 'flush' | 'seal' | 'hand over' | 'reopen' | 'process crash' | 'power loss' }
  | { readonly type: 'pass'; readonly milliseconds: number };

/** What a crash may leave, as signatures: anything from the last state that was promised on. */
export interface Allowed {
  readonly afterPowerLoss: ReadonlySet<string>;
  /** When everything that was written arrived, which is what remains when the process alone dies. */
  readonly afterProcessCrash: ReadonlySet<string>;
  /** The highest version that was ever shown. */
  readonly shown: number;
}

export type Watcher = (disk: SimulatedDisk, operation: Operation, number: number) => void;

/** A queue whose slots are durable with the next flush of the disk, and not before. */
class Queue implements BackgroundZeroing {
  readonly #disk: SimulatedDisk;
  /** The last change of each job. */
  readonly #jobs: number[] = [];

  constructor(disk: SimulatedDisk) {
    this.#disk = disk;
  }

  zero(offset: number, length: number): void {
    this.#disk.write(new Uint8Array(length), 0, length, offset);
    this.#jobs.push(this.#disk.pending.at(-1)!.sequence);
  }

  completed(): number {
    const oldest = this.#disk.pending[0]?.sequence ?? Infinity;
    return this.#jobs.filter((last) => last < oldest).length;
  }

  failure(): undefined {
    return undefined;
  }
}

const EMPTY: State = new Map();
/** When lives begin, in epoch milliseconds. */
const BEGINNING = 1_700_000_000_000;

export class Life {
  readonly values: Values;
  readonly settings: Settings;
  readonly clock: Clock;
  /** The highest version that was ever shown. */
  shown = 0;
  disk = new SimulatedDisk();
  /** Told before each operation that changes the disk. */
  watcher: Watcher = () => undefined;
  readonly #random: Random;
  readonly #hasQueue: boolean;
  readonly #imageSegments: number;
  #store!: Store;
  /** The states since the store was opened, oldest first, and those from which on nothing may be lost. */
  #states: State[] = [EMPTY];
  #promised = 0;
  #handedOver = 0;
  /** What the commit leaves that is being applied. */
  #begun: State | undefined;
  #waiting: Promise<void>[] = [];

  /** `hasQueue` gives the disk a queue that prepares slots in the background. From `imageSegments` segments on the store has an image of its index. */
  constructor(options: OpenOptions, values: Values, clock: Clock, random: Random, { hasQueue = false, imageSegments = 1 } = {}) {
    this.#hasQueue = hasQueue;
    this.#imageSegments = imageSegments;
    this.values = values;
    this.clock = clock;
    values.forget();
    clock.milliseconds = BEGINNING;
    this.settings = settingsFor(options);
    this.#random = random;
  }

  /** What the store holds. */
  get state(): State {
    return this.#states.at(-1)!;
  }

  /** What a crash may leave at this moment. */
  allowed(): Allowed {
    const states = this.#begun === undefined ? this.#states : [...this.#states, this.#begun];
    const from = (first: number): Set<string> => new Set(states.slice(first).map((state) => signatureOf(state, this.clock.milliseconds)));
    return { afterPowerLoss: from(this.#promised), afterProcessCrash: from(Math.max(this.#promised, this.#handedOver)), shown: this.shown };
  }

  /** Opens the store on the disk as it is. `isWritten` says that everything that was written is there, because it was no more than the process that died. */
  open(isWritten = false): void {
    this.disk.onOperation = (number, operation) => {
      if (operation !== 'read') this.watcher(this.disk, operation, number);
    };
    const device: Device = this.disk;
    if (this.#hasQueue) Object.assign(device, { background: new Queue(this.disk) });
    this.#store = openOnDevice(device, this.settings, () => undefined, { now: () => this.clock.milliseconds, random: (size) => this.#random.bytes(size), checks: false, imageSegments: this.#imageSegments });
    this.#found(this.values.read(this.#store), isWritten);
  }

  /** Goes on from the state that opening has found, which was allowed, and may not be lost from now on. */
  #found(signature: string, isWritten: boolean): void {
    const { afterPowerLoss, afterProcessCrash } = this.allowed();
    const allowed = isWritten ? afterProcessCrash : afterPowerLoss;
    if (!allowed.has(signature)) throw new Error(`opened with ${signature}, allowed are ${[...allowed].join(' | ')}`);
    this.#states = [this.#states.findLast((state) => signatureOf(state, this.clock.milliseconds) === signature)!];
    this.#promised = this.#handedOver = 0;
  }

  async take(step: Step): Promise<void> {
    switch (step.type) {
      case 'commit':
        return this.#commit(step.manner, step.writes, step.waits);
      case 'settle':
        await this.#settle();
        return;
      case 'hold':
        // Flushes are on their way, until somebody needs one to come back.
        this.disk.holdFlushes = true;
        return;
      case 'flush':
        await this.#settle();
        await this.#store.flush();
        this.#promised = this.#states.length - 1;
        return;
      case 'hand over':
        this.#store.handOverAtExit();
        this.#handedOver = this.#states.length - 1;
        return;
      case 'seal':
        await this.#settle();
        if (!this.#store['kernel'].log!.isUnflushed && this.#store['kernel'].engine.pendingSize === 0) this.#store['kernel'].log!.seal();
        return;
      case 'pass':
        this.clock.milliseconds += step.milliseconds;
        return;
      case 'reopen':
        await this.#settle();
        await this.#store.close();
        this.#promised = this.#states.length - 1;
        this.disk = this.disk.processRestart();
        return this.open();
      case 'process crash':
        this.#end();
        this.disk = this.disk.processRestart();
        return this.open(true);
      case 'power loss':
        this.#end();
        this.disk = new SimulatedDisk(this.disk.image(this.#random));
        this.#handedOver = this.#promised;
        return this.open();
    }
  }

  /** The store's process is gone: whoever waited will not be told. */
  #end(): void {
    this.disk.onOperation = undefined;
    this.disk.crashAt = 0;
    abandon(this.#store);
    this.#waiting = [];
  }

  async #settle(): Promise<void> {
    this.disk.holdFlushes = false;
    this.disk.releaseFlushes();
    const waiting = this.#waiting;
    this.#waiting = [];
    await Promise.all(waiting);
  }

  #commit(manner: Manner, writes: readonly Write[], waits: boolean): void {
    const store = this.#store;
    const before = this.#states.at(-1)!;
    const isEffective = manner !== 'cas that fails' && hasEffect(before, writes);
    const version = isEffective ? store['kernel'].engine.core.lastVersion() + 1 : 0;
    if (isEffective) {
      this.#begun = applyWrites(before, writes, version);
      this.values.note(writes, version);
    }
    const answer = this.#write(manner, writes, before, waits);
    if (isEffective) {
      this.#states.push(this.#begun!);
      this.shown = version;
      this.#begun = undefined;
    }
    const index = this.#states.length - 1;
    const note = (given: number): void => {
      if (given !== version) throw new Error(`a commit has version ${given} instead of ${version}`);
      // What has no effect is answered at once, and promises nothing of what came before; what a dead process would have been told, nobody has heard.
      if (!isEffective || this.#store !== store) return;
      if (this.settings.durability === 'strict') this.#promised = Math.max(this.#promised, index);
      if (waits && this.settings.durability === 'buffered') this.#handedOver = Math.max(this.#handedOver, index);
    };
    if (typeof answer === 'number') note(answer);
    else this.#wait(answer.then(note));
  }

  /** Keeps a promise for the next `settle`, which may find that the process has died before. */
  #wait(promise: Promise<void>): void {
    promise.catch(() => undefined);
    this.#waiting.push(promise);
  }

  /** Makes a commit, by a call that waits or by one that does not. The version, and -1 for a cas that ought to have failed. */
  #write(manner: Manner, writes: readonly Write[], before: State, waits: boolean): number | Promise<number> {
    const store = this.#store;
    const [{ name, value, expiresAt = Infinity }] = writes as [Write];
    const place = isInSpace(name) ? spaceOf(store) : store;
    const key = keyOf(name);
    const expected = before.get(name)?.version ?? 0;
    switch (manner) {
      case 'single':
        if (value === undefined) return waits ? place.delete(key) : place.deleteSync(key);
        return waits ? place.put(key, value, { expiresAt }) : place.putSync(key, value, { expiresAt });
      case 'cas':
        return waits ? place.cas(key, expected, value).then((result) => result.version) : place.casSync(key, expected, value).version;
      case 'cas that fails':
        return waits ? place.cas(key, expected + 1, value).then((result) => (result.ok ? -1 : 0)) : place.casSync(key, expected + 1, value).ok ? -1 : 0;
      case 'batch':
        return waits ? store.batch(this.#operations(writes)) : store.batchSync(this.#operations(writes));
      case 'drop':
        return waits ? store.dropKeyspace(SPACE) : store.dropKeyspaceSync(SPACE);
      case 'transaction':
        return waits ? this.#transaction(writes).commit() : this.#transaction(writes).commitSync();
    }
  }

  #operations(writes: readonly Write[]): BatchOperation<unknown>[] {
    const space = spaceOf(this.#store);
    return writes.map(({ name, value, expiresAt = Infinity }) => {
      const operation = value === undefined ? { type: 'delete' as const, key: keyOf(name) } : { type: 'put' as const, key: keyOf(name), value, expiresAt };
      return isInSpace(name) ? { ...operation, keyspace: space } : operation;
    });
  }

  #transaction(writes: readonly Write[]): ReturnType<Store['begin']> {
    const tx = this.#store.begin();
    const space = spaceOf(this.#store);
    for (const { name, value, expiresAt = Infinity } of writes) {
      const view = isInSpace(name) ? tx.in(space) : tx;
      view.get(keyOf(name));
      if (value === undefined) view.delete(keyOf(name));
      else view.put(keyOf(name), value, { expiresAt });
    }
    return tx;
  }
}
