/** Opening, filling and checking any subject, none of which is timed. */
import fs from 'node:fs';
import { copyFlushed } from '../../harness/copy.mjs';
import { valueFor, VALUE_SIZE } from '../../harness/data.mjs';
import { mustBe } from '../../harness/measure.mjs';

/** @typedef {import('../../harness/context.mjs').Context} Context */
/** @typedef {import('../subjects/subject.mjs').Subject} Subject */
/** @typedef {import('../subjects/subject.mjs').Handle} Handle */

const BATCH_COUNT = 1000;

/**
 * Puts a value for each key, in batches where there are such.
 * @param {Handle} handle @param {string[]} keys @param {(number: number) => Uint8Array} valueOf
 */
export async function fill(handle, keys, valueOf = (number) => valueFor(number)) {
  for (let start = 0; start < keys.length; start += BATCH_COUNT) {
    const some = keys.slice(start, start + BATCH_COUNT);
    const values = some.map((_, index) => Buffer.from(valueOf(start + index)));
    if (handle.batch !== undefined) await handle.batch(some, values);
    else for (let index = 0; index < some.length; index++) await handle.put(some[index], values[index]);
  }
  await handle.flush?.();
}

/**
 * An open store of a subject, and where it is.
 * @param {Context} context @param {Subject} subject @param {string} durability @param {import('../subjects/subject.mjs').Options} [options]
 */
export async function openNew(context, subject, durability, options) {
  const path = context.path();
  const handle = await subject.open(path, durability, options);
  return {
    path,
    handle,
    async discard() {
      await handle.close();
      remove(path);
    },
  };
}

/** Removes a store and what lies beside it. @param {string} path */
export function remove(path) {
  for (const suffix of ['', '-wal', '-shm', '-lock', '.lock']) fs.rmSync(path + suffix, { recursive: true, force: true });
}

/** Copies a store, with what lies beside it. @param {string} from @param {string} to */
export function copyStore(from, to) {
  for (const suffix of ['', '-wal']) if (fs.existsSync(from + suffix)) copyFlushed(from + suffix, to + suffix);
}

/** Checks that the keys have the bytes that were put. @param {Handle} handle @param {string[]} keys @param {(index: number) => Uint8Array} valueOf */
export function checkValues(handle, keys, valueOf) {
  for (let index = 0; index < keys.length; index++) {
    const found = handle.get(keys[index]);
    if (found === undefined) throw new Error(`${keys[index]} is lost`);
    mustBe(`the value of ${keys[index]}`, Buffer.compare(found, valueOf(index)), 0);
  }
}

export const VALUE = Buffer.from(valueFor(1, VALUE_SIZE));
