/**
 * The store at work: loads 135,233 cities durably, is killed in the middle, proves that nothing acknowledged was lost, finishes, looks things up, updates, and says what it measured.
 * `npm start` runs it; `node examples/start.mjs --records 5000` runs it on fewer.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { open } from 'varve';
import { groupAt, keyOf, noteKeyOf, readCities } from './start/cities.mjs';
import { loadUntilKilled } from './start/crash.mjs';
import { IN_FLIGHT_COUNT, load } from './start/load.mjs';
import { FLOOR_WRITES, measureCommits, measureFloor } from './start/measure.mjs';
import { must, prove } from './start/proof.mjs';
import { progress, round, say, sayTable } from './start/report.mjs';

const UPDATE_COUNT = 1000;
/** Fewer could not be killed in the middle with certainty. */
const RECORD_COUNT_MIN = 1000;
/** The concurrent writers of the measurement of durable commits. */
const WRITER_COUNT = 64;
const COMMITS_A_WRITER = 250;

/** @param {string} path @param {import('./start/cities.mjs').City[]} cities */
async function crashAndProve(path, cities) {
  say(`A child process loads ${round(cities.length)} cities, durably, and is killed in the middle:`);
  const acknowledged = await loadUntilKilled(path, cities.length, Math.ceil(cities.length / 2), progress('loading', cities.length));
  if (process.stdout.isTTY) say('');
  say(`  killed with SIGKILL, after it had acknowledged ${round(acknowledged.city.size)} puts and ${round(acknowledged.group.size)} batches\n`);
  return withStore(path, (db) => {
    const { records, milliseconds, dropped } = db.recovery;
    say(`Opened again: ${round(records)} records in ${milliseconds.toFixed(1)} ms${dropped === undefined ? '' : `, a torn tail of ${round(dropped.bytes)} bytes dropped`}.`);
    const { more, missing } = prove(db, cities, acknowledged);
    say(`  proof: all ${round(acknowledged.city.size)} acknowledged puts and ${round(acknowledged.group.size)} batches are there, with their values and versions`);
    say(`  proof: ${round(more)} cities more were on their way and are there whole; no value and no batch is there in part`);
    say(`  proof: ${round(missing)} cities are yet to be loaded, and nothing is there that nobody put\n`);
    return db.recovery;
  });
}

/** Puts what is missing. Returns writes a second. @param {import('varve').Store<unknown>} db @param {import('./start/cities.mjs').City[]} cities */
async function finishLoad(db, cities) {
  let done = 0;
  const isMissing = (/** @type {'city' | 'group'} */ kind, /** @type {number} */ position) => !db.has(kind === 'city' ? keyOf(cities[position]) : noteKeyOf(position));
  const count = (/** @type {'city' | 'group'} */ kind, /** @type {number} */ position) => void (done += kind === 'city' ? 1 : groupAt(position, cities.length).together.length);
  const began = performance.now();
  await load(db, cities, count, isMissing);
  const rate = (done / (performance.now() - began)) * 1000;
  must(cities.every((city) => db.has(keyOf(city))), 'a city is missing after the load was finished');
  return { done, rate };
}

/** Looks every city up, in an order that jumps. Returns reads a second. @param {import('varve').Store<unknown>} db @param {import('./start/cities.mjs').City[]} cities */
function lookUp(db, cities) {
  let population = 0;
  const began = performance.now();
  for (let step = 0; step < cities.length; step++) {
    const city = cities[(step * 7919) % cities.length];
    population += /** @type {import('./start/cities.mjs').City} */ (db.get(keyOf(city))).population;
  }
  const rate = (cities.length / (performance.now() - began)) * 1000;
  let expected = 0;
  for (let step = 0; step < cities.length; step++) expected += cities[(step * 7919) % cities.length].population;
  must(population === expected, 'the populations that were looked up do not add up');
  return { rate, population };
}

/** Adds a citizen to each of the first cities, if nobody else did. @param {import('varve').Store<unknown>} db @param {import('./start/cities.mjs').City[]} cities */
async function update(db, cities) {
  const chosen = cities.slice(0, UPDATE_COUNT).map((city) => ({ key: keyOf(city), ...db.getEntry(keyOf(city)), next: { ...city, population: city.population + 1 } }));
  const results = await Promise.all(chosen.map(({ key, version, next }) => db.cas(key, version ?? 0, next)));
  must(results.every(({ ok }) => ok), 'a cas with the right version was refused');
  const { key, version, value } = chosen[0];
  const late = await db.cas(key, version ?? 0, value);
  must(!late.ok && late.version === results[0].version, 'a cas with an old version was not refused with the current one');
  must(chosen.every(({ key, next }) => isDeepStrictEqual(db.get(key), next)), 'a city is not as cas left it');
  return { won: results.length, current: late.version };
}

/** Opens the store for a while. @template T @param {string} path @param {(db: import('varve').Store<unknown>) => Promise<T> | T} use @returns {Promise<T>} */
async function withStore(path, use) {
  const db = await open(path, { durability: 'strict' });
  try {
    return await use(db);
  } finally {
    await db.close();
  }
}

/** @param {string} folder @param {import('./start/cities.mjs').City[]} cities */
async function run(folder, cities) {
  const path = join(folder, 'cities.varve');
  const recovery = await crashAndProve(path, cities);
  const { loaded, floor, commits, commitsTogether } = await withStore(path, async (db) => {
    const loaded = await finishLoad(db, cities);
    say(`The rest of the load: ${round(loaded.done)} cities.`);
    const floor = measureFloor(join(folder, 'floor'));
    const commits = await measureCommits(db, 1, FLOOR_WRITES);
    return { loaded, floor, commits, commitsTogether: await measureCommits(db, WRITER_COUNT, WRITER_COUNT * COMMITS_A_WRITER) };
  });

  await withStore(path, async (db) => {
    must(db.recovery.clean, 'a store that was closed in order did not open as such');
    const { rate, population } = lookUp(db, cities);
    say(`Opened again, looked up every city: ${round(population)} people.`);
    const { won, current } = await update(db, cities);
    say(`Updated ${round(won)} with cas; one that came late was refused and told version ${current}.\n`);
    await db.verify();
    const stats = db.stats();
    const valueSize = cities.reduce((sum, city) => sum + JSON.stringify(city).length, 0) / cities.length;
    sayTable([
      [`writes, up to ${IN_FLIGHT_COUNT} await their flush together`, loaded.rate, 'writes/s'],
      [`durable commits, ${WRITER_COUNT} writers, each one by one`, commitsTogether, 'commits/s'],
      ['durable commits, one writer, one by one', commits, 'commits/s'],
      ['  bare write + fdatasync on this disk', floor, 'writes/s'],
      ['reads, decoded', rate, 'reads/s'],
      ['recovery after the crash', (recovery.records / recovery.milliseconds) * 1000, 'records/s'],
      ['disk', (stats.file?.bytes ?? 0) / stats.keys, `bytes a record (as JSON, a city takes ${round(valueSize)})`],
      ['memory', stats.memory.bytes / stats.keys, 'bytes a record, index included'],
    ]);
  });
}

async function main() {
  const { values } = parseArgs({ options: { records: { type: 'string', default: '1000000' } } });
  const count = Number(values.records);
  if (!Number.isInteger(count) || count < RECORD_COUNT_MIN) throw new Error(`--records takes a whole number from ${RECORD_COUNT_MIN} on.`);
  const folder = mkdtempSync(join(tmpdir(), 'varve-'));
  // However it ends, nothing stays behind: not after a failure, a closed terminal or an interrupt either. A child whose parent is gone ends by itself.
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));
  await run(folder, readCities(count));
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
