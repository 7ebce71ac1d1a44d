/** Opens one image after another with one engine, tells which state each holds, and has it take a new commit. */
import { openOnDevice, type Surroundings } from '../../src/open.js';
import { resolveOptions, type OpenOptions, type Settings } from '../../src/options.js';
import type { Device } from '../../src/device/device.js';
import type { Store } from '../../src/store.js';
import { verifyStore } from '../../src/verify.js';
import { checkScan, type Values, type Write } from './crash-model.js';
import { ResetEngine } from './reset-engine.js';

const ENTROPY = new Uint8Array(32).map((_, index) => index * 7 + 1);
/** No timer runs while states are examined: what is flushed, the test flushes. */
const NEVER = 3_600_000;

/** Settings for small stores that nothing but the test drives. */
export function settingsFor(options: OpenOptions): Settings {
  return resolveOptions({ segmentSize: 4096, flushInterval: NEVER, buffers: 'own', memory: { initial: 1 << 20 }, ...options });
}

/** What was found in an image. */
export interface Found {
  readonly signature: string;
  /** The version of the commit that was made afterwards. */
  readonly version: number;
}

/** What recoveries had to do: a figure that stays zero says that a run has looked at less than it seems. */
export interface RecoveryFigures {
  clean: number;
  created: number;
  rewritten: number;
  dropped: number;
  reasons: Record<string, number>;
}

export const noRecoveries = (): RecoveryFigures => ({ clean: 0, created: 0, rewritten: 0, dropped: 0, reasons: {} });

/** Adds figures up. */
export function addRecoveries(to: RecoveryFigures, figures: RecoveryFigures): void {
  to.clean += figures.clean;
  to.created += figures.created;
  to.rewritten += figures.rewritten;
  to.dropped += figures.dropped;
  for (const [reason, count] of Object.entries(figures.reasons)) to.reasons[reason] = (to.reasons[reason] ?? 0) + count;
}

/** Ends a store without a word to its device: only its timers. */
export function abandon(store: Store): void {
  void store['kernel'].commits?.stop();
}

/** The commits that are made after a crash: one fits behind what is there, one takes segments of its own. */
const AFTER: readonly Write[] = [{ name: 'after', value: 'the crash' }, { name: 'large', value: new Uint8Array(5000).fill(1) }];

export const afterwards = (number: number): Write => AFTER[number % AFTER.length]!;

/** The time, to be moved from outside. */
export interface Clock {
  milliseconds: number;
}

export class Prober {
  readonly settings: Settings;
  readonly values: Values;
  readonly recoveries = noRecoveries();
  readonly engine: ResetEngine;
  readonly #settingsOfMade: Settings;
  readonly #surroundings: Surroundings;

  constructor(values: Values, clock: Clock, options: OpenOptions = {}) {
    const now = (): number => clock.milliseconds;
    this.values = values;
    this.settings = settingsFor(options);
    this.#settingsOfMade = { ...this.settings, create: false };
    this.engine = new ResetEngine(now);
    this.#surroundings = { now, random: (size) => ENTROPY.slice(0, size), checks: false, imageSegments: 1 };
  }

  /** Opens a device with the engine that is used again: the store before is not to be used any more. `isMade` says that a superblock is there, so that nothing needs to be made, or looked for. */
  open(device: Device, isMade = false): Store {
    const store = openOnDevice(device, isMade ? this.#settingsOfMade : this.settings, () => undefined, { ...this.#surroundings, engine: this.engine.take() });
    this.#note(store);
    return store;
  }

  /** Opens a device with an engine of its own. */
  openFresh(device: Device): Store {
    return openOnDevice(device, this.settings, () => undefined, this.#surroundings);
  }

  #note({ recovery }: Store): void {
    const { recoveries } = this;
    if (recovery.created) recoveries.created++;
    else if (recovery.clean) recoveries.clean++;
    if (recovery.rewritten > 0) recoveries.rewritten++;
    if (recovery.dropped === undefined) return;
    recoveries.dropped++;
    recoveries.reasons[recovery.dropped.reason] = (recoveries.reasons[recovery.dropped.reason] ?? 0) + 1;
  }

  /** The version that the next commit to a store will have. */
  nextVersion(store: Store): number {
    return store['kernel'].engine.core.lastVersion() + 1;
  }

  /** What a store holds, and the version of a new commit, when it ends. Throws what is wrong with it. `number` decides how closely it is looked at, and what is committed. */
  look(store: Store, number: number): Found {
    const signature = this.values.read(store);
    if (number % 8 === 0) verifyStore(store['kernel'].engine, store['kernel'].log);
    if (number % 16 === 0) checkScan(store, signature);
    const { name, value } = afterwards(number);
    const version = store.putSync(name, value);
    if (store.getEntry(name)?.version !== version) throw new Error('the commit after the crash cannot be read');
    abandon(store);
    return { signature, version };
  }
}
