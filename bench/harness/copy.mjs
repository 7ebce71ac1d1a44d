/** Copies of stores, to be opened by samples that time that. */
import fs from 'node:fs';
import { join } from 'node:path';

/**
 * Copies a file, or a folder of files, so that the copy owes the disk nothing, and stands in the page cache. A store that flushes when it is opened would pay for the copy otherwise.
 * @param {string} from @param {string} to
 */
export function copyFlushed(from, to) {
  if (fs.statSync(from).isDirectory()) {
    fs.mkdirSync(to);
    for (const name of fs.readdirSync(from)) copyFlushed(join(from, name), join(to, name));
    return;
  }
  fs.copyFileSync(from, to);
  const descriptor = fs.openSync(to, 'r+');
  fs.fsyncSync(descriptor);
  fs.closeSync(descriptor);
  // A copy that shares blocks with the original, as some file systems make it, would be read from the disk.
  fs.readFileSync(to);
}
