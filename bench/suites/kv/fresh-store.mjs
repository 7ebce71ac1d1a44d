/** What rows that write begin each sample with: a store of a fixed size that was filled just now, so that no figure depends on how often it was taken; and commits like theirs. */
import { freshKeys, VALUE_SIZE } from '../../harness/data.mjs';
import { discard, fill, flushCount, openNew } from '../../subjects/varve.mjs';
import { deletesAwaited, putsAwaited } from './loops.mjs';

/** @typedef {import('../../harness/context.mjs').Context} Context */
/** @typedef {import('./loops.mjs').Mode} Mode */

/**
 * Commits that are one of what a row times, for what each of them hands to the device.
 * @typedef {object} Commits
 * @property {string[]} filled the keys that the store begins with
 * @property {number} count how many commits `run` makes, awaiting each before the next
 * @property {(store: any) => Promise<unknown>} run
 */

const COMMITS = 31;

/** Puts of one size. @param {number} valueSize @returns {Commits} */
export function putCommits(valueSize = VALUE_SIZE) {
  const keys = freshKeys(COMMITS);
  return { filled: [], count: keys.length, run: (store) => putsAwaited(store, keys, new Uint8Array(valueSize)) };
}

/** Deletes. @returns {Commits} */
export function deleteCommits() {
  const keys = freshKeys(COMMITS);
  return { filled: keys, count: keys.length, run: (store) => deletesAwaited(store, keys) };
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
