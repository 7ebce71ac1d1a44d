/** Images of the index: what a store begins with, written while it is used and when it is closed in order. One that is damaged, or was not finished, is as good as none; what came after one is replayed, and nothing else is read. */
import { expect, test } from 'vitest';
import * as format from '../../assembly/shared/format.js';
import { CorruptionError } from '../../src/errors.js';
import type { Kernel } from '../../src/kernel.js';
import type { Store } from '../../src/store.js';
import { Random, seedOf } from '../support/random.js';
import { CrashError, SimulatedDisk } from '../support/simulated-disk.js';
import { openPaged } from '../support/stores.js';

const SEGMENT_SIZE = 4096;
const OPTIONS = { durability: 'strict', flush: 'sync', segmentSize: SEGMENT_SIZE, flushInterval: 3_600_000, values: 'bytes' } as const;
const PLENTY = 1000;
const MANY_KEYS = 2500;

type Model = Map<number | string, Uint8Array>;

function openOn(disk: SimulatedDisk, blocks = PLENTY, seed = 1): Store<Uint8Array> {
  return openPaged(disk, OPTIONS, seed, blocks) as Store<Uint8Array>;
}

function write(db: Store<Uint8Array>, model: Model, random: Random, count: number): void {
  for (let step = 0; step < count; step++) {
    const key = random.below(120);
    if (random.below(6) === 0) {
      db.deleteSync(key);
      model.delete(key);
      continue;
    }
    const value = random.bytes(random.below(400));
    db.putSync(key, value);
    model.set(key, value);
  }
}

/** Whether a store holds what it should, is sound, and takes more. */
async function expectModel(db: Store<Uint8Array>, model: Model, where: string): Promise<void> {
  expect(db.stats().keys, where).toBe(model.size);
  for (const [key, value] of model) expect(Buffer.compare(db.get(key)!, value), `${where}, key ${key}`).toBe(0);
  await db.verify();
  db.putSync('more', new Uint8Array(10));
  expect(db.has('more'), where).toBe(true);
}

/** The offsets of the slots of the image that the newest superblock of a file names. */
function imageSlots(image: Uint8Array): number[] {
  const view = new DataView(image.buffer, image.byteOffset);
  const generation = (at: number): bigint => view.getBigUint64(at + format.SUPERBLOCK_GENERATION, true);
  const newest = generation(0) > generation(format.SUPERBLOCK_SIZE) ? 0 : format.SUPERBLOCK_SIZE;
  const offsets: number[] = [];
  let slot = view.getUint32(newest + format.SUPERBLOCK_IMAGE_SLOT, true);
  for (let left = view.getUint32(newest + format.SUPERBLOCK_IMAGE_COUNT, true); left > 0; left--) {
    const offset = format.SLOTS_OFFSET + slot * SEGMENT_SIZE;
    expect(view.getUint32(offset, true)).toBe(format.IMAGE_MAGIC_LOW);
    offsets.push(offset);
    slot = view.getUint32(offset + format.IMAGE_NEXT_SLOT, true);
  }
  return offsets;
}

/** A store that was written to and never closed, with the images that it has made meanwhile. */
function usedStore(seed: number, count: number, blocks = PLENTY): { disk: SimulatedDisk; model: Model; db: Store<Uint8Array> } {
  const disk = new SimulatedDisk();
  const model: Model = new Map();
  const db = openOn(disk, blocks);
  write(db, model, new Random(seed), count);
  return { disk, model, db };
}

/** Runs what a crash may end. */
async function untilCrash(action: () => Promise<void>): Promise<void> {
  await action().catch((error: unknown) => {
    const cause = error instanceof CrashError ? error : (error as Error).cause;
    if (!(cause instanceof CrashError)) throw error;
  });
}

async function closedStore(seed: number, count: number): Promise<{ image: Uint8Array; model: Model }> {
  const disk = new SimulatedDisk();
  const model: Model = new Map();
  const db = openOn(disk);
  write(db, model, new Random(seed), count);
  await db.close();
  return { image: disk.image('all'), model };
}

test('a flipped bit anywhere in an image makes it one that is not there, and a store with it opens as one without (F-26)', async () => {
  const seed = seedOf(80);
  const { image, model } = await closedStore(seed, 300);
  const slots = imageSlots(image);
  expect(slots.length).toBeGreaterThan(0);
  const whole = openOn(new SimulatedDisk(image));
  expect(whole.recovery.records, 'an intact image is begun with').toBe(0);
  await whole.close();
  const random = new Random(seed);
  let ignored = 0;
  const step = process.env['VARVE_EXHAUSTIVE'] === undefined ? 37 : 1;
  for (const offset of slots) {
    for (let at = offset; at < offset + SEGMENT_SIZE; at += step) {
      const flipped = new Uint8Array(image);
      flipped[at]! ^= 1 << random.below(8);
      const db = openOn(new SimulatedDisk(flipped));
      if (db.recovery.records > 0) ignored++;
      expect(db.stats().keys, `byte ${at}`).toBe(model.size);
      for (const [key, value] of model) expect(Buffer.compare(db.get(key)!, value), `byte ${at}, key ${key}`).toBe(0);
      await db.close();
    }
  }
  expect(ignored).toBeGreaterThan(slots.length);
});

test('a slot of an image that is gone, or an older one in its place, is as good as none', async () => {
  const { image, model } = await closedStore(81, 300);
  for (const offset of imageSlots(image)) {
    for (const fill of [0, 255]) {
      const db = openOn(new SimulatedDisk(new Uint8Array(image).fill(fill, offset, offset + SEGMENT_SIZE)));
      expect(db.recovery.records).toBeGreaterThan(0);
      await expectModel(db, model, `slot at ${offset}`);
      await db.close();
    }
  }
});

test('what came after an image is replayed, whatever has become of the segments that it knew', async () => {
  const seed = seedOf(82);
  for (const blocks of [PLENTY, 6]) {
    const random = new Random(seed);
    const model: Model = new Map();
    let disk = new SimulatedDisk();
    let db = openOn(disk, blocks);
    for (let life = 0; life < 12; life++) {
      const where = `seed ${seed}, ${blocks} blocks, life ${life}`;
      write(db, model, random, random.below(400));
      if (random.chance(0.5)) await db.close();
      disk = new SimulatedDisk(disk.image(random.chance(0.5) ? 'none' : 'all'));
      db = openOn(disk, blocks, seed + life);
      await expectModel(db, model, where);
      model.set('more', new Uint8Array(10));
    }
    await db.close();
  }
});

test('after a crash only what came after the image is read', async () => {
  const { image, model } = await closedStore(83, 2000);
  const disk = new SimulatedDisk(image);
  // What compaction copies comes after the image too.
  const db = openPaged(disk, { ...OPTIONS, compaction: false }, 1, PLENTY) as Store<Uint8Array>;
  for (let key = 0; key < 25; key++) {
    db.putSync(key, new Uint8Array(20).fill(key));
    model.set(key, new Uint8Array(20).fill(key));
  }
  const again = openOn(new SimulatedDisk(disk.image('none')));
  expect(again.recovery.records).toBe(25);
  await expectModel(again, model, 'after the crash');
  await again.close();
});

test('a replay reads older records alone, whose segments come as a whole only when many of theirs were asked for', async () => {
  const count = 20_000;
  const options = { ...OPTIONS, durability: 'buffered', compaction: false } as const;
  const first = new SimulatedDisk();
  const db = openPaged(first, options, 1, 10 * PLENTY) as Store<Uint8Array>;
  for (let key = 0; key < count; key++) db.putSync(key, new Uint8Array(40));
  await db.close();
  const image = first.image('all');
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const older = new Set<number>();
  for (let offset = format.SLOTS_OFFSET; offset < image.length; offset += SEGMENT_SIZE) if (view.getUint32(offset, true) === format.SEGMENT_MAGIC_LOW) older.add(offset);

  /** How an opening reads the segments from before, when keys were written behind the image: so many as a whole, and so many records. */
  const readsOfReplay = async (from: number): Promise<{ whole: number; alone: number }> => {
    const disk = new SimulatedDisk(image);
    const written = openPaged(disk, options, 1, 10 * PLENTY) as Store<Uint8Array>;
    for (let key = from; key < from + count; key++) written.putSync(key, new Uint8Array(40).fill(1));
    await written.flush();
    const crashed = new SimulatedDisk(disk.image('none'));
    const reads = { whole: 0, alone: 0 };
    const read = crashed.read.bind(crashed);
    crashed.read = (target, offset) => {
      const slot = offset - ((offset - format.SLOTS_OFFSET) % SEGMENT_SIZE);
      // The last one is replayed in part.
      if (older.has(slot) && slot !== Math.max(...older)) {
        if (target.length === SEGMENT_SIZE) reads.whole++;
        else if (offset !== slot) reads.alone++;
      }
      return read(target, offset);
    };
    const again = openPaged(crashed, options, 1, 10 * PLENTY) as Store<Uint8Array>;
    expect(again.recovery.records, `keys from ${from}`).toBeGreaterThan(count / 2);
    expect(again.stats().keys, `keys from ${from}`).toBe(from + count);
    return reads;
  };
  // New keys meet older ones whose tags agree, and pages that split ask for the hashes of some.
  const ofNew = await readsOfReplay(count);
  expect(ofNew.whole).toBe(0);
  expect(ofNew.alone).toBeGreaterThan(0);
  expect(ofNew.alone).toBeLessThan(count / 20);
  const ofOverwritten = await readsOfReplay(0);
  expect(ofOverwritten.whole).toBeGreaterThan(older.size * 0.9);
  expect(ofOverwritten.alone).toBeGreaterThan(older.size);
  expect(ofOverwritten.alone).toBeLessThanOrEqual(older.size * 16);
});

test('a crash at any step of closing leaves a store that holds everything, and so does one at any step of opening that', async () => {
  const seed = seedOf(84);
  const random = new Random(seed);
  const { image, model } = await closedStore(seed, 150);
  const begin = (): { disk: SimulatedDisk; db: Store<Uint8Array>; changed: Model } => {
    const disk = new SimulatedDisk(image);
    const db = openOn(disk);
    const changed: Model = new Map(model);
    write(db, changed, new Random(seed + 1), 40);
    return { disk, db, changed };
  };
  const { disk: counted, db: first } = begin();
  const from = counted.operations;
  await first.close();
  const to = counted.operations;
  expect(to - from).toBeGreaterThan(4);
  for (let at = from; at <= to; at++) {
    const { disk, db, changed } = begin();
    disk.crashAt = at;
    await untilCrash(() => db.close());
    for (const choice of ['none', 'all', random] as const) {
      const left = disk.image(choice);
      const again = openOn(new SimulatedDisk(left));
      await expectModel(again, changed, `cut at ${at} of ${from} to ${to}`);
    }
  }
});

test('an image beside a log that is damaged does not hide the damage from a read or from verify (F-33)', async () => {
  const { image, model } = await closedStore(85, 300);
  const view = new DataView(image.buffer, image.byteOffset);
  const slots = imageSlots(image);
  let told = 0;
  for (let offset = format.SLOTS_OFFSET; offset + SEGMENT_SIZE <= image.length; offset += SEGMENT_SIZE) {
    if (slots.includes(offset) || view.getUint32(offset, true) === 0 || view.getUint32(offset + SEGMENT_SIZE - 1000, true) === 0) continue;
    const damaged = new Uint8Array(image);
    damaged[offset + 2000]! ^= 16;
    const isTold = (action: () => unknown): boolean => {
      try {
        action();
        return false;
      } catch (error) {
        if (!(error instanceof CorruptionError)) throw error;
        return true;
      }
    };
    let db: Store<Uint8Array> | undefined;
    let isDamaged = isTold(() => {
      db = openOn(new SimulatedDisk(damaged));
    });
    for (const [key, value] of isDamaged ? [] : model) {
      if (isTold(() => expect(Buffer.compare(db!.get(key)!, value), `slot at ${offset}, key ${key}`).toBe(0))) isDamaged = true;
    }
    if (isDamaged) told++;
    if (isDamaged && db !== undefined) await expect(db.verify()).rejects.toThrow(CorruptionError);
    await db?.close();
  }
  expect(told).toBeGreaterThan(3);
});

test('images are written as the log grows, and after a crash only what came after the last is replayed', async () => {
  const seed = seedOf(86);
  for (const blocks of [PLENTY, 6]) {
    const { disk, model, db } = usedStore(seed, 4000, blocks);
    const { images } = db.stats().file!;
    expect(images.written).toBeGreaterThan(3);
    const again = openOn(new SimulatedDisk(disk.image('none')), blocks);
    expect(again.recovery.clean).toBe(false);
    expect(again.recovery.records).toBeGreaterThan(0);
    expect(again.recovery.records).toBeLessThan(2000);
    await expectModel(again, model, `seed ${seed}, ${blocks} blocks`);
    await again.close();
  }
});

test('images are at most an eighth of what is written to the log, beside those that are written when a store is closed', () => {
  const disk = new SimulatedDisk();
  const db = openPaged(disk, { ...OPTIONS, segmentSize: 65_536 }, 1, PLENTY) as Store<Uint8Array>;
  const random = new Random(87);
  for (let step = 0; step < 30_000; step++) db.putSync(random.below(5000), random.bytes(80));
  const { file, version, compaction } = db.stats();
  expect(file!.images.written).toBeGreaterThan(3);
  // Each commit is a frame of a head and a record.
  expect(file!.images.bytes).toBeLessThan((version * (56 + 120) + compaction.movedBytes) / 8);
});

test('a crash at any step of writing an image and of naming it leaves a store that holds everything (F-26)', async () => {
  const seed = seedOf(88);
  const random = new Random(seed);
  const { image, model } = await closedStore(seed, 400);
  const begin = (): { disk: SimulatedDisk; db: Store<Uint8Array>; changed: Model } => {
    const disk = new SimulatedDisk(image);
    return { disk, db: openOn(disk), changed: new Map(model) };
  };
  const keys = (db: Store<Uint8Array>, changed: Model): void => {
    // The commit that a crash ends may have come to be, or not.
    const steps = new Random(seed + 1);
    for (let step = 0; step < 260; step++) {
      const key = steps.below(120);
      const value = steps.bytes(steps.below(400));
      const before = changed.get(key);
      changed.set(key, value);
      try {
        db.putSync(key, value);
      } catch (error) {
        if (before === undefined) changed.delete(key);
        else changed.set(key, before);
        throw Object.assign(error as Error, { key, value });
      }
    }
  };
  const { disk: counted, db: first, changed: all } = begin();
  const from = counted.operations;
  keys(first, all);
  expect(first.stats().file!.images.written).toBeGreaterThan(0);
  const to = counted.operations;
  const step = process.env['VARVE_EXHAUSTIVE'] === undefined ? 7 : 1;
  for (let at = from + random.below(step); at <= to; at += step) {
    const { disk, db, changed } = begin();
    disk.crashAt = at;
    let doubtful: { key: number; value: Uint8Array } | undefined;
    await untilCrash(async () => {
      try {
        keys(db, changed);
      } catch (error) {
        doubtful = error as Error & { key: number; value: Uint8Array };
        throw error;
      }
    });
    for (const choice of ['none', 'all', random] as const) {
      const again = openOn(new SimulatedDisk(disk.image(choice)));
      const expected = new Map(changed);
      const found = doubtful === undefined ? undefined : again.get(doubtful.key);
      if (found !== undefined && Buffer.compare(found, doubtful!.value) === 0) expected.set(doubtful!.key, doubtful!.value);
      await expectModel(again, expected, `seed ${seed}, cut at ${at} of ${from} to ${to}`);
    }
  }
});

test('a flipped bit in an image of a store that has crashed costs a longer replay, and nothing else (F-26)', async () => {
  const seed = seedOf(89);
  const random = new Random(seed);
  const { disk, model } = usedStore(seed, 1500);
  const image = disk.image('none');
  const whole = openOn(new SimulatedDisk(image));
  const replayed = whole.recovery.records;
  let ignored = 0;
  for (const offset of imageSlots(image)) {
    for (let at = offset; at < offset + SEGMENT_SIZE; at += 97) {
      const flipped = new Uint8Array(image);
      flipped[at]! ^= 1 << random.below(8);
      const db = openOn(new SimulatedDisk(flipped));
      if (db.recovery.records > replayed) ignored++;
      await expectModel(db, model, `seed ${seed}, byte ${at}`);
    }
  }
  expect(ignored).toBeGreaterThan(0);
});

test('while an image is written, every structure of the store and every figure of its segments stays true, whoever reads an older version', async () => {
  const seed = seedOf(90);
  for (let life = 0; life < 6; life++) {
    const disk = new SimulatedDisk();
    const db = openPaged(disk, OPTIONS, seed + life, PLENTY, true) as Store<Uint8Array>;
    const model: Model = new Map();
    const random = new Random(seed + life);
    for (let round = 0; round < 12; round++) {
      const snapshot = random.chance(0.5) ? db.snapshot() : undefined;
      write(db, model, random, 40);
      await db.transact((tx) => {
        for (let count = 0; count < 5; count++) {
          const key = random.below(120);
          tx.put(key, new Uint8Array(30).fill(count));
          model.set(key, new Uint8Array(30).fill(count));
        }
      });
      if (random.chance(0.7)) snapshot?.close();
    }
    expect(db.stats().file!.images.written).toBeGreaterThan(0);
    const again = openPaged(new SimulatedDisk(disk.image('none')), OPTIONS, 1, random.pick([PLENTY, 6]), true) as Store<Uint8Array>;
    await expectModel(again, model, `seed ${seed}, life ${life}`);
    await again.close();
  }
});

test('keys that are written, deleted and moved while the pages of an image are written are what they should be after a crash at any time (F-26)', async () => {
  const seed = seedOf(95);
  for (const blocks of [PLENTY, 40]) {
    const random = new Random(seed);
    const disk = new SimulatedDisk();
    const db = openOn(disk, blocks);
    const model: Model = new Map();
    // Enough for several pages, of which each takes several chunks.
    for (let key = 0; key < MANY_KEYS; key++) {
      model.set(key, random.bytes(12));
      db.putSync(key, model.get(key)!);
    }
    for (let round = 0; round < 24; round++) {
      for (let step = 0; step < 300; step++) {
        const key = random.below(random.chance(0.2) ? 2 * MANY_KEYS : MANY_KEYS);
        if (random.below(5) === 0) {
          db.deleteSync(key);
          model.delete(key);
        } else {
          const value = random.bytes(random.below(24));
          db.putSync(key, value);
          model.set(key, value);
        }
      }
      const again = openOn(new SimulatedDisk(disk.image(random.pick(['none', 'all'] as const))), random.pick([PLENTY, 40]));
      expect(again.recovery.records).toBeLessThan(db.stats().version);
      await expectModel(again, model, `seed ${seed}, ${blocks} blocks, round ${round}`);
    }
    expect(db.stats().file!.images.written).toBeGreaterThan(2);
    await db.close();
  }
});

test('a store whose image was dropped writes another as soon as its log grows', () => {
  const db = openOn(new SimulatedDisk());
  const { log } = (db as unknown as { kernel: Kernel }).kernel;
  const value = new Uint8Array(12);
  const written = (): number => db.stats().file!.images.written;
  let key = 0;
  for (; key < 2 * MANY_KEYS; key++) db.putSync(key, value);
  for (const before = written(); written() === before; key++) db.putSync(key % MANY_KEYS, value);
  const count = written();
  log!.dropImage();
  expect(written()).toBe(count);
  log!.image.resume();
  // So few that another image would not be due otherwise.
  for (let step = 0; step < 1400 && written() === count; step++) db.putSync(step, value);
  expect(written()).toBe(count + 1);
});

test('compact() takes the image away from the end of the file, and writes another', async () => {
  const { disk, model, db } = usedStore(91, 3000);
  for (let key = 0; key < 110; key++) {
    db.deleteSync(key);
    model.delete(key);
  }
  await db.compact();
  const used = db.stats().log.segments;
  expect(db.stats().file!.slots).toBeLessThan(used + 12);
  const image = disk.image('none');
  expect(imageSlots(image).length).toBeGreaterThan(0);
  const again = openOn(new SimulatedDisk(image));
  expect(again.recovery.records).toBe(0);
  await expectModel(again, model, 'after compact()');
  await again.close();
});

test('a disk that is full ends an image, and not the store', async () => {
  const { disk, model, db } = usedStore(92, 600);
  const { images } = db.stats().file!;
  disk.capacity = disk.size();
  write(db, model, new Random(93), 200);
  disk.capacity = Infinity;
  write(db, model, new Random(94), 800);
  expect(db.stats().file!.images.written).toBeGreaterThan(images.written);
  const again = openOn(new SimulatedDisk(disk.image('none')));
  await expectModel(again, model, 'after the disk was full');
  await again.close();
});

test('a store with a value in parts keeps the image that it had before, and replays that value', async () => {
  const disk = new SimulatedDisk();
  const model: Model = new Map();
  const db = openOn(disk);
  write(db, model, new Random(85), 300);
  const large = new Random(86).bytes(6000);
  db.putSync('large', large);
  model.set('large', large);
  write(db, model, new Random(87), 300);
  await db.close();
  const again = openOn(new SimulatedDisk(disk.image('all')));
  expect(again.recovery.records).toBeGreaterThan(100);
  await expectModel(again, model, 'with a value in parts');
  again.deleteSync('large');
  model.delete('large');
  model.set('more', new Uint8Array(10));
  await again.close();
});
