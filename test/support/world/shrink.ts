/** The shortest way to a failure that was found: first the shortest beginning of its story, then with every step left out that it does not need. */
import { noFigures } from './figures.js';
import { tellStory, type Failure } from './story.js';

/** How often a story is told again, at most. */
const TELLINGS_MAX = 400;

export interface Shrunk {
  readonly steps: readonly number[];
  readonly failure: Failure;
  /** What happens, in words. */
  readonly tale: readonly string[];
}

/** What sort of failure it is: the beginning of what it says, without numbers and names. */
const sortOf = ({ error }: Failure): string => String(error instanceof Error ? error.message : error).replaceAll(/\d+|"[^"]*"/g, '').split(/\s+/).slice(0, 4).join(' ');

export async function shrink(seed: number, failure: Failure): Promise<Shrunk> {
  let tellings = 0;
  const sort = sortOf(failure);
  const fails = async (steps: readonly number[]): Promise<boolean> => {
    if (++tellings > TELLINGS_MAX) return false;
    const { failure: found } = await tellStory(seed, noFigures(), { only: new Set(steps) });
    return found !== undefined && sortOf(found) === sort;
  };
  let steps = Array.from({ length: failure.step + 1 }, (_, step) => step);
  // Bisection: it may miss a shorter beginning, and never gives one that does not fail.
  for (let [low, high] = [0, steps.length]; low < high;) {
    const middle = (low + high) >> 1;
    if (await fails(steps.slice(0, middle))) {
      steps = steps.slice(0, middle);
      high = middle;
    } else low = middle + 1;
  }
  for (let size = steps.length >> 1; size > 0 && tellings < TELLINGS_MAX; size >>= 1) {
    for (let from = 0; from < steps.length;) {
      const without = [...steps.slice(0, from), ...steps.slice(from + size)];
      if (await fails(without)) steps = without;
      else from += size;
    }
  }
  const last = await tellStory(seed, noFigures(), { only: new Set(steps), tells: true });
  return { steps, failure: last.failure ?? failure, tale: last.tale };
}

/** A failure in words: the seed, the steps that it takes, and what happens in them. */
export async function explain(seed: number, failure: Failure): Promise<string> {
  const { steps, failure: last, tale } = await shrink(seed, failure);
  const error = last.error instanceof Error ? last.error.stack : String(last.error);
  return `world ${seed}, step ${failure.step} (replay with npm run simulate -- --seed ${seed} --worlds 1)\nthe shortest that fails: ${steps.length} steps, ${steps.join(' ')}\n${tale.join('\n')}\n${error}`;
}
