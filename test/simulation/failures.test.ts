/** Devices that fail: at every operation of a workload, in every mode. Whoever waits is told, nothing is tried again, and what is reopened is a state that the mode allows. */
import { expect, test } from 'vitest';
import { DeviceError, type BackgroundZeroing } from '../../src/device/device.js';
import { FullError, InvalidArgumentError, OutcomeUnknownError, PoisonedError } from '../../src/errors.js';
import type { BatchOperation } from '../../src/batch.js';
import type { OpenOptions } from '../../src/options.js';
import { Random, seedOf } from '../support/random.js';
import { SimulatedDisk, type Operation } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';

const SEGMENT_SIZE = 4096;
const MODES: readonly (readonly [string, OpenOptions])[] = [
  ['strict', { durability: 'strict' }], ['strict, blocking', { durability: 'strict', flush: 'sync' }], ['buffered', { durability: 'buffered' }], ['relaxed', { durability: 'relaxed' }],
];

interface Outcome {
  /** Keys in the order in which they were applied, and what came of each. */
  readonly applied: { key: number; state: 'waiting' | 'acknowledged' | 'unknown' }[];
  refused: number;
  hasFailed: boolean;
}

/** Puts in small groups until the disk fails or enough was done. Every promise must settle. */
async function work(disk: SimulatedDisk, options: OpenOptions, random: Random, groups: number): Promise<Outcome> {
  const warnings: string[] = [];
  const db = openStore(disk, { ...options, segmentSize: SEGMENT_SIZE, onWarning: ({ code }) => warnings.push(code) });
  const outcome: Outcome = { applied: [], refused: 0, hasFailed: false };
  let key = 0;
  for (let group = 0; group < groups && !outcome.hasFailed; group++) {
    const puts = Array.from({ length: 1 + random.below(4) }, () => {
      const one = { key: key++, state: 'waiting' as 'waiting' | 'acknowledged' | 'unknown' };
      return db.put(one.key, random.bytes(random.below(600))).then(() => {
        one.state = 'acknowledged';
        outcome.applied.push(one);
      }, (error: unknown) => {
        if (error instanceof OutcomeUnknownError) {
          one.state = 'unknown';
          outcome.applied.push(one);
        } else {
          expect(error).toBeInstanceOf(PoisonedError);
          outcome.refused++;
        }
        outcome.hasFailed = true;
      });
    });
    await Promise.all(puts);
    if (random.chance(0.2)) await db.flush().catch(() => (outcome.hasFailed = true));
  }
  if (!outcome.hasFailed) {
    await db.close().catch(() => (outcome.hasFailed = true));
    return outcome;
  }
  expect(() => db.get(0)).toThrow(PoisonedError);
  expect(() => db.putSync(0, 1)).toThrow(PoisonedError);
  await expect(db.put(0, 1)).rejects.toMatchObject({ code: 'VARVE_POISONED', cause: { cause: expect.any(DeviceError) as unknown } });
  await expect(db.flush()).rejects.toBeInstanceOf(PoisonedError);
  expect(db.stats().failed).toBe(true);
  expect(warnings).toEqual(['VARVE_POISONED']);
  const { operations } = disk;
  await new Promise((resolve) => setImmediate(resolve));
  await db.close();
  expect(disk.operations, 'nothing is tried again').toBe(operations);
  return outcome;
}

for (const [name, options] of MODES) {
  for (const operation of ['write', 'flush', 'truncate'] as const satisfies readonly Operation[]) {
    test(`${name}: a ${operation} that fails, wherever it comes (F-40 to F-45, F-48)`, async () => {
      const base = seedOf(70);
      const calm = new SimulatedDisk();
      await work(calm, options, new Random(base), 30);
      const first = calm.trace.indexOf('read') + 1;
      let failures = 0;
      for (let at = first; at < calm.operations; at++) {
        if (calm.trace[at] !== operation) continue;
        const disk = new SimulatedDisk();
        // A flush that fails may take what was written with it, and later reads may show either.
        disk.failures = [{ at, kind: 'io', operation, ...(operation === 'flush' ? { losesData: at % 2 === 0, reverts: at % 4 === 1 } : { written: at % 3 === 0 ? 40 : 0 }) }];
        let outcome: Outcome;
        try {
          outcome = await work(disk, options, new Random(base), 30);
        } catch (error) {
          // While it was being made, there is nothing to lose.
          expect((error as { code?: string }).code, `seed ${base}, operation ${at}`).toBe('VARVE_IO');
          continue;
        }
        if (!outcome.hasFailed) continue;
        failures++;
        const again = openStore(new SimulatedDisk(operation === 'flush' ? disk.image('none') : disk.processImage()), {});
        const present = outcome.applied.map(({ key }) => again.has(key));
        const { applied } = outcome;
        const where = `seed ${base}, ${operation} ${at}`;
        for (const [index, { state, key }] of applied.entries()) {
          const isPromised = state === 'acknowledged' && (options.durability === 'strict' || (options.durability === 'buffered' && operation !== 'flush'));
          if (isPromised) expect(present[index], `${where}: key ${key} was acknowledged`).toBe(true);
        }
        // What is there is a prefix of what was applied.
        const order = applied.map(({ key }) => key).sort((left, right) => left - right);
        const held = order.map((key) => again.has(key));
        expect(held.indexOf(false) === -1 || !held.slice(held.indexOf(false)).includes(true), `${where}: a prefix`).toBe(true);
        await again.verify();
        again.putSync('goes on', 1);
        await again.close();
      }
      if (operation !== 'truncate' && options.durability !== 'relaxed') expect(failures).toBeGreaterThan(5);
    });
  }
}

/** A queue that fails, or does everything at once. */
class Queue implements BackgroundZeroing {
  count = 0;
  error: DeviceError | undefined;
  constructor(readonly disk: SimulatedDisk) {}
  zero(offset: number, length: number): void {
    if (this.error !== undefined) return;
    this.disk.write(new Uint8Array(length), 0, length, offset);
    this.disk.flushSync();
    this.count++;
  }
  completed(): number {
    return this.count;
  }
  failure(): DeviceError | undefined {
    return this.error;
  }
}

class QueuedDisk extends SimulatedDisk {
  readonly background = new Queue(this);
}

test('slots are prepared in the background, and a queue that failed to flush poisons', async () => {
  const disk = new QueuedDisk();
  const db = openStore(disk, { segmentSize: SEGMENT_SIZE });
  for (let key = 0; key < 200; key++) await db.put(key, new Uint8Array(200));
  const { file } = db.stats();
  expect(file!.slotStalls).toBeLessThan(5);
  expect(disk.background.count).toBeGreaterThan(10);
  disk.background.error = new DeviceError('io', 'flush', 'simulated');
  let error: unknown;
  for (let key = 0; key < 400 && error === undefined; key++) await db.put(key, new Uint8Array(200)).catch((thrown: unknown) => (error = thrown));
  expect(error).toBeInstanceOf(Error);
  expect(() => db.get(0)).toThrow(PoisonedError);
  await db.close();
});

test('a batch that fails after many segments gives each of their slots back once, although others have come in the meantime', async () => {
  const disk = new QueuedDisk();
  const db = openStore(disk, { segmentSize: SEGMENT_SIZE });
  for (let key = 0; key < 300; key++) await db.put(key, new Uint8Array(200));
  for (let round = 0; round < 3; round++) {
    const batch: BatchOperation<unknown>[] = Array.from({ length: 1500 }, (_, key) => ({ type: 'put', key, value: new Uint8Array(200).fill(round + 1) }));
    expect(() => db.batchSync([...batch, { type: 'put', key: Number.NaN, value: 1 }])).toThrow(InvalidArgumentError);
    for (let key = 0; key < 600; key++) await db.put(key, new Uint8Array(200).fill(round + 1));
    await db.verify();
    const again = openStore(new SimulatedDisk(disk.processImage()));
    for (let key = 0; key < 600; key++) expect(again.get(key)).toEqual(new Uint8Array(200).fill(round + 1));
    await again.close();
  }
  await db.close();
});

test('a queue that met a full disk stops, and the store goes on by itself', async () => {
  const disk = new QueuedDisk();
  const db = openStore(disk, { segmentSize: SEGMENT_SIZE });
  for (let key = 0; key < 100; key++) await db.put(key, new Uint8Array(200));
  disk.background.error = new DeviceError('full', 'write', 'simulated');
  for (let key = 0; key < 1500; key++) await db.put(key, new Uint8Array(200));
  expect(db.stats().file!.slotStalls).toBeGreaterThan(5);
  await db.verify();
  await db.close();
});

test('a full disk refuses each write whole, and nothing that was acknowledged is lost when the power goes', async () => {
  const random = new Random(seedOf(71));
  for (const durability of ['strict', 'buffered'] as const) {
    const disk = new SimulatedDisk();
    const db = openStore(disk, { segmentSize: SEGMENT_SIZE, durability });
    disk.capacity = 100_000;
    const versions = new Map<number, number>();
    for (let key = 0; key < 400; key++) {
      const write = random.chance(0.3)
        ? db.batch(Array.from({ length: 5 }, (_, part) => ({ type: 'put' as const, key: key * 10 + part, value: random.bytes(200) })))
        : db.put(key * 10, random.bytes(random.below(3000)));
      await write.then((version) => versions.set(key, version), (error: unknown) => expect(error).toBeInstanceOf(FullError));
    }
    expect(versions.size).toBeGreaterThan(20);
    await db.flush();
    const again = openStore(new SimulatedDisk(disk.image('none')), {});
    for (const [key, version] of versions) expect(again.getEntry(key * 10)?.version).toBe(version);
    expect(again.stats().keys).toBe(db.stats().keys);
    await db.close();
  }
});
