/**
 * Zero-filling beside the caller's thread: a worker that needs no turn of the caller's event loop, neither to start, nor to be told, nor to tell. Both sides speak
 * through shared memory. The thread starts with the first job, because a store that writes little never needs it, and never keeps the process alive.
 *
 * The descriptor that it writes through must be its own, opened apart from every other: the kernel reports a failed write-back once for each opening
 * of a file, so a flush here would otherwise swallow the error that the log's own flush must see.
 */
import { DeviceError, type BackgroundZeroing } from './device.js';

type Threads = typeof import('node:worker_threads');

/** How many jobs the thread can be told of ahead; what is more waits on the caller's side. */
const RING_SIZE = 64;
/** The largest single write, which is also the longest that closing waits for, beside one flush. */
const CHUNK_SIZE = 1 << 20;
const RETRIES_MAX = 100;

// Shared words: how many jobs were queued, how many are done, why it stopped, whether it shall stop, whether it may be touching the file.
const QUEUED = 0;
const COMPLETED = 1;
const FAILED = 2;
const STOPPING = 3;
const BUSY = 4;
const WORDS = 8;

const FAILED_FULL = 1;
const FAILED_WRITE = 2;
const FAILED_FLUSH = 3;

/**
 * The thread's program. It says that it is busy before it looks whether it shall stop, and whoever stops it says so before looking whether it is busy:
 * so either it sees the wish and leaves the file alone, or it is seen and waited for.
 */
const PROGRAM = `
const { workerData } = process.getBuiltinModule('node:worker_threads');
const fs = process.getBuiltinModule('node:fs');
// Node has no name for a quota that is used up.
const { EDQUOT } = process.getBuiltinModule('node:os').constants.errno;
const words = new Int32Array(workerData.shared, 0, ${WORDS});
const jobs = new Float64Array(workerData.shared, ${WORDS * 4});
const isStopping = () => Atomics.load(words, ${STOPPING}) === 1;
function fill(zeros, offset, size) {
  let retries = 0;
  while (size > 0 && !isStopping()) {
    let count = 0;
    try {
      count = fs.writeSync(workerData.descriptor, zeros, 0, Math.min(size, zeros.length), offset);
    } catch (error) {
      if ((error.code !== 'EINTR' && error.code !== 'EAGAIN') || ++retries > ${RETRIES_MAX}) throw error;
      continue;
    }
    if (count === 0) throw new Error('no progress');
    offset += count;
    size -= count;
  }
}
let done = 0;
let zeros;
for (;;) {
  Atomics.wait(words, ${QUEUED}, done);
  Atomics.store(words, ${BUSY}, 1);
  if (isStopping()) break;
  const queued = Atomics.load(words, ${QUEUED});
  let failure = ${FAILED_WRITE};
  try {
    zeros ??= new Uint8Array(${CHUNK_SIZE});
    for (let job = done; job < queued; job++) fill(zeros, jobs[(job % ${RING_SIZE}) * 2], jobs[(job % ${RING_SIZE}) * 2 + 1]);
    if (isStopping()) break;
    failure = ${FAILED_FLUSH};
    fs.fdatasyncSync(workerData.descriptor);
  } catch (error) {
    const isFull = failure === ${FAILED_WRITE} && (error.code === 'ENOSPC' || error.errno === -EDQUOT || error.code === 'EFBIG');
    Atomics.store(words, ${FAILED}, isFull ? ${FAILED_FULL} : failure);
    break;
  }
  done = queued;
  Atomics.store(words, ${COMPLETED}, done);
  Atomics.store(words, ${BUSY}, 0);
  Atomics.notify(words, ${BUSY});
}
Atomics.store(words, ${BUSY}, 0);
Atomics.notify(words, ${BUSY});
`;

export interface NodeZeroing extends BackgroundZeroing {
  /** Ends the queue. When it returns, the thread does not touch the file any more, and never will. Idempotent. */
  stop(): void;
}

class Zeroing implements NodeZeroing {
  readonly #threads: Threads;
  readonly #descriptor: number;
  readonly #shared = new SharedArrayBuffer(WORDS * 4 + RING_SIZE * 16);
  readonly #words = new Int32Array(this.#shared, 0, WORDS);
  readonly #jobs = new Float64Array(this.#shared, WORDS * 4);
  /** Jobs that the ring had no room for: offset and length, alternating. */
  #waiting: number[] = [];
  #queued = 0;
  #isStarted = false;
  #isStopped = false;

  constructor(threads: Threads, descriptor: number) {
    this.#threads = threads;
    this.#descriptor = descriptor;
  }

  zero(offset: number, length: number): void {
    if (this.#isStopped) throw new DeviceError('closed', 'zero', 'the device is closed');
    this.#waiting.push(offset, length);
    this.#passOn();
    if (!this.#isStarted) this.#start();
  }

  /** Tells the thread of as many waiting jobs as the ring has room for. */
  #passOn(): void {
    const room = RING_SIZE - (this.#queued - Atomics.load(this.#words, COMPLETED));
    const jobs = this.#waiting.splice(0, room * 2);
    for (let index = 0; index < jobs.length; index += 2) {
      this.#jobs.set([jobs[index]!, jobs[index + 1]!], (this.#queued % RING_SIZE) * 2);
      this.#queued++;
    }
    Atomics.store(this.#words, QUEUED, this.#queued);
    Atomics.notify(this.#words, QUEUED);
  }

  #start(): void {
    this.#isStarted = true;
    try {
      // Neither the flags nor the environment of the process: what they make a thread load has no business here.
      const worker = new this.#threads.Worker(PROGRAM, {
        eval: true, workerData: { shared: this.#shared, descriptor: this.#descriptor }, execArgv: [], env: {},
      });
      worker.unref();
      worker.on('error', () => undefined);
    } catch {
      // Where threads are forbidden, as for one that dies while it starts, the jobs stay undone, and the caller does what it needs itself.
    }
  }

  completed(): number {
    if (this.#waiting.length > 0 && !this.#isStopped) this.#passOn();
    return Atomics.load(this.#words, COMPLETED);
  }

  failure(): DeviceError | undefined {
    switch (Atomics.load(this.#words, FAILED)) {
      case 0:
        return undefined;
      case FAILED_FULL:
        return new DeviceError('full', 'write', 'there is no room to zero-fill a range ahead of its use');
      case FAILED_FLUSH:
        return new DeviceError('io', 'flush', 'a range that was zero-filled ahead of its use could not be flushed');
      default:
        return new DeviceError('io', 'write', 'a range could not be zero-filled ahead of its use');
    }
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#waiting = [];
    Atomics.store(this.#words, STOPPING, 1);
    // A changed count wakes the thread also when it is only just about to wait.
    Atomics.add(this.#words, QUEUED, 1);
    Atomics.notify(this.#words, QUEUED);
    // At most one chunk and one flush. There is no limit, because a thread that outlived the lock could zero what is another's by then.
    while (Atomics.load(this.#words, BUSY) === 1) Atomics.wait(this.#words, BUSY, 1);
  }
}

/**
 * The background queue over a descriptor that nothing else flushes, or undefined where there are no threads, or where threads do not share descriptors. Nothing runs before the first job. The caller closes
 * the descriptor, after `stop`.
 */
export function startZeroing(descriptor: number): NodeZeroing | undefined {
  const process = (globalThis as unknown as { process: { getBuiltinModule(name: string): unknown } }).process;
  const threads = process.getBuiltinModule('node:worker_threads') as Threads | undefined;
  if (threads?.Worker === undefined || typeof SharedArrayBuffer === 'undefined') return undefined;
  // Deno numbers the descriptors of each thread on its own: the same number is no file in another thread, or another one.
  if ('Deno' in globalThis) return undefined;
  return new Zeroing(threads, descriptor);
}
