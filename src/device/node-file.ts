/**
 * A file of the operating system, through Node's file system interface as Node, Bun and Deno have it. Flushes are `fdatasync`, which on every platform that
 * they run on also makes a changed size durable. A new file's directory entry is flushed before the file is used.
 */
import { InvalidArgumentError, NotFoundError, ReadOnlyError } from '../errors.js';
import { DeviceError, type BackgroundZeroing, type Device, type DeviceErrorKind } from './device.js';
import { startZeroing, type NodeZeroing } from './node-zeroing.js';

type FileSystem = typeof import('node:fs');
type Path = typeof import('node:path');

/** How often a write that was interrupted is tried again. */
const RETRIES_MAX = 100;

/** One of Node's built-in modules, without an import that a bundler would follow. */
export function builtin<T>(name: string): T {
  return (globalThis as unknown as { process: { getBuiltinModule(name: string): T } }).process.getBuiltinModule(name);
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

function kindOf(error: unknown): DeviceErrorKind {
  switch (codeOf(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return 'full';
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'permission';
    case 'ENOENT':
      return 'missing';
    default:
      return 'io';
  }
}

function deviceError(operation: string, error: unknown): DeviceError {
  return new DeviceError(kindOf(error), operation, error instanceof Error ? error.message : String(error), { cause: error });
}

/** What tells one file from every other, whatever its paths. */
export interface FileIdentity {
  readonly device: bigint;
  readonly inode: bigint;
}

export class NodeDevice implements Device {
  readonly name: string;
  readonly readOnly: boolean;
  /** The path with every link resolved. */
  readonly realPath: string;
  readonly identity: FileIdentity;
  /** Whether this open made the file. */
  readonly created: boolean;
  readonly #fs: FileSystem;
  #descriptor: number;
  #flushing = 0;
  #isClosed = false;
  readonly #zeroing: NodeZeroing | undefined;

  constructor(fs: FileSystem, name: string, realPath: string, descriptor: number, readOnly: boolean, created: boolean) {
    this.#fs = fs;
    this.name = name;
    this.realPath = realPath;
    this.readOnly = readOnly;
    this.created = created;
    this.#descriptor = descriptor;
    const status = fs.fstatSync(descriptor, { bigint: true });
    this.identity = { device: status.dev, inode: status.ino };
    this.#zeroing = readOnly ? undefined : startZeroing(descriptor);
  }

  get background(): BackgroundZeroing | undefined {
    return this.#zeroing;
  }

  #open(operation: string): number {
    if (this.#isClosed) throw new DeviceError('closed', operation, `${this.name} is closed`);
    return this.#descriptor;
  }

  #writable(operation: string): number {
    if (this.readOnly) throw new DeviceError('permission', operation, `${this.name} was opened read-only`);
    return this.#open(operation);
  }

  size(): number {
    const descriptor = this.#open('size');
    try {
      return this.#fs.fstatSync(descriptor).size;
    } catch (error) {
      throw deviceError('size', error);
    }
  }

  read(target: Uint8Array, offset: number): number {
    const descriptor = this.#open('read');
    let done = 0;
    try {
      while (done < target.length) {
        const count = this.#fs.readSync(descriptor, target, done, target.length - done, offset + done);
        if (count === 0) break;
        done += count;
      }
    } catch (error) {
      throw deviceError('read', error);
    }
    return done;
  }

  write(source: Uint8Array, start: number, length: number, offset: number): void {
    if (this.#isClosed || this.readOnly) this.#writable('write');
    let written = 0;
    try {
      written = this.#fs.writeSync(this.#descriptor, source, start, length, offset);
    } catch (error) {
      if (!isInterruption(error)) throw deviceError('write', error);
    }
    if (written !== length) this.#writeRest(source, start + written, length - written, offset + written);
  }

  /** Goes on after a short write or an interruption. No progress is an error, not a reason to try for ever. */
  #writeRest(source: Uint8Array, start: number, length: number, offset: number): void {
    let retries = 0;
    while (length > 0) {
      let count = 0;
      try {
        count = this.#fs.writeSync(this.#descriptor, source, start, length, offset);
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

  flushSync(): void {
    const descriptor = this.#writable('flush');
    try {
      this.#fs.fdatasyncSync(descriptor);
    } catch (error) {
      throw deviceError('flush', error);
    }
  }

  flush(): Promise<void> {
    return new Promise((resolve, reject) => {
      const descriptor = this.#writable('flush');
      this.#flushing++;
      this.#fs.fdatasync(descriptor, (error) => {
        this.#flushing--;
        if (this.#isClosed && this.#flushing === 0) this.#closeDescriptor();
        if (error === null || error === undefined) resolve();
        else reject(deviceError('flush', error));
      });
    });
  }

  truncate(size: number): void {
    const descriptor = this.#writable('truncate');
    try {
      this.#fs.ftruncateSync(descriptor, size);
    } catch (error) {
      throw deviceError('truncate', error);
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // The number of a closed descriptor is given to the next file, so everyone who may still use it goes first.
    this.#zeroing?.stop();
    if (this.#flushing === 0) this.#closeDescriptor();
  }

  #closeDescriptor(): void {
    try {
      this.#fs.closeSync(this.#descriptor);
    } catch {
      // Everything that had to be durable was flushed; what a failing close would report has been reported by a flush.
    }
  }
}

function isInterruption(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'EINTR' || code === 'EAGAIN';
}

/** Flushes the directory entry of a new file, where the platform lets directories be flushed. */
function flushFolder(fs: FileSystem, folder: string): void {
  let descriptor: number;
  try {
    descriptor = fs.openSync(folder, 'r');
  } catch {
    return;
  }
  try {
    fs.fsyncSync(descriptor);
  } catch (error) {
    if (codeOf(error) === 'EIO') throw deviceError('flush', error);
  } finally {
    fs.closeSync(descriptor);
  }
}

function openDescriptor(fs: FileSystem, path: Path, name: string, options: { create: boolean; readOnly: boolean }): { descriptor: number; created: boolean } {
  const { constants } = fs;
  try {
    return { descriptor: fs.openSync(name, options.readOnly ? constants.O_RDONLY : constants.O_RDWR), created: false };
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || !options.create) throw error;
  }
  const folder = path.dirname(name);
  if (!fs.existsSync(folder)) throw new NotFoundError(`The folder ${folder} does not exist. Make it, then open the store again.`);
  try {
    return { descriptor: fs.openSync(name, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o644), created: true };
  } catch (error) {
    // Somebody else made it between the two calls: the lock decides whose it is.
    if (codeOf(error) !== 'EEXIST') throw error;
    return { descriptor: fs.openSync(name, constants.O_RDWR), created: false };
  }
}

/** Opens the file at `name`, or makes it. What cannot be used is refused before anything is changed. */
export async function openNodeDevice(name: string, options: { create: boolean; readOnly: boolean }): Promise<NodeDevice> {
  const fs = builtin<FileSystem>('node:fs');
  const path = builtin<Path>('node:path');
  const absolute = path.resolve(name);
  if (fs.statSync(absolute, { throwIfNoEntry: false })?.isDirectory() === true) {
    throw new InvalidArgumentError(`${name} is a directory: open takes the path of a file.`);
  }
  let opened: { descriptor: number; created: boolean };
  try {
    opened = openDescriptor(fs, path, absolute, options);
  } catch (error) {
    const kind = kindOf(error);
    if (error instanceof NotFoundError) throw error;
    if (kind === 'missing') throw new NotFoundError(`There is no store at ${name}. Open it without create: false and readOnly to make one.`, { cause: error });
    if (kind === 'permission') {
      throw new ReadOnlyError(`${name} may not be ${options.readOnly ? 'read' : 'written'} by this process. Change its permissions, or open it with readOnly: true.`, { cause: error });
    }
    throw deviceError('open', error);
  }
  const realPath = fs.realpathSync(absolute);
  if (opened.created) flushFolder(fs, path.dirname(realPath));
  return new NodeDevice(fs, name, realPath, opened.descriptor, options.readOnly, opened.created);
}
