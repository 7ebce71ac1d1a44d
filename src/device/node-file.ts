/**
 * From a path to a device, or to an error that says what to do. What cannot be used is refused before anything is changed. A new file, and its entry in its folder,
 * are durable before the device is handed out. Whether the content is a store's is not looked at.
 */
import { FullError, InvalidArgumentError, IoError, NotFoundError, ReadOnlyError, VarveError } from '../errors.js';
import { builtin, closeQuietly, codeOf, kindOf, type FileIdentity, type FileSystem } from './node-builtin.js';
import { NodeDevice } from './node-device.js';

type Path = typeof import('node:path');

/** How `openNodeDevice` treats the path. */
export interface OpenMode {
  /** Whether a file that is missing is made. */
  readonly create: boolean;
  readonly readOnly: boolean;
  /** Where the file is, where that is not the path that messages call it by. */
  readonly place?: string;
}

/** What platforms say that cannot flush a directory: there the entry is as durable as they make it. */
const NO_FOLDER_FLUSH = new Set(['EPERM', 'EACCES', 'EINVAL', 'EISDIR', 'EBADF', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP']);

/** Makes the directory entry of a new file durable, where the platform lets directories be flushed. */
export function flushFolder(fs: FileSystem, folder: string): void {
  let descriptor: number | undefined;
  try {
    descriptor = fs.openSync(folder, 'r');
    fs.fsyncSync(descriptor);
  } catch (error) {
    if (!NO_FOLDER_FLUSH.has(codeOf(error))) throw error;
  } finally {
    if (descriptor !== undefined) fs.closeSync(descriptor);
  }
}

function identityOf(status: { readonly dev: bigint; readonly ino: bigint }): FileIdentity {
  return { device: status.dev, inode: status.ino };
}

/** One opening: collects the descriptors, so that a failure half-way leaves none behind. */
class Opening {
  readonly #fs: FileSystem;
  readonly #path: Path;
  readonly #name: string;
  readonly #absolute: string;
  readonly #mode: OpenMode;
  readonly #descriptors: number[] = [];
  #exists = false;

  constructor(fs: FileSystem, name: string, mode: OpenMode) {
    this.#fs = fs;
    this.#path = builtin<Path>('node:path');
    this.#name = name;
    this.#mode = mode;
    this.#absolute = this.#path.resolve(mode.place ?? name);
  }

  run(): NodeDevice {
    try {
      return this.#open();
    } catch (error) {
      for (const descriptor of this.#descriptors) closeQuietly(this.#fs, descriptor);
      throw this.#explain(error);
    }
  }

  #openOne(path: string, flags: number): number {
    const descriptor = this.#fs.openSync(path, flags, 0o644);
    this.#descriptors.push(descriptor);
    return descriptor;
  }

  /** Refuses what is no file: opening a pipe would wait for its other end. */
  #inspect(): void {
    const status = this.#fs.statSync(this.#absolute, { throwIfNoEntry: false });
    this.#exists = status !== undefined;
    if (status?.isDirectory() === true) throw new InvalidArgumentError(`${this.#name} is a directory: open takes the path of a file.`);
    if (status?.isFile() === false) throw new InvalidArgumentError(`${this.#name} is not a regular file: open takes the path of a file.`);
  }

  #openOrMake(): { descriptor: number; created: boolean } {
    const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL } = this.#fs.constants;
    try {
      return { descriptor: this.#openOne(this.#absolute, this.#mode.readOnly ? O_RDONLY : O_RDWR), created: false };
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || !this.#mode.create || this.#mode.readOnly) throw error;
    }
    try {
      return { descriptor: this.#openOne(this.#absolute, O_RDWR | O_CREAT | O_EXCL), created: true };
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
      // Somebody made it between the two calls, or the path is a symbolic link to a file that is still missing.
      return { descriptor: this.#openOne(this.#absolute, O_RDWR | O_CREAT), created: true };
    }
  }

  /** Opens the same file once more, apart from the first opening. */
  #openAgain(realPath: string, identity: FileIdentity): number {
    const descriptor = this.#openOne(realPath, this.#fs.constants.O_RDWR);
    this.#confirm(identity, this.#fs.fstatSync(descriptor, { bigint: true }));
    return descriptor;
  }

  #confirm(identity: FileIdentity, status: { readonly dev: bigint; readonly ino: bigint }): void {
    if (status.dev === identity.device && status.ino === identity.inode) return;
    throw new IoError(`${this.#name} was replaced while it was being opened. Open it again.`);
  }

  #open(): NodeDevice {
    const fs = this.#fs;
    this.#inspect();
    const { descriptor, created } = this.#openOrMake();
    const identity = identityOf(fs.fstatSync(descriptor, { bigint: true }));
    const realPath = fs.realpathSync(this.#absolute);
    this.#confirm(identity, fs.statSync(realPath, { bigint: true }));
    if (created) {
      fs.fsyncSync(descriptor);
      flushFolder(fs, this.#path.dirname(realPath));
    }
    const { readOnly } = this.#mode;
    const flushDescriptor = readOnly ? undefined : this.#openAgain(realPath, identity);
    const zeroDescriptor = readOnly ? undefined : this.#openAgain(realPath, identity);
    return new NodeDevice(fs, { name: this.#name, realPath, identity, created, descriptor, flushDescriptor, zeroDescriptor });
  }

  #explain(error: unknown): VarveError {
    if (error instanceof VarveError) return error;
    const name = this.#name;
    const options = { cause: error };
    const reason = error instanceof Error ? error.message : String(error);
    if (codeOf(error) === 'ERR_INVALID_ARG_VALUE') return new InvalidArgumentError(`The path of a store must be one that the platform takes: ${reason}`, options);
    switch (kindOf(error)) {
      case 'missing':
        return this.#explainMissing(options);
      case 'permission':
        return this.#explainPermission(options);
      case 'full':
        return new FullError(`There is no room to make ${name}: ${reason}. Make room on the disk, then open it again.`, options);
      default:
        return new IoError(`${name} cannot be opened: ${reason}`, options);
    }
  }

  #explainMissing(options: ErrorOptions): VarveError {
    const folder = this.#path.dirname(this.#absolute);
    if (!this.#fs.existsSync(folder)) return new NotFoundError(`The folder ${folder} does not exist. Make it, then try again.`, options);
    if (this.#mode.create && !this.#mode.readOnly) return new NotFoundError(`${this.#name} leads to a folder that does not exist. Make it, then try again.`, options);
    return new NotFoundError(`There is no store at ${this.#name}. Check the path; to make one, open it without create: false and readOnly.`, options);
  }

  #explainPermission(options: ErrorOptions): VarveError {
    const name = this.#name;
    if (this.#mode.readOnly) return new IoError(`${name} may not be read by this process. Change its permissions.`, options);
    if (this.#exists) return new ReadOnlyError(`${name} may not be written by this process. Change its permissions, or open it with readOnly: true.`, options);
    return new ReadOnlyError(`${name} cannot be made: ${this.#path.dirname(this.#absolute)} may not be written by this process. Change its permissions.`, options);
  }
}

/**
 * Opens the file at `name`, or makes it. `fs` is Node's own but in tests.
 * @throws InvalidArgumentError for what is not a file; NotFoundError for a file or folder that is missing; ReadOnlyError for a file that may not be written; FullError
 * where there is no room to make one; IoError for anything else.
 */
export async function openNodeDevice(name: string, mode: OpenMode, fs: FileSystem = builtin<FileSystem>('node:fs')): Promise<NodeDevice> {
  return new Opening(fs, name, mode).run();
}
