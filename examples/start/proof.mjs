/** The proof: what was acknowledged is there, with its value and version, and what was not is there whole or not at all. */
import { isDeepStrictEqual } from 'node:util';
import { groupAt, groupCount, keyOf, noteKeyOf } from './cities.mjs';

/** @param {boolean} condition @param {string} problem */
export function must(condition, problem) {
  if (!condition) throw new Error(`The proof failed: ${problem}.`);
}

/**
 * @param {import('varve').Store<unknown>} db @param {import('./cities.mjs').City[]} cities @param {import('./crash.mjs').Acknowledged} acknowledged
 * @returns {{ cities: number, groups: number, more: number }} what was proven, and how many cities were there beyond
 */
export function prove(db, cities, acknowledged) {
  let more = 0;
  const inBatches = new Set([...acknowledged.group.keys()].flatMap((group) => groupAt(group, cities.length).together));
  for (const [position, city] of cities.entries()) {
    const entry = db.getEntry(keyOf(city));
    const version = acknowledged.city.get(position);
    must(version === undefined || entry?.version === version, `city ${position} was acknowledged with version ${version} and has ${entry?.version}`);
    must(entry === undefined || isDeepStrictEqual(entry.value, city), `city ${position} is there with another value`);
    must(entry !== undefined || !inBatches.has(position), `city ${position} was acknowledged with its batch and is missing`);
    if (version === undefined && entry !== undefined && !inBatches.has(position)) more++;
  }
  for (let group = 0; group < groupCount(cities.length); group++) {
    const versions = groupAt(group, cities.length).together.map((position) => db.getEntry(keyOf(cities[position]))?.version);
    const version = db.getEntry(noteKeyOf(group))?.version;
    must(versions.every((other) => other === version), `the batch of group ${group} is there in part`);
    const promised = acknowledged.group.get(group);
    must(promised === undefined || version === promised, `the batch of group ${group} was acknowledged with version ${promised} and has ${version}`);
  }
  return { cities: acknowledged.city.size, groups: acknowledged.group.size, more };
}
