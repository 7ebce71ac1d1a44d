/**
 * Every image in which a power loss at one moment may leave a disk. What was not flushed falls into units that arrive whole or not at all: sectors, or blocks of several, and sizes of the file. Units that
 * change nothing are left out. Up to twelve units, all subsets are visited; of more: none, all, every prefix in the order of their making, every all-but-one, every single one, for each two
 * units all four ways in which they can arrive, and random subsets.
 *
 * Each image has a fingerprint, which depends on its bytes alone and is known before it is put together: so an image that was seen before costs next to nothing.
 */
import type { ImageDisk } from './image-disk.js';
import type { Random } from './random.js';
import { SECTOR_SIZE, type Change, type SimulatedDisk } from './simulated-disk.js';

/** Up to so many units, all subsets. */
export const ALL_SUBSETS = 12;
const WORDS = SECTOR_SIZE / 4;

/** How thoroughly a moment is looked at. */
export interface Thoroughness {
  /** What arrives whole or not at all: a sector of 512 bytes, or a larger block of them. */
  readonly granule: number;
  /** Up to so many units, all subsets. */
  readonly allSubsets: number;
  /** Of more units, so many random subsets besides. */
  readonly samples: number;
}

type SectorChange = Extract<Change, { sort: 'sector' }>;

/** A sector that some change touches: its hash on the medium, and that of the change which arrived last. */
interface Place {
  readonly offset: number;
  readonly durable: Hash;
  current: Hash;
}

interface Hash {
  readonly low: number;
  readonly high: number;
}

const NOTHING: Hash = { low: 0, high: 0 };

/** A hash of a sector's bytes and its place; that of a sector without a bit is zero, wherever it is. */
function hashSector(words: Uint32Array, from: number, until: number, sector: number): Hash {
  let low = Math.imul(sector + 1, 0x9e3779b1);
  let high = Math.imul(sector + 1, 0x85ebca77);
  let bits = 0;
  for (let index = from; index < until; index++) {
    const word = words[index]!;
    bits |= word;
    low = Math.imul(low ^ word, 0x9e3779b1);
    low ^= low >>> 15;
    high = Math.imul(high ^ word, 0xc2b2ae3d);
    high ^= high >>> 13;
  }
  return bits === 0 ? NOTHING : { low, high };
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  const copy = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Uint32Array(copy.buffer, copy.byteOffset, copy.length >>> 2);
}

function join(low: number, high: number, size: number): number {
  const both = Math.imul(size ^ (size >>> 16), 0x27d4eb2f);
  return ((low + both) >>> 0) * 2 ** 21 + (((high ^ both) >>> 11) & 0x1fffff);
}

/** One change after another that arrive together. */
interface Unit {
  readonly changes: readonly Change[];
  readonly hashes: readonly (Hash | undefined)[];
  readonly places: readonly (Place | undefined)[];
}

export class PowerLoss {
  readonly #disk: SimulatedDisk;
  readonly #units: Unit[] = [];
  readonly #places = new Map<number, Place>();
  /** The sum of the hashes of all sectors on the medium. */
  #low = 0;
  #high = 0;
  /** Whether the file is to be cut, or a write ended within a sector: then the disk itself puts images together. */
  readonly #isIntricate: boolean;
  /** Which unit a change belongs to; -1 for one that changes nothing. */
  readonly #unitOf: number[] = [];
  #arrived = new Uint8Array(0);
  #isAll = false;

  constructor(disk: SimulatedDisk, granule: number) {
    this.#disk = disk;
    this.#isIntricate = disk.pending.some((change) => change.sort === 'cut' || (change.sort === 'sector' && change.bytes.length !== SECTOR_SIZE));
    const words = wordsOf(disk.durable);
    for (let sector = 0; sector * WORDS < words.length; sector++) {
      const { low, high } = hashSector(words, sector * WORDS, Math.min(words.length, (sector + 1) * WORDS), sector);
      this.#low = (this.#low + low) | 0;
      this.#high = (this.#high + high) | 0;
    }
    const isLeftOut = (change: Change): boolean => !this.#isIntricate && !this.#matters(change, words);
    let block = -1;
    let unit: { changes: Change[]; hashes: (Hash | undefined)[]; places: (Place | undefined)[] } | undefined;
    for (const change of disk.pending) {
      const isSector = change.sort === 'sector';
      const within = isSector ? Math.floor(change.offset / granule) : -1;
      if (isLeftOut(change)) {
        this.#unitOf.push(-1);
        continue;
      }
      const last = unit?.changes.at(-1);
      const isJoined = within >= 0 && within === block && last?.sort === 'sector' && isSector && last.offset < change.offset;
      if (!isJoined || unit === undefined) {
        unit = { changes: [], hashes: [], places: [] };
        this.#units.push(unit);
      }
      block = within;
      this.#unitOf.push(this.#units.length - 1);
      unit.changes.push(change);
      unit.hashes.push(isSector ? hashSector(wordsOf(change.bytes), 0, WORDS, change.offset / SECTOR_SIZE) : undefined);
      unit.places.push(isSector && !this.#isIntricate ? this.#placeOf(change, words) : undefined);
    }
    this.#arrived = new Uint8Array(this.#units.length);
  }

  #placeOf({ offset }: SectorChange, words: Uint32Array): Place {
    let place = this.#places.get(offset);
    if (place === undefined) {
      const first = offset / 4;
      const durable = first >= words.length ? NOTHING : hashSector(words, first, Math.min(words.length, first + WORDS), offset / SECTOR_SIZE);
      place = { offset, durable, current: durable };
      this.#places.set(offset, place);
    }
    return place;
  }

  /** Whether a change can make a difference: to a size, or to bytes. */
  #matters(change: Change, words: Uint32Array): boolean {
    if (change.end > this.#disk.durable.length) return true;
    if (change.sort !== 'sector') return false;
    if (this.#places.has(change.offset)) return true;
    const first = change.offset / 4;
    return wordsOf(change.bytes).some((word, index) => word !== words[first + index]);
  }

  get unitCount(): number {
    return this.#units.length;
  }

  /** Whether everything arrived: also what the process's death alone would leave. */
  get isAll(): boolean {
    return this.#isAll;
  }

  /** Which units have arrived, in words: sectors by their number in the file. */
  describe(): string {
    const nameOf = ({ changes }: Unit): string => changes.map((change) => (change.sort === 'sector' ? change.offset / SECTOR_SIZE : `${change.sort} to ${change.end}`)).join('+');
    const arrived = this.#units.map((unit, index) => (this.#arrived[index] === 1 ? `[${nameOf(unit)}]` : nameOf(unit)));
    return `of the sectors ${arrived.join(' ') || 'none'} arrived those in brackets`;
  }

  /** Visits the images. While `visit` runs, `fingerprint`, `compose` and `describe` speak of the one that it is called for. */
  visit({ allSubsets, samples }: Thoroughness, random: Random, visit: () => void): void {
    const count = this.#units.length;
    const arrived = this.#arrived;
    const place = (choose: (index: number) => boolean): void => {
      let sum = 0;
      for (let index = 0; index < count; index++) sum += arrived[index] = choose(index) ? 1 : 0;
      this.#isAll = sum === count;
      visit();
    };
    if (count <= allSubsets) {
      for (let subset = 0; subset < 2 ** count; subset++) place((index) => ((subset >> index) & 1) === 1);
      return;
    }
    for (let cut = 0; cut <= count; cut++) place((index) => index < cut);
    for (let one = 0; one < count; one++) {
      place((index) => index !== one);
      place((index) => index === one);
    }
    // Two units differ in a bit of their numbers: that bit decides once for each of them. Neither and both are covered by none and all.
    for (let bit = 1; bit < count; bit *= 2) {
      place((index) => (index & bit) !== 0);
      place((index) => (index & bit) === 0);
    }
    for (let sample = 0; sample < samples; sample++) place(() => random.chance(0.5));
  }

  /** A number that two images have in common only when they are the same, as good as certainly. */
  fingerprint(): number {
    if (this.#isIntricate) return fingerprintOf(this.#image());
    const durable = this.#disk.durable.length;
    let size = durable;
    let low = this.#low;
    let high = this.#high;
    for (const place of this.#places.values()) place.current = place.durable;
    for (const [index, { changes, hashes, places }] of this.#units.entries()) {
      if (this.#arrived[index] === 0) continue;
      for (let part = 0; part < changes.length; part++) {
        size = Math.max(size, changes[part]!.end);
        if (hashes[part] !== undefined) places[part]!.current = hashes[part]!;
      }
    }
    for (const { durable: before, current } of this.#places.values()) {
      low = (low + current.low - before.low) | 0;
      high = (high + current.high - before.high) | 0;
    }
    return join(low, high, size);
  }

  /** Puts the image together on a disk. */
  compose(target: ImageDisk): void {
    if (this.#isIntricate) {
      target.load(this.#image());
      return;
    }
    target.load(this.#disk.durable);
    for (const [index, { changes }] of this.#units.entries()) {
      if (this.#arrived[index] === 0) continue;
      for (const change of changes) {
        if (change.sort === 'sector') target.patch(change.bytes, change.offset);
        else target.grow(change.end);
      }
    }
  }

  /** The image as the simulated disk itself puts it together. */
  #image(): Uint8Array {
    return this.#disk.image((index) => this.#unitOf[index]! >= 0 && this.#arrived[this.#unitOf[index]!] === 1);
  }

  /** Whether the image that was put together is the one that the simulated disk gives. */
  agrees(target: ImageDisk): boolean {
    const image = this.#image();
    return Buffer.compare(target.bytes, image) === 0 && fingerprintOf(image) === this.fingerprint();
  }
}

/** The fingerprint of an image, from its bytes. */
export function fingerprintOf(image: Uint8Array): number {
  const words = wordsOf(image);
  let low = 0;
  let high = 0;
  for (let sector = 0; sector * WORDS < words.length; sector++) {
    const hash = hashSector(words, sector * WORDS, Math.min(words.length, (sector + 1) * WORDS), sector);
    low = (low + hash.low) | 0;
    high = (high + hash.high) | 0;
  }
  return join(low, high, image.length);
}
