/** What is drawn at random repeats in tests, so that whatever depends on the hash of a key does. */
import { expect, test } from 'vitest';

const drawn: string[] = [];

/** The same name is the same seed. */
for (const round of [1, 2]) {
  test('a test draws what it drew before', () => {
    drawn.push(Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex'));
    expect(drawn.length).toBe(round);
    expect(new Set(drawn).size).toBe(1);
  });
}

test('another test, and another draw, draw something else', () => {
  const draws = [0, 1].map(() => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex'));
  expect(new Set([...draws, ...drawn]).size).toBe(3);
});
