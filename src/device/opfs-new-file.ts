/**
 * A file of a browser that takes its name only when it is whole: it is written beside the name, under one that is used once, and then moved. Where something has the name already it is left alone, unless
 * it may be replaced; a store that somebody has open is never replaced.
 */
import { InvalidArgumentError } from '../errors.js';
import { OpfsDevice, nameOf } from './opfs-device.js';
import { explainOpfs, folderOf, namesOf, takeHandle, type WorkerFileHandle } from './opfs-open.js';
import type { NewFile } from './platform-file.js';

const NONCE_SIZE = 8;

/** `FileSystemFileHandle` as browsers have it that move files. */
type MovableHandle = WorkerFileHandle & { move(name: string): Promise<void> };

function nonce(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(NONCE_SIZE)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The file of a name, if there is one. */
async function existing(folder: FileSystemDirectoryHandle, name: string): Promise<WorkerFileHandle | undefined> {
  try {
    return await folder.getFileHandle(name) as WorkerFileHandle;
  } catch (error) {
    if (nameOf(error) === 'NotFoundError') return undefined;
    throw error;
  }
}

class OpfsNewFile implements NewFile {
  readonly device: OpfsDevice;
  readonly #path: string;
  readonly #folder: FileSystemDirectoryHandle;
  readonly #file: MovableHandle;
  readonly #overwrite: boolean;
  #isThere = true;

  constructor(path: string, folder: FileSystemDirectoryHandle, file: MovableHandle, overwrite: boolean, device: OpfsDevice) {
    this.#path = path;
    this.#folder = folder;
    this.#file = file;
    this.#overwrite = overwrite;
    this.device = device;
  }

  async commit(): Promise<void> {
    this.device.close();
    const name = namesOf(this.#path).at(-1)!;
    try {
      const before = await existing(this.#folder, name);
      if (before !== undefined && !this.#overwrite) throw taken(this.#path);
      // Whoever has it open as a store has this handle.
      if (before !== undefined) (await takeHandle(this.#path, before)).close();
      await this.#file.move(name);
      this.#isThere = false;
    } catch (error) {
      throw explainOpfs(this.#path, error);
    }
  }

  async discard(): Promise<void> {
    this.device.close();
    if (!this.#isThere) return;
    this.#isThere = false;
    // What remains has a name that says what it is, and nobody opens it.
    await this.#folder.removeEntry(this.#file.name).catch(() => undefined);
  }
}

function taken(path: string): InvalidArgumentError {
  return new InvalidArgumentError(`There is something at ${path} already: nothing was changed. Name a path at which there is nothing, or pass overwrite: true.`);
}

/** Makes a file that shall have a path. @throws InvalidArgumentError for a directory, or where there is something and `overwrite` is false; FullError, IoError, PlatformError. */
export async function createOpfsFile(path: string, { overwrite }: { overwrite: boolean }): Promise<NewFile> {
  const names = namesOf(path);
  try {
    const folder = await folderOf(names, true);
    if (await existing(folder, names.at(-1)!) !== undefined && !overwrite) throw taken(path);
    const file = await folder.getFileHandle(`${names.at(-1)!}.${nonce()}.part`, { create: true }) as MovableHandle;
    const device = new OpfsDevice(path, await takeHandle(path, file), async () => true, false);
    return new OpfsNewFile(path, folder, file, overwrite, device);
  } catch (error) {
    throw explainOpfs(path, error);
  }
}
