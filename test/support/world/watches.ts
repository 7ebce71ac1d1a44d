/** Watches of a simulated world: each must give exactly the commits to what it watches, in order, and say so when it has lost its place. */
import { LaggedError, PoisonedError, VersionGoneError } from '../../../src/errors.js';
import type { Commit as Watched, Watcher } from '../../../src/watch.js';
import type { Random } from '../random.js';
import { KEYS, SPACES, drawRange, keyOf, slotOf, slotText, type Span } from './keys.js';
import type { Change, Commit } from './ledger.js';
import type { Life } from './life.js';
import { must } from './must.js';
import { drain } from './time.js';
import { isSame } from './values.js';

/** A watch keeps dead segments, but no more than so many. */
const KEPT_COUNT = 64;

export interface Watch {
  readonly watcher: Watcher<unknown>;
  readonly space: number;
  readonly span: Span;
  readonly controller: AbortController;
  /** The index of the next commit that it has to look at. */
  next: number;
  /** The one at which the store's own place is, at least: that of a watch which nobody asks does not move. */
  place: number;
  /** A call of `next` that waits for a commit. */
  waiting: Promise<IteratorResult<Watched<unknown>, undefined>> | undefined;
}

export function openWatch(life: Life, random: Random): void {
  if (life.watches.length > 3) return;
  const { ledger, setup } = life.world;
  const space = random.below(SPACES.length);
  const collection = life.collections[space]!;
  const index = random.below(KEYS.length);
  const drawn = drawRange(random);
  const { reverse: _reverse, limit: _limit, ...range } = drawn.range;
  const [target, span] = random.pick([[undefined, { from: 0, to: KEYS.length }], [KEYS[index], { from: index, to: index + 1 }], [range, drawn.span]] as const);
  const commit = random.chance(0.4) && ledger.commits.length > 0 ? ledger.commits[Math.max(0, ledger.commits.length - 1 - random.below(30))] : undefined;
  const controller = new AbortController();
  try {
    const watcher = collection.watch(target as never, { signal: controller.signal, ...(commit === undefined ? {} : { since: commit.version }) }) as Watcher<unknown>;
    if (commit !== undefined && commit.version < ledger.version) life.world.reach('watch from the past');
    const next = commit === undefined ? ledger.commits.length : ledger.indexOf(commit.version) + 1;
    life.watches.push({ watcher, space, span, controller, next, place: next, waiting: undefined });
  } catch (error) {
    if (!(error instanceof VersionGoneError)) throw error;
    must(commit !== undefined && commit.version < ledger.version && (setup.history !== 'all' || life.world.hasCrashed || ledger.hasWrittenTwice || ledger.isCompacted), () => `the commits since version ${commit?.version ?? 'now'} are gone`);
  }
}

/** What a watch must show of a commit. */
function changesFor({ space, span }: Watch, commit: Commit): Change[] {
  return commit.changes.filter(({ slot }) => slot >= slotOf(space, span.from) && slot < slotOf(space, span.to));
}

/** The next commit that a watch must show, or undefined. */
function nextCommit(life: Life, watch: Watch): Commit | undefined {
  const { commits } = life.world.ledger;
  while (watch.next < commits.length && changesFor(watch, commits[watch.next]!).length === 0) watch.next++;
  return commits[watch.next];
}

function checkItem(life: Life, watch: Watch, commit: Commit, { done, value }: IteratorResult<Watched<unknown>, undefined>): void {
  const where = `a watch at commit ${commit.version}`;
  must(done !== true && value !== undefined && value.version === commit.version, () => `${where} shows ${value?.version ?? 'its end'}`);
  const expected = changesFor(watch, commit);
  life.world.ledger.checkTime(commit, value.time);
  must(value.changes.length === expected.length, () => `${where} shows ${value.changes.length} changes instead of ${expected.length}`);
  for (const [index, change] of value.changes.entries()) {
    const one = expected[index]!;
    const isRight = isSame(change.key, keyOf(one.slot)) && isSame(change.value, one.value) && change.deleted === (one.value === undefined) && change.version === commit.version && change.time === value.time;
    must(isRight, () => `${where} shows another change of ${slotText(one.slot)}`);
  }
  watch.next++;
  watch.place = watch.next;
}

/** Whether compaction has moved anything; a store that is closed does not tell. */
function hasMoved(life: Life): boolean {
  try {
    return life.db.stats().compaction.movedBytes > 0;
  } catch {
    return true;
  }
}

/** Whether a watch is so far behind that what others have yet to read may have left the log: together they keep no more than one may, and what compaction moves is as much more. */
function mayHaveLagged(life: Life): boolean {
  const { commits, isCompacted } = life.world.ledger;
  if (isCompacted || hasMoved(life)) return true;
  const place = Math.min(...life.watches.map((watch) => watch.place));
  let behind = 0;
  for (let index = Math.max(0, place - 1); index < commits.length; index++) behind += commits[index]!.size;
  return behind > (KEPT_COUNT / 2) * life.world.setup.segmentSize;
}

function forget(life: Life, watch: Watch): void {
  life.watches.splice(life.watches.indexOf(watch), 1);
}

export async function readWatch(life: Life, random: Random): Promise<void> {
  if (life.watches.length === 0) return;
  const watch = random.pick(life.watches);
  for (let steps = 1 + random.below(8); steps > 0; steps--) {
    const commit = nextCommit(life, watch);
    if (commit === undefined) {
      // It waits for one that is to come.
      if (watch.waiting !== undefined) return;
      watch.waiting = watch.watcher.next();
      watch.waiting.catch(() => undefined);
      watch.place = watch.next;
      return;
    }
    if (watch.waiting !== undefined) life.world.reach('watch woken');
    const item = watch.waiting ?? watch.watcher.next();
    watch.waiting = undefined;
    try {
      checkItem(life, watch, commit, await life.settle(item));
    } catch (error) {
      if (!(error instanceof LaggedError)) throw error;
      must(mayHaveLagged(life), () => `a watch has lagged that is at commit ${watch.next} of ${life.world.ledger.commits.length}`);
      forget(life, watch);
      must((await life.settle(watch.watcher.next())).done === true, () => 'a watch that has lagged goes on');
      return;
    }
  }
}

/** Ends a watch, by leaving it or by its signal. One that waited may have fallen behind meanwhile, and been told so. */
export async function cancelWatch(life: Life, random: Random): Promise<void> {
  if (life.watches.length === 0) return;
  const watch = random.pick(life.watches);
  const isBehind = nextCommit(life, watch) !== undefined;
  const mayLag = watch.waiting !== undefined && mayHaveLagged(life);
  forget(life, watch);
  const reason = new Error('enough');
  const isLeft = random.chance(0.5);
  if (isLeft) await watch.watcher.return();
  else watch.controller.abort(reason);
  const end = await life.settle((watch.waiting ?? watch.watcher.next()).catch((thrown: unknown) => thrown));
  const isOver = isLeft ? (end as { done?: boolean }).done === true : end === reason;
  must(isOver || isBehind || (end instanceof LaggedError && mayLag), () => `a watch that was ${isLeft ? 'left' : 'cancelled'} goes on: ${end instanceof Error ? String(end) : JSON.stringify(end)}`);
  if (!isLeft) await watch.watcher.return();
}

/** What watches say when their store has come to its end: those that wait are told. */
export async function checkWatchesEnded(life: Life): Promise<void> {
  await drain();
  for (const watch of life.watches) {
    const isBehind = nextCommit(life, watch) !== undefined;
    const end = await life.settle((watch.waiting ?? watch.watcher.next()).catch((error: unknown) => error));
    if (watch.waiting !== undefined && (isBehind || (end instanceof LaggedError && mayHaveLagged(life)))) continue;
    if (life.world.ledger.isCompacted && end instanceof LaggedError) continue;
    if (life.isPoisoned) must(end instanceof PoisonedError, () => `a watch of a store that has stopped says ${String(end)}`);
    else must((end as { done?: boolean }).done === true, () => `a watch of a closed store goes on: ${end instanceof Error ? String(end) : JSON.stringify(end)}`);
  }
}
