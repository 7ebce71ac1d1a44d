/** How a life ends: in order, by a failure of its disk, by the death of its process, or by that of the power. What is left is the medium that the next life begins with. */
import { ClosedError, IoError, PoisonedError } from '../../../src/errors.js';
import { Random } from '../random.js';
import { SimulatedDisk, type Choice } from '../simulated-disk.js';
import type { Life } from './life.js';
import { must } from './must.js';
import { drain } from './time.js';
import { mustBeClosed } from './views.js';
import { checkWatchesEnded } from './watches.js';
import type { World } from './world.js';

export interface Medium {
  readonly disk: SimulatedDisk;
  /** How many of the first commits it must hold. */
  readonly floor: number;
  /** How many it is known to hold. */
  readonly exact: number | undefined;
  /** Whether it was left in order. */
  readonly isClean: boolean;
}

/** A random set of what was not flushed: none, all, the first ones, any, all but one, or one. */
export function drawChoice(disk: SimulatedDisk, random: Random): Choice {
  const count = Math.max(1, disk.pendingCount);
  const one = random.below(count);
  return random.pick<Choice>(['none', 'all', one, new Random(random.next()), new Random(random.next()), (index) => index !== one, (index) => index === one]);
}

/** The disk for the next process when the power was lost: of what was not flushed, some. */
export function powerLoss(world: World, disk: SimulatedDisk, choice: Choice): SimulatedDisk {
  const next = new SimulatedDisk(disk.image(choice));
  next.older = disk.older;
  next.mark = world.ledger.durable;
  return next;
}

/** Whether a flush may have taken back what the operating system had been given. */
const mayHaveReverted = (disk: SimulatedDisk): boolean => disk.failures.some(({ losesData, reverts }) => losesData === true || reverts === true);

/** What a crash leaves: the power is lost, or only the process. */
function crashMedium(world: World, disk: SimulatedDisk, isPower: boolean, random: Random): Medium {
  const { ledger } = world;
  if (isPower) return { disk: powerLoss(world, disk, drawChoice(disk, random)), floor: ledger.durable, exact: undefined, isClean: false };
  world.reach('process died');
  return { disk: disk.processRestart(), floor: mayHaveReverted(disk) ? ledger.durable : ledger.handed, exact: undefined, isClean: false };
}

/** Has everyone who still waits in a life that is over come to an end that nobody looks at. */
async function abandon(life: Life): Promise<void> {
  life.isOver = true;
  life.disk.cut();
  await drain();
  life.world.time.clear();
}

async function crash(life: Life, random: Random): Promise<Medium> {
  const { world, disk } = life;
  const wasAtOperation = disk.isCrashed;
  const isPower = random.chance(0.7);
  if (isPower) world.reach(wasAtOperation ? 'power lost at an operation' : 'power lost between operations');
  world.figures.crashes++;
  world.tell(() => `  ${isPower ? 'the power is lost' : 'the process dies'} with ${disk.pendingCount} changes on their way`);
  await abandon(life);
  return crashMedium(world, disk, isPower, random);
}

/** A store that has met a failure serves nothing but its figures and its end, and tries nothing again. */
async function checkPoisoned(life: Life): Promise<void> {
  const { db, disk } = life;
  disk.releaseFlushes();
  await drain();
  if (life.violation !== undefined) throw life.violation;
  must(db.stats().failed, () => 'a store that has stopped does not say so');
  const { operations } = disk;
  const refused = (error: unknown): boolean => error instanceof PoisonedError;
  for (const action of [() => db.get('k'), () => db.putSync('k', 1), () => db.begin(), () => db.snapshot(), () => [...db.keys()], () => db.watch(), () => db.keyspaces()]) {
    let error: unknown;
    try {
      action();
    } catch (thrown) {
      error = thrown;
    }
    must(refused(error), () => `a store that has stopped says ${String(error)} to ${String(action)}`);
  }
  for (const action of [() => db.put('k', 1), () => db.flush(), () => db.verify(), () => db.batch([]), () => db.transact(() => undefined)] as (() => Promise<unknown>)[]) {
    must(refused(await life.settle(Promise.resolve().then(action).then(() => undefined, (error: unknown) => error))), () => `a store that has stopped does not refuse ${String(action)}`);
  }
  await checkWatchesEnded(life);
  await life.settle(db.close());
  must(disk.operations === operations, () => 'a store that has stopped went back to its disk');
  must(life.waiting === 0, () => `${life.waiting} promises of a store that has stopped never settle`);
}

async function fail(life: Life, random: Random): Promise<Medium> {
  const { world, disk } = life;
  world.figures.failures++;
  world.tell(() => '  the store has stopped');
  await checkPoisoned(life);
  const spent = disk.failures.find(({ at, operation }) => at < disk.operations && operation === 'flush');
  if (spent?.losesData === true) world.reach('flush failed and lost its bytes');
  else if (spent?.reverts === true) world.reach('flush failed and read as before');
  else if (spent !== undefined) world.reach('flush failed and kept its bytes');
  if (disk.failures.some(({ operation, written }) => operation === 'write' && (written ?? 0) > 0)) world.reach('write failed in part');
  return afterFailure(life, random);
}

async function afterFailure(life: Life, random: Random): Promise<Medium> {
  await abandon(life);
  return crashMedium(life.world, life.disk, random.chance(0.5), random);
}

async function close(life: Life, random: Random): Promise<Medium> {
  const { world, db, disk } = life;
  const { ledger } = world;
  const count = ledger.commits.length;
  const wasWaiting = life.waiting > 0;
  const iterators = life.loops.map(({ iterator }) => iterator);
  const error = await life.settle(db.close().then(() => undefined, (thrown: unknown) => thrown ?? new Error('nothing')));
  if (disk.isCrashed) return crash(life, random);
  await drain();
  if (error !== undefined) {
    if (!(error instanceof PoisonedError || error instanceof IoError) || disk.failures.length === 0) throw error;
    world.figures.failures++;
    world.reach('failure while closing');
    return afterFailure(life, random);
  }
  // Those who waited for a flush were told before the end.
  if (life.violation !== undefined) throw life.violation;
  must(life.waiting === 0, () => `${life.waiting} promises of a closed store never settle`);
  if (wasWaiting) world.reach('promise kept by close');
  life.promise(count);
  for (const iterator of iterators) mustBeClosed(() => iterator.next(), 'a scan of a closed store');
  if (iterators.length > 0) world.reach('store closed under a scan');
  mustBeClosed(() => db.get('k'), 'a closed store');
  must(await db.flush().then(() => false, (thrown: unknown) => thrown instanceof ClosedError), () => 'a closed store can be flushed');
  await checkWatchesEnded(life);
  // One that has written nothing leaves on its way what its predecessor has.
  must(disk.pendingCount === 0 || !disk.trace.some((operation) => operation !== 'read'), () => 'a store that was closed has left something on its way');
  if (life.steps === 0) world.reach('store reopened without a change');
  await abandon(life);
  return { disk: random.chance(0.5) ? disk.processRestart() : powerLoss(world, disk, 'none'), floor: count, exact: count, isClean: !disk.hasLost && disk.pendingCount === 0 };
}

/** Ends a life, in the way that is left to it. */
export async function endLife(life: Life, random: Random): Promise<Medium> {
  life.disk.holdFlushes = false;
  if (life.disk.isCrashed) return crash(life, random);
  if (life.isPoisoned) return fail(life, random);
  if (life.world.setup.isCalm || random.chance(0.4)) return close(life, random);
  if (random.chance(0.15)) {
    // A process that ends in order, but without closing its store, hands over what it has.
    life.db.handOverAtExit();
    if (!life.isDead) life.world.ledger.hand(life.world.ledger.commits.length);
  }
  return crash(life, random);
}
