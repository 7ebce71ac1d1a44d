/** What LevelDB and RocksDB have in common from JavaScript: the methods of abstract-level. */

const MEBIBYTE = 1 << 20;
/** Entries that an iterator fetches at a time. */
const FETCHED = 1000;

export class AnyLevelHandle {
  /** @param {any} db @param {boolean} isStrict */
  constructor(db, isStrict) {
    this.db = db;
    this.options = { sync: isStrict };
  }

  /** @param {string} key @param {Uint8Array} value */
  put(key, value) {
    return this.db.put(key, value, this.options);
  }

  /** @param {string[]} keys @param {Uint8Array} value */
  putTogether(keys, value) {
    /** @type {Promise<void>[]} */
    const promises = [];
    for (let index = 0; index < keys.length; index++) promises.push(this.put(keys[index], value));
    return Promise.all(promises);
  }

  /** @param {string} key */
  remove(key) {
    return this.db.del(key, this.options);
  }

  /** @param {string[]} keys @param {Uint8Array[]} values */
  batch(keys, values) {
    return this.db.batch(keys.map((key, index) => ({ type: 'put', key, value: values[index] })), this.options);
  }

  /** @param {string} from @param {number} limit */
  async fold(from, limit) {
    const iterator = this.db.iterator({ gte: from, limit: limit === Infinity ? -1 : limit, highWaterMarkBytes: MEBIBYTE });
    let sum = 0;
    for (let entries = await iterator.nextv(FETCHED); entries.length > 0; entries = await iterator.nextv(FETCHED)) {
      for (const [key, value] of entries) sum += value[0] + key.length - 16;
    }
    await iterator.close();
    return sum;
  }

  close() {
    return this.db.close();
  }
}
