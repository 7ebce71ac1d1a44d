/**
 * A file that takes its name only when it is whole: it is written beside the name, under one that is used once, flushed, named, and then its folder is flushed. Where something has the name
 * already it is left alone, unless it may be replaced; a store that somebody has open is never replaced.
 */
import { FullError, InvalidArgumentError, IoError, NotFoundError, ReadOnlyError, VarveError } from '../errors.js';
import { builtin, codeOf, kindOf, type FileIdentity, type FileSystem } from './node-builtin.js';
import type { NodeDevice } from './node-device.js';
import { flushFolder, openNodeDevice } from './node-file.js';
import { acquireLock } from './node-lock.js';
import type { NewFile } from './platform-file.js';

type Path = typeof import('node:path');

const NONCE_SIZE = 8;
/** What platforms and file systems say that have no hard links. */
const NO_LINKS = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'EXDEV']);

function nonce(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(NONCE_SIZE)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function taken(name: string): InvalidArgumentError {
  return new InvalidArgumentError(`There is something at ${name} already: nothing was changed. Name a path at which there is nothing, or pass overwrite: true.`);
}

/** The error that users see for one of the platform. */
function explain(error: unknown, name: string): VarveError {
  if (error instanceof VarveError) return error;
  const options = { cause: error };
  const reason = error instanceof Error ? error.message : String(error);
  switch (kindOf(error)) {
    case 'missing':
      return new NotFoundError(`The folder of ${name} is not there any more: ${reason}`, options);
    case 'permission':
      return new ReadOnlyError(`${name} may not be made or replaced by this process: ${reason}`, options);
    case 'full':
      return new FullError(`There is no room to make ${name}: ${reason}`, options);
    default:
      return new IoError(`${name} cannot be made: ${reason}`, options);
  }
}

class NodeNewFile implements NewFile {
  readonly device: NodeDevice;
  readonly #fs: FileSystem;
  readonly #name: string;
  /** Where it shall be, every symbolic link resolved. */
  readonly #target: string;
  readonly #overwrite: boolean;
  #isThere = true;

  constructor(fs: FileSystem, name: string, target: string, overwrite: boolean, device: NodeDevice) {
    this.#fs = fs;
    this.#name = name;
    this.#target = target;
    this.#overwrite = overwrite;
    this.device = device;
  }

  async commit(): Promise<void> {
    this.device.close();
    try {
      const existing = this.#fs.statSync(this.#target, { bigint: true, throwIfNoEntry: false });
      if (existing === undefined) this.#nameNew();
      else if (this.#overwrite) await this.#replace({ device: existing.dev, inode: existing.ino });
      else throw taken(this.#name);
      flushFolder(this.#fs, builtin<Path>('node:path').dirname(this.#target));
    } catch (error) {
      throw explain(error, this.#name);
    }
  }

  /** Takes a name that nothing had a moment ago: with a hard link, which fails where something has it by now. */
  #nameNew(): void {
    try {
      this.#fs.linkSync(this.device.realPath, this.#target);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') throw taken(this.#name);
      if (!NO_LINKS.has(codeOf(error))) throw error;
      this.#fs.renameSync(this.device.realPath, this.#target);
      this.#isThere = false;
      return;
    }
    this.discard();
  }

  /** Takes the place of a file. Whoever has it open as a store keeps its lock, and the file its place. */
  async #replace(identity: FileIdentity): Promise<void> {
    const lock = await acquireLock(this.#target, identity);
    try {
      this.#fs.renameSync(this.device.realPath, this.#target);
      this.#isThere = false;
    } finally {
      lock.release();
    }
  }

  discard(): void {
    this.device.close();
    if (!this.#isThere) return;
    this.#isThere = false;
    try {
      this.#fs.unlinkSync(this.device.realPath);
    } catch {
      // What remains has a name that says what it is, and nobody opens it.
    }
  }
}

/**
 * Makes a file that shall be `name`. `fs` is Node's own but in tests.
 * @throws InvalidArgumentError for a directory, or where there is something and `overwrite` is false; NotFoundError for a folder that is missing; ReadOnlyError, FullError, IoError.
 */
export async function createNodeFile(name: string, { overwrite }: { overwrite: boolean }, fs: FileSystem = builtin<FileSystem>('node:fs')): Promise<NewFile> {
  const path = builtin<Path>('node:path');
  let target = path.resolve(name);
  try {
    const status = fs.statSync(target, { throwIfNoEntry: false });
    if (status !== undefined && !status.isFile()) throw new InvalidArgumentError(`${name} is not a file: a copy takes the path of one.`);
    if (status !== undefined && !overwrite) throw taken(name);
    if (status !== undefined) target = fs.realpathSync(target);
  } catch (error) {
    throw explain(error, name);
  }
  const device = await openNodeDevice(name, { create: true, readOnly: false, place: `${target}.${nonce()}.part` }, fs);
  return new NodeNewFile(fs, name, target, overwrite, device);
}
