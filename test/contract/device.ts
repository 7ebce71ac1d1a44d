/** The contract of `src/device/device.ts`, executable: `deviceContract` runs it on any device. What only one device promises is tested beside its call. */
import { afterEach, describe, expect, test } from 'vitest';
import { DeviceError, type Device } from '../../src/device/device.js';
import { Random, seedOf } from '../support/random.js';

/** Makes a device with this content. Called several times in a test, each time for a file of its own. */
export type MakeDevice = (content: Uint8Array, readOnly: boolean) => Promise<Device>;

const EMPTY = new Uint8Array(0);

/** The kind of the `DeviceError` that an action throws. Anything else that happens fails the test. */
export function kindThrown(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof DeviceError) return error.kind;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** The kind of the `DeviceError` that a promise is rejected with. */
export async function kindRejected(promise: Promise<unknown>): Promise<string> {
  return promise.then(() => 'resolved', (error: unknown) => kindThrown(() => { throw error; }));
}

/** The whole content of a device. */
export function contentOf(device: Device): Uint8Array {
  const content = new Uint8Array(device.size());
  expect(device.read(content, 0)).toBe(content.length);
  return content;
}

/** Waits for the background queue without a turn of the event loop. */
export function waitFor(isDone: () => boolean, milliseconds = 30_000): boolean {
  const until = performance.now() + milliseconds;
  while (!isDone()) if (performance.now() > until) return false;
  return true;
}

export function deviceContract(name: string, make: MakeDevice): void {
  describe(`the contract of devices: ${name}`, () => {
    const devices: Device[] = [];
    const open = async (content: Uint8Array = EMPTY, readOnly = false): Promise<Device> => {
      const device = await make(content, readOnly);
      devices.push(device);
      return device;
    };
    afterEach(() => {
      for (const device of devices.splice(0)) device.close();
    });

    test('what was written is read, before and after a flush', async () => {
      const device = await open();
      const bytes = new Random(1).bytes(5000);
      device.write(bytes, 0, bytes.length, 0);
      expect(contentOf(device)).toEqual(bytes);
      device.flushSync();
      expect(contentOf(device)).toEqual(bytes);
      await device.flush();
      expect(contentOf(device)).toEqual(bytes);
    });

    test('a write takes just its range of the source, and changes just its range of the file', async () => {
      const device = await open(new Uint8Array(2000).fill(7));
      device.write(new Random(2).bytes(100).fill(9, 10, 30), 10, 20, 600);
      const expected = new Uint8Array(2000).fill(7).fill(9, 600, 620);
      expect(contentOf(device)).toEqual(expected);
      device.write(expected, 50, 0, 5000);
      expect(contentOf(device), 'a write of nothing does nothing').toEqual(expected);
    });

    test('the source may change as soon as write has returned', async () => {
      const device = await open();
      const source = new Uint8Array(1024).fill(1);
      device.write(source, 0, source.length, 0);
      source.fill(2);
      device.write(source, 0, source.length, 1024);
      source.fill(3);
      expect(contentOf(device)).toEqual(new Uint8Array(2048).fill(1, 0, 1024).fill(2, 1024));
    });

    test('the content it began with may change as well', async () => {
      const content = new Uint8Array(100).fill(1);
      const device = await open(content);
      content.fill(2);
      expect(contentOf(device)).toEqual(new Uint8Array(100).fill(1));
    });

    test('a read at the end is short, and leaves the rest of its target alone', async () => {
      const device = await open(new Uint8Array(1000).fill(5));
      const target = new Uint8Array(300).fill(8);
      expect(device.read(target, 900)).toBe(100);
      expect(target).toEqual(new Uint8Array(300).fill(5, 0, 100).fill(8, 100));
      expect(device.read(target, 1000)).toBe(0);
      expect(device.read(target, 1_000_000)).toBe(0);
      expect(device.read(EMPTY, 0)).toBe(0);
    });

    test('a write behind the end extends the file, and the gap is zero', async () => {
      const device = await open(new Uint8Array(10).fill(1));
      device.write(new Uint8Array(5).fill(2), 0, 5, 3000);
      expect(device.size()).toBe(3005);
      expect(contentOf(device)).toEqual(new Uint8Array(3005).fill(1, 0, 10).fill(2, 3000));
    });

    test('truncate cuts and extends, and bytes gained are zero, also where there were others before', async () => {
      const device = await open(new Uint8Array(3000).fill(6));
      device.truncate(700);
      expect(device.size()).toBe(700);
      device.truncate(2000);
      expect(contentOf(device)).toEqual(new Uint8Array(2000).fill(6, 0, 700));
      device.truncate(700);
      device.write(new Uint8Array(1).fill(9), 0, 1, 1500);
      expect(contentOf(device)).toEqual(new Uint8Array(1501).fill(6, 0, 700).fill(9, 1500));
      device.truncate(0);
      expect(device.size()).toBe(0);
    });

    test('any history of writes and cuts equals the same history on plain bytes', async () => {
      const seed = seedOf(41);
      const random = new Random(seed);
      const device = await open();
      let model: Uint8Array = new Uint8Array(0);
      const resize = (size: number): void => {
        const next = new Uint8Array(size);
        next.set(model.subarray(0, size));
        model = next;
      };
      for (let step = 0; step < 400; step++) {
        if (random.chance(0.1)) {
          const size = random.below(20_000);
          device.truncate(size);
          resize(size);
        } else {
          const source = random.bytes(random.below(3000));
          const start = random.below(source.length + 1);
          const offset = random.below(20_000);
          const length = source.length - start;
          device.write(source, start, length, offset);
          if (length > 0 && offset + length > model.length) resize(offset + length);
          model.set(source.subarray(start), length > 0 ? offset : 0);
        }
        if (random.chance(0.1)) device.flushSync();
        if (random.chance(0.1)) expect(contentOf(device), `seed ${seed}, step ${step}`).toEqual(model);
      }
      expect(contentOf(device), `seed ${seed}`).toEqual(model);
    });

    test('several flushes may be on their way at once', async () => {
      const device = await open();
      const flushes = [0, 1, 2, 3, 4].map((index) => {
        device.write(new Uint8Array(100).fill(index), 0, 100, index * 100);
        return device.flush();
      });
      device.flushSync();
      await expect(Promise.all(flushes)).resolves.toHaveLength(5);
    });

    test('a closed device refuses everything as closed, and closes again without an error', async () => {
      for (const readOnly of [false, true]) {
        const device = await open(new Uint8Array(10), readOnly);
        device.close();
        device.close();
        const bytes = new Uint8Array(4);
        expect(kindThrown(() => device.size())).toBe('closed');
        expect(kindThrown(() => device.read(bytes, 0))).toBe('closed');
        expect(kindThrown(() => device.write(bytes, 0, 4, 0))).toBe('closed');
        expect(kindThrown(() => device.truncate(0))).toBe('closed');
        expect(kindThrown(() => device.flushSync())).toBe('closed');
        expect(await kindRejected(device.flush())).toBe('closed');
      }
    });

    test('a flush that was on its way when the device was closed still resolves', async () => {
      const device = await open();
      device.write(new Uint8Array(4096).fill(1), 0, 4096, 0);
      const flush = device.flush();
      device.close();
      await expect(flush).resolves.toBeUndefined();
    });

    test('a device that is read-only is read, and refuses every change', async () => {
      const content = new Random(3).bytes(600);
      const device = await open(content, true);
      expect(device.readOnly).toBe(true);
      expect(kindThrown(() => device.write(content, 0, 600, 0))).toBe('permission');
      expect(kindThrown(() => device.truncate(0))).toBe('permission');
      expect(kindThrown(() => device.flushSync())).toBe('permission');
      expect(await kindRejected(device.flush())).toBe('permission');
      expect(device.background).toBeUndefined();
      expect(contentOf(device)).toEqual(content);
    });

    test('where there is a background queue, it zeroes in order, while the caller never yields', async () => {
      const size = 64 << 10;
      const count = 200;
      const device = await open(new Uint8Array(count * size).fill(1));
      const { background } = device;
      if (background === undefined) {
        expect(['memory', 'simulated', 'opfs'], 'only devices without threads have none').toContain(name);
        return;
      }
      expect(background.completed()).toBe(0);
      for (let index = 0; index < count; index += 2) background.zero(index * size, size);
      let last = 0;
      const isDone = waitFor(() => {
        const completed = background.completed();
        if (completed < last) throw new Error('completed goes back');
        const target = new Uint8Array(size);
        for (let job = last; job < completed; job++) {
          device.read(target, job * 2 * size);
          if (target.some((byte) => byte !== 0)) throw new Error(`job ${job} is called complete and is not zero`);
        }
        last = completed;
        return completed === count / 2;
      });
      expect(isDone, `${last} of ${count / 2} jobs`).toBe(true);
      expect(background.failure()).toBeUndefined();
      const content = contentOf(device);
      for (let index = 0; index < count; index++) expect(content[index * size + 100], `range ${index}`).toBe(index % 2);
    });
  });
}
