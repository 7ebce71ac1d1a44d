/**
 * Every call to the device, of a store that is made, worked with, closed and recovered, fails: with each kind of error, once or for ever, having done nothing, a part, or everything. Whoever waits is told the
 * right thing; a store that cannot know what is durable stops; nothing that was acknowledged is missing afterwards; and when the faults have stopped, the store takes a commit and keeps it.
 */
import { afterAll, expect, test } from 'vitest';
import { DeviceError, type DeviceErrorKind } from '../../src/device/device.js';
import type { Durability } from '../../src/durability/commits.js';
import { FullError, IoError, OutcomeUnknownError, PoisonedError } from '../../src/errors.js';
import { Workshop } from '../support/crash-examiner.js';
import { Life, type Allowed } from '../support/crash-life.js';
import { abandon } from '../support/crash-prober.js';
import { Habits } from '../support/crash-workloads.js';
import { COMMIT_COUNT, NotedDisk, commitsIn, openFast, work, type Marks, type Work } from '../support/failing-store.js';
import { Random, seedOf } from '../support/random.js';
import { SECTOR_SIZE, SimulatedDisk, type Failure, type Operation } from '../support/simulated-disk.js';

const KINDS: readonly DeviceErrorKind[] = ['io', 'full', 'permission', 'missing', 'closed'];

/** How far a write comes that stops within a sector, in bytes. */
const WITHIN_SECTOR = 40;

/** How the work is done, and what is on the disk before. */
interface Beginning {
  readonly options: { readonly durability: Durability; readonly flush?: 'sync' };
  readonly name: string;
  readonly image: () => Uint8Array;
  /** What is called there, at least once each. */
  readonly calls: readonly Operation[];
}

const nothing = (): Uint8Array => new Uint8Array(0);

/** A store without a key, whose file has more slots than it needs: closing gives them back. */
function roomy(): Uint8Array {
  const disk = new SimulatedDisk();
  abandon(openFast(disk, {}));
  const image = new Uint8Array(disk.size() + 10 * 4096);
  image.set(disk.processImage());
  return image;
}

const BEGINNINGS: readonly Beginning[] = [
  { options: { durability: 'strict' }, name: 'a new store', image: nothing, calls: ['write', 'flush', 'read'] },
  { options: { durability: 'buffered' }, name: 'a store whose making was interrupted', image: () => new Uint8Array(20_000), calls: ['write', 'flush', 'read', 'truncate'] },
  { options: { durability: 'strict', flush: 'sync' }, name: 'blocking, a file with room', image: roomy, calls: ['write', 'flush', 'read', 'truncate'] },
  { options: { durability: 'relaxed' }, name: 'a file with room', image: roomy, calls: ['write', 'flush', 'read', 'truncate'] },
];
const figures = { runs: 0, stopped: 0, usable: 0, notOpened: 0, reopened: 0, compound: 0 };
Error.stackTraceLimit = 3;

interface Plan {
  readonly failure: Failure;
  readonly where: string;
}

/** Every way in which the operation of a number can fail; with `isRunning`, while a store is open. */
function* plansFor(calm: NotedDisk, at: number, kinds: readonly DeviceErrorKind[], isRunning: boolean): Generator<Plan> {
  const operation = calm.trace[at]!;
  const written = calm.writes.get(at);
  const variants: Partial<Failure>[] = [{}];
  if (operation === 'flush') variants.push({ losesData: true }, { reverts: true });
  if (written !== undefined) {
    // A medium writes sectors whole, so a write that is cut is cut between two.
    const part = SECTOR_SIZE - (written.offset % SECTOR_SIZE);
    if (part < written.length) variants.push({ written: part });
    variants.push({ written: written.length });
    // A store that runs puts right what stops within a sector, while the device still lets it.
    if (isRunning) variants.push({ written: WITHIN_SECTOR });
  }
  for (const kind of kinds) {
    // Devices never call a flush that failed `full`, whatever the reason: what it was for is in doubt (F-43, which their own tests cover).
    if (kind === 'full' && operation === 'flush') continue;
    for (const variant of variants) {
      for (const isSticky of [false, true]) {
        if (isSticky && variant.written === WITHIN_SECTOR) continue;
        const failure = { at, kind, operation, isSticky, ...variant };
        yield { failure, where: `${operation} ${at} fails: ${JSON.stringify(failure)}` };
      }
    }
  }
}

/** The commits that were applied, in their order. */
const applied = ({ fates }: Work): number[] => [...fates.keys()].filter((number) => fates[number] !== 'refused');

/** What has to be there: after the death of the process, or a power loss. */
function promised(done: Work, durability: Durability, isPowerLost: boolean): number[] {
  const isKept = durability === 'strict' || (durability === 'buffered' && !isPowerLost);
  return applied(done).filter((number) => number < done.flushed || (isKept && done.fates[number] === 'acknowledged'));
}

/** Opens a disk that fails no more: what is there is a prefix of what was applied, has everything that was promised, and stays, with a commit more, when the power goes after that. */
function reopen(disk: SimulatedDisk, done: Work, due: readonly number[], where: string): void {
  figures.reopened++;
  const store = openFast(disk, {}, 'second');
  const held = commitsIn(store);
  expect(held, `${where}: a prefix`).toEqual(applied(done).slice(0, held.length));
  expect(due.filter((number) => !held.includes(number)), `${where}: nothing that was promised is missing`).toEqual([]);
  store.putSync('goes on', 1);
  abandon(store);
  const again = openFast(new SimulatedDisk(disk.image('none')), {}, 'second');
  expect(commitsIn(again), `${where}: what was shown stays`).toEqual(held);
  expect(again.get('goes on'), `${where}: and so does what came after`).toBe(1);
  abandon(again);
}

/** Holds a store that has stopped against what that means: it serves nothing, says why, and leaves its device alone. */
async function checkStopped({ store, warnings }: Work, disk: SimulatedDisk, where: string): Promise<void> {
  const { operations } = disk;
  const db = store!;
  expect(db.stats().failed, where).toBe(true);
  expect(warnings, where).toEqual(['VARVE_POISONED']);
  expect(() => db.get(0), where).toThrow(PoisonedError);
  expect(() => db.putSync(0, 1), where).toThrow(PoisonedError);
  await expect(db.put(0, 1)).rejects.toMatchObject({ code: 'VARVE_POISONED' });
  await expect(db.flush()).rejects.toBeInstanceOf(PoisonedError);
  await db.close();
  expect(disk.operations, `${where}: nothing is tried again`).toBe(operations);
}

/** Runs the work on a disk with a failure to come, and holds everything that follows against the rules. */
async function check(beginning: Beginning, { failure, where }: Plan, marks: Marks): Promise<void> {
  figures.runs++;
  const { durability } = beginning.options;
  const disk = new NotedDisk(beginning.image());
  disk.failures = [failure];
  const isInClosing = failure.at >= marks.closing;
  const done = await work(disk, beginning.options, () => undefined, async (soFar) => {
    if (isInClosing) return;
    const hasStopped = soFar.store!.stats().failed;
    if (hasStopped) {
      figures.stopped++;
      await checkStopped(soFar, disk, where);
      return;
    }
    figures.usable++;
    // A flush that failed proves nothing about any byte (F-40), nor does a write that failed for another reason than room (F-45).
    expect(failure.operation === 'read' || (failure.operation === 'write' && failure.kind === 'full'), `${where}: goes on`).toBe(true);
    disk.failures = [];
    await expect(soFar.store!.put('afterwards', new Uint8Array(5000)), `${where}: and takes commits`).resolves.toBeGreaterThan(0);
  });
  if (done.store === undefined) {
    figures.notOpened++;
    expect(done.errors[0]!.error, where).toBeInstanceOf(failure.kind === 'full' ? FullError : IoError);
  }
  for (const { step, error } of done.errors) {
    // Each is told in its own words, and the platform's are kept.
    const isKnown = error instanceof OutcomeUnknownError || error instanceof PoisonedError || error instanceof FullError || error instanceof IoError;
    expect(isKnown, `${where}, ${step}: ${error.message}`).toBe(true);
    let cause: unknown = error;
    while (cause instanceof Error && !(cause instanceof DeviceError)) ({ cause } = cause);
    expect((cause as DeviceError | undefined)?.kind, `${where}, ${step}: the cause is kept`).toBe(failure.kind);
  }
  if (isInClosing) expect(done.errors.map(({ step }) => step), where).toEqual(['close']);
  expect(done.fates, `${where}: everyone is told`).not.toContain('waiting');
  // The same machine, whose cache may show what the medium never got; and the machine after a power loss.
  reopen(Object.assign(disk.processRestart(), { failures: [] }), done, promised(done, durability, failure.reverts === true), where);
  reopen(new SimulatedDisk(disk.image('none')), done, promised(done, durability, true), `${where}, then the power goes`);
}

for (const beginning of BEGINNINGS) {
  test(`${beginning.options.durability}, ${beginning.name}: every call fails, with every error, once and for ever (F-32, F-33, F-40 to F-48)`, async () => {
    const calm = new NotedDisk(beginning.image());
    const marks = { opened: 0, closing: 0 };
    const whole = await work(calm, beginning.options, (what) => (marks[what] = calm.operations));
    expect(whole.fates).toEqual(Array.from({ length: COMMIT_COUNT }, () => 'acknowledged'));
    expect(whole.errors).toEqual([]);
    expect(new Set(calm.trace)).toEqual(new Set(beginning.calls));
    for (let at = 0; at < calm.operations; at++) for (const plan of plansFor(calm, at, KINDS, at >= marks.opened)) await check(beginning, plan, marks);
  });
}

/** What a crash has left, and may leave. */
interface Crash {
  readonly image: Uint8Array;
  readonly allowed: Allowed;
  readonly clock: number;
}

/** Crashes here and there in a random life. */
async function crashesOf(shop: Workshop, seed: number): Promise<Crash[]> {
  const random = new Random(seed);
  const habits = new Habits(random);
  const life = new Life({ ...habits.options, durability: 'strict' }, shop.values, shop.clock, random);
  const crashes: Crash[] = [];
  life.watcher = (disk) => {
    if (random.chance(0.2)) crashes.push({ image: disk.image(random), allowed: life.allowed(), clock: shop.clock.milliseconds });
  };
  life.open();
  for (let count = 0; count < 25; count++) await life.take(habits.step(shop.clock.milliseconds));
  await life.take({ type: 'settle' });
  life.watcher = () => undefined;
  return crashes;
}

test('an error within the recovery from a crash, another crash, and a recovery: still a state that the first crash allowed (F-32, F-77; I6)', async () => {
  const shop = new Workshop();
  const { prober } = shop;
  const base = seedOf(1);
  for (let seed = base; seed < base + 6; seed++) {
    const random = new Random(seed);
    for (const [number, { image, allowed, clock }] of (await crashesOf(shop, seed)).entries()) {
      shop.clock.milliseconds = clock;
      const calm = new NotedDisk(image);
      abandon(prober.open(calm));
      for (let at = 0; at < calm.operations; at++) {
        for (const { failure, where } of plansFor(calm, at, ['io', 'full'], false)) {
          figures.compound++;
          const point = `seed ${seed}, crash ${number}, ${where}`;
          const disk = new NotedDisk(image);
          disk.failures = [failure];
          expect(() => prober.open(disk), point).toThrow(failure.kind === 'full' ? FullError : IoError);
          if (failure.operation === 'read') expect(Buffer.compare(disk.processImage(), image), `${point}: left as it was`).toBe(0);
          const crashed = [disk.image('none'), disk.image('all'), disk.image(random)].map((left) => new SimulatedDisk(left));
          for (const next of [...crashed, disk.processRestart()]) {
            const { signature, version } = prober.look(prober.open(next), figures.compound);
            expect(allowed.afterPowerLoss, `${point}: an allowed state`).toContain(signature);
            expect(version, `${point}: T17`).toBeGreaterThan(allowed.shown);
          }
        }
      }
    }
  }
  expect(figures.compound).toBeGreaterThan(1000);
});

afterAll(() => {
  process.stdout.write(`I/O errors: ${figures.runs} runs, ${figures.notOpened} did not open, ${figures.stopped} stopped, ${figures.usable} went on; ${figures.reopened} reopened; ${figures.compound} within a recovery, each followed by crashes\n`);
});
