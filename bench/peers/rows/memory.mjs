/** What 1,000,000 keys of 16 and values of 100 bytes take in memory when everything is resident: what the process has more than before, a key, beyond key and value. The keys' strings were there before. */
import { createKeys, KEY_SIZE, VALUE_SIZE } from '../../harness/data.mjs';
import { collectGarbage } from '../../harness/garbage.mjs';
import { mustBe } from '../../harness/measure.mjs';
import { fill, openNew } from './store.mjs';

/** What the process has, when all garbage is collected; what was closed goes back with the second collection. */
function residentSize() {
  for (let count = 0; count < 3; count++) collectGarbage();
  return process.memoryUsage.rss();
}

/** @param {import('./store.mjs').Context} context @param {import('./store.mjs').Subject} subject @returns {Promise<import('../../contest/contestant.mjs').Prepared>} */
export async function memory(context, subject) {
  if (!subject.durabilities.includes('memory')) return { works: {}, dispose: () => undefined };
  // The code that fills is compiled, and what that leaves behind collected, before anything is weighed.
  const practice = await openNew(context, subject, 'memory');
  await fill(practice.handle, createKeys(Math.min(10_000, context.keys(1_000_000))));
  await practice.discard();
  const keys = createKeys(context.keys(1_000_000));
  const bare = residentSize();
  const { handle, discard } = await openNew(context, subject, 'memory');
  await fill(handle, keys);
  // The first scan makes the order where there is none yet.
  const isOrdered = handle.fold !== undefined;
  if (isOrdered) await handle.fold?.(keys[0], 1);
  const resident = (residentSize() - bare) / keys.length - KEY_SIZE - VALUE_SIZE;
  const own = handle.memoryBytes?.();
  mustBe('the size of the last value', handle.get(keys[keys.length - 1])?.length, VALUE_SIZE);
  const figures = { keys: keys.length, isOrdered, resident, ...(own === undefined ? {} : { own: own / keys.length - KEY_SIZE - VALUE_SIZE }) };
  return { works: {}, figures: () => ({ memory: figures }), dispose: discard };
}
