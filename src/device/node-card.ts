/**
 * What the holder of a store leaves in its lock file, and what others may conclude from it. The one conclusion that matters is that the holder is dead; it is
 * drawn only from proof, because a wrong one lets two writers into one file. Whoever cannot be proven dead is alive, also when it is stopped or very slow.
 */
import { builtin, closeQuietly, codeOf, type FileSystem } from './node-builtin.js';

type Os = typeof import('node:os');

/** A lock file's content. What the platform does not tell is empty. */
export interface Card {
  readonly pid: number;
  /** When the process started, in the kernel's ticks since boot: tells it from a later process with the same number. */
  readonly started: string;
  /** The boot of the kernel that it runs on. */
  readonly boot: string;
  readonly pidNamespace: string;
  readonly netNamespace: string;
  readonly host: string;
  /** Random, and never used twice: 32 hexadecimal digits. */
  readonly nonce: string;
  /** For people. No decision looks at it. */
  readonly since: string;
  /** Whether the holder also holds the socket of the file. */
  readonly hasSocket: boolean;
}

/** A larger lock file was not written by this library. */
export const CARD_SIZE_MAX = 4096;

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

/** Field 22 of a process's stat. Counted from behind the name in parentheses, which may hold anything. */
function startOf(pid: number | 'self'): string {
  const stat = readText(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

/** The card of this process. */
export function makeCard(hasSocket: boolean): Card {
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

/** A card is believed only when it is whole: its nonce becomes part of a file's name, and its number is given to the kernel. */
function isCard(value: unknown): value is Card {
  if (typeof value !== 'object' || value === null) return false;
  const card = value as Partial<Record<keyof Card, unknown>>;
  const texts = [card.started, card.boot, card.pidNamespace, card.netNamespace, card.host, card.since];
  return texts.every((text) => typeof text === 'string') && typeof card.hasSocket === 'boolean' &&
    Number.isSafeInteger(card.pid) && (card.pid as number) > 0 &&
    typeof card.nonce === 'string' && /^[0-9a-f]{32}$/.test(card.nonce);
}

/** As much of a file as could be a card, and one byte more. Node's own way to read a whole file aborts the process when the close fails, or leaves the file open when asking for its size does. */
function readBeginning(path: string): string {
  const fs = builtin<FileSystem>('node:fs');
  const bytes = new Uint8Array(CARD_SIZE_MAX + 1);
  const descriptor = fs.openSync(path, 'r');
  try {
    let size = 0;
    for (let count = -1; count !== 0; size += count) count = fs.readSync(descriptor, bytes, size, bytes.length - size, null);
    return new TextDecoder().decode(bytes.subarray(0, size));
  } finally {
    closeQuietly(fs, descriptor);
  }
}

/** The card in a lock file: undefined where there is no file, null where there is one that makes no sense. */
export function readCard(path: string): Card | null | undefined {
  try {
    const text = readBeginning(path);
    const value: unknown = text.length > CARD_SIZE_MAX ? null : JSON.parse(text);
    return isCard(value) ? value : null;
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? undefined : null;
  }
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
}

/**
 * Whether the one who left a card is certainly gone. `isSocketFree`: the kernel has told us that nobody in our network namespace holds the file's socket.
 *
 * - A boot that is over took its processes along. That is known only of our own machine: elsewhere, boots differ anyway.
 * - A holder that took the socket lets go of it only after its lock file, or by dying.
 * - In our own pid namespace the kernel can be asked for the process. A process that is there, but started at another time, is another one.
 */
export function isDead(card: Card, self: Card, isSocketFree: boolean): boolean {
  const isSameBoot = card.boot === self.boot && (card.boot !== '' || card.host === self.host);
  if (!isSameBoot) return card.boot !== '' && self.boot !== '' && card.host === self.host;
  if (isSocketFree && card.hasSocket && card.netNamespace !== '' && card.netNamespace === self.netNamespace) return true;
  if (card.pidNamespace !== self.pidNamespace) return false;
  if (!processExists(card.pid)) return true;
  const started = startOf(card.pid);
  // The kernel may hide other users' processes: then, and where there are no start times, the number alone has to do.
  if (started === '' || card.started === '') return !processExists(card.pid);
  return started !== card.started;
}
