/** What the contest asks of a store, asked of varve, however it was opened. */

/** @implements {import('./subject.mjs').Handle} */
export class VarveHandle {
  /** @param {any} store */
  constructor(store) {
    this.store = store;
    this.target = new Uint8Array(1 << 16);
  }

  /** @param {string} key */
  get(key) {
    return this.store.get(key);
  }

  /** @param {string} key */
  getQuick(key) {
    this.store.getInto(key, this.target);
    return this.target;
  }

  snapshot() {
    return this.store.snapshot();
  }

  /** @param {string} key @param {Uint8Array} value */
  put(key, value) {
    return this.store.put(key, value);
  }

  /** @param {string[]} keys @param {Uint8Array} value */
  putTogether(keys, value) {
    /** @type {Promise<number>[]} */
    const promises = [];
    for (let index = 0; index < keys.length; index++) promises.push(this.store.put(keys[index], value));
    return Promise.all(promises);
  }

  /** @param {string} key */
  remove(key) {
    return this.store.delete(key);
  }

  /** @param {string[]} keys @param {Uint8Array[]} values */
  batch(keys, values) {
    const operations = [];
    for (let index = 0; index < keys.length; index++) operations.push({ type: 'put', key: keys[index], value: values[index] });
    return this.store.batch(operations);
  }

  /** @param {string} key @param {(value: Uint8Array) => Uint8Array} change */
  update(key, change) {
    return this.store.transact((/** @type {any} */ tx) => { tx.put(key, change(tx.get(key))); });
  }

  /** @param {string[]} keys @param {(value: Uint8Array) => Uint8Array} change */
  updateTogether(keys, change) {
    return Promise.all(keys.map((key) => this.update(key, change)));
  }

  /** @param {string} key */
  version(key) {
    return this.store.getEntry(key).version;
  }

  /** @param {string} key @param {number} version @param {Uint8Array} value */
  async cas(key, version, value) {
    return (await this.store.cas(key, version, value)).ok;
  }

  /** @param {string} from @param {number} limit */
  fold(from, limit) {
    let sum = 0;
    for (const { key, value } of this.store.scan(limit === Infinity ? { gte: from } : { gte: from, limit })) sum += value[0] + key.length - 16;
    return sum;
  }

  memoryBytes() {
    return this.store.stats().memory.bytes;
  }

  flush() {
    return this.store.flush();
  }

  close() {
    return this.store.close();
  }
}
