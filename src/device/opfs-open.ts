/** The file of a store in a browser: from a path within the origin-private file system to a device, whose handle is also the lock. */
import { FullError, InvalidArgumentError, IoError, LockedError, NotFoundError, PlatformError, VarveError } from '../errors.js';
import { OpfsDevice, nameOf, type SyncAccessHandle } from './opfs-device.js';
import type { PlatformFile } from './platform-file.js';

/** For how long a handle that somebody else has is asked for again, in milliseconds: browsers give back those of a page that is gone a while later. */
const PATIENCE = 3000;
const FIRST_WAIT = 10;
const LONGEST_WAIT = 200;

/** `FileSystemFileHandle` as dedicated workers have it. */
export type WorkerFileHandle = FileSystemFileHandle & { createSyncAccessHandle(): Promise<SyncAccessHandle> };

interface Mode {
  readonly create: boolean;
  readonly readOnly: boolean;
}

/** Whether code that runs here can open files: in a dedicated worker of a browser that has them, and of a site that is secure. */
export function hasOpfs(): boolean {
  const handle = (globalThis as { FileSystemFileHandle?: { prototype: object } }).FileSystemFileHandle;
  return handle !== undefined && 'createSyncAccessHandle' in handle.prototype && typeof navigator.storage?.getDirectory === 'function';
}

/** The names that a path is made of. Throws `InvalidArgumentError`. */
export function namesOf(path: string): string[] {
  const names = path.replace(/^\//, '').split('/');
  if (names.some((name) => name === '' || name === '.' || name === '..' || name.includes('\\'))) {
    throw new InvalidArgumentError(`${path} cannot be the path of a store: in a browser it is a name, or names separated by single slashes, none of them '.' or '..'.`);
  }
  return names;
}

async function rootFolder(): Promise<FileSystemDirectoryHandle> {
  try {
    return await navigator.storage.getDirectory();
  } catch (cause) {
    throw new PlatformError(
      "This browser gives the page no files: it is in a private window, or the site's storage is blocked. Nothing was opened. Use ':memory:' for a store that ends with the page.", { cause });
  }
}

/** The folder of a path. */
export async function folderOf(names: readonly string[], create: boolean): Promise<FileSystemDirectoryHandle> {
  let folder = await rootFolder();
  for (const name of names.slice(0, -1)) folder = await folder.getDirectoryHandle(name, { create });
  return folder;
}

async function findFile(names: readonly string[], create: boolean): Promise<WorkerFileHandle> {
  const folder = await folderOf(names, create);
  return await folder.getFileHandle(names.at(-1)!, { create }) as WorkerFileHandle;
}

/** The error that users see for one of the platform. */
export function explainOpfs(path: string, error: unknown): Error {
  if (error instanceof VarveError) return error;
  const options = { cause: error };
  const reason = error instanceof Error ? error.message : String(error);
  switch (nameOf(error)) {
    case 'NotFoundError':
      return new NotFoundError(`There is no ${path}. Open it without readOnly and create: false to make it.`, options);
    case 'TypeMismatchError':
      return new InvalidArgumentError(`${path} is a directory, or has a file where it names a directory: open takes the path of a file.`, options);
    case 'TypeError':
      return new InvalidArgumentError(`The path of a store must be one that the platform takes: ${reason}`, options);
    case 'QuotaExceededError':
      return new FullError(`There is no room to make ${path}: ${reason} The site has used up what the browser lets it keep.`, options);
    default:
      return new IoError(`${path} cannot be opened: ${reason}`, options);
  }
}

/** Takes the one handle of a file, and waits a while for whoever has it. */
export async function takeHandle(path: string, file: WorkerFileHandle): Promise<SyncAccessHandle> {
  const end = performance.now() + PATIENCE;
  for (let wait = FIRST_WAIT; ; wait = Math.min(LONGEST_WAIT, wait * 2)) {
    try {
      return await file.createSyncAccessHandle();
    } catch (cause) {
      if (nameOf(cause) !== 'NoModificationAllowedError') throw cause;
      if (performance.now() > end) throw new LockedError(`${path} is open in another page or worker of this site: close it there, or use that one.`, undefined, { cause });
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

/** Opens a file, which is then this worker's alone until it is released. */
export async function openOpfsFile(path: string, { create, readOnly }: Mode): Promise<PlatformFile> {
  const names = namesOf(path);
  try {
    const handle = await takeHandle(path, await findFile(names, create));
    const isThere = (): Promise<boolean> => findFile(names, false).then(() => true, (error: unknown) => nameOf(error) !== 'NotFoundError');
    const device = new OpfsDevice(path, handle, isThere, readOnly);
    return { device, confirm: async () => undefined, release: () => device.close() };
  } catch (error) {
    throw explainOpfs(path, error);
  }
}
