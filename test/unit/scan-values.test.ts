/** Values of scans, a batch at a time: where they are small bytes they are copied all at once, and must be what they would be one by one, whatever stands among them, and stay so whatever the store does later. */
import { expect, test } from 'vitest';
import { open, type OpenOptions } from '../../src/index.js';
import { Random, seedOf } from '../support/random.js';

const COUNT = 120;
const SEGMENT_SIZE = 1 << 13;

/** Bytes of a size at which they are copied with others, or alone, and now and then a value of another kind, or one in parts. */
function valueOf(random: Random, index: number): unknown {
  if (index === 17) return random.bytes(3 * SEGMENT_SIZE);
  if (random.chance(0.1)) return random.pick<unknown>([`text ${index}`, index, { index }, 'é'.repeat(40), new Uint8Array(0)]);
  return random.bytes(random.pick([1, 63, 64, 65, 100, 127, 128, 129, 500]));
}

async function check(options: OpenOptions): Promise<void> {
  const random = new Random(seedOf(50));
  const db = await open(':memory:', { memory: { initial: 1 << 20 }, segmentSize: SEGMENT_SIZE, ...options });
  const expected = Array.from({ length: COUNT }, (_, index) => valueOf(random, index));
  for (const [index, value] of expected.entries()) db.putSync(index, value);
  const before = db.snapshot();
  // Two loops in turn, so that what one has copied is not what was copied last.
  const forwards = db.values()[Symbol.iterator]();
  const backwards = db.values({ reverse: true })[Symbol.iterator]();
  const [first, second]: unknown[][] = [[], []];
  for (let index = 0; index < COUNT; index++) {
    first!.push(forwards.next().value);
    second!.push(backwards.next().value);
    if (index % 4 === 0) db.putSync(index, random.bytes(100));
    if (index === 60) await db.compact();
  }
  expect(forwards.next().done).toBe(true);
  expect(backwards.next().done).toBe(true);
  expect(first).toEqual(expected);
  expect(second!.toReversed()).toEqual(expected);
  expect([...before.values()]).toEqual(expected);
  before.close();
  // A caller may write into what it was given.
  for (const value of first!) if (value instanceof Uint8Array) value.fill(0);
  expect(second!.toReversed()).toEqual(expected);
  await db.close();
}

test('values of all sizes and kinds, in shared slabs', () => check({}));

test('values of all sizes and kinds, each in a buffer of its own', async () => {
  await check({ buffers: 'own' });
  const db = await open(':memory:', { memory: { initial: 1 << 20 }, buffers: 'own' });
  for (let index = 0; index < 20; index++) db.putSync(index, new Uint8Array(100).fill(index));
  for (const { key, value } of db.scan()) expect((value as Uint8Array).buffer.byteLength, String(key)).toBe(100);
  await db.close();
});

test('values that a transaction has written itself, among those of the store', async () => {
  const db = await open(':memory:', { memory: { initial: 1 << 20 } });
  for (let index = 0; index < COUNT; index++) db.putSync(index, new Uint8Array(100).fill(1));
  db.transactSync((tx) => {
    for (let index = 0; index < COUNT; index += 2) tx.put(index, new Uint8Array(100).fill(2));
    const seen: unknown[] = [];
    for (const { key, value } of tx.scan()) {
      tx.put(key, new Uint8Array(100).fill(3));
      seen.push(value);
    }
    expect(seen).toEqual(Array.from({ length: COUNT }, (_, index) => new Uint8Array(100).fill(index % 2 === 0 ? 2 : 1)));
  });
  await db.close();
});
