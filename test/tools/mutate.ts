/**
 * The test of the tests: plants bugs in a private copy of the project, one at a time, and sees whether the tests notice. `npm run mutate -- [name or area …]` examines those that are named, or
 * all. What became of each is written to `build/mutants.jsonl` at once; `--resume` goes on with what that does not know yet, or no longer. `--classic` takes those that every rig must find,
 * `--seed N` another order than the list's, `--minutes M` begins none after so long, `--wide` asks all tests about a bug that those of its entry did not notice, `--shards K` says in how many
 * processes. `--list` only prints the list, and `--report` what is known of it. Ends with code 1 where a bug survives, or a classic one took longer than a minute; with code 2 where the list itself is wrong.
 */
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { AREAS } from '../mutants/all.js';
import { plant, testPath, type Mutant } from '../support/mutant.js';
import { MutationLedger, type Outcome } from '../support/mutation-ledger.js';
import { printList, printOutcome, report } from '../support/mutation-report.js';
import { Random } from '../support/random.js';
import { inShards, send, shardOf, type Shard } from '../support/shards.js';
import { Workshop } from '../support/workshop.js';

/** After how many seconds a test file does not come back: soon, where that is expected. */
const RUN_LIMIT = 240;
const HANG_LIMIT = 40;
/** After how many seconds all tests together do not. */
const WIDE_LIMIT = 1200;
/** What looks at the text of the project, and so at every change of it, and what asks for more than the copy has. */
const APART = /^test\/(browser|runtimes|process)\/|^test\/unit\/(bench|bench-parts|documents|examples|mutants|promises|tidy|types)\.test\.ts$/;

const { values: options, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
    classic: { type: 'boolean', default: false },
    resume: { type: 'boolean', default: false },
    wide: { type: 'boolean', default: false },
    minutes: { type: 'string' },
    seed: { type: 'string' },
    shards: { type: 'string' },
  },
});
const began = performance.now();
const deadline = options.minutes === undefined ? Infinity : began + Number(options.minutes) * 60_000;

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

/** The mutants of the areas and names that were asked for: all, where none were. */
function select(): Mutant[] {
  const all = AREAS.flatMap((area) => area.mutants);
  const areas = new Map(AREAS.map((area) => [area.name, area.mutants]));
  const named = wanted.length === 0 ? all : wanted.flatMap((name) => {
    const found = areas.get(name) ?? all.filter((mutant) => mutant.name === name);
    if (found.length === 0) fail(`There is no planted bug and no area named ${name}: see --list.`);
    return found;
  });
  const chosen = options.classic ? named.filter(({ isClassic = false }) => isClassic) : [...named];
  if (options.seed !== undefined) {
    const random = new Random(Number(options.seed));
    for (let left = chosen.length; left > 1; left--) {
      const index = random.below(left);
      [chosen[left - 1], chosen[index]] = [chosen[index]!, chosen[left - 1]!];
    }
  }
  return chosen;
}

/** Plants one bug, and runs the tests that must notice it. */
async function examine(mutant: Mutant, workshop: Workshop): Promise<Outcome> {
  const { name, file, tests, only, mayHang = false } = mutant;
  workshop.write(file, plant(mutant, workshop.read(file)));
  try {
    const problem = await workshop.build(file);
    if (problem !== undefined) return { name, verdict: 'broken', file: undefined, text: `does not build: ${problem}`, seconds: 0 };
    let total = 0;
    for (const path of tests.map(testPath)) {
      const { failure, hung, passedCount, seconds } = await workshop.test([path], mayHang ? HANG_LIMIT : RUN_LIMIT, only);
      total += seconds;
      if (failure === undefined && passedCount === 0) return { name, verdict: 'broken', file: path, text: `${path} has no such test`, seconds: total };
      if (hung && !mayHang) return { name, verdict: 'broken', file: path, text: `does not come back, which it is not said to do: ${failure}`, seconds: total };
      if (failure !== undefined) return { name, verdict: 'caught', file: path, text: failure, seconds: total };
    }
    if (options.wide && mutant.changesNothing === undefined) {
      const { failure, file: path, seconds } = await workshop.test(workshop.testFiles().filter((one) => !APART.test(one)), WIDE_LIMIT);
      total += seconds;
      if (failure !== undefined) return { name, verdict: 'caught', file: path, text: failure, seconds: total };
    }
    return { name, verdict: 'survived', file: undefined, text: '', seconds: total };
  } finally {
    workshop.restore(file);
  }
}

/** Without a bug in it, the project must pass the tests that noticed one: otherwise they would seem to notice everything. */
async function checkBaseline(outcomes: readonly Outcome[], workshop: Workshop): Promise<void> {
  const files = new Set(outcomes.flatMap(({ verdict, file }) => (verdict === 'caught' && file !== undefined ? [file] : [])));
  if (files.size === 0) return;
  const { failure, file = '' } = await workshop.test([...files], WIDE_LIMIT);
  if (failure !== undefined) throw new Error(`${file} fails without any planted bug: ${failure}`);
}

/** The share of the list that this process has. */
async function examineShare(mutants: readonly Mutant[], known: ReadonlyMap<string, Outcome>, ledger: MutationLedger, { index, count }: Shard): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const workshop = await Workshop.make();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      workshop.dispose();
      process.exit(1);
    });
  }
  try {
    for (let number = index; number < mutants.length && performance.now() < deadline; number += count) {
      const mutant = mutants[number]!;
      if (known.has(mutant.name)) continue;
      const outcome = await examine(mutant, workshop);
      ledger.add(mutant, outcome);
      outcomes.push(outcome);
      printOutcome(number + 1, mutants.length, outcome);
    }
    // What an earlier run has found it may not have come to hold against this.
    await checkBaseline(index === 0 ? [...known.values(), ...outcomes] : outcomes, workshop);
  } finally {
    workshop.dispose();
  }
  return outcomes;
}

const mutants = select();
const share = shardOf();
if (options.list) printList(mutants);
else {
  const ledger = new MutationLedger();
  const known = options.resume || options.report ? ledger.read(mutants) : new Map<string, Outcome>();
  if (options.report) process.exitCode = report(AREAS, mutants, known, known.size, 0);
  else if (share !== undefined) send(await examineShare(mutants, known, ledger, share));
  else {
    const shares = await inShards<Outcome[]>(options.shards === undefined ? undefined : Number(options.shards));
    const outcomes = new Map([...known, ...shares.flat().map((outcome) => [outcome.name, outcome] as const)]);
    process.exitCode = report(AREAS, mutants, outcomes, known.size, (performance.now() - began) / 60_000);
  }
}
