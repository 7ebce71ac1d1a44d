/** `restore` for pages. Its code is loaded when it is called. */
import type { ExchangeSource } from '../exchange/source.js';
import type { RestoreOptions, RestoreReport } from '../restoring.js';
import type { SharedOptions } from './open-shared.js';

export type SharedRestoreOptions = RestoreOptions & Pick<SharedOptions, 'worker'>;

/**
 * Makes a store at `target`, in the site's private files, from a stream of the bytes of another's file: one that `backup` has written, on any platform, or any other. A worker of its own checks everything in
 * it before it has its name; then it is durable. O(bytes), and as much memory as it takes to open the store.
 * @throws (as a rejection) InvalidArgumentError, also where there is something at `target` and `overwrite` is not set; LockedError while somebody has what is to be replaced open; FormatError and
 * CorruptionError for what is no store, is damaged or was cut off; FullError, IoError, PlatformError; the reason of the signal; what the stream and `onProgress` throw. Nothing is then left at `target`
 * that was not there before.
 */
export async function restore(source: ExchangeSource, target: string, options: SharedRestoreOptions = {}): Promise<RestoreReport> {
  const { restoreInWorker } = await import('./shared-restore.js');
  return restoreInWorker(source, target, options);
}
