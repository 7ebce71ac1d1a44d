/** Files in which every hash is right and something is a lie: each was found by fuzzing, and once trapped, hung, took memory without bound or made a store that could not be opened again. */
import { expect, test } from 'vitest';
import * as format from '../../assembly/shared/format.js';
import { MemoryDevice } from '../../src/device/memory.js';
import { CorruptionError, FormatError, FullError } from '../../src/errors.js';
import type { OpenOptions } from '../../src/options.js';
import type { Store } from '../../src/store.js';
import { SUPERBLOCK_OFFSETS, layoutOf, repairFrame, repairHeader, repairRecord, repairSegment, repairSuperblock, segmentBytes, type SegmentPlace } from '../support/file-repair.js';
import { setNumber } from '../support/mutator.js';
import { openStore } from '../support/stores.js';

const SEGMENT_SIZE = 4096;
const SHIFT = 12;

/** A file with what `write` wrote, as a process that died leaves it, or one that closed. */
async function fileOf(write: (store: Store) => void, isClosed = false): Promise<Uint8Array> {
  const device = new MemoryDevice();
  const store = openStore(device, { segmentSize: SEGMENT_SIZE });
  write(store);
  const died = device.bytes();
  await store.close();
  return isClosed ? device.bytes() : died;
}

function fill(store: Store, count: number): void {
  for (let index = 0; index < count; index++) store.putSync(`key${index}`, new Uint8Array(300).fill(index + 1));
}

/** Changes a segment of a file and makes its hashes right. */
function changeSegment(file: Uint8Array, index: number, change: (bytes: Uint8Array, place: SegmentPlace) => void, isIdentity = false): void {
  const place = layoutOf(file.slice()).segments.at(index)!;
  const bytes = segmentBytes(file, place, SHIFT)!;
  change(bytes, place);
  if (isIdentity) repairSegment(bytes, place, SHIFT);
  else repairHeader(bytes, SHIFT);
}

function changeSuperblocks(file: Uint8Array, offset: number, value: bigint): void {
  for (const copy of SUPERBLOCK_OFFSETS) {
    setNumber(file, copy + offset, 8, value);
    repairSuperblock(file, copy);
  }
}

/** The file is refused, and left as it was. */
function expectRefusal(file: Uint8Array, options: OpenOptions = {}): void {
  const device = new MemoryDevice(file);
  expect(() => openStore(device, { create: false, ...options })).toThrow(CorruptionError);
  expect(Buffer.compare(device.bytes(), file), 'the file is as it was').toBe(0);
}

/** Sets the list of a segment to these bytes, naming so many segments. */
function setList(bytes: Uint8Array, list: readonly number[], count: number): void {
  bytes.set([...list, 0x7f], format.SEGMENT_HEADER_SIZE);
  setNumber(bytes, format.SEGMENT_LIST_SIZE, 4, BigInt(list.length + 1));
  setNumber(bytes, format.SEGMENT_LIST_COUNT, 4, BigInt(count));
}

test('salvage of superblocks without a segment is refused (F-20)', async () => {
  const file = await fileOf((store) => store.putSync('key', 1));
  expectRefusal(file.slice(0, format.SLOTS_OFFSET), { salvage: true });
});

test('a salvaged store is scanned and asked for its history across its damage (F-20)', async () => {
  const file = await fileOf((store) => fill(store, 30), true);
  // The head of a frame in the middle, and a record within another.
  const damaged = layoutOf(file.slice()).segments[1]!;
  file.fill(0xee, damaged.offset + damaged.frames[3]!.offset, damaged.offset + damaged.frames[3]!.offset + 40);
  file.fill(0xee, damaged.offset + damaged.frames[5]!.records[0]!.valueOffset, damaged.offset + damaged.frames[5]!.records[0]!.valueOffset + 40);
  const store = openStore(new MemoryDevice(file, true), { salvage: true });
  expect(store.recovery.lost).not.toHaveLength(0);
  const keys = [...store.keys()].sort();
  const found = Array.from({ length: 30 }, (_, index) => `key${index}`).filter((key) => store.has(key)).sort();
  expect(found.length).toBeGreaterThan(20);
  expect(keys).toEqual(found);
  for (const key of keys) expect([...store.history(key)].length).toBe(1);
  await store.close();
});

test('salvage shows a commit that goes over the end of a segment, whatever is damaged before it (F-20)', async () => {
  const file = await fileOf((store) => {
    store.putSync('first', 1);
    store.batchSync(Array.from({ length: 12 }, (_, index) => ({ type: 'put' as const, key: `key${index}`, value: `${index}`.repeat(400) })));
  }, true);
  const place = layoutOf(file.slice()).segments[0]!;
  expect(place.frames.length).toBeGreaterThan(1);
  file.fill(0xff, place.offset + place.frames[0]!.offset, place.offset + place.frames[0]!.offset + 8);
  const store = openStore(new MemoryDevice(file, true), { salvage: true });
  expect([...store.keys()]).toHaveLength(12);
  await store.close();
});

test('a list that names four thousand million segments costs neither time nor memory, also in salvage (F-34)', async () => {
  const file = await fileOf((store) => fill(store, 5));
  for (const count of [0xffffffff, 1 << 20]) {
    changeSegment(file, 0, (bytes) => {
      setNumber(bytes, format.SEGMENT_SEQUENCE, 8, 1n << 33n);
      setList(bytes, [1, 0, ...(count === 1 << 20 ? [0xff, 0xff, 0x3f] : [0xff, 0xff, 0xff, 0xff, 0x0f])], count);
    }, true);
    changeSuperblocks(file, format.SUPERBLOCK_ROOT_SEQUENCE, 1n << 33n);
    expectRefusal(file);
    try {
      const store = openStore(new MemoryDevice(file, true), { salvage: true });
      expect(store.recovery.lost.length).toBeLessThan(10);
      void store.close();
    } catch (error) {
      expect(error).toBeInstanceOf(CorruptionError);
    }
  }
});

test('numbers that have no place in an address or a version are refused (F-34, F-35)', async () => {
  const file = await fileOf((store) => store.putSync('key', 1));
  for (const [offset, value] of [[format.SUPERBLOCK_VERSION_CEILING, 1n << 48n], [format.SUPERBLOCK_VERSION, 1n << 63n]] as const) {
    const changed = file.slice();
    changeSuperblocks(changed, offset, value);
    expectRefusal(changed);
  }
  for (const [offset, value] of [[format.SEGMENT_SEQUENCE, 0xffffffffffffffffn], [format.SEGMENT_SEQUENCE, 1n << 39n], [format.SEGMENT_VERSION_CEILING, 1n << 48n]] as const) {
    const changed = file.slice();
    changeSegment(changed, 0, (bytes) => setNumber(bytes, offset, 8, value), true);
    if (offset === format.SEGMENT_SEQUENCE) changeSuperblocks(changed, format.SUPERBLOCK_ROOT_SEQUENCE, value);
    expectRefusal(changed);
  }
});

test('at the last of all versions, segments or generations a store says that it is full, or goes on (F-34, F-35)', async () => {
  const file = await fileOf((store) => store.putSync('key', 1), true);
  const versions = file.slice();
  for (const copy of SUPERBLOCK_OFFSETS) setNumber(versions, copy + format.SUPERBLOCK_FLAGS, 4, 0n);
  changeSuperblocks(versions, format.SUPERBLOCK_VERSION_CEILING, 0xffffffffffffn);
  const segments = file.slice();
  const last = (1n << 39n) - 1n;
  changeSegment(segments, 0, (bytes) => setNumber(bytes, format.SEGMENT_SEQUENCE, 8, last), true);
  changeSuperblocks(segments, format.SUPERBLOCK_ROOT_SEQUENCE, last);
  changeSuperblocks(segments, format.SUPERBLOCK_TAIL, 0n);
  const generations = file.slice();
  changeSuperblocks(generations, format.SUPERBLOCK_GENERATION, 0xffffffffffffffffn);
  for (const [image, isFull] of [[versions, true], [segments, true], [generations, false]] as const) {
    const device = new MemoryDevice(image);
    const store = openStore(device, { create: false });
    const write = (): void => {
      for (let index = 0; index < 40; index++) store.putSync(`key${index}`, new Uint8Array(300));
    };
    if (isFull) expect(write).toThrow(FullError);
    else write();
    await store.verify();
    const count = store.count();
    await store.close();
    const again = openStore(new MemoryDevice(device.bytes()));
    expect(again.get('key')).toBe(1);
    expect(again.count()).toBe(count);
    await again.close();
  }
});

test('a frame that leaves no room for the one that ends its segment is refused (F-35)', async () => {
  const file = await fileOf((store) => store.putSync('key', new Uint8Array(100)));
  changeSegment(file, 0, (bytes, { frames }) => {
    const { offset, records } = frames.at(-1)!;
    const bodySize = (SEGMENT_SIZE - offset - format.FRAME_HEAD_SIZE - 32) & ~7;
    const record = records[0]!;
    setNumber(bytes, record.offset + format.RECORD_VALUE_SIZE, 4, BigInt(bodySize - (record.valueOffset - record.offset)));
    setNumber(bytes, offset + format.FRAME_BODY_SIZE, 4, BigInt(bodySize));
    repairRecord(bytes, record.offset, bodySize);
    repairFrame(bytes, { offset, bodySize, declarationCount: 0 });
  });
  expectRefusal(file);
});

test('a chain of segments that comes back to itself is refused (F-34)', async () => {
  const file = await fileOf((store) => fill(store, 30));
  for (const slot of [0, 1]) {
    const changed = file.slice();
    changeSegment(changed, -1, (bytes) => setNumber(bytes, format.SEGMENT_NEXT_SLOT, 4, BigInt(slot)));
    expectRefusal(changed);
  }
});

test('a list that names segments that are not there, or elsewhere, is refused (F-34, F-35)', async () => {
  const file = await fileOf((store) => fill(store, 20));
  const nonsense: readonly (readonly [readonly number[], number])[] = [[[8, 1, 2], 3], [[1, 0, 0], 2], [[0x88], 1], [[1, 0, 0, 0x80, 0x80], 1]];
  // Where segments stand is what the newest list says; what earlier ones say matters once the log is cut before it.
  for (const [index, lists] of [[1, nonsense], [-1, [...nonsense, [[1, 0x2e, 0], 1] as const]]] as const) {
    for (const [list, count] of lists) {
      const changed = file.slice();
      changeSegment(changed, index, (bytes) => setList(bytes, list, count));
      expectRefusal(changed);
    }
  }
});

test('a next slot far behind the end of the file is refused, because a slot is there before a header names it (F-28, F-34)', async () => {
  const file = await fileOf((store) => store.putSync('key', 1));
  changeSegment(file, 0, (bytes) => setNumber(bytes, format.SEGMENT_NEXT_SLOT, 4, 0x7fffffffn));
  expectRefusal(file);
});

test('what is refused only when it is linked was not written to either (F-34)', async () => {
  const file = await fileOf((store) => store.putSync('large', new Uint8Array(6000).fill(7)));
  const { segments } = layoutOf(file.slice());
  const large = segments.flatMap((place) => place.frames.flatMap((frame) => frame.records.map((record) => ({ place, frame, record }))))
    .find(({ place, record }) => (file[place.offset + record.offset + format.RECORD_FLAGS]! & format.RECORD_FLAG_LARGE) !== 0)!;
  const bytes = segmentBytes(file, large.place, SHIFT)!;
  setNumber(bytes, large.record.valueOffset, 8, 999n);
  repairRecord(bytes, large.record.offset, large.record.size);
  repairFrame(bytes, large.frame);
  // What a lost sector leaves behind the frame has recovery write zeros there.
  setNumber(bytes, large.place.end + 600, 8, 1n);
  expectRefusal(file);
});

test('what is no store at all is no store', () => {
  for (const size of [1, 511, 8192, 20_000]) expect(() => openStore(new MemoryDevice(new Uint8Array(size).fill(0x55)), {})).toThrow(FormatError);
});
