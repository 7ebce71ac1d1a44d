/** The store as a page reaches it: every call is a promise, and what is called in one turn crosses as one message. */
import { open } from 'varve/browser';
import { removeFile } from './subject.mjs';

/** @implements {import('./subject.mjs').Handle} */
class SharedHandle {
  /** @param {any} store */
  constructor(store) {
    this.store = store;
  }

  /** @param {string} key */
  get(key) {
    return this.store.get(key);
  }

  /** @param {string[]} keys */
  getTogether(keys) {
    return this.store.getMany(keys);
  }

  /** @param {string} key @param {Uint8Array} value */
  put(key, value) {
    return this.store.put(key, value);
  }

  /** @param {string[]} keys @param {Uint8Array} value */
  putTogether(keys, value) {
    return Promise.all(keys.map((key) => this.store.put(key, value)));
  }

  /** @param {string} key */
  remove(key) {
    return this.store.delete(key);
  }

  /** @param {string[]} keys @param {Uint8Array[]} values */
  batch(keys, values) {
    return this.store.batch(keys.map((key, index) => ({ type: 'put', key, value: values[index] })));
  }

  /** @param {string} from @param {number} limit */
  async fold(from, limit) {
    let sum = 0;
    for await (const { key, value } of this.store.scan(limit === Infinity ? { gte: from } : { gte: from, limit })) sum += value[0] + key.length - 16;
    return sum;
  }

  flush() {
    return this.store.flush();
  }

  close() {
    return this.store.close();
  }
}

/** @type {import('./subject.mjs').Subject} */
export const varveFromPage = {
  how: '`varve/browser` in a page',
  pace: 1,
  isBlocking: false,
  // Made from a file, and not from a Blob, so that the page's policy need not allow those.
  open: async (name, durability) => new SharedHandle(await open(`${name}.varve`, { durability, worker: () => new Worker('/varve-worker.js', { type: 'module' }) })),
  remove: (name) => removeFile(`${name}.varve`),
  version: () => VARVE_VERSION,
};
