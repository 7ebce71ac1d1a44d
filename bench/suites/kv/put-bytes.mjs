/** The rows put_bytes: new keys with values of 64 bytes to 64 KiB. */
import { floorBeside } from '../../floors/beside.mjs';
import { createKeys, freshKeys, valueFor } from '../../harness/data.mjs';
import { mustBe } from '../../harness/measure.mjs';
import { filledMap } from '../../subjects/map.mjs';
import { checkDurable, checkPut } from '../../subjects/varve.mjs';
import { disposeAll } from './ends.mjs';
import { FreshStore, putCommits } from './fresh-store.mjs';
import { mapPuts, PUTS, sumOfVersions } from './loops.mjs';

/** @typedef {import('../../harness/context.mjs').Context} Context */
/** @typedef {import('../../harness/measure.mjs').Row} Row */

const SIZES = [64, 256, 1024, 4096, 16384, 65536];
const SAMPLE_SIZE = 16 << 20;

/** @param {'memory' | 'buffered'} mode */
export function putBytesJob(mode) {
  return async (/** @type {Context} */ context) => {
    /** @type {(() => unknown)[]} */
    const disposals = [];
    const keys = createKeys(context.keys(1_000));
    /** @type {Row[]} */
    const rows = [];
    for (const size of SIZES) {
      const operations = context.operations(Math.min(10_000, SAMPLE_SIZE / size));
      const value = valueFor(1, size);
      const fresh = new FreshStore(context, mode, keys);
      const floor = mode === 'memory' ? undefined : await floorBeside(context, mode, operations, putCommits(size));
      if (floor !== undefined) disposals.push(floor.close);
      /** @type {string[]} */
      let asked = [];
      /** @type {Map<string, Uint8Array>} */
      let map = new Map();
      rows.push({
        name: `put_bytes/${size}`, what: PUTS[mode].what, keys: keys.length, valueSize: size, durability: mode,
        work: {
          operations,
          before: async () => {
            asked = freshKeys(operations);
            await fresh.renew();
          },
          run: () => PUTS[mode].puts(fresh.store, asked, value),
          after: async (computed) => {
            mustBe(`put_bytes/${size}`, computed, sumOfVersions(fresh.version, operations));
            checkDurable(fresh.store, mode, fresh.flushes, 0);
            checkPut(fresh.store, asked, value);
            await fresh.discard();
          },
        },
        beside: floor?.beside ?? {
          Map: {
            operations,
            before: () => {
              asked = freshKeys(operations);
              map = filledMap(keys);
            },
            run: () => mapPuts(map, asked, value),
            after: (computed) => {
              mustBe('Map', computed, operations);
              mustBe('keys of Map', map.size, keys.length + operations);
            },
          },
        },
      });
    }
    return { rows, dispose: () => disposeAll(disposals) };
  };
}
