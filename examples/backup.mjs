/** Backups, restoring, exports and imports: `node examples/backup.mjs` after a build. It works in a temporary folder. */
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { open, restore } from 'varve';

const folder = mkdtempSync(join(tmpdir(), 'varve-'));
const path = (name) => join(folder, name);
const db = await open(path('app.varve'), { durability: 'relaxed' });
try {
  for (let index = 0; index < 10_000; index++) db.putSync(['order', index], { amount: index * 10, at: new Date(0) });
  await db.keyspace('people').put('ada', { name: 'Ada', visits: 3n }, { ttl: 3_600_000 });

  // A copy while writers go on: it shows the store as it is when the backup begins, under the same versions.
  const backup = db.backup(path('copy.varve'), { onProgress: ({ done, total }) => { if (done === total) console.log('all of the log was looked through'); } });
  for (let index = 0; index < 1000; index++) db.putSync(['order', index], 'changed meanwhile');
  const { version, keys } = await backup;
  console.log(`${keys} keys at version ${version}, and the store is at ${db.stats().version}`);

  // The copy is a store: open it where it is, or restore it elsewhere, which checks everything first.
  await restore(path('copy.varve'), path('restored.varve'));
  const restored = await open(path('restored.varve'), { readOnly: true });
  console.log(restored.get(['order', 7]), restored.getEntry(['order', 7]).version === 8);
  await restored.close();

  // A backup can also go into a stream: a file elsewhere, a request, a compressor.
  await db.backup(Writable.toWeb(createWriteStream(path('streamed.varve'))));
  await restore(new Blob([readFileSync(path('streamed.varve'))]).stream(), path('second.varve'));

  // Lines of JSON for people and other programs; what JSON lacks has tags.
  for await (const chunk of db.export({ keyspace: 'people' })) console.log(new TextDecoder().decode(chunk).replace(/"expiresAt":\d+,/, ''));

  // Into another store: existing keys can be overwritten, skipped or refused. The compact form has checksums.
  const other = await open(':memory:');
  console.log(await other.import(db.export({ prefix: ['order'], format: 'binary' }), { existing: 'skip' }));
  await other.close();
} finally {
  await db.close();
  rmSync(folder, { recursive: true });
}
