/** A store without any memory left: sessions have taken it away, down to the smallest blocks. */
import { expect } from 'vitest';
import { FullError, type Store, type Transaction } from '../../src/index.js';
import { openInMemoryStore } from './stores.js';

const LIMIT = 1 << 20;

/** Prepares a store, takes its memory away, and runs what is then refused. Afterwards every structure must be sound, also when the memory is there again. */
export async function exhausted(segmentSize: number, prepare: (db: Store) => void, run: (db: Store, sessions: Transaction[]) => void, seed = 1): Promise<void> {
  const db = openInMemoryStore({ segmentSize, values: 'bytes', memory: { initial: LIMIT, limit: LIMIT } }, seed);
  prepare(db);
  const sessions: Transaction[] = [];
  expect(() => {
    for (;;) sessions.push(db.begin());
  }).toThrow(FullError);
  run(db, sessions);
  await db.verify();
  for (const session of sessions) session.abort();
  await db.verify();
  await db.close();
}
