/**
 * The lock of a store's file, of three parts, because no one of them is enough everywhere:
 *
 * - a registry of this process, by device and inode: other paths to the same file, and other copies of this library;
 * - on Linux, a socket in the abstract namespace, named by device and inode: held by the kernel, and released by it when the process dies, however it dies. It is
 *   seen by every process of the same network namespace;
 * - a file beside the store, made with O_EXCL, that names the holder: for messages, and for platforms and namespaces that the socket does not reach.
 *
 * A holder is judged dead when its boot is over; when, in the same pid namespace, its process is gone or started at another time; or when the kernel gave us the socket that it,
 * in the same network namespace, would hold. Anybody else is taken to be alive.
 */
import type { Server } from 'node:net';
import { LockedError } from '../errors.js';
import { builtin, type FileIdentity } from './node-file.js';

type FileSystem = typeof import('node:fs');
type Net = typeof import('node:net');
type Os = typeof import('node:os');

/** Who holds a store. */
export interface Holder {
  readonly pid: number | undefined;
  /** For messages: who, and what can be done about it. */
  readonly description: string;
}

export interface Lock {
  /** Gives the lock back. Idempotent. */
  release(): void;
}

/** What the lock file says. Fields that a platform cannot tell are empty. */
interface Card {
  readonly pid: number;
  readonly started: string;
  readonly boot: string;
  readonly pidNamespace: string;
  readonly netNamespace: string;
  readonly host: string;
  readonly nonce: string;
  readonly since: string;
  /** Whether the holder also holds the socket. */
  readonly hasSocket: boolean;
}

const REGISTRY = Symbol.for('varve.locks');
/** How often, and how long, a lock file without content is given to be filled: its maker stands between two calls. */
const READ_TRIES = 20;
const READ_PAUSE = 10;
const TAKE_TRIES = 20;

function registry(): Set<string> {
  const host = globalThis as unknown as { [REGISTRY]?: Set<string> };
  return (host[REGISTRY] ??= new Set());
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

function readText(path: string): string {
  try {
    return builtin<FileSystem>('node:fs').readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

function readLink(path: string): string {
  try {
    return builtin<FileSystem>('node:fs').readlinkSync(path);
  } catch {
    return '';
  }
}

/** When a process started, in the kernel's ticks since boot: field 22 of its stat, counted behind the name, which may hold anything. */
function startOf(pid: number | 'self'): string {
  const stat = readText(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function makeCard(hasSocket: boolean): Card {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return {
    pid: process.pid,
    started: startOf('self'),
    boot: readText('/proc/sys/kernel/random/boot_id'),
    pidNamespace: readLink('/proc/self/ns/pid'),
    netNamespace: readLink('/proc/self/ns/net'),
    host: builtin<Os>('node:os').hostname(),
    nonce: Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(''),
    since: new Date().toISOString(),
    hasSocket,
  };
}

function isCard(value: unknown): value is Card {
  const card = value as Partial<Card> | null;
  return typeof card === 'object' && card !== null && typeof card.pid === 'number' && typeof card.nonce === 'string' &&
    typeof card.boot === 'string' && typeof card.host === 'string' && typeof card.started === 'string' &&
    typeof card.pidNamespace === 'string' && typeof card.netNamespace === 'string';
}

/** The lock file's card; undefined where there is no file, null where it makes no sense. */
function readCard(path: string): Card | null | undefined {
  let text: string;
  try {
    text = builtin<FileSystem>('node:fs').readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return undefined;
    return null;
  }
  try {
    const value: unknown = JSON.parse(text);
    return isCard(value) ? value : null;
  } catch {
    return null;
  }
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code !== 'ESRCH';
  }
}

/** Whether the one who left a card is certainly gone. `hasSocket`: the kernel gave us the socket of this file. */
function isDead(card: Card, self: Card, hasSocket: boolean): boolean {
  if (card.host !== self.host && card.boot !== self.boot) return false;
  if (card.boot !== '' && self.boot !== '' && card.boot !== self.boot) return true;
  if (hasSocket && card.hasSocket && card.netNamespace !== '' && card.netNamespace === self.netNamespace) return true;
  if (card.pidNamespace !== self.pidNamespace) return false;
  if (!processExists(card.pid)) return true;
  if (card.started !== '' && card.pid !== process.pid) return startOf(card.pid) !== card.started;
  // Our own number on another's card: the registry says that this process does not hold the file.
  return card.pid === process.pid && (card.started !== self.started || hasSocket || !registry().has(card.nonce));
}

/** Listens on the file's name in the abstract namespace. Undefined where the platform has none; `held` where another listens. */
function takeSocket(identity: FileIdentity): Promise<Server | 'held' | undefined> {
  if (process.platform !== 'linux') return Promise.resolve(undefined);
  return new Promise((resolve) => {
    try {
      const server = builtin<Net>('node:net').createServer((socket) => socket.destroy());
      server.once('error', (error: Error & { code?: string }) => resolve(error.code === 'EADDRINUSE' ? 'held' : undefined));
      server.listen({ path: `\0varve-${identity.device}-${identity.inode}`, exclusive: true }, () => {
        server.unref();
        resolve(server);
      });
    } catch {
      resolve(undefined);
    }
  });
}

function describe(card: Card | null | undefined, path: string): Holder {
  if (card === null || card === undefined) return { pid: undefined, description: 'another process, which has left no name' };
  return {
    pid: card.pid,
    description: `process ${card.pid} on ${card.host} since ${card.since} (if you are certain that it is gone, remove ${path})`,
  };
}

function locked(holder: Holder): LockedError {
  return new LockedError(`The store is held by ${holder.description}. It has one writer at a time: close it there, or wait.`, holder.pid);
}

/** Makes the lock file. False where there is one. */
function makeFile(path: string, card: Card): boolean {
  const fs = builtin<FileSystem>('node:fs');
  let descriptor: number;
  try {
    descriptor = fs.openSync(path, 'wx', 0o644);
  } catch (error) {
    if ((error as { code?: string }).code === 'EEXIST') return false;
    throw error;
  }
  try {
    fs.writeSync(descriptor, JSON.stringify(card));
  } finally {
    fs.closeSync(descriptor);
  }
  return true;
}

/**
 * Takes the file from a dead holder. Two contenders may judge alike, so the dead one's file is first renamed to a name made of its own nonce, which only
 * one of them can do; whoever renamed a file that is not the one it judged puts it back.
 */
function removeDead(path: string, dead: Card | null): void {
  const fs = builtin<FileSystem>('node:fs');
  const aside = `${path}.${dead?.nonce.slice(0, 16) ?? 'unreadable'}.${process.pid}`;
  try {
    fs.renameSync(path, aside);
  } catch {
    return;
  }
  const moved = readCard(aside);
  if (moved !== null && moved !== undefined && moved.nonce !== dead?.nonce) {
    try {
      fs.linkSync(aside, path);
    } catch {
      // A third contender has made a file of its own meanwhile; the one put aside finds its nonce gone and gives way.
    }
  }
  fs.rmSync(aside, { force: true });
}

async function takeFile(path: string, self: Card, hasSocket: boolean): Promise<void> {
  for (let attempt = 0; attempt < TAKE_TRIES; attempt++) {
    if (makeFile(path, self)) {
      if (hasSocket) return;
      // Without the kernel's word, a contender may have put our file aside: it is ours when it still is after a moment.
      await pause(READ_PAUSE * 2);
      if (readCard(path)?.nonce === self.nonce) return;
      continue;
    }
    let card = readCard(path);
    for (let tries = 0; card === null && tries < READ_TRIES; tries++) {
      await pause(READ_PAUSE);
      card = readCard(path);
    }
    if (card === undefined) continue;
    const isGone = card === null ? hasSocket : isDead(card, self, hasSocket);
    if (!isGone) throw locked(describe(card, path));
    removeDead(path, card);
  }
  throw locked(describe(readCard(path), path));
}

/** Takes the lock of a file, or throws `LockedError` naming its holder. */
export async function acquireLock(realPath: string, identity: FileIdentity): Promise<Lock> {
  const path = `${realPath}.lock`;
  const key = `${identity.device}:${identity.inode}`;
  const held = registry();
  if (held.has(key)) throw new LockedError('The store is open in this process already, perhaps under another path: use that one, or close it.', process.pid);
  held.add(key);
  let server: Server | 'held' | undefined;
  try {
    server = await takeSocket(identity);
    if (server === 'held') throw locked(describe(readCard(path), path));
    const self = makeCard(server !== undefined);
    await takeFile(path, self, server !== undefined);
    return makeLock(path, key, self, server);
  } catch (error) {
    held.delete(key);
    if (server !== 'held') server?.close();
    throw error;
  }
}

function makeLock(path: string, key: string, self: Card, server: Server | undefined): Lock {
  let isReleased = false;
  const release = (): void => {
    if (isReleased) return;
    isReleased = true;
    process.off('exit', release);
    if (readCard(path)?.nonce === self.nonce) builtin<FileSystem>('node:fs').rmSync(path, { force: true });
    server?.close();
    registry().delete(key);
  };
  process.on('exit', release);
  return { release };
}

/** Who holds a file, or undefined: for readers, who take no lock. */
export async function findHolder(realPath: string, identity: FileIdentity): Promise<Holder | undefined> {
  const path = `${realPath}.lock`;
  if (registry().has(`${identity.device}:${identity.inode}`)) return { pid: process.pid, description: 'this process' };
  const card = readCard(path);
  const server = await takeSocket(identity);
  if (server === 'held') return describe(card, path);
  const isHeld = card !== undefined && card !== null && !isDead(card, makeCard(server !== undefined), server !== undefined);
  await new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve())));
  return isHeld ? describe(card, path) : undefined;
}
