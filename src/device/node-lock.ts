/**
 * The lock of a store's file. It has three parts, because no one of them is enough everywhere:
 *
 * - a registry in this thread, by device and inode: catches other paths to the same file, and other copies of this library;
 * - on Linux a socket in the abstract namespace, named by device and inode: the kernel gives it to one and takes it back when the process dies, however it dies. It
 *   reaches every process and thread of the same network namespace, whatever path they use, and whichever runtime they run in, but for Bun and Deno;
 * - a file beside the store that names the holder: for messages, and for platforms and namespaces that the socket does not reach.
 *
 * How the file changes hands, so that of any number of contenders one wins, with the socket or without:
 *
 * 1. Where there is no file, one is made by a hard link, which succeeds for one contender, to a file that is whole (`node-lock-file.ts`).
 * 2. A file whose holder is dead is never removed, it is replaced. Whoever wants to replace it first makes a second file, the claim, whose name ends in
 *    the dead holder's nonce, in the same way: so there is one claimant at a time. It looks once more whether the lock file is still the dead holder's,
 *    and renames the claim over it, which replaces the lock file and ends the claim in one step.
 * 3. While a claim exists nobody else replaces that lock file, and its dead holder does not, so nothing changes between the look and the rename. A
 *    contender that judged long ago and claims late, after the rename, finds another nonce in the lock file and gives its claim up. Nonces are never used twice.
 * 4. A claimant that died is replaced as a dead holder is: the claim is itself such a lock file.
 *
 * A file that makes no sense names nobody who could be judged. It is believed to be left over only on the word of the socket, after its maker had time to finish it.
 */
import type { BigIntStats } from 'node:fs';
import type { Server } from 'node:net';
import { IoError, LockedError } from '../errors.js';
import { builtin, codeOf, type FileIdentity, type FileSystem } from './node-builtin.js';
import { isDead, makeCard, readCard, type Card } from './node-card.js';
import { discard, lockFileError, makeLockFile, sweepLeftOver } from './node-lock-file.js';

type Net = typeof import('node:net');

/** Who holds a store. */
export interface Holder {
  readonly pid: number | undefined;
  /** For messages: who, and what can be done about it. */
  readonly description: string;
}

export interface Lock {
  /** Gives the lock back, at once. Idempotent. */
  release(): void;
}

const REGISTRY = Symbol.for('varve.locks');
/** How often, and how many milliseconds apart, a file is read that its maker may be about to fill. */
const READ_TRIES = 20;
const READ_PAUSE = 10;
const TAKE_TRIES = 50;
/** How many claimants may have died one after the other before a person is asked. */
const CLAIM_DEPTH_MAX = 3;
const CLAIM_NONCE_LENGTH = 16;

/** The files that this thread holds, shared by all copies of the library in it. */
function registry(): Set<string> {
  const host = globalThis as unknown as { [REGISTRY]?: Set<string> };
  return (host[REGISTRY] ??= new Set());
}

const keyOf = (identity: FileIdentity): string => `${identity.device}:${identity.inode}`;
/**
 * The name of a file's socket. It fills all the room that there is for one, because runtimes do not agree on what a shorter one is: Node 20 pads it with zeros, Node 24 does not, so they would not meet,
 * and each would take the other for dead. Bun takes no name of that length: as in Deno, there is no socket then, and such a process is judged by its lock file alone.
 */
const SOCKET_NAME_SIZE = 108;
const socketOf = (identity: FileIdentity): string => `\0varve-${identity.device}-${identity.inode}-`.padEnd(SOCKET_NAME_SIZE, '-');
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Takes the socket: `held` where another has it, undefined where the platform has no such sockets. */
function takeSocket(identity: FileIdentity): Promise<Server | 'held' | undefined> {
  // Deno hands its sockets down to the processes that it starts, which would hold the store for as long as they live.
  if (process.platform !== 'linux' || 'Deno' in globalThis) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    try {
      const server = builtin<Net>('node:net').createServer((socket) => {
        socket.on('error', () => undefined);
        socket.destroy();
      });
      server.on('error', (error) => resolve(codeOf(error) === 'EADDRINUSE' ? 'held' : undefined));
      server.listen({ path: socketOf(identity), exclusive: true }, () => resolve(server));
      server.unref();
    } catch {
      resolve(undefined);
    }
  });
}

/** Asks whether somebody has the socket, without taking it: a reader that took it would look like a writer to others. */
function probeSocket(identity: FileIdentity): Promise<'held' | 'free' | undefined> {
  if (process.platform !== 'linux') return Promise.resolve(undefined);
  return new Promise((resolve) => {
    try {
      // The kernel connects on behalf of a holder that is busy or stopped; EAGAIN says that very many wait for it already, ECONNRESET that it has answered before we looked.
      const socket = builtin<Net>('node:net').connect({ path: socketOf(identity) }, () => {
        socket.destroy();
        resolve('held');
      });
      socket.on('error', (error) => {
        const code = codeOf(error);
        resolve(code === 'ECONNREFUSED' ? 'free' : code === 'EAGAIN' || code === 'ECONNRESET' ? 'held' : undefined);
      });
    } catch {
      resolve(undefined);
    }
  });
}

function describe(card: Card | null | undefined, path: string): Holder {
  if (card === undefined) return { pid: undefined, description: 'another process, which has left no name; it may use the file under another path' };
  if (card === null) return { pid: undefined, description: `another process, whose name in ${path} cannot be read (if you are certain that it is gone, remove that file)` };
  return {
    pid: card.pid,
    description: `process ${card.pid} on ${card.host} since ${card.since} (if you are certain that it is gone, remove ${path})`,
  };
}

function locked(holder: Holder): LockedError {
  return new LockedError(`The store is held by ${holder.description}. It has one writer at a time: close it there, or wait.`, holder.pid);
}

/** What a lock file says, once its maker has had the time to write it. */
async function readSettled(path: string): Promise<Card | null | undefined> {
  let card = readCard(path);
  for (let tries = 1; card === null && tries < READ_TRIES; tries++) {
    await pause(READ_PAUSE);
    card = readCard(path);
  }
  return card;
}

/** Names the one who has the socket. It takes the socket first and writes its name then, so it is given the time. */
async function nameHolder(path: string): Promise<Holder> {
  const self = makeCard(false);
  for (let tries = 1; tries < READ_TRIES; tries++) {
    const card = readCard(path);
    if (card !== undefined && card !== null && !isDead(card, self, false)) return describe(card, path);
    await pause(READ_PAUSE);
  }
  return describe(undefined, path);
}

/** Makes `path` name this process, where it names nobody or one who is dead. See the head of this file. */
async function takeFile(path: string, self: Card, depth = 0): Promise<void> {
  const fs = builtin<FileSystem>('node:fs');
  for (let tries = 0; tries < TAKE_TRIES; tries++) {
    // Made, and not taken for a file that makes no sense while it was being filled.
    if (makeLockFile(path, self) && readCard(path)?.nonce === self.nonce) return;
    const found = await readSettled(path);
    if (found === undefined) continue;
    const isLeftOver = found === null ? self.hasSocket : isDead(found, self, self.hasSocket);
    if (!isLeftOver || depth === CLAIM_DEPTH_MAX) throw locked(describe(found, path));
    const claim = `${path}.${found?.nonce.slice(0, CLAIM_NONCE_LENGTH) ?? 'unreadable'}`;
    await takeFile(claim, self, depth + 1);
    if (readCard(path)?.nonce === found?.nonce && fs.existsSync(path)) {
      try {
        fs.renameSync(claim, path);
      } catch (error) {
        discard(claim);
        throw lockFileError(path, error);
      }
      if (depth === 0) sweepLeftOver(path);
      return;
    }
    discard(claim);
  }
  throw locked(describe(readCard(path), path));
}

/** The path must still lead to the file that is locked: it may have been replaced between opening and locking. */
function confirmPath(realPath: string, identity: FileIdentity): void {
  let status: BigIntStats | undefined;
  try {
    status = builtin<FileSystem>('node:fs').statSync(realPath, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    throw new IoError(`${realPath} cannot be looked at: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  if (status !== undefined && keyOf({ device: status.dev, inode: status.ino }) === keyOf(identity)) return;
  throw new IoError(`${realPath} was replaced or removed while it was being opened. Open it again.`);
}

/** What is to be given back when the process ends. The sockets are left to the kernel, which outlasts whatever else is done at the end. */
const heldFiles = new Map<string, Card>();

function removeFile(path: string, self: Card): void {
  if (readCard(path)?.nonce === self.nonce) discard(path);
}

const removeFiles = (): void => heldFiles.forEach((self, path) => removeFile(path, self));

function holdFile(path: string, self: Card): void {
  if (heldFiles.size === 0) process.on('exit', removeFiles);
  heldFiles.set(path, self);
}

function dropFile(path: string, self: Card): void {
  if (!heldFiles.delete(path)) return;
  if (heldFiles.size === 0) process.off('exit', removeFiles);
  removeFile(path, self);
}

/** Takes the lock of a file, or throws `LockedError` naming its holder. */
export async function acquireLock(realPath: string, identity: FileIdentity): Promise<Lock> {
  const path = `${realPath}.lock`;
  const key = keyOf(identity);
  if (registry().has(key)) throw new LockedError('The store is open in this process already, perhaps under another path: use that one, or close it.', process.pid);
  registry().add(key);
  let server: Server | undefined;
  let self: Card | undefined;
  const release = (): void => {
    // The file goes before the socket: whoever gets the socket may take a file that is still there for a dead one's.
    if (self !== undefined) dropFile(path, self);
    server?.close();
    registry().delete(key);
    self = server = undefined;
  };
  try {
    const taken = await takeSocket(identity);
    if (taken === 'held') throw locked(await nameHolder(path));
    server = taken;
    const card = makeCard(server !== undefined);
    await takeFile(path, card);
    self = card;
    holdFile(path, card);
    confirmPath(realPath, identity);
  } catch (error) {
    release();
    throw error;
  }
  let isReleased = false;
  return {
    release: () => {
      if (isReleased) return;
      isReleased = true;
      release();
    },
  };
}

/** Who holds a file, or undefined: for readers, who take no lock. */
export async function findHolder(realPath: string, identity: FileIdentity): Promise<Holder | undefined> {
  const path = `${realPath}.lock`;
  if (registry().has(keyOf(identity))) return { pid: process.pid, description: 'this process' };
  const socket = await probeSocket(identity);
  if (socket === 'held') return nameHolder(path);
  const isSocketFree = socket === 'free';
  const card = await readSettled(path);
  if (card === undefined) return undefined;
  const isLeftOver = card === null ? isSocketFree : isDead(card, makeCard(false), isSocketFree);
  return isLeftOver ? undefined : describe(card, path);
}
