/** SQLite through better-sqlite3. */
import Database from 'better-sqlite3';
import { createRequire } from 'node:module';
import { createSubject } from './sqlite.mjs';

const { version } = createRequire(import.meta.url)('../node_modules/better-sqlite3/package.json');

export const subject = createSubject(version, (path) => {
  const db = new Database(path);
  return {
    prepare: (sql) => {
      const statement = db.prepare(sql);
      if (statement.reader) {
        // A statement gives rows or single values, as it was told last: one that does both is two.
        const single = db.prepare(sql).pluck();
        statement.raw();
        return { value: (...parameters) => single.get(...parameters), rows: (...parameters) => /** @type {any[][]} */ (statement.all(...parameters)), run: () => 0 };
      }
      return { value: () => undefined, rows: () => [], run: (...parameters) => statement.run(...parameters).changes };
    },
    execute: (sql) => { db.exec(sql); },
    close: () => { db.close(); },
  };
});
