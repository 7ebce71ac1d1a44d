/** Starting the worker that has the store: from the source that the library carries, or by the page's own factory. Says what is in the way when the page's security policy is. */
import { workerText } from '../../build/worker.js';
import { compileCore } from '../engine/web-compile.js';
import { PlatformError } from '../errors.js';
import type { FromWorker, Hello, ToWorker } from '../worker/protocol.js';
import { toldError } from '../worker/told-error.js';

/** What the page says about the worker. */
export interface WorkerOptions {
  /** Makes the worker, where the page may not make one from a Blob: `() => new Worker(new URL('varve/worker.js', import.meta.url), { type: 'module' })`. */
  readonly worker: (() => Worker) | undefined;
  readonly module: WebAssembly.Module | undefined;
}

/** A worker that serves the store. */
export interface StartedWorker {
  readonly worker: Worker;
  readonly hello: Hello;
}

/** What is asked of the worker when it starts. */
export type Task = Omit<ToWorker & { type: 'start' }, 'type' | 'module'> ;

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

/** Starts a worker and waits until it serves. Rejects as `open` does, and with `PlatformError`. */
export async function startWorker(task: Task, { worker: make, module }: WorkerOptions): Promise<StartedWorker> {
  const core = module ?? await compileCore();
  let directive: string | undefined;
  const onViolation = (event: Event): void => {
    const { effectiveDirective, blockedURI } = event as SecurityPolicyViolationEvent;
    if (blockedURI.startsWith('blob')) directive = effectiveDirective;
  };
  policyEvents()?.addEventListener('securitypolicyviolation', onViolation);
  let worker: Worker | undefined;
  try {
    worker = make === undefined ? fromBlob() : make();
    return { worker, hello: await greet(worker, { ...task, type: 'start', module: core }) };
  } catch (error) {
    worker?.terminate();
    if (error instanceof WorkerTrouble || worker === undefined) {
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

function greet(worker: Worker, start: ToWorker): Promise<Hello> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.type === 'serving') resolve(data.hello);
      else if (data.type === 'refused') reject(toldError(data.error));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new WorkerTrouble(event.message ?? '', { cause: event }));
    };
    worker.postMessage(start);
  });
}
