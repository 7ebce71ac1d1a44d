/**
 * Holds what crashes may leave of a store against what is allowed. Every image must open, hold an allowed state, and take a new commit under a version that nobody was ever shown. For a share of them recovery
 * itself is cut off at each of its operations, and the commit that follows it; once nested.
 */
import { ALL_SUBSETS, PowerLoss, type Thoroughness } from './crash-enumeration.js';
import type { Allowed, Life } from './crash-life.js';
import { Values, withVersion } from './crash-model.js';
import { Prober, abandon, afterwards, type Clock, type Found } from './crash-prober.js';
import { ImageDisk } from './image-disk.js';
import { Random } from './random.js';
import { SECTOR_SIZE, SimulatedDisk } from './simulated-disk.js';

/** What was looked at. */
export interface CrashFigures {
  /** Moments at which the power went or the process died. */
  points: number;
  /** Moments and what arrived, including those that leave an image which was examined before. */
  placed: number;
  /** Images that differ, of one life, each opened and examined. */
  states: number;
  /** Of these, those that a crash within a recovery, or within the first commit after one, has left. */
  nested: number;
  /** Recoveries that were cut off at every operation. */
  cutRecoveries: number;
  /** Moments at which all subsets were examined. */
  exhausted: number;
  /** Images that were put together in two ways and compared, and stores that were opened with a fresh engine as well. */
  compared: number;
}

export const noFigures = (): CrashFigures => ({ points: 0, placed: 0, states: 0, nested: 0, cutRecoveries: 0, exhausted: 0, compared: 0 });

/** A rule that the store has broken, with everything that it takes to see it again. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** How closely a life is watched. */
export interface Watch {
  /** Of so many images that differ, one has its recovery cut off. */
  readonly cutEvery: number;
  /** Of so many moments, one has the process die there and the power go during what follows. */
  readonly restartEvery: number;
}

const SECTORS: Thoroughness = { granule: SECTOR_SIZE, allSubsets: ALL_SUBSETS, samples: 64 };
const BLOCKS: Thoroughness = { granule: 4096, allSubsets: ALL_SUBSETS, samples: 16 };
const INNER: Thoroughness = { granule: SECTOR_SIZE, allSubsets: 5, samples: 4 };
/** Of so many images, one is also composed by the simulated disk, and opened with a fresh engine. */
const COMPARE_EVERY = 997;

/** What serves one examiner after another: the engines, and what they know of values and time. */
export class Workshop {
  readonly clock: Clock = { milliseconds: 0 };
  readonly values = new Values();
  readonly prober = new Prober(this.values, this.clock);
  /** Its engine runs the recoveries that are cut off; it keeps a history, so that old versions are recovered too. */
  readonly host = new Prober(this.values, this.clock, { history: 'all' });
}

export class Examiner {
  readonly figures = noFigures();
  readonly #shop: Workshop;
  readonly #life: Life;
  readonly #watch: Watch;
  readonly #where: string;
  readonly #random: Random;
  /** What was found in each image, by fingerprint, as of a time. */
  readonly #known = new Map<number, Found>();
  #knownAt = 0;
  #moments = 0;
  #outerStates = 0;
  readonly #target = new ImageDisk();

  /** Watches a life from now on. `where` says in messages how to see it again. */
  constructor(shop: Workshop, life: Life, watch: Watch, where: string, seed: number) {
    this.#shop = shop;
    this.#life = life;
    this.#watch = watch;
    this.#where = where;
    this.#random = new Random(seed);
    life.watcher = (disk, operation, number) => this.examine(disk, `before operation ${number} (${operation})`);
  }

  /** The first rule that was found broken. It was thrown out of the store's own call to its disk, so what came of it there is anybody's guess. */
  violation: Violation | undefined;

  #fail(point: string, what: string, cause?: unknown): never {
    this.violation ??= new Violation(`${this.#where}, ${point}: ${what}`, { cause });
    throw this.violation;
  }

  /** Examines what a crash of the life's disk may leave now. */
  examine(disk: SimulatedDisk, point: string): void {
    const { clock } = this.#shop;
    if (this.#knownAt !== clock.milliseconds) this.#known.clear();
    this.#knownAt = clock.milliseconds;
    const allowed = this.#life.allowed();
    this.#cut(disk, allowed, point, SECTORS, true);
    this.#cut(disk, allowed, `${point}, in blocks`, BLOCKS, true);
    if (this.#moments++ % this.#watch.restartEvery === 0) this.#cutRecovery(disk.processRestart(), allowed, allowed.afterProcessCrash, `${point}, the process dies`);
  }

  /** Visits every image of one moment. */
  #cut(disk: SimulatedDisk, allowed: Allowed, point: string, how: Thoroughness, isOuter: boolean): void {
    const { figures } = this;
    const loss = new PowerLoss(disk, how.granule);
    figures.points++;
    if (loss.unitCount <= how.allSubsets) figures.exhausted++;
    loss.visit(how, this.#random, () => {
      figures.placed++;
      const states = loss.isAll ? allowed.afterProcessCrash : allowed.afterPowerLoss;
      const fingerprint = loss.fingerprint();
      const known = this.#known.get(fingerprint);
      const where = (): string => `${point}, ${loss.describe()}`;
      const { signature, version } = known ?? this.#probe(loss, fingerprint, where);
      if (!states.has(signature)) this.#fail(where(), `holds ${signature}; allowed are ${[...states].join(' | ')}`);
      if (version <= allowed.shown) this.#fail(where(), `T17: a new commit has version ${version}, and ${allowed.shown} was shown`);
      if (known !== undefined) return;
      if (!isOuter) figures.nested++;
      else if (this.#outerStates++ % this.#watch.cutEvery === 0) {
        loss.compose(this.#target);
        this.#cutRecovery(new SimulatedDisk(this.#target.bytes), { ...allowed, afterProcessCrash: states }, states, where());
      }
    });
  }

  /** Opens the image that was put together, and looks at it. */
  #probe(loss: PowerLoss, fingerprint: number, where: () => string): Found {
    const target = this.#target;
    loss.compose(target);
    const isCompared = this.figures.states++ % COMPARE_EVERY === 0;
    if (isCompared && !loss.agrees(target)) this.#fail(where(), 'the image is not the one that the disk gives');
    const image = isCompared ? target.bytes.slice() : undefined;
    let found: Found;
    try {
      const { prober } = this.#shop;
      found = prober.look(prober.open(target, target.isMade), fingerprint);
    } catch (error) {
      this.#fail(where(), `a pure crash, and ${(error as Error).message}`, error);
    }
    if (image !== undefined) this.#compare(image, found, fingerprint, where);
    this.#known.set(fingerprint, found);
    return found;
  }

  /** Does with a fresh engine what was done with the one that is used again: the same must come of it, to the byte. */
  #compare(image: Uint8Array, found: Found, fingerprint: number, where: () => string): void {
    this.figures.compared++;
    const { prober } = this.#shop;
    const disk = new ImageDisk();
    disk.load(image);
    const again = prober.look(prober.openFresh(disk), fingerprint);
    const isSame = again.signature === found.signature && again.version === found.version && Buffer.compare(disk.bytes, this.#target.bytes) === 0;
    if (!isSame) this.#fail(where(), 'an engine that was used before does something else than a fresh one');
  }

  /** Opens a disk with the power going at each operation: of the recovery, where what was allowed before is allowed, and of a commit, when what was shown may not be lost any more. */
  #cutRecovery(disk: SimulatedDisk, before: Allowed, expected: ReadonlySet<string>, point: string): void {
    this.figures.cutRecoveries++;
    const { host, values } = this.#shop;
    let allowed = before;
    let phase = 'within recovery';
    disk.onOperation = (number, operation) => {
      if (operation !== 'read') this.#cut(disk, allowed, `${point}, ${phase}, before operation ${number} (${operation})`, INNER, false);
    };
    const store = host.open(disk);
    const signature = values.read(store);
    if (!expected.has(signature)) this.#fail(point, `holds ${signature}; allowed are ${[...expected].join(' | ')}`);
    const write = afterwards(this.figures.cutRecoveries);
    const committed = withVersion(signature, write.name, host.nextVersion(store));
    values.note([write], host.nextVersion(store));
    phase = 'after recovery';
    allowed = { afterPowerLoss: new Set([signature, committed]), afterProcessCrash: new Set([signature, committed]), shown: before.shown };
    const version = store.putSync(write.name, write.value);
    phase = 'when its commit was acknowledged';
    allowed = { afterPowerLoss: new Set([committed]), afterProcessCrash: new Set([committed]), shown: Math.max(before.shown, version) };
    this.#cut(disk, allowed, `${point}, ${phase}`, INNER, false);
    abandon(store);
  }
}
