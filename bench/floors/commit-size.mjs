/** What a commit hands to the device: as many bytes as its floor writes. */
import fs from 'node:fs';
import { mustBe } from '../harness/measure.mjs';
import { median } from '../harness/statistics.mjs';
import { discard, fill, openNew } from '../subjects/varve.mjs';

/**
 * The bytes that a commit hands to the device: what most of its writes took.
 * @param {import('../harness/context.mjs').Context} context
 * @param {import('../suites/kv/fresh-store.mjs').Commits} commits
 */
export async function sizeOfCommits(context, { filled, count, run }) {
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
