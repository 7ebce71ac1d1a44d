/**
 * How a life begins: a medium is opened, and must hold an allowed state, whatever happens on the way. The way may be cut off, again and again; a pure crash is never refused; and whatever
 * was shown once, also by a reader, is what the next one finds.
 */
import { CorruptionError, FormatError, FullError, IoError, NotFoundError, ReadOnlyError } from '../../../src/errors.js';
import type { Keyspace } from '../../../src/keyspace.js';
import type { OpenOptions } from '../../../src/options.js';
import type { Change as Kept } from '../../../src/reader.js';
import type { Store } from '../../../src/store.js';
import type { Random } from '../random.js';
import { CrashError, SimulatedDisk, type Failure } from '../simulated-disk.js';
import { openStore } from '../stores.js';
import { drawChoice, powerLoss, type Medium } from './ends.js';
import { SPACES, indexOfKey, keyOf, slotText, spaceOf } from './keys.js';
import type { Ledger } from './ledger.js';
import { Life, type Habits } from './life.js';
import { must } from './must.js';
import { QueuedDevice } from './queue.js';
import { isSame, valueText } from './values.js';
import { audit } from './views.js';
import type { World } from './world.js';

/** How often a recovery may be disturbed, one behind the other. */
const DEPTH_MAX = 4;
/** From so many segments on stores write images of their index, while they are used and when they are closed. */
const IMAGE_SEGMENTS = 2;

function collectionsOf(db: Store): (Store | Keyspace)[] {
  return SPACES.map((name) => (name === '' ? db : db.keyspace(name, name === 'two' ? { values: 'bytes' } : {})));
}

function newestOf(collection: Store | Keyspace, slot: number): Kept<unknown> | undefined {
  for (const change of collection.history(keyOf(slot))) return change;
  return undefined;
}

/** How many of the first commits a store holds: exactly these, of every key the version, the value and whether it was deleted. */
export function countCommits(db: Store, ledger: Ledger, where: string): number {
  const collections = collectionsOf(db);
  const found = new Map<number, Kept<unknown> | undefined>();
  let newest = 0;
  for (const slot of ledger.touched) {
    const change = newestOf(collections[spaceOf(slot)]!, slot);
    found.set(slot, change);
    newest = Math.max(newest, change?.version ?? 0);
  }
  const isRight = (slot: number, version: number): boolean => {
    const change = found.get(slot);
    const expected = ledger.at(slot, version);
    if (change === undefined && ledger.isForgettable(expected)) return true;
    return change?.version === expected?.version && change?.deleted === (expected && expected.value === undefined) && isSame(change?.value, expected?.value);
  };
  // The newest commits may be those of which compaction has forgotten everything.
  if (ledger.mayForget) newest = ledger.commits.findLast(({ version }) => version > newest && [...found.keys()].every((slot) => isRight(slot, version)))?.version ?? newest;
  for (const [slot, change] of found) {
    const expected = ledger.at(slot, newest);
    must(isRight(slot, newest), () => `${where}: its newest version is ${newest}, and ${slotText(slot)} is ${valueText(change?.value)} of version ${change?.version} instead of ${valueText(expected?.value)} of ${expected?.version}`);
  }
  return ledger.indexOf(newest) + 1;
}

/** Holds every value that a salvaged store gives against all that was ever written under its key. */
export function checkSalvaged(db: Store, ledger: Ledger, where: string): void {
  for (const [space, collection] of collectionsOf(db).entries()) {
    for (const key of collection.keys()) must(indexOfKey(key) >= 0, () => `${where}: a key that nobody put`);
    for (const slot of ledger.touched) {
      if (spaceOf(slot) !== space) continue;
      const change = newestOf(collection, slot);
      if (change === undefined) continue;
      // Of a key that a commit has written twice the last record may be the one that is lost.
      const isWritten = ledger.applied.get(change.version)?.changes.some((one) => one.slot === slot && isSame(one.value, change.value)) === true;
      must(isWritten, () => `${where}: ${slotText(slot)} has a value of version ${change.version} that nobody put`);
    }
  }
  for (const name of db.keyspaces()) must((SPACES as readonly string[]).includes(name), () => `${where}: a keyspace that nobody made`);
}

const optionsOf = ({ setup }: World): OpenOptions => ({ segmentSize: setup.segmentSize, ...(setup.history === undefined ? {} : { history: setup.history }) });

/** Opens a copy of bytes for reading. */
export function openCopy(world: World, bytes: Uint8Array, options: OpenOptions): Store {
  world.figures.openings++;
  return openStore(new SimulatedDisk(bytes, options.readOnly === true || options.salvage === true), { ...optionsOf(world), ...options }, world.seed, false, () => world.time.now);
}

/** Whether an error says that there is no store. */
const isNoStore = (error: unknown): boolean => error instanceof NotFoundError || error instanceof FormatError || error instanceof CorruptionError;

/** Looks at a medium without changing it: as a reader, or as one who salvages what needs no salvage. Returns what is known of it then. */
function look(world: World, medium: Medium, random: Random): Medium {
  const { ledger } = world;
  const isSalvage = random.chance(0.4);
  let db: Store;
  try {
    db = openCopy(world, medium.disk.processImage(), isSalvage ? { salvage: true } : { readOnly: true });
  } catch (error) {
    // A store that was never opened may not be there at all.
    if (!world.isMade && isNoStore(error)) return medium;
    throw error;
  }
  if (isSalvage) {
    checkSalvaged(db, ledger, 'a store that was salvaged needlessly');
    if (medium.isClean) {
      must(db.recovery.lost.length === 0 && countCommits(db, ledger, 'an intact store that was salvaged') === medium.floor, () => `an intact store has lost ${JSON.stringify(db.recovery.lost)}`);
      world.reach('intact store salvaged');
    }
  }
  let isRefused = false;
  try {
    db.putSync('k', 1);
  } catch (error) {
    isRefused = error instanceof ReadOnlyError;
  }
  must(isRefused, () => 'a store that was opened to be read can be written');
  const count = isSalvage ? undefined : checkCount(world, medium, db, 'a reader');
  void db.close();
  if (count === undefined) return medium;
  world.reach('read-only store');
  return { ...medium, exact: count };
}

function checkCount(world: World, medium: Medium, db: Store, who: string): number {
  const { ledger } = world;
  const count = countCommits(db, ledger, who);
  must(count >= medium.floor, () => `${who}: finds ${count} commits, and ${medium.floor} of ${ledger.commits.length} were promised`);
  must(medium.exact === undefined || count === medium.exact, () => `${who}: finds ${count} commits, and ${medium.exact} were found before`);
  return count;
}

/** Has a recovery disturbed: the power goes at one of its operations, or one of them fails. */
function disturb(disk: SimulatedDisk, random: Random): void {
  let countdown = random.below(7);
  const choice = random.below(10);
  if (choice < 6) {
    // The interesting operations are those that change something.
    disk.onOperation = (number, operation) => {
      if (operation !== 'read' && countdown-- === 0) disk.crashAt = number + 1;
    };
    if (choice === 0) disk.crashAt = random.below(4);
    return;
  }
  const failure: Failure = random.pick<Failure>([
    { at: random.below(4), operation: 'read', kind: 'io' }, { at: 0, operation: 'write', kind: 'io', written: random.below(600), isWhole: true }, { at: random.below(30), operation: 'write', kind: 'full' },
    { at: 0, operation: 'flush', kind: 'io' }, { at: 0, operation: 'flush', kind: 'io', losesData: true }, { at: 0, operation: 'flush', kind: 'io', reverts: true },
  ]);
  disk.failures.push(failure);
}

interface Attempt {
  readonly medium: Medium;
  readonly hadPending: boolean;
  readonly depth: number;
}

/** What an opening that did not succeed has left, if it was right not to. */
function afterFailedOpening(world: World, { medium, hadPending, depth }: Attempt, error: unknown, before: Uint8Array | undefined, random: Random): Medium {
  const { disk } = medium;
  const { ledger } = world;
  const failure = disk.failures[0];
  const hasChanged = disk.trace.some((operation) => operation !== 'read');
  if (error instanceof CrashError) {
    world.figures.crashes++;
    world.reach(!world.isMade ? 'crash while a store was made' : depth === 0 ? 'crash within recovery' : 'crash within the recovery of a crash within recovery');
  } else {
    const isExplained = (error instanceof IoError && failure !== undefined) || (error instanceof FullError && (failure?.kind === 'full' || disk.capacity !== Infinity));
    if (!isExplained) throw error;
    world.figures.failures++;
    world.reach(failure?.operation === 'read' ? 'read failed while opening' : 'failure within recovery');
    if (failure?.operation === 'read') must(!hasChanged && isSame(disk.processImage(), before), () => 'a store that could not be read was changed');
  }
  world.tell(() => `  opening came to ${(error as Error).name}`);
  const isPower = random.chance(0.6);
  const isKept = !hadPending || (!isPower && error instanceof CrashError);
  disk.capacity = Infinity;
  return {
    disk: isPower ? powerLoss(world, disk, drawChoice(disk, random)) : disk.processRestart(),
    floor: Math.min(medium.floor, isKept ? Infinity : ledger.durable),
    exact: isKept ? medium.exact : undefined,
    isClean: medium.isClean && !hasChanged,
  };
}

function drawHabits(world: World, random: Random): Habits {
  const durability = random.pick(['strict', 'strict', 'strict', 'buffered', 'buffered', 'relaxed'] as const);
  return { durability, blocks: random.chance(0.4), checks: random.chance(world.setup.checksChance) };
}

/** Tells what a recovery has met. */
function noteRecovery(world: World, db: Store, medium: Medium, count: number): void {
  const { dropped } = db.recovery;
  const { commits } = world.ledger;
  if (dropped !== undefined) world.reach(dropped.reason === 'a commit lacks its last part' ? 'commit over two segments cut from the log' : 'torn tail cut');
  if (count < commits.length) world.reach('commit in flight lost');
  if (count > medium.floor) world.reach('commit in flight kept');
  world.tell(() => `opened: ${count} of ${commits.length} commits, ${medium.floor} promised${dropped === undefined ? '' : `, dropped ${dropped.reason}`}; version ${db.stats().version}`);
}

/** Opens a medium, however often that takes. */
export function beginLife(world: World, start: Medium, random: Random): Life {
  const { ledger, setup } = world;
  let medium = start;
  for (let depth = 0; ; depth++) {
    if (random.chance(0.08)) medium = look(world, medium, random);
    const { disk } = medium;
    const attempt = { medium, hadPending: disk.pendingCount > 0 || disk.hasLost, depth };
    const isDisturbed = !setup.isCalm && depth < DEPTH_MAX && random.chance(setup.nestedChance);
    const before = isDisturbed ? disk.processImage() : undefined;
    if (isDisturbed) disturb(disk, random);
    const habits = drawHabits(world, random);
    const queue = random.chance(setup.queueChance) ? new QueuedDevice(disk) : undefined;
    const told = { life: undefined as Life | undefined };
    const options: OpenOptions = {
      ...optionsOf(world), durability: habits.durability, flush: habits.blocks ? 'sync' : 'async', buffers: random.chance(0.2) ? 'own' : 'pooled',
      onWarning: ({ code }) => {
        if (code === 'VARVE_POISONED' && told.life !== undefined) told.life.isPoisoned = true;
      },
    };
    world.figures.openings++;
    let db: Store;
    try {
      db = openStore(queue ?? disk, options, random.next(), habits.checks, () => world.time.now, { imageSegments: IMAGE_SEGMENTS });
    } catch (error) {
      medium = afterFailedOpening(world, attempt, error, before, random);
      continue;
    }
    disk.onOperation = undefined;
    disk.crashAt = Infinity;
    disk.failures = [];
    const count = checkCount(world, medium, db, 'recovery');
    noteRecovery(world, db, medium, count);
    ledger.settle(count);
    disk.mark = ledger.durable;
    if (world.isMade && !medium.isClean) world.hasCrashed = true;
    world.isMade = true;
    const { version } = db.stats();
    must(version >= ledger.shown, () => `the store goes on at version ${version}, and ${ledger.shown} was shown (T17)`);
    ledger.shown = version;
    if (medium.isClean) {
      must(db.recovery.clean && version === ledger.version, () => 'a store that was left in order does not know it');
      must(!disk.trace.some((operation) => operation !== 'read'), () => 'a store that was left in order was changed by being opened (L7)');
    }
    if (attempt.hadPending && random.chance(0.3)) {
      // F-10: what recovery has shown does not go with the power.
      world.reach('power lost right behind a process restart');
      world.figures.crashes++;
      medium = { disk: powerLoss(world, disk, drawChoice(disk, random)), floor: count, exact: count, isClean: false };
      continue;
    }
    world.figures.lives++;
    const life = new Life(world, db, disk, queue, habits);
    told.life = life;
    audit(life, 'recovery');
    return life;
  }
}

