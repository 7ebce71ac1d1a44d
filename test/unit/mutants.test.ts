/** The list of planted bugs cannot rot: what each replaces is there, once, and the tests that must notice it are there too. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { AREAS } from '../mutants/all.js';
import { plant, testPath } from '../support/mutant.js';

const root = new URL('../../', import.meta.url);
const mutants = AREAS.flatMap((area) => area.mutants);

for (const { name, mutants: ofArea } of AREAS) {
  test(`${name}: every planted bug has its place in the source, and changes it`, () => {
    expect(ofArea.length).toBeGreaterThan(5);
    for (const mutant of ofArea) {
      const text = readFileSync(new URL(mutant.file, root), 'utf8');
      expect(plant(mutant, text), mutant.name).not.toBe(text);
    }
  });
}

test('every planted bug has a name of its own, a promise that it breaks, and tests that are there', () => {
  const names = mutants.map(({ name }) => name);
  expect(new Set([...names, ...AREAS.map(({ name }) => name)]).size).toBe(names.length + AREAS.length);
  for (const { name, breaks, tests } of mutants) {
    expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)+$/);
    expect(breaks.length, name).toBeGreaterThan(0);
    for (const id of breaks) expect(id, name).toMatch(/^(F-\d\d|[LT]\d\d?|I[1-8])$/);
    expect(tests.length, name).toBeGreaterThan(0);
    for (const file of tests) expect(existsSync(new URL(testPath(file), root)), `${name}: ${testPath(file)}`).toBe(true);
  }
});

test('a bug is planted at one place, or not at all', () => {
  const mutant = { name: 'a-name', breaks: ['L1'], file: 'file.ts', find: 'b', replace: 'x', tests: [] };
  expect(plant(mutant, 'abc')).toBe('axc');
  expect(() => plant(mutant, 'ac')).toThrow('does not hold');
  expect(() => plant(mutant, 'abb')).toThrow('more than once');
});
