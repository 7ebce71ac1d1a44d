/**
 * RocksDB, in the one maintained binding that installs with a build of its own. It applies a batch before its call returns and answers at the next tick; whether a write is flushed is an option of batches alone, so
 * that in strict rows each write is one. Its lookups that do not wait are those behind `getMany`, which has no documented form without a promise. There are no transactions that read, no versions, and no snapshots.
 */
import { RocksLevel } from '@nxtedition/rocksdb';
import { createRequire } from 'node:module';

const { version } = createRequire(import.meta.url)('../node_modules/@nxtedition/rocksdb/package.json');
const MEBIBYTE = 1 << 20;
/** Entries that an iterator fetches at a time. */
const FETCHED = 1000;
const NO_OPTIONS = {};

/** @implements {import('./subject.mjs').Handle} */
class RocksHandle {
  /** @param {any} db @param {boolean} isStrict */
  constructor(db, isStrict) {
    this.db = db;
    this.isStrict = isStrict;
    this.options = { sync: isStrict };
  }

  /** @param {string} key */
  get(key) {
    return this.db._getManySync([key], NO_OPTIONS)[0];
  }

  /** @param {string} key @param {Uint8Array} value */
  put(key, value) {
    return this.isStrict ? this.batch([key], [value]) : this.db.put(key, value);
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
    return this.db.del(key);
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
  how: 'no compression, 64 MiB of write buffer, 256 MiB of cache; strict: batches with sync',
  durabilities: ['buffered', 'strict'],
  open: async (path, durability) => {
    const db = new RocksLevel(path, { keyEncoding: 'utf8', valueEncoding: 'buffer' });
    await db.open({ createIfMissing: true, compression: false, memtableMemoryBudget: 64 * MEBIBYTE, cacheSize: 256 * MEBIBYTE });
    return new RocksHandle(db, durability === 'strict');
  },
};
