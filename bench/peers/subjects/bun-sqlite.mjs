/** SQLite as Bun has it built in. */
import { Database } from 'bun:sqlite';
import { createSubject } from './sqlite.mjs';

export const subject = createSubject(`Bun ${process.versions.bun}`, (path) => {
  const db = new Database(path);
  return {
    prepare: (sql) => {
      const statement = db.prepare(sql);
      return {
        value: (...parameters) => /** @type {any} */ (statement.get(...parameters))?.value,
        rows: (...parameters) => statement.values(...parameters),
        run: (...parameters) => statement.run(...parameters).changes,
      };
    },
    execute: (sql) => { db.run(sql); },
    close: () => { db.close(); },
  };
});
