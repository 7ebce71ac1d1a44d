/** Restoring: a new store at a path from the file of another, or from a stream of its bytes, which has its name only when everything in it was checked. */
import { DeviceSink } from './copy-sinks.js';
import { createPlatformFile, nextTurn, openPlatformFile } from './device/platform.js';
import { explainDevice } from './durability/device-failure.js';
import type { Recovery } from './durability/recover.js';
import { FormatError, InvalidArgumentError } from './errors.js';
import { Source, type ExchangeSource } from './exchange/source.js';
import { openOnDevice } from './open.js';
import { resolveOptions, type OpenOptions } from './options.js';
import type { Version } from './reader.js';
import { traceRestore, type TracedRestore } from './tracing.js';

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

const CHUNK_SIZE = 1 << 20;
const NAMES = new Set(['overwrite', 'signal', 'onProgress', 'memory', 'module']);

/** The bytes of a file, a part at a time. Whoever writes it meanwhile is noticed at its end. */
async function* bytesOfFile(path: string): AsyncGenerator<Uint8Array> {
  const file = await openPlatformFile(path, { create: false, readOnly: true });
  try {
    const chunk = new Uint8Array(CHUNK_SIZE);
    for (let offset = 0; ;) {
      const size = file.device.read(chunk, offset);
      if (size > 0) yield chunk.subarray(0, size);
      offset += size;
      if (size < CHUNK_SIZE) break;
      await nextTurn();
    }
    await file.confirm();
  } catch (error) {
    throw explainDevice(error, path);
  } finally {
    file.release();
  }
}

/** Checks arguments. Throws `InvalidArgumentError`. */
function checkArguments(source: unknown, target: unknown, options: RestoreOptions): void {
  if (typeof target !== 'string' || target === '' || target === ':memory:') throw new InvalidArgumentError('restore takes the path of the new store.');
  if (source === '' || source === ':memory:') throw new InvalidArgumentError('restore takes the path of a file, or a stream.');
  if (typeof options !== 'object' || options === null) throw new InvalidArgumentError('The options of restore are an object.');
  for (const name of Object.keys(options)) if (!NAMES.has(name)) throw new InvalidArgumentError(`restore has no option ${name}. It takes ${[...NAMES].join(', ')}.`);
  if (options.overwrite !== undefined && typeof options.overwrite !== 'boolean') throw new InvalidArgumentError('The option overwrite takes true or false.');
  if (options.onProgress !== undefined && typeof options.onProgress !== 'function') throw new InvalidArgumentError('The option onProgress takes a function.');
}

async function restoreTo(target: string, source: Source, options: RestoreOptions): Promise<RestoreReport> {
  const { signal, onProgress, overwrite = false, ...opening } = options;
  const settings = resolveOptions({ ...opening, create: false });
  const file = await createPlatformFile(target, { overwrite });
  try {
    const sink = new DeviceSink(file.device, () => signal?.throwIfAborted());
    for (let bytes = await source.take(CHUNK_SIZE); bytes.length > 0; bytes = await source.take(CHUNK_SIZE)) {
      signal?.throwIfAborted();
      await sink.write(bytes, source.taken - bytes.length);
      onProgress?.({ bytes: source.taken });
    }
    if (source.taken === 0) throw new FormatError(`There is nothing to restore ${target} from: the source has no bytes.`);
    const store = openOnDevice(file.device, settings, () => undefined);
    let report: RestoreReport;
    try {
      await store.verify();
      const { keys, version } = store.stats();
      report = { version, keys, bytes: source.taken, recovery: store.recovery };
    } finally {
      await store.close();
    }
    signal?.throwIfAborted();
    await file.commit();
    return report;
  } catch (error) {
    source.end(error);
    throw explainDevice(error, target);
  } finally {
    file.discard();
  }
}

/**
 * Makes a store at `target` from the file of one that nobody has open, or from a stream of such a file's bytes: one that `backup` has written, or any other. Everything in it is checked before it
 * has its name; then it is durable, and ended in order. What was not a backup is recovered as `open` does it. O(bytes), and as much memory as it takes to open the store.
 * @throws (as a rejection) InvalidArgumentError, also where there is something at `target` and `overwrite` is not set; NotFoundError; LockedError while somebody has the source or what is to be
 * replaced open; FormatError and CorruptionError for what is no store, is damaged or was cut off; ReadOnlyError, FullError, IoError; the reason of the signal; what the stream throws. Nothing is then
 * left at `target` that was not there before.
 */
export async function restore(source: string | ExchangeSource, target: string, options: RestoreOptions = {}): Promise<RestoreReport> {
  checkArguments(source, target, options);
  options.signal?.throwIfAborted();
  const path = typeof source === 'string' ? source : undefined;
  const traced: TracedRestore = { store: target, source: path };
  return traceRestore.promise(traced, async () => {
    const report = await restoreTo(target, new Source(path === undefined ? source : bytesOfFile(path), options.signal), options);
    traced.report = report;
    return report;
  });
}
