/** How soon a page that was just loaded reads its first value: opening a store of so many records, with everything that it loads and starts for that. */
import { createKeys, firstByteFor } from '../harness/data.mjs';
import { mustBe } from '../harness/measure.mjs';
import { fill } from './rows/store.mjs';
import { indexedDb } from './subjects/indexeddb.mjs';
import { varveFromPage } from './subjects/varve-page.mjs';

/** SQLite blocks, so it is in a worker, which answers one message at a time. @type {import('./subjects/subject.mjs').Subject} */
const sqliteInWorker = {
  how: 'SQLite in a worker',
  pace: 1,
  isBlocking: false,
  version: () => '',
  async open(name) {
    const worker = new Worker('/bench-opening-worker.js', { type: 'module' });
    const call = (/** @type {string} */ method, /** @type {unknown[]} */ parameters) => new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => (data.error === undefined ? resolve(data.result) : reject(new Error(data.error)));
      worker.onerror = (event) => reject(new Error(event.message));
      worker.postMessage({ method, parameters });
    });
    await call('open', [name]);
    return {
      get: (key) => /** @type {Promise<Uint8Array>} */ (call('get', [key])),
      put: (key, value) => call('put', [key, value]),
      remove: (key) => call('remove', [key]),
      batch: (keys, values) => call('batch', [keys, values]),
      close: () => call('close', []),
    };
  },
  remove: () => undefined,
};

/** @type {Record<string, import('./subjects/subject.mjs').Subject>} */
const SUBJECTS = { varve: varveFromPage, SQLite: sqliteInWorker, IndexedDB: indexedDb };
const NAME = 'opening';

/** Makes the store. @param {string} subject @param {number} count */
export async function make(subject, count) {
  const handle = await SUBJECTS[subject].open(NAME, 'buffered');
  await fill(handle, createKeys(count));
  await handle.close();
}

/**
 * Opens the store, and reads a value. Resolves with the milliseconds of both, once all records were checked. Leaves the store as it is after an orderly end, or written to and open.
 * @param {string} subject @param {number} count @param {boolean} isClosed
 */
export async function open(subject, count, isClosed) {
  const keys = createKeys(count);
  const began = performance.now();
  const handle = await SUBJECTS[subject].open(NAME, 'buffered');
  const first = await handle.get(keys[count >> 1]);
  const milliseconds = performance.now() - began;
  mustBe('the first value', first?.[0], firstByteFor(count >> 1));
  for (let index = 0; index < count; index += 997) mustBe(`the value of ${keys[index]}`, (await handle.get(keys[index]))?.[0], firstByteFor(index));
  if (isClosed) await handle.close();
  else await handle.put(keys[0], /** @type {Uint8Array} */ (await handle.get(keys[0])));
  return milliseconds;
}
