/** What `restore` does in a page: sends what a source gives to a worker that makes a store of it, a part for each that the worker asks for. Loaded when it is first asked for. */
import { InvalidArgumentError } from '../errors.js';
import { Source, type ExchangeSource } from '../exchange/source.js';
import { resolveOptions } from '../options.js';
import { checkRestoreArguments, type RestoreOptions, type RestoreReport } from '../restoring.js';
import type { FromWorker } from '../worker/protocol.js';
import { checkWorker, storeSettingsOf } from './open-shared.js';
import type { SharedRestoreOptions } from './restore.js';
import { startWorker } from './start-worker.js';

const PART_SIZE = 1 << 20;

/** Sends the parts of a source. What goes wrong with it here ends the work of the worker, and is what the caller is told. */
class Sender {
  readonly #source: Source;
  readonly #options: RestoreOptions;
  failure: { readonly error: unknown } | undefined;

  constructor(source: Source, options: RestoreOptions) {
    this.#source = source;
    this.#options = options;
  }

  /** The worker asks for more. */
  async send(written: number, worker: Worker): Promise<void> {
    try {
      if (written > 0) this.#options.onProgress?.({ bytes: written });
      this.#options.signal?.throwIfAborted();
      const { buffer } = (await this.#source.take(PART_SIZE)).slice();
      worker.postMessage(buffer, [buffer]);
    } catch (error) {
      this.failure ??= { error };
      worker.postMessage({ type: 'close' });
    }
  }
}

/** Restores. Rejects as `restore` does. */
export async function restoreInWorker(from: ExchangeSource, target: string, { worker: make, ...options }: SharedRestoreOptions): Promise<RestoreReport> {
  if (typeof from === 'string') throw new InvalidArgumentError('restore takes a stream in a page.');
  checkRestoreArguments(from, target, options);
  checkWorker(make);
  options.signal?.throwIfAborted();
  const { memory = {}, module, overwrite = false } = options;
  const settings = storeSettingsOf(resolveOptions({ memory, create: false }));
  const source = new Source(from, options.signal);
  const sender = new Sender(source, options);
  let worker: Worker | undefined;
  const hear = (message: FromWorker, speaker: Worker): RestoreReport | undefined => {
    worker = speaker;
    if (message.type === 'more') void sender.send(message.written, speaker);
    return message.type === 'restored' ? message.report : undefined;
  };
  const onAbort = (): void => {
    sender.failure ??= { error: options.signal!.reason };
    worker?.postMessage({ type: 'close' });
  };
  options.signal?.addEventListener('abort', onAbort);
  try {
    const { said } = await startWorker((core) => ({ type: 'restore', path: target, overwrite, settings, module: core }), { worker: make, module }, hear);
    return said;
  } catch (error) {
    const { failure } = sender;
    source.end(failure === undefined ? error : failure.error);
    throw failure === undefined ? error : failure.error;
  } finally {
    options.signal?.removeEventListener('abort', onAbort);
    worker?.terminate();
  }
}
