/** `open` for pages: from a path and options to a store that a worker has, of this page or another. */
import { checkOptionsOf } from '../abort.js';
import { codecsOf } from '../codec/chosen.js';
import type { Key } from '../codec/key.js';
import { Slab } from '../codec/slab.js';
import { Space } from '../codec/space.js';
import { compileCore } from '../engine/web-compile.js';
import { InvalidArgumentError } from '../errors.js';
import { IN_MEMORY } from '../memory-path.js';
import { resolveOptions, type OpenOptions, type Settings } from '../options.js';
import type { StoreSettings } from '../worker/protocol.js';
import { Connection } from './connection.js';
import { Persistence } from './persistence.js';
import { SharedStore } from './shared-store.js';

export interface SharedOptions extends OpenOptions {
  /** Makes the worker that has the store, where the page may not make one from a Blob: `() => new Worker(new URL('varve/worker.js', import.meta.url), { type: 'module' })`. */
  worker?: () => Worker;
  /** Ask the browser to keep what this site stores. Some browsers ask the person, for whom `open` does not wait. What came of it is `db.persistent`. Default false. */
  persist?: boolean;
}

/** The settings that cross to the worker: codecs stay here, with whatever they hold. */
export function storeSettingsOf({ values: _values, ownBuffers: _ownBuffers, module: _module, onWarning: _onWarning, ...crossing }: Settings): StoreSettings {
  return crossing;
}

/** Checks the option `worker`. @throws InvalidArgumentError. */
export function checkWorker(worker: unknown): void {
  if (worker !== undefined && typeof worker !== 'function') throw new InvalidArgumentError('The option worker takes a function that makes a worker.');
}

/** The options that all pages of a store share, as text. */
function agreedOf({ durability, flushInterval, blocks, history, readOnly, salvage }: Settings): string {
  return JSON.stringify({ durability, flushInterval, flush: blocks ? 'sync' : 'async', history, readOnly, salvage });
}

/**
 * Opens the store at `path` in the site's private files, making it where there is none; `:memory:` opens one without a file, which is this page's alone. The store lives in a worker: of the page that came
 * first, and of another one when that is gone. Resolves when everything that was acknowledged is there again.
 * @throws (as a rejection) InvalidArgumentError, also where another page has it open with other options; NotFoundError; LockedError where a worker has it open by itself; FullError when the browser gives no
 * room; FormatError, CorruptionError: the file is then untouched. PlatformError where the page may not start workers, compile WebAssembly or keep files, saying what to allow.
 */
export async function open<V = unknown>(path: string, options: SharedOptions = {}): Promise<SharedStore<V>> {
  if (typeof path !== 'string' || path === '') throw new InvalidArgumentError("open takes the path of the store's file, or ':memory:'.");
  checkOptionsOf('open', options);
  const { worker, persist = false, ...ownOptions } = options;
  checkWorker(worker);
  if (typeof persist !== 'boolean') throw new InvalidArgumentError('The option persist takes true or false.');
  const settings = resolveOptions(ownOptions);
  const codecFor = codecsOf(settings.ownBuffers ? undefined : new Slab());
  const space = new Space<Key, unknown>(undefined, undefined, codecFor(settings.values));
  const persistence = path === IN_MEMORY ? undefined : new Persistence(persist);
  const { connection, hello } = await Connection.open({
    path, isShared: path !== IN_MEMORY, settings: storeSettingsOf(settings), agreed: agreedOf(settings), worker: { worker, module: settings.module }, onWarning: settings.onWarning,
  });
  return new SharedStore(connection, space, { name: path, recovery: hello.recovery, persistence }, codecFor, async () => settings.module ?? compileCore()) as SharedStore<V>;
}
