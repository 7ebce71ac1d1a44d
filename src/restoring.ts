/** Restoring a store from the bytes of a file, wherever they come from: into a file that has its name only when everything in it was checked. Knows no codecs, so that a worker can do it for a page. */
import { checkOptionsOf } from './abort.js';
import type { BaseStore } from './base-store.js';
import { DeviceSink } from './copy-sinks.js';
import type { Device } from './device/device.js';
import { createPlatformFile } from './device/platform.js';
import { explainDevice } from './durability/device-failure.js';
import type { Recovery } from './durability/recover.js';
import { FormatError, InvalidArgumentError } from './errors.js';
import type { OpenOptions } from './options.js';
import type { Version } from './reader.js';

export interface RestoreOptions extends Pick<OpenOptions, 'memory' | 'module'> {
  /** Whether a file that is at the path already is replaced, at once, when the new one is whole and was checked. Default false. */
  overwrite?: boolean;
  /** Ends the work: the promise then rejects with its reason, and nothing is left behind. */
  signal?: AbortSignal;
  /** Told after each part that was written. What it throws ends the work. */
  onProgress?: (progress: { readonly bytes: number }) => void;
}

export interface RestoreReport {
  /** The version from which the store goes on. */
  readonly version: Version;
  readonly keys: number;
  /** Bytes that were read. */
  readonly bytes: number;
  /** What opening it found: a file that was not a backup may have had a torn tail. */
  readonly recovery: Recovery;
}

const NAMES = new Set(['overwrite', 'signal', 'onProgress', 'memory', 'module']);

/** Checks arguments. Throws `InvalidArgumentError`. */
export function checkRestoreArguments(source: unknown, target: unknown, options: RestoreOptions): void {
  if (typeof target !== 'string' || target === '' || target === ':memory:') throw new InvalidArgumentError('restore takes the path of the new store.');
  if (source === '' || source === ':memory:') throw new InvalidArgumentError('restore takes the path of a file, or a stream.');
  checkOptionsOf('restore', options);
  for (const name of Object.keys(options)) if (!NAMES.has(name)) throw new InvalidArgumentError(`restore has no option ${name}. It takes ${[...NAMES].join(', ')}.`);
  if (options.overwrite !== undefined && typeof options.overwrite !== 'boolean') throw new InvalidArgumentError('The option overwrite takes true or false.');
  if (options.onProgress !== undefined && typeof options.onProgress !== 'function') throw new InvalidArgumentError('The option onProgress takes a function.');
}

/** Where the bytes come from, and who wants to know of them. */
export interface Restoring {
  readonly overwrite: boolean;
  /** The next bytes; none at the end. */
  take(): Promise<Uint8Array>;
  /** Told how many bytes are written. What it throws ends the work. */
  onWritten(bytes: number): void;
  /** Throws when the work is to end. */
  check(): void;
  /** Opens what was written, to look it through. */
  open(device: Device): BaseStore<unknown>;
}

/** Opens what was written under a name that is the target's, which says nothing of the source. */
function openCopy(target: string, open: () => BaseStore<unknown>): BaseStore<unknown> {
  try {
    return open();
  } catch (error) {
    if (error instanceof FormatError && error.found === undefined) throw new FormatError(`What ${target} was to be restored from is not a varve store: nothing was made.`);
    throw error;
  }
}

/** Makes the store at `target`, or leaves what is there as it is. */
export async function restoreTo(target: string, { overwrite, take, onWritten, check, open }: Restoring): Promise<RestoreReport> {
  const file = await createPlatformFile(target, { overwrite });
  try {
    const sink = new DeviceSink(file.device, check);
    let taken = 0;
    for (let bytes = await take(); bytes.length > 0; bytes = await take()) {
      check();
      await sink.write(bytes, taken);
      taken += bytes.length;
      onWritten(taken);
    }
    if (taken === 0) throw new FormatError(`There is nothing to restore ${target} from: the source has no bytes.`);
    const store = openCopy(target, () => open(file.device));
    let report: RestoreReport;
    try {
      await store.verify();
      const { keys, version } = store.stats();
      report = { version, keys, bytes: taken, recovery: store.recovery };
    } finally {
      await store.close();
    }
    check();
    await file.commit();
    return report;
  } catch (error) {
    throw explainDevice(error, target);
  } finally {
    await file.discard();
  }
}
