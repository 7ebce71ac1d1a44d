/**
 * Every fault that a store must survive, and every promise that it makes, is named by a test: by its number, in a title or at the top of a file. A number within a span that is named counts.
 * What is not tested here says why.
 */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const folder = fileURLToPath(new URL('..', import.meta.url));

const number = (prefix: string, from: number, to: number, digits = 1): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `${prefix}${String(from + index).padStart(digits, '0')}`);

/** Crashes; damage; errors of the device; concurrency, environment and browser; all of them together. */
const FAULTS = [...number('F-', 1, 13, 2), ...number('F-', 20, 35), ...number('F-', 40, 49), ...number('F-', 60, 77)];
/** What every crash and every fault must leave; the log; transactions. */
const PROMISES = [...number('I', 1, 8), ...number('L', 1, 8), ...number('T', 1, 20)];

/** Faults that only a browser has: the tests of its device run in one, where there is one. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['F-68', 'a handle that another tab has opened'], ['F-69', 'files that the browser evicts'], ['F-70', 'the quota of an origin'],
  ['F-71', 'a page that was frozen'], ['F-72', 'what a flush does in each browser'],
]);

function testFiles(path: string): string[] {
  return readdirSync(path).flatMap((name) => {
    const inner = join(path, name);
    return statSync(inner).isDirectory() ? testFiles(inner) : name.endsWith('.test.ts') && name !== 'promises.test.ts' ? [inner] : [];
  });
}

/** The numbers that a text names, each by itself or within a span such as `F-04 to F-10`. */
function namedIn(text: string): Set<string> {
  const named = new Set(text.match(/\b(F-\d\d|[ILT]\d\d?)\b/g));
  for (const [, prefix, from, to] of text.matchAll(/\b(F-|[ILT])(\d\d?) to \1(\d\d?)\b/g)) for (const one of number(prefix!, Number(from), Number(to), prefix === 'F-' ? 2 : 1)) named.add(one);
  return named;
}

const named = new Map<string, string[]>();
for (const path of testFiles(folder)) for (const one of namedIn(readFileSync(path, 'utf8'))) named.set(one, [...(named.get(one) ?? []), path.slice(folder.length)]);

test('every fault is named by a test that meets it, or says where it is tested', () => {
  const missing = FAULTS.filter((fault) => !named.has(fault) && !ELSEWHERE.has(fault));
  expect(missing).toEqual([]);
});

test('every promise is named by a test that holds the store to it', () => {
  expect(PROMISES.filter((promise) => !named.has(promise))).toEqual([]);
});

test('no test names a fault or a promise that there is not', () => {
  const all = new Set([...FAULTS, ...PROMISES]);
  // T0 is a transaction of a history.
  expect([...named.keys()].filter((one) => !all.has(one) && one !== 'T0')).toEqual([]);
  expect([...ELSEWHERE.keys()].filter((one) => !all.has(one))).toEqual([]);
});

test('a span names all that lies in it', () => {
  expect([...namedIn('(F-08 to F-10, F-77; T9 to T11)')].sort()).toEqual(['F-08', 'F-09', 'F-10', 'F-77', 'T10', 'T11', 'T9']);
});
