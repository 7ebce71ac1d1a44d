/** What the benchmark counts with, and what it writes: verdicts, Zipf's law, plans of YCSB, floors, and the summary in the README. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** The benchmark is JavaScript without declarations. */
const part = (name: string): Promise<any> => import(new URL(`../../bench/${name}.mjs`, import.meta.url).href);

test('chance is that of fair coins', async () => {
  const { chanceOf } = await part('report/verdict');
  expect([chanceOf(0, 4), chanceOf(1, 4), chanceOf(3, 4), chanceOf(4, 4), chanceOf(5, 4)]).toEqual([1, 15 / 16, 5 / 16, 1 / 16, 0]);
});

test('a regression is one that the rounds agree on', async () => {
  const { judgePair } = await part('report/verdict');
  const steady = Array.from({ length: 15 }, () => 100);
  expect(judgePair(steady, steady.map(() => 70), true)).toMatchObject({ ratio: 0.7, isRegression: true, isFaster: false });
  expect(judgePair(steady, steady.map(() => 130), true)).toMatchObject({ isRegression: false, isFaster: true });
  expect(judgePair(steady, steady.map(() => 90), true)).toMatchObject({ isRegression: false, isFaster: false });
  // Eight rounds of fifteen are below: that is what a coin does.
  expect(judgePair(steady, steady.map((_, round) => (round < 8 ? 70 : 140)), true)).toMatchObject({ ratio: 0.7, isRegression: false });
});

test('statuses and changes have the bounds that they are described with', async () => {
  const { statusOf, compareRates } = await part('report/status');
  expect([100, 81, 60, 49].map((rate) => statusOf(rate, { ok: 100 }))).toEqual(['OK', 'MARGINAL', 'CONCERN', 'CRITICAL']);
  expect([104, 96, 110, 90, 80].map((rate) => compareRates(rate, 100).verdict)).toEqual(['noise', 'noise', 'better', 'look', 'regression']);
});

test("keys are drawn by Zipf's law", async () => {
  const { createZipfian, scatter, THETA } = await part('peers/ycsb/zipfian');
  const { createRandom } = await part('harness/data');
  const count = 1_000;
  const draws = 200_000;
  const draw = createZipfian(count, createRandom(1));
  const found = new Float64Array(count);
  for (let index = 0; index < draws; index++) found[draw()]!++;
  let zeta = 0;
  for (let rank = 1; rank <= count; rank++) zeta += 1 / rank ** THETA;
  for (const rank of [0, 1, 9, 99]) expect(found[rank]! / draws / (1 / (rank + 1) ** THETA / zeta), `rank ${rank}`).toBeCloseTo(1, rank < 2 ? 1 : 0);
  // The popular keys are no neighbours.
  const places = Array.from({ length: 100 }, (_, rank) => scatter(rank, count) as number).sort((one, other) => one - other);
  expect(new Set(places).size).toBeGreaterThan(85);
  expect(places[0]).toBeLessThan(50);
  expect(places[99]).toBeGreaterThan(950);
});

test('a plan of YCSB has the shares of its workload, and knows what its reads must find', async () => {
  const { createDraw, createLedger, createPlan, foldRecord, recordFor, WORKLOADS } = await part('peers/ycsb/plan');
  const { createRandom } = await part('harness/data');
  for (const [name, { shares }] of Object.entries(WORKLOADS) as [string, { shares: Record<string, number> }][]) {
    const random = createRandom(7);
    const plan = createPlan(name, 1_000, 10_000, createLedger(1_000), random, createDraw(1_000, random));
    for (const [kind, share] of Object.entries(shares)) expect(plan.kinds.filter((one: string) => one === kind).length / 100, `${name}: ${kind}`).toBeCloseTo(share, -1);
    // A store of arrays does what the plan says, and reads what it expects.
    const records: Uint8Array[] = Array.from({ length: 1_000 }, (_, record) => recordFor(record));
    let sum = 0;
    plan.kinds.forEach((kind: string, index: number) => {
      const record = plan.records[index] as number;
      const amount = plan.amounts[index] as number;
      if (kind === 'insert') records.push(recordFor(records.length));
      else if (kind === 'scan') for (let at = record; at < Math.min(records.length, record + amount); at++) sum += records[at]![0]!;
      else {
        sum += foldRecord(records[record]);
        if (kind !== 'read') records[record]![amount * 100]!++;
      }
    });
    expect(sum, name).toBe(plan.expected);
    expect(records.length - 1_000, name).toBe(plan.inserted);
  }
});

test('the floors in memory do what they say', async () => {
  const { copies, emptyCalls, randomReads } = await part('floors/memory');
  for (const work of [emptyCalls(100, 3), randomReads(100, 10, 1 << 16), copies(100, 116)]) {
    work.before?.();
    const computed = work.run();
    work.after(computed);
    expect(() => work.after(computed + 1)).toThrow('expected');
  }
});

test('the summary in the README is one that the command wrote', async () => {
  const { BEGIN, COLUMNS, END, ROWS } = await part('report/summary');
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  expect(begin).toBeGreaterThan(0);
  expect(end).toBeGreaterThan(begin);
  const lines = readme.slice(begin + BEGIN.length, end).trim().split('\n');
  const cells = (line: string): string[] => line.split('|').slice(1, -1).map((cell) => cell.trim());
  expect(cells(lines[0]!)).toEqual(['', ...COLUMNS]);
  const rows = lines.slice(2).filter((line) => line.startsWith('|')).map(cells);
  expect(rows.map(([name]) => name!.replace(/, [\d,]+ keys$/, ''))).toEqual(Object.values(ROWS));
  for (const [name, ...amounts] of rows) for (const amount of amounts) expect(amount, name).toMatch(/^(–|[\d.]+(\/s| [KM]\/s| [nµm]s))$/);
  expect(lines.at(-1)).toMatch(/^\d{4}-\d\d-\d\d, .* Node \d+/);
});
