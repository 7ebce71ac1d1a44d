/** Where copies of stores go: to a device, which is flushed and read back, or to a stream. */
import { orAborted } from './abort.js';
import { ofCaller } from './callers.js';
import type { CopySink } from './copy.js';
import type { Device } from './device/device.js';
import { nextTurn } from './device/platform.js';
import type { EngineCopy } from './engine/copy.js';
import { IoError } from './errors.js';

/** After so many bytes the device is flushed, so that a flush of the store that is copied does not have to wait for all of the copy. */
const FLUSH_INTERVAL = 8 << 20;

/** A copy that goes to a device: the file says at its end where its log ends, and is read back. */
export class DeviceSink implements CopySink {
  readonly isInOrder = false;
  readonly #device: Device;
  readonly #check: () => void;
  #unflushed = 0;

  /** `check` throws when the work is to end. */
  constructor(device: Device, check: () => void) {
    this.#device = device;
    this.#check = check;
  }

  write(bytes: Uint8Array, offset: number): void | Promise<void> {
    this.#device.write(bytes, 0, bytes.length, offset);
    this.#unflushed += bytes.length;
    if (this.#unflushed < FLUSH_INTERVAL) return;
    this.#unflushed = 0;
    return this.#device.flush();
  }

  async finish(copy: EngineCopy, segmentCount: number): Promise<void> {
    const superblocks = copy.superblocks();
    this.#device.write(superblocks, 0, superblocks.length, 0);
    const written = superblocks.slice();
    await this.#device.flush();
    const read = new Uint8Array(written.length);
    let isTrue = this.#device.read(read, 0) === read.length && read.every((byte, index) => byte === written[index]);
    for (let index = 0; index < segmentCount; index++) {
      await nextTurn();
      this.#check();
      copy.readBack(index, (target, offset) => {
        if (this.#device.read(target, offset) !== target.length) isTrue = false;
      });
    }
    if (!isTrue || !copy.isTrue) throw new IoError(`What was written to ${this.#device.name} is not what comes back from there: the copy was given up. Look at the disk.`);
  }
}

/** A copy that goes to a stream, in the order of the file: its superblock says how long the log is at least, and the log itself where it ends. */
export class StreamSink implements CopySink {
  readonly isInOrder = true;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #signal: AbortSignal | undefined;

  constructor(writer: WritableStreamDefaultWriter<Uint8Array>, signal: AbortSignal | undefined) {
    this.#writer = writer;
    this.#signal = signal;
  }

  /** Waits until the stream has taken it. Not for `ready`, which a stream that takes nothing ahead never is. */
  write(bytes: Uint8Array): Promise<void> {
    return this.#wait(this.#writer.write(bytes.slice()));
  }

  finish(): Promise<void> {
    return this.#wait(this.#writer.close());
  }

  async #wait(taken: Promise<void>): Promise<void> {
    try {
      await orAborted(taken, this.#signal);
    } catch (error) {
      throw ofCaller(error);
    }
  }
}
