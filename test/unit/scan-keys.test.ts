/** Keys of scans, a batch at a time: where all of a batch are short texts of ASCII they are decoded as one, and must be what they would be one by one; wherever one of them is anything else, too. */
import { expect, test } from 'vitest';
import { open, type Key } from '../../src/index.js';
import { Random, seedOf } from '../support/random.js';

const COUNT = 250;
const SEED = seedOf(1);

/** Texts of 0 to 40 characters of ASCII, in order. */
function texts(seed: number): string[] {
  const random = new Random(seed);
  const found = new Set<string>(['', '\0', '\x7f']);
  while (found.size < COUNT) found.add(Array.from({ length: random.below(41) }, () => String.fromCharCode(random.below(128))).join(''));
  return [...found].toSorted((left, right) => (left < right ? -1 : 1));
}

/** Puts keys with their place as the value, and holds every way of reading them against the list. */
async function check(keys: readonly Key[], name?: string): Promise<void> {
  const db = await open(':memory:', { memory: { initial: 1 << 20 } });
  const space = name === undefined ? db : db.keyspace(name);
  for (const [index, key] of keys.entries()) space.putSync(key, index);
  expect([...space.keys()]).toEqual(keys);
  expect([...space.keys({ reverse: true })]).toEqual(keys.toReversed());
  for (const limit of [1, 3, 4, 5, 16, 17, 100, 101, 102]) expect([...space.keys({ limit })]).toEqual(keys.slice(0, limit));
  expect([...space.scan()].map(({ key, value }) => [key, value])).toEqual(keys.map((key, index) => [key, index]));
  // Batches of a transaction mix its own keys with those of the store.
  db.transactSync((tx) => {
    const view = name === undefined ? tx : tx.in(db.keyspace(name));
    for (let index = 0; index < keys.length; index += 3) view.put(keys[index]!, -index);
    expect([...view.scan()].map(({ key, value }) => [key, value])).toEqual(keys.map((key, index) => [key, index % 3 === 0 ? -index : index]));
  });
  await db.close();
}

test('keys of ASCII alone', () => check(texts(SEED + 1)));

test('keys of ASCII in a keyspace, whose name stands before each', () => check(texts(SEED + 2), 'names'));

test('one key that is anything else, at every place of a batch', async () => {
  const plain = texts(SEED + 3).filter((key) => key > 'a').slice(0, 20);
  for (let place = 0; place <= plain.length; place++) {
    const before = plain[place - 1] ?? 'a';
    for (const other of [`${before}é`, `${before}\u{1f600}`, `${before}\ud800`]) await check([...plain.slice(0, place), other, ...plain.slice(place).filter((key) => key > other)].toSorted(byCodePoint));
  }
}, 120_000);

test('keys of several types, and texts too long for one batch', async () => {
  await check([null, false, true, -1, 0, 1.5, ...texts(SEED + 4).slice(0, 30), Uint8Array.of(), Uint8Array.of(0x40, 0x61), ['a'], ['a', 1]]);
  // Not one byte of these keys is above 127, and only one of them is a text.
  await check([null, false, true, 'a', Uint8Array.of(0x41), Uint8Array.of(0x41, 0x42), ['a'], ['a', 'b']]);
  await check(Array.from({ length: 120 }, (_, index) => `${String(index).padStart(3, '0')}${'x'.repeat(index * 7)}`));
});

test('keys that a codec of the caller’s tells as texts, and a scan that goes on after the store was written to', async () => {
  const db = await open(':memory:', { memory: { initial: 1 << 20 } });
  const dates = db.keyspace<number, Date>('dates', { keys: { toKey: (key) => key.toISOString(), fromKey: (key) => new Date(key as string) } });
  const keys = Array.from({ length: COUNT }, (_, index) => new Date(Date.UTC(2026, 0, index)));
  for (const [index, key] of keys.entries()) dates.putSync(key, index);
  const seen: Date[] = [];
  for (const key of dates.keys()) {
    dates.putSync(key, -1);
    if (seen.push(key) % 50 === 0) await db.compact();
  }
  expect(seen).toEqual(keys);
  await db.close();
});

function byCodePoint(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
