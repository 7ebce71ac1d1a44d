/** `open`: from a path and options to a store, with the codecs that its values need. */
import { codecsOf } from './codec/chosen.js';
import { Slab } from './codec/slab.js';
import type { Key } from './codec/key.js';
import { Space } from './codec/space.js';
import type { Device } from './device/device.js';
import { markUntransferable } from './device/platform.js';
import { InvalidArgumentError } from './errors.js';
import { SURROUNDINGS, openKernelInMemory, openKernelOnDevice, openPath, type Opened, type Surroundings } from './opening.js';
import { resolveOptions, type OpenOptions, type Settings } from './options.js';
import { Store } from './store.js';
import { traceOpen, type TracedOpen } from './tracing.js';

export type { Surroundings } from './opening.js';

/** Makes stores of kernels. The codecs first, so that one that is none is refused before anything is opened. */
function storesOf(settings: Settings): (opened: Opened) => Store {
  const slab = settings.ownBuffers ? undefined : new Slab(markUntransferable());
  const codecFor = codecsOf(slab);
  const space = new Space<Key, unknown>(undefined, undefined, codecFor(settings.values));
  return ({ kernel, recovery }) => {
    kernel.engine.slab = slab;
    return new Store(kernel, space, recovery, codecFor);
  };
}

/** Opens a store on a device. On failure the device is as it was, and the caller's to close. */
export function openOnDevice(device: Device, settings: Settings, release: () => void, surroundings?: Surroundings): Store {
  return storesOf(settings)(openKernelOnDevice(device, settings, release, surroundings));
}

/** Opens a store without a file. */
export function openInMemory(settings: Settings, surroundings?: Surroundings): Store {
  return storesOf(settings)(openKernelInMemory(settings, surroundings));
}

/**
 * Opens the store at `path`, making it where there is none; `:memory:` opens one without a file. Resolves when everything that was acknowledged is there again.
 * O(keys) after an orderly end, and O(bytes of the log since the last image of the index) after a crash; O(bytes of the file) where there is no image.
 * @throws (as a rejection) InvalidArgumentError for bad options or a directory; NotFoundError; ReadOnlyError; LockedError, naming the holder; FormatError for a file that is not
 * varve's or of a newer format; CorruptionError for a damaged one; FullError where it does not fit into memory; PlatformError where WebAssembly may not be compiled, or there are no files; PoisonedError where
 * the core fails. The file is then as it was. IoError, and FullError of the disk: so it is, but for what recovery was about to write anew, which the next one does.
 */
export async function open<V = unknown>(path: string, options: OpenOptions = {}): Promise<Store<V>> {
  return openWith(path, options, SURROUNDINGS);
}

/** As `open`, reading and checking every record: for those who look for damage. */
export function openWhole(path: string, options: OpenOptions): Promise<Store> {
  return openWith(path, options, { ...SURROUNDINGS, readsAll: true });
}

async function openWith<V>(path: string, options: OpenOptions, surroundings: Surroundings): Promise<Store<V>> {
  if (typeof path !== 'string' || path === '') throw new InvalidArgumentError("open takes the path of the store's file, or ':memory:'.");
  const settings = resolveOptions(options);
  const traced: TracedOpen = { store: path, readOnly: settings.readOnly };
  return traceOpen.promise(traced, async () => {
    const store = await openPath(path, settings, storesOf(settings), surroundings);
    traced.recovery = store.recovery;
    return store as Store<V>;
  });
}
