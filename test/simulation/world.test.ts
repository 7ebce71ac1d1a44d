/**
 * Simulated worlds: stores live many lives on a disk that crashes, fails, fills up and decays, and at every turn hold a state that is allowed (I1 to I8; F-01, F-02, F-04 to F-10, F-20 to F-31, F-40, F-42, F-45, F-48, F-49, F-77). The seeds are
 * fixed: together they come to every rare state that there is. Each world is told twice, and must be the same. This is the short form of `npm run simulate`.
 */
import { expect, test } from 'vitest';
import { noFigures, tell, unreached } from '../support/world/figures.js';
import { explain } from '../support/world/shrink.js';
import { tellStory } from '../support/world/story.js';

/** The first worlds, and those that come to what few do. */
const SEEDS: readonly number[] = [
  ...Array.from({ length: 40 }, (_, index) => index + 1),
  56, 74, 119, 228, 276, 341, 375, 392, 441, 477, 646, 675, 735, 758, 789, 875, 879, 883, 1183, 1561, 1745, 1829, 2144, 2268, 2302,
];

const figures = noFigures();

test('stores of many worlds hold what they have promised, and a world that is told again is the same (I1 to I8, L2, L6, T17)', async () => {
  const before = process.cpuUsage();
  for (const seed of SEEDS) {
    const { failure, trace } = await tellStory(seed, figures);
    if (failure !== undefined) expect.fail(await explain(seed, failure));
    const again = await tellStory(seed, noFigures());
    expect([seed, again.failure, again.trace]).toEqual([seed, undefined, trace]);
  }
  const { user, system } = process.cpuUsage(before);
  // Half of it went into the second telling.
  figures.seconds = (user + system) / 2e6;
  process.stdout.write(tell(figures));
}, 600_000);

test('the worlds come to every rare state', () => {
  expect(unreached(figures)).toEqual([]);
});

test('another seed is another world', async () => {
  const [one, other] = [await tellStory(SEEDS[0]!, noFigures()), await tellStory(SEEDS[0]! + 1, noFigures())];
  expect(one.trace).not.toBe(other.trace);
});
