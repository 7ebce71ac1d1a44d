/** Aims: what a figure must reach, and the words in which it is noted. */
import { median } from './statistics.mjs';

/**
 * @typedef {object} Figure
 * @property {string} aim
 * @property {string} unit
 * @property {number} reached
 * @property {number} bound
 * @property {boolean} isCeiling whether `reached` must not be above `bound`, rather than not below
 * @property {string} note
 */

/** @param {string} aim @param {string} unit @param {number} reached @param {number} bound @param {string} note @returns {Figure} */
export const atLeast = (aim, unit, reached, bound, note = '') => ({ aim, unit, reached, bound, isCeiling: false, note });
/** @param {string} aim @param {string} unit @param {number} reached @param {number} bound @param {string} note @returns {Figure} */
export const atMost = (aim, unit, reached, bound, note = '') => ({ aim, unit, reached, bound, isCeiling: true, note });

const MEGA = 1e6;
/** @param {number[]} rates */
export const millions = (rates) => median(rates) / MEGA;
/** @param {number[]} rates @param {number[]} others */
export const share = (rates, others) => 100 * median(rates.map((rate, round) => rate / others[round]));
/** @param {number} rate */
export const asMillions = (rate) => `${rate.toFixed(2)} M/s`;
/** @param {number} rate */
export const asRate = (rate) => `${Math.round(rate).toLocaleString('en')}/s`;
