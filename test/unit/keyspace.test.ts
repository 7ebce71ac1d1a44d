/** Keyspaces: what they keep apart, what spans them, and how their values are checked. */
import { expect, test } from 'vitest';
import { InvalidArgumentError, SchemaError, open, type Key, type KeyCodec, type Store } from '../../src/index.js';
import type { StandardSchemaV1 } from '@standard-schema/spec';

async function withStore(run: (db: Store) => Promise<void> | void): Promise<void> {
  const db = await open(':memory:', { memory: { initial: 1 << 20 } });
  try {
    await run(db);
    await db.verify();
  } finally {
    await db.close();
  }
}

/** A schema that takes positive numbers, and texts of them. */
const positive: StandardSchemaV1<number | string, number> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => {
      const number = typeof value === 'string' ? Number(value) : value;
      return typeof number === 'number' && number > 0 ? { value: number } : { issues: [{ message: 'not a positive number' }] };
    },
  },
};

test('the same key in two keyspaces and in the store is three keys', () => withStore(async (db) => {
  const one = db.keyspace('one');
  const two = db.keyspace('two');
  db.putSync('key', 0);
  one.putSync('key', 1);
  await two.put('key', 2);
  expect([db.get('key'), one.get('key'), two.get('key')]).toEqual([0, 1, 2]);
  expect(await one.delete('key')).toBeGreaterThan(0);
  expect([db.get('key'), one.get('key'), two.get('key')]).toEqual([0, undefined, 2]);
  expect([...db.keys()]).toEqual(['key']);
  expect(db.count()).toBe(1);
  expect(two.getEntry('key')).toEqual({ key: 'key', value: 2, version: 3 });
  expect(two.casSync('key', 3, 5)).toMatchObject({ ok: true });
  expect(two.getMany(['key', 'other'])).toEqual([5, undefined]);
}));

test('a name that another begins with is another keyspace', () => withStore((db) => {
  for (const name of ['a', 'ab', 'a b', 'a\u0001', 'ä', 'A']) db.keyspace(name).putSync('', name);
  expect(db.keyspaces()).toEqual(['A', 'a', 'a\u0001', 'a b', 'ab', 'ä']);
  for (const name of db.keyspaces()) expect([...db.keyspace(name).scan()].map(({ key, value }) => [key, value])).toEqual([['', name]]);
  expect(db.dropKeyspaceSync('a')).toBeGreaterThan(0);
  expect(db.keyspaces()).toEqual(['A', 'a\u0001', 'a b', 'ab', 'ä']);
}));

test('dropping a keyspace is one commit, which takes its keys and no other', () => withStore(async (db) => {
  const many = db.keyspace<number>('many');
  for (let number = 0; number < 3000; number++) many.putSync(number, number);
  db.keyspace('more').putSync(1, 1);
  db.putSync('own', 1);
  using before = db.snapshot();
  const version = await db.dropKeyspace('many');
  expect([many.count(), db.keyspace('more').count(), db.count()]).toEqual([0, 1, 1]);
  expect(before.in(many).count()).toBe(3000);
  expect(before.in(many).get(2999)).toBe(2999);
  expect([...many.history(5)].map((change) => [change.deleted, change.version === version])).toEqual([[true, true], [false, false]]);
  expect(await db.dropKeyspace('many')).toBe(0);
  many.putSync('again', 1);
  expect(db.keyspaces()).toEqual(['many', 'more']);
}));

test('one batch, one transaction and one snapshot span keyspaces', () => withStore((db) => {
  const users = db.keyspace<{ name: string }>('users');
  const visits = db.keyspace<number>('visits');
  const version = db.batchSync([
    { type: 'put', key: 'count', value: 1 },
    { type: 'put', keyspace: users, key: 'ada', value: { name: 'Ada' } },
    { type: 'put', keyspace: visits, key: ['ada', 1], value: 7 },
    { type: 'delete', keyspace: visits, key: 'nothing' },
  ]);
  expect([db.getEntry('count')?.version, users.getEntry('ada')?.version, visits.getEntry(['ada', 1])?.version]).toEqual([version, version, version]);
  using snapshot = db.snapshot();
  db.transactSync((tx) => {
    tx.in(visits).put(['ada', 2], tx.in(visits).get(['ada', 1])! + 1);
    tx.in(users).delete('ada');
    expect([...tx.in(visits).values()]).toEqual([7, 8]);
    expect(tx.in(users).has('ada')).toBe(false);
  });
  expect([...visits.values()]).toEqual([7, 8]);
  expect(users.get('ada')).toBe(undefined);
  expect(snapshot.in(users).get('ada')).toEqual({ name: 'Ada' });
  expect([...snapshot.in(visits).values({ prefix: ['ada'] })]).toEqual([7]);
  const own = visits.batchSync([{ type: 'put', key: 'own', value: 1 }]);
  expect(visits.getEntry('own')?.version).toBe(own);
}));

test('keys and values have codecs of their own', () => withStore((db) => {
  const dates: KeyCodec<Date> = { toKey: (date) => date.getTime(), fromKey: (key: Key) => new Date(key as number) };
  const log = db.keyspace<string, Date>('log', { keys: dates, values: 'utf8' });
  const days = [3, 1, 2].map((day) => new Date(Date.UTC(2026, 0, day)));
  for (const day of days) log.putSync(day, day.toISOString());
  expect([...log.keys()]).toEqual([days[1], days[2], days[0]]);
  expect([...log.scan({ gt: days[1]! })].map(({ value }) => value)).toEqual([days[2]!.toISOString(), days[0]!.toISOString()]);
  expect(() => log.putSync(days[0]!, 5 as never)).toThrow("The codec 'utf8' takes a string");
}));

test('a key is asked once for what it is told as, and a tuple once for each part', () => withStore(async (db) => {
  let asked = 0;
  const counted = (value: Key): Key => {
    asked++;
    return value;
  };
  const tuple = (): Key => Object.defineProperty(['a'], 0, { get: () => counted('a'), enumerable: true }) as never;
  const told = db.keyspace<unknown, string>('told', { keys: { toKey: (key) => counted(key), fromKey: (key) => key as string } });
  const long = 'x'.repeat(60_000);
  const apart = { an: 'object' };
  const large = new Uint8Array(1 << 20);
  const asks = async (count: number, run: () => unknown): Promise<void> => {
    asked = 0;
    await run();
    expect(asked, String(run)).toBe(count);
  };
  told.putSync('a', 1);
  db.putSync(['a'], 1);
  for (const [space, key] of [[told, () => 'a'], [db, tuple], [told, () => long]] as const) {
    for (const value of ['short', apart, large, undefined]) {
      await asks(1, () => space.casSync(key() as never, 2 ** 40, value));
      if (value === undefined) continue;
      let version = 0;
      await asks(1, () => (version = space.putSync(key() as never, value)));
      await asks(1, () => expect(space.casSync(key() as never, version, value).ok).toBe(true));
      await asks(1, () => space.putSync(key() as never, value, { ttl: 1e6 }));
      await asks(1, () => space.batchSync([{ type: 'put', key: key() as never, value }]));
    }
    await asks(1, () => space.get(key() as never));
    await asks(1, () => space.watch(key() as never).return());
    await asks(1, () => space.deleteSync(key() as never));
    await asks(1, () => space.deleteSync(key() as never));
  }
  await asks(1, () => db.watch({ prefix: tuple() }).return());
  await asks(2, () => db.count({ gte: tuple(), lte: tuple() }));
  expect(db.casSync(['b'], 5, large)).toEqual({ ok: false, version: 0 });
}));

test('a schema checks what is put, and may change it', () => withStore(async (db) => {
  const numbers = db.keyspace<number, string, number | string>('numbers', { schema: positive });
  numbers.putSync('a', '12');
  expect(numbers.get('a')).toBe(12);
  expect(() => numbers.putSync('b', -1)).toThrow(SchemaError);
  await expect(numbers.put('b', -1)).rejects.toMatchObject({ code: 'VARVE_SCHEMA', issues: [{ message: 'not a positive number' }] });
  expect(() => numbers.casSync('a', 1, 'x')).toThrow(SchemaError);
  expect(() => db.batchSync([{ type: 'put', key: 1, value: 1 }, { type: 'put', keyspace: numbers, key: 'c', value: 0 }])).toThrow(SchemaError);
  expect(() => db.transactSync((tx) => tx.in(numbers).put('d', 0))).toThrow(SchemaError);
  expect([db.count(), numbers.count()]).toEqual([0, 1]);
  const late = db.keyspace('late', { schema: { '~standard': { version: 1, vendor: 'test', validate: async (value: unknown) => ({ value }) } } });
  expect(() => late.putSync('a', 1)).toThrow('checks asynchronously');
}));

test('bad names, and keyspaces of other stores, are refused', () => withStore(async (db) => {
  for (const name of ['', 'a\0', 'x'.repeat(256), '\ud800', 5 as never]) expect(() => db.keyspace(name), JSON.stringify(name)).toThrow(InvalidArgumentError);
  expect(() => db.dropKeyspaceSync('')).toThrow(InvalidArgumentError);
  const other = await open(':memory:', { memory: { initial: 1 << 20 } });
  const theirs = other.keyspace('theirs');
  expect(() => db.batchSync([{ type: 'put', keyspace: theirs, key: 1, value: 1 }])).toThrow('belongs to another store');
  expect(() => db.snapshot().in(theirs)).toThrow('belongs to another store');
  expect(() => db.begin().in({} as never)).toThrow('This is no keyspace');
  await other.close();
}));

test('a schema that makes undefined of a value neither stores it nor deletes what is there', () => withStore((db) => {
  const schema: StandardSchemaV1<string, string> = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: (value === 'nothing' ? undefined : value) as string }) } };
  const space = db.keyspace<string, Key, string>('space', { schema });
  const version = space.putSync('a', 'text');
  const writes = [() => space.putSync('a', 'nothing'), () => space.casSync('a', version, 'nothing'), () => space.batchSync([{ type: 'put', key: 'a', value: 'nothing' }]), () => db.transactSync((tx) => tx.in(space).put('a', 'nothing'))];
  for (const write of writes) expect(write).toThrow(InvalidArgumentError);
  expect(space.getEntry('a')).toEqual({ key: 'a', value: 'text', version });
}));

test('an operation of a batch is asked once for what it is', () => withStore((db) => {
  let time = 0;
  db.batchSync([{ type: 'put', key: 'a', get value(): number | undefined { return time++ === 0 ? 1 : undefined; } }]);
  expect(db.get('a')).toBe(1);
}));

test('dropping takes a name, and nothing else that could be read as one', () => withStore(async (db) => {
  db.keyspace('null').putSync('a', 1);
  for (const name of [null, undefined, 1, db.keyspace('null')]) {
    await expect(db.dropKeyspace(name as unknown as string)).rejects.toThrow(InvalidArgumentError);
    expect(() => db.dropKeyspaceSync(name as unknown as string)).toThrow(InvalidArgumentError);
  }
  expect(db.keyspaces()).toEqual(['null']);
}));
