/**
 * A file of a browser's origin-private file system, through its synchronous access handle, which only dedicated workers have. Reading, writing and flushing do not wait, so that nothing
 * asynchronous stands in the middle of a commit; the handle is made when the store is opened, and nobody else has one meanwhile.
 *
 * Somebody may remove the file while it is open: who clears the site's data, or the browser when it runs out of room. The handle then goes on without an error, into a file that nobody will find
 * again. So the device looks for its file, beside its work, every 256 KiB and at a flush that comes a second or more after the last look, and refuses everything once it is gone.
 */
import { DeviceError, type Device, type DeviceErrorKind } from './device.js';

/** After how many bytes that were written, or milliseconds, the file is looked for again. */
const LOOK_INTERVAL = 256 << 10;
const LOOK_AGE = 1000;

/** `FileSystemSyncAccessHandle`, as far as it is used. */
export interface SyncAccessHandle {
  getSize(): number;
  read(target: Uint8Array, options: { at: number }): number;
  write(source: Uint8Array, options: { at: number }): number;
  flush(): void;
  truncate(size: number): void;
  close(): void;
}

/** The platform's name of an error, such as `QuotaExceededError`; empty where it has none. */
export function nameOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'name' in error ? String(error.name) : '';
}

/** Which kind of failure an error of the platform is. */
function kindOf(error: unknown): DeviceErrorKind {
  switch (nameOf(error)) {
    case 'QuotaExceededError':
      return 'full';
    case 'NotAllowedError':
    case 'SecurityError':
      return 'permission';
    case 'NotFoundError':
      return 'missing';
    default:
      return 'io';
  }
}

function deviceError(operation: string, error: unknown, kind = kindOf(error)): DeviceError {
  if (error instanceof DeviceError) return error;
  return new DeviceError(kind, operation, error instanceof Error ? error.message : String(error), { cause: error });
}

export class OpfsDevice implements Device {
  readonly name: string;
  readonly readOnly: boolean;
  readonly #handle: SyncAccessHandle;
  /** Whether the path still leads to a file. */
  readonly #isThere: () => Promise<boolean>;
  /** What is told to the handle, used again because each commit writes once. */
  readonly #place = { at: 0 };
  /** The error of the flush that failed, or what is known of a file that is gone. */
  #failure: DeviceError | undefined;
  #isClosed = false;
  #look: Promise<void> | undefined;
  #untilLook = LOOK_INTERVAL;
  #lastLook = performance.now();

  constructor(name: string, handle: SyncAccessHandle, isThere: () => Promise<boolean>, readOnly: boolean) {
    this.name = name;
    this.#handle = handle;
    this.#isThere = isThere;
    this.readOnly = readOnly;
  }

  #check(operation: string): void {
    if (this.#isClosed) throw new DeviceError('closed', operation, `${this.name} is closed`);
  }

  #checkWritable(operation: string): void {
    this.#check(operation);
    if (this.readOnly) throw new DeviceError('permission', operation, `${this.name} was opened read-only`);
    if (this.#failure !== undefined) throw this.#failure;
  }

  size(): number {
    this.#check('size');
    try {
      return this.#handle.getSize();
    } catch (error) {
      throw deviceError('size', error);
    }
  }

  read(target: Uint8Array, offset: number): number {
    this.#check('read');
    let done = 0;
    while (done < target.length) {
      let count: number;
      try {
        count = this.#handle.read(target.subarray(done), { at: offset + done });
      } catch (error) {
        throw deviceError('read', error);
      }
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  write(source: Uint8Array, start: number, length: number, offset: number): void {
    if (this.#isClosed || this.readOnly || this.#failure !== undefined) this.#checkWritable('write');
    const end = start + length;
    for (let from = start; from < end;) {
      this.#place.at = offset + from - start;
      let count: number;
      try {
        count = this.#handle.write(source.subarray(from, end), this.#place);
      } catch (error) {
        throw deviceError('write', error);
      }
      if (count === 0) throw new DeviceError('io', 'write', `${this.name} took no byte of a write`);
      from += count;
    }
    if ((this.#untilLook -= length) <= 0) void this.#lookForFile();
  }

  /** Finds out whether the file is still there. Never rejects: what it finds stops the device. */
  #lookForFile(): Promise<void> {
    this.#untilLook = LOOK_INTERVAL;
    return (this.#look ??= this.#isThere().then((isThere) => {
      this.#look = undefined;
      this.#lastLook = performance.now();
      if (!isThere) this.#failure ??= new DeviceError('missing', 'write', `${this.name} was removed while it was open: the data of this site was cleared, or the browser has given up what it kept`);
    }));
  }

  /** Remembers the first flush that failed. Whatever its reason, even a quota: bytes that a write had accepted are in doubt, which is never only `full`. */
  #failFlush(error: unknown): DeviceError {
    return (this.#failure ??= deviceError('flush', error, 'io'));
  }

  flushSync(): void {
    this.#checkWritable('flush');
    try {
      this.#handle.flush();
    } catch (error) {
      throw this.#failFlush(error);
    }
    if (performance.now() - this.#lastLook > LOOK_AGE) void this.#lookForFile();
  }

  /** There is no flush that does not block this thread, which is the store's own. Only a look that is due is waited for. */
  async flush(): Promise<void> {
    this.flushSync();
    if (this.#look === undefined) return;
    await this.#look;
    if (this.#failure !== undefined) throw this.#failure;
  }

  truncate(size: number): void {
    this.#checkWritable('truncate');
    try {
      this.#handle.truncate(size);
    } catch (error) {
      throw deviceError('truncate', error);
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // In Chromium 156, closing the handle of a file that was cleared away never returns. It ends with the worker.
    if (this.#failure?.kind === 'missing') return;
    try {
      this.#handle.close();
    } catch {
      // What had to be durable was flushed.
    }
  }
}
