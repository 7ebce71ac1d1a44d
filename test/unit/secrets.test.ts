/** Errors never carry what a store holds: neither keys nor values stand in their messages, whatever went wrong with them. What a schema says of a value is the schema's, and stands apart. */
import { expect, test } from 'vitest';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { VarveError, open, type Key } from '../../src/index.js';

const SECRET = 'swordfish';

/** What an error says, with those that caused it and were made by the library. */
function said(error: unknown): string {
  if (!(error instanceof VarveError)) throw error;
  return `${error.message}\n${error.cause instanceof VarveError ? said(error.cause) : ''}`;
}

test('no message has a key or a value in it', async () => {
  const db = await open(':memory:', { memory: { initial: 1 << 20 } });
  const never: StandardSchemaV1<unknown, unknown> = { '~standard': { version: 1, vendor: 'test', validate: () => ({ issues: [{ message: 'never' }] }) } };
  const later: StandardSchemaV1<unknown, unknown> = { '~standard': { version: 1, vendor: 'test', validate: async (value) => ({ value }) } };
  const cyclic: unknown[] = [SECRET];
  cyclic.push(cyclic);
  const own = new (class Own { readonly secret = SECRET; })();
  db.putSync(SECRET, SECRET);
  const utf8 = db.keyspace('utf8', { values: 'utf8' });
  const bytes = db.keyspace('bytes', { values: 'bytes' });
  const json = db.keyspace('json', { values: 'json' });
  const packed = db.keyspace('packed', { values: 'msgpack' });
  utf8.putSync(SECRET, SECRET);
  const refusals: (() => unknown)[] = [
    () => db.keyspace('never', { schema: never }).putSync(SECRET, SECRET),
    () => db.keyspace('later', { schema: later }).putSync(SECRET, SECRET),
    () => db.putSync({ [SECRET]: SECRET } as never, 1),
    () => db.putSync([SECRET, undefined] as never, 1),
    () => db.putSync(SECRET, cyclic),
    () => db.putSync(SECRET, own),
    () => db.putSync(SECRET, { [SECRET]: () => SECRET }),
    () => db.putSync(SECRET, Symbol(SECRET)),
    () => db.putSync(SECRET.repeat(100_000), 1),
    () => db.get(SECRET.repeat(100_000)),
    () => db.casSync(SECRET, SECRET as never, SECRET),
    () => db.batchSync([{ type: SECRET as 'put', key: SECRET, value: SECRET }]),
    () => db.putSync(SECRET, SECRET, { ttl: SECRET as never }),
    () => db.putSync(SECRET, SECRET, { expiresAt: SECRET as never }),
    () => db.count({ prefix: { [SECRET]: 1 } as never }),
    () => db.count({ gte: SECRET.repeat(100_000) }),
    () => utf8.putSync(SECRET, { [SECRET]: SECRET } as never),
    () => bytes.putSync(SECRET, SECRET),
    () => json.putSync(SECRET, { toJSON: () => { throw new Error(SECRET); } }),
    () => packed.putSync(SECRET, `\ud800${SECRET}`),
    () => db.keyspace('utf8', { values: 'bytes' }).get(SECRET),
    () => db.transactSync((tx) => tx.cas(SECRET, 77, SECRET)),
    () => {
      const tx = db.begin();
      tx.put(SECRET, tx.get(SECRET));
      db.putSync(SECRET, SECRET);
      tx.commitSync();
    },
  ];
  for (const [number, refusal] of refusals.entries()) {
    let error: unknown;
    try {
      refusal();
    } catch (thrown) {
      error = thrown;
    }
    expect(error, `refusal ${number}`).toBeInstanceOf(VarveError);
    expect(said(error), `refusal ${number}`).not.toContain(SECRET);
  }
  expect([...db.keys()]).toEqual([SECRET satisfies Key]);
  await db.close();
});
