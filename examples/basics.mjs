/** The API in one page: `node examples/basics.mjs` after a build. It works in a temporary folder, and leaves the rest to the README. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open, VarveError } from 'varve';

const folder = mkdtempSync(join(tmpdir(), 'varve-'));
const db = await open(join(folder, 'basics.varve'), { durability: 'strict' });
try {
  // A put resolves with its version when it is flushed. Reads are synchronous.
  const version = await db.put('user:1', { name: 'Ada', born: new Date('1815-12-10'), tags: new Set(['math']) });
  console.log(db.get('user:1'), db.has('user:2'), db.get('user:2'));

  // cas writes only over the version that it expects; 0 means that the key must not exist.
  const won = await db.cas('user:1', version, { name: 'Ada Lovelace' });
  const lost = await db.cas('user:1', version, { name: 'Ada Byron' });
  console.log(won.ok, lost.ok, lost.version === won.version);

  // Keys are also numbers, bigints, booleans, null, bytes, and tuples of all of these.
  await db.put(['order', 2026, 11n, true], 'paid');
  console.log(db.getEntry(['order', 2026, 11n, true]));

  // A batch is one commit: all of it or nothing, under one version.
  await db.batch([
    { type: 'put', key: 'a', value: 1 },
    { type: 'put', key: 'b', value: new Uint8Array([1, 2, 3]) },
    { type: 'delete', key: 'user:1' },
  ]);
  console.log(db.getMany(['a', 'b', 'user:1']));

  // Many writers share one flush.
  await Promise.all(Array.from({ length: 1000 }, (_, number) => db.put(['reading', number], Math.sqrt(number))));
  console.log(db.stats().keys, 'keys');

  // Every error has a stable code, and says what to do.
  try {
    await db.put(Number.NaN, 'nowhere');
  } catch (error) {
    if (!(error instanceof VarveError)) throw error;
    console.log(error.code);
  }

  // The synchronous forms, and deletes: 0 says that there was nothing.
  db.putSync('count', 1);
  console.log(db.deleteSync('count') > 0, db.deleteSync('count'));

  // Under strict an awaited write is flushed already. flush() is for the other modes, and for writes that nobody awaits.
  const written = db.put('last', 'words');
  await db.flush();
  console.log(await written === db.stats().version, db.stats().log.pendingBytes);
} finally {
  await db.close();
  rmSync(folder, { recursive: true });
}
