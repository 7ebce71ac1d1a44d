/** Backups: a consistent copy of a store to a path or a stream while the store is used. */
import { checkOptionsOf, checkSignal } from './abort.js';
import { beginCopy, copyStore, type BegunCopy, type Copied, type CopyOptions } from './copy.js';
import { DeviceSink, StreamSink } from './copy-sinks.js';
import { createPlatformFile } from './device/platform.js';
import { explainDevice } from './durability/device-failure.js';
import { InvalidArgumentError } from './errors.js';
import type { Kernel } from './kernel.js';
import { traceBackup, type TracedCopy } from './tracing.js';

export interface BackupOptions extends CopyOptions {
  /** Whether a file that is at the path already is replaced, at once, when the copy is whole. Default false. */
  overwrite?: boolean;
}

export interface BackupReport extends Copied {
  /** From the first record to the last flush, in milliseconds. */
  readonly milliseconds: number;
}

const NAMES = new Set(['overwrite', 'history', 'signal', 'onProgress']);

/** Checks options. Throws `InvalidArgumentError`. */
export function checkBackupOptions(options: BackupOptions): void {
  checkOptionsOf('backup', options);
  for (const name of Object.keys(options)) if (!NAMES.has(name)) throw new InvalidArgumentError(`backup has no option ${name}. It takes ${[...NAMES].join(', ')}.`);
  for (const name of ['overwrite', 'history'] as const) {
    if (options[name] !== undefined && typeof options[name] !== 'boolean') throw new InvalidArgumentError(`The option ${name} takes true or false.`);
  }
  if (options.onProgress !== undefined && typeof options.onProgress !== 'function') throw new InvalidArgumentError('The option onProgress takes a function.');
}

function isStream(target: unknown): target is WritableStream<Uint8Array> {
  return typeof target === 'object' && target !== null && 'getWriter' in target && typeof target.getWriter === 'function';
}

/** Copies a store, as it is at the call, to a file that gets its name when all of it is durable. Also for stores that nothing else can be done with. */
export async function copyToPath(kernel: Kernel, path: string, options: BackupOptions): Promise<Copied> {
  const begun = beginCopy(kernel, options);
  try {
    return await copyToFile(kernel, begun, path, options);
  } finally {
    kernel.holds.release(begun.hold);
  }
}

async function copyToFile(kernel: Kernel, begun: BegunCopy, path: string, options: BackupOptions): Promise<Copied> {
  const file = await createPlatformFile(path, { overwrite: options.overwrite ?? false });
  try {
    const copied = await copyStore(kernel, begun, new DeviceSink(file.device, () => options.signal?.throwIfAborted()), options);
    await file.commit();
    return copied;
  } catch (error) {
    throw explainDevice(error, path);
  } finally {
    await file.discard();
  }
}

async function copyToStream(kernel: Kernel, stream: WritableStream<Uint8Array>, options: BackupOptions): Promise<Copied> {
  const writer = stream.getWriter();
  try {
    return await copyStore(kernel, beginCopy(kernel, options), new StreamSink(writer, options.signal), options);
  } catch (error) {
    // The stream learns that what it has is no copy; that it has failed itself it knows.
    writer.abort(error).catch(() => undefined);
    throw error;
  } finally {
    writer.releaseLock();
  }
}

/** The path that a target is, or undefined for a stream. Throws `InvalidArgumentError` for anything else. */
function pathOf(target: unknown, options: BackupOptions): string | undefined {
  if (typeof target === 'string' && target !== '' && target !== ':memory:') return target;
  if (!isStream(target)) throw new InvalidArgumentError('backup takes the path of a file, or a WritableStream.');
  if (options.overwrite !== undefined) throw new InvalidArgumentError('The option overwrite is for a path: a stream has nothing to replace.');
  return undefined;
}

/** What `db.backup` does. */
export async function backup(kernel: Kernel, target: string | WritableStream<Uint8Array>, options: BackupOptions): Promise<BackupReport> {
  checkBackupOptions(options);
  checkSignal(options.signal);
  kernel.checkReadable();
  const path = pathOf(target, options);
  const traced: TracedCopy = { store: kernel.name, target: path };
  return traceBackup.promise(traced, async () => {
    const began = performance.now();
    const copied = path === undefined ? await copyToStream(kernel, target as WritableStream<Uint8Array>, options) : await copyToPath(kernel, path, options);
    const report = { ...copied, milliseconds: performance.now() - began };
    traced.report = report;
    return report;
  });
}
