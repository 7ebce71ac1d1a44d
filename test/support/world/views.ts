/** Fixed views and scans of a simulated world: whatever is written beside them, they show one moment. */
import { VersionGoneError } from '../../../src/errors.js';
import type { Range } from '../../../src/range.js';
import type { Entry } from '../../../src/reader.js';
import type { Snapshot, SnapshotView } from '../../../src/snapshot.js';
import type { Random } from '../random.js';
import { KEYS, SPACES, drawRange, keyOf, slotOf, slotText, spaceOf, type DrawnRange, type Span } from './keys.js';
import type { Change } from './ledger.js';
import type { Life } from './life.js';
import { must } from './must.js';
import { isSame, valueText } from './values.js';

export interface View {
  readonly snapshot: Snapshot;
  readonly version: number;
  readonly clock: number;
  readonly loops: Loop[];
}

/** What a reader should find: a change, or one of a session that has no version yet. */
export interface Shown {
  readonly slot: number;
  readonly value: unknown;
  readonly version: number;
}

type Mode = 'scan' | 'keys' | 'values';

/** A loop over a range that is driven a few steps at a time. */
export interface Loop {
  readonly iterator: Iterator<unknown>;
  readonly mode: Mode;
  readonly expected: readonly Shown[];
  readonly limit: number;
  readonly where: string;
  index: number;
  /** Told of each item that was read, and of the end. */
  readonly onRead: (last: Shown | undefined) => void;
}

/** What can be scanned. */
interface Scanned {
  scan(range?: Range): Iterable<unknown>;
  keys(range?: Range): Iterable<unknown>;
  values(range?: Range): Iterable<unknown>;
  count(range?: Range): number;
}

/** The items that a scan must give, by what is seen of each slot. */
export function expectScan(space: number, { span, isReverse, limit }: { span: Span; isReverse: boolean; limit: number }, see: (slot: number) => Shown | undefined): Shown[] {
  const shown: Shown[] = [];
  for (let index = span.from; index < span.to; index++) {
    const one = see(slotOf(space, index));
    if (one !== undefined) shown.push(one);
  }
  if (isReverse) shown.reverse();
  return shown.length > limit ? shown.slice(0, limit) : shown;
}

/** Throws unless an entry is the one that is expected. */
export function checkEntry(entry: Pick<Entry<unknown>, 'value' | 'version'> | undefined, expected: Shown | undefined, slot: number, where: string): void {
  const isRight = entry === undefined || expected === undefined ? (entry === undefined) === (expected === undefined) : entry.version === expected.version && isSame(entry.value, expected.value);
  const text = (one: Pick<Shown, 'value' | 'version'> | undefined): string => (one === undefined ? 'nothing' : `${valueText(one.value)} of version ${one.version}`);
  must(isRight, () => `${where}: ${slotText(slot)} is ${text(entry)} instead of ${text(expected)}`);
}

export function startLoop(scanned: Scanned, space: number, drawn: DrawnRange, random: Random, expected: readonly Shown[], where: string, onRead: Loop['onRead'] = () => undefined): Loop {
  const mode: Mode = random.pick(['scan', 'scan', 'keys', 'values']);
  const iterator = scanned[mode](drawn.range)[Symbol.iterator]();
  return { iterator, mode, expected, limit: drawn.limit, where: `${where}, ${mode} of ${SPACES[space]} ${JSON.stringify(drawn.span)}`, index: 0, onRead };
}

/** Drives a loop a few steps. Returns false when it has ended, or was left. */
export function driveLoop(loop: Loop, random: Random, mayLeave = true): boolean {
  for (let steps = 1 + random.below(12); steps > 0; steps--) {
    const { done, value } = loop.iterator.next();
    const expected = loop.expected[loop.index];
    must((done === true) === (expected === undefined), () => `${loop.where}: item ${loop.index} of ${loop.expected.length} is ${done === true ? 'missing' : 'one too many'}`);
    if (expected === undefined) {
      // A limit that was reached says nothing of what lies behind.
      if (loop.index < loop.limit) loop.onRead(undefined);
      return false;
    }
    const key = loop.mode === 'scan' ? (value as Entry<unknown>).key : value;
    if (loop.mode !== 'values') must(isSame(key, keyOf(expected.slot)), () => `${loop.where}: item ${loop.index} is another key than ${slotText(expected.slot)}`);
    if (loop.mode === 'scan') checkEntry(value as Entry<unknown>, expected, expected.slot, loop.where);
    if (loop.mode === 'values') must(isSame(value, expected.value), () => `${loop.where}: another value of ${slotText(expected.slot)}`);
    loop.index++;
    loop.onRead(expected);
  }
  if (!mayLeave || random.chance(0.8)) return true;
  loop.iterator.return!();
  return false;
}

function viewIn(life: Life, view: View, space: number): SnapshotView<unknown> {
  return space === 0 ? view.snapshot : view.snapshot.in(life.collections[space] as never);
}

export function takeSnapshot(life: Life): void {
  if (life.views.length > 6) return;
  const { ledger, time } = life.world;
  life.views.push({ snapshot: life.db.snapshot(), version: ledger.version, clock: time.now, loops: [] });
}

/** Whether the store must still know the state of a version. */
function mustBeKept(life: Life, version: number): boolean {
  const { ledger, setup } = life.world;
  // A store that was opened again goes back only in a log of which every segment is still there: one that held nothing but what a crash has cut is given up, too.
  return (setup.history === 'all' && life.hasWholeLog && !ledger.hasWrittenTwice && !ledger.isCompacted) || version === ledger.version || life.views.some((view) => view.version === version) || life.sessions.some((session) => session.tx.version === version);
}

/** Looks at the past, which the store may have forgotten. */
export function goBack(life: Life, random: Random): void {
  const { ledger, world } = { ledger: life.world.ledger, world: life.world };
  if (ledger.commits.length === 0 || life.views.length > 6) return;
  const index = Math.max(0, ledger.commits.length - 1 - random.below(random.pick([4, 40])));
  const commit = ledger.commits[index]!;
  const version = random.chance(0.2) && life.views.length > 0 ? random.pick(life.views).version : commit.version;
  let snapshot: Snapshot;
  try {
    snapshot = life.db.at(version);
  } catch (error) {
    if (!(error instanceof VersionGoneError)) throw error;
    must(!mustBeKept(life, version), () => `version ${version} is gone`);
    world.reach('version gone');
    return;
  }
  must(snapshot.version === version, () => `a view of version ${version} is of ${snapshot.version}`);
  // The clock of the past is the time of the commit, which the store alone knows exactly.
  const { clock } = (snapshot as unknown as { hold: { clock: number } }).hold;
  if (version === commit.version) ledger.checkTime(commit, clock);
  if (version !== ledger.version) world.reach('view of a past version');
  life.views.push({ snapshot, version, clock, loops: [] });
}

const seenBy = (life: Life, view: View, slot: number): Change | undefined => life.world.ledger.seen(slot, view.version, view.clock);

export function readView(life: Life, random: Random): void {
  if (life.views.length === 0) return;
  const view = random.pick(life.views);
  const where = `a view of version ${view.version} (T3)`;
  for (let count = 1 + random.below(6); count > 0; count--) {
    const slot = random.pick(life.world.setup.slots);
    const expected = seenBy(life, view, slot);
    const reader = viewIn(life, view, spaceOf(slot));
    checkEntry(reader.getEntry(keyOf(slot)), expected, slot, where);
    must(reader.has(keyOf(slot)) === (expected !== undefined), () => `${where}: has of ${slotText(slot)}`);
    if (expected !== undefined && expected.expiry <= life.world.time.now) life.world.reach('expired key under a snapshot');
  }
  const drawn = drawRange(random);
  const space = random.below(SPACES.length);
  const items = expectScan(space, drawn, (slot) => seenBy(life, view, slot));
  if (random.chance(0.3)) must(viewIn(life, view, space).count(drawn.range) === items.length, () => `${where}: count`);
  else if (view.loops.length < 3) view.loops.push(startLoop(viewIn(life, view, space), space, drawn, random, items, where));
}

export function closeView(life: Life, random: Random): void {
  if (life.views.length === 0) return;
  const [view] = life.views.splice(random.below(life.views.length), 1);
  view!.snapshot.close();
  for (const loop of view!.loops) mustBeClosed(() => loop.iterator.next(), loop.where);
  mustBeClosed(() => view!.snapshot.get('k'), 'a view that was closed');
}

/** What is over says so. */
export function mustBeClosed(action: () => unknown, what: string): void {
  let code: unknown;
  try {
    action();
  } catch (error) {
    ({ code } = error as { code?: unknown });
  }
  must(code === 'VARVE_CLOSED', () => `${what} says ${String(code)} instead of being closed`);
}

export function startStoreLoop(life: Life, random: Random): void {
  const { ledger } = life.world;
  const drawn = drawRange(random);
  const space = random.below(SPACES.length);
  const items = expectScan(space, drawn, (slot) => ledger.current(slot));
  const collection = life.collections[space]!;
  must(collection.count(drawn.range) === items.length, () => `count of ${SPACES[space]} is ${collection.count(drawn.range)} instead of ${items.length}`);
  if (life.loops.length < 4) life.loops.push(startLoop(collection, space, drawn, random, items, `the store at version ${ledger.version}`));
}

/** Drives one of the loops that are open. */
export function driveLoops(life: Life, random: Random): void {
  const owners = [life, ...life.views, ...life.sessions].filter(({ loops }) => loops.length > 0);
  if (owners.length === 0) return;
  const { loops } = random.pick(owners);
  const loop = random.pick(loops);
  if (!driveLoop(loop, random)) loops.splice(loops.indexOf(loop), 1);
}

/** The whole store against the whole ledger: every space in order, the figures, the names. */
export function audit(life: Life, where: string): void {
  const { ledger } = life.world;
  const all: Span = { from: 0, to: KEYS.length };
  for (const [space, collection] of life.collections.entries()) {
    const expected = expectScan(space, { span: all, isReverse: false, limit: Infinity }, (slot) => ledger.current(slot));
    let index = 0;
    for (const entry of collection.scan()) {
      const one = expected[index++];
      must(one !== undefined && isSame(entry.key, keyOf(one.slot)), () => `${where}: item ${index - 1} of ${SPACES[space]} is ${valueText(entry.key)}`);
      checkEntry(entry, one, one.slot, where);
    }
    must(index === expected.length, () => `${where}: ${SPACES[space]} has ${index} keys instead of ${expected.length}`);
  }
  checkStats(life, where);
  const names = SPACES.filter((name, space) => name !== '' && KEYS.some((_, index) => ledger.current(slotOf(space, index)) !== undefined));
  must(isSame(life.db.keyspaces(), [...names]), () => `${where}: the keyspaces are ${life.db.keyspaces().join()} instead of ${names.join()}`);
}

export function checkStats(life: Life, where: string): void {
  const { ledger } = life.world;
  const stats = life.db.stats();
  const { keys, tombstones } = ledger.counts();
  const open = life.views.length + life.sessions.length + life.loops.length + life.views.reduce((sum, { loops }) => sum + loops.length, 0);
  const found = [stats.keys, stats.tombstones, stats.version, stats.snapshots.open, stats.failed];
  const expected = [keys, tombstones, ledger.version, open, false];
  // What compaction has forgotten: deletes, and keys that have expired.
  const most = [keys, tombstones];
  if (ledger.mayForget && [0, 1].every((index) => (found[index] as number) <= most[index]!)) expected.splice(0, 2, ...found.slice(0, 2));
  must(isSame(found, expected), () => `${where}: keys, tombstones, version, views and failure are ${found.join()} instead of ${expected.join()}`);
}
