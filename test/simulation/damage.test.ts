/** What salvage gets out of a damaged file: everything that is intact, and word of the rest. What damage is refused, `flips.test.ts` shows. */
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import * as format from '../../assembly/shared/format.js';
import { CorruptionError } from '../../src/errors.js';
import { applySync, applyToModel, randomStep, type Shape, type State, type Step } from '../support/model.js';
import { Random, seedOf } from '../support/random.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';

const SEGMENT_SIZE = 4096;
const SHAPE: Shape = { keyCount: 8, valueSizeMax: 1500, batchSizeMax: 5 };

interface Sample {
  readonly image: Uint8Array;
  readonly states: readonly State[];
  /** The version of each state, and the step that led to it. */
  readonly versions: readonly number[];
  readonly steps: readonly (Step | undefined)[];
}

/** A store with some commits, closed in order. */
async function makeSample(seed: number, count = 25): Promise<Sample> {
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
  await store.close();
  return { image: disk.processImage(), states, versions, steps };
}

test('salvage reads what is intact of any damaged store, names what is lost, and changes nothing (F-20)', async () => {
  const sample = await makeSample(seedOf(8));
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
