/**
 * SQLite compiled to WebAssembly, on OPFS through its pool of synchronous access handles, the fastest of its ways to files. Each `buffered` write is a transaction without a flush (`synchronous` OFF), which
 * promises what the store's `buffered` does before its flush: it survives the end of the browser. `strict` is FULL.
 */
import sqlite3InitModule from '@sqlite.org/sqlite-wasm';
import { SqliteHandle } from '../../peers/subjects/sqlite.mjs';
import { POOL_FOLDER } from './subject.mjs';

let version = '';
/** @type {Promise<{ sqlite3: any, pool: any }> | undefined} */
let loading;

/** One pool a worker: its files are its own. */
function load() {
  loading ??= (async () => {
    const sqlite3 = await sqlite3InitModule();
    return { sqlite3, pool: await sqlite3.installOpfsSAHPoolVfs({ directory: POOL_FOLDER, initialCapacity: 8 }) };
  })();
  return loading;
}

/** A prepared statement of the object interface. @param {any} db @returns {(sql: string) => import('../../peers/subjects/sqlite.mjs').Statement} */
const preparing = (db) => (sql) => {
  const statement = db.prepare(sql);
  const bind = (/** @type {any[]} */ parameters) => (parameters.length === 0 ? statement : statement.bind(parameters));
  return {
    value(...parameters) {
      const value = bind(parameters).step() ? statement.get(0) : undefined;
      statement.reset();
      return value;
    },
    rows(...parameters) {
      bind(parameters);
      const rows = [];
      while (statement.step()) rows.push([statement.get(0), statement.get(1)]);
      statement.reset();
      return rows;
    },
    run(...parameters) {
      bind(parameters).stepReset();
      return db.changes();
    },
  };
};

/** @type {import('./subject.mjs').Subject} */
export const sqlite = {
  how: '`opfs-sahpool`; prepared statements, WAL, 256 MiB of cache, exclusive locking; buffered: synchronous OFF; strict: FULL',
  pace: 0.1,
  isBlocking: true,
  async open(name, durability) {
    const { sqlite3, pool } = await load();
    version = sqlite3.version.libVersion;
    const db = new pool.OpfsSAHPoolDb(`/${name}`);
    // The pool has no shared memory: its write-ahead log, which is faster than every other journal here, takes a lock that is kept.
    db.exec('PRAGMA locking_mode = EXCLUSIVE');
    db.exec('PRAGMA journal_mode = WAL');
    db.exec(`PRAGMA synchronous = ${durability === 'strict' ? 'FULL' : 'OFF'}`);
    db.exec('PRAGMA cache_size = -262144');
    return new SqliteHandle({ prepare: preparing(db), execute: (sql) => db.exec(sql), close: () => db.close() }, {});
  },
  async remove(name) {
    (await load()).pool.unlink(`/${name}`);
  },
  version: () => version,
};

