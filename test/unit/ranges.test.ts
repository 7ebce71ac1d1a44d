/** Ranges with several bounds: of all that are given, the narrowest count, in whatever combination. */
import { expect, test } from 'vitest';
import { open, type Range } from '../../src/index.js';

const KEYS = ['a', 'ab', 'abc', 'abd', 'ac', 'b', 'ba', 'c'];
const BOUNDS = [undefined, 'a', 'ab', 'b'];

test('every combination of prefix, gt, gte, lt and lte is what all of them have in common', async () => {
  const db = await open(':memory:', { memory: { initial: 1 << 20 } });
  for (const key of KEYS) db.putSync(key, key);
  let count = 0;
  for (const prefix of BOUNDS) for (const gt of BOUNDS) for (const gte of BOUNDS) for (const lt of BOUNDS) for (const lte of BOUNDS) {
    const expected = KEYS.filter((key) => (prefix === undefined || key.startsWith(prefix)) && (gt === undefined || key > gt) && (gte === undefined || key >= gte) &&
      (lt === undefined || key < lt) && (lte === undefined || key <= lte));
    const given = Object.entries({ prefix, gt, gte, lt, lte }).filter(([, bound]) => bound !== undefined);
    const range = Object.fromEntries(given) as Range;
    expect([...db.keys(range)], JSON.stringify(range)).toEqual(expected);
    expect([...db.keys({ ...range, reverse: true })], JSON.stringify(range)).toEqual(expected.toReversed());
    expect(db.count(range), JSON.stringify(range)).toBe(expected.length);
    count++;
  }
  expect(count).toBe(4 ** 5);
  await db.close();
});
