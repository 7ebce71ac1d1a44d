/** `open`: from a path and options to a store. Chooses the device, takes the lock, recovers, and gives everything back when something fails. */
import { ForeignCodec } from './codec/foreign.js';
import { Slab } from './codec/slab.js';
import type { Key } from './codec/key.js';
import { Space } from './codec/space.js';
import { codecByName, type CodecName, type ValueCodec } from './codec/value.js';
import type { Device } from './device/device.js';
import { openPlatformFile, atProcessExit, markUntransferable } from './device/platform.js';
import { explainDevice } from './durability/device-failure.js';
import { LogFile } from './durability/log-file.js';
import { StaleImageError, createLog, isUnfinished, recoverLog, type Recovery } from './durability/recover.js';
import { Engine } from './engine/engine.js';
import { failure, isFault, poisoned } from './engine/failure.js';
import { InvalidArgumentError, NotFoundError } from './errors.js';
import { Kernel } from './kernel.js';
import { resolveOptions, type OpenOptions, type Settings } from './options.js';
import { Store } from './store.js';

const ENTROPY_SIZE = 32;
const IN_MEMORY = ':memory:';
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
  readonly engine?: Engine | undefined;
}

const SURROUNDINGS: Surroundings = {
  now: () => Date.now(),
  random: (size) => crypto.getRandomValues(new Uint8Array(size)),
  checks: false,
};

/** Makes the codecs of a store; all of them hand out bytes of the same slabs. */
function codecsOf(settings: Settings): (values: CodecName | ValueCodec<unknown>) => ValueCodec<unknown> {
  const slab = settings.ownBuffers ? undefined : new Slab(markUntransferable());
  return (values) => {
    if (typeof values !== 'string') return new ForeignCodec(values);
    return slab === undefined ? codecByName(values) : codecByName(values, (source, start, end) => slab.copy(source, start, end));
  };
}

function storeOf(engine: Engine, log: LogFile | undefined, settings: Settings, recovery: Recovery, release: () => void): Store {
  const codecFor = codecsOf(settings);
  const kernel = new Kernel({ name: engine.name, engine, log, settings, release });
  return new Store(kernel, new Space<Key, unknown>(undefined, undefined, codecFor(settings.values)), recovery, codecFor);
}

/** Opens a store on a device. On failure the device is as it was, and the caller's to close. */
export function openOnDevice(device: Device, settings: Settings, release: () => void, surroundings: Surroundings = SURROUNDINGS): Store {
  try {
    return recoverOnDevice(device, settings, release, surroundings);
  } catch (error) {
    throw isFault(error) ? poisoned(device.name, error) : explainDevice(error, device.name);
  }
}

function recoverOnDevice(device: Device, settings: Settings, release: () => void, surroundings: Surroundings): Store {
  try {
    // An image knows nothing of old versions, and salvage believes nothing that it has not read.
    return recoverWith(device, settings, release, surroundings, settings.history.versions === 1 && !settings.salvage && surroundings.readsAll !== true);
  } catch (error) {
    if (!(error instanceof StaleImageError)) throw error;
    return recoverWith(device, settings, release, { ...surroundings, engine: undefined }, false);
  }
}

function recoverWith(device: Device, settings: Settings, release: () => void, surroundings: Surroundings, mayUseImage: boolean): Store {
  const engine = surroundings.engine ?? new Engine(device.name, settings.memory, surroundings.now, settings.module);
  engine.core.keepHistory(settings.history.versions, settings.history.age);
  const log = new LogFile(engine, device, surroundings.now, surroundings.imageSegments);
  try {
    return recover(log, settings, release, surroundings, mayUseImage);
  } catch (error) {
    // What was poisoned is a store that nobody has seen: its failure is the answer.
    throw log.failure ?? error;
  }
}

function recover(log: LogFile, settings: Settings, release: () => void, surroundings: Surroundings, mayUseImage: boolean): Store {
  const { engine, device } = log;
  const entropy = surroundings.random(ENTROPY_SIZE);
  engine.core.setChecks(surroundings.checks);
  const isNew = !settings.readOnly && settings.create && isUnfinished(device);
  if (!isNew && device.size() === 0) throw new NotFoundError(`${device.name} is empty: there is no store in it. Open it without readOnly and create: false to make one.`);
  engine.letLeave(settings.salvage ? 0 : surroundings.blocks);
  const recovery = isNew
    ? createLog(engine, device, log, settings.segmentSizeShift, entropy)
    : recoverLog(engine, device, log, { writable: !settings.readOnly, salvage: settings.salvage, mayUseImage, entropy });
  return storeOf(engine, log, settings, recovery, release);
}

function openInMemory(settings: Settings, surroundings: Surroundings = SURROUNDINGS): Store {
  const engine = new Engine(IN_MEMORY, settings.memory, surroundings.now, settings.module);
  engine.core.keepHistory(settings.history.versions, settings.history.age);
  engine.init(settings.segmentSizeShift, true, true, surroundings.random(ENTROPY_SIZE));
  engine.core.setChecks(surroundings.checks);
  const code = engine.core.createStore();
  engine.refresh();
  if (code !== 0) throw failure(code, IN_MEMORY);
  return storeOf(engine, undefined, settings, MEMORY_RECOVERY, () => undefined);
}

/**
 * Opens the store at `path`, making it where there is none; `:memory:` opens one without a file. Resolves when everything that was acknowledged is there again.
 * O(bytes of the file).
 * @throws InvalidArgumentError for bad options or a directory; NotFoundError; ReadOnlyError; LockedError, naming the holder; FormatError for a file that is not
 * varve's or of a newer format; CorruptionError for a damaged one; FullError where it does not fit into memory; IoError. The file is then untouched.
 */
export function open<V = unknown>(path: string, options: OpenOptions = {}): Promise<Store<V>> {
  return openPath(path, options, SURROUNDINGS);
}

/** As `open`, reading and checking every record: for those who look for damage. */
export function openWhole(path: string, options: OpenOptions): Promise<Store> {
  return openPath(path, options, { ...SURROUNDINGS, readsAll: true });
}

async function openPath<V>(path: string, options: OpenOptions, surroundings: Surroundings): Promise<Store<V>> {
  if (typeof path !== 'string' || path === '') throw new InvalidArgumentError("open takes the path of the store's file, or ':memory:'.");
  const settings = resolveOptions(options);
  if (path === IN_MEMORY) return openInMemory(settings) as Store<V>;
  const file = await openPlatformFile(path, { create: settings.create && !settings.readOnly, readOnly: settings.readOnly });
  try {
    let cancel = (): void => undefined;
    const store = openOnDevice(file.device, settings, () => {
      cancel();
      file.release();
    }, surroundings);
    await file.confirm();
    if (!settings.readOnly) cancel = atProcessExit(() => store.handOverAtExit());
    return store as Store<V>;
  } catch (error) {
    file.release();
    throw error;
  }
}
