/**
 * The file is what FORMAT.md says: a reader that was written from that page alone finds in the bytes of stores what the stores themselves answer, after ordinary
 * histories, after power losses, and after damage. A golden file notices every change of what is written.
 */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { readKey, type Key } from '../../src/codec/key.js';
import { MemoryDevice } from '../../src/device/memory.js';
import { CorruptionError } from '../../src/errors.js';
import type { OpenOptions } from '../../src/options.js';
import type { BatchOperation } from '../../src/batch.js';
import type { Store } from '../../src/store.js';
import { SLOTS_OFFSET, readHeader, readList } from '../support/format-parts.js';
import { FormatDamage, readFormat, type FormatImage } from '../support/format-reader.js';
import { Random, seedOf } from '../support/random.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';
import { xxh64 } from '../support/xxh64.js';

const SEED = seedOf(20_250);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

// ── What both sides say ────────────────────────────────────────────────────────────────────────────────────────────

/** Every key that the tests use, by its bytes; few, so that histories overwrite them. */
const KEYS: Key[] = [null, false, true, 0, -1.5, 1e300, 7n, '', 'name', 'näme', '名', new Uint8Array([0, 255]), ['a', 1, ['b', null], new Uint8Array([0])], 'k'.repeat(900)];
for (let number = 0; number < 30; number++) KEYS.push(`key${number}`, ['row', number]);

type Answers = Map<string, string>;

/** A comparable form of a key's version and value. */
const answer = (version: number, value: Uint8Array): string => `${version}:${value.length}:${xxh64(value)}`;

function answersOf(db: Store): Answers {
  const answers: Answers = new Map();
  for (const key of KEYS) {
    const entry = db.getEntry(key);
    if (entry !== undefined) answers.set(JSON.stringify(key instanceof Uint8Array ? ['bytes', ...key] : key, jsonBigint), answer(entry.version, entry.value as Uint8Array));
  }
  return answers;
}

function answersIn(image: FormatImage): Answers {
  const answers: Answers = new Map();
  for (const held of image.state.values()) {
    const key = readKey(held.key, 0, held.key.length);
    if (!held.isTombstone) answers.set(JSON.stringify(key instanceof Uint8Array ? ['bytes', ...key] : key, jsonBigint), answer(held.version, held.value));
  }
  return answers;
}

function jsonBigint(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}

function expectSame(answers: Answers, image: FormatImage, where: string): void {
  const read = answersIn(image);
  expect([...read.keys()].sort(), where).toEqual([...answers.keys()].sort());
  for (const [key, value] of answers) expect(read.get(key), `${where}: ${key}`).toBe(value);
}

/**
 * Opens a copy of the bytes and reads them independently. Both must refuse, or both must find the same state, the same end and the same next version.
 * Returns what was read, or undefined where the store was refused.
 */
function agree(bytes: Uint8Array, where: string): FormatImage | undefined {
  let image: FormatImage | undefined;
  let refusal: unknown;
  try {
    image = readFormat(bytes);
  } catch (error) {
    if (!(error instanceof FormatDamage)) throw new Error(`${where}: ${String(error)}`, { cause: error });
    refusal = error;
  }
  let db: Store | undefined;
  try {
    db = openStore(new MemoryDevice(bytes), { values: 'bytes', create: false }, 77);
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw new Error(`${where}: ${String(error)}`, { cause: error });
    if (image !== undefined) throw new Error(`${where}: the library refuses what the reader accepts: ${error.message}`, { cause: error });
    return undefined;
  }
  if (image === undefined) throw new Error(`${where}: the library accepts what the reader refuses: ${String(refusal)}`, { cause: refusal });
  expectSame(answersOf(db), image, where);
  expect(db.stats().keys, where).toBe(answersIn(image).size);
  expect(db.recovery.dropped !== undefined, `${where}: a torn tail`).toBe(image.torn !== undefined);
  expect(db.putSync('one more', new Uint8Array(1)), `${where}: the next version`).toBe(image.versionFloor + 1);
  return image;
}

// ── Histories ──────────────────────────────────────────────────────────────────────────────────────────────────────

interface Shape {
  readonly segmentSize: number;
  readonly steps: number;
  readonly valueSizeMax: number;
  readonly largeSizeMax: number;
}

const SHAPES: Shape[] = [
  { segmentSize: 4096, steps: 250, valueSizeMax: 300, largeSizeMax: 20_000 },
  { segmentSize: 8192, steps: 250, valueSizeMax: 600, largeSizeMax: 30_000 },
  { segmentSize: 65_536, steps: 200, valueSizeMax: 2000, largeSizeMax: 150_000 },
  { segmentSize: 262_144, steps: 100, valueSizeMax: 3000, largeSizeMax: 400_000 },
];

/** Bytes that are random, zero, or zero but for one bit: what declarations are for. */
function randomValue(random: Random, sizeMax: number): Uint8Array {
  const size = random.below(sizeMax);
  if (random.chance(0.6)) return random.bytes(size);
  const value = new Uint8Array(size);
  if (size > 0 && random.chance(0.6)) value[random.below(size)] = 1 << random.below(8);
  if (random.chance(0.3)) value.set(random.bytes(Math.floor(size / 3)), Math.floor(size / 2));
  return value;
}

function randomStep(db: Store, random: Random, shape: Shape): Promise<unknown> {
  const key = random.pick(KEYS);
  const choice = random.below(40);
  if (choice < 5) return db.delete(key);
  if (choice < 7) return db.put(key, randomValue(random, shape.largeSizeMax));
  if (choice < 9) return db.cas(key, db.getEntry(key)?.version ?? 0, randomValue(random, shape.valueSizeMax));
  if (choice > 13) return db.put(key, randomValue(random, shape.valueSizeMax));
  const operations: BatchOperation<unknown>[] = [];
  for (let count = random.below(20); count >= 0; count--) {
    const operationKey = random.pick(KEYS);
    operations.push(random.chance(0.2) ? { type: 'delete', key: operationKey } : { type: 'put', key: operationKey, value: randomValue(random, shape.valueSizeMax) });
  }
  return db.batch(operations);
}

for (const shape of SHAPES) {
  for (const durability of ['strict', 'buffered', 'relaxed'] as const) {
    test(`the reader finds what the store holds: segments of ${shape.segmentSize}, ${durability}`, async () => {
      const seed = SEED + shape.segmentSize + durability.length;
      const random = new Random(seed);
      let device = new MemoryDevice();
      const options: OpenOptions = { segmentSize: shape.segmentSize, values: 'bytes', durability };
      let db = openStore(device, options, seed);
      for (let round = 0; round < 3; round++) {
        for (let step = 0; step < shape.steps; step++) {
          const done = randomStep(db, random, shape);
          if (random.chance(0.5)) await done;
          if (random.chance(0.05)) await db.flush();
        }
        await db.flush();
        const where = `seed ${seed}, round ${round}`;
        expectSame(answersOf(db), readFormat(device.bytes()), where);
        const before = answersOf(db);
        if (random.chance(0.5)) await db.close();
        const bytes = device.bytes();
        const image = agree(bytes, where)!;
        expectSame(before, image, where);
        expect(image.superblock.shift).toBe(Math.log2(shape.segmentSize));
        expect(image.segments.length).toBeGreaterThan(1);
        if (image.superblock.isClean) expect(image.end, where).toBe(image.superblock.tail);
        await db.close();
        device = new MemoryDevice(bytes);
        db = openStore(device, options, seed + round + 1);
      }
      await db.close();
    });
  }
}

test('histories reach what the page describes: large values, pending commits, declarations, gaps in the list, tombstones', async () => {
  const random = new Random(SEED);
  const device = new MemoryDevice();
  const db = openStore(device, { segmentSize: 4096, values: 'bytes', durability: 'strict' });
  const seen = { large: 0, pending: 0, zeros: 0, bits: 0, gaps: 0, tombstones: 0, recycled: 0, sealed: 0 };
  for (let step = 0; step < 60; step++) {
    for (let count = 0; count < 8; count++) await randomStep(db, random, SHAPES[0]!);
    const bytes = device.bytes();
    const image = agree(bytes, `step ${step}`)!;
    for (const [index, { header, frames }] of image.segments.entries()) {
      if (index > 0 && header.sequence !== image.segments[index - 1]!.header.sequence + 1) seen.gaps++;
      if (header.slot < header.sequence - 1) seen.recycled++;
      for (const { head, declarations, records } of frames) {
        if (head.pendingCount > 0) seen.pending++;
        if (head.seal > 0) seen.sealed++;
        for (const declaration of declarations) seen['bit' in declaration ? 'bits' : 'zeros']++;
        for (const record of records) {
          if (record.isLarge) seen.large++;
          if (record.isTombstone) seen.tombstones++;
        }
      }
    }
  }
  for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(0);
  await db.close();
});

test('a live list with a gap of 127 is told by its count, not by the byte that ends it', async () => {
  const device = new MemoryDevice();
  const db = openStore(device, { segmentSize: 4096, values: 'bytes', compaction: false });
  await db.put('name', new Uint8Array(10).fill(1));
  const gaps = new Set<number>();
  for (let step = 0; step < 400 && !gaps.has(130); step++) {
    db.putSync('key1', new Uint8Array(1900).fill(step));
    const image = readFormat(device.bytes());
    const [first, second] = image.segments.slice(0, -1).map(({ header }) => header.sequence);
    if (first === 1 && second !== undefined && second > 127 && second < 133) {
      const gap = second - 2;
      if (gaps.has(gap)) continue;
      gaps.add(gap);
      agree(device.bytes(), `gap ${gap}`);
    }
  }
  expect([...gaps].sort()).toEqual(expect.arrayContaining([126, 127, 128]));
  await db.close();
});

// ── Power loss and damage ──────────────────────────────────────────────────────────────────────────────────────────

for (const [segmentSize, durability] of [[4096, 'strict'], [4096, 'buffered'], [16_384, 'buffered'], [16_384, 'relaxed']] as const) {
  test(`what a power loss leaves reads alike: segments of ${segmentSize}, ${durability}`, async () => {
    const seed = SEED + segmentSize + durability.length;
    const random = new Random(seed);
    const disk = new SimulatedDisk();
    const db = openStore(disk, { segmentSize, values: 'bytes', durability }, seed);
    await db.put('name', random.bytes(20));
    const images: { readonly bytes: Uint8Array; readonly where: string }[] = [];
    disk.onOperation = (number) => {
      if (random.chance(durability === 'strict' ? 0.35 : 1)) images.push({ bytes: disk.image(random.pick(['none', 'all', random, random])), where: `seed ${seed}, operation ${number}` });
    };
    const shape = { segmentSize, steps: 0, valueSizeMax: 700, largeSizeMax: segmentSize * 3 };
    for (let step = 0; step < 60; step++) {
      const done = randomStep(db, random, shape);
      if (random.chance(0.3)) await done;
      if (random.chance(0.1)) await db.flush();
    }
    await db.close();
    expect(images.length).toBeGreaterThan(10);
    let tornCount = 0;
    for (const { bytes, where } of images) {
      const image = agree(bytes, where);
      expect(image, `${where} is no damage`).toBeDefined();
      if (image!.torn === undefined) continue;
      tornCount++;
      const again = new SimulatedDisk(bytes);
      again.onOperation = (number, operation) => {
        if (operation !== 'read') expectSame(answersIn(image!), agree(again.image(random), `${where}, and in recovery at ${number}`)!, where);
      };
      openStore(again, { values: 'bytes' }, seed);
    }
    expect(tornCount, 'torn tails').toBeGreaterThan(0);
  });
}

test('a log that ends within a commit is cut before every commit that is then unfinished, and goes on from there', async () => {
  const disk = new SimulatedDisk();
  const db = openStore(disk, { segmentSize: 4096, values: 'bytes', durability: 'relaxed' });
  db.putSync('name', new Uint8Array([1]));
  await db.flush();
  const random = new Random(SEED);
  const puts = (count: number): BatchOperation<unknown>[] => KEYS.slice(14, 14 + count).map((key) => ({ type: 'put', key, value: random.bytes(200) }));
  // The first goes from the first segment into the second, and the second from there into the third, of which nothing arrives.
  db.batchSync(puts(22));
  db.batchSync(puts(20));
  let bytes: Uint8Array = new Uint8Array(0);
  disk.onOperation = (_, operation) => {
    if (operation === 'flush') bytes = disk.image('all');
  };
  await db.flush();
  const whole = readFormat(bytes);
  expect(whole.segments.map(({ frames }) => frames.at(-1)!.head.pendingCount > 0)).toEqual([true, true, false]);
  const { slot } = whole.segments[2]!.header;
  bytes.fill(0, SLOTS_OFFSET + slot * 4096, SLOTS_OFFSET + (slot + 1) * 4096);
  const image = agree(bytes, 'both commits are unfinished')!;
  expect([...answersIn(image).keys()]).toEqual(['"name"']);
  const device = new MemoryDevice(bytes);
  const next = openStore(device, { values: 'bytes' });
  await next.put('näme', new Uint8Array([2]));
  await next.close();
  expect([...answersIn(agree(device.bytes(), 'the log went on')!).keys()]).toEqual(['"name"', '"näme"']);
  await db.close();
});

/** The bits in which live frames stand, as offsets of bytes in the file. */
function liveBytes(image: FormatImage): number[] {
  return image.segments.flatMap(({ header, frames }) => frames.flatMap(({ head }) => {
    const base = SLOTS_OFFSET + header.slot * 2 ** image.superblock.shift;
    return Array.from({ length: head.end - head.offset }, (_, index) => base + head.offset + index);
  }));
}

async function filled(segmentSize: number, seed: number): Promise<{ device: MemoryDevice; db: Store }> {
  const random = new Random(seed);
  const device = new MemoryDevice();
  const db = openStore(device, { segmentSize, values: 'bytes' }, seed);
  for (let step = 0; step < 60; step++) await randomStep(db, random, { segmentSize, steps: 0, valueSizeMax: 400, largeSizeMax: 9000 });
  return { device, db };
}

test('a flipped bit in a live frame, header or list is refused by both', async () => {
  const { device, db } = await filled(4096, SEED);
  await db.close();
  const bytes = device.bytes();
  const image = readFormat(bytes);
  const random = new Random(SEED);
  const places = liveBytes(image);
  const headers = image.segments.flatMap(({ header }) => Array.from({ length: header.framesOffset }, (_, index) => ({ offset: SLOTS_OFFSET + header.slot * 4096 + index, isPadding: index >= 128 + header.listSize })));
  const flips = [...Array.from({ length: 150 }, () => random.pick(places)), ...Array.from({ length: 60 }, () => random.pick(headers.filter(({ isPadding }) => !isPadding)).offset)];
  for (const offset of flips) {
    const bit = random.below(8);
    bytes[offset] ^= 1 << bit;
    const where = `seed ${SEED}, byte ${offset}, bit ${bit}`;
    const isRestored = isDeclaredBit(bytes, image, where);
    expect(agree(bytes, where) === undefined, where).toBe(!isRestored);
    bytes[offset] ^= 1 << bit;
  }
  expect(agree(bytes, 'all flipped back')).toBeDefined();
});

/** Whether the reader accepts the bytes with the state unchanged: so it is when the flipped bit was the only one of a sector that says so. */
function isDeclaredBit(bytes: Uint8Array, whole: FormatImage, where: string): boolean {
  try {
    const image = readFormat(bytes);
    expect([...answersIn(image)], where).toEqual([...answersIn(whole)]);
    expect(whole.segments.some(({ frames }) => frames.some(({ declarations }) => declarations.some((declaration) => 'bit' in declaration))), where).toBe(true);
    return true;
  } catch (error) {
    if (error instanceof FormatDamage) return false;
    throw error;
  }
}

test('a flipped bit in a store that was not closed is seen alike, wherever it is', async () => {
  const { device, db } = await filled(4096, SEED + 1);
  const bytes = device.bytes();
  await db.close();
  const random = new Random(SEED + 1);
  let refusedCount = 0;
  for (let count = 0; count < 200; count++) {
    const offset = random.below(bytes.length);
    const bit = random.below(8);
    bytes[offset] ^= 1 << bit;
    if (agree(bytes, `seed ${SEED + 1}, byte ${offset}, bit ${bit}`) === undefined) refusedCount++;
    bytes[offset] ^= 1 << bit;
  }
  expect(refusedCount).toBeGreaterThan(0);
});

test('a sector that came back as zeros is seen alike', async () => {
  const { device, db } = await filled(8192, SEED + 2);
  const bytes = device.bytes();
  await db.close();
  for (let sector = 16; sector * 512 < bytes.length; sector++) {
    const kept = bytes.slice(sector * 512, sector * 512 + 512);
    bytes.fill(0, sector * 512, sector * 512 + 512);
    agree(bytes, `seed ${SEED + 2}, sector ${sector}`);
    bytes.set(kept, sector * 512);
  }
});

// ── The parts ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** A device that remembers the superblocks that were written to it. */
class WatchedDevice extends MemoryDevice {
  readonly superblockWrites: { readonly offset: number; readonly bytes: Uint8Array }[] = [];

  override write(source: Uint8Array, start: number, length: number, offset: number): void {
    const isPreparation = source.subarray(start, start + length).every((byte) => byte === 0);
    if (offset < SLOTS_OFFSET && !isPreparation) this.superblockWrites.push({ offset, bytes: source.slice(start, start + length) });
    super.write(source, start, length, offset);
  }
}

test('superblocks alternate, and each holds its record twice', async () => {
  const device = new WatchedDevice();
  const db = openStore(device, { segmentSize: 4096, values: 'bytes' });
  const random = new Random(SEED);
  for (let step = 0; step < 300; step++) await db.put(`key${random.below(5)}`, random.bytes(300));
  await db.close();
  expect(device.superblockWrites.length).toBeGreaterThan(4);
  let generation: bigint | undefined;
  for (const { offset, bytes } of device.superblockWrites) {
    const record = bytes.subarray(0, 128);
    const written = Buffer.from(record).readBigUInt64LE(32);
    expect(bytes.length).toBe(4096);
    expect(offset).toBe(Number(written % 2n) * 4096);
    if (generation !== undefined) expect(written).toBe(generation + 1n);
    generation = written;
    expect(hex(bytes.subarray(2048, 2176))).toBe(hex(record));
    expect(bytes.every((byte, index) => byte === 0 || index % 2048 < 128)).toBe(true);
  }
  const image = readFormat(device.bytes());
  expect(image.superblocks.flat().filter((superblock) => superblock === undefined)).toEqual([]);
  expect(image.superblock.generation).toBe(generation);
  expect(image.superblock.isClean).toBe(true);
  expect(image.superblocks[Number((generation! + 1n) % 2n)]![0]!.generation).toBe(generation! - 1n);
});

test('either copy of a superblock will do', async () => {
  const { device, db } = await filled(4096, SEED + 3);
  await db.close();
  const { index } = readFormat(device.bytes()).superblock;
  for (const copies of [[0], [1], [0, 1]]) {
    const bytes = device.bytes();
    for (const copy of copies) bytes[index * 4096 + copy * 2048 + 40] ^= 1;
    const image = agree(bytes, `copies ${copies.join()}`);
    // Without both the superblock before counts, which leads to the same log, but knows nothing of the close.
    expect(image?.superblock.isClean, `copies ${copies.join()}`).toBe(copies.length === 1);
  }
});

test('every header on the way to the newest segment lists only segments that were there', async () => {
  const { device, db } = await filled(4096, SEED + 4);
  const bytes = device.bytes();
  await db.close();
  const { superblock, segments } = readFormat(bytes);
  for (let header = readHeader(bytes, superblock.rootSlot, superblock); header !== undefined; header = readHeader(bytes, header.nextSlot, superblock)) {
    const list = readList(bytes, header, superblock.shift)!;
    expect(list.length).toBe(header.listCount);
    expect(list.every(({ sequence }, index) => sequence < header.sequence && (index === 0 || sequence > list[index - 1]!.sequence))).toBe(true);
    if (header.sequence === segments.at(-1)!.header.sequence) break;
  }
});

/** A key's bytes, as the page says. Of bigints only those that doubles hold. */
function encodeKey(key: Key, isInTuple = false): number[] {
  const close = (bytes: number[]): number[] => (isInTuple ? [...bytes.flatMap((byte) => (byte === 0 ? [0, 255] : [byte])), 0] : bytes);
  if (key === null) return [0x10];
  if (typeof key === 'boolean') return [key ? 0x21 : 0x20];
  if (typeof key === 'string') return [0x40, ...close([...Buffer.from(key)])];
  if (key instanceof Uint8Array) return [0x50, ...close([...key])];
  if (typeof key === 'number' || typeof key === 'bigint') {
    const double = Buffer.alloc(8);
    double.writeDoubleBE(Number(key) === 0 ? 0 : Number(key));
    const bytes = [...double].map((byte, index) => (Number(key) < 0 ? 255 - byte : index === 0 ? byte | 128 : byte));
    return [0x30, ...bytes, ...(typeof key === 'bigint' ? [0xfe] : [])];
  }
  return [0x60, ...(key as readonly Key[]).flatMap((part) => encodeKey(part, true)), ...(isInTuple ? [0] : [])];
}

test('keys and kinds of values stand in the file as the page says', async () => {
  const device = new MemoryDevice();
  const db = openStore(device, { segmentSize: 65_536 });
  for (const key of [...KEYS, -0]) await db.put(key, true);
  const values: [unknown, number, string | undefined][] = [
    [new Uint8Array([1, 2]), 0, '0102'], ['plain', 1, hex(Buffer.from('plain'))], ['naïve', 2, hex(Buffer.from('naïve'))],
    ['\ud800 alone', 3, hex(Buffer.from('\ud800 alone', 'utf16le'))], [{ a: 1 }, 4, undefined], [1.5, 4, undefined],
  ];
  for (const [index, [value]] of values.entries()) await db.put(['kind', index], value);
  await db.delete('key1');
  await db.close();
  const { state } = readFormat(device.bytes());
  expect(state.size).toBe(KEYS.length + values.length);
  for (const key of KEYS) expect(state.has(hex(Uint8Array.from(encodeKey(key)))), String(key)).toBe(true);
  expect(state.get(hex(Uint8Array.from(encodeKey('key1'))))).toMatchObject({ isTombstone: true, version: KEYS.length + 1 + values.length + 1 });
  for (const [index, [, kind, bytes]] of values.entries()) {
    const held = state.get(hex(Uint8Array.from(encodeKey(['kind', index]))))!;
    expect(held.kind, String(values[index]![0])).toBe(kind);
    if (bytes !== undefined) expect(hex(held.value)).toBe(bytes);
  }
  for (const [codec, kind] of [['json', 5], ['msgpack', 6], ['utf8', 2]] as const) {
    const other = new MemoryDevice();
    const store = openStore(other, { values: codec });
    await store.put('a', 'naïve');
    await store.close();
    expect([...readFormat(other.bytes()).state.values()].map((held) => held.kind), codec).toEqual([kind]);
  }
});

// ── Nothing changes unnoticed ──────────────────────────────────────────────────────────────────────────────────────

/** A history of blocking calls. */
function blockingHistory(shape: Shape): Uint8Array {
  const random = new Random(SEED);
  const device = new MemoryDevice();
  const db = openStore(device, { segmentSize: shape.segmentSize, flush: 'sync', values: 'bytes' }, SEED);
  for (let step = 0; step < shape.steps; step++) {
    const key = random.pick(KEYS);
    if (random.chance(0.2)) db.deleteSync(key);
    else db.putSync(key, randomValue(random, random.chance(0.1) ? shape.largeSizeMax : shape.valueSizeMax));
  }
  return device.bytes();
}

/** A small store in which every kind of thing occurs, made by blocking calls alone: no timer has a say. */
function goldenBytes(): Uint8Array {
  const device = new MemoryDevice();
  const db = openStore(device, { segmentSize: 4096, flush: 'sync', values: 'bytes' }, 5);
  const random = new Random(5);
  for (let round = 0; round < 30; round++) {
    db.putSync(`key${round % 7}`, random.bytes(20 * round));
    const sparse = new Uint8Array(1200);
    if (round % 2 === 0) sparse[800] = 4;
    db.batchSync([{ type: 'put', key: ['row', round], value: random.bytes(round) }, { type: 'put', key: 'name', value: sparse }, { type: 'delete', key: ['row', round - 2] }]);
    db.deleteSync(`key${(round + 3) % 7}`);
  }
  db.putSync('näme', random.bytes(10_000));
  return device.bytes();
}

test('the same calls make the same bytes', () => {
  for (const shape of SHAPES) expect(hex(createHash('sha256').update(blockingHistory(shape)).digest())).toBe(hex(createHash('sha256').update(blockingHistory(shape)).digest()));
  const first = goldenBytes();
  expect(agree(first, 'golden')!.segments.length).toBeGreaterThan(4);
  expect(Buffer.compare(first, goldenBytes())).toBe(0);
});

test('the durable format did not change', () => {
  const digest = createHash('sha256').update(goldenBytes()).digest('hex');
  expect(digest, 'What is written has changed. If the format did, raise FORMAT_VERSION and update FORMAT.md; if only what is written when did, write the new digest here.').toBe('d0fded88ff6327fa88b4bd28f6ba60ae6c8fbd5ad5952968b0ece8dc814eb715');
});

// ── The hash ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Results that others published, over the first so many of the characters from "0" on: without a seed, and seeded 0x1234567890abcdef. */
const VECTORS: [number, bigint, bigint][] = [
  [0, 0xef46db3751d8e999n, 0xa2f5c44d0f46c872n], [1, 0x633457081244afecn, 0xf47ebf7f5cb6795bn], [3, 0x1c2dcb4b9024d73dn, 0x8516f202e563cd06n],
  [4, 0x4c33072b45647dcbn, 0xe19fff0227e3b861n], [7, 0x97ee4fe4a0ff4dfan, 0x281fef0a47387bf4n], [8, 0xe4ba22a49ad89d3fn, 0x5981b4a4e0a07d38n],
  [12, 0x884e66bb5a00411dn, 0x9cc27b0db966c216n], [16, 0x6ff4eb62bcec6586n, 0xc16a47e0b09708c8n], [31, 0xc506e23012915790n, 0xa2c0eddf74983bfen],
  [32, 0x96ee2fa935fdd556n, 0x1396bc2a00938b77n], [33, 0xa5cdc6940c6fde9en, 0x65cd9ed37dff8753n], [36, 0xa1bc3537c8713b6an, 0x34efc5c85781e473n],
  [44, 0x05c558855548ca3cn, 0x559e4ff90ac442e6n], [65, 0xeddce6ec01f7e595n, 0xb0aa81bc38df17b9n],
];

test('xxh64 gives the published results', () => {
  for (const [size, plain, seeded] of VECTORS) {
    const bytes = Uint8Array.from({ length: size }, (_, index) => 0x30 + index);
    expect(xxh64(bytes), `${size} bytes`).toBe(plain);
    expect(xxh64(bytes, 0x1234567890abcdefn), `${size} bytes, seeded`).toBe(seeded);
  }
  const text = (letters: string): bigint => xxh64(Buffer.from(letters));
  expect([text('a'), text('abc')]).toEqual([0xd24ec4f1a98c6e5bn, 0x44bc2cf5ad770999n]);
  expect(xxh64(Buffer.from('a'), 1n)).toBe(16_051_599_287_423_682_246n);
});
