/** The contract of devices on memory, Node's files and the simulated disk, and what Node's files promise beyond it. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { DeviceError } from '../../src/device/device.js';
import { MemoryDevice } from '../../src/device/memory.js';
import type { FileSystem } from '../../src/device/node-builtin.js';
import { NodeDevice } from '../../src/device/node-device.js';
import { openNodeDevice } from '../../src/device/node-file.js';
import { startZeroing } from '../../src/device/node-zeroing.js';
import { FullError, InvalidArgumentError, IoError, NotFoundError, ReadOnlyError } from '../../src/errors.js';
import { bundle } from '../support/bundle.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { contentOf, deviceContract, kindRejected, kindThrown, waitFor } from './device.js';

const folder = fs.mkdtempSync(join(tmpdir(), 'varve-device-'));
let fileCount = 0;
const newPath = (): string => join(folder, `file${fileCount++}`);
bundle(join(folder, 'device.mjs'), 'src/device/node-file.ts');
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

deviceContract('memory', async (content, readOnly) => new MemoryDevice(content, readOnly));
deviceContract('simulated', async (content, readOnly) => new SimulatedDisk(content, readOnly));
deviceContract('node', async (content, readOnly) => {
  const path = newPath();
  fs.writeFileSync(path, content);
  return openNodeDevice(path, { create: false, readOnly });
});

const WRITE = { create: true, readOnly: false };
const READ = { create: false, readOnly: true };

/** An error as the platform throws it. */
function platformError(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}

/** Node's file system with some of its functions replaced. */
function withFaults(faults: Partial<Record<keyof FileSystem, unknown>>): FileSystem {
  return { ...fs, ...faults } as FileSystem;
}

/** Runs a program that has the names of `node-file.ts` in a child process, in a shell where `before` was done. */
function runChild(program: string, before = 'true') {
  const script = newPath() + '.mjs';
  fs.writeFileSync(script, `import { openNodeDevice } from './device.mjs';\n${program}`);
  return spawnSync('sh', ['-c', `${before} && exec "$0" "$1"`, process.execPath, script], { encoding: 'utf8', timeout: 60_000 });
}

/** What this process has open in the folder of these tests. */
function openDescriptors(): string[] {
  return fs.readdirSync('/proc/self/fd').map((number) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${number}`);
    } catch {
      return '';
    }
  }).filter((target) => target.startsWith(folder));
}

test('memory: bytes is a copy, and outlives the device', () => {
  const device = new MemoryDevice(new Uint8Array([1, 2, 3]));
  const copy = device.bytes();
  device.write(new Uint8Array([9]), 0, 1, 0);
  device.close();
  expect(copy).toEqual(new Uint8Array([1, 2, 3]));
  expect(device.bytes()).toEqual(new Uint8Array([9, 2, 3]));
});

test('memory: more than there can be is full, and changes nothing', () => {
  const device = new MemoryDevice(new Uint8Array([1]));
  expect(kindThrown(() => device.write(new Uint8Array(1), 0, 1, 2 ** 50))).toBe('full');
  expect(kindThrown(() => device.truncate(2 ** 50))).toBe('full');
  expect(device.bytes()).toEqual(new Uint8Array([1]));
});

describe('node: opening', () => {
  test('makes a missing file, and says so', async () => {
    const path = newPath();
    const first = await openNodeDevice(path, WRITE);
    expect([first.created, first.size(), first.readOnly]).toEqual([true, 0, false]);
    first.close();
    const second = await openNodeDevice(path, WRITE);
    expect(second.created).toBe(false);
    second.close();
  });

  test('a new file, and then its folder, are flushed before it is used', async () => {
    const path = newPath();
    const flushed: string[] = [];
    const device = await openNodeDevice(path, WRITE, withFaults({
      fsyncSync: (descriptor: number) => {
        flushed.push(fs.readlinkSync(`/proc/self/fd/${descriptor}`));
        fs.fsyncSync(descriptor);
      },
    }));
    device.close();
    expect(flushed).toEqual([fs.realpathSync(path), fs.realpathSync(folder)]);
  });

  test('a folder that cannot be flushed for want of support is passed over; one that fails is not', async () => {
    const failing = (code: string) => withFaults({
      fsyncSync: (descriptor: number) => {
        if (fs.fstatSync(descriptor).isDirectory()) throw platformError(code);
      },
    });
    (await openNodeDevice(newPath(), WRITE, failing('EPERM'))).close();
    await expect(openNodeDevice(newPath(), WRITE, failing('EIO'))).rejects.toThrow(IoError);
    expect(openDescriptors()).toEqual([]);
  });

  test('names what is missing', async () => {
    const path = newPath();
    await expect(openNodeDevice(path, { create: false, readOnly: false })).rejects.toThrow(NotFoundError);
    await expect(openNodeDevice(path, READ)).rejects.toThrow(path);
    await expect(openNodeDevice(path, { create: true, readOnly: true })).rejects.toThrow(NotFoundError);
    expect(fs.existsSync(path)).toBe(false);
    const inside = join(path, 'store');
    await expect(openNodeDevice(inside, WRITE)).rejects.toThrow(NotFoundError);
    await expect(openNodeDevice(inside, WRITE)).rejects.toThrow(`The folder ${path} does not exist`);
    await expect(openNodeDevice(inside, READ)).rejects.toThrow(path);
  });

  test('refuses what is not a file, without waiting for it', async () => {
    await expect(openNodeDevice(folder, WRITE)).rejects.toThrow(InvalidArgumentError);
    await expect(openNodeDevice(folder, READ)).rejects.toThrow(folder);
    const pipe = newPath();
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
    await expect(openNodeDevice(pipe, READ)).rejects.toThrow(InvalidArgumentError);
    await expect(openNodeDevice('a\0b', WRITE)).rejects.toThrow(InvalidArgumentError);
    const file = newPath();
    fs.writeFileSync(file, '');
    await expect(openNodeDevice(join(file, 'store'), WRITE)).rejects.toThrow(IoError);
  });

  test('a file that may not be written is a ReadOnlyError that says what to do', async () => {
    const path = newPath();
    fs.writeFileSync(path, 'content');
    for (const code of ['EACCES', 'EPERM', 'EROFS']) {
      // Permission bits do not bind every user, so the refusal is the test's own.
      const refusing = withFaults({
        openSync: (name: string, flags: number | string, mode: number) => {
          if (flags !== fs.constants.O_RDONLY) throw platformError(code);
          return fs.openSync(name, flags, mode);
        },
      });
      await expect(openNodeDevice(path, WRITE, refusing)).rejects.toThrow(ReadOnlyError);
      await expect(openNodeDevice(path, WRITE, refusing)).rejects.toThrow('readOnly: true');
      const device = await openNodeDevice(path, READ, refusing);
      expect(device.size()).toBe(7);
      device.close();
    }
    expect(openDescriptors()).toEqual([]);
  });

  test('a disk without room for a new file is a FullError', async () => {
    const full = withFaults({
      openSync: (name: string, flags: number, mode: number) => {
        if ((flags & fs.constants.O_CREAT) !== 0) throw platformError('ENOSPC');
        return fs.openSync(name, flags, mode);
      },
    });
    await expect(openNodeDevice(newPath(), WRITE, full)).rejects.toThrow(FullError);
  });

  test('follows symbolic links, also to a file that is still missing', async () => {
    const target = newPath();
    const link = newPath();
    fs.symlinkSync(target, link);
    const made = await openNodeDevice(link, WRITE);
    expect([made.created, made.realPath]).toEqual([true, fs.realpathSync(target)]);
    made.close();
    const straight = await openNodeDevice(target, WRITE);
    const linked = await openNodeDevice(link, WRITE);
    expect(linked.identity).toEqual(straight.identity);
    straight.close();
    linked.close();
  });

  test('a file that is replaced while it is opened is refused', async () => {
    const path = newPath();
    fs.writeFileSync(path, 'old');
    const replacing = withFaults({
      realpathSync: (name: string) => {
        fs.writeFileSync(`${path}.new`, 'new');
        fs.renameSync(`${path}.new`, path);
        return fs.realpathSync(name);
      },
    });
    await expect(openNodeDevice(path, WRITE, replacing)).rejects.toThrow(IoError);
    expect(openDescriptors()).toEqual([]);
  });
});

describe('node: reading and writing', () => {
  test('offsets beyond 4 GiB', async () => {
    const device = await openNodeDevice(newPath(), WRITE);
    const offset = 5 * 2 ** 30 + 123;
    device.write(new Uint8Array([1, 2, 3, 4]), 1, 2, offset);
    expect(device.size()).toBe(offset + 2);
    const target = new Uint8Array(4);
    expect(device.read(target, offset - 1)).toBe(3);
    expect(target).toEqual(new Uint8Array([0, 2, 3, 0]));
    expect(device.read(target, 1000)).toBe(4);
    expect(target).toEqual(new Uint8Array(4));
    device.truncate(0);
    device.close();
  });

  test('short and interrupted calls go on where they stopped', async () => {
    let calls = 0;
    const halting = <T extends unknown[]>(call: (...parameters: T) => number) => (...parameters: T): number => {
      calls++;
      if (calls % 3 === 0) throw platformError(calls % 2 === 0 ? 'EINTR' : 'EAGAIN');
      parameters[3] = Math.min(parameters[3] as number, 700);
      return call(...parameters);
    };
    const device = await openNodeDevice(newPath(), WRITE, withFaults({ writeSync: halting(fs.writeSync as never), readSync: halting(fs.readSync as never) }));
    const bytes = new Uint8Array(10_000).map((_, index) => index * 7);
    device.write(bytes, 100, 9000, 50);
    expect(contentOf(device).subarray(50)).toEqual(bytes.subarray(100, 9100));
    expect(calls).toBeGreaterThan(30);
    device.close();
  });

  test('no progress, and interruptions without end, are errors', async () => {
    const bytes = new Uint8Array(100);
    for (const writeSync of [() => 0, () => { throw platformError('EINTR'); }]) {
      const device = await openNodeDevice(newPath(), WRITE, withFaults({ writeSync }));
      expect(kindThrown(() => device.write(bytes, 0, 100, 0))).toBe('io');
      device.close();
    }
  });

  test('errors of the platform become kinds, and keep their cause', async () => {
    const kinds = { ENOSPC: 'full', EDQUOT: 'full', EFBIG: 'full', EACCES: 'permission', EPERM: 'permission', EROFS: 'permission', ENOENT: 'missing', EIO: 'io', EBADF: 'io' };
    for (const [code, kind] of Object.entries(kinds)) {
      const fail = (): never => { throw platformError(code); };
      const device = await openNodeDevice(newPath(), WRITE, withFaults({ writeSync: fail, readSync: fail, ftruncateSync: fail }));
      const bytes = new Uint8Array(10);
      for (const action of [() => device.write(bytes, 0, 10, 0), () => device.read(bytes, 0), () => device.truncate(5)]) expect(kindThrown(action), code).toBe(kind);
      expect(() => device.read(bytes, 0)).toThrow(expect.objectContaining({ operation: 'read', cause: expect.objectContaining({ code }) }) as Error);
      device.close();
    }
  });

  test('a real device without room is full', () => {
    const descriptor = fs.openSync('/dev/full', 'r+');
    const identity = { device: 0, inode: 0 };
    const device = new NodeDevice(fs, {
      name: '/dev/full', realPath: '/dev/full', identity, created: false, descriptor, flushDescriptor: fs.openSync('/dev/full', 'r+'), zeroDescriptor: undefined,
    });
    expect(kindThrown(() => device.write(new Uint8Array(10), 0, 10, 0))).toBe('full');
    device.close();
  });

  test('a file at its size limit takes what has room, then is full', () => {
    // The limit binds a whole process, so a child meets it.
    const path = newPath();
    const { stdout } = runChild(`
      const device = await openNodeDevice(${JSON.stringify(path)}, { create: true, readOnly: false });
      try {
        device.write(new Uint8Array(9000).fill(1), 0, 9000, 0);
      } catch (error) {
        const written = device.size();
        device.write(new Uint8Array(10), 0, 10, 0);
        process.stdout.write([error.kind, written > 0 && written < 9000, device.size() === written].join());
      }`, 'ulimit -f 8');
    expect(stdout).toBe('full,true,true');
  });
});

describe('node: flushing', () => {
  /** A kernel that reports a failed write-back once to each opening of the file, as Linux does. */
  function reportingOnce(): { fs: FileSystem; fail(): void; calls: number[] } {
    let failures = 0;
    const seen = new Map<number, number>();
    const calls: number[] = [];
    const report = (descriptor: number): Error | null => {
      calls.push(descriptor);
      if ((seen.get(descriptor) ?? 0) === failures) return null;
      seen.set(descriptor, failures);
      return platformError('EIO');
    };
    return {
      calls,
      fail: () => failures++,
      fs: withFaults({
        fdatasyncSync: (descriptor: number) => {
          const error = report(descriptor);
          if (error !== null) throw error;
        },
        fdatasync: (descriptor: number, done: (error: Error | null) => void) => {
          const error = report(descriptor);
          setImmediate(() => done(error));
        },
      }),
    };
  }

  test('a failure is seen by the flush that overlaps the one it is reported to', async () => {
    const kernel = reportingOnce();
    const device = await openNodeDevice(newPath(), WRITE, kernel.fs);
    await device.flush();
    kernel.fail();
    const flush = device.flush();
    expect(kindThrown(() => device.flushSync()), 'the asynchronous flush has met it, and nobody knows yet').toBe('io');
    expect(await kindRejected(flush)).toBe('io');
    device.close();
  });

  test('all flushes that wait for one that fails, fail; and none is tried again', async () => {
    const kernel = reportingOnce();
    const device = await openNodeDevice(newPath(), WRITE, kernel.fs);
    kernel.fail();
    const flushes = [device.flush(), device.flush(), device.flush()];
    for (const flush of flushes) expect(await kindRejected(flush)).toBe('io');
    const calls = kernel.calls.length;
    expect(kindThrown(() => device.flushSync())).toBe('io');
    expect(await kindRejected(device.flush())).toBe('io');
    expect(kernel.calls.length).toBe(calls);
    device.close();
  });

  test('flushes that come while one is on its way share the next one', async () => {
    const kernel = reportingOnce();
    const device = await openNodeDevice(newPath(), WRITE, kernel.fs);
    await Promise.all([device.flush(), device.flush(), device.flush(), device.flush()]);
    expect(kernel.calls.length).toBe(2);
    await device.flush();
    expect(kernel.calls.length).toBe(3);
    device.close();
  });

  test('no room at a flush is not the harmless kind of full', async () => {
    const fail = (): never => { throw platformError('ENOSPC'); };
    const device = await openNodeDevice(newPath(), WRITE, withFaults({ fdatasyncSync: fail }));
    expect(() => device.flushSync()).toThrow(expect.objectContaining({ kind: 'io', operation: 'flush' }) as Error);
    device.close();
  });

  test('closing during a flush closes its descriptor only when it has returned', async () => {
    let finish: (error: Error | null) => void = () => undefined;
    const device = await openNodeDevice(newPath(), WRITE, withFaults({ fdatasync: (_: number, done: typeof finish) => { finish = done; } }));
    const flush = device.flush();
    const queued = device.flush();
    expect(openDescriptors()).toHaveLength(3);
    device.close();
    expect(openDescriptors()).toHaveLength(1);
    finish(null);
    await flush;
    expect(openDescriptors()).toHaveLength(0);
    expect(await kindRejected(queued), 'the one that had not begun').toBe('closed');
  });
});

describe('node: the background queue', () => {
  test('takes any number of jobs at once', async () => {
    const device = await openNodeDevice(newPath(), WRITE);
    device.write(new Uint8Array(1000 * 512).fill(1), 0, 1000 * 512, 0);
    for (let index = 0; index < 1000; index++) device.background!.zero(index * 512, 512);
    expect(waitFor(() => device.background!.completed() === 1000)).toBe(true);
    expect(contentOf(device).every((byte) => byte === 0)).toBe(true);
    device.close();
  });

  test('never touches the file once it is stopped, at whatever moment', async () => {
    for (let round = 0; round < 12; round++) {
      const path = newPath();
      const device = await openNodeDevice(path, WRITE);
      for (let index = 0; index < 8; index++) device.background!.zero(index * (4 << 20), 4 << 20);
      // From before the thread runs to the middle of its work.
      const wanted = round % 4;
      waitFor(() => wanted === 0 || fs.statSync(path).size >= wanted * (5 << 20));
      device.close();
      expect(openDescriptors()).toEqual([]);
      const size = fs.statSync(path).size;
      // The numbers of the descriptors now belong to others.
      const others = [0, 1, 2, 3].map(() => newPath()).map((name) => fs.openSync(name, 'w+'));
      // Time for a thread that had survived: as much as a whole queue needs, from its start on.
      const other = await openNodeDevice(newPath(), WRITE);
      other.background!.zero(0, 8 << 20);
      expect(waitFor(() => other.background!.completed() === 1)).toBe(true);
      other.close();
      expect(fs.statSync(path).size).toBe(size);
      for (const descriptor of others) {
        expect(fs.fstatSync(descriptor).size).toBe(0);
        fs.closeSync(descriptor);
      }
      fs.rmSync(path);
    }
  });

  test('says that there is no room as full, anything else as an error', () => {
    for (const [path, flags, kind] of [['/dev/full', 'r+', 'full'], ['/dev/null', 'r', 'io']] as const) {
      const descriptor = fs.openSync(path, flags);
      const zeroing = startZeroing(descriptor)!;
      zeroing.zero(0, 4096);
      expect(waitFor(() => zeroing.failure() !== undefined)).toBe(true);
      expect(zeroing.failure()).toBeInstanceOf(DeviceError);
      expect(zeroing.failure()!.kind).toBe(kind);
      expect(zeroing.completed()).toBe(0);
      zeroing.stop();
      expect(kindThrown(() => zeroing.zero(0, 1))).toBe('closed');
      fs.closeSync(descriptor);
    }
  });

  test('a queue that finished nothing more keeps nothing alive', () => {
    // Its thread waits for jobs that never come; the process ends all the same.
    const path = newPath();
    const child = runChild(`
      const device = await openNodeDevice(${JSON.stringify(path)}, { create: true, readOnly: false });
      device.background.zero(0, 65536);
      while (device.background.completed() === 0);
      process.stdout.write('done');`);
    expect([child.stdout, child.status, child.signal, child.stderr]).toEqual(['done', 0, null, '']);
  });
});
