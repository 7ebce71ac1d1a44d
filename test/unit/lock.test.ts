/** The lock of a store's file, with real processes, threads and signals; what cannot be had for real, such as another boot, is a forged lock file. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { FileIdentity } from '../../src/device/node-builtin.js';
import type { Card } from '../../src/device/node-card.js';
import { acquireLock, findHolder, type Lock } from '../../src/device/node-lock.js';
import { IoError, LockedError } from '../../src/errors.js';
import { bundle } from '../support/bundle.js';

const folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'varve-lock-')));
let fileCount = 0;
const locks: Lock[] = [];
const children = new Set<ChildProcess>();

afterEach(async () => {
  for (const lock of locks.splice(0)) lock.release();
  await Promise.all([...children].map((child) => end(child, 'SIGKILL')));
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

function newFile(): string {
  const path = join(folder, `store${fileCount++}`);
  fs.writeFileSync(path, '');
  return path;
}

function identityOf(path: string): FileIdentity {
  const status = fs.statSync(path, { bigint: true });
  return { device: status.dev, inode: status.ino };
}

async function acquire(path: string): Promise<Lock> {
  const lock = await acquireLock(fs.realpathSync(path), identityOf(path));
  locks.push(lock);
  return lock;
}

/** The `LockedError` that an attempt to take the lock ends with. */
async function refusal(path: string): Promise<LockedError> {
  const error: unknown = await acquire(path).then(() => 'the lock was given', (reason: unknown) => reason);
  if (error instanceof LockedError) return error;
  throw new Error('not a LockedError', { cause: error });
}

const lockFile = (path: string): string => `${path}.lock`;
const readCard = (path: string): Card => JSON.parse(fs.readFileSync(lockFile(path), 'utf8')) as Card;
/** The lock files and claims beside a store. */
const litter = (path: string): string[] => fs.readdirSync(folder).map((name) => join(folder, name)).filter((name) => name.startsWith(`${path}.lock`));

/** Runs an action as on a platform without sockets in an abstract namespace. */
async function withoutSocket<T>(action: () => Promise<T>): Promise<T> {
  const platform = Object.getOwnPropertyDescriptor(process, 'platform')!;
  Object.defineProperty(process, 'platform', { configurable: true, enumerable: true, value: 'other' });
  try {
    return await action();
  } finally {
    Object.defineProperty(process, 'platform', platform);
  }
}

// A child takes the lock of the file that it is told of and then does as it is told. It speaks in lines of JSON.
bundle(join(folder, 'lock.mjs'), 'src/device/node-lock.ts');
fs.writeFileSync(join(folder, 'child.mjs'), `
import { realpathSync, statSync, openSync, closeSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
const [path, mode, socket, killAt] = process.argv.slice(2);
// Killed instead of making the so-manyth call that changes something in the file system.
const changing = process.getBuiltinModule('node:fs');
let callCount = 0;
if (killAt !== '0') {
  for (const name of ['openSync', 'writeFileSync', 'fsyncSync', 'closeSync', 'linkSync', 'renameSync', 'rmSync']) {
    const call = changing[name];
    changing[name] = (...words) => {
      if (++callCount === Number(killAt)) process.kill(process.pid, 'SIGKILL');
      return call.apply(changing, words);
    };
  }
}
if (socket === 'without') Object.defineProperty(process, 'platform', { value: 'other' });
const say = (message) => process.stdout.write(JSON.stringify(message) + '\\n');
async function take(copy = '') {
  const { acquireLock } = await import('./lock.mjs' + copy);
  const { dev, ino } = statSync(path, { bigint: true });
  return acquireLock(realpathSync(path), { device: dev, inode: ino });
}
async function contend() {
  for (;;) {
    try {
      const lock = await take();
      closeSync(openSync(path + '.critical', 'wx'));
      for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
      rmSync(path + '.critical');
      return lock;
    } catch (error) {
      if (error.code !== 'VARVE_LOCKED') throw error;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}
let lock;
createInterface({ input: process.stdin }).on('line', async (command) => {
  try {
    if (command === 'contend') lock = await contend();
    if (command === 'release') lock.release();
    if (command === 'die') process.kill(process.pid, 'SIGKILL');
    if (command === 'exit') process.exit();
    if (command === 'throw') queueMicrotask(() => { throw new Error('on purpose'); });
    if (command === 'copies') await take('?another');
    say({ did: command });
  } catch (error) {
    say({ error: error.code, pid: error.pid, message: error.message });
  }
});
if (mode === 'hold') {
  try {
    lock = await take();
    say({ held: process.pid });
  } catch (error) {
    say({ error: error.code, pid: error.pid, message: error.message });
  }
} else say({ ready: process.pid });
`);

interface Said {
  held?: number;
  ready?: number;
  did?: string;
  error?: string;
  pid?: number;
  message?: string;
}

class Child {
  readonly process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(path: string, mode: 'hold' | 'wait', options: { socket?: boolean; before?: readonly string[]; killAt?: number } = {}) {
    const command = [...(options.before ?? []), process.execPath, join(folder, 'child.mjs'), path, mode, options.socket === false ? 'without' : 'with', String(options.killAt ?? 0)];
    this.process = spawn(command[0]!, command.slice(1), { stdio: ['pipe', 'pipe', 'ignore'] });
    children.add(this.process);
    this.#lines = createInterface({ input: this.process.stdout! })[Symbol.asyncIterator]();
  }

  /** The next thing that the child says. */
  async hear(): Promise<Said> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('the child ended without a word');
    return JSON.parse(value) as Said;
  }

  async tell(command: string): Promise<Said> {
    this.process.stdin!.write(`${command}\n`);
    return this.hear();
  }

  get pid(): number {
    return this.process.pid!;
  }
}

/** Sends a signal and waits until the process is gone and reaped. */
async function end(child: ChildProcess, signal: NodeJS.Signals | undefined): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    if (signal !== undefined) child.kill(signal);
    await gone;
  }
  children.delete(child);
}

async function holderOf(path: string, options: ConstructorParameters<typeof Child>[2] = {}): Promise<Child> {
  const child = new Child(path, 'hold', options);
  const said = await child.hear();
  if (said.held === undefined) throw new Error(`the child did not get the lock: ${said.message}`);
  return child;
}

function startOf(pid: number): string {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]!;
}

const DEAD = spawnSync(process.execPath, ['-e', '']).pid;
let nonceCount = 0;

/** Leaves a lock file as a process of this machine would that is gone, but for what is given. */
function forge(path: string, changes: Partial<Record<keyof Card, unknown>> = {}, at = lockFile(path)): Card {
  const card = {
    pid: DEAD,
    started: '1',
    boot: fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    pidNamespace: fs.readlinkSync('/proc/self/ns/pid'),
    netNamespace: fs.readlinkSync('/proc/self/ns/net'),
    host: hostname(),
    nonce: (++nonceCount).toString(16).padStart(32, '0'),
    since: '2026-01-01T00:00:00.000Z',
    hasSocket: true,
    ...changes,
  };
  fs.writeFileSync(at, JSON.stringify(card));
  return card as Card;
}

describe('one process', () => {
  test('the lock is given, named in its file, and given back', async () => {
    const path = newFile();
    const lock = await acquire(path);
    expect(readCard(path)).toMatchObject({ pid: process.pid, host: hostname(), started: startOf(process.pid), hasSocket: true });
    lock.release();
    lock.release();
    expect(litter(path)).toEqual([]);
    const again = await acquire(path);
    lock.release();
    expect((await refusal(path)).pid, 'an old lock gives nothing back twice').toBe(process.pid);
    again.release();
  });

  test('the name of the socket leaves no room that a runtime could pad in a way of its own (F-60)', async () => {
    const path = newFile();
    await acquire(path);
    const { device, inode } = identityOf(path);
    // The kernel shows every byte of the name, and zeros as it shows the first.
    const name = fs.readFileSync('/proc/net/unix', 'latin1').split(/\s/).find((word) => word.startsWith(`@varve-${device}-${inode}-`));
    expect(name).toMatch(/^@[^@]{107}$/);
  });

  test('the same file under any path is one (F-61)', async () => {
    const path = newFile();
    fs.symlinkSync(path, `${path}-symbolic`);
    fs.linkSync(path, `${path}-hard`);
    await acquire(path);
    for (const other of [path, `${path}-symbolic`, `${path}-hard`]) {
      const error = await refusal(other);
      expect([error.code, error.pid]).toEqual(['VARVE_LOCKED', process.pid]);
    }
    expect(await findHolder(`${path}-hard`, identityOf(path))).toMatchObject({ pid: process.pid });
  });

  test('of many who ask at once one gets it', async () => {
    const path = newFile();
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => acquire(path)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('a file that is not ours any more is left where it is', async () => {
    const path = newFile();
    const lock = await acquire(path);
    const other = forge(path);
    lock.release();
    expect(readCard(path)).toEqual(other);
  });

  test('a store that was replaced after it was opened is refused, and nothing is left behind', async () => {
    const path = newFile();
    const identity = identityOf(path);
    fs.writeFileSync(`${path}-new`, '');
    fs.renameSync(`${path}-new`, path);
    await expect(acquireLock(path, identity)).rejects.toThrow(IoError);
    fs.rmSync(path);
    await expect(acquireLock(path, identity)).rejects.toThrow(IoError);
    expect(litter(path)).toEqual([]);
  });

  test('many locks at once print no warning about listeners', async () => {
    const warnings: unknown[] = [];
    const listen = (warning: unknown): void => void warnings.push(warning);
    process.on('warning', listen);
    for (let index = 0; index < 30; index++) await acquire(newFile());
    await new Promise(setImmediate);
    process.off('warning', listen);
    expect(warnings).toEqual([]);
  });
});

for (const socket of [true, false]) {
  describe(socket ? 'processes, with the socket' : 'processes, with the lock file alone', () => {
    const attempt = <T>(action: () => Promise<T>): Promise<T> => (socket ? action() : withoutSocket(action));

    test('a second process is refused, and told who, where and what to do (F-60)', async () => {
      const path = newFile();
      const holder = await holderOf(path, { socket });
      const error = await attempt(() => refusal(path));
      expect(error.pid).toBe(holder.pid);
      for (const part of [String(holder.pid), hostname(), lockFile(path), 'remove']) expect(error.message).toContain(part);
      expect(await attempt(() => findHolder(path, identityOf(path)))).toMatchObject({ pid: holder.pid });
      expect(await holder.tell('release')).toEqual({ did: 'release' });
      expect(await attempt(() => findHolder(path, identityOf(path)))).toBeUndefined();
      await attempt(() => acquire(path));
    });

    test('a holder that was killed is succeeded (F-62)', async () => {
      const path = newFile();
      const holder = await holderOf(path, { socket });
      await end(holder.process, 'SIGKILL');
      expect(readCard(path).pid).toBe(holder.pid);
      expect(await attempt(() => findHolder(path, identityOf(path)))).toBeUndefined();
      await attempt(() => acquire(path));
      expect(readCard(path).pid).toBe(process.pid);
      expect(litter(path)).toEqual([lockFile(path)]);
    });

    test('a process that is killed at any call that it makes of the file system on its way to the lock is succeeded, and what it left is swept (F-62)', async () => {
      for (const before of ['nothing', 'a dead holder']) {
        for (let call = 1, isKilled = true; isKilled; call++) {
          const path = newFile();
          if (before === 'a dead holder') forge(path, { hasSocket: false });
          const child = new Child(path, 'hold', { socket, killAt: call });
          isKilled = await child.hear().then(() => false, () => true);
          await end(child.process, 'SIGKILL');
          const where = `${before}, call ${call}`;
          await attempt(() => acquire(path)).catch((error: unknown) => { throw new Error(where, { cause: error }); });
          expect(readCard(path).pid, where).toBe(process.pid);
          for (const lock of locks.splice(0)) lock.release();
          // What stays where nobody was succeeded goes with the next holder that is.
          forge(path, { hasSocket: false });
          await attempt(() => acquire(path));
          expect(litter(path), where).toEqual([lockFile(path)]);
          expect(call, where).toBeLessThan(40);
        }
      }
    });

    test('a holder that is stopped is a holder', async () => {
      const path = newFile();
      const holder = await holderOf(path, { socket });
      process.kill(holder.pid, 'SIGSTOP');
      expect((await attempt(() => refusal(path))).pid).toBe(holder.pid);
      expect(await attempt(() => findHolder(path, identityOf(path)))).toMatchObject({ pid: holder.pid });
    });

    test('a process that ends leaves no lock file, however it ends in order', async () => {
      for (const command of ['exit', 'throw']) {
        const path = newFile();
        const holder = await holderOf(path, { socket });
        holder.process.stdin!.write(`${command}\n`);
        await end(holder.process, undefined);
        expect(litter(path), command).toEqual([]);
      }
    });

    test('another copy of the library in the same thread is refused (F-61)', async () => {
      const path = newFile();
      const holder = await holderOf(path, { socket });
      expect(await holder.tell('copies')).toMatchObject({ error: 'VARVE_LOCKED', pid: holder.pid });
    });

    test('of twenty contenders for a dead holder\'s lock, who die in turn as they hold it, one has it at a time', async () => {
      const path = newFile();
      forge(path);
      const contenders = Array.from({ length: 20 }, () => new Child(path, 'wait', { socket }));
      await Promise.all(contenders.map((contender) => contender.hear()));
      const winners: number[] = [];
      await Promise.all(contenders.map(async (contender, index) => {
        const said = await contender.tell('contend');
        expect(said).toEqual({ did: 'contend' });
        winners.push(contender.pid);
        expect(readCard(path).pid).toBe(contender.pid);
        // Some leave in order, most of them leave a lock file behind.
        if (index % 5 === 0) expect(await contender.tell('release')).toEqual({ did: 'release' });
        else await end(contender.process, 'SIGKILL');
      }));
      expect(new Set(winners).size).toBe(20);
      await attempt(() => acquire(path));
      expect(litter(path)).toEqual([lockFile(path)]);
    });
  });
}

describe('aliases across processes', () => {
  test('a symbolic link and a hard link to a file that another process holds', async () => {
    const path = newFile();
    fs.symlinkSync(path, `${path}-symbolic`);
    fs.linkSync(path, `${path}-hard`);
    const holder = await holderOf(`${path}-symbolic`);
    expect((await refusal(path)).pid).toBe(holder.pid);
    expect((await refusal(`${path}-hard`)).message).toContain('another path');
    expect(await findHolder(`${path}-hard`, identityOf(path))).toBeDefined();
  });
});

describe('threads', () => {
  async function threadHolding(path: string, socket: boolean): Promise<{ thread: Worker; said: unknown }> {
    const thread = new Worker(`
      const { parentPort, workerData } = require('node:worker_threads');
      if (!workerData.socket) Object.defineProperty(process, 'platform', { value: 'other' });
      import(workerData.module).then(({ acquireLock }) => acquireLock(workerData.path, workerData.identity)).then(
        () => { parentPort.postMessage('held'); setInterval(() => undefined, 1000); }, (error) => parentPort.postMessage(error.code));`,
    { eval: true, workerData: { module: join(folder, 'lock.mjs'), path, identity: identityOf(path), socket } });
    return { thread, said: await new Promise((resolve) => thread.once('message', resolve)) };
  }

  test('another thread of the same process is refused, and succeeds one that was ended (F-61)', async () => {
    const path = newFile();
    const first = await threadHolding(path, true);
    expect(first.said).toBe('held');
    expect((await refusal(path)).pid).toBe(process.pid);
    const second = await threadHolding(path, true);
    expect(second.said).toBe('VARVE_LOCKED');
    await Promise.all([first.thread.terminate(), second.thread.terminate()]);
    await acquire(path);
  });

  test('without the socket, another thread of the same process is not taken for a dead one', async () => {
    const path = newFile();
    const { thread, said } = await threadHolding(path, false);
    expect(said).toBe('held');
    expect((await withoutSocket(() => refusal(path))).pid).toBe(process.pid);
    expect(await withoutSocket(() => findHolder(path, identityOf(path)))).toMatchObject({ pid: process.pid });
    await thread.terminate();
  });
});

describe('who is judged dead', () => {
  const live = process.ppid;
  const alive = (): Partial<Card> => ({ pid: live, started: startOf(live), hasSocket: false });
  const elsewhere = { pidNamespace: 'pid:[1]', netNamespace: 'net:[1]' };

  const cases: readonly [string, () => Partial<Record<keyof Card, unknown>>, 'taken' | 'refused'][] = [
    ['a process that is gone', () => ({ hasSocket: false }), 'taken'],
    ['a process that runs', alive, 'refused'],
    ['a number that now belongs to another process', () => ({ ...alive(), started: '1' }), 'taken'],
    ['a number that now is our own', () => ({ ...alive(), pid: process.pid, started: '1' }), 'taken'],
    ['our own process, in a thread that we do not know', () => ({ ...alive(), pid: process.pid, started: startOf(process.pid) }), 'refused'],
    ['a process without a start time', () => ({ ...alive(), started: '' }), 'refused'],
    ['an earlier boot of this host', () => ({ ...alive(), boot: 'earlier' }), 'taken'],
    ['an earlier boot of this host, in other namespaces', () => ({ ...alive(), ...elsewhere, boot: 'earlier' }), 'taken'],
    ['another host', () => ({ host: 'another', boot: 'its own' }), 'refused'],
    ['another host that tells no boot', () => ({ host: 'another', boot: '' }), 'refused'],
    ['a host of our name that tells no boot', () => ({ boot: '' }), 'refused'],
    ['another host name on the same boot', () => ({ host: 'another', hasSocket: false }), 'taken'],
    ['another pid namespace and another net namespace', () => elsewhere, 'refused'],
    ['another pid namespace in our net namespace, whose socket is free', () => ({ pidNamespace: 'pid:[1]' }), 'taken'],
    ['another pid namespace in our net namespace, which took no socket', () => ({ pidNamespace: 'pid:[1]', hasSocket: false }), 'refused'],
    ['our pid namespace in another net namespace, gone', () => ({ netNamespace: 'net:[1]' }), 'taken'],
    ['our pid namespace in another net namespace, running', () => ({ ...alive(), netNamespace: 'net:[1]', hasSocket: true }), 'refused'],
  ];
  for (const [who, changes, outcome] of cases) {
    test(`${who}: ${outcome}`, async () => {
      const path = newFile();
      const card = forge(path, changes());
      const isHeld = (await findHolder(path, identityOf(path))) !== undefined;
      if (outcome === 'taken') {
        expect(isHeld).toBe(false);
        await acquire(path);
        expect(readCard(path).pid).toBe(process.pid);
        expect(litter(path)).toEqual([lockFile(path)]);
      } else {
        expect(isHeld).toBe(true);
        const error = await refusal(path);
        expect([error.pid, error.message.includes(lockFile(path))]).toEqual([card.pid, true]);
        expect(readCard(path)).toEqual(card);
        fs.rmSync(lockFile(path));
        await acquire(path);
      }
    });
  }

  const canUnshare = spawnSync('unshare', ['--net', '--pid', '--fork', 'true']).status === 0;

  test.skipIf(!canUnshare)('a real holder in another net namespace is seen, and judged by its process', async () => {
    const path = newFile();
    const holder = await holderOf(path, { before: ['unshare', '--net'] });
    expect((await refusal(path)).pid).toBe(holder.pid);
    await end(holder.process, 'SIGKILL');
    await acquire(path);
  });

  test.skipIf(!canUnshare)('a real holder in other namespaces altogether is never judged, alive or dead', async () => {
    const path = newFile();
    const holder = await holderOf(path, { before: ['unshare', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'] });
    expect((await refusal(path)).pid).toBe(1);
    await end(holder.process, 'SIGKILL');
    expect((await refusal(path)).message).toContain('remove');
  });
});

describe('lock files that make no sense', () => {
  const garbage: readonly [string, string][] = [
    ['empty', ''],
    ['cut off', '{"pid":12,"sta'],
    ['not an object', '7'],
    ['of another make', '{"pid":12}'],
    ['a nonce that is a path', JSON.stringify({ ...forge(newFile()), nonce: '../../../escape' })],
    ['a process number that means many', JSON.stringify({ ...forge(newFile()), pid: -1 })],
  ];
  for (const [what, text] of garbage) {
    test(`${what}: left over where the socket proves it, otherwise respected`, async () => {
      const path = newFile();
      fs.writeFileSync(lockFile(path), text);
      const error = await withoutSocket(() => refusal(path));
      expect([error.pid, error.message.includes(lockFile(path))]).toEqual([undefined, true]);
      expect(fs.readFileSync(lockFile(path), 'utf8')).toBe(text);
      expect(await findHolder(path, identityOf(path))).toBeUndefined();
      await acquire(path);
      expect(readCard(path).pid).toBe(process.pid);
      expect(litter(path)).toEqual([lockFile(path)]);
    });
  }

  test('a file that is only just being filled is waited for', async () => {
    const path = newFile();
    fs.writeFileSync(lockFile(path), '');
    const attempt = withoutSocket(() => refusal(path));
    forge(path, { pid: process.ppid, started: startOf(process.ppid) });
    expect((await attempt).pid).toBe(process.ppid);
  });
});

describe('claims', () => {
  const claimOf = (path: string, card: Card): string => `${lockFile(path)}.${card.nonce.slice(0, 16)}`;
  // The claim's name has the beginning of a nonce, so these begin apart.
  const nonce = (letter: string): string => letter.repeat(32);

  for (const socket of [true, false]) {
    const attempt = <T>(action: () => Promise<T>): Promise<T> => (socket ? action() : withoutSocket(action));

    test(`of claimants that died are succeeded, socket ${socket}`, async () => {
      const path = newFile();
      const holder = forge(path, { nonce: nonce('a') });
      const claimant = forge(path, { nonce: nonce('b') }, claimOf(path, holder));
      forge(path, { nonce: nonce('c') }, `${claimOf(path, holder)}.${claimant.nonce.slice(0, 16)}`);
      await attempt(() => acquire(path));
      expect(litter(path)).toEqual([lockFile(path)]);
    });

    test(`of a claimant that lives are respected, socket ${socket}`, async () => {
      const path = newFile();
      const holder = forge(path, { nonce: nonce('d') });
      forge(path, { nonce: nonce('e'), pid: process.ppid, started: startOf(process.ppid), hasSocket: false }, claimOf(path, holder));
      expect((await attempt(() => refusal(path))).pid).toBe(process.ppid);
      expect(readCard(path)).toEqual(holder);
    });
  }
});

describe('readers', () => {
  test('who look do not stand in the way, of writers or of one another', async () => {
    for (let round = 0; round < 20; round++) {
      const path = newFile();
      const looks = Array.from({ length: 5 }, () => findHolder(path, identityOf(path)));
      expect(await Promise.all(looks)).toEqual(Array.from({ length: 5 }, () => undefined));
      const more = Array.from({ length: 5 }, () => findHolder(path, identityOf(path)));
      const lock = await acquire(path);
      await Promise.all(more);
      lock.release();
    }
  });

  test('many may look at a holder that is stopped', async () => {
    const path = newFile();
    const holder = await holderOf(path);
    process.kill(holder.pid, 'SIGSTOP');
    const looks = await Promise.all(Array.from({ length: 700 }, () => findHolder(path, identityOf(path))));
    expect(looks.filter((found) => found?.pid === holder.pid)).toHaveLength(700);
  });
});
