/** The proof: what was acknowledged is there, with its value and version, and what was not is there whole or not at all. */
import { isDeepStrictEqual } from 'node:util';
import { groupAt, groupCount, keyOf, noteKeyOf } from './cities.mjs';

/** @param {boolean} condition @param {string} problem */
export function must(condition, problem) {
  if (!condition) throw new Error(`The proof failed: ${problem}.`);
}

/**
 * @param {import('varve').Store<unknown>} db @param {import('./cities.mjs').City[]} cities @param {import('./crash.mjs').Acknowledged} acknowledged
 * @returns {{ more: number, missing: number }} how many cities were there beyond what was acknowledged, and how many are yet to be loaded
 */
export function prove(db, cities, acknowledged) {
  let more = 0;
  let missing = 0;
  let noteCount = 0;
  const inBatches = new Set([...acknowledged.group.keys()].flatMap((group) => groupAt(group, cities.length).together));
  for (const [position, city] of cities.entries()) {
    const entry = db.getEntry(keyOf(city));
    const version = acknowledged.city.get(position);
    must(version === undefined || entry?.version === version, `city ${position} was acknowledged with version ${version} and has ${entry?.version}`);
    must(entry === undefined || isDeepStrictEqual(entry.value, city), `city ${position} is there with another value`);
    must(entry !== undefined || !inBatches.has(position), `city ${position} was acknowledged with its batch and is missing`);
    if (entry === undefined) missing++;
    else if (version === undefined && !inBatches.has(position)) more++;
  }
  for (let group = 0; group < groupCount(cities.length); group++) {
    const { together } = groupAt(group, cities.length);
    const versions = together.map((position) => db.getEntry(keyOf(cities[position]))?.version);
    const note = db.getEntry(noteKeyOf(group));
    const version = note?.version;
    if (note !== undefined) noteCount++;
    must(note === undefined || note.value === together.length, `the note of group ${group} has another value`);
    must(versions.every((other) => other === version), `the batch of group ${group} is there in part`);
    const promised = acknowledged.group.get(group);
    must(promised === undefined || version === promised, `the batch of group ${group} was acknowledged with version ${promised} and has ${version}`);
  }
  must(db.stats().keys === cities.length - missing + noteCount, 'the store has keys that nobody put');
  must(missing > 0, 'the kill came too late, the load was already done');
  return { more, missing };
}
