/** Operations without a transaction, on one key each, take effect at one moment between call and answer: awaited and not, and through power losses. */
import { afterAll, expect, test } from 'vitest';
import { isLinearizable, type RegisterOp } from '../support/linearizable.js';
import { Random, seedOf } from '../support/random.js';
import { liveWithRegisters, type RegisterFigures } from '../support/register-lives.js';

const figures: RegisterFigures & { histories: number } = { operations: 0, crashes: 0, unknown: 0, histories: 0 };

test('get, put, delete and cas of one key are linearizable, through crashes too (T8, T12, T13, T15, L6; F-09, F-45)', async () => {
  const base = seedOf(8000);
  for (let seed = base; seed < base + 250; seed++) {
    for (const [key, ops] of await liveWithRegisters(new Random(seed), seed, figures)) {
      figures.histories++;
      if (!isLinearizable(ops)) throw new Error(`seed ${seed}: no order explains what key ${key} has seen (replay with VARVE_SEED=${seed}): ${JSON.stringify(ops)}`);
    }
  }
  expect(figures.crashes).toBeGreaterThan(200);
  expect(figures.unknown, 'answers that did not come').toBeGreaterThan(300);
});

const put = (value: number, invoked: number, completed: number): RegisterOp => ({ kind: 'put', value, invoked, completed });
const get = (seen: number | undefined, invoked: number, completed: number): RegisterOp => ({ kind: 'get', seen, invoked, completed });
const cas = (seen: number | undefined, value: number, ok: boolean, invoked: number, completed: number): RegisterOp => ({ kind: 'cas', seen, value, ok, invoked, completed });
const remove = (ok: boolean, invoked: number, completed: number): RegisterOp => ({ kind: 'delete', ok, invoked, completed });

test.each([
  ['a stale read', [put(1, 0, 1), put(2, 2, 3), get(1, 4, 5)]],
  ['a read of what was not written', [put(1, 0, 1), get(2, 2, 3)]],
  ['reads that go back', [put(1, 0, 9), get(1, 1, 2), get(undefined, 3, 4)]],
  ['two reads that disagree on an order', [put(1, 0, 10), put(2, 1, 11), get(1, 2, 3), get(2, 4, 5), get(1, 6, 7)]],
  ['two that win one cas', [put(1, 0, 1), cas(1, 2, true, 2, 5), cas(1, 3, true, 3, 4)]],
  ['a cas that fails without a reason', [put(1, 0, 1), cas(1, 2, false, 2, 3)]],
  ['a delete that finds nothing', [put(1, 0, 1), remove(false, 2, 3)]],
  ['a write that was answered, and is lost in a crash', [put(1, 0, 1), put(2, 2, Infinity), get(undefined, 3, 4)]],
  ['an answer that did not come, which comes and goes', [put(1, 0, 1), put(2, 2, Infinity), get(2, 3, 4), get(1, 5, 6)]],
])('recognized: %s', (_, ops) => {
  expect(isLinearizable(ops)).toBe(false);
});

test.each([
  ['nothing', []],
  ['writes beside each other, seen in either order', [put(1, 0, 10), put(2, 1, 11), get(2, 2, 3), get(1, 4, 5)]],
  ['a write that is seen before its answer', [put(1, 0, 9), get(1, 1, 2)]],
  ['contenders for one version, of whom one wins', [put(1, 0, 1), cas(1, 2, true, 2, 6), cas(1, 3, false, 3, 5), get(2, 7, 8)]],
  ['an answer that did not come, seen late', [put(1, 0, 1), put(2, 2, Infinity), get(1, 3, 4), get(2, 5, 6)]],
  ['and one that was never there', [put(1, 0, 1), cas(1, 2, true, 2, Infinity), remove(true, 3, 4), get(undefined, 5, 6)]],
])('let pass: %s', (_, ops) => {
  expect(isLinearizable(ops)).toBe(true);
});

afterAll(() => {
  process.stdout.write(`linearizability: ${figures.operations} operations in ${figures.histories} histories of one key, ${figures.crashes} crashes, ${figures.unknown} answers that did not come\n`);
});
