/** Money that is moved, a ring that is knotted anew, a set that only grows: what holds for them holds in every transaction and every snapshot, under both levels, and after every crash. */
import { afterAll, expect, test } from 'vitest';
import { MemoryDevice } from '../../src/device/memory.js';
import type { Isolation, Transaction } from '../../src/index.js';
import { Random, seedOf } from '../support/random.js';
import { openStore } from '../support/stores.js';
import { BANK, RING, SET, type View } from '../support/workloads.js';
import { liveWithWorkload, type LifeShape, type WorkloadFigures } from '../support/workload-lives.js';

const figures: WorkloadFigures = { commits: 0, conflicts: 0, checks: 0, crashes: 0 };
const LEVELS: readonly Isolation[] = ['serializable', 'snapshot'];

async function live(workload: typeof BANK, shape: LifeShape, seed: number): Promise<void> {
  try {
    await liveWithWorkload(workload, shape, seed, figures);
  } catch (error) {
    throw new Error(`${workload.name}, ${shape.isolation}, seed ${seed} (replay with VARVE_SEED=${seed}): ${(error as Error).message}`, { cause: error });
  }
}

for (const workload of [BANK, RING, SET]) {
  test.each(LEVELS)(`${workload.name}, %s: the invariant holds for everyone who looks (T1, T3, T5, T6, T15)`, async (isolation) => {
    const before = { ...figures };
    const steps = workload === SET ? 3000 : 15_000;
    for (const sessions of [2, 5, 20, 100]) await live(workload, { isolation, sessions, steps, lives: 1 }, seedOf(100) + sessions);
    expect(figures.checks - before.checks).toBeGreaterThan(500);
    expect(figures.conflicts - before.conflicts, 'writers met').toBeGreaterThan(500);
  });

  test.each(LEVELS)(`${workload.name}, %s: and after power losses, with all that was acknowledged (T1, T14, L6; F-09, F-45)`, async (isolation) => {
    const before = { ...figures };
    for (let number = 0; number < 20; number++) await live(workload, { isolation, sessions: 6, steps: 400, lives: 4 }, seedOf(200) + number);
    expect(figures.crashes - before.crashes).toBe(60);
    expect(figures.commits - before.commits).toBeGreaterThan(500);
  });
}

test.each([BANK, RING, SET])('$name: writes that are not kept apart break it', (workload) => {
  const db = openStore(new MemoryDevice(), { durability: 'relaxed' });
  workload.prepare(db);
  // What has no transaction sees what others have half done, and writes over it.
  const apart = { get: (key: string) => db.get(key), put: (key: string, value: unknown) => db.putSync(key, value) } as unknown as Transaction;
  const random = new Random(1);
  const running = Array.from({ length: 5 }, (_, number) => workload.write(apart, random, number));
  for (let number = 5; number < 500; number++) {
    const place = random.below(5);
    if (running[place]!.next().done === true) running[place] = workload.write(apart, random, number);
  }
  for (const writer of running) while (writer.next().done !== true);
  const steps = workload.check(db as View);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  expect(step.value).toBeDefined();
});

afterAll(() => {
  process.stdout.write(`bank, ring and set: ${figures.commits} commits, ${figures.conflicts} conflicts, ${figures.checks} looks at the invariant by those who ran beside, ${figures.crashes} crashes\n`);
});
