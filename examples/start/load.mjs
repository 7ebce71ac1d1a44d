/**
 * Loading cities with many writers that share flushes. Each writer awaits what it wrote before it goes on, and only then is the write reported. Run as a program, with a path and a
 * count, it is the child that gets killed, and never ends by itself: it reports on file descriptor 3, one line an acknowledged write.
 */
import { writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { open } from 'varve';
import { groupAt, groupCount, keyOf, noteKeyOf, readCities } from './cities.mjs';

const WRITER_COUNT = 16;
const REPORT_DESCRIPTOR = 3;

/**
 * Puts the cities that `isMissing` names. `onAcknowledged` is told of each position, or of each group whose batch is there, with its version.
 * @param {import('varve').Store<unknown>} db
 * @param {import('./cities.mjs').City[]} cities
 * @param {(kind: 'city' | 'group', position: number, version: number) => void} onAcknowledged
 * @param {(kind: 'city' | 'group', position: number) => boolean} isMissing
 */
export async function load(db, cities, onAcknowledged, isMissing) {
  let next = 0;
  const total = groupCount(cities.length);
  const writer = async () => {
    while (next < total) {
      const group = next++;
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
  await Promise.all(Array.from({ length: WRITER_COUNT }, writer));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const db = await open(process.argv[2] ?? '', { durability: 'strict' });
  let lines = '';
  const report = (/** @type {string} */ kind, /** @type {number} */ position, /** @type {number} */ version) => {
    if (lines === '') {
      queueMicrotask(() => {
        const text = lines;
        lines = '';
        writeSync(REPORT_DESCRIPTOR, text);
      });
    }
    lines += `${kind} ${position} ${version}\n`;
  };
  await load(db, readCities(Number(process.argv[3])), report, () => true);
  // It only ever ends by being killed, also on a machine that is slow to do it.
  setInterval(() => undefined, 60_000);
}
