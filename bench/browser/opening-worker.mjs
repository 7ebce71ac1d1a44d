/** The worker that a page has SQLite in: runs the methods of its handle, one at a time. */
import { sqlite } from './subjects/sqlite.mjs';

/** @type {any} */
let handle;

self.onmessage = async ({ data: { method, parameters } }) => {
  try {
    if (method === 'open') handle = await sqlite.open(parameters[0], 'buffered');
    self.postMessage({ result: method === 'open' ? undefined : await handle[method](...parameters) });
  } catch (error) {
    self.postMessage({ error: String(error) });
  }
};
