/** The aims of pauses: the slowest of a million writes. */
import fs from 'node:fs';
import { createKeys, valueFor } from '../../harness/data.mjs';
import { atMost } from '../../harness/figures.mjs';
import { collectGarbage } from '../../harness/garbage.mjs';
import { mustBe } from '../../harness/measure.mjs';
import { median } from '../../harness/statistics.mjs';
import { discard, openNew } from '../../subjects/varve.mjs';

/** @typedef {import('../../harness/context.mjs').Context} Context */

const PAUSE_MAX = 3;

/** Times every put on its own. @param {any} store @param {string[]} keys @param {Uint8Array} value */
function timeEach(store, keys, value) {
  const times = new Float64Array(keys.length);
  let before = performance.now();
  for (let index = 0; index < keys.length; index++) {
    store.putSync(keys[index], value);
    const now = performance.now();
    times[index] = now - before;
    before = now;
  }
  mustBe('the keys', store.stats().keys, keys.length);
  return times;
}

/** Notes the slowest of the calls that a store makes to the file system, until `restore`. */
function watchDevice() {
  const names = /** @type {const} */ (['writeSync', 'fdatasyncSync', 'ftruncateSync']);
  const originals = names.map((name) => fs[name]);
  let slowest = 0;
  let slowestName = 'none';
  names.forEach((name, index) => {
    const original = /** @type {(...parameters: any[]) => any} */ (originals[index]);
    // The store takes its functions from the same module object.
    fs[name] = (/** @type {any[]} */ ...parameters) => {
      const began = performance.now();
      const result = original(...parameters);
      const elapsed = performance.now() - began;
      if (elapsed > slowest) {
        slowest = elapsed;
        slowestName = name;
      }
      return result;
    };
  });
  return {
    slowest: () => {
      mustBe('that calls to the device were seen', slowest > 0, true);
      return { milliseconds: slowest, name: slowestName };
    },
    restore: () => names.forEach((name, index) => { Object.assign(fs, { [name]: originals[index] }); }),
  };
}

/** @param {Context} context */
export async function pauses(context) {
  const keys = createKeys(context.keys(1_000_000));
  const value = valueFor(1);
  const rounds = context.smoke ? 1 : 5;
  const slowest = [];
  const idle = [];
  /** @type {number[][]} */
  const maxima = [];
  for (let round = 0; round < rounds; round++) {
    const store = await openNew(context, 'memory');
    collectGarbage();
    const began = performance.now();
    const found = chunkMaxima(timeEach(store, keys, value));
    idle.push(slowestIdle(performance.now() - began));
    maxima.push(found);
    slowest.push(Math.max(...found));
    await discard(store);
  }
  const recurring = Math.max(...maxima[0].map((_, chunk) => Math.min(...maxima.map((found) => found[chunk]))));
  const inFile = [];
  for (let round = 0; round < rounds; round++) {
    const watch = watchDevice();
    try {
      const store = await openNew(context, 'buffered');
      collectGarbage();
      const times = timeEach(store, keys, value);
      const device = watch.slowest();
      inFile.push({ put: Math.max(...chunkMaxima(times)), device, stalls: store.stats().file?.slotStalls ?? 0 });
      await discard(store);
    } finally {
      watch.restore();
    }
  }
  inFile.sort((left, right) => left.put - left.device.milliseconds - (right.put - right.device.milliseconds));
  const middle = inFile[inFile.length >> 1];
  return [
    atMost(`slowest putSync of ${keys.length.toLocaleString('en')} new keys in :memory:`, 'ms', median(slowest), PAUSE_MAX, `runs: ${slowest.map((time) => time.toFixed(2)).join(', ')} ms; a loop that only reads the clock, as long: ${idle.map((time) => time.toFixed(2)).join(', ')} ms; what every run has in the same thousand keys: ${recurring.toFixed(2)} ms`),
    atMost(`slowest putSync of ${keys.length.toLocaleString('en')} new keys in a file, beyond the slowest device call`, 'ms', Math.max(0, middle.put - middle.device.milliseconds), PAUSE_MAX,
      `put ${middle.put.toFixed(2)} ms, ${middle.device.name} ${middle.device.milliseconds.toFixed(2)} ms; ${middle.stalls} writes prepared a slot themselves`),
  ];
}

/** How long the machine keeps a loop from running that does nothing but look at the clock: what no store can be blamed for. @param {number} duration in milliseconds */
function slowestIdle(duration) {
  let slowest = 0;
  let before = performance.now();
  const end = before + duration;
  while (before < end) {
    const now = performance.now();
    slowest = Math.max(slowest, now - before);
    before = now;
  }
  return slowest;
}

/** The maximum of every thousand: few enough to spread. @param {Float64Array} times */
function chunkMaxima(times) {
  const maxima = [];
  for (let start = 0; start < times.length; start += 1000) maxima.push(times.subarray(start, start + 1000).reduce((most, time) => Math.max(most, time), 0));
  return maxima;
}
