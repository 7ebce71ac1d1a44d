/**
 * SQLite, whichever library calls it. Write-ahead log; `synchronous` is NORMAL in `buffered` rows, where a crash of the machine loses the newest commits and nothing else, and FULL in `strict` ones.
 * It has one writer, whose calls block, so writes that others keep in flight are one transaction here.
 *
 * @typedef {object} Statement
 * @property {(...parameters: any[]) => any} value the first column of the first row
 * @property {(...parameters: any[]) => any[][]} rows
 * @property {(...parameters: any[]) => number} run how many rows it changed
 *
 * @typedef {object} Driver
 * @property {(sql: string) => Statement} prepare
 * @property {(sql: string) => void} execute
 * @property {() => void} close
 */

/** From this size on, values are better off outside the tree of keys. */
const LARGE = 1000;

/** @implements {import('./subject.mjs').Handle} */
export class SqliteHandle {
  /** @param {Driver} driver @param {import('./subject.mjs').Options} options */
  constructor(driver, { valueSize = 100, isVersioned = false }) {
    this.driver = driver;
    driver.execute(`CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value BLOB NOT NULL${isVersioned ? ', version INTEGER NOT NULL DEFAULT 1' : ''})${valueSize < LARGE ? ' WITHOUT ROWID' : ''}`);
    this.find = driver.prepare('SELECT value FROM entries WHERE key = ?');
    this.store = driver.prepare(isVersioned ? 'INSERT OR REPLACE INTO entries (key, value) VALUES (?, ?)' : 'REPLACE INTO entries VALUES (?, ?)');
    this.erase = driver.prepare('DELETE FROM entries WHERE key = ?');
    this.range = driver.prepare('SELECT key, value FROM entries WHERE key >= ? ORDER BY key LIMIT ?');
    this.begin = driver.prepare('BEGIN IMMEDIATE');
    this.commit = driver.prepare('COMMIT');
    if (isVersioned) {
      this.findVersion = driver.prepare('SELECT version AS value FROM entries WHERE key = ?');
      this.exchange = driver.prepare('UPDATE entries SET value = ?, version = version + 1 WHERE key = ? AND version = ?');
    }
  }

  /** @param {string} key */
  get(key) {
    return this.find.value(key);
  }

  snapshot() {
    this.driver.execute('BEGIN');
    return { get: (/** @type {string} */ key) => this.find.value(key), close: () => this.driver.execute('COMMIT') };
  }

  /** @param {string} key @param {Uint8Array} value */
  put(key, value) {
    this.store.run(key, value);
  }

  /** @param {string[]} keys @param {Uint8Array} value */
  putTogether(keys, value) {
    this.begin.run();
    for (let index = 0; index < keys.length; index++) this.store.run(keys[index], value);
    this.commit.run();
  }

  /** @param {string} key */
  remove(key) {
    this.erase.run(key);
  }

  /** @param {string[]} keys @param {Uint8Array[]} values */
  batch(keys, values) {
    this.begin.run();
    for (let index = 0; index < keys.length; index++) this.store.run(keys[index], values[index]);
    this.commit.run();
  }

  /** @param {string} key @param {(value: Uint8Array) => Uint8Array} change */
  update(key, change) {
    this.begin.run();
    this.store.run(key, change(this.find.value(key)));
    this.commit.run();
  }

  /** @param {string[]} keys @param {(value: Uint8Array) => Uint8Array} change */
  updateTogether(keys, change) {
    this.begin.run();
    for (let index = 0; index < keys.length; index++) this.store.run(keys[index], change(this.find.value(keys[index])));
    this.commit.run();
  }

  /** @param {string} key */
  version(key) {
    return this.findVersion?.value(key);
  }

  /** @param {string} key @param {number} version @param {Uint8Array} value */
  cas(key, version, value) {
    return this.exchange?.run(value, key, version) === 1;
  }

  /** @param {string} from @param {number} limit */
  fold(from, limit) {
    const rows = this.range.rows(from, limit === Infinity ? -1 : limit);
    let sum = 0;
    for (let index = 0; index < rows.length; index++) sum += rows[index][1][0] + rows[index][0].length - 16;
    return sum;
  }

  close() {
    this.driver.close();
  }
}

/**
 * @param {string} version
 * @param {(path: string) => Driver} connect
 * @returns {import('./subject.mjs').Subject}
 */
export function createSubject(version, connect) {
  return {
    version,
    how: 'prepared statements; WAL, 256 MiB of cache, mmap; buffered: synchronous NORMAL; strict: FULL',
    durabilities: ['memory', 'buffered', 'strict'],
    async open(path, durability, options = {}) {
      const driver = connect(durability === 'memory' ? ':memory:' : path);
      driver.execute('PRAGMA journal_mode = WAL');
      driver.execute(`PRAGMA synchronous = ${durability === 'strict' ? 'FULL' : 'NORMAL'}`);
      driver.execute('PRAGMA cache_size = -262144');
      driver.execute('PRAGMA mmap_size = 4294967296');
      return new SqliteHandle(driver, options);
    },
  };
}
