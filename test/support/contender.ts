/** A process that opens and closes a store when it is told to, and says what came of it. */
import { createInterface } from 'node:readline';
import { LockedError } from '../../src/errors.js';
import { open } from '../../src/open.js';
import type { Store } from '../../src/store.js';
import { sayLine } from './writer.js';

/** Every winner counts itself in the store. */
async function enter(path: string): Promise<Store> {
  const db = await open<number>(path, { memory: { initial: 1 << 20 } });
  await db.put('wins', db.get('wins')! + 1);
  return db as Store;
}

export async function contend(): Promise<void> {
  sayLine('ready');
  let db: Store | undefined;
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === 'close') {
      await db!.close();
      sayLine('closed');
      continue;
    }
    try {
      db = await enter(line.slice('open '.length));
      sayLine('opened');
    } catch (error) {
      sayLine(error instanceof LockedError ? `locked ${error.pid}` : `failed ${String(error)}`);
    }
  }
}
