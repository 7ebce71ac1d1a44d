/** The simulated disk loses what a disk can lose, keeps what a disk keeps, and fails as it is told: everything else that is tested on it leans on this. */
import { expect, test } from 'vitest';
import type { DeviceError } from '../../src/device/device.js';
import { Random } from '../support/random.js';
import { CrashError, SECTOR_SIZE, SimulatedDisk } from '../support/simulated-disk.js';

const filled = (size: number, byte: number): Uint8Array => new Uint8Array(size).fill(byte);
const write = (disk: SimulatedDisk, offset: number, size: number, byte: number): void => disk.write(filled(size, byte), 0, size, offset);

function thrownBy(action: () => unknown): DeviceError {
  try {
    action();
  } catch (error) {
    return error as DeviceError;
  }
  throw new Error('nothing was thrown');
}

/** Every image that a subset of the pending changes leaves, as text, for small numbers of changes. */
function allImages(disk: SimulatedDisk): Set<string> {
  const images = new Set<string>();
  expect(disk.pendingCount).toBeLessThan(12);
  for (let subset = 0; subset < 1 << disk.pendingCount; subset++) {
    images.add(Buffer.from(disk.image(new Uint8Array([subset, subset >> 8]))).toString('latin1'));
  }
  return images;
}

test('what was not flushed can be lost, what was flushed cannot', () => {
  const disk = new SimulatedDisk(filled(2048, 1));
  write(disk, 0, 512, 2);
  expect(disk.image('none')).toEqual(filled(2048, 1));
  expect(disk.image('all')).toEqual(filled(2048, 1).fill(2, 0, 512));
  disk.flushSync();
  expect(disk.pendingCount).toBe(0);
  for (const choice of ['none', 'all', 0, 5] as const) expect(disk.image(choice)).toEqual(filled(2048, 1).fill(2, 0, 512));
});

test('a sector is written whole or not at all, and any subset of sectors may arrive', () => {
  const disk = new SimulatedDisk(filled(4 * SECTOR_SIZE, 1));
  write(disk, 100, 3 * SECTOR_SIZE, 2);
  expect(disk.pendingCount).toBe(4);
  const states = new Set<string>();
  for (const image of allImages(disk)) {
    // Within each sector the write is there or is not.
    let state = '';
    for (let sector = 0; sector < 4; sector++) {
      const start = sector === 0 ? 100 : sector * SECTOR_SIZE;
      const end = sector === 3 ? 100 + 3 * SECTOR_SIZE : (sector + 1) * SECTOR_SIZE;
      const bytes = new Set(image.slice(start, end));
      expect(bytes.size).toBe(1);
      state += [...bytes][0]!.charCodeAt(0);
    }
    states.add(state);
  }
  expect(states.size).toBe(16);
});

test('a later write of the same sector may arrive without the earlier one, and carries what the earlier had put there', () => {
  const disk = new SimulatedDisk(filled(512, 1));
  write(disk, 0, 10, 2);
  write(disk, 20, 10, 3);
  const both = filled(512, 1).fill(2, 0, 10).fill(3, 20, 30);
  expect(disk.image((index) => index === 1)).toEqual(both);
  expect(disk.image(1)).toEqual(filled(512, 1).fill(2, 0, 10));
  expect(disk.image('all')).toEqual(both);
});

test('choices: prefixes, bits, functions, and seeds that repeat', () => {
  const disk = new SimulatedDisk(filled(8 * SECTOR_SIZE, 0));
  for (let sector = 0; sector < 8; sector++) write(disk, sector * SECTOR_SIZE, SECTOR_SIZE, sector + 1);
  const arrived = (image: Uint8Array): string => Array.from({ length: 8 }, (_, sector) => (image[sector * SECTOR_SIZE] === 0 ? '-' : 'x')).join('');
  expect(arrived(disk.image(3))).toBe('xxx-----');
  expect(arrived(disk.image(new Uint8Array([0b10010001])))).toBe('x---x--x');
  expect(arrived(disk.image((index) => index % 2 === 1))).toBe('-x-x-x-x');
  expect(disk.image(new Random(7))).toEqual(disk.image(new Random(7)));
  const random = new Random(7);
  expect(new Set(Array.from({ length: 40 }, () => arrived(disk.image(random)))).size).toBeGreaterThan(20);
});

test('an image is a copy, and asking for it changes nothing', () => {
  const disk = new SimulatedDisk(filled(512, 1));
  disk.image('all').fill(9);
  disk.image('none').fill(9);
  disk.processImage().fill(9);
  expect(disk.image('all')).toEqual(filled(512, 1));
  expect(disk.processImage()).toEqual(filled(512, 1));
  expect(disk.operations).toBe(0);
});

test('a file that grows may have its size without its bytes, and not its bytes without a size', () => {
  const disk = new SimulatedDisk(filled(10, 1));
  write(disk, 0, 1500, 2);
  const images = [...allImages(disk)];
  expect(images.filter((image) => image.length === 10)).toHaveLength(1);
  expect(images).toContain(Buffer.concat([filled(10, 1), filled(1490, 0)]).toString('latin1'));
  for (const image of images) expect([10, 512, 1024, 1500]).toContain(image.length);
});

test('a cut may be lost until it is flushed, but not when something behind it arrived', () => {
  const disk = new SimulatedDisk(filled(2000, 1));
  disk.truncate(600);
  expect(disk.image('none')).toEqual(filled(2000, 1));
  expect(disk.image('all')).toEqual(filled(600, 1));
  write(disk, 0, 10, 2);
  expect(disk.image((index) => index === 1), 'the write arrived, the cut did not').toEqual(filled(2000, 1).fill(2, 0, 10));
  write(disk, 1024, 10, 3);
  expect(disk.image((index) => index === 3), 'what stands behind the cut proves it').toEqual(new Uint8Array(1034).fill(1, 0, 600).fill(3, 1024));
  disk.flushSync();
  expect(disk.image('none')).toEqual(new Uint8Array(1034).fill(1, 0, 600).fill(2, 0, 10).fill(3, 1024));
});

test('the power goes at one operation, and nothing works after it', async () => {
  const disk = new SimulatedDisk(filled(512, 1));
  disk.crashAt = 2;
  write(disk, 0, 512, 2);
  const flush = disk.flush();
  expect(() => write(disk, 0, 512, 3)).toThrow(CrashError);
  await expect(flush, 'a flush that had not come back').rejects.toThrow(CrashError);
  expect(() => disk.read(new Uint8Array(1), 0)).toThrow(CrashError);
  expect(() => disk.flushSync()).toThrow(CrashError);
  expect(() => disk.truncate(0)).toThrow(CrashError);
  await expect(disk.flush()).rejects.toThrow(CrashError);
  expect(disk.image('none')).toEqual(filled(512, 1));
  expect(disk.image('all')).toEqual(filled(512, 2));
  expect([disk.operations, disk.trace]).toEqual([2, ['write', 'flush']]);
});

test('every operation has a number, a place in the trace, and is announced before it has an effect', () => {
  const disk = new SimulatedDisk(filled(512, 1));
  const seen: [number, string, number][] = [];
  disk.onOperation = (number, operation) => seen.push([number, operation, disk.pendingCount]);
  write(disk, 0, 1, 2);
  disk.read(new Uint8Array(1), 0);
  disk.truncate(100);
  disk.flushSync();
  disk.size();
  expect(seen).toEqual([[0, 'write', 0], [1, 'read', 1], [2, 'truncate', 1], [3, 'flush', 2]]);
  expect(disk.trace).toEqual(['write', 'read', 'truncate', 'flush']);
});

test('a flush that is held back covers what was written before it, and nothing that came meanwhile', async () => {
  const disk = new SimulatedDisk(filled(2 * SECTOR_SIZE, 1));
  disk.holdFlushes = true;
  write(disk, 0, SECTOR_SIZE, 2);
  const flush = disk.flush();
  write(disk, SECTOR_SIZE, SECTOR_SIZE, 3);
  expect(disk.heldFlushCount).toBe(1);
  expect(disk.image('none')).toEqual(filled(2 * SECTOR_SIZE, 1));
  disk.releaseFlushes();
  await flush;
  expect(disk.image('none')).toEqual(filled(2 * SECTOR_SIZE, 1).fill(2, 0, SECTOR_SIZE));
});

test('a flush that comes back late takes nothing back that a later one made durable', async () => {
  const disk = new SimulatedDisk(filled(SECTOR_SIZE, 1));
  disk.holdFlushes = true;
  write(disk, 0, SECTOR_SIZE, 2);
  const flush = disk.flush();
  write(disk, 0, SECTOR_SIZE, 3);
  disk.flushSync();
  write(disk, 0, SECTOR_SIZE, 4);
  disk.releaseFlushes();
  await flush;
  expect(disk.image('none')).toEqual(filled(SECTOR_SIZE, 3));
  expect(disk.pendingCount).toBe(1);
});

test('failures: once, by number', () => {
  const disk = new SimulatedDisk(filled(512, 1));
  disk.failures = [{ at: 1, kind: 'io' }];
  write(disk, 0, 1, 2);
  expect(thrownBy(() => write(disk, 0, 1, 3))).toMatchObject({ kind: 'io', operation: 'write' });
  write(disk, 1, 1, 4);
  expect([...disk.processImage().subarray(0, 3)]).toEqual([2, 4, 1]);
});

test('failures: the first of a sort, or every one', () => {
  const disk = new SimulatedDisk(filled(512, 1));
  disk.failures = [{ at: 1, kind: 'io', operation: 'flush' }, { at: 4, kind: 'permission', operation: 'truncate', isSticky: true }];
  write(disk, 0, 1, 2);
  write(disk, 0, 1, 2);
  expect(thrownBy(() => disk.flushSync())).toMatchObject({ kind: 'io', operation: 'flush' });
  disk.flushSync();
  expect(thrownBy(() => disk.truncate(0)).kind).toBe('permission');
  disk.flushSync();
  expect(thrownBy(() => disk.truncate(0)).kind).toBe('permission');
});

test('failures: a failed read or cut changes nothing, a failed write what it had accepted', () => {
  const disk = new SimulatedDisk(filled(1024, 1));
  disk.failures = [{ at: 0, kind: 'io' }, { at: 1, kind: 'io' }, { at: 2, kind: 'io' }, { at: 3, kind: 'io', written: 600 }];
  const target = filled(10, 7);
  expect(thrownBy(() => disk.read(target, 0)).operation).toBe('read');
  expect(target).toEqual(filled(10, 7));
  expect(thrownBy(() => disk.truncate(0)).operation).toBe('truncate');
  expect(thrownBy(() => write(disk, 0, 1024, 2)).operation).toBe('write');
  expect(disk.processImage()).toEqual(filled(1024, 1));
  expect(thrownBy(() => write(disk, 0, 1024, 2)).operation).toBe('write');
  expect(disk.processImage()).toEqual(filled(1024, 1).fill(2, 0, 600));
});

test('a full disk takes what has room, and still takes what needs none', () => {
  const disk = new SimulatedDisk(filled(1000, 1));
  disk.capacity = 1500;
  expect(thrownBy(() => write(disk, 900, 1000, 2)).kind).toBe('full');
  expect(disk.processImage()).toEqual(filled(1500, 1).fill(2, 900));
  expect(thrownBy(() => write(disk, 2000, 10, 3)).kind).toBe('full');
  expect(thrownBy(() => disk.truncate(1501)).kind).toBe('full');
  write(disk, 0, 1500, 4);
  disk.capacity = 100;
  write(disk, 0, 1500, 5);
  expect(disk.processImage()).toEqual(filled(1500, 5));
});

test('a flush that fails may leave everything to be flushed, lose it behind the reader\'s back, or take it back', async () => {
  for (const [variant, reads, later] of [[{}, 2, 2], [{ losesData: true }, 2, 1], [{ reverts: true }, 1, 1]] as const) {
    for (const isSync of [true, false]) {
      const disk = new SimulatedDisk(filled(512, 1));
      disk.failures = [{ at: 1, kind: 'io', ...variant }];
      write(disk, 0, 512, 2);
      if (isSync) expect(thrownBy(() => disk.flushSync()).kind).toBe('io');
      else await expect(disk.flush()).rejects.toMatchObject({ kind: 'io', operation: 'flush' });
      const name = `${JSON.stringify(variant)} ${isSync}`;
      expect(disk.processImage(), name).toEqual(filled(512, reads));
      disk.flushSync();
      expect(disk.image('none'), `${name}: the flush that succeeds after it`).toEqual(filled(512, later));
    }
  }
});

test('a process that dies keeps what was written; the power can still take it', () => {
  const disk = new SimulatedDisk(filled(512, 1));
  disk.crashAt = 1;
  write(disk, 0, 600, 2);
  expect(() => disk.flushSync()).toThrow(CrashError);
  disk.close();
  const next = disk.processRestart();
  expect([next.operations, next.crashAt, next.size()]).toEqual([0, Infinity, 600]);
  expect(next.processImage()).toEqual(filled(600, 2));
  expect(next.image('none')).toEqual(filled(512, 1));
  next.flushSync();
  expect(next.image('none')).toEqual(filled(600, 2));
  expect(disk.image('none'), 'the disk it came from is another').toEqual(filled(512, 1));
});

test('fromImage begins with everything durable', () => {
  const disk = SimulatedDisk.fromImage(filled(700, 3));
  expect([disk.pendingCount, disk.image('none')]).toEqual([0, filled(700, 3)]);
  expect(SimulatedDisk.fromImage(filled(1, 1), true).readOnly).toBe(true);
});
