/**
 * Crash states by the million: `npm run crash-states -- --states N [--seed S] [--shards K]`. First every sequence of up to three steps under two durability modes, then random lives, each cut off at every
 * operation, until so many images that differ were opened and examined: 1,000,000 by default, which is what CI runs, and the same command for 10^9. How far it is stands in `build/`, once a minute:
 * `--resume`, with the same seed and as many shards, goes on from there.
 *
 * What went wrong is seen again by `--seed S --life L`, or by `--sequence 'put a, reopen' --durability strict`.
 *
 * With `--flips`, damage instead: every bit of the files that `--files N` lives of the seed have left, closed in order and not, 10 by default, and so many random pairs of bits besides; every length, sector and slot.
 */
import { parseArgs } from 'node:util';
import { Workshop, noFigures, type CrashFigures } from '../support/crash-examiner.js';
import { addFigures, runLife, runSequence } from '../support/crash-run.js';
import { CrashProgress, type CrashReport } from '../support/crash-progress.js';
import { addRecoveries, noRecoveries } from '../support/crash-prober.js';
import { Damager, addDamage, makeSample, noDamage, type DamageFigures } from '../support/damage.js';
import { Random } from '../support/random.js';
import { SEQUENCE_MODES, sequences } from '../support/crash-workloads.js';
import { inShards, send, shardOf, type Shard } from '../support/shards.js';

const LENGTH_MAX = 3;
/** How often a share writes down how far it is, in milliseconds. */
const WRITE_INTERVAL = 60_000;
/** A share says how far it is whenever it has examined so many more. */
const PROGRESS = 10_000_000;

const { values: options } = parseArgs({
  options: {
    states: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    shards: { type: 'string' },
    resume: { type: 'boolean', default: false },
    life: { type: 'string' },
    sequence: { type: 'string' },
    durability: { type: 'string', default: 'strict' },
    flips: { type: 'boolean', default: false },
    files: { type: 'string', default: '10' },
  },
});
const seed = Number(options.seed);
const wanted = Number(options.states);
const grouped = (count: number): string => Math.round(count).toLocaleString('en-US');

async function runSequences(shop: Workshop, figures: CrashFigures, { index, count }: Shard): Promise<number> {
  let number = 0;
  let done = 0;
  for (let length = 0; length <= LENGTH_MAX; length++) {
    for (const names of sequences(length)) {
      for (const durability of SEQUENCE_MODES) {
        if (number++ % count !== index) continue;
        addFigures(figures, await runSequence(shop, names, durability));
        done++;
      }
    }
  }
  return done;
}

async function work(shard: Shard): Promise<CrashReport> {
  const { index, count } = shard;
  const progress = new CrashProgress(seed, shard);
  const before = options.resume ? progress.read() : undefined;
  const shop = new Workshop();
  const figures = before?.figures ?? noFigures();
  const sequenceCount = before?.sequences ?? await runSequences(shop, figures, shard);
  let lives = before?.lives ?? 0;
  const report = (): CrashReport => {
    const recoveries = noRecoveries();
    for (const one of [before?.recoveries, shop.prober.recoveries, shop.host.recoveries]) if (one !== undefined) addRecoveries(recoveries, one);
    const { user, system } = process.cpuUsage();
    return { figures, recoveries, sequences: sequenceCount, lives, processorSeconds: (before?.processorSeconds ?? 0) + (user + system) / 1e6 };
  };
  let told = figures.states + PROGRESS;
  for (let written = performance.now(); figures.states < wanted / count;) {
    addFigures(figures, await runLife(shop, seed, lives * count + index));
    lives++;
    if (performance.now() - written > WRITE_INTERVAL) {
      progress.write(report());
      written = performance.now();
    }
    if (figures.states < told) continue;
    told += PROGRESS;
    process.stderr.write(`share ${index}: ${grouped(figures.states)} states\n`);
  }
  progress.write(report());
  return report();
}

function tell(reports: readonly CrashReport[], seconds: number): void {
  const figures = noFigures();
  const recoveries = noRecoveries();
  for (const report of reports) {
    addFigures(figures, report.figures);
    addRecoveries(recoveries, report.recoveries);
  }
  const sum = (of: (report: CrashReport) => number): number => reports.reduce((total, report) => total + of(report), 0);
  process.stdout.write([
    `crash states: ${grouped(figures.states)} examined, no violation; ${grouped(figures.nested)} of them within one of ${grouped(figures.cutRecoveries)} recoveries that were cut off`,
    `  at ${grouped(figures.points)} moments, ${grouped(figures.exhausted)} of them with all subsets; with images that one life left more than once: ${grouped(figures.placed)}`,
    `  of ${grouped(sum(({ sequences: done }) => done))} sequences of up to ${LENGTH_MAX} steps, and ${grouped(sum(({ lives }) => lives))} random lives of seed ${seed}`,
    `  recoveries: ${grouped(recoveries.dropped)} cut a torn tail, ${grouped(recoveries.rewritten)} wrote an unproven one anew, ${grouped(recoveries.clean)} were clean, ${grouped(recoveries.created)} made the store again`,
    ...Object.entries(recoveries.reasons).map(([reason, count]) => `    torn because ${reason}: ${grouped(count)}`),
    `  ${grouped(figures.compared)} were opened with a fresh engine besides, and came out the same to the byte`,
    `  ${seconds.toFixed(0)} seconds; ${grouped(figures.states / sum(({ processorSeconds }) => processorSeconds))} states a second of one processor`,
    '',
  ].join('\n'));
}

/** Damages one file after another; of the bits of each, this share. */
async function damage(shard: Shard): Promise<DamageFigures> {
  Error.stackTraceLimit = 0;
  const shop = new Workshop();
  const figures = noDamage();
  for (let file = 0; file < Number(options.files); file++) {
    for (const isClosed of [true, false]) {
      const damager = new Damager(shop, await makeSample(shop, seed, file, isClosed));
      const random = new Random(seed ^ (file * shard.count + shard.index));
      damager.flipAll(shard);
      damager.flipPairs(random, 200_000 / shard.count);
      if (file % shard.count === shard.index) {
        damager.cutAll();
        damager.replaceSectors(random);
        damager.replaceSlots(await makeSample(new Workshop(), seed + 1, file, isClosed));
      }
      addDamage(figures, damager.figures);
    }
  }
  return figures;
}

function tellDamage(reports: readonly DamageFigures[], seconds: number): void {
  const figures = noDamage();
  for (const report of reports) addDamage(figures, report);
  process.stdout.write([
    `damage: ${grouped(figures.refused + figures.harmless + figures.unread + figures.torn)} times to ${grouped(2 * Number(options.files))} files of seed ${seed}, 0 silent losses, in ${seconds.toFixed(0)} seconds`,
    `  ${grouped(figures.refused)} refused, ${grouped(figures.harmless)} harmless, ${grouped(figures.unread)} where opening never looks, ${grouped(figures.torn)} cut like what a crash cuts`,
    '',
  ].join('\n'));
}

const shard = shardOf();
if (options.life !== undefined) {
  process.stdout.write(`${JSON.stringify(await runLife(new Workshop(), seed, Number(options.life)))}\n`);
} else if (options.sequence !== undefined) {
  const durability = SEQUENCE_MODES.find((mode) => mode === options.durability)!;
  process.stdout.write(`${JSON.stringify(await runSequence(new Workshop(), options.sequence.split(', '), durability))}\n`);
} else if (shard !== undefined) {
  send(options.flips ? await damage(shard) : await work(shard));
} else {
  const began = performance.now();
  const reports = await inShards<unknown>(options.shards === undefined ? undefined : Number(options.shards));
  const seconds = (performance.now() - began) / 1000;
  if (options.flips) tellDamage(reports as DamageFigures[], seconds);
  else tell(reports as CrashReport[], seconds);
}
