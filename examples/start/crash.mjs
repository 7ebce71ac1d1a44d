/** A load in a process of its own that is killed, with SIGKILL, when so many cities were acknowledged. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { groupAt } from './cities.mjs';

const PROGRAM = fileURLToPath(new URL('load.mjs', import.meta.url));
/** The semicolon says that the line is whole: the kill can cut the last one, even within a number. */
const LINE = /^(city|group) (\d+) (\d+);$/;

/**
 * What the child said was durable: position or group to version; and how many cities that makes, those of batches included.
 * @typedef {{ city: Map<number, number>, group: Map<number, number>, cityCount: number }} Acknowledged
 */

/**
 * Runs the load and kills it. Resolves when it is dead, with everything that it had reported.
 * @param {string} path @param {number} count @param {number} killAt acknowledged cities at which it is killed
 * @param {(done: number) => void} onProgress
 * @returns {Promise<Acknowledged>}
 */
export async function loadUntilKilled(path, count, killAt, onProgress) {
  /** @type {Acknowledged} */
  const acknowledged = { city: new Map(), group: new Map(), cityCount: 0 };
  const child = spawn(process.execPath, [PROGRAM, path, String(count)], { stdio: ['pipe', 'inherit', 'inherit', 'pipe'] });
  const [, , , report] = /** @type {[import('node:stream').Writable, null, null, import('node:stream').Readable, null]} */ (child.stdio);
  // An interrupt may end this process first; the child is not to outlive it. For one that has ended this does nothing.
  process.once('exit', () => child.kill('SIGKILL'));
  // Whoever sends to a process that was killed meanwhile is told of a broken pipe; how it ended is asked below.
  child.stdin?.on('error', () => undefined);
  const ended = new Promise((resolve) => {
    child.on('error', resolve);
    child.on('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  for await (const line of createInterface({ input: report })) {
    const parts = LINE.exec(line);
    if (parts === null) continue;
    const kind = /** @type {'city' | 'group'} */ (parts[1]);
    const position = Number(parts[2]);
    acknowledged[kind].set(position, Number(parts[3]));
    acknowledged.cityCount += kind === 'city' ? 1 : groupAt(position, count).together.length;
    if (child.killed) continue;
    onProgress(acknowledged.cityCount);
    if (acknowledged.cityCount >= killAt) child.kill('SIGKILL');
    else if (kind === 'group') child.stdin?.write('.');
  }
  const how = await ended;
  if (how !== 'SIGKILL') throw new Error(`The load was to be killed, and ended by itself: ${String(how)}.`);
  return acknowledged;
}
