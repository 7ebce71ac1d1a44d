/** Signals and the options that they come in, and waiting for what a signal may end. */
import { InvalidArgumentError } from './errors.js';

/** Throws the reason of a signal that has come already, and `InvalidArgumentError` for what is no signal. */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  const given: Partial<AbortSignal> | null = signal;
  if (given === null || typeof given.throwIfAborted !== 'function' || typeof given.addEventListener !== 'function') throw new InvalidArgumentError('The option signal takes an AbortSignal.');
  signal.throwIfAborted();
}

/** Throws `InvalidArgumentError` where options are none. */
export function checkOptionsOf(name: string, options: unknown): void {
  if (typeof options !== 'object' || options === null) throw new InvalidArgumentError(`The options of ${name} are an object.`);
}

/** Resolves as `promise` does, or rejects with the reason of the signal, whichever comes first. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  });
  // What loses the race may reject later, and nobody waits for it then.
  promise.catch(() => undefined);
  aborted.catch(() => undefined);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
