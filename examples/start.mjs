/**
 * The store at work: loads 135,233 cities durably, is killed in the middle, proves that nothing acknowledged was lost, finishes, looks things up, updates, and says what it measured.
 * `npm start` runs it; `node examples/start.mjs --records 5000` runs it on fewer.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { open } from 'varve';
import { groupAt, keyOf, noteKeyOf, readCities } from './start/cities.mjs';
import { loadUntilKilled } from './start/crash.mjs';
import { load } from './start/load.mjs';
import { measureCommits, measureFloor } from './start/measure.mjs';
import { must, prove } from './start/proof.mjs';
import { progress, round, say, sayTable } from './start/report.mjs';

const UPDATE_COUNT = 1000;

/** @param {string} path @param {import('./start/cities.mjs').City[]} cities */
async function crashAndProve(path, cities) {
  say(`A child process loads ${round(cities.length)} cities, durably, and is killed in the middle:`);
  const acknowledged = await loadUntilKilled(path, cities.length, Math.floor(cities.length / 2), progress('loading', cities.length));
  if (process.stdout.isTTY) say('');
  say(`  killed with SIGKILL, after it had acknowledged ${round(acknowledged.city.size)} puts and ${round(acknowledged.group.size)} batches\n`);
  const db = await open(path);
  const { recovery } = db;
  say(`Opened again: ${round(recovery.records)} records in ${recovery.milliseconds.toFixed(1)} ms${recovery.dropped === undefined ? '' : `, a torn tail of ${recovery.dropped.bytes} bytes dropped`}.`);
  const proven = prove(db, cities, acknowledged);
  say(`  proof: all ${round(proven.cities)} acknowledged puts and ${round(proven.groups)} batches are there, with their values and versions`);
  say(`  proof: ${round(proven.more)} more were on their way and are there whole; no value and no batch is there in part\n`);
  return { db, recovery };
}

/** Puts what is missing. Returns writes a second. @param {import('varve').Store<unknown>} db @param {import('./start/cities.mjs').City[]} cities */
async function finishLoad(db, cities) {
  let done = 0;
  const isMissing = (/** @type {'city' | 'group'} */ kind, /** @type {number} */ position) => !db.has(kind === 'city' ? keyOf(cities[position]) : noteKeyOf(position));
  const count = (/** @type {'city' | 'group'} */ kind, /** @type {number} */ position) => void (done += kind === 'city' ? 1 : groupAt(position, cities.length).together.length);
  const began = performance.now();
  await load(db, cities, count, isMissing);
  return { done, rate: (done / (performance.now() - began)) * 1000 };
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
  const chosen = cities.slice(0, UPDATE_COUNT);
  const results = await Promise.all(chosen.map((city) => db.cas(keyOf(city), db.getEntry(keyOf(city))?.version ?? 0, { ...city, population: city.population + 1 })));
  must(results.every(({ ok }) => ok), 'a cas with the right version was refused');
  const late = await db.cas(keyOf(chosen[0]), 1, chosen[0]);
  must(!late.ok && late.version === results[0].version, 'a cas with an old version was not refused with the current one');
  return { won: results.length, current: late.version };
}

async function main() {
  const { values } = parseArgs({ options: { records: { type: 'string', default: '1000000' } } });
  const cities = readCities(Number(values.records));
  const folder = mkdtempSync(join(tmpdir(), 'varve-'));
  const path = join(folder, 'cities.varve');
  let db;
  try {
    const crashed = await crashAndProve(path, cities);
    db = crashed.db;
    const loaded = await finishLoad(db, cities);
    say(`The rest of the load: ${round(loaded.done)} cities.`);
    const floor = measureFloor(join(folder, 'floor'));
    const commits = await measureCommits(db);
    await db.close();

    db = await open(path);
    must(db.recovery.clean, 'a store that was closed in order did not open as such');
    const { rate, population } = lookUp(db, cities);
    say(`Opened again, looked up every city: ${round(population)} people.`);
    const { won, current } = await update(db, cities);
    say(`Updated ${round(won)} with cas; one that came late was refused and told version ${current}.\n`);
    await db.verify();
    const stats = db.stats();
    const valueSize = cities.reduce((sum, city) => sum + JSON.stringify(city).length, 0) / cities.length;
    sayTable([
      ['writes, 16 writers, each awaits its flush', `${round(loaded.rate)} /s`],
      ['durable commits, one by one', `${round(commits)} /s`],
      ['  bare write + fdatasync on this disk', `${round(floor)} /s`],
      ['reads, decoded', `${round(rate)} /s`],
      ['recovery after the crash', `${round((crashed.recovery.records / crashed.recovery.milliseconds) * 1000)} records/s`],
      ['disk', `${round((stats.file?.bytes ?? 0) / stats.keys)} bytes a record (as JSON, a city takes ${round(valueSize)})`],
      ['memory', `${round(stats.memory.bytes / stats.keys)} bytes a record, index included`],
    ]);
  } finally {
    await db?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
