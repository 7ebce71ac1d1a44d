/** A load in a process of its own that is killed, with SIGKILL, when so many cities were acknowledged. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('load.mjs', import.meta.url));

/** What the child said was durable: position or group to version. @typedef {{ city: Map<number, number>, group: Map<number, number> }} Acknowledged */

/**
 * Runs the load and kills it. Resolves when it is dead, with everything that it had reported.
 * @param {string} path @param {number} count @param {number} killAt acknowledged cities at which it is killed
 * @param {(done: number) => void} onProgress
 * @returns {Promise<Acknowledged>}
 */
export async function loadUntilKilled(path, count, killAt, onProgress) {
  /** @type {Acknowledged} */
  const acknowledged = { city: new Map(), group: new Map() };
  const child = spawn(process.execPath, [PROGRAM, path, String(count)], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(signal ?? code));
  });
  const report = /** @type {import('node:stream').Readable} */ (child.stdio[3]);
  for await (const line of createInterface({ input: report })) {
    const [kind, position, version] = line.split(' ');
    // The kill can cut the last line: a line without its three parts was never said.
    if ((kind !== 'city' && kind !== 'group') || version === undefined) continue;
    acknowledged[kind].set(Number(position), Number(version));
    onProgress(acknowledged.city.size);
    if (acknowledged.city.size >= killAt && !child.killed) child.kill('SIGKILL');
  }
  const how = await ended;
  if (how !== 'SIGKILL') throw new Error(`The load was to be killed, and failed by itself: ${String(how)}.`);
  return acknowledged;
}
