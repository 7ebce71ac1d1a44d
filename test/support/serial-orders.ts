/** Whether some serial order explains what a few transactions have found, and what they have left. It knows nothing of versions or of how a store decides: it tries the orders, one by one. */
import { INITIAL, findingOf, type Op } from './programs.js';

/** A transaction that committed, or what took place by itself. */
export interface Played {
  readonly ops: readonly Op[];
  /** What each operation found, or wrote. */
  readonly findings: readonly (number | undefined)[];
  readonly values: readonly number[];
  /** The steps at which it began and ended. */
  readonly begin: number;
  readonly end: number;
}

interface World {
  state: number[];
  hasPassed: boolean;
}

/** Values that do not live beyond the moment at which the clock moved. */
export type Brief = ReadonlySet<number>;

/** Takes one on its turn. Undefined where it would have found something else. */
function take(world: World, { ops, findings, values }: Played, brief: Brief): World | undefined {
  const view = [...world.state];
  let { hasPassed } = world;
  for (let index = 0; index < ops.length; index++) {
    const op = ops[index]!;
    if (findingOf(op, view) !== findings[index]) return undefined;
    if (op.kind === 'put' || op.kind === 'renew' || op.kind === 'cas') view[op.place] = values[index]!;
    else if (op.kind === 'delete') view[op.place] = 0;
    else if (op.kind === 'pass') hasPassed = true;
    if (op.kind === 'cas' && world.state[op.place] !== (op.expects === 'nothing' ? 0 : INITIAL[op.place])) return undefined;
  }
  return { state: hasPassed ? view.map((value) => (brief.has(value) ? 0 : value)) : view, hasPassed };
}

/** Whether the rest, in some order in which none comes before one that had ended when it began, leads from a world to a state. */
function isReachable(world: World, rest: readonly Played[], final: readonly number[], brief: Brief): boolean {
  if (rest.length === 0) return world.state.every((value, place) => value === final[place]);
  const firstEnd = Math.min(...rest.map(({ end }) => end));
  return rest.some((one) => {
    if (one.begin > firstEnd) return false;
    const next = take(world, one, brief);
    return next !== undefined && isReachable(next, rest.filter((other) => other !== one), final, brief);
  });
}

/** Whether there is a serial order, in keeping with real time, that gives every finding and the final state. */
export function hasSerialOrder(played: readonly Played[], final: readonly number[], brief: Brief): boolean {
  // Most orders are those in which they ended.
  return isReachable({ state: [...INITIAL], hasPassed: false }, played.toSorted((left, right) => left.end - right.end), final, brief);
}
