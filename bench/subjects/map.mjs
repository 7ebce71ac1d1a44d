/** The plain `Map` beside the store: what a lookup costs that promises nothing. */
import { valueFor, VALUE_SIZE } from '../harness/data.mjs';

/**
 * @param {string[]} keys
 * @param {number} valueSize
 */
export function filledMap(keys, valueSize = VALUE_SIZE) {
  return new Map(keys.map((key, index) => [key, valueFor(index, valueSize)]));
}

/**
 * Looks keys up and folds one byte of each value.
 * @param {Map<string, Uint8Array>} map
 * @param {string[]} keys
 * @param {Uint32Array} order
 */
export function readMap(map, keys, order) {
  let sum = 0;
  for (let index = 0; index < order.length; index++) sum += map.get(keys[order[index]])?.[0] ?? 256;
  return sum;
}
