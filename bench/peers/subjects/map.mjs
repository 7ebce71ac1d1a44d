/** The plain `Map`: what a lookup and a write cost that promise nothing. It gives back the bytes that it holds, and keeps a copy of those that it is given. */

/** @implements {import('./subject.mjs').Handle} */
class MapHandle {
  /** @type {Map<string, Uint8Array>} */
  map = new Map();

  /** @param {string} key */
  get(key) {
    return this.map.get(key);
  }

  /** @param {string} key @param {Uint8Array} value */
  put(key, value) {
    this.map.set(key, value.slice());
  }

  /** @param {string} key */
  remove(key) {
    this.map.delete(key);
  }

  close() {
    this.map.clear();
  }
}

/** @type {import('./subject.mjs').Subject} */
export const subject = { version: process.version, how: 'in memory, whatever the row says', durabilities: ['memory', 'buffered'], open: async () => new MapHandle() };
