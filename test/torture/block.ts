/** Crash images of a real file system: a store is written on a disk that remembers every write and flush; each image that a power cut could have left is then mounted, opened, and held against what was acknowledged by that time. */
import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../support/random.js';
import { Desk } from './desk.js';
import { Disk } from './disk.js';
import type { Figures } from './figures.js';
import { IMAGE_SIZE, KEPT, makeFolder, type FileSystemName } from './host.js';
import { Recording, type Acknowledged, type Cut, type Shown } from './recording.js';
import { RefusedError, ServedDisk } from './served.js';
import { Tally } from './tally.js';
import type { AnyTask, Report } from './tasks.js';
import { EMPTY, type Knowledge, type Life } from './workload.js';

/** How much is done. */
export interface Plan {
  readonly commits: number;
  /** The most images of each kind: writes in their order, and reordered. */
  readonly prefixes: number;
  readonly reordered: number;
  /** After so many violations the rest is left. */
  readonly violationsMax: number;
}

/** Of so many images, one is cut again while it recovers. */
const NESTED_ONE_IN = 25;
const NESTED_COUNT = 6;
const KEEPS_LOCK_ONE_IN = 8;
const COMMITS_AFTER = 3;

/** A part of the disk's life that images are made of, and what is known of any of them. */
interface Story {
  readonly recording: Recording;
  readonly knowledge: (cut: Cut) => Knowledge;
  readonly shown: (cut: Cut) => number;
  readonly name: string;
}

const acknowledgedBy = (all: readonly Acknowledged[], flushed: number): [number, number][] => all.filter((one) => one.flushed <= flushed).map(({ number, version }) => [number, version]);

const shownBy = (all: readonly Shown[], cut: number): number => all.reduce((highest, { version, events }) => (events <= cut ? Math.max(highest, version) : highest), 0);

/** Chooses at most so many of a list, evenly by lot, and keeps their order. */
function sample<T>(list: readonly T[], count: number, random: Random): T[] {
  const chosen = list.map((item, index) => ({ item, index, lot: random.next() })).sort((one, other) => one.lot - other.lot).slice(0, count);
  return chosen.sort((one, other) => one.index - other.index).map(({ item }) => item);
}

export class BlockCuts {
  readonly #served: ServedDisk;
  readonly #formatted: Disk;
  readonly #figures: Figures;
  readonly #random: Random;
  readonly #tallyPath = join(makeFolder(true), 'tally');
  readonly #tally = new Tally(this.#tallyPath, true);
  #desk = new Desk();
  #lives = 0;
  #violationsMax = 0;
  writes = 0;
  nested = 0;
  reordered = 0;

  private constructor(served: ServedDisk, figures: Figures, random: Random) {
    this.#served = served;
    this.#formatted = served.disk;
    this.#figures = figures;
    this.#random = random;
  }

  static async make(fileSystem: FileSystemName, figures: Figures, random: Random): Promise<BlockCuts> {
    return new BlockCuts(await ServedDisk.make(fileSystem, IMAGE_SIZE), figures, random);
  }

  #newLife(): Life {
    return { seed: this.#random.seed, life: this.#lives++ };
  }

  /** From now on the disk remembers, and the tally tells what it has seen. */
  #remember(disk: Disk): void {
    disk.events = [];
    let flushed = 0;
    this.#tally.set(0, 0);
    disk.onEvent = () => {
      const events = disk.events!;
      if (events.at(-1) === 'flush') flushed = events.length;
      this.#tally.set(events.length, flushed);
    };
  }

  get #path(): string {
    return join(this.#served.folder, 'store.varve');
  }

  /** Writes a store on a fresh file system, and cuts its power everywhere. */
  async round({ commits, prefixes, reordered, violationsMax }: Plan): Promise<void> {
    this.#violationsMax = violationsMax;
    const random = this.#random;
    const life = this.#newLife();
    const segmentSize = random.pick([4096, 16384, 65536]);
    this.#served.disk = new Disk(this.#formatted);
    await this.#served.mount();
    // What was written by now stays as it is, in the disk below.
    const start = this.#served.disk;
    const disk = (this.#served.disk = new Disk(start));
    this.#remember(disk);
    const report = await this.#ask({
      type: 'write', path: this.#path, tally: this.#tallyPath, segmentSize, life, commits, manner: { isSync: random.chance(0.3), depth: 1 + random.below(6) },
    });
    const events = disk.events!;
    disk.events = undefined;
    await this.#served.unmount();
    this.#figures.cycles++;
    if (report.violation !== undefined) {
      this.#figures.violate(report.violation);
      return;
    }
    this.#figures.acknowledged += report.acknowledged.length;
    const recording = new Recording(start, events);
    this.writes += recording.writes;
    const story: Story = {
      recording,
      knowledge: ({ flushed }) => ({ from: EMPTY, life, acknowledged: acknowledgedBy(report.acknowledged, flushed) }),
      shown: ({ cut }) => shownBy(report.shown, cut),
      name: `seed ${random.seed}, life ${life.life}`,
    };
    await this.#examineAll(story, [...sample(recording.prefixes(), prefixes, random), ...recording.reordered(reordered, random)], segmentSize, true);
  }

  /** Has a task done. A process that found something wrong still holds the file, so another one takes its place. */
  async #ask(task: AnyTask): Promise<Report> {
    let isWell = false;
    try {
      const report = await this.#desk.ask(task);
      isWell = report.violation === undefined;
      return report;
    } finally {
      if (!isWell) {
        await this.#desk.kill();
        this.#desk = new Desk();
      }
    }
  }

  async #examineAll(story: Story, cuts: readonly Cut[], segmentSize: number, mayNest: boolean): Promise<void> {
    for (const [cut, image] of story.recording.images(cuts)) {
      if (this.#figures.violations.length >= this.#violationsMax) return;
      if (cut.keep !== undefined) this.reordered++;
      const isNested = mayNest && this.#random.below(NESTED_ONE_IN) === 0;
      const disk = (this.#served.disk = new Disk(image));
      const life = this.#newLife();
      if (isNested) this.#remember(disk);
      else this.#tally.set(0, 0);
      const report = await this.#examineOne(story, cut, life, segmentSize);
      if (report.violation !== undefined) {
        this.#figures.violate(`${report.violation} (${story.name}, ${cut.description}; the image: ${this.#keep(image, story.recording)})`);
        continue;
      }
      this.#figures.images++;
      if (!isNested || disk.events === undefined) continue;
      const recording = new Recording(image, disk.events);
      const { state, flushed } = report.found!;
      // What recovery has reported must stay, once it has: also when the next cut comes before anything else is written.
      const inner: Story = {
        recording,
        knowledge: (inside) => (inside.flushed < flushed ? story.knowledge(cut) : { from: state, life, acknowledged: acknowledgedBy(report.acknowledged, inside.flushed) }),
        shown: (inside) => Math.max(story.shown(cut), shownBy(report.shown, inside.cut)),
        name: `${story.name}, ${cut.description}, then`,
      };
      const before = this.#figures.images;
      await this.#examineAll(inner, [...sample(recording.prefixes(), NESTED_COUNT / 2, this.#random), ...recording.reordered(NESTED_COUNT / 2, this.#random)], segmentSize, false);
      this.nested += this.#figures.images - before;
    }
  }

  async #examineOne(story: Story, cut: Cut, life: Life, segmentSize: number): Promise<Report> {
    try {
      await this.#served.mount();
    } catch (error) {
      if (error instanceof RefusedError) return { acknowledged: [], shown: [], violation: `the file system does not mount: ${error.message}` };
      throw error;
    }
    try {
      return await this.#ask({
        type: 'examine', path: this.#path, tally: this.#tallyPath, segmentSize, life, commits: COMMITS_AFTER, manner: { isSync: this.#random.chance(0.5), depth: 2 },
        knowledge: story.knowledge(cut), shown: story.shown(cut), closes: true, keepsLock: this.#random.below(KEEPS_LOCK_ONE_IN) === 0,
      });
    } finally {
      await this.#served.unmount();
    }
  }

  /** Keeps an image as a sparse file, and beside it what had happened to its disk, for a person. */
  #keep(image: Disk, recording: Recording): string {
    mkdirSync(KEPT, { recursive: true });
    const path = join(KEPT, `block-${this.#served.fileSystem}-${this.#random.seed}-${this.#lives}.img`);
    const descriptor = openSync(path, 'w');
    ftruncateSync(descriptor, image.size);
    for (const [offset, data] of image.blocks()) writeSync(descriptor, data, 0, data.length, offset);
    closeSync(descriptor);
    writeFileSync(`${path}.events`, recording.toString());
    return path;
  }
}
