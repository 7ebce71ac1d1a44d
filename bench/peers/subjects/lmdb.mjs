/**
 * LMDB. In `buffered` rows it runs with `noSync` and `useWritemap`, its fastest: a crash of the machine, not of the process, can then corrupt the file, where the others lose at most what was not flushed.
 * In `strict` rows a commit returns when it is flushed. One write at a time goes through `transactionSync`, which is several times as fast there as awaiting `put`.
 */
import { open } from 'lmdb';
import { createRequire } from 'node:module';

const { version } = createRequire(import.meta.url)('../node_modules/lmdb/package.json');

/** @implements {import('./subject.mjs').Handle} */
class LmdbHandle {
  /** @param {import('lmdb').RootDatabase<any, string>} db @param {boolean} isVersioned */
  constructor(db, isVersioned) {
    this.db = db;
    this.firstVersion = isVersioned ? 1 : undefined;
  }

  /** @param {string} key */
  get(key) {
    return this.db.get(key);
  }

  /** @param {string} key */
  getQuick(key) {
    return this.db.getBinaryFast(key);
  }

  snapshot() {
    const transaction = this.db.useReadTransaction();
    return { get: (/** @type {string} */ key) => this.db.get(key, { transaction }), close: () => transaction.done() };
  }

  /** @param {string} key @param {Uint8Array} value */
  put(key, value) {
    this.db.transactionSync(() => { this.db.put(key, value); });
  }

  /** @param {string[]} keys @param {Uint8Array} value */
  putTogether(keys, value) {
    /** @type {Promise<boolean>[]} */
    const promises = [];
    for (let index = 0; index < keys.length; index++) promises.push(this.db.put(keys[index], value));
    return Promise.all(promises);
  }

  /** @param {string} key */
  remove(key) {
    this.db.transactionSync(() => { this.db.remove(key); });
  }

  /** @param {string[]} keys @param {Uint8Array[]} values */
  batch(keys, values) {
    this.db.transactionSync(() => {
      for (let index = 0; index < keys.length; index++) this.db.put(keys[index], values[index], this.firstVersion);
    });
  }

  /** @param {string} key @param {(value: Uint8Array) => Uint8Array} change */
  update(key, change) {
    this.db.transactionSync(() => { this.db.put(key, change(this.db.get(key))); });
  }

  /** @param {string[]} keys @param {(value: Uint8Array) => Uint8Array} change */
  updateTogether(keys, change) {
    return Promise.all(keys.map((key) => this.db.transaction(() => { this.db.put(key, change(this.db.get(key))); })));
  }

  /** @param {string} key */
  version(key) {
    return /** @type {number} */ (this.db.getEntry(key)?.version);
  }

  /** @param {string} key @param {number} version @param {Uint8Array} value */
  cas(key, version, value) {
    return this.db.transactionSync(() => {
      if (this.version(key) !== version) return false;
      this.db.put(key, value, version + 1);
      return true;
    });
  }

  /** @param {string} from @param {number} limit */
  fold(from, limit) {
    let sum = 0;
    for (const { key, value } of this.db.getRange(limit === Infinity ? { start: from } : { start: from, limit })) sum += value[0] + key.length - 16;
    return sum;
  }

  async flush() {
    await this.db.flushed;
  }

  close() {
    return this.db.close();
  }
}

/** @type {import('./subject.mjs').Subject} */
export const subject = {
  version,
  how: 'buffered: noSync and useWritemap, where a crash of the machine can corrupt the file; strict: overlappingSync off',
  durabilities: ['buffered', 'strict'],
  open: async (path, durability, { isVersioned = false } = {}) => new LmdbHandle(open({
    path, encoding: 'binary', noMemInit: true, useVersions: isVersioned,
    ...(durability === 'buffered' ? { noSync: true, useWritemap: true } : { overlappingSync: false }),
  }), isVersioned),
};
