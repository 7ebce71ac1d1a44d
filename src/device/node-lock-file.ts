/**
 * The file beside a store that names its holder, made so that it is never seen half-written: a file that is empty names nobody who could be judged dead, and without the socket it would take a person
 * to remove it after its maker was killed between making and filling it. So the name is written to a file of its own first, and that gets its place by a hard link, which fails where there is one.
 */
import { FullError, IoError, ReadOnlyError } from '../errors.js';
import { builtin, codeOf, kindOf, type FileSystem } from './node-builtin.js';
import { CARD_SIZE_MAX, type Card } from './node-card.js';

type Path = typeof import('node:path');

/** What the name of a file ends in that waits for its place, behind the beginning of its maker's nonce. */
const UNPLACED = /\.[0-9a-f]{16}\.new$/;
const UNPLACED_NONCE_LENGTH = 16;

/** The error that users see where the lock file cannot be made. */
export function lockFileError(path: string, error: unknown): Error {
  const kind = kindOf(error);
  const options = { cause: error };
  if (kind === 'permission') return new ReadOnlyError(`The lock file ${path} may not be written by this process. Change the permissions of its folder, or open the store with readOnly: true.`, options);
  if (kind === 'full') return new FullError(`There is no room for the lock file ${path}. Make room on the disk, then open the store again.`, options);
  return new IoError(`The lock file ${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`, options);
}

/** Removes a file of ours. One that stays names a process that will be gone: the next one to come takes it over. */
export function discard(path: string): void {
  try {
    builtin<FileSystem>('node:fs').rmSync(path, { force: true });
  } catch {
    // Whoever removes it has something more important to report, or nothing.
  }
}

/** Makes a file that holds a card. What is half-done when it throws is removed, unless there was a file before. */
function writeCard(path: string, self: Card): void {
  const fs = builtin<FileSystem>('node:fs');
  const descriptor = fs.openSync(path, 'wx', 0o644);
  try {
    try {
      fs.writeFileSync(descriptor, JSON.stringify(self));
      // Without the socket, a name that a power loss has emptied would need a person to remove it.
      if (!self.hasSocket) fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
  } catch (error) {
    discard(path);
    throw error;
  }
}

/** Makes the file and gives it its place in one step. Undefined where that cannot be done, for want of hard links or of room for the longer name. */
function linkWhole(path: string, self: Card): boolean | undefined {
  const unplaced = `${path}.${self.nonce.slice(0, UNPLACED_NONCE_LENGTH)}.new`;
  try {
    writeCard(unplaced, self);
  } catch {
    return undefined;
  }
  try {
    builtin<FileSystem>('node:fs').linkSync(unplaced, path);
    return true;
  } catch (error) {
    const code = codeOf(error);
    // Gone: swept by one who has the lock by now, which is to be read at `path`.
    return code === 'EEXIST' || code === 'ENOENT' ? false : undefined;
  } finally {
    discard(unplaced);
  }
}

/**
 * Makes a lock file or claim. False where there is one.
 * @throws ReadOnlyError where that is not permitted; FullError without room on the disk; IoError.
 */
export function makeLockFile(path: string, self: Card): boolean {
  if (builtin<FileSystem>('node:fs').existsSync(path)) return false;
  const isMade = linkWhole(path, self);
  if (isMade !== undefined) return isMade;
  try {
    writeCard(path, self);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw lockFileError(path, error);
  }
}

/** Removes what contenders have left that were killed before their file had its place. One that lives makes its file again, and finds who has the lock. */
export function sweepLeftOver(path: string): void {
  const fs = builtin<FileSystem>('node:fs');
  const { basename, dirname, join } = builtin<Path>('node:path');
  try {
    for (const name of fs.readdirSync(dirname(path))) {
      const place = join(dirname(path), name);
      if (name.startsWith(`${basename(path)}.`) && UNPLACED.test(name) && fs.statSync(place).size <= CARD_SIZE_MAX) discard(place);
    }
  } catch {
    // What stays is small, has a name of its own and is in nobody's way.
  }
}
