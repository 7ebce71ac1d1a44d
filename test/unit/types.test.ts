/** The types that users see: what goes in, what comes out. Checked by the compiler, which `npm run lint` runs. */
import { expect, expectTypeOf, test } from 'vitest';
import {
  open, restore, type BackupReport, type ExchangeProgress, type ImportReport, type Latency, type RestoreReport, type CasResult, type Change, type Entry, type Key, type Keyspace, type Scan, type Store, type Transaction, type ValueCodec, type Version,
} from '../../src/index.js';
import type { StandardSchemaV1 } from '@standard-schema/spec';

interface User {
  name: string;
}

const date: StandardSchemaV1<string, Date> = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: new Date(value as string) }) } };

test('a store and its keyspaces have the types that they are given', async () => {
  const db = await open<User>(':memory:');
  expectTypeOf(db).toEqualTypeOf<Store<User>>();
  expectTypeOf(db.get('a')).toEqualTypeOf<User | undefined>();
  expectTypeOf(db.getEntry('a')).toEqualTypeOf<Entry<User> | undefined>();
  expectTypeOf(db.put).parameter(0).toEqualTypeOf<Key>();
  expectTypeOf(db.put).parameter(1).toEqualTypeOf<User>();
  expectTypeOf(db.putSync('a', { name: 'Ada' })).toEqualTypeOf<Version>();
  expectTypeOf(db.casSync('a', 0, undefined)).toEqualTypeOf<CasResult>();
  expectTypeOf(db.scan()).toEqualTypeOf<Scan<Entry<User>>>();
  expectTypeOf(db.keys()).toEqualTypeOf<Scan<Key>>();
  expectTypeOf([...db.values()]).toEqualTypeOf<User[]>();
  expectTypeOf(Array.from(db.scan(), (entry) => entry.value)).toEqualTypeOf<User[]>();
  expectTypeOf([...db.history('a')]).toEqualTypeOf<Change<User>[]>();

  const visits = db.keyspace<number, string>('visits');
  expectTypeOf(visits).toEqualTypeOf<Keyspace<number, string>>();
  expectTypeOf(visits.get).parameter(0).toEqualTypeOf<string>();
  expectTypeOf(visits.get('a')).toEqualTypeOf<number | undefined>();
  expectTypeOf([...visits.keys({ gt: 'a' })]).toEqualTypeOf<string[]>();
  // @ts-expect-error A keyspace of numbers takes no texts.
  visits.putSync('a', 'b');
  // @ts-expect-error Its keys are texts.
  visits.get(5);

  const born = db.keyspace('born', { schema: date });
  expectTypeOf(born.put).parameter(1).toEqualTypeOf<string>();
  expectTypeOf(born.get('a')).toEqualTypeOf<Date | undefined>();
  born.putSync('Ada', '1815-12-10');
  expect(born.get('Ada')).toEqual(new Date('1815-12-10'));

  const codec: ValueCodec<Date> = { encode: (date) => new TextEncoder().encode(date.toISOString()), decode: (bytes) => new Date(new TextDecoder().decode(bytes)) };
  const dates = db.keyspace('dates', { values: codec });
  expectTypeOf(dates).toEqualTypeOf<Keyspace<Date>>();
  expectTypeOf(db.keyspace('dates', { values: { encode: (date: Date) => codec.encode(date), decode: (bytes): Date => codec.decode(bytes) } }).get('a')).toEqualTypeOf<Date | undefined>();
  // @ts-expect-error A codec of dates writes no texts.
  expect(() => dates.putSync('a', 'b')).toThrow(TypeError);

  const result = await db.transact(async (tx) => {
    expectTypeOf(tx).toEqualTypeOf<Transaction<User>>();
    expectTypeOf(tx.in(visits).get('a')).toEqualTypeOf<number | undefined>();
    expectTypeOf(tx.in(born).put).parameter(1).toEqualTypeOf<string>();
    return 5 as const;
  });
  expectTypeOf(result).toEqualTypeOf<5>();
  const snapshot = db.snapshot();
  expectTypeOf(snapshot.in(visits).get('a')).toEqualTypeOf<number | undefined>();
  snapshot.close();
  const watcher = visits.watch('a', { since: 0 });
  for await (const { version, changes } of watcher) {
    expectTypeOf(version).toEqualTypeOf<Version>();
    expectTypeOf(changes).toEqualTypeOf<readonly Change<number, string>[]>();
    break;
  }
  await db.close();
});

test('backups, exports and figures have types', async () => {
  const db = await open<User>(':memory:');
  expectTypeOf(db.backup).parameter(0).toEqualTypeOf<string | WritableStream<Uint8Array>>();
  expectTypeOf(db.backup).returns.resolves.toEqualTypeOf<BackupReport>();
  expectTypeOf(restore).returns.resolves.toEqualTypeOf<RestoreReport>();
  const stream = db.export({ prefix: 'a', onProgress: (progress) => expectTypeOf(progress).toEqualTypeOf<ExchangeProgress>() });
  expectTypeOf(stream).toEqualTypeOf<ReadableStream<Uint8Array>>();
  expectTypeOf(db.import).returns.resolves.toEqualTypeOf<ImportReport>();
  // @ts-expect-error There is no such format.
  expect(() => db.export({ format: 'xml' })).toThrow();
  // @ts-expect-error A text is no source: it may be a path or the content.
  await expect(db.import('{"key":1,"value":1}')).rejects.toThrow();
  expectTypeOf(db.stats().file?.flushLatency).toEqualTypeOf<Latency | undefined>();
  expectTypeOf(db.stats().views.snapshots.oldest).toEqualTypeOf<{ readonly version: number; readonly milliseconds: number } | undefined>();
  await stream.cancel();
  await db.close();
});
