/** Files whose hashes are right and whose content is not: what was made on purpose is refused like what decayed, or does no harm (F-34, F-35). */
import { expect, test } from 'vitest';
import * as format from '../../assembly/shared/format.js';
import { CorruptionError } from '../../src/errors.js';
import { Forgery, type Place } from '../support/forgery.js';
import type { Head } from '../support/format-parts.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';

const SEGMENT_SIZE = 4096;
const OPTIONS = { segmentSize: SEGMENT_SIZE, values: 'bytes', flushInterval: 3_600_000 } as const;

/** Three commits of one key each, in a segment of their own; the process died. */
function threeCommits(): Uint8Array {
  const disk = new SimulatedDisk();
  const db = openStore(disk, OPTIONS);
  for (const key of ['a', 'b', 'c']) db.putSync(key, new Uint8Array(16).fill(7));
  return disk.processImage();
}

function expectRefused(bytes: Uint8Array, what: string): void {
  const disk = new SimulatedDisk(bytes);
  expect(() => openStore(disk, OPTIONS), what).toThrow(CorruptionError);
  expect(Buffer.compare(disk.processImage(), bytes), `${what}: a refused file is left as it is`).toBe(0);
}

/** Changes a record, and with it all hashes. */
function withRecord(change: (view: DataView, place: Place, forgery: Forgery) => void, number = 1): Uint8Array {
  const forgery = new Forgery(threeCommits());
  const frame = forgery.frames()[number]!;
  change(forgery.view, forgery.records(frame)[0]!, forgery);
  forgery.sealFrame(frame);
  return forgery.bytes;
}

/** Changes the head of a frame, and its hash. */
function withHead(change: (view: DataView, head: Head, forgery: Forgery) => void, number = 1): Uint8Array {
  const forgery = new Forgery(threeCommits());
  const frame = forgery.frames()[number]!;
  change(forgery.view, frame, forgery);
  forgery.sealBody(frame);
  return forgery.bytes;
}

const setVersion = (view: DataView, offset: number, version: bigint): void =>
  view.setBigUint64(offset, (view.getBigUint64(offset, true) & (0xffffn << 48n)) | version, true);
const setFlags = (view: DataView, { offset }: Place, flags: number): void => view.setUint16(offset + format.RECORD_FLAGS, flags, true);

test('a forgery that changes nothing is the store itself, so that what refuses another is its content', () => {
  const forged = withRecord(() => undefined);
  expect(Buffer.compare(forged, threeCommits())).toBe(0);
  expect(openStore(new SimulatedDisk(forged), OPTIONS).stats().keys).toBe(3);
  const other = withRecord((view, { offset }) => view.setUint8(offset + format.RECORD_HEADER_SIZE + 'Tb'.length, 9));
  expect(openStore(new SimulatedDisk(other), OPTIONS).get('b')).toEqual(new Uint8Array(16).fill(7).fill(9, 0, 1));
});

test('records that mean nothing are refused', () => {
  expectRefused(withRecord((view, { offset }) => setVersion(view, offset + format.RECORD_VERSION, 0n)), 'a version of 0');
  expectRefused(withRecord((view, { offset }) => setVersion(view, offset + format.RECORD_VERSION, 9n)), 'a version above that of the frame');
  expectRefused(withRecord((view, place) => setFlags(view, place, 0x0200)), 'a flag that the format does not have');
  expectRefused(withRecord((view, place) => setFlags(view, place, format.RECORD_FLAG_PART | format.RECORD_FLAG_TIME)), 'a part with a time');
  expectRefused(withRecord((view, place) => setFlags(view, place, format.RECORD_FLAG_TOMBSTONE)), 'a delete with a value');
  expectRefused(withRecord((view, place) => setFlags(view, place, format.RECORD_FLAG_PART)), 'a part with a key');
  expectRefused(withRecord((view, { offset }) => view.setUint16(offset + format.RECORD_KEY_SIZE_LOW, 0, true)), 'no key');
  expectRefused(withRecord((view, { offset }) => {
    view.setUint16(offset + format.RECORD_FLAGS, format.RECORD_FLAG_LARGE, true);
    view.setUint32(offset + format.RECORD_VALUE_SIZE, 15, true);
  }), 'a list of parts that is cut');
});

test('frames that mean nothing are refused', () => {
  expectRefused(withHead((view, { offset }) => view.setUint32(offset + format.FRAME_RECORD_COUNT, 2, true)), 'more records than there are');
  expectRefused(withHead((view, { offset }) => view.setUint32(offset + format.FRAME_PENDING_COUNT, 2, true)), 'more pending records than records');
  expectRefused(withHead((view, { offset }, forgery) => view.setBigUint64(offset + format.FRAME_SEAL, forgery.addressOf(offset) + 1n, true)), 'a seal of what is not written yet');
});

test('versions that fall are refused', () => {
  const forgery = new Forgery(threeCommits());
  const frame = forgery.frames()[2]!;
  setVersion(forgery.view, frame.offset + format.FRAME_VERSION, 1n);
  setVersion(forgery.view, forgery.records(frame)[0]!.offset + format.RECORD_VERSION, 1n);
  forgery.sealFrame(frame);
  expectRefused(forgery.bytes, 'a version below the one before');
});

test('a link is not believed, wherever it points', async () => {
  for (const target of [1n, 8n, 100n, 0xffff_ffff_ffffn]) {
    const db = openStore(new SimulatedDisk(withRecord((view, { offset }, forgery) => {
      const address = target === 0xffff_ffff_ffffn ? target : forgery.addressOf(0) + target;
      setVersion(view, offset + format.RECORD_LINK, address);
    })), OPTIONS, 1, true);
    await db.verify();
    expect([...db.history('b')].map(({ version }) => version)).toEqual([2]);
    db.putSync('b', new Uint8Array(1));
    db.deleteSync('b');
    expect(db.has('b')).toBe(false);
    await db.verify();
    await db.close();
  }
});

/** A store with a value in parts, of which the first stands in slot 0 and the list in slot 1; and the place of that list: the total, then the addresses. */
function largeValue(): { bytes: Uint8Array; list: number } {
  const disk = new SimulatedDisk();
  const db = openStore(disk, { ...OPTIONS, segmentSize: 16_384 });
  db.putSync('first', new Uint8Array(80).fill(1));
  db.putSync('filler', Uint8Array.from({ length: 8000 }, (_, index) => (index * 7) | 1));
  db.putSync('large', Uint8Array.from({ length: 9000 }, (_, index) => (index * 5) | 1));
  const forgery = new Forgery(disk.processImage(), 1);
  const { offset } = forgery.records(forgery.frames()[0]!).find((place) => forgery.view.getUint16(place.offset + format.RECORD_FLAGS, true) === format.RECORD_FLAG_LARGE)!;
  return { bytes: forgery.bytes, list: offset + format.RECORD_HEADER_SIZE + forgery.view.getUint16(offset + format.RECORD_KEY_SIZE_LOW, true) };
}

/** Adds to a word of the list of the parts. */
function withWord(index: number, change: (word: bigint) => bigint, { bytes, list } = largeValue()): Uint8Array {
  const forgery = new Forgery(bytes, 1);
  const at = list + index * 8;
  forgery.view.setBigUint64(at, change(forgery.view.getBigUint64(at, true)), true);
  forgery.sealFrame(forgery.frames()[0]!);
  return forgery.bytes;
}

test('a list of parts is not believed', () => {
  expect(openStore(new SimulatedDisk(withWord(0, (total) => total)), OPTIONS).get('large')).toHaveLength(9000);
  expectRefused(withWord(0, (total) => total + 8n), 'a total that the parts do not add up to');
  expectRefused(withWord(1, (address) => address + 0x10_0000n), 'an address in no segment');
  const filler = new Forgery(largeValue().bytes);
  expectRefused(withWord(1, () => filler.addressOf(filler.records(filler.frames()[1]!)[0]!.offset)), 'the address of a record that is no part');
});

test('what looks like a part, within a value, is none', () => {
  const { bytes, list } = largeValue();
  const forgery = new Forgery(bytes);
  const { view } = forgery;
  const [first, , last] = forgery.frames();
  const part = forgery.records(last!)[0]!.offset;
  const within = (forgery.records(first!)[0]!.offset + format.RECORD_HEADER_SIZE + 15) & ~7;
  const size = view.getUint32(part + format.RECORD_VALUE_SIZE, true);
  // A record like the first part, with its flags, version and a check that is right, of eight bytes: and a total to match.
  for (let index = 0; index < format.RECORD_HEADER_SIZE; index++) view.setUint8(within + index, view.getUint8(part + index));
  view.setUint32(within + format.RECORD_VALUE_SIZE, 8, true);
  forgery.sealRecord({ offset: within, size: format.RECORD_HEADER_SIZE + 8 });
  forgery.sealFrame(first!);
  const shorter = withWord(0, (total) => total - BigInt(size - 8), { bytes: forgery.bytes, list });
  expectRefused(withWord(1, () => forgery.addressOf(within), { bytes: shorter, list }), 'an address at which no record begins');
});

/** A disk that notes how far it was read. */
class WatchedDisk extends SimulatedDisk {
  farthest = 0;

  override read(target: Uint8Array, offset: number): number {
    this.farthest = Math.max(this.farthest, offset);
    return super.read(target, offset);
  }
}

test('a list that names slots behind the end of the file is refused before any of them is read', async () => {
  const disk = new SimulatedDisk();
  const db = openStore(disk, OPTIONS);
  for (let key = 0; key < 6; key++) db.putSync(key, new Uint8Array(900).fill(key + 1));
  await db.close();
  // The clean superblock enters the chain at the newest segment.
  const { rootSlot } = new Forgery(disk.processImage()).superblock;
  const forgery = new Forgery(disk.processImage(), rootSlot);
  expect(forgery.header.listSize).toBe(4);
  // Segment 1, 63 slots behind the first, in a run of one.
  forgery.replaceList(Uint8Array.of(1, 126, 0, 0x7f));
  const watched = new WatchedDisk(forgery.bytes);
  expect(() => openStore(watched, OPTIONS)).toThrow('a segment that belongs to the store is missing');
  expect(watched.farthest).toBeLessThan(forgery.bytes.length);
});
