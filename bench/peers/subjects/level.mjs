/** LevelDB. It has no transactions that read, and no versions. */
import { ClassicLevel } from 'classic-level';
import { createRequire } from 'node:module';

const { version } = createRequire(import.meta.url)('../node_modules/classic-level/package.json');
const MEBIBYTE = 1 << 20;
/** Entries that an iterator fetches at a time. */
const FETCHED = 1000;

/** @implements {import('./subject.mjs').Handle} */
class LevelHandle {
  /** @param {ClassicLevel<string, Uint8Array>} db @param {boolean} isStrict */
  constructor(db, isStrict) {
    this.db = db;
    this.options = { sync: isStrict };
  }

  /** @param {string} key */
  get(key) {
    return this.db.getSync(key);
  }

  snapshot() {
    const snapshot = this.db.snapshot();
    return { get: (/** @type {string} */ key) => /** @type {Uint8Array} */ (this.db.getSync(key, { snapshot })), close: () => snapshot.close() };
  }

  /** @param {string} key @param {Uint8Array} value */
  put(key, value) {
    return this.db.put(key, value, this.options);
  }

  /** @param {string[]} keys @param {Uint8Array} value */
  putTogether(keys, value) {
    /** @type {Promise<void>[]} */
    const promises = [];
    for (let index = 0; index < keys.length; index++) promises.push(this.db.put(keys[index], value, this.options));
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

/** @type {import('./subject.mjs').Subject} */
export const subject = {
  version,
  how: 'no compression, 64 MiB of write buffer, 256 MiB of cache; strict: sync',
  durabilities: ['buffered', 'strict'],
  open: async (path, durability) => {
    const db = new ClassicLevel(path, { keyEncoding: 'utf8', valueEncoding: 'view', compression: false, writeBufferSize: 64 * MEBIBYTE, cacheSize: 256 * MEBIBYTE });
    await db.open();
    return new LevelHandle(db, durability === 'strict');
  },
};
