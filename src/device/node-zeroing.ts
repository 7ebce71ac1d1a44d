/**
 * Zero-filling beside the caller's thread: a worker that needs no turn of the caller's event loop, neither to be told nor to tell. It is told and tells
 * through shared memory. The thread starts with the first job, because a store that writes little never needs it.
 */
import { DeviceError, type BackgroundZeroing } from './device.js';

type Threads = typeof import('node:worker_threads');

const RING_SIZE = 64;
// Shared words: what is queued, what is done, why it stopped, whether it shall stop, whether the thread has ended.
const QUEUED = 0;
const COMPLETED = 1;
const FAILED = 2;
const STOPPING = 3;
const ENDED = 4;
const WORDS = 8;
const STOP_WAIT_MAX = 5000;

const FAILED_FULL = 1;
const FAILED_OTHER = 2;

/** The thread's program. It shares nothing with this module but the numbers above. */
const PROGRAM = `
const { workerData } = require('node:worker_threads');
const fs = require('node:fs');
const words = new Int32Array(workerData.shared, 0, ${WORDS});
const jobs = new Float64Array(workerData.shared, ${WORDS * 4});
const zeros = new Uint8Array(1 << 20);
function run(offset, size) {
  while (size > 0) {
    const count = fs.writeSync(workerData.descriptor, zeros, 0, Math.min(size, zeros.length), offset);
    if (count === 0) throw new Error('no progress');
    offset += count;
    size -= count;
  }
}
let done = 0;
for (;;) {
  if (Atomics.load(words, ${STOPPING}) === 1) break;
  const queued = Atomics.load(words, ${QUEUED});
  if (queued === done) {
    Atomics.wait(words, ${QUEUED}, queued, 1000);
    continue;
  }
  try {
    for (let job = done; job < queued; job++) run(jobs[(job % ${RING_SIZE}) * 2], jobs[(job % ${RING_SIZE}) * 2 + 1]);
    fs.fdatasyncSync(workerData.descriptor);
  } catch (error) {
    const isFull = error.syscall === 'write' && (error.code === 'ENOSPC' || error.code === 'EDQUOT' || error.code === 'EFBIG');
    Atomics.store(words, ${FAILED}, isFull ? ${FAILED_FULL} : ${FAILED_OTHER});
    break;
  }
  done = queued;
  Atomics.store(words, ${COMPLETED}, done);
}
Atomics.store(words, ${ENDED}, 1);
Atomics.notify(words, ${ENDED});
`;

export interface NodeZeroing extends BackgroundZeroing {
  /** Ends the thread and waits until it no longer uses the file. */
  stop(): void;
}

class Zeroing implements NodeZeroing {
  readonly #threads: Threads;
  readonly #descriptor: number;
  readonly #words: Int32Array;
  readonly #jobs: Float64Array;
  readonly #shared: SharedArrayBuffer;
  #worker: { unref(): void } | undefined;
  #queued = 0;

  constructor(threads: Threads, descriptor: number) {
    this.#threads = threads;
    this.#descriptor = descriptor;
    this.#shared = new SharedArrayBuffer(WORDS * 4 + RING_SIZE * 16);
    this.#words = new Int32Array(this.#shared, 0, WORDS);
    this.#jobs = new Float64Array(this.#shared, WORDS * 4);
  }

  zero(offset: number, length: number): void {
    if (this.#worker === undefined) this.#start();
    if (this.#queued - this.completed() >= RING_SIZE) throw new DeviceError('io', 'zero', `more than ${RING_SIZE} ranges wait to be zeroed`);
    const at = (this.#queued % RING_SIZE) * 2;
    this.#jobs[at] = offset;
    this.#jobs[at + 1] = length;
    this.#queued++;
    Atomics.store(this.#words, QUEUED, this.#queued);
    Atomics.notify(this.#words, QUEUED);
  }

  #start(): void {
    const worker = new this.#threads.Worker(PROGRAM, { eval: true, workerData: { shared: this.#shared, descriptor: this.#descriptor }, stdin: false });
    worker.unref();
    // A thread that could not start leaves its jobs undone; the store then prepares slots itself.
    worker.on('error', () => Atomics.store(this.#words, ENDED, 1));
    this.#worker = worker;
  }

  completed(): number {
    return Atomics.load(this.#words, COMPLETED);
  }

  failure(): DeviceError | undefined {
    const reason = Atomics.load(this.#words, FAILED);
    if (reason === 0) return undefined;
    return reason === FAILED_FULL
      ? new DeviceError('full', 'write', 'the disk is full')
      : new DeviceError('io', 'flush', 'a slot could not be zero-filled and flushed');
  }

  stop(): void {
    if (this.#worker === undefined) return;
    Atomics.store(this.#words, STOPPING, 1);
    Atomics.notify(this.#words, QUEUED);
    const until = Date.now() + STOP_WAIT_MAX;
    while (Atomics.load(this.#words, ENDED) === 0 && Date.now() < until) Atomics.wait(this.#words, ENDED, 0, 100);
  }
}

/** The background queue of a file, or undefined where there are no threads. Nothing runs before the first job. */
export function startZeroing(descriptor: number): NodeZeroing | undefined {
  const process = (globalThis as unknown as { process: { getBuiltinModule(name: string): unknown } }).process;
  const threads = process.getBuiltinModule('node:worker_threads') as Threads | undefined;
  if (threads?.Worker === undefined || typeof SharedArrayBuffer === 'undefined') return undefined;
  return new Zeroing(threads, descriptor);
}
