/**
 * Loading cities with many writers that share flushes. Each writer puts a group at a time and awaits it before it goes on; a write is reported when its promise has resolved, never before.
 * Run as a program, with a path and a count, it is the child that gets killed: it reports on file descriptor 3, one line an acknowledged write, and ends by itself only when its parent is gone.
 */
import { writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { open } from 'varve';
import { groupAt, groupCount, keyOf, noteKeyOf, readCities, WRITES_A_GROUP } from './cities.mjs';

const WRITER_COUNT = 16;
const REPORT_DESCRIPTOR = 3;
/** So many groups the child may be ahead of what its parent has read; a quarter of the load where that is less. */
const AHEAD_GROUP_COUNT = 256;
/** The most puts and batches that wait for a flush at one time. */
export const IN_FLIGHT_COUNT = WRITER_COUNT * WRITES_A_GROUP;

/**
 * Puts the cities that `isMissing` names. `onAcknowledged` is told of each position, or of each group whose batch is there, with its version.
 * @param {import('varve').Store<unknown>} db
 * @param {import('./cities.mjs').City[]} cities
 * @param {(kind: 'city' | 'group', position: number, version: number) => void} onAcknowledged
 * @param {(kind: 'city' | 'group', position: number) => boolean} isMissing
 * @param {(group: number) => Promise<void> | undefined} mayBegin resolves when a group may be begun
 */
export async function load(db, cities, onAcknowledged, isMissing, mayBegin = () => undefined) {
  let next = 0;
  const total = groupCount(cities.length);
  const writer = async (/** @type {number} */ number) => {
    // Half of the writers begin a turn later. So one half writes while the flush of the other half is under way, and a kill finds writes in every state.
    if (number % 2 === 1) await setImmediate();
    while (next < total) {
      const group = next++;
      await mayBegin(group);
      const { alone, together } = groupAt(group, cities.length);
      const writes = alone.filter((position) => isMissing('city', position)).map(async (position) => {
        onAcknowledged('city', position, await db.put(keyOf(cities[position]), cities[position]));
      });
      if (isMissing('group', group)) {
        const puts = together.map((position) => ({ type: /** @type {const} */ ('put'), key: keyOf(cities[position]), value: cities[position] }));
        writes.push(db.batch([...puts, { type: 'put', key: noteKeyOf(group), value: together.length }]).then((version) => onAcknowledged('group', group, version)));
      }
      await Promise.all(writes);
    }
  };
  await Promise.all(Array.from({ length: WRITER_COUNT }, (_, number) => writer(number)));
}

/** Loads and reports, as the child. @param {string} path @param {import('./cities.mjs').City[]} cities */
async function loadAsChild(path, cities) {
  const db = await open(path, { durability: 'strict' });
  let allowedCount = Math.max(1, Math.min(AHEAD_GROUP_COUNT, Math.floor(groupCount(cities.length) / 4)));
  /** @type {(() => void)[]} */
  const waiting = [];
  // The parent sends a byte for each group that it has read. When it dies its ends of both pipes close, and nobody is left to report to.
  process.stdin.on('end', () => process.exit(1));
  process.stdin.on('data', (bytes) => {
    allowedCount += bytes.length;
    for (const wake of waiting.splice(0)) wake();
  });
  const mayBegin = async (/** @type {number} */ group) => {
    while (group >= allowedCount) await new Promise((resolve) => waiting.push(() => resolve(undefined)));
  };

  let lines = '';
  const report = (/** @type {string} */ kind, /** @type {number} */ position, /** @type {number} */ version) => {
    if (lines === '') {
      queueMicrotask(() => {
        const text = lines;
        lines = '';
        try {
          writeSync(REPORT_DESCRIPTOR, text);
        } catch {
          process.exit(1);
        }
      });
    }
    lines += `${kind} ${position} ${version};\n`;
  };
  await load(db, cities, report, () => true, mayBegin);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await loadAsChild(process.argv[2] ?? '', readCities(Number(process.argv[3])));
