/**
 * Random concurrent histories of appends to lists, searched for cycles among their dependencies: none under serializable, real time included, and under snapshot isolation only such as write
 * skew makes, which must be seen. `npm run isolation -- --transactions N` is the long form.
 */
import { afterAll, expect, test } from 'vitest';
import { ListRuns } from '../support/list-append-runs.js';
import { seedOf } from '../support/random.js';

const seed = seedOf(7000);
const turns = new ListRuns();
const lives = new ListRuns();
let seconds = 0;

test('sessions that take turns: gets, scans, appends, cas, deletes, snapshots, up to 1,000 open at once (T1 to T17)', { timeout: 300_000 }, () => {
  const begin = performance.now();
  for (let number = 0; number < 20; number++) turns.run(seed + number);
  seconds += (performance.now() - begin) / 1000;
  const { figures } = turns;
  expect(figures.aborted, 'transactions met').toBeGreaterThan(figures.committed / 20);
  expect(figures.skews['G2-item'], 'write skew on keys happens under snapshot, and is seen (T16)').toBeGreaterThan(0);
  expect(figures.skews['G2'], 'and by ranges').toBeGreaterThan(0);
});

test('sessions that wait, with reruns and shared flushes, through power losses and deaths of the process (T1, T14, T17, L6; F-08, F-09, F-45)', { timeout: 300_000 }, async () => {
  for (let number = 0; number < 150; number++) await lives.live(seed + number);
  const { figures } = lives;
  expect(figures.crashes).toBeGreaterThan(100);
  expect(figures.unknown, 'outcomes were in doubt').toBeGreaterThan(100);
});

test('a store that forgets what was read is caught', () => {
  // What claims to be serializable and runs under snapshot isolation.
  const forgetful = new ListRuns('snapshot');
  expect(() => {
    for (let number = 0; number < 10; number++) forgetful.run(seed + number);
  }).toThrow(/G2|G-nonadjacent/);
});

afterAll(() => {
  const both = [turns.figures, lives.figures];
  const sum = (name: 'committed' | 'aborted' | 'edges' | 'histories'): number => both[0]![name] + both[1]![name];
  process.stdout.write(`list-append: ${sum('committed')} transactions committed and ${sum('aborted')} aborted in ${sum('histories')} histories, ${sum('edges')} dependencies, no cycle that is not allowed; under snapshot, of the cycles that it allows ${JSON.stringify(turns.figures.skews)} were looked at; ${Math.round(turns.figures.committed / seconds)} transactions/s all in; ${lives.figures.crashes} crashes, ${lives.figures.unknown} outcomes in doubt\n`);
});
