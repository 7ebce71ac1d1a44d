/**
 * RocksDB, in the one maintained binding that installs with a build of its own. It applies a batch before its call returns and answers at the next tick; whether a write is flushed is an option of batches alone, so
 * that in strict rows each write is one. Its lookups that do not wait are those behind `getMany`, which has no documented form without a promise. There are no transactions that read, no versions, and no snapshots.
 */
import { RocksLevel } from '@nxtedition/rocksdb';
import { createRequire } from 'node:module';
import { AnyLevelHandle } from './level-handle.mjs';

const { version } = createRequire(import.meta.url)('../node_modules/@nxtedition/rocksdb/package.json');
const MEBIBYTE = 1 << 20;
const NO_OPTIONS = {};

/** @implements {import('./subject.mjs').Handle} */
class RocksHandle extends AnyLevelHandle {
  /** @param {string} key */
  get(key) {
    return this.db._getManySync([key], NO_OPTIONS)[0];
  }

  /** @param {string} key @param {Uint8Array} value */
  put(key, value) {
    return this.options.sync ? this.batch([key], [value]) : this.db.put(key, value);
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
