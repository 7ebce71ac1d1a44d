/**
 * Opening a store of 1,000,000 keys up to its first lookup: as its writer left it that was killed, everything written with the operating system and flushed, and as it was closed. Every opening is that of
 * a copy that owes the disk nothing and stands in the page cache, in a process that has opened one before.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createKeys, valueFor, VALUE_SIZE } from '../../harness/data.mjs';
import { mustBe } from '../../harness/measure.mjs';
import { checkValues, copyStore, remove } from './store.mjs';

/** @typedef {import('../../contest/contestant.mjs').Prepared} Prepared */

/** Fills a store in another process, which is killed or closes it. @param {string} path @param {number} count @param {'crash' | 'close'} ending */
async function load(path, count, ending) {
  const child = spawn(process.execPath, [fileURLToPath(new URL('../load.mjs', import.meta.url)), path, String(count), ending], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve(signal ?? code)));
  if (ending === 'crash') {
    await Promise.race([new Promise((resolve) => child.stdout.once('data', resolve)), ended]);
    child.kill('SIGKILL');
  }
  mustBe('how the loader ended', await ended, ending === 'crash' ? 'SIGKILL' : 0);
}

/** @param {import('./store.mjs').Context} context @param {import('./store.mjs').Subject} subject @returns {Promise<Prepared>} */
export async function reopen(context, subject) {
  const count = context.keys(1_000_000);
  const keys = createKeys(count);
  const last = keys[count - 1];
  /** @type {Prepared['works']} */
  const works = {};
  /** @type {NonNullable<Prepared['labels']>} */
  const labels = {};
  for (const ending of /** @type {const} */ (['crash', 'close'])) {
    const image = context.path('image');
    await load(image, count, ending);
    let path = '';
    /** @type {import('./store.mjs').Handle} */
    let handle;
    const name = `reopen/${ending}`;
    works[name] = {
      operations: 1,
      before: () => {
        path = context.path();
        copyStore(image, path);
      },
      run: async () => {
        handle = await subject.open(path, 'buffered');
        return handle.get(last)?.length ?? 0;
      },
      after: async (computed) => {
        mustBe('the size of the last value', computed, VALUE_SIZE);
        checkValues(handle, keys, (number) => valueFor(number));
        await handle.close();
        remove(path);
      },
    };
    labels[name] = { what: ending === 'crash' ? 'opening after a crash, to the first lookup' : 'opening after a clean close, to the first lookup', keys: count, valueSize: VALUE_SIZE, durability: 'buffered' };
  }
  return { works, labels, dispose: () => undefined };
}
