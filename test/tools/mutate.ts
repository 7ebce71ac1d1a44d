/**
 * The test of the tests: plants bugs in a private copy of the project, one at a time, and sees whether the tests notice. `npm run mutate -- [name or area …] [--list] [--shards K]`. Ends with
 * code 1 where a bug survives, or one of those that every rig must find within a minute took longer; with code 2 where the list itself is wrong.
 */
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { AREAS } from '../mutants/all.js';
import { plant, testPath, type Mutant } from '../support/mutant.js';
import { inShards, send, shardOf, type Shard } from '../support/shards.js';
import { Workshop } from '../support/workshop.js';

/** Within how many seconds the classic ones are to be found. */
const CLASSIC_LIMIT = 60;
/** After how many seconds a test file does not come back: soon, where that is expected. */
const RUN_LIMIT = 240;
const HANG_LIMIT = 40;
const WIDTH = 62;

interface Outcome {
  readonly name: string;
  readonly verdict: 'caught' | 'survived' | 'broken';
  /** The title of the test that noticed, or what went wrong. */
  readonly text: string;
  readonly seconds: number;
}

const { values: options, positionals: wanted } = parseArgs({
  allowPositionals: true, options: { list: { type: 'boolean', default: false }, shards: { type: 'string' } },
});

/** The mutants of the areas and names that were asked for: all, where none were. */
function select(): Mutant[] {
  const all = AREAS.flatMap((area) => area.mutants);
  if (wanted.length === 0) return all;
  const areas = new Map(AREAS.map((area) => [area.name, area.mutants]));
  return wanted.flatMap((name) => {
    const found = areas.get(name) ?? all.filter((mutant) => mutant.name === name);
    if (found.length === 0) fail(`There is no planted bug and no area named ${name}: see --list.`);
    return found;
  });
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

function list(mutants: readonly Mutant[]): void {
  for (const { name, breaks, file, tests } of mutants) process.stdout.write(`${name.padEnd(WIDTH)} ${breaks.join(' ').padEnd(16)} ${file}  ${tests.join(' ')}\n`);
}

/** Plants one bug, and runs the tests that must notice it. */
async function examine(mutant: Mutant, workshop: Workshop): Promise<Outcome> {
  const { name, file, tests, only, mayHang = false } = mutant;
  workshop.write(file, plant(mutant, workshop.read(file)));
  try {
    const problem = await workshop.build(file);
    if (problem !== undefined) return { name, verdict: 'broken', text: `does not build: ${problem}`, seconds: 0 };
    let total = 0;
    for (const test of tests) {
      const { failure, hung, passedCount, seconds } = await workshop.test(testPath(test), mayHang ? HANG_LIMIT : RUN_LIMIT, only);
      total += seconds;
      if (failure === undefined && passedCount === 0) return { name, verdict: 'broken', text: `${test} has no such test`, seconds: total };
      if (hung && !mayHang) return { name, verdict: 'broken', text: `does not come back, which it is not said to do: ${failure}`, seconds: total };
      if (failure !== undefined) return { name, verdict: 'caught', text: failure, seconds: total };
    }
    return { name, verdict: 'survived', text: '', seconds: total };
  } finally {
    workshop.restore(file);
  }
}

/** Without a bug in it, the project must pass the same tests: otherwise they would seem to notice everything. */
async function checkBaseline(file: string, workshop: Workshop): Promise<void> {
  const { failure } = await workshop.test(file, RUN_LIMIT);
  if (failure !== undefined) throw new Error(`${file} fails without any planted bug: ${failure}`);
}

/** The share of the list that this process has. */
async function examineShare(mutants: readonly Mutant[], { index, count }: Shard): Promise<Outcome[]> {
  const files = [...new Set(mutants.flatMap(({ tests }) => tests.map(testPath)))];
  const workshop = new Workshop();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      workshop.dispose();
      process.exit(1);
    });
  }
  const outcomes: Outcome[] = [];
  try {
    for (let number = index; number < files.length; number += count) await checkBaseline(files[number]!, workshop);
    for (let number = index; number < mutants.length; number += count) {
      const outcome = await examine(mutants[number]!, workshop);
      outcomes.push(outcome);
      process.stdout.write(`${String(number + 1).padStart(3)} of ${mutants.length}  ${outcome.verdict.padEnd(8)} ${outcome.seconds.toFixed(1).padStart(6)} s  ${outcome.name}\n`);
    }
  } finally {
    workshop.dispose();
  }
  return outcomes;
}

function isLate({ isClassic = false }: Mutant, { seconds }: Outcome): boolean {
  return isClassic && seconds > CLASSIC_LIMIT;
}

/** Prints the table. Returns whether everything is as it should be, by code. */
function report(mutants: readonly Mutant[], outcomes: ReadonlyMap<string, Outcome>, minutes: number): number {
  const rows = mutants.map((mutant) => ({ mutant, outcome: outcomes.get(mutant.name)! }));
  process.stdout.write(`\n${'planted bug'.padEnd(WIDTH)} ${'breaks'.padEnd(16)} ${'seconds'.padStart(7)}  noticed by\n`);
  for (const { mutant, outcome } of rows) {
    const by = outcome.verdict === 'caught' ? outcome.text : outcome.verdict.toUpperCase();
    process.stdout.write(`${`${mutant.name}${mutant.isClassic === true ? ' *' : ''}`.padEnd(WIDTH)} ${mutant.breaks.join(' ').padEnd(16)} ${outcome.seconds.toFixed(1).padStart(7)}  ${by}\n`);
  }
  const of = (verdict: Outcome['verdict']) => rows.filter(({ outcome }) => outcome.verdict === verdict);
  const harmful = of('survived').filter(({ mutant }) => mutant.changesNothing === undefined);
  const late = rows.filter(({ mutant, outcome }) => isLate(mutant, outcome));
  const times = of('caught').map(({ outcome }) => outcome.seconds).sort((left, right) => left - right);
  process.stdout.write(`\nplanted bugs: ${rows.length}, noticed ${times.length}, survived ${of('survived').length}; ` +
    `half of them within ${(times[times.length >> 1] ?? 0).toFixed(1)} s, the slowest after ${(times.at(-1) ?? 0).toFixed(1)} s; ${minutes.toFixed(1)} minutes\n`);
  for (const { mutant } of of('survived')) process.stdout.write(`survived: ${mutant.name} (${mutant.breaks.join(', ')}; ${mutant.file})${mutant.changesNothing === undefined ? '' : `, and changes nothing: ${mutant.changesNothing}`}\n`);
  for (const { mutant, outcome } of late) process.stdout.write(`took longer than ${CLASSIC_LIMIT} s (*): ${mutant.name}, ${outcome.seconds.toFixed(1)} s\n`);
  for (const { outcome } of of('broken')) process.stdout.write(`wrong in the list: ${outcome.name}: ${outcome.text}\n`);
  if (of('broken').length > 0) return 2;
  return harmful.length + late.length > 0 ? 1 : 0;
}

const mutants = select();
const share = shardOf();
if (options.list) list(mutants);
else if (share !== undefined) send(await examineShare(mutants, share));
else {
  const began = performance.now();
  const shares = await inShards<Outcome[]>(options.shards === undefined ? undefined : Number(options.shards));
  const outcomes = new Map(shares.flat().map((outcome) => [outcome.name, outcome]));
  process.exitCode = report(mutants, outcomes, (performance.now() - began) / 60_000);
}
