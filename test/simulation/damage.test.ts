/**
 * Damage to a file whose commits were all acknowledged and flushed. Whatever is done to it, opening either refuses or gives back exactly what was acknowledged; only the newest
 * commit, which nothing has sealed yet, may be taken for torn when the file was cut.
 */
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as format from '../../assembly/shared/format.js';
import { CorruptionError, FormatError, NotFoundError } from '../../src/errors.js';
import type { OpenOptions } from '../../src/options.js';
import type { Store } from '../../src/store.js';
import { applySync, applyToModel, difference, randomStep, type Shape, type State, type Step } from '../support/model.js';
import { Random, seedOf } from '../support/random.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';

const SEGMENT_SIZE = 4096;
const SHAPE: Shape = { keyCount: 8, valueSizeMax: 1500, batchSizeMax: 5 };
const figures = { flips: 0, cuts: 0, refused: 0, harmless: 0 };

interface Sample {
  readonly image: Uint8Array;
  readonly states: readonly State[];
  /** The version of each state, and the step that led to it. */
  readonly versions: readonly number[];
  readonly steps: readonly (Step | undefined)[];
}

/** A store with some commits, each of them flushed and all but the last sealed; closed in order, or not. */
async function makeSample(seed: number, isClosed: boolean, count = 25): Promise<Sample> {
  const random = new Random(seed);
  const disk = new SimulatedDisk();
  const store = openStore(disk, { segmentSize: SEGMENT_SIZE }, seed);
  const states: State[] = [new Map()];
  const versions = [0];
  const steps: (Step | undefined)[] = [undefined];
  for (let number = 0; number < count; number++) {
    const step = randomStep(random, SHAPE);
    const version = applySync(store, states.at(-1)!, step);
    if (version === 0) continue;
    states.push(applyToModel(states.at(-1)!, step, version));
    versions.push(version);
    steps.push(step);
  }
  let image = disk.processImage();
  const closing = store.close();
  // The simulated disk answers at once, so an orderly end is complete when the promise is.
  await closing;
  if (isClosed) image = disk.processImage();
  return { image, states, versions, steps };
}

/** Opens bytes: the store, or the error that refused them. Anything but a refusal in varve's own words is a failure of the test. */
function tryOpen(image: Uint8Array, options: OpenOptions = {}): Store | undefined {
  const disk = new SimulatedDisk(image);
  try {
    return openStore(disk, { create: false, ...options });
  } catch (error) {
    const isRefusal = error instanceof CorruptionError || error instanceof FormatError || error instanceof NotFoundError;
    if (!isRefusal) throw error;
    expect(Buffer.compare(Buffer.from(disk.processImage()), Buffer.from(image)), 'a refused file is left as it is').toBe(0);
    figures.refused++;
    return undefined;
  }
}

/** The index of the newest state that a store holds, -1 for none. */
function stateOf(store: Store, states: readonly State[]): number {
  for (let index = states.length - 1; index >= 0; index--) if (difference(store, states[index]!, SHAPE.keyCount) === undefined) return index;
  return -1;
}

/** Opens bytes that must be refused or hold everything; with `mayBeCut`, where they look like what a crash cuts, an earlier state will do. */
async function holdsEverything(image: Uint8Array, sample: Sample, what: string, mayBeCut = false): Promise<void> {
  const store = tryOpen(image);
  if (store === undefined) return;
  figures.harmless++;
  const found = mayBeCut && stateOf(store, sample.states) >= 0 ? undefined : difference(store, sample.states.at(-1)!, SHAPE.keyCount);
  await store.close();
  if (found !== undefined) throw new Error(`${what}: opened, and ${found}`);
}

for (const isClosed of [true, false]) {
  describe(isClosed ? 'a store that was closed' : 'a store whose process died', () => {
    let sample: Sample;
    beforeAll(async () => {
      sample = await makeSample(seedOf(5), isClosed);
    });

    test('a flipped bit in any byte is refused or harmless (F-20 to F-26)', async () => {
      const random = new Random(seedOf(6));
      const isUnused = (sector: number): boolean => sample.image.subarray(sector * 512, sector * 512 + 512).every((byte) => byte === 0);
      const bits = process.env['VARVE_EXHAUSTIVE'] === undefined ? 1 : 8;
      for (let offset = 0; offset < sample.image.length; offset++) {
        const first = random.below(8);
        // Sectors without a bit are all alike: of each, the first byte stands for the rest.
        if (bits === 1 && offset % 512 !== 0 && isUnused(Math.floor(offset / 512))) continue;
        for (let count = 0; count < bits; count++) {
          const image = sample.image.slice();
          image[offset]! ^= 1 << ((first + count) & 7);
          figures.flips++;
          await holdsEverything(image, sample, `bit ${(first + count) & 7} of byte ${offset}`);
        }
      }
    });

    test('a cut at any length is refused, or takes nothing but the end (F-28)', async () => {
      for (let length = 0; length < sample.image.length; length += 8) {
        figures.cuts++;
        const store = tryOpen(sample.image.slice(0, length));
        if (store === undefined) continue;
        const index = stateOf(store, sample.states);
        await store.close();
        expect(index, `cut to ${length}: a state that was`).toBeGreaterThanOrEqual(0);
        if (isClosed) expect(index, `cut to ${length}: everything`).toBe(sample.states.length - 1);
      }
    });

    test('a sector that is lost, doubled or from elsewhere is refused or harmless (F-30)', async () => {
      const size = format.SECTOR_SIZE;
      const random = new Random(seedOf(7));
      for (let offset = 0; offset + size <= sample.image.length; offset += size) {
        const other = random.below(sample.image.length / size) * size;
        const replacements: [string, Uint8Array][] = [
          ['overwritten', random.bytes(size)], ['replaced by another', sample.image.slice(other, other + size)], ['zero', new Uint8Array(size)],
        ];
        for (const [what, bytes] of replacements) {
          const image = sample.image.slice();
          image.set(bytes, offset);
          // Sectors that are zero are what a torn write looks like, where nothing durable says that more was there.
          await holdsEverything(image, sample, `sector ${offset / size} ${what}`, !isClosed && bytes.every((byte) => byte === 0));
        }
      }
    });

    test('a segment in the place of another is refused or harmless (F-29, F-30)', async () => {
      const slots = Math.floor((sample.image.length - format.SLOTS_OFFSET) / SEGMENT_SIZE);
      for (let from = 0; from < slots; from++) {
        for (let to = 0; to < slots; to++) {
          const image = sample.image.slice();
          const source = format.SLOTS_OFFSET + from * SEGMENT_SIZE;
          const isEmpty = sample.image.subarray(source, source + SEGMENT_SIZE).every((byte) => byte === 0);
          image.copyWithin(format.SLOTS_OFFSET + to * SEGMENT_SIZE, source, source + SEGMENT_SIZE);
          await holdsEverything(image, sample, `slot ${from} over slot ${to}`, !isClosed && isEmpty);
        }
      }
    });
  });
}

test('a segment of another store, or of an earlier life of the slot, is never taken for one of this (F-29)', async () => {
  const [one, other] = [await makeSample(11, true), await makeSample(12, true)];
  const slots = Math.floor((Math.min(one.image.length, other.image.length) - format.SLOTS_OFFSET) / SEGMENT_SIZE);
  for (let slot = 0; slot < slots; slot++) {
    const image = one.image.slice();
    const begin = format.SLOTS_OFFSET + slot * SEGMENT_SIZE;
    image.set(other.image.subarray(begin, begin + SEGMENT_SIZE), begin);
    await holdsEverything(image, one, `slot ${slot} from another store`);
  }
});

test('salvage reads what is intact of any damaged store, names what is lost, and changes nothing (F-20)', async () => {
  const sample = await makeSample(seedOf(8), true);
  const random = new Random(seedOf(9));
  for (let round = 0; round < 400; round++) {
    const image = sample.image.slice();
    const offset = random.below(image.length - 600);
    image.set(random.bytes(random.below(600)), offset);
    const disk = new SimulatedDisk(image);
    const store = openStore(disk, { salvage: true });
    for (const damage of store.recovery.lost) expect(damage.reason).not.toBe('');
    for (let index = 0; index < SHAPE.keyCount; index++) {
      const entry = store.getEntry(`key${index}`);
      const last = sample.states.findLastIndex((state, number) => number > 0 && state.get(`key${index}`)?.version !== sample.states[number - 1]!.get(`key${index}`)?.version);
      const isAsItWas = entry?.version === sample.states.at(-1)!.get(`key${index}`)?.version;
      const isNamed = (version: number): boolean => store.recovery.lost.some(({ versions }) => versions === undefined || (versions.after < version && version <= (versions.upTo ?? Infinity)));
      if (!isAsItWas) expect(isNamed(sample.versions[last]!), `round ${round}: the loss of key${index} at version ${sample.versions[last]} is named in ${JSON.stringify(store.recovery.lost)}`).toBe(true);
      if (entry === undefined) continue;
      // Of a commit that lost a part, the rest is shown: perhaps a put whose delete by the same commit is gone.
      const step = sample.steps[sample.versions.indexOf(entry.version)]!;
      const writes: readonly { key: unknown; value?: unknown }[] = step.type === 'batch' ? step.operations : [step as { key: unknown; value?: unknown }];
      expect(writes.some(({ key, value }) => key === `key${index}` && isDeepStrictEqual(value, entry.value)), `round ${round}: key${index} has a value that its version wrote`).toBe(true);
    }
    await store.close();
    expect(Buffer.compare(Buffer.from(disk.processImage()), Buffer.from(image))).toBe(0);
  }
});

test('a single lost sector costs salvage no more than the records that it held', async () => {
  const disk = new SimulatedDisk();
  const store = openStore(disk, { segmentSize: 65536 });
  for (let index = 0; index < 200; index++) store.putSync(`key${index}`, new Uint8Array(100).fill(index + 1));
  await store.close();
  const image = disk.processImage();
  image.fill(0, format.SLOTS_OFFSET + 20 * 512, format.SLOTS_OFFSET + 21 * 512);
  expect(() => openStore(new SimulatedDisk(image))).toThrow(CorruptionError);
  const salvaged = openStore(new SimulatedDisk(image), { salvage: true });
  const { keys } = salvaged.stats();
  expect(keys).toBeGreaterThanOrEqual(196);
  expect(keys).toBeLessThan(200);
  expect(salvaged.recovery.lost.length).toBeGreaterThan(0);
  await salvaged.close();
});

afterAll(() => {
  process.stdout.write(`damage: ${figures.flips} flipped bits, ${figures.cuts} cuts; ${figures.refused} refused, ${figures.harmless} opened with everything there\n`);
});
