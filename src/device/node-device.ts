/**
 * An opened file of the operating system, through Node's file system interface as Node, Bun and Deno have it. Flushes are `fdatasync`, which also makes a changed size
 * durable: on Linux by its definition, elsewhere because it is a full `fsync` there.
 *
 * What flushes does so through a descriptor of its own, opened apart from the others: Linux reports a failed write-back once for each opening of a file, so of two
 * flushes that overlap on one descriptor one would see the failure and the other would call the same lost bytes durable. For the same reason asynchronous flushes
 * run one at a time, and a device whose flush has failed never flushes again.
 *
 * Opening a path is for `node-file.ts`, and who may write is for `node-lock.ts`.
 */
import { DeviceError, type BackgroundZeroing, type Device } from './device.js';
import { closeQuietly, codeOf, deviceError, isInterruption, type FileIdentity, type FileSystem } from './node-builtin.js';
import { startZeroing, type NodeZeroing } from './node-zeroing.js';

/** How often one read or write that was interrupted is tried again. */
const RETRIES_MAX = 100;
/** The most that one call reads or writes: Linux takes no more at once, and Node's own limit lies near. */
const TRANSFER_SIZE_MAX = 1 << 30;
/** After how many bytes that were written the path is looked at again: as many as a segment has by default. */
const LOOK_INTERVAL = 256 << 10;

/** A file that was opened, once for each of its uses. */
export interface OpenedFile {
  /** The path as it was given, for messages. */
  readonly name: string;
  /** The path with every symbolic link resolved. */
  readonly realPath: string;
  readonly identity: FileIdentity;
  /** Whether this open made the file. */
  readonly created: boolean;
  readonly descriptor: number;
  /** For asynchronous flushes, and for the background queue. Both are undefined when the file is only read. */
  readonly flushDescriptor: number | undefined;
  readonly zeroDescriptor: number | undefined;
}

export class NodeDevice implements Device {
  readonly name: string;
  readonly readOnly: boolean;
  readonly realPath: string;
  readonly identity: FileIdentity;
  readonly created: boolean;
  readonly #fs: FileSystem;
  readonly #descriptor: number;
  readonly #flushDescriptor: number | undefined;
  readonly #zeroDescriptor: number | undefined;
  readonly #zeroing: NodeZeroing | undefined;
  /** The asynchronous flush that is on its way, and the one that those share who came after it began. */
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  /** The error of the flush that failed, if one did. */
  #flushFailure: DeviceError | undefined;
  #isClosed = false;
  /** Where the file must at least end, and how many bytes may be written until somebody looks. */
  #reach = 0;
  #untilLook = LOOK_INTERVAL;

  constructor(fs: FileSystem, file: OpenedFile) {
    this.#fs = fs;
    this.name = file.name;
    this.realPath = file.realPath;
    this.identity = file.identity;
    this.created = file.created;
    this.readOnly = file.flushDescriptor === undefined;
    this.#descriptor = file.descriptor;
    this.#flushDescriptor = file.flushDescriptor;
    this.#zeroDescriptor = file.zeroDescriptor;
    this.#zeroing = file.zeroDescriptor === undefined ? undefined : startZeroing(file.zeroDescriptor);
  }

  get background(): BackgroundZeroing | undefined {
    return this.#zeroing;
  }

  #check(operation: string): void {
    if (this.#isClosed) throw new DeviceError('closed', operation, `${this.name} is closed`);
  }

  #checkWritable(operation: string): void {
    this.#check(operation);
    if (this.readOnly) throw new DeviceError('permission', operation, `${this.name} was opened read-only`);
  }

  size(): number {
    this.#check('size');
    try {
      return this.#fs.fstatSync(this.#descriptor).size;
    } catch (error) {
      throw deviceError('size', error);
    }
  }

  read(target: Uint8Array, offset: number): number {
    return this.readInto(target, 0, target.length, offset);
  }

  readInto(target: Uint8Array, start: number, length: number, offset: number): number {
    this.#check('read');
    let done = 0;
    let retries = 0;
    while (done < length) {
      try {
        const count = this.#fs.readSync(this.#descriptor, target, start + done, Math.min(length - done, TRANSFER_SIZE_MAX), offset + done);
        if (count === 0) break;
        done += count;
      } catch (error) {
        if (!isInterruption(error) || ++retries > RETRIES_MAX) throw deviceError('read', error);
      }
    }
    return done;
  }

  write(source: Uint8Array, start: number, length: number, offset: number): void {
    if (this.#isClosed || this.readOnly) this.#checkWritable('write');
    let written = 0;
    if (length <= TRANSFER_SIZE_MAX) {
      try {
        written = this.#fs.writeSync(this.#descriptor, source, start, length, offset);
      } catch (error) {
        if (!isInterruption(error)) throw deviceError('write', error);
      }
    }
    if (written !== length) this.#writeRest(source, start + written, length - written, offset + written);
    if (offset + length > this.#reach) this.#reach = offset + length;
    if ((this.#untilLook -= length) <= 0) this.confirmPlace();
  }

  /** What is written to a file that somebody has removed, moved or cut off meanwhile would not be there when the path is opened again. */
  confirmPlace(): void {
    this.#untilLook = LOOK_INTERVAL;
    let status: { readonly dev: bigint; readonly ino: bigint; readonly size: bigint } | undefined;
    try {
      status = this.#fs.statSync(this.realPath, { bigint: true, throwIfNoEntry: false });
    } catch (error) {
      // Whoever may not look knows nothing.
      if (codeOf(error) !== 'ENOTDIR') return;
    }
    const isHere = status?.dev === this.identity.device && status.ino === this.identity.inode;
    if (isHere && status!.size >= this.#reach) return;
    throw new DeviceError('io', 'write', `${this.realPath} was ${isHere ? 'cut off' : 'removed, moved or replaced'} while it was open`);
  }

  /** Goes on after a short write or an interruption. No progress is an error, not a reason to try for ever. */
  #writeRest(source: Uint8Array, start: number, length: number, offset: number): void {
    let retries = 0;
    while (length > 0) {
      let count = 0;
      try {
        count = this.#fs.writeSync(this.#descriptor, source, start, Math.min(length, TRANSFER_SIZE_MAX), offset);
      } catch (error) {
        if (!isInterruption(error) || ++retries > RETRIES_MAX) throw deviceError('write', error);
        continue;
      }
      if (count === 0) throw new DeviceError('io', 'write', `${this.name} took no byte of a write`);
      start += count;
      length -= count;
      offset += count;
    }
  }

  /** Remembers the first flush that failed. Whatever its reason, even a full disk: bytes that a write had accepted are in doubt, which is never only `full`. */
  #failFlush(error: unknown): DeviceError {
    return (this.#flushFailure ??= deviceError('flush', error, 'io'));
  }

  flushSync(): void {
    this.#checkWritable('flush');
    if (this.#flushFailure !== undefined) throw this.#flushFailure;
    try {
      this.#fs.fdatasyncSync(this.#descriptor);
    } catch (error) {
      throw this.#failFlush(error);
    }
  }

  flush(): Promise<void> {
    if (this.#running === undefined) return this.#startFlush();
    // A flush that is already on its way need not cover what was written since it began.
    return (this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      return this.flush();
    }));
  }

  #startFlush(): Promise<void> {
    try {
      this.#checkWritable('flush');
      if (this.#flushFailure !== undefined) throw this.#flushFailure;
    } catch (error) {
      return Promise.reject(error);
    }
    const descriptor = this.#flushDescriptor!;
    return (this.#running = new Promise((resolve, reject) => {
      this.#fs.fdatasync(descriptor, (error) => {
        this.#running = undefined;
        if (this.#isClosed) closeQuietly(this.#fs, descriptor);
        if (error === null || error === undefined) resolve();
        else reject(this.#failFlush(error));
      });
    }));
  }

  truncate(size: number): void {
    this.#checkWritable('truncate');
    try {
      this.#fs.ftruncateSync(this.#descriptor, size);
      this.#reach = Math.min(this.#reach, size);
    } catch (error) {
      throw deviceError('truncate', error);
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // The number of a closed descriptor is given to the next file that anyone opens, so each is closed only when nobody can still use it.
    this.#zeroing?.stop();
    if (this.#zeroDescriptor !== undefined) closeQuietly(this.#fs, this.#zeroDescriptor);
    if (this.#flushDescriptor !== undefined && this.#running === undefined) closeQuietly(this.#fs, this.#flushDescriptor);
    closeQuietly(this.#fs, this.#descriptor);
  }
}
