/** Opening, filling and checking any subject, none of which is timed. */
import { valueFor, VALUE_SIZE } from '../../harness/data.mjs';
import { mustBe } from '../../harness/measure.mjs';
import { newName } from '../subjects/subject.mjs';

/** @typedef {import('../subjects/subject.mjs').Subject} Subject */
/** @typedef {import('../subjects/subject.mjs').Handle} Handle */

const BATCH_COUNT = 1000;

export const VALUE = valueFor(1, VALUE_SIZE);

/** Puts a value for each key, in batches. @param {Handle} handle @param {string[]} keys */
export async function fill(handle, keys) {
  for (let start = 0; start < keys.length; start += BATCH_COUNT) {
    const some = keys.slice(start, start + BATCH_COUNT);
    await /** @type {NonNullable<Handle['batch']>} */ (handle.batch)(some, some.map((_, index) => valueFor(start + index)));
  }
  await handle.flush?.();
}

/** A store of a subject that holds the keys, and what takes it away again. @param {Subject} subject @param {string} durability @param {string[]} keys */
export async function openFilled(subject, durability, keys) {
  const name = newName();
  const handle = await subject.open(name, durability);
  await fill(handle, keys);
  return {
    name,
    handle,
    async discard() {
      await handle.close();
      await subject.remove(name);
    },
  };
}

/** Checks that each key has a value. @param {Handle} handle @param {string[]} keys @param {Uint8Array} expected */
export async function checkValues(handle, keys, expected) {
  for (const key of keys) {
    const found = await handle.get(key);
    if (found === undefined) throw new Error(`${key} is lost`);
    mustBe(`the size of the value of ${key}`, found.length, expected.length);
    for (let index = 0; index < expected.length; index++) if (found[index] !== expected[index]) mustBe(`byte ${index} of the value of ${key}`, found[index], expected[index]);
  }
}

/** Collects works and what is said of them. @param {string} durability @param {number} keys */
export function createSheet(durability, keys) {
  /** @type {import('../../contest/commands.mjs').Prepared['works']} */
  const works = {};
  /** @type {NonNullable<import('../../contest/commands.mjs').Prepared['labels']>} */
  const labels = {};
  return {
    works,
    labels,
    /** @param {string} name @param {string} what @param {import('../../harness/measure.mjs').Work} work */
    add(name, what, work) {
      works[name] = work;
      labels[name] = { what, keys, valueSize: VALUE_SIZE, durability };
    },
  };
}
