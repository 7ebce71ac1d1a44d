/** Restoring a store for a page, which sends the bytes, a part for each that it is asked for. */
import { restoreTo, type RestoreReport } from '../restoring.js';
import type { FromWorker, ToWorker } from './protocol.js';
import { openRawOnDevice } from './raw.js';

export class Restoration {
  readonly #ask: () => void;
  #onPart: (bytes: Uint8Array) => void = () => undefined;
  #onAbort: (reason: Error) => void = () => undefined;
  #aborted: Error | undefined;
  #written = 0;

  constructor(say: (message: FromWorker) => void) {
    this.#ask = () => say({ type: 'more', written: this.#written });
  }

  /** Makes the store. Rejects as `restore` does; what was written is gone then. */
  run({ path, overwrite, settings, module }: ToWorker & { type: 'restore' }): Promise<RestoreReport> {
    return restoreTo(path, {
      overwrite,
      take: () => this.#take(),
      onWritten: (bytes) => {
        this.#written = bytes;
      },
      check: () => {
        if (this.#aborted !== undefined) throw this.#aborted;
      },
      open: (device) => openRawOnDevice(device, settings, module),
    });
  }

  #take(): Promise<Uint8Array> {
    const part = new Promise<Uint8Array>((resolve, reject) => {
      this.#onPart = resolve;
      this.#onAbort = reject;
    });
    this.#ask();
    return part;
  }

  /** The next part; an empty one is the end. */
  handle(bytes: ArrayBuffer): void {
    this.#onPart(new Uint8Array(bytes));
  }

  /** Gives it up: the page knows why. */
  abort(): void {
    this.#aborted = new Error('given up');
    this.#onAbort(this.#aborted);
  }
}
