/** Restoring: a new store at a path from the file of another, or from a stream of its bytes, which has its name only when everything in it was checked. */
import { checkSignal } from './abort.js';
import type { BaseStore } from './base-store.js';
import { nextTurn, openPlatformFile } from './device/platform.js';
import { explainDevice } from './durability/device-failure.js';
import { Source, type ExchangeSource } from './exchange/source.js';
import { openOnDevice } from './open.js';
import { resolveOptions } from './options.js';
import { checkRestoreArguments, restoreTo, type RestoreOptions, type RestoreReport } from './restoring.js';
import { traceRestore, type TracedRestore } from './tracing.js';

export type { RestoreOptions, RestoreReport } from './restoring.js';

const CHUNK_SIZE = 1 << 20;

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

/** Restores from a source, which learns when nothing more is wanted of it. */
async function restoreFrom(source: Source, target: string, { signal, onProgress, overwrite = false, ...opening }: RestoreOptions): Promise<RestoreReport> {
  const settings = resolveOptions({ ...opening, create: false });
  try {
    return await restoreTo(target, {
      overwrite,
      take: () => source.take(CHUNK_SIZE),
      onWritten: (bytes) => onProgress?.({ bytes }),
      check: () => signal?.throwIfAborted(),
      open: (device) => openOnDevice(device, settings, () => undefined) as BaseStore<unknown>,
    });
  } catch (error) {
    source.end(error);
    throw error;
  }
}

/**
 * Makes a store at `target` from the file of one that nobody has open, or from a stream of such a file's bytes: one that `backup` has written, or any other. Everything in it is checked before it
 * has its name; then it is durable, and ended in order. What was not a backup is recovered as `open` does it. O(bytes), and as much memory as it takes to open the store.
 * @throws (as a rejection) InvalidArgumentError, also where there is something at `target` and `overwrite` is not set; NotFoundError; LockedError while somebody has the source or what is to be
 * replaced open; FormatError and CorruptionError for what is no store, is damaged or was cut off; ReadOnlyError, IoError, FullError, also of `memory.limit`, PlatformError; the reason of the signal; what the stream and `onProgress` throw. Nothing is then
 * left at `target` that was not there before.
 */
export async function restore(source: string | ExchangeSource, target: string, options: RestoreOptions = {}): Promise<RestoreReport> {
  checkRestoreArguments(source, target, options);
  checkSignal(options.signal);
  const path = typeof source === 'string' ? source : undefined;
  const traced: TracedRestore = { store: target, source: path };
  return traceRestore.promise(traced, async () => {
    const report = await restoreFrom(new Source(path === undefined ? source : bytesOfFile(path), options.signal), target, options);
    traced.report = report;
    return report;
  });
}
