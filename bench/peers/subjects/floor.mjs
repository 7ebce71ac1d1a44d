/** Not a store: what the operating system alone takes for the bytes that one commit of the store hands to it. */
import { VALUE_SIZE } from '../../harness/data.mjs';
import { sizeOfCommits } from '../../floors/commit-size.mjs';
import { createFloor } from '../../floors/disk.mjs';
import { putCommits } from '../../suites/kv/fresh-store.mjs';

/** @typedef {import('../../harness/context.mjs').Context} Context */
/** @typedef {import('../../contest/contestant.mjs').Prepared} Prepared */

/** @param {string} name @param {string} what @param {number} wanted @param {'writeAndFlush' | 'writeAndAwait'} call @param {string} durability */
function floorOf(name, what, wanted, call, durability) {
  return async (/** @type {Context} */ context) => {
    const operations = context.operations(wanted);
    const size = await sizeOfCommits(context, putCommits());
    const floor = createFloor(context, size, operations);
    return {
      works: { [name]: { operations, run: floor[call], before: floor.before, after: floor.after } },
      labels: { [name]: { what: `${what} of ${size} bytes`, keys: 0, valueSize: VALUE_SIZE, durability } },
      dispose: floor.close,
    };
  };
}

/** The floor of a row, by the group that the row is in. @type {Record<string, (context: Context) => Promise<Prepared>>} */
export const FLOORS = {
  durable: floorOf('durable/one', 'a write and a blocking fdatasync', 300, 'writeAndFlush', 'strict'),
  additions: floorOf('put/new', 'a write, and a turn of the microtask queue,', 20_000, 'writeAndAwait', 'buffered'),
};
