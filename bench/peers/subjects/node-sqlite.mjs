/** SQLite as Node 24 has it built in. */
import { DatabaseSync } from 'node:sqlite';
import { createSubject } from './sqlite.mjs';

export const subject = createSubject(`Node ${process.versions.node}`, (path) => {
  const db = new DatabaseSync(path);
  return {
    prepare: (sql) => {
      const statement = db.prepare(sql);
      // Rows as arrays: no object with names for each.
      statement.setReturnArrays(true);
      return {
        value: (...parameters) => /** @type {any} */ (statement.get(...parameters))?.[0],
        rows: (...parameters) => /** @type {any} */ (statement.all(...parameters)),
        run: (...parameters) => Number(statement.run(...parameters).changes),
      };
    },
    execute: (sql) => { db.exec(sql); },
    close: () => { db.close(); },
  };
});
