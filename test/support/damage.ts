/**
 * Damage to the file of a store whose commits were all acknowledged and flushed: bits that flip, sectors that are lost or come back from elsewhere, files that are cut. Whatever is done to it, opening must
 * refuse it and leave it as it is, or give back exactly what was acknowledged.
 */
import { CorruptionError, FormatError, NotFoundError } from '../../src/errors.js';
import * as format from '../../assembly/shared/format.js';
import type { Step } from './crash-life.js';
import { Life } from './crash-life.js';
import { signatureOf, type Write } from './crash-model.js';
import type { Workshop } from './crash-examiner.js';
import { ImageDisk } from './image-disk.js';
import { Random } from './random.js';
import { SECTOR_SIZE } from './simulated-disk.js';
import { abandon } from './crash-prober.js';
import { Habits } from './crash-workloads.js';

export const SEGMENT_SIZE = 4096;

/** A file, and what it must hold. */
export interface Sample {
  readonly name: string;
  readonly image: Uint8Array;
  /** The signatures of the states that the commits have left, oldest first. The last is what was acknowledged. */
  readonly states: readonly string[];
  readonly isClosed: boolean;
  /** What each sector has held before, each content once. */
  readonly older: ReadonlyMap<number, readonly Uint8Array[]>;
}

/** What came of damage. */
export interface DamageFigures {
  refused: number;
  /** Opened, with everything there. */
  harmless: number;
  /** Bits in sectors that opening never looks at: what they are makes no difference to it. */
  unread: number;
  /** Opened without the newest commit, where a crash could have left the same bytes. */
  torn: number;
}

export const noDamage = (): DamageFigures => ({ refused: 0, harmless: 0, unread: 0, torn: 0 });

/** Adds figures up. */
export function addDamage(to: DamageFigures, figures: DamageFigures): void {
  for (const key of Object.keys(to) as (keyof DamageFigures)[]) to[key] += figures[key];
}

const filled = (size: number, first: number): Uint8Array => new Uint8Array(size).map((_, index) => ((index * 37 + first) & 0xff) | 1);

const isEmpty = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

function oneBit(size: number, bit: number): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes[bit >> 3] = 1 << (bit & 7);
  return bytes;
}

const commit = (manner: 'single' | 'batch' | 'transaction', ...writes: Write[]): Step => ({ type: 'commit', manner, writes, waits: false });

/** Values expire after the test, in epoch milliseconds. */
const FAR = 2_000_000_000_000;

/** A life after which a file has everything in it that a file can have: slots that were used again, superblocks of several generations, values in parts, empty ones, tombstones, keyspaces, seals. */
const EVERYTHING: readonly Step[] = [
  ...Array.from({ length: 9 }, (_, index) => commit('single', { name: 'a', value: filled(900, index) })),
  { type: 'reopen' },
  ...Array.from({ length: 12 }, (_, index) => commit('single', { name: index % 2 === 0 ? 'a' : 'b', value: filled(700, index) })),
  commit('batch', { name: 'c', value: new Uint8Array(1300) }, { name: 'space/b', value: 'soon deleted' }),
  commit('single', { name: 'space/b', value: undefined }),
  commit('single', { name: 't', value: 'expires', expiresAt: FAR }),
  commit('single', { name: 'a', value: filled(2600, 5) }),
  { type: 'seal' },
  commit('transaction', { name: 'b', value: { structured: [1, 'two', null, new Date(0)] } }, { name: 'space/a', value: -0 }),
  commit('single', { name: 'd', value: oneBit(900, 5003) }),
];

/** A life after which several segments hold whole values and nothing else, so that nothing but the list says that one of them is missing. */
const PLAIN: readonly Step[] = (['a', 'b', 'c', 'd', 'space/a', 'space/b'] as const).map((name, index) => commit('single', { name, value: filled(1400, index) }));

const FIXED = [EVERYTHING, PLAIN];
const RANDOM_STEPS = 25;

/** The steps of a sample: those above, or random ones without a crash. */
function stepsOf(seed: number, number: number): Step[] {
  if (number < FIXED.length) return [...FIXED[number]!];
  const habits = new Habits(new Random(Math.imul(seed, 0x9e3779b1) ^ number));
  const steps: Step[] = [];
  while (steps.length < RANDOM_STEPS) {
    const step = habits.step(FAR);
    if (step.type === 'commit') steps.push({ ...step, waits: false });
    else if (step.type === 'seal' || step.type === 'reopen') steps.push(step);
  }
  return steps;
}

/** The file that a life has left: ended in order, or by the death of its process. The workshop then knows the values of this file, and of no other. Without an image of the index, opening reads every segment. */
export async function makeSample(shop: Workshop, seed: number, number: number, isClosed: boolean, hasImage = true): Promise<Sample> {
  const life = new Life({ segmentSize: SEGMENT_SIZE }, shop.values, shop.clock, new Random(seed ^ number), { imageSegments: hasImage ? 1 : Infinity });
  const older = new Map<number, Uint8Array[]>();
  const states: string[] = [];
  const look = (): void => {
    const bytes = life.disk.durable;
    for (let sector = 0; sector * SECTOR_SIZE < bytes.length; sector++) {
      const content = bytes.subarray(sector * SECTOR_SIZE, (sector + 1) * SECTOR_SIZE);
      const known = older.get(sector) ?? [];
      if (!known.some((other) => Buffer.compare(other, content) === 0)) older.set(sector, [...known, content.slice()]);
    }
  };
  life.watcher = look;
  life.open();
  const note = (): void => {
    const signature = signatureOf(life.state, shop.clock.milliseconds);
    if (states.at(-1) !== signature) states.push(signature);
  };
  note();
  for (const step of stepsOf(seed, number)) {
    await life.take(step);
    note();
  }
  if (isClosed) await life.take({ type: 'reopen' });
  look();
  return { name: `file ${number} of seed ${seed}, ${isClosed ? 'closed in order' : 'left by a process that died'}`, image: life.disk.processImage(), states, isClosed, older };
}

/** Damages a sample in one way after another. */
export class Damager {
  readonly figures = noDamage();
  readonly sample: Sample;
  readonly #shop: Workshop;
  readonly #disk = new ImageDisk();
  readonly #acknowledged: string;
  /** The sectors that opening the undamaged file looks at. */
  readonly #isRead: Uint8Array;
  #count = 0;

  constructor(shop: Workshop, sample: Sample) {
    this.#shop = shop;
    this.sample = sample;
    this.#acknowledged = sample.states.at(-1)!;
    this.#isRead = new Uint8Array(Math.ceil(sample.image.length / SECTOR_SIZE));
    this.#disk.onRead = (offset, size) => this.#isRead.fill(1, Math.floor(offset / SECTOR_SIZE), Math.ceil((offset + size) / SECTOR_SIZE));
    this.check(() => 'undamaged', () => undefined);
    this.#disk.onRead = undefined;
    this.figures.harmless = 0;
  }

  /** Opens the file with what `damage` does to it. `mayTear` says that the same could be what a crash has left: then the states from that number on will do. */
  check(what: () => string, damage: (disk: ImageDisk) => void, from = this.sample.states.length - 1): void {
    const disk = this.#disk;
    disk.load(this.sample.image);
    damage(disk);
    const signature = this.#open(disk, what);
    if (signature === undefined) this.figures.refused++;
    else if (signature === this.#acknowledged) this.figures.harmless++;
    else if (this.sample.states.indexOf(signature, from) >= 0) this.figures.torn++;
    else throw new Error(`${this.sample.name}, ${what()}: opened, and holds ${signature} instead of ${this.#acknowledged}`);
  }

  /** What the file holds, or undefined where it is refused. */
  #open(disk: ImageDisk, what: () => string): string | undefined {
    const { prober, values } = this.#shop;
    try {
      const store = prober.open(disk, true);
      const number = this.#count++;
      if (number % 16 === 0) return prober.look(store, number).signature;
      const signature = values.read(store);
      abandon(store);
      return signature;
    } catch (error) {
      const isRefusal = error instanceof CorruptionError || error instanceof FormatError || error instanceof NotFoundError;
      if (!isRefusal) throw new Error(`${this.sample.name}, ${what()}: ${(error as Error).message}`, { cause: error });
      if (disk.changes > 0) throw new Error(`${this.sample.name}, ${what()}: refused, but not left as it was`, { cause: error });
      return undefined;
    }
  }

  /** Flips every bit whose number leaves `index` when divided by `count`. */
  flipAll({ index, count }: { readonly index: number; readonly count: number }): void {
    for (let bit = index; bit < this.sample.image.length * 8; bit += count) {
      if (this.#isRead[Math.floor(bit / (SECTOR_SIZE * 8))] === 0) this.figures.unread++;
      else this.#flip([bit]);
    }
  }

  /** Flips two bits at a time, drawn at random: anywhere, or both within a sector. */
  flipPairs(random: Random, pairs: number): void {
    const bits = this.sample.image.length * 8;
    for (let pair = 0; pair < pairs; pair++) {
      const first = random.below(bits);
      const second = random.chance(0.5) ? random.below(bits) : Math.floor(first / (SECTOR_SIZE * 8)) * SECTOR_SIZE * 8 + random.below(SECTOR_SIZE * 8);
      if (second !== first) this.#flip([first, second]);
    }
  }

  #flip(bits: readonly number[]): void {
    this.check(() => bits.map((bit) => `bit ${bit & 7} of byte ${bit >> 3} flipped`).join(' and '), (disk) => {
      for (const bit of bits) disk.bytes[bit >> 3]! ^= 1 << (bit & 7);
    });
  }

  /** Cuts the file at every length. Of a store that was not closed, what is cut may be what was written last; of one that was, nothing may be missing. */
  cutAll(): void {
    const from = this.sample.isClosed ? undefined : 0;
    for (let length = 0; length < this.sample.image.length; length++) {
      this.check(() => `cut to ${length} bytes`, (disk) => disk.resize(length), from);
    }
  }

  /**
   * Replaces each sector by what it may become. Where the store was not closed, a sector that is zero where the newest frame lies looks like one that a crash has lost, and with it the newest commit, which nothing has
   * sealed. Where the header of the newest segment is gone, nothing else says that there ever was such a segment.
   */
  replaceSectors(random: Random): void {
    const { image, older, isClosed, states } = this.sample;
    const count = image.length / SECTOR_SIZE;
    const isHeader = (sector: number): boolean => sector * SECTOR_SIZE >= format.SLOTS_OFFSET && (sector * SECTOR_SIZE - format.SLOTS_OFFSET) % SEGMENT_SIZE === 0;
    const put = (sector: number, bytes: Uint8Array, what: string): void => {
      const mayTearTo = isHeader(sector) && isEmpty(bytes.subarray(0, format.SEGMENT_HEADER_SIZE)) ? 0 : states.length - 2;
      this.check(() => `sector ${sector} ${what}`, (disk) => disk.patch(bytes, sector * SECTOR_SIZE), isClosed ? undefined : mayTearTo);
    };
    for (let sector = 0; sector < count; sector++) {
      put(sector, new Uint8Array(SECTOR_SIZE), 'zero');
      put(sector, new Uint8Array(SECTOR_SIZE).fill(0xff), 'full of ones');
      put(sector, random.bytes(SECTOR_SIZE), 'random');
      for (const [number, bytes] of older.get(sector)!.entries()) put(sector, bytes, `as it was ${number}`);
      for (let other = 0; other < count; other++) put(sector, image.slice(other * SECTOR_SIZE, (other + 1) * SECTOR_SIZE), `replaced by sector ${other}`);
    }
  }

  /** Puts slots in the place of others, of this file and of another. A slot that comes back empty takes with it what only it knows: then any earlier state will do. */
  replaceSlots(other: Sample): void {
    const { image, isClosed } = this.sample;
    const slotOf = (file: Uint8Array, slot: number): Uint8Array => file.slice(format.SLOTS_OFFSET + slot * SEGMENT_SIZE, format.SLOTS_OFFSET + (slot + 1) * SEGMENT_SIZE);
    const countOf = (file: Uint8Array): number => (file.length - format.SLOTS_OFFSET) / SEGMENT_SIZE;
    const put = (slot: number, bytes: Uint8Array, what: string): void =>
      this.check(() => `slot ${slot} ${what}`, (disk) => disk.patch(bytes, format.SLOTS_OFFSET + slot * SEGMENT_SIZE), !isClosed && isEmpty(bytes) ? 0 : undefined);
    for (let slot = 0; slot < countOf(image); slot++) {
      for (let from = 0; from < countOf(image); from++) {
        put(slot, slotOf(image, from), `replaced by slot ${from}`);
        this.check(() => `slots ${slot} and ${from} swapped`, (disk) => {
          disk.patch(slotOf(image, from), format.SLOTS_OFFSET + slot * SEGMENT_SIZE);
          disk.patch(slotOf(image, slot), format.SLOTS_OFFSET + from * SEGMENT_SIZE);
        }, isClosed ? undefined : 0);
      }
      for (let from = 0; from < countOf(other.image); from++) put(slot, slotOf(other.image, from), `replaced by slot ${from} of another store`);
    }
  }
}
