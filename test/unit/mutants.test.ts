/** The list of planted bugs cannot rot: what each replaces is there, once, and the tests that must notice it are there too. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { AREAS } from '../mutants/all.js';
import { plant, testPath, type Mutant } from '../support/mutant.js';
import { MutationLedger, type Outcome } from '../support/mutation-ledger.js';

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

test('what is known of a planted bug counts as long as nothing has changed that it tells of', () => {
  const root = mkdtempSync(join(tmpdir(), 'varve-ledger-'));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  try {
    for (const [path, text] of [['assembly/a.ts', 'a'], ['src/b.ts', 'b'], ['test/unit/one.test.ts', 'one'], ['test/unit/two.test.ts', 'two'], ['test/mutants/all.ts', 'the list']]) write(path!, text!);
    const caught: Mutant = { name: 'a-bug', breaks: ['L1'], file: 'src/b.ts', find: 'b', replace: 'x', tests: ['unit/one'] };
    const survivor: Mutant = { ...caught, name: 'another-bug', file: 'assembly/a.ts', find: 'a' };
    const all = [caught, survivor];
    const outcomeOf = ({ name }: Mutant, verdict: Outcome['verdict'], file?: string): Outcome => ({ name, verdict, file, text: 'a title', seconds: 1 });
    const known = (mutants = all): string[] => [...new MutationLedger(root).read(mutants).keys()];
    expect(known()).toEqual([]);
    const ledger = new MutationLedger(root);
    ledger.add(caught, outcomeOf(caught, 'caught', 'test/unit/one.test.ts'));
    ledger.add(survivor, outcomeOf(survivor, 'survived'));
    expect(new MutationLedger(root).read(all).get('a-bug')).toEqual(outcomeOf(caught, 'caught', 'test/unit/one.test.ts'));
    expect(known()).toEqual(['a-bug', 'another-bug']);
    expect(known([{ ...caught, replace: 'y' }]), 'another bug of that name').toEqual([]);
    write('test/mutants/all.ts', 'the list, longer');
    expect(known()).toEqual(['a-bug', 'another-bug']);
    write('test/unit/two.test.ts', 'two, and it may notice what survived');
    expect(known()).toEqual(['a-bug']);
    write('test/unit/one.test.ts', 'one, and it may notice no more');
    expect(known()).toEqual([]);
    new MutationLedger(root).add(caught, outcomeOf(caught, 'survived'));
    expect([...new MutationLedger(root).read(all)].map(([name, { verdict }]) => [name, verdict]), 'the last line counts').toEqual([['a-bug', 'survived']]);
  } finally {
    rmSync(root, { recursive: true });
  }
});
