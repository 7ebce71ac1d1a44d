/** The rows kv_put: writes and deletes, under each durability. */
import { floorBeside } from '../../floors/beside.mjs';
import { createKeys, createRandom, freshKeys, keyFor, VALUE_SIZE, valueFor } from '../../harness/data.mjs';
import { mustBe } from '../../harness/measure.mjs';
import { filledMap } from '../../subjects/map.mjs';
import { checkDurable, checkPut } from '../../subjects/varve.mjs';
import { disposeAll, STRICT_ROUNDS_MAX } from './ends.mjs';
import { deleteCommits, FreshStore, putCommits } from './fresh-store.mjs';
import { deletesAwaited, deletesSync, mapDeletes, mapPuts, PUTS, sumOfVersions } from './loops.mjs';

/** @typedef {import('../../harness/context.mjs').Context} Context */
/** @typedef {import('../../harness/measure.mjs').Row} Row */
/** @typedef {import('./loops.mjs').Mode} Mode */

/** @param {Mode} mode */
export function putJob(mode) {
  return async (/** @type {Context} */ context) => {
    const operations = context.operations(PUTS[mode].operations);
    const value = valueFor(1);
    /** @type {(() => unknown)[]} */
    const disposals = [];
    const puts = mode === 'memory' ? undefined : await floorBeside(context, mode, operations, putCommits());
    const deletes = mode === 'memory' ? undefined : await floorBeside(context, mode, operations, deleteCommits());
    for (const floor of [puts, deletes]) if (floor !== undefined) disposals.push(floor.close);
    const random = createRandom(context.seed);

    /** @type {Row[]} */
    const rows = [];
    const add = (/** @type {string} */ name, /** @type {string[]} */ keys, /** @type {() => string[]} */ targets, /** @type {number} */ stretch, isDelete = false, isMissing = false) => {
      const fresh = new FreshStore(context, mode, keys);
      /** @type {string[]} */
      let asked = [];
      /** @type {Map<string, Uint8Array>} */
      let map = new Map();
      const remove = mode === 'memory' ? deletesSync : deletesAwaited;
      /** @type {Row} */
      const row = {
        name: `kv_put/${name}`, what: isDelete ? PUTS[mode].what.replace('put', 'delete') : PUTS[mode].what,
        keys: keys.length, valueSize: VALUE_SIZE, durability: mode, threshold: { ok: 5_000, stretch },
        ...(mode === 'strict' ? { roundsMax: STRICT_ROUNDS_MAX } : {}),
        work: {
          operations,
          before: async () => {
            asked = targets();
            await fresh.renew();
          },
          run: () => (isDelete ? remove(fresh.store, asked) : PUTS[mode].puts(fresh.store, asked, value)),
          after: async (computed) => {
            mustBe(row.name, computed, isMissing ? 0 : sumOfVersions(fresh.version, operations));
            checkDurable(fresh.store, mode, fresh.flushes, isMissing ? 0 : operations);
            const added = new Set([...keys, ...asked]).size - keys.length;
            const counted = isMissing ? keys.length : isDelete ? keys.length - operations : keys.length + added;
            mustBe(`keys after ${row.name}`, fresh.store.stats().keys, counted);
            if (isDelete) for (const key of asked) mustBe(`a key after ${row.name}`, fresh.store.has(key), false);
            else checkPut(fresh.store, asked, value);
            await fresh.discard();
          },
        },
        beside: (isDelete ? deletes : puts)?.beside ?? {
          Map: {
            operations,
            before: () => {
              asked = targets();
              map = filledMap(keys);
            },
            run: () => (isDelete ? mapDeletes(map, asked) : mapPuts(map, asked, value)),
            after: (computed) => {
              mustBe(`Map ${row.name}`, computed, isMissing ? 0 : operations);
              for (const key of asked) mustBe(`Map ${row.name}, a value`, map.get(key)?.length, isDelete ? undefined : VALUE_SIZE);
            },
          },
        },
      };
      // What writes nothing has no floor.
      if (isMissing && mode !== 'memory') delete row.beside;
      rows.push(row);
    };

    const many = createKeys(context.keys(10_000));
    const thousand = createKeys(context.keys(1_000));
    const doomed = createKeys(Math.max(operations, context.keys(10_000)));
    add('unique_keys', many, () => freshKeys(operations), 10_000);
    add('overwrite_same_key', thousand, () => Array.from({ length: operations }, () => thousand[thousand.length >> 1]), 50_000);
    add('overwrite_uniform', thousand, () => Array.from({ length: operations }, () => thousand[random.below(thousand.length)]), 50_000);
    add('delete', doomed, () => doomed.slice(0, operations), 10_000, true);
    add('delete_nonexistent', many, () => Array.from({ length: operations }, () => keyFor('none:', 0)), 10_000, true, true);
    return { rows, dispose: () => disposeAll(disposals) };
  };
}
