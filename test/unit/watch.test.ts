/** Watching: every commit once, in order, from where one likes, and a clear end for who is too slow. */
import { expect, test } from 'vitest';
import { MemoryDevice } from '../../src/device/memory.js';
import { InvalidArgumentError, LaggedError, VersionGoneError } from '../../src/errors.js';
import type { Store } from '../../src/store.js';
import type { Watcher } from '../../src/watch.js';
import { Random, seedOf } from '../support/random.js';
import { openStore } from '../support/stores.js';

function storeOf(device = new MemoryDevice(), segmentSize = 4096): Store {
  return openStore(device, { durability: 'relaxed', segmentSize }, 1, segmentSize === 4096);
}

/** The next items, as text. */
async function take(watcher: Watcher<unknown>, count: number): Promise<string[]> {
  const items: string[] = [];
  for (let number = 0; number < count; number++) {
    const { value } = await watcher.next();
    items.push(`${value!.version}: ${value!.changes.map((change) => `${String(change.key)}${change.deleted ? ' deleted' : `=${String(change.value)}`}`).join(', ')}`);
  }
  return items;
}

test('each commit is one item, with its writes in their order', async () => {
  const db = storeOf();
  db.putSync('before', 1);
  const watcher = db.watch();
  db.putSync('a', 1);
  db.batchSync([{ type: 'put', key: 'b', value: 2 }, { type: 'put', key: 'a', value: 3 }, { type: 'delete', key: 'before' }]);
  db.transactSync((tx) => {
    tx.put('z', 1);
    tx.put('c', 1);
  });
  expect(await take(watcher, 3)).toEqual(['2: a=1', '3: b=2, a=3, before deleted', '4: z=1, c=1']);
  const waiting = take(watcher, 2);
  await db.put('d', 1);
  await db.put('e', 1);
  expect(await waiting).toEqual(['5: d=1', '6: e=1']);
  await db.close();
  expect(await watcher.next()).toEqual({ done: true, value: undefined });
});

test('only what is watched is seen: a key, a range, a keyspace', async () => {
  const db = storeOf();
  const users = db.keyspace('users');
  const watchers = [db.watch('b'), db.watch({ prefix: 'b' }), db.watch({ gte: 'c' }), users.watch(), users.watch(['b'])];
  for (const key of ['a', 'b', 'bb', 'c']) db.putSync(key, key);
  users.putSync('b', 1);
  users.putSync(['b'], 2);
  const seen = await Promise.all([take(watchers[0]!, 1), take(watchers[1]!, 2), take(watchers[2]!, 1), take(watchers[3]!, 2), take(watchers[4]!, 1)]);
  expect(seen).toEqual([['2: b=b'], ['2: b=b', '3: bb=bb'], ['4: c=c'], ['5: b=1', '6: b=2'], ['6: b=2']]);
  await db.close();
});

test('since goes back as far as the log does, also after a reopen', async () => {
  const device = new MemoryDevice();
  let db = storeOf(device);
  for (let number = 1; number <= 20; number++) db.putSync(`key${number}`, new Uint8Array(500));
  await db.close();
  db = storeOf(new MemoryDevice(device.bytes()));
  const versions: number[] = [];
  for await (const { version } of db.watch(undefined, { since: 5 })) {
    versions.push(version);
    if (version === 20) break;
  }
  expect(versions).toEqual(Array.from({ length: 15 }, (_, index) => 6 + index));
  // Overwriting the first keys again and again gives their segments up.
  for (let round = 0; round < 50; round++) for (let number = 1; number <= 20; number++) db.putSync(`key${number}`, new Uint8Array(500));
  expect(() => db.watch(undefined, { since: 5 })).toThrow(VersionGoneError);
  const current = db.stats().version;
  const latest = db.watch(undefined, { since: current - 1 });
  expect((await latest.next()).value?.version).toBe(current);
  for (const since of [-1, 0.5, current + 1, '1' as never]) expect(() => db.watch(undefined, { since })).toThrow(InvalidArgumentError);
  for (const range of [{ reverse: true }, { limit: 3 }, { from: 1 } as never]) expect(() => db.watch(range)).toThrow(InvalidArgumentError);
  await db.close();
});

test('a watch keeps what it has yet to read, up to a bound; behind it, it is told', async () => {
  const db = storeOf(new MemoryDevice(), 262_144);
  const quick = db.watch();
  const slow = db.watch();
  for (let number = 0; number < 20_000; number++) db.putSync('hot', new Uint8Array(200));
  const held = db.stats().memory.bytes;
  let count = 0;
  while (count < 20_000) {
    expect((await quick.next()).value?.version).toBe(++count);
  }
  for (let number = 0; number < 100_000; number++) db.putSync('hot', new Uint8Array(200));
  await expect((async () => {
    for (;;) await slow.next();
  })()).rejects.toThrow(LaggedError);
  expect(await slow.next()).toEqual({ done: true, value: undefined });
  await quick.return();
  expect(db.stats().memory.bytes).toBeLessThan(held + 24_000_000);
  // Nobody watches any more: the log goes back to what is live.
  for (let number = 0; number < 100; number++) db.putSync('hot', new Uint8Array(200));
  await db.flush();
  db.putSync('hot', 1);
  expect(db.stats().log.segments).toBeLessThan(5);
  await db.verify();
  await db.close();
});

test('a watch ends by its signal, by leaving its loop, and with its store', async () => {
  const db = storeOf();
  const controller = new AbortController();
  const watcher = db.watch('a', { signal: controller.signal });
  const waiting = watcher.next();
  controller.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  expect(() => db.watch('a', { signal: controller.signal })).toThrow('enough');
  db.putSync('a', 1);
  for await (const { version } of db.watch('a', { since: 0 })) {
    expect(version).toBe(1);
    break;
  }
  const last = db.watch('a');
  const end = last.next();
  await db.close();
  expect(await end).toEqual({ done: true, value: undefined });
  expect(() => db.watch('a')).toThrow('is closed');
});

test('a large value is whole for a watch that stands before it, although its segments died meanwhile', async () => {
  const db = storeOf();
  const [slow, other] = [db.watch(), db.watch()];
  db.putSync('small', 1);
  db.putSync('large', new Uint8Array(20_000).fill(7));
  // One has read the commit before, and stands before the parts; what another reads lets go of what nobody needs.
  expect((await slow.next()).value?.changes[0]?.value).toBe(1);
  for (let number = 0; number < 2; number++) await other.next();
  db.putSync('large', 0);
  for (let number = 0; number < 40; number++) db.putSync('small', new Uint8Array(300));
  await db.flush();
  await other.next();
  db.putSync('small', 2);
  await db.flush();
  expect((await slow.next()).value?.changes[0]?.value).toEqual(new Uint8Array(20_000).fill(7));
  await db.close();
});

test('whatever is written, and in whatever steps it is read, every commit is seen once and whole', async () => {
  const base = seedOf(4400);
  for (let seed = base; seed < base + 15; seed++) {
    const random = new Random(seed);
    const db = storeOf();
    const expected: { version: number; changes: [string, number | undefined][] }[] = [];
    const watchers: { watcher: Watcher<unknown>; next: number }[] = [];
    const read = async (one: (typeof watchers)[number], count: number): Promise<void> => {
      for (let steps = count; steps > 0 && one.next < expected.length; steps--) {
        const { value } = await one.watcher.next();
        const item = expected[one.next++]!;
        expect(value?.version, `seed ${seed}, commit ${one.next}`).toBe(item.version);
        expect(value?.changes.map((change) => [change.key, change.deleted ? undefined : change.value instanceof Uint8Array ? change.value[0] : change.value]).filter(([, seen]) => seen !== undefined))
          .toEqual(item.changes.filter(([, seen]) => seen !== undefined).map(([key, seen]) => [key, seen! % 256 === seen ? seen : expect.anything()]));
      }
    };
    for (let number = 0; number < 250; number++) {
      const choice = random.below(10);
      if (choice < 7) {
        // Who is further behind than the log keeps dead segments for would rightly lose its place.
        for (const one of watchers) if (expected.length - one.next > 15) await read(one, 8);
        const keys = Array.from({ length: 1 + random.below(choice === 0 ? 30 : 3) }, () => `key${random.below(8)}`);
        const values = keys.map(() => (random.chance(0.2) ? undefined : number));
        const alive = new Set(db.keys());
        const effective = keys.map((key, index): [string, number | undefined] => [key, values[index]]).filter(([key, value]) => {
          const has = alive.has(key);
          if (value === undefined) alive.delete(key);
          else alive.add(key);
          return value !== undefined || has;
        });
        const large = keys.length <= 3 && random.chance(0.1);
        const version = db.batchSync(keys.map((key, index) => (values[index] === undefined ? { type: 'delete', key } : { type: 'put', key, value: large ? new Uint8Array(6000).fill(number) : number })));
        if (version !== 0) expected.push({ version, changes: effective });
      } else if (watchers.length < 3) watchers.push({ watcher: db.watch(), next: expected.length });
      else await read(random.pick(watchers), random.below(8));
    }
    await db.close();
  }
});
