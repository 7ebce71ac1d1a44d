/** Writes to a simulated store outside of transactions: every form that there is, and what each must change. */
import type { BatchOperation } from '../../../src/batch.js';
import { InvalidArgumentError, TooLargeError } from '../../../src/errors.js';
import type { PutOptions } from '../../../src/expiry.js';
import type { Random } from '../random.js';
import { BYTES_SPACE, KEYS, SLOT_COUNT, SPACES, keyOf, slotOf, slotText, spaceOf } from './keys.js';
import type { Draft } from './ledger.js';
import type { Life } from './life.js';
import { must } from './must.js';
import { drawValue, isSame, valueText } from './values.js';
import type { World } from './world.js';

export interface DrawnDraft {
  readonly draft: Draft;
  readonly options: PutOptions | undefined;
}

function drawExpiry(world: World, random: Random): { expiry: number; options: PutOptions | undefined } {
  if (!random.chance(world.setup.expiryChance)) return { expiry: Infinity, options: undefined };
  const ttl = 1 + random.below(150);
  const expiry = world.time.now + ttl;
  const choice = random.below(10);
  if (choice === 0) return { expiry: world.time.now - 1, options: { expiresAt: world.time.now - 1 } };
  return { expiry, options: choice < 5 ? { ttl } : choice < 8 ? { expiresAt: expiry } : { expiresAt: new Date(expiry) } };
}

/** A random write to a slot. */
export function drawDraft(world: World, slot: number, random: Random, isDelete: boolean): DrawnDraft {
  if (isDelete) return { draft: { slot, value: undefined, expiry: Infinity }, options: undefined };
  const { largeChance, largeSize } = world.setup;
  const value = drawValue(random, largeChance, largeSize, spaceOf(slot) === BYTES_SPACE);
  const { expiry, options } = drawExpiry(world, random);
  return { draft: { slot, value, expiry }, options };
}

/** Mostly one of the slots that the world prefers. */
export const drawSlot = (world: World, random: Random): number => (random.chance(0.9) ? random.pick(world.setup.slots) : random.below(SLOT_COUNT));

/** How a write is called: so that it is done when it returns, or with a promise that someone waits for, or nobody. */
function run(life: Life, random: Random, drafts: readonly Draft[], sync: () => number, async: () => Promise<number>): Promise<void> | undefined {
  const wasFull = life.wasFull;
  const { commits } = life.world.ledger;
  const before = commits.length;
  let promise: Promise<void> | undefined;
  if (random.chance(0.5)) life.writeSync(sync, () => drafts);
  else promise = life.write(async, () => drafts);
  if (wasFull && commits.length > before) {
    if (life.disk.capacity === Infinity) {
      life.wasFull = false;
      life.world.reach('room again behind a full disk');
    } else if (drafts.every(({ value }) => value === undefined)) life.world.reach('delete on a full disk');
  }
  return promise !== undefined && random.chance(0.5) ? life.settle(promise) : undefined;
}

export function put(life: Life, random: Random): Promise<void> | undefined {
  const slot = drawSlot(life.world, random);
  const { draft, options } = drawDraft(life.world, slot, random, false);
  const collection = life.collections[spaceOf(slot)]!;
  life.world.tell(() => `  put ${slotText(slot)} ${valueText(draft.value)}${draft.expiry === Infinity ? '' : ` until ${draft.expiry}`}`);
  return run(life, random, [draft], () => collection.putSync(keyOf(slot), draft.value, options), () => collection.put(keyOf(slot), draft.value, options));
}

export function remove(life: Life, random: Random): Promise<void> | undefined {
  const slot = drawSlot(life.world, random);
  const collection = life.collections[spaceOf(slot)]!;
  const drafts = life.world.ledger.current(slot) === undefined ? [] : [{ slot, value: undefined, expiry: Infinity }];
  life.world.tell(() => `  delete ${slotText(slot)}`);
  return run(life, random, drafts, () => collection.deleteSync(keyOf(slot)), () => collection.delete(keyOf(slot)));
}

export function cas(life: Life, random: Random): Promise<void> | undefined {
  const slot = drawSlot(life.world, random);
  const collection = life.collections[spaceOf(slot)]!;
  const current = life.world.ledger.current(slot)?.version ?? 0;
  const expected = random.chance(0.6) ? current : random.pick([0, current + 1, life.world.ledger.at(slot, current - 1)?.version ?? 0]);
  const { draft, options } = drawDraft(life.world, slot, random, random.chance(0.3));
  const isOk = expected === current;
  const drafts = !isOk || (draft.value === undefined && current === 0) ? [] : [draft];
  // A cas that failed names the version that the key has.
  const versionOf = (result: { ok: boolean; version: number }): number => {
    must(result.ok === isOk && (isOk || result.version === current), () => `a cas of ${slotText(slot)} from ${expected} to version ${result.version} ${result.ok ? 'held' : 'failed'} where ${current} was`);
    return isOk ? result.version : 0;
  };
  life.world.tell(() => `  cas ${slotText(slot)} from ${expected} (it has ${current}) to ${valueText(draft.value)}`);
  return run(life, random, drafts,
    () => versionOf(collection.casSync(keyOf(slot), expected, draft.value, options)),
    () => collection.cas(keyOf(slot), expected, draft.value, options).then(versionOf));
}

/** Writes of one commit to any spaces. Of a key that is written twice both records stand in the log, a delete only where there is something to delete. */
export function batch(life: Life, random: Random): Promise<void> | undefined {
  const { world } = life;
  const space = random.below(SPACES.length);
  const drafts: Draft[] = [];
  const operations: BatchOperation<unknown>[] = [];
  for (let count = 1 + random.below(random.chance(0.1) ? 30 : 5); count > 0; count--) {
    const slot = drawSlot(world, random);
    const { draft, options } = drawDraft(world, slot, random, random.chance(0.3));
    const key = keyOf(slot);
    const isThere = world.ledger.current(slot) !== undefined || drafts.some((one) => one.slot === slot);
    // The store may take a key for one that the batch has put which it has not: then the delete of what is absent leaves a tombstone. So it comes first, where it cannot.
    if (draft.value === undefined && !isThere && drafts.length > 0) continue;
    const where = spaceOf(slot) === space ? {} : { keyspace: life.collections[spaceOf(slot)] as never };
    if (spaceOf(slot) === 0 && space !== 0) continue;
    operations.push(draft.value === undefined ? { type: 'delete', key, ...where } : { type: 'put', key, value: draft.value, ...options, ...where });
    if (draft.value !== undefined || isThere) drafts.push(draft);
  }
  const collection = life.collections[space]!;
  world.tell(() => `  batch of ${operations.length}: ${drafts.map((draft) => `${slotText(draft.slot)} ${valueText(draft.value)}`).join(', ')}`);
  return run(life, random, drafts, () => collection.batchSync(operations), () => collection.batch(operations));
}

export function dropKeyspace(life: Life, random: Random): Promise<void> | undefined {
  const space = 1 + random.below(SPACES.length - 1);
  const name = SPACES[space]!;
  const drafts = KEYS.map((_, index) => slotOf(space, index)).filter((slot) => life.world.ledger.current(slot) !== undefined).map((slot) => ({ slot, value: undefined, expiry: Infinity }));
  if (drafts.length > 0) life.world.reach('keyspace dropped');
  life.world.tell(() => `  drop ${name}`);
  return run(life, random, drafts, () => life.db.dropKeyspaceSync(name), () => life.db.dropKeyspace(name));
}

/** Overwrites one key again and again with values of several segments: what was there before is given up, and slots are used again. */
export function churn(life: Life, random: Random): void {
  const { world } = life;
  const slot = slotOf(BYTES_SPACE, 0);
  for (let count = 4 + random.below(10); count > 0 && !life.isDead; count--) {
    const draft = { slot, value: drawValue(random, 1, 8 * world.setup.segmentSize, true), expiry: Infinity };
    life.writeSync(() => life.collections[BYTES_SPACE]!.putSync(keyOf(slot), draft.value), () => [draft]);
  }
  if (!life.isDead && life.db.stats().file!.freeSlots > 0) world.reach('slot used again');
}

/** Calls that must be refused, and change nothing. */
export function misuse(life: Life, random: Random): void {
  const { db } = life;
  const [action, error] = random.pick([
    [() => db.putSync(Number.NaN, 1), InvalidArgumentError], [() => db.putSync('a', undefined), InvalidArgumentError], [() => db.putSync({} as never, 1), InvalidArgumentError],
    [() => db.putSync('x'.repeat(140_000), 1), TooLargeError], [() => db.putSync('a', 1, { ttl: -1 }), InvalidArgumentError], [() => db.casSync('a', -1, 1), InvalidArgumentError],
    [() => db.batchSync([{ type: 'put', key: 'a', value: 1 }, { type: 'put', key: 'b', value: undefined }]), InvalidArgumentError], [() => db.at(life.world.ledger.version + 1), InvalidArgumentError],
    [() => db.scan({ limit: -1 }), InvalidArgumentError], [() => db.watch({ reverse: true }), InvalidArgumentError], [() => db.keyspace(''), InvalidArgumentError],
  ] as const);
  let thrown: unknown;
  try {
    action();
  } catch (caught) {
    thrown = caught;
  }
  must(thrown instanceof error, () => `a call that must be refused said ${String(thrown)}`);
  must(isSame(db.stats().version, life.world.ledger.version), () => 'a call that was refused has changed the store');
}
