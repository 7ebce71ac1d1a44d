/**
 * The story of one world: a disk, and the stores that live on it one after another, until it decays. Every step draws from a generator of its own, so that a story can be told again
 * with steps left out, and the others do what they did.
 */
import { OutcomeUnknownError, PoisonedError } from '../../../src/errors.js';
import { Random } from '../random.js';
import { CrashError, SimulatedDisk } from '../simulated-disk.js';
import { decay } from './damage.js';
import { endLife, type Medium } from './ends.js';
import type { Figures } from './figures.js';
import type { Life } from './life.js';
import { beginLife } from './opening.js';
import { beginSession, endSession, transact, useSession } from './session.js';
import * as upkeep from './upkeep.js';
import { closeView, driveLoops, goBack, readView, startStoreLoop, takeSnapshot } from './views.js';
import { cancelWatch, openWatch, readWatch } from './watches.js';
import { Lottery, drawSetup, drawWeights } from './weights.js';
import { World } from './world.js';
import * as writes from './writes.js';

type Act = (life: Life, random: Random) => Promise<void> | void | undefined;

/** What can happen in a life, how often it usually does, and how. */
const ACTS = {
  put: [11, writes.put], delete: [4, writes.remove], cas: [3, writes.cas], batch: [4, writes.batch], drop: [0.4, writes.dropKeyspace], churn: [0.15, writes.churn], misuse: [0.4, writes.misuse],
  read: [5, upkeep.read], history: [2, upkeep.readHistory], inspect: [0.7, upkeep.inspect],
  snapshot: [2, takeSnapshot], past: [1.5, goBack], view: [3, readView], release: [1.5, closeView], loop: [1.5, startStoreLoop], drive: [5, driveLoops],
  begin: [2, beginSession], session: [7, useSession], end: [3, endSession], transact: [1.2, transact],
  watch: [1, openWatch], watched: [3, readWatch], unwatch: [0.4, cancelWatch],
  flush: [1.5, upkeep.flush], verify: [0.3, upkeep.verify], compact: [0.2, upkeep.compact], time: [1.5, upkeep.passTime], clock: [1, upkeep.setClock], turn: [3, upkeep.endTurn], hold: [0.7, upkeep.holdFlushes], work: [2, (life: Life) => life.work()],
  crash: [0.9, upkeep.armCrash], failure: [0.6, upkeep.armFailure], fill: [0.5, upkeep.fillDisk], room: [1.2, upkeep.makeRoom],
} as const satisfies Record<string, readonly [number, Act]>;

type Name = keyof typeof ACTS;

const NAMES = Object.keys(ACTS) as Name[];
const USUAL = Object.fromEntries(NAMES.map((name) => [name, ACTS[name][0]])) as Record<Name, number>;
const ALWAYS = new Set<Name>(['put', 'turn', 'room']);
/** What a world without mishaps does without. */
const MISHAPS: readonly Name[] = ['crash', 'failure', 'fill'];

/** How many lives a story is long, on average, and in how many ways its end is told. */
const LIVES = 6;
const WAYS = 4;

export interface Failure {
  readonly error: unknown;
  /** The step at which it came; that of the end is the length of the story. */
  readonly step: number;
}

export interface Outcome {
  readonly failure: Failure | undefined;
  readonly length: number;
  readonly trace: number;
  readonly tale: readonly string[];
}

export interface Telling {
  /** The steps to do; all of them without it. */
  readonly only?: ReadonlySet<number>;
  /** Whether what happens is put into words. */
  readonly tells?: boolean;
}

/** The generator of one step of a story. */
function randomAt(seed: number, step: number): Random {
  return new Random(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(step + 1, 0x85ebca6b));
}

class Teller {
  readonly world: World;
  readonly length: number;
  readonly #lottery: Lottery<Name>;
  /** Undefined before the first life. */
  #life: Life | undefined;
  #medium: Medium;

  constructor(readonly seed: number, readonly figures: Figures, readonly telling: Telling) {
    const random = randomAt(seed, -1);
    const setup = drawSetup(random);
    this.world = new World(seed, setup, figures, telling.tells === true);
    this.length = Math.round(setup.lifeLength * LIVES * (0.5 + random.next() / 2 ** 32));
    const weights = drawWeights(random, USUAL, ALWAYS);
    this.#lottery = new Lottery(setup.isCalm ? { ...weights, ...Object.fromEntries(MISHAPS.map((name) => [name, 0])) } : weights);
    const disk = new SimulatedDisk();
    disk.older = new Map();
    this.#medium = { disk, floor: 0, exact: 0, isClean: false };
    this.world.tell(() => `world ${seed}: ${JSON.stringify({ ...setup, slots: setup.slots.length })}`);
  }

  /** One step: something in a life, or its end and the next one's beginning. */
  async #do(step: number, random: Random): Promise<void> {
    const { world } = this;
    this.#life ??= beginLife(world, this.#medium, random);
    const life = this.#life;
    // A flush may have failed since the last step.
    const ends = random.chance(1 / world.setup.lifeLength) || life.isDead;
    const name = this.#lottery.draw(random);
    if (!ends) {
      world.tell(() => `${step}: ${name}`);
      world.figures.operations++;
      life.steps++;
      await this.#act(life, ACTS[name][1], random);
    } else world.tell(() => `${step}: the life ends`);
    world.note(NAMES.indexOf(name) + life.disk.operations * 64);
    world.note(world.ledger.version + life.waiting);
    if (ends || life.isDead) await this.#end(life, random);
  }

  async #act(life: Life, act: Act, random: Random): Promise<void> {
    try {
      const promise = act(life, random);
      if (promise !== undefined) await promise;
    } catch (error) {
      // What meets a store in its fall is told so.
      if (!life.isDead || !(error instanceof PoisonedError || error instanceof OutcomeUnknownError || error instanceof CrashError)) throw error;
    }
    if (life.violation !== undefined) throw life.violation;
  }

  async #end(life: Life, random: Random): Promise<void> {
    this.#medium = await endLife(life, random);
    if (life.violation !== undefined) throw life.violation;
    this.#life = undefined;
    this.world.noteBytes(this.#medium.disk.processImage());
  }

  async tell(): Promise<Outcome> {
    const { world, seed, telling, length } = this;
    let step = 0;
    let failure: Failure | undefined;
    world.figures.worlds++;
    world.time.install();
    try {
      for (; step < length; step++) if (telling.only?.has(step) !== false) await this.#do(step, randomAt(seed, step));
      const random = randomAt(seed, length);
      this.#life ??= beginLife(world, this.#medium, random);
      await this.#end(this.#life, random);
      decay(world, this.#medium, WAYS, random);
    } catch (error) {
      failure = { error, step };
    } finally {
      world.time.uninstall();
    }
    return { failure, length, trace: world.trace, tale: world.tale ?? [] };
  }
}

/** Tells the story of a seed. */
export function tellStory(seed: number, figures: Figures, telling: Telling = {}): Promise<Outcome> {
  return new Teller(seed, figures, telling).tell();
}
