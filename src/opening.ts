/** From a path or a device to the kernel of a store: takes the lock, recovers, and gives everything back when something fails. Knows no codecs, so that a worker that hands on what is stored needs none. */
import type { Device } from './device/device.js';
import { openPlatformFile, atProcessExit } from './device/platform.js';
import { explainDevice } from './durability/device-failure.js';
import { LogFile } from './durability/log-file.js';
import { createLog, isUnfinished, recoverLog, type Recovery } from './durability/recover.js';
import { Engine } from './engine/engine.js';
import { failure, isFault, poisoned } from './engine/failure.js';
import { NotFoundError } from './errors.js';
import { Kernel } from './kernel.js';
import { IN_MEMORY } from './memory-path.js';
import type { Settings } from './options.js';

const ENTROPY_SIZE = 32;
const MEMORY_RECOVERY: Recovery = {
  clean: true, created: true, frames: 0, records: 0, bytes: 0, dropped: undefined, rewritten: 0, lost: [], milliseconds: 0,
};

/** What comes in from outside, so that tests can hold it still. */
export interface Surroundings {
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** So many random bytes. */
  readonly random: (size: number) => Uint8Array;
  /** In the debug build of the core: verify every structure after every mutation. */
  readonly checks: boolean;
  /** How many blocks of a segment's size may be in memory, whatever memory there is; 0 lets nothing of a log leave. */
  readonly blocks?: number;
  /** From how many segments on a store that is closed leaves an image of its index. */
  readonly imageSegments?: number;
  /** Whether everything is to be read, and no image of the index believed. */
  readonly readsAll?: boolean;
  /** An engine that is as it was made, to open with instead of a new one: tests open stores by the million. */
  readonly engine?: Engine;
}

export const SURROUNDINGS: Surroundings = {
  now: () => Date.now(),
  random: (size) => crypto.getRandomValues(new Uint8Array(size)),
  checks: false,
};

/** A store that runs, before anybody can use it. */
export interface Opened {
  readonly kernel: Kernel;
  readonly recovery: Recovery;
}

/** Opens the kernel of a store on a device. On failure the device is as it was, and the caller's to close. */
export function openKernelOnDevice(device: Device, settings: Settings, release: () => void, surroundings: Surroundings = SURROUNDINGS): Opened {
  try {
    return recoverOnDevice(device, settings, release, surroundings);
  } catch (error) {
    throw isFault(error) ? poisoned(device.name, error) : explainDevice(error, device.name);
  }
}

function recoverOnDevice(device: Device, settings: Settings, release: () => void, surroundings: Surroundings): Opened {
  const engine = surroundings.engine ?? new Engine(device.name, settings.memory, surroundings.now, settings.module);
  engine.core.keepHistory(settings.history.versions, settings.history.age);
  const log = new LogFile(engine, device, surroundings.now, surroundings.imageSegments);
  try {
    return recover(log, settings, release, surroundings);
  } catch (error) {
    // What was poisoned is a store that nobody has seen: its failure is the answer.
    throw log.failure ?? error;
  }
}

function recover(log: LogFile, settings: Settings, release: () => void, surroundings: Surroundings): Opened {
  const { engine, device } = log;
  const entropy = surroundings.random(ENTROPY_SIZE);
  engine.core.setChecks(surroundings.checks);
  const isNew = !settings.readOnly && settings.create && isUnfinished(device);
  if (!isNew && device.size() === 0) throw new NotFoundError(`${device.name} is empty: there is no store in it. Open it without readOnly and create: false to make one.`);
  engine.letLeave(settings.salvage ? 0 : surroundings.blocks);
  const recovery = isNew
    ? createLog(engine, device, log, settings.segmentSizeShift, entropy)
    : recoverLog(engine, device, log, { writable: !settings.readOnly, salvage: settings.salvage, mayUseImage: mayUseImage(settings, surroundings), entropy });
  return openedOf(engine, log, settings, recovery, surroundings, release);
}

/** An image knows nothing of old versions, and salvage believes nothing that it has not read. */
function mayUseImage(settings: Settings, surroundings: Surroundings): boolean {
  return settings.history.versions === 1 && !settings.salvage && surroundings.readsAll !== true;
}

function openedOf(engine: Engine, log: LogFile | undefined, settings: Settings, recovery: Recovery, surroundings: Surroundings, release: () => void): Opened {
  engine.core.setCompaction(settings.readOnly ? 0 : Math.round(settings.utilisation * 1024));
  return { kernel: new Kernel({ name: engine.name, engine, log, settings, random: surroundings.random, release }), recovery };
}

/** Opens the kernel of a store without a file. */
export function openKernelInMemory(settings: Settings, surroundings: Surroundings = SURROUNDINGS): Opened {
  const engine = new Engine(IN_MEMORY, settings.memory, surroundings.now, settings.module);
  engine.core.keepHistory(settings.history.versions, settings.history.age);
  engine.init(settings.segmentSizeShift, true, true, surroundings.random(ENTROPY_SIZE));
  engine.core.setChecks(surroundings.checks);
  const code = engine.core.createStore();
  engine.refresh();
  if (code !== 0) throw failure(code, IN_MEMORY);
  return openedOf(engine, undefined, settings, MEMORY_RECOVERY, surroundings, () => undefined);
}

/** Opens the store at `path`, with what `storeOf` makes of its kernel. `:memory:` has no file. */
export async function openPath<S extends { handOverAtExit(): void }>(path: string, settings: Settings, storeOf: (opened: Opened) => S, surroundings: Surroundings = SURROUNDINGS): Promise<S> {
  if (path === IN_MEMORY) return storeOf(openKernelInMemory(settings));
  const file = await openPlatformFile(path, { create: settings.create && !settings.readOnly, readOnly: settings.readOnly });
  try {
    let cancel = (): void => undefined;
    const store = storeOf(openKernelOnDevice(file.device, settings, () => {
      cancel();
      file.release();
    }, surroundings));
    await file.confirm();
    if (!settings.readOnly) cancel = atProcessExit(() => store.handOverAtExit());
    return store;
  } catch (error) {
    file.release();
    throw error;
  }
}
