/** What rows that write begin each sample with: a store of a fixed size that was filled just now, so that no figure depends on how often it was taken; and what a commit of it hands to the device. */
import fs from 'node:fs';
import { freshKeys, VALUE_SIZE } from '../../harness/data.mjs';
import { mustBe } from '../../harness/measure.mjs';
import { median } from '../../harness/statistics.mjs';
import { discard, fill, flushCount, openNew } from '../../subjects/varve.mjs';
import { deletesAwaited, putsAwaited } from './loops.mjs';

/** @typedef {import('../../harness/context.mjs').Context} Context */
/** @typedef {import('./loops.mjs').Mode} Mode */

/**
 * The bytes that one awaited put of this size, or one delete, hands to the device.
 * @param {Context} context
 * @param {number} valueSize
 * @param {boolean} isDelete
 */
export async function commitSize(context, valueSize = VALUE_SIZE, isDelete = false) {
  const keys = freshKeys(31);
  return sizeOfCommits(context, isDelete ? keys : [], keys.length, (store) => (isDelete ? deletesAwaited(store, keys) : putsAwaited(store, keys, new Uint8Array(valueSize))));
}

/**
 * The bytes that a commit hands to the device: what most of its writes took.
 * @param {Context} context
 * @param {string[]} filled the keys that the store begins with
 * @param {number} count how many commits `run` makes, awaiting each before the next
 * @param {(store: any) => Promise<unknown>} run
 */
export async function sizeOfCommits(context, filled, count, run) {
  const store = await openNew(context, 'buffered');
  fill(store, filled);
  await store.flush();
  const original = fs.writeSync;
  /** @type {number[]} */
  const sizes = [];
  // The store takes its functions from the same module object.
  Object.assign(fs, { writeSync: (/** @type {Parameters<typeof original>} */ ...parameters) => {
    const size = original(...parameters);
    sizes.push(size);
    return size;
  } });
  try {
    await run(store);
  } finally {
    Object.assign(fs, { writeSync: original });
  }
  await discard(store);
  mustBe('commits that were seen on their way to the device', sizes.length >= count, true);
  return median(sizes);
}

/** The work of one row that begins each sample with a newly filled store. */
export class FreshStore {
  /** @type {any} */
  store;
  version = 0;
  flushes = 0;

  /** @param {Context} context @param {Mode} mode @param {string[]} keys @param {number} valueSize */
  constructor(context, mode, keys, valueSize = VALUE_SIZE) {
    this.context = context;
    this.mode = mode;
    this.keys = keys;
    this.valueSize = valueSize;
  }

  async renew() {
    this.store = await openNew(this.context, this.mode);
    fill(this.store, this.keys, this.valueSize);
    await this.store.flush();
    this.version = this.store.stats().version;
    this.flushes = flushCount(this.store);
  }

  async discard() {
    await discard(this.store);
  }
}
