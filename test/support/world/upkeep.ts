/** What is done to a simulated store beside reading and writing: looking after it, letting time pass, and letting its disk fail. */
import { ClosedError, FullError, IoError } from '../../../src/errors.js';
import type { Change as Kept } from '../../../src/reader.js';
import type { Random } from '../random.js';
import { keyOf, slotText, spaceOf } from './keys.js';
import type { Life } from './life.js';
import { must } from './must.js';
import { drain } from './time.js';
import { isSame, valueText } from './values.js';
import { audit, checkEntry, checkStats } from './views.js';
import { drawSlot } from './writes.js';

export function read(life: Life, random: Random): void {
  const { world } = life;
  const { ledger } = world;
  for (let count = 1 + random.below(8); count > 0; count--) {
    const slot = drawSlot(world, random);
    const expected = ledger.current(slot);
    const collection = life.collections[spaceOf(slot)]!;
    const key = keyOf(slot);
    const choice = random.below(5);
    if (choice === 0) must(collection.has(key) === (expected !== undefined), () => `has of ${slotText(slot)}`);
    else if (choice === 1) must(isSame(collection.getMany([key, key]), [expected?.value, expected?.value]), () => `getMany of ${slotText(slot)}`);
    else if (choice === 2 && expected?.value instanceof Uint8Array) {
      const { value } = expected;
      const target = new Uint8Array(value.length + 3);
      must(collection.getInto(key, target) === value.length && isSame(target.subarray(0, value.length), value) && collection.getInto(key, new Uint8Array(0)) === value.length, () => `getInto of ${slotText(slot)}`);
    } else checkEntry(collection.getEntry(key), expected, slot, 'the store');
    if (expected === undefined || expected.expiry === Infinity) continue;
    const since = ledger.applied.get(expected.version)!.firstClock;
    if (world.time.clocks.some((clock, index) => index >= since && clock >= expected.expiry)) world.reach('expired key back by the clock');
  }
}

/** The versions of a key that are kept: true ones in their order, and as many as the store has promised. */
export function readHistory(life: Life, random: Random): void {
  const { ledger, setup } = life.world;
  const slot = drawSlot(life.world, random);
  const chain = ledger.chain(slot);
  const kept: Kept<unknown>[] = [...life.collections[spaceOf(slot)]!.history(keyOf(slot))];
  const where = `history of ${slotText(slot)}`;
  let index = chain.length;
  for (const { version, value, deleted, time } of kept) {
    do index--;
    while (index >= 0 && chain[index]!.version > version);
    const change = chain[index];
    must(change?.version === version && isSame(change.value, value) && deleted === (change.value === undefined), () => `${where}: version ${version} is ${valueText(value)}, and among ${chain.map((one) => one.version).join()} the one at that place is ${valueText(change?.value)}`);
    ledger.checkTime(ledger.applied.get(version)!, time);
  }
  const versions = new Set(kept.map(({ version }) => version));
  // What a crash has taken had superseded what may have been given up for it.
  const most = setup.history === 'all' ? Infinity : typeof setup.history === 'object' && setup.history.age === undefined ? setup.history.versions! - ledger.lost[slot]! : 1;
  for (const change of chain.slice(-Math.max(1, Math.min(most, chain.length)))) must(versions.has(change.version) || ledger.isForgettable(change), () => `${where}: version ${change.version} is missing`);
  for (const { version } of [...life.views, ...life.sessions.map(({ tx }) => tx)]) {
    const change = ledger.at(slot, version);
    must(change === undefined || versions.has(change.version) || ledger.isForgettable(change), () => `${where}: version ${change!.version}, which a view sees, is missing`);
  }
}

export function inspect(life: Life, random: Random): void {
  if (random.chance(0.3)) audit(life, 'the store');
  else checkStats(life, 'the store');
}

export async function flush(life: Life, random: Random): Promise<void> {
  const count = life.world.ledger.commits.length;
  life.waiting++;
  const promise = life.db.flush().then(() => {
    life.waiting--;
    if (!life.isOver) life.promise(count);
  }, (error: unknown) => {
    life.waiting--;
    if (!life.isOver && !life.isDead) life.violation ??= error;
  });
  if (random.chance(0.7)) await life.settle(promise);
}

/** Verifies memory and file. A read that fails is said, and no reason to stop. */
export async function verify(life: Life, random: Random): Promise<void> {
  const { disk, db } = life;
  const isFailing = random.chance(0.3);
  const failure = { at: disk.operations, kind: 'io', operation: 'read' } as const;
  if (isFailing) disk.failures.push(failure);
  const error = await life.settle(db.verify().then(() => undefined, (thrown: unknown) => thrown));
  disk.failures = disk.failures.filter((one) => one !== failure);
  if (error === undefined || life.isDead) return;
  if (!(error instanceof IoError && isFailing)) throw error;
  life.world.reach('read failed while verifying');
  life.world.figures.failures++;
  await life.settle(db.verify());
}

/** Compacts the store, mostly to the end. What is under way when the store is closed finds that out when it goes on, which may be in another life. */
export async function compact(life: Life, random: Random): Promise<void> {
  const { ledger } = life.world;
  ledger.isCompacted = true;
  const count = ledger.commits.length;
  const promise = life.db.compact().then(() => {
    if (!life.isOver) life.promise(count);
  }, (error: unknown) => {
    if (!life.isOver && !life.isDead && !(error instanceof FullError || error instanceof ClosedError)) life.violation ??= error;
  });
  if (random.chance(0.9)) await life.settle(promise, true);
}

/** Lets time pass: a little, as long as a store waits before it seals, or longer than it waits before it flushes. */
export async function passTime(life: Life, random: Random): Promise<void> {
  const before = life.disk.trace.length;
  const milliseconds = random.pick([1, 1 + random.below(40), 60, 60, 150, 400]);
  life.world.tell(() => `  ${milliseconds} ms pass`);
  await life.pass(milliseconds);
  if (life.disk.trace.length - before === 1 && life.disk.trace.at(-1) === 'write') life.world.reach('idle log sealed');
}

/** The clock is set, forward or back: not back where compaction may have forgotten what would not be expired then. */
export function setClock(life: Life, random: Random): void {
  const milliseconds = random.pick(life.world.ledger.isCompacted ? [1] : [-1, 1]) * (1 + random.below(random.pick([20, 200, 1_000_000])));
  life.world.time.jump(milliseconds);
  life.world.tell(() => `  the clock is set by ${milliseconds} ms`);
}

export async function endTurn(): Promise<void> {
  await drain();
}

/** Flushes wait, until they are let go. */
export function holdFlushes(life: Life, random: Random): void {
  const { disk } = life;
  disk.holdFlushes = !disk.holdFlushes;
  if (!disk.holdFlushes) disk.releaseFlushes();
  else if (random.chance(0.3)) disk.releaseFlushes(1);
}

/** The power will go at one of the next operations of the disk. */
export function armCrash(life: Life, random: Random): void {
  life.disk.crashAt = Math.min(life.disk.crashAt, life.disk.operations + random.below(random.pick([3, 12])));
  life.world.tell(() => `  the power will go at operation ${life.disk.crashAt}`);
}

/** One of the next operations of the disk will fail. */
export function armFailure(life: Life, random: Random): void {
  const { disk } = life;
  const at = disk.operations + random.below(6);
  const operation = random.pick(['write', 'flush', 'flush', 'truncate'] as const);
  const kind = random.pick(['io', 'io', 'permission', 'full'] as const);
  if (operation === 'flush') disk.failures.push({ at, operation, kind: kind === 'full' ? 'io' : kind, ...random.pick([{}, { losesData: true }, { reverts: true }]) });
  else disk.failures.push({ at, operation, kind, ...(operation === 'write' ? { written: random.below(3) * random.below(700), isWhole: true } : {}) });
  life.world.tell(() => `  a ${operation} will fail at operation ${at}: ${JSON.stringify(disk.failures.at(-1))}`);
}

/** The disk has no room, or little, until `makeRoom`. */
export function fillDisk(life: Life, random: Random): void {
  life.disk.capacity = life.disk.size() + random.below(3 * life.world.setup.segmentSize);
}

export function makeRoom(life: Life): void {
  life.disk.capacity = Infinity;
}
