/** The contract of devices on files of the browser, and what these promise beyond it. */
import { describe, expect, test } from 'vitest';
import { OpfsDevice } from '../../../src/device/opfs-device.js';
import { openOpfsFile } from '../../../src/device/opfs-open.js';
import { InvalidArgumentError, LockedError, NotFoundError } from '../../../src/errors.js';
import { deviceContract, kindRejected, kindThrown } from '../../contract/device.js';
import { FakeHandle } from './fake-handle.js';

let fileCount = 0;
const newPath = (): string => `device/file${fileCount++}`;
const WRITE = { create: true, readOnly: false };

/** A device over a file with this content. */
async function make(content: Uint8Array, readOnly: boolean): Promise<OpfsDevice> {
  const path = newPath();
  const { device } = await openOpfsFile(path, WRITE);
  device.write(content, 0, content.length, 0);
  if (!readOnly) return device as OpfsDevice;
  device.close();
  return (await openOpfsFile(path, { create: false, readOnly })).device as OpfsDevice;
}

deviceContract('opfs', make);

describe('files of the browser', () => {
  test('what was flushed is there when the file is opened again', async () => {
    const path = newPath();
    const { device, release } = await openOpfsFile(path, WRITE);
    device.write(Uint8Array.of(1, 2, 3), 0, 3, 5);
    device.flushSync();
    release();
    release();
    const again = await openOpfsFile(path, { create: false, readOnly: true });
    const content = new Uint8Array(8);
    expect(again.device.read(content, 0)).toBe(8);
    expect([...content]).toEqual([0, 0, 0, 0, 0, 1, 2, 3]);
    again.release();
  });

  test('a path that cannot be one is refused, and makes nothing', async () => {
    for (const path of ['a//b', './a', 'a/../b', '/', 'a\\b', '']) await expect(openOpfsFile(path, WRITE), path).rejects.toBeInstanceOf(InvalidArgumentError);
    await expect(openOpfsFile('device', WRITE), 'a directory').rejects.toBeInstanceOf(InvalidArgumentError);
    await expect(openOpfsFile('nowhere/file', { create: false, readOnly: false })).rejects.toBeInstanceOf(NotFoundError);
    await expect(openOpfsFile('nowhere', { create: false, readOnly: true })).rejects.toBeInstanceOf(NotFoundError);
    const root = await navigator.storage.getDirectory();
    await expect(root.getDirectoryHandle('nowhere')).rejects.toMatchObject({ name: 'NotFoundError' });
  });

  test('a file that somebody has is locked; one that is given back in time is waited for (F-68)', async () => {
    const path = newPath();
    const first = await openOpfsFile(path, WRITE);
    await expect(openOpfsFile(path, WRITE)).rejects.toBeInstanceOf(LockedError);
    const second = openOpfsFile(path, WRITE);
    await new Promise((resolve) => setTimeout(resolve, 100));
    first.release();
    (await second).release();
  });

  test('a file that was removed while it is open is noticed at a flush and after 256 KiB, and stops the device (F-69)', async () => {
    for (const way of ['flush', 'write'] as const) {
      let isThere = true;
      const handle = new FakeHandle();
      const device = new OpfsDevice('gone', handle, async () => isThere, false);
      const bytes = new Uint8Array(64 << 10);
      device.write(bytes, 0, bytes.length, 0);
      await device.flush();
      isThere = false;
      if (way === 'flush') {
        await new Promise((resolve) => setTimeout(resolve, 1100));
        expect(await kindRejected(device.flush())).toBe('missing');
      } else {
        for (let count = 0; count < 4; count++) device.write(bytes, 0, bytes.length, 0);
        await undefined;
        await undefined;
      }
      expect(kindThrown(() => device.write(bytes, 0, 1, 0))).toBe('missing');
      expect(kindThrown(() => device.flushSync())).toBe('missing');
      expect(await kindRejected(device.flush())).toBe('missing');
      device.close();
    }
  });

  test('errors of the platform come out as the device\'s own; a flush that failed is never made again', async () => {
    const handle = new FakeHandle();
    const device = new OpfsDevice('faulty', handle, async () => true, false);
    const bytes = new Uint8Array(10);
    for (const [name, kind] of [['QuotaExceededError', 'full'], ['NotAllowedError', 'permission'], ['InvalidStateError', 'io'], ['NotFoundError', 'missing']] as const) {
      handle.failure = new DOMException('simulated', name);
      expect(kindThrown(() => device.write(bytes, 0, 10, 0)), name).toBe(kind);
      expect(kindThrown(() => device.read(bytes, 0)), name).toBe(kind);
      expect(kindThrown(() => device.truncate(5)), name).toBe(kind);
      expect(kindThrown(() => device.size()), name).toBe(kind);
    }
    handle.failure = new DOMException('simulated', 'QuotaExceededError');
    expect(kindThrown(() => device.flushSync())).toBe('io');
    handle.failure = undefined;
    const { flushCount } = handle;
    expect(kindThrown(() => device.flushSync())).toBe('io');
    expect(await kindRejected(device.flush())).toBe('io');
    expect(kindThrown(() => device.write(bytes, 0, 10, 0))).toBe('io');
    expect(handle.flushCount).toBe(flushCount);
    device.close();
  });

  test('a write that is taken in parts is made whole; one that is not taken at all is an error', () => {
    const handle = new FakeHandle();
    const device = new OpfsDevice('short', handle, async () => true, false);
    handle.most = 7;
    const bytes = Uint8Array.from({ length: 100 }, (_, index) => index);
    device.write(bytes, 10, 80, 3);
    expect([...handle.content]).toEqual([0, 0, 0, ...bytes.subarray(10, 90)]);
    const read = new Uint8Array(83);
    expect(device.read(read, 0)).toBe(83);
    expect([...read]).toEqual([...handle.content]);
    handle.most = 0;
    expect(kindThrown(() => device.write(bytes, 0, 1, 0))).toBe('io');
    device.close();
  });
});
