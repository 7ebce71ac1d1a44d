/**
 * The rows on keys and values: kv_get, kv_put, put_bytes and memory_overhead. Stores have a fixed size: a row that writes begins every sample with a newly filled
 * store, so that no figure depends on how often it was taken.
 */
import fs from 'node:fs';
import { createKeys, createRandom, firstByteFor, freshKeys, keyFor, uniformOrder, valueFor, KEY_SIZE, VALUE_SIZE } from '../harness/data.mjs';
import { collectGarbage } from '../harness/garbage.mjs';
import { mustBe } from '../harness/measure.mjs';
import { median } from '../harness/statistics.mjs';
import { createFloor } from '../subjects/floors.mjs';
import { filledMap, readMap } from '../subjects/map.mjs';
import { checkDurable, checkPut, discard, fill, flushCount, openNew } from '../subjects/varve.mjs';

/** @typedef {import('../harness/context.mjs').Context} Context */
/** @typedef {import('../harness/measure.mjs').Row} Row */
/** @typedef {import('../harness/measure.mjs').Work} Work */

const LOOKUPS = 50_000;
const MISSING = 256;
const SCALES = { '1K': 1_000, '10K': 10_000, '100K': 100_000, '1M': 1_000_000 };
const MICROSECOND = 1_000_000;
/** A sample of strict writes takes as long as the disk likes: fewer of them keep the whole run within minutes. */
export const STRICT_ROUNDS_MAX = 7;
const RESIDENT_KEYS_MIN = 100_000;

/**
 * Looks keys up and folds one byte of each value.
 * @param {any} store
 * @param {string[]} keys
 * @param {Uint32Array} order
 */
export function readStore(store, keys, order) {
  let sum = 0;
  for (let index = 0; index < order.length; index++) sum += store.get(keys[order[index]])?.[0] ?? MISSING;
  return sum;
}

/**
 * What one byte of each value adds up to.
 * @param {Uint32Array} order
 */
export function sumOf(order) {
  let sum = 0;
  for (const number of order) sum += firstByteFor(number);
  return sum;
}

/**
 * Puts one after the other; the versions are the result.
 * @param {any} store
 * @param {string[]} keys
 * @param {Uint8Array} value
 */
export function putsSync(store, keys, value) {
  let sum = 0;
  for (let index = 0; index < keys.length; index++) sum += store.putSync(keys[index], value);
  return sum;
}

/**
 * As `putsSync`, each awaited before the next.
 * @param {any} store
 * @param {string[]} keys
 * @param {Uint8Array} value
 */
export async function putsAwaited(store, keys, value) {
  let sum = 0;
  for (let index = 0; index < keys.length; index++) sum += await store.put(keys[index], value);
  return sum;
}

/** What `count` commits after `version` add up to. @param {number} version @param {number} count */
export function sumOfVersions(version, count) {
  return count * version + (count * (count + 1)) / 2;
}

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

/** A store in memory with its keys, and the `Map` of the same. @param {Context} context @param {number} wanted */
async function openFilled(context, wanted) {
  const keys = createKeys(context.keys(wanted));
  const store = await openNew(context, 'memory');
  fill(store, keys);
  return { keys, store, map: filledMap(keys) };
}

/**
 * A row of lookups beside the same of a `Map`.
 * @param {string} name
 * @param {Awaited<ReturnType<typeof openFilled>>} filled
 * @param {string[]} asked
 * @param {Uint32Array} order
 * @param {number} expected
 * @param {NonNullable<Row['threshold']>} threshold
 * @returns {Row}
 */
function lookupRow(name, { keys, store, map }, asked, order, expected, threshold) {
  const after = (/** @type {number} */ computed) => mustBe(name, computed, expected);
  return {
    name, what: 'get', keys: keys.length, valueSize: VALUE_SIZE, durability: 'memory', threshold,
    work: { operations: order.length, run: () => readStore(store, asked, order), after },
    beside: { Map: { operations: order.length, run: () => readMap(map, asked, order), after } },
  };
}

/** @param {Context} context */
async function getRows(context) {
  const filled = await openFilled(context, 10_000);
  const { keys, store } = filled;
  const random = createRandom(context.seed);
  const count = context.operations(LOOKUPS);
  const at = (/** @type {number} */ share) => new Uint32Array(count).fill(Math.floor(share * keys.length));
  const found = (/** @type {string} */ name, /** @type {Uint32Array} */ order, /** @type {number} */ ok, /** @type {number} */ stretch) =>
    lookupRow(name, filled, keys, order, sumOf(order), { ok, stretch });
  const rows = [
    found('kv_get/existing_key', at(0.5), 10_000, 50_000),
    lookupRow('kv_get/nonexistent_key', filled, [keyFor('none:', 0)], new Uint32Array(count), count * MISSING, { ok: 10_000, stretch: 50_000 }),
    found('kv_get/position/early', at(0.01), 10_000, 50_000),
    found('kv_get/position/middle', at(0.5), 10_000, 50_000),
    found('kv_get/position/late', at(0.99), 10_000, 50_000),
    found('kv_get/uniform', uniformOrder(count, keys.length, random), 50_000, 200_000),
    found('kv_get/working_set_100', uniformOrder(count, Math.min(100, keys.length), random), 100_000, 500_000),
  ];
  return { rows, dispose: () => discard(store) };
}

/** Lookups over all keys of a store of one size. @param {'10K' | '100K' | '1M'} scale @param {number} ok @param {number} stretch microseconds */
function scalingJob(scale, ok, stretch) {
  return async (/** @type {Context} */ context) => {
    const filled = await openFilled(context, SCALES[scale]);
    const order = uniformOrder(context.operations(LOOKUPS), filled.keys.length, createRandom(context.seed));
    const threshold = { ok: MICROSECOND / ok, stretch: MICROSECOND / stretch };
    return { rows: [lookupRow(`kv_get/key_scaling/${scale}`, filled, filled.keys, order, sumOf(order), threshold)], dispose: () => discard(filled.store) };
  };
}

/** Bytes of memory that the process has, when all garbage is collected. */
function residentSize() {
  // The memory of a store that was closed goes back with the second collection.
  for (let count = 0; count < 3; count++) collectGarbage();
  return process.memoryUsage.rss();
}

/** @param {keyof typeof SCALES} scale */
function overheadJob(scale) {
  return async (/** @type {Context} */ context) => {
    // Before anything is weighed, the code that fills is compiled, and what that left behind is collected.
    const practice = await openFilled(context, SCALES['1K']);
    await discard(practice.store);
    const keys = createKeys(context.keys(SCALES[scale]));
    const bare = residentSize();
    const store = await openNew(context, 'memory');
    fill(store, keys);
    const withStore = residentSize();
    const map = filledMap(keys);
    const withMap = residentSize();
    const filled = { keys, store, map };
    const order = new Uint32Array(context.operations(LOOKUPS)).fill(keys.length >> 1);
    const row = lookupRow(`memory_overhead/get_at_scale/${scale}`, filled, keys, order, sumOf(order), {});
    const memory = store.stats().memory.bytes / keys.length;
    row.figures = { 'memory bytes a key': memory, 'beyond key and value': memory - KEY_SIZE - VALUE_SIZE };
    // What a process has resident moves by a megabyte for no reason: of a small store it says nothing.
    if (keys.length >= RESIDENT_KEYS_MIN) Object.assign(row.figures, { 'resident bytes a key': (withStore - bare) / keys.length, 'resident bytes a key of Map, which shares the key strings': (withMap - withStore) / keys.length });
    return { rows: [row], dispose: () => discard(store) };
  };
}

/** How a put is called, and how many times a sample, under each durability. */
const PUTS = {
  memory: { what: 'putSync', operations: 20_000, puts: putsSync },
  buffered: { what: 'await put', operations: 10_000, puts: putsAwaited },
  strict: { what: 'await put', operations: 200, puts: putsAwaited },
};

/** @typedef {keyof typeof PUTS} Mode */

/** What a durable row is compared with. @param {Context} context @param {Mode} mode @param {number} size @param {number} operations */
export function floorBeside(context, mode, size, operations) {
  const floor = createFloor(context, size, operations);
  const { before, after } = floor;
  /** @type {Record<string, Work>} */
  const beside = mode === 'strict'
    ? { 'write + fdatasync': { operations, run: floor.writeAndFlush, before, after }, 'write + asynchronous fdatasync': { operations, run: floor.writeAndFlushBeside, before, after } }
    : { 'write': { operations, run: floor.write, before, after }, 'write + await': { operations, run: floor.writeAndAwait, before, after } };
  return { beside, close: floor.close };
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

/** @param {Mode} mode */
function putJob(mode) {
  return async (/** @type {Context} */ context) => {
    const operations = context.operations(PUTS[mode].operations);
    const value = valueFor(1);
    /** @type {(() => unknown)[]} */
    const disposals = [];
    const puts = mode === 'memory' ? undefined : floorBeside(context, mode, await commitSize(context), operations);
    const deletes = mode === 'memory' ? undefined : floorBeside(context, mode, await commitSize(context, 0, true), operations);
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

/** @param {(() => unknown)[]} disposals */
export async function disposeAll(disposals) {
  for (const dispose of disposals) await dispose();
}

/** @param {any} store @param {string[]} keys */
function deletesSync(store, keys) {
  let sum = 0;
  for (let index = 0; index < keys.length; index++) sum += store.deleteSync(keys[index]);
  return sum;
}

/** @param {any} store @param {string[]} keys */
async function deletesAwaited(store, keys) {
  let sum = 0;
  for (let index = 0; index < keys.length; index++) sum += await store.delete(keys[index]);
  return sum;
}

/** A `Map` that keeps a copy of its own, as a store does. @param {Map<string, Uint8Array>} map @param {string[]} keys @param {Uint8Array} value */
function mapPuts(map, keys, value) {
  for (let index = 0; index < keys.length; index++) map.set(keys[index], value.slice());
  return keys.length;
}

/** @param {Map<string, Uint8Array>} map @param {string[]} keys */
function mapDeletes(map, keys) {
  let count = 0;
  for (let index = 0; index < keys.length; index++) if (map.delete(keys[index])) count++;
  return count;
}

const SIZES = [64, 256, 1024, 4096, 16384, 65536];
const SAMPLE_SIZE = 16 << 20;

/** @param {'memory' | 'buffered'} mode */
function putBytesJob(mode) {
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
      const floor = mode === 'memory' ? undefined : floorBeside(context, mode, await commitSize(context, size), operations);
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

/** Each job runs in a process of its own. @type {Record<string, (context: Context) => Promise<{ rows: Row[], dispose: () => unknown }>>} */
export const jobs = {
  'kv_get': getRows,
  'kv_get/key_scaling/10K': scalingJob('10K', 1, 0.5),
  'kv_get/key_scaling/100K': scalingJob('100K', 2, 1),
  'kv_get/key_scaling/1M': scalingJob('1M', 5, 2),
  'kv_put/memory': putJob('memory'),
  'kv_put/buffered': putJob('buffered'),
  'kv_put/strict': putJob('strict'),
  'put_bytes/memory': putBytesJob('memory'),
  'put_bytes/buffered': putBytesJob('buffered'),
  'memory_overhead/1K': overheadJob('1K'),
  'memory_overhead/10K': overheadJob('10K'),
  'memory_overhead/100K': overheadJob('100K'),
  'memory_overhead/1M': overheadJob('1M'),
};
