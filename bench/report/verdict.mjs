/**
 * Whether one build is slower than another. Of interleaved runs, each round's ratio is a figure of one moment, whatever the machine did in others: a row is a regression when the median of the ratios is
 * below 1 by more than the bound, and so many of the rounds agree that chance does not explain it. Runs that were not interleaved have only their medians, in which the machine's moods are too.
 */
import { median } from '../harness/statistics.mjs';
import { REGRESSION } from './status.mjs';

/** The chance that a fair coin falls on one side at least so often is below this when the rounds are believed. */
const CHANCE_MAX = 0.05;

/** The chance of at least `hits` heads in `count` throws of a fair coin. @param {number} hits @param {number} count */
export function chanceOf(hits, count) {
  let ways = 1;
  let sum = 0;
  for (let heads = 0; heads <= count; heads++) {
    if (heads >= hits) sum += ways;
    ways = (ways * (count - heads)) / (heads + 1);
  }
  return sum / 2 ** count;
}

/**
 * @param {number[]} before rates of the older build
 * @param {number[]} after rates of the newer one
 * @param {boolean} isInterleaved whether the rounds are the same moments
 * @returns {{ ratio: number, isRegression: boolean, isFaster: boolean }} how many times as fast the newer one is
 */
export function judgePair(before, after, isInterleaved) {
  if (!isInterleaved) {
    const ratio = median(after) / median(before);
    return { ratio, isRegression: ratio < 1 - REGRESSION, isFaster: ratio > 1 / (1 - REGRESSION) };
  }
  const ratios = after.map((rate, round) => rate / before[round]);
  const ratio = median(ratios);
  const isBelieved = (/** @type {(one: number) => boolean} */ agrees) => chanceOf(ratios.filter(agrees).length, ratios.length) < CHANCE_MAX;
  return {
    ratio,
    isRegression: ratio < 1 - REGRESSION && isBelieved((one) => one < 1),
    isFaster: ratio > 1 / (1 - REGRESSION) && isBelieved((one) => one > 1),
  };
}
