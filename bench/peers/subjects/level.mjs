/** LevelDB. It has no transactions that read, and no versions. */
import { ClassicLevel } from 'classic-level';
import { createRequire } from 'node:module';
import { AnyLevelHandle } from './level-handle.mjs';

const { version } = createRequire(import.meta.url)('../node_modules/classic-level/package.json');
const MEBIBYTE = 1 << 20;

/** @implements {import('./subject.mjs').Handle} */
class LevelHandle extends AnyLevelHandle {
  /** @param {string} key */
  get(key) {
    return this.db.getSync(key);
  }

  snapshot() {
    const snapshot = this.db.snapshot();
    return { get: (/** @type {string} */ key) => /** @type {Uint8Array} */ (this.db.getSync(key, { snapshot })), close: () => snapshot.close() };
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
