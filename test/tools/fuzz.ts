/**
 * `npm run fuzz -- [file|key|value …] [--seconds N] [--shards K] [--seed S] [--keep] [--replay PATH]`: fuzzes the targets named, or all, each for so many seconds in so many processes.
 * `--keep` takes what was reached into `test/corpus`; `--replay` runs one file with every check, and `--keep` then keeps it there as one that once showed a bug. Ends with code 1 when something was found.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { inflateRawSync } from 'node:zlib';
import { keepCorpus, keepFinding, nameOf, readCorpus } from '../support/corpus.js';
import { Fuzzer, minimise, type Finding } from '../support/fuzzer.js';
import { TARGET_NAMES, prepare, type Prepared, type TargetName } from '../support/fuzz-targets.js';
import { Random, seedOf } from '../support/random.js';
import { inShards, send, shardOf } from '../support/shards.js';

const MINIMISE_TRIES = 2000;

interface Outcome {
  readonly executions: number;
  readonly seconds: number;
  /** Processor time, which says more than the clock on a machine that does other things. */
  readonly cpuSeconds: number;
  readonly features: number;
  readonly coverage: number;
  /** Where an input lies that found something. */
  readonly found: string | undefined;
  readonly corpus: readonly string[];
}

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '30' }, shards: { type: 'string', default: '1' }, seed: { type: 'string' }, keep: { type: 'boolean', default: false },
    replay: { type: 'string' },
  },
});
const unknown = positionals.find((name) => !TARGET_NAMES.includes(name as TargetName));
if (unknown !== undefined) throw new Error(`There is no target ${unknown}: the targets are ${TARGET_NAMES.join(', ')}.`);
const names = positionals.length === 0 ? TARGET_NAMES : (positionals as TargetName[]);
const shard = shardOf();
const seed = (options.seed === undefined ? seedOf(1) : Number(options.seed)) + 1000 * (shard?.index ?? 0);
const folder = fileURLToPath(new URL('../../build/fuzz/', import.meta.url));
mkdirSync(folder, { recursive: true });

/** Says what was found, and leaves a smaller input that still finds it. */
async function report(name: TargetName, { target }: Prepared, finding: Finding, seconds: number): Promise<string> {
  // Files keep their size: where a segment stands is part of what it means.
  const input = await minimise(target, finding, MINIMISE_TRIES, name === 'file');
  const path = `${folder}found-${name}-${nameOf(input)}`;
  writeFileSync(path, input);
  process.stdout.write(`${name}: found after ${seconds.toFixed(1)} s and ${finding.executions} executions with seed ${seed}: ${finding.error.stack ?? finding.error.message}\n` +
    `  replay with npm run fuzz -- ${name} --replay ${path}\n`);
  return path;
}

async function fuzz(name: TargetName): Promise<Outcome> {
  const prepared = await prepare(name);
  const fuzzer = new Fuzzer(prepared.target, new Random(seed));
  const began = performance.now();
  const cpu = process.cpuUsage();
  const end = began + 1000 * Number(options.seconds);
  const finding = await fuzzer.run([...readCorpus(name).values(), ...prepared.seeds], (executions) => executions % 16 === 0 && performance.now() > end);
  const used = process.cpuUsage(cpu);
  const seconds = (performance.now() - began) / 1000;
  const found = finding === undefined ? undefined : await report(name, prepared, finding, seconds);
  return {
    executions: fuzzer.executions, seconds, cpuSeconds: (used.user + used.system) / 1e6, features: fuzzer.features, coverage: fuzzer.coverage, found,
    corpus: options.keep ? fuzzer.corpus.map((input) => Buffer.from(input).toString('base64')) : [],
  };
}

async function conclude(name: TargetName, outcomes: readonly Outcome[]): Promise<void> {
  const sum = (figure: (outcome: Outcome) => number): number => outcomes.reduce((total, outcome) => total + figure(outcome), 0);
  const { counters, target } = await prepare(name, true);
  const executions = sum((outcome) => outcome.executions);
  process.stdout.write(`${name}: ${executions} executions, ${Math.round(sum(({ executions: count, seconds }) => count / seconds))} a second, ` +
    `${Math.round(executions / sum((outcome) => outcome.cpuSeconds))} a second of processor time; ${Math.max(...outcomes.map(({ features }) => features))} features, ` +
    `${Math.max(...outcomes.map(({ coverage }) => coverage))} of ${counters} counters reached\n`);
  if (!options.keep) return;
  const inputs = outcomes.flatMap(({ corpus }) => corpus.map((text) => new Uint8Array(Buffer.from(text, 'base64'))));
  process.stdout.write(`${name}: ${await keepCorpus(target, inputs)} inputs kept in test/corpus\n`);
}

/** A file of the corpus is deflated, one that was found is not. */
function inputOf(path: string): Uint8Array {
  const bytes = readFileSync(path);
  return new Uint8Array(path.includes('test/corpus/') ? inflateRawSync(bytes) : bytes);
}

async function fuzzAll(): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const name of names) outcomes.push(await fuzz(name));
  return outcomes;
}

if (options.replay !== undefined) {
  const { target } = await prepare(names[0]!, true);
  target.clear();
  const input = inputOf(options.replay);
  if (options.keep) keepFinding(names[0]!, input);
  await target.run(input);
  process.stdout.write(`${names[0]}: nothing was found\n`);
} else if (shard !== undefined) send(await fuzzAll());
else {
  const count = Number(options.shards);
  const outcomes = count > 1 ? await inShards<Outcome[]>(count) : [await fuzzAll()];
  for (const [index, name] of names.entries()) await conclude(name, outcomes.map((share) => share[index]!));
  if (outcomes.flat().some(({ found }) => found !== undefined)) process.exitCode = 1;
}
