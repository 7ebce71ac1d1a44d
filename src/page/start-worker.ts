/** Starting the worker that has the store: from the source that the library carries, or by the page's own factory. Says what is in the way when the page's security policy is. */
import { workerText } from '../../build/worker.js';
import { orAborted } from '../abort.js';
import type { WasmModule } from '../engine/wasm-types.js';
import { compileCore } from '../engine/web-compile.js';
import { InvalidArgumentError, PlatformError } from '../errors.js';
import type { FromWorker, ToWorker } from '../worker/protocol.js';
import { toldError } from '../worker/told-error.js';

/** What the page says about the worker. */
export interface WorkerOptions {
  /** Makes the worker, where the page may not make one from a Blob: `() => new Worker(new URL('varve/worker.js', import.meta.url), { type: 'module' })`. */
  readonly worker: (() => Worker) | undefined;
  readonly module: WasmModule | undefined;
}

/** A worker that has said what it was to say. */
export interface StartedWorker<T> {
  readonly worker: Worker;
  readonly said: T;
}

/** What the page's own factory makes. */
function fromFactory(make: () => Worker): Worker {
  const made = make() as Partial<Worker> | undefined;
  if (typeof made?.terminate !== 'function') throw new InvalidArgumentError('The option worker takes a function that makes a worker.');
  return made as Worker;
}

/** Where a page hears what its policy forbids; workers have no such place. */
function policyEvents(): EventTarget | undefined {
  return (globalThis as { document?: EventTarget }).document;
}

function fromBlob(): Worker {
  const address = URL.createObjectURL(new Blob([workerText], { type: 'text/javascript' }));
  try {
    return new Worker(address, { name: 'varve' });
  } finally {
    // The worker has its own hold of the source from here on.
    URL.revokeObjectURL(address);
  }
}

const forbidden = (directive: string, cause: unknown): PlatformError => new PlatformError(
  `The page's Content-Security-Policy forbids the worker that has the store: allow blob: in ${directive}, or give the option \`worker\`, a function that makes the worker from a file of your own ` +
  "(`() => new Worker(new URL('varve/worker.js', import.meta.url), { type: 'module' })`).", { cause });

const notStarted = (reason: string, cause: unknown): PlatformError => new PlatformError(
  `The worker that has the store did not start${reason === '' ? '' : `: ${reason}`}. Where the page has a Content-Security-Policy, it must allow blob: in worker-src, or the option \`worker\` must make the worker.`, { cause });

/**
 * Starts a worker, tells it what to do, and waits until it has done so: `hear` is given what it says, and returns what is waited for, once that is said. Rejects with what the worker refuses, and with
 * `PlatformError`; with the reason of the signal, and without the worker, when that aborts before.
 */
export async function startWorker<T>(task: (module: WasmModule) => ToWorker, { worker: make, module }: WorkerOptions, hear: (message: FromWorker, worker: Worker) => T | undefined, signal?: AbortSignal): Promise<StartedWorker<T>> {
  const start = task(module ?? await compileCore());
  let directive: string | undefined;
  const onViolation = (event: Event): void => {
    const { effectiveDirective, blockedURI } = event as SecurityPolicyViolationEvent;
    if (blockedURI.startsWith('blob')) directive = effectiveDirective;
  };
  policyEvents()?.addEventListener('securitypolicyviolation', onViolation);
  let worker: Worker | undefined;
  try {
    worker = make === undefined ? fromBlob() : fromFactory(make);
    return { worker, said: await orAborted(greet(worker, start, hear), signal) };
  } catch (error) {
    worker?.terminate();
    if (error instanceof WorkerTrouble || (worker === undefined && !(error instanceof InvalidArgumentError))) {
      // The violation is told apart from the worker's own error, and may come a little later.
      await new Promise((resolve) => setTimeout(resolve, 50));
      const cause = error instanceof WorkerTrouble ? error.cause : error;
      throw directive === undefined ? notStarted(error instanceof Error ? error.message : '', cause) : forbidden(directive, cause);
    }
    throw error;
  } finally {
    policyEvents()?.removeEventListener('securitypolicyviolation', onViolation);
  }
}

/** The worker itself has failed, before it could say anything. */
class WorkerTrouble extends Error {}

function greet<T>(worker: Worker, start: ToWorker, hear: (message: FromWorker, worker: Worker) => T | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.type === 'refused') {
        reject(toldError(data.error));
        return;
      }
      const said = hear(data, worker);
      if (said !== undefined) resolve(said);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new WorkerTrouble(event.message ?? '', { cause: event }));
    };
    worker.postMessage(start);
  });
}
