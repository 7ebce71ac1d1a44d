/** IndexedDB: one object store whose keys are out of line. Every write is a transaction of its own unless it says otherwise; `relaxed` for `buffered` rows and `strict` for those are the browser's own words. */

const ENTRIES = 'entries';
/** So many entries a scan asks for at a time. */
const CHUNK = 10_000;

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const resultOf = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** @param {IDBTransaction} transaction @returns {Promise<void>} */
const endOf = (transaction) => new Promise((resolve, reject) => {
  transaction.oncomplete = () => resolve();
  transaction.onabort = () => reject(transaction.error);
});

/** @implements {import('./subject.mjs').Handle} */
class IndexedDbHandle {
  /** @param {IDBDatabase} db @param {'relaxed' | 'strict'} durability */
  constructor(db, durability) {
    this.db = db;
    this.durability = durability;
  }

  read() {
    return this.db.transaction(ENTRIES).objectStore(ENTRIES);
  }

  /** @param {(entries: IDBObjectStore) => void} change */
  write(change) {
    const transaction = this.db.transaction(ENTRIES, 'readwrite', { durability: this.durability });
    change(transaction.objectStore(ENTRIES));
    return endOf(transaction);
  }

  /** @param {string} key */
  get(key) {
    return resultOf(this.read().get(key));
  }

  /** @param {string[]} keys */
  getTogether(keys) {
    const entries = this.read();
    return Promise.all(keys.map((key) => resultOf(entries.get(key))));
  }

  /** @param {string} key @param {Uint8Array} value */
  put(key, value) {
    return this.write((entries) => entries.put(value, key));
  }

  /** @param {string[]} keys @param {Uint8Array} value */
  putTogether(keys, value) {
    return Promise.all(keys.map((key) => this.put(key, value)));
  }

  /** @param {string} key */
  remove(key) {
    return this.write((entries) => entries.delete(key));
  }

  /** @param {string[]} keys @param {Uint8Array[]} values */
  batch(keys, values) {
    return this.write((entries) => keys.forEach((key, index) => entries.put(values[index], key)));
  }

  /** @param {string} key @param {(value: Uint8Array) => Uint8Array} change */
  update(key, change) {
    return this.write((entries) => {
      const found = entries.get(key);
      found.onsuccess = () => entries.put(change(found.result), key);
    });
  }

  /** @param {string} from @param {number} limit */
  async fold(from, limit) {
    let sum = 0;
    let range = IDBKeyRange.lowerBound(from);
    for (let left = limit; left > 0;) {
      const entries = this.read();
      const count = Math.min(CHUNK, left);
      const [keys, values] = await Promise.all([resultOf(entries.getAllKeys(range, count)), resultOf(entries.getAll(range, count))]);
      for (let index = 0; index < keys.length; index++) sum += values[index][0] + /** @type {string} */ (keys[index]).length - 16;
      if (keys.length < count) break;
      range = IDBKeyRange.lowerBound(/** @type {IDBValidKey} */ (keys.at(-1)), true);
      left -= count;
    }
    return sum;
  }

  close() {
    this.db.close();
  }
}

/** @type {import('./subject.mjs').Subject} */
export const indexedDb = {
  how: 'one object store; a transaction a write: relaxed in `buffered` rows, strict in `strict` ones',
  pace: 0.02,
  isBlocking: false,
  async open(name, durability) {
    const request = indexedDB.open(name);
    request.onupgradeneeded = () => request.result.createObjectStore(ENTRIES);
    return new IndexedDbHandle(await resultOf(request), durability === 'strict' ? 'strict' : 'relaxed');
  },
  remove: (name) => resultOf(indexedDB.deleteDatabase(name)),
  version: () => 'of the browser',
};
