/** Runs lives whose every moment is examined: each by its number, so that one that went wrong can be run again alone. */
import type { Durability } from '../../src/durability/commits.js';
import { Examiner, Workshop, type CrashFigures } from './crash-examiner.js';
import { Life } from './crash-life.js';
import { ALPHABET, Habits } from './crash-workloads.js';
import { Random } from './random.js';

/** Lives long enough to give segments up and use their slots again. */
const STEPS = 30;
const RANDOM_WATCH = { cutEvery: 199, restartEvery: 7 };
const SHORT_WATCH = { cutEvery: 61, restartEvery: 2 };

const secondSeed = (seed: number): number => Math.imul(seed, 0x9e3779b1) >>> 0;

/** The random life of a number. */
export async function runLife(shop: Workshop, seed: number, number: number): Promise<CrashFigures> {
  const random = new Random(secondSeed(seed) ^ number);
  const habits = new Habits(random);
  const life = new Life(habits.options, shop.values, shop.clock, random, habits);
  const where = `life ${number} of seed ${seed} (${life.settings.durability}; see it again with npm run crash-states -- --seed ${seed} --life ${number})`;
  const examiner = new Examiner(shop, life, RANDOM_WATCH, where, number);
  await live(examiner, async () => {
    life.open();
    for (let count = 0; count < STEPS; count++) await life.take(habits.step(shop.clock.milliseconds));
    await end(life, examiner);
  });
  return examiner.figures;
}

/** Lets a life go on to its end. What is thrown is the rule that was broken, not what the store made of it. */
async function live(examiner: Examiner, steps: () => Promise<void>): Promise<void> {
  try {
    await steps();
  } catch (error) {
    throw examiner.violation ?? error;
  }
  if (examiner.violation !== undefined) throw examiner.violation;
}

async function end(life: Life, examiner: Examiner): Promise<void> {
  await life.take({ type: 'settle' });
  examiner.examine(life.disk, 'at the end');
  await life.take({ type: 'reopen' });
}

/** A sequence of named steps, of which the last one is examined: its beginning is another sequence. */
export async function runSequence(shop: Workshop, names: readonly string[], durability: Durability): Promise<CrashFigures> {
  const life = new Life({ durability }, shop.values, shop.clock, new Random(1));
  const where = `the sequence '${names.join(', ')}' (see it again with npm run crash-states -- --sequence '${names.join(', ')}' --durability ${durability})`;
  const last = names.length - 1;
  if (last >= 0) life.open();
  for (const name of names.slice(0, Math.max(0, last))) await pass(life, name);
  const examiner = new Examiner(shop, life, SHORT_WATCH, where, 1);
  await live(examiner, async () => {
    if (last < 0) life.open();
    else await pass(life, names[last]!);
    await end(life, examiner);
  });
  return examiner.figures;
}

async function pass(life: Life, name: string): Promise<void> {
  await life.take(ALPHABET[name]!);
  await life.take({ type: 'settle' });
}

/** Adds figures up. */
export function addFigures(to: CrashFigures, figures: CrashFigures): void {
  for (const key of Object.keys(to) as (keyof CrashFigures)[]) to[key] += figures[key];
}
