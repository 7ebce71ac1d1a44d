/** The aims of writes under each durability. */
import { createKeys, createRandom, freshKeys, valueFor } from '../../harness/data.mjs';
import { asMillions, asRate, atLeast, millions, share } from '../../harness/figures.mjs';
import { interleave, mustBe } from '../../harness/measure.mjs';
import { median } from '../../harness/statistics.mjs';
import { sizeOfCommits } from '../../floors/commit-size.mjs';
import { createFloor } from '../../floors/disk.mjs';
import { checkDurable, checkPut, discard, fill, flushCount, openNew } from '../../subjects/varve.mjs';
import { putCommits } from '../kv/fresh-store.mjs';
import { putsAwaited, putsSync, sumOfVersions } from '../kv/loops.mjs';

/** @typedef {import('../../harness/context.mjs').Context} Context */
/** @typedef {import('../../harness/measure.mjs').Work} Work */

/** Writes that begin each sample with a new store of the same keys. */
class Writes {
  /** @type {any} */
  store;
  /** @type {string[]} */
  asked = [];
  version = 0;
  flushes = 0;
  /** How many writes shared a flush in the last sample. */
  sharing = 0;

  /** @param {Context} context @param {string} durability @param {string[]} keys @param {object} options */
  constructor(context, durability, keys, options = {}) {
    this.context = context;
    this.durability = durability;
    this.keys = keys;
    this.options = options;
    this.random = createRandom(context.seed);
  }

  /**
   * @param {number} operations
   * @param {boolean} overwrites
   * @param {(store: any, asked: string[], value: Uint8Array) => number | Promise<number>} puts
   * @returns {Work}
   */
  work(operations, overwrites, puts) {
    const value = valueFor(1);
    return {
      operations,
      before: async () => {
        this.asked = overwrites ? Array.from({ length: operations }, () => this.keys[this.random.below(this.keys.length)]) : freshKeys(operations);
        this.store = await openNew(this.context, this.durability, this.options);
        fill(this.store, this.keys);
        await this.store.flush();
        this.version = this.store.stats().version;
        this.flushes = flushCount(this.store);
      },
      run: () => puts(this.store, this.asked, value),
      after: async (computed) => {
        mustBe('the versions', computed, sumOfVersions(this.version, operations));
        mustBe('the keys', this.store.stats().keys, this.keys.length + (overwrites ? 0 : operations));
        checkPut(this.store, this.asked, value);
        checkDurable(this.store, this.durability, this.flushes, puts === putsAwaited ? operations : Math.ceil(operations / TOGETHER));
        this.sharing = operations / Math.max(1, flushCount(this.store) - this.flushes);
        await discard(this.store);
      },
    };
  }
}

/** Every write of a loop, and the end of its turn, when the bytes reach the operating system. @param {any} store @param {string[]} keys @param {Uint8Array} value */
async function putsSyncOneTurn(store, keys, value) {
  const sum = putsSync(store, keys, value);
  await undefined;
  return sum;
}

const TOGETHER = 64;

/** @param {any} store @param {string[]} keys @param {Uint8Array} value */
async function putsTogether(store, keys, value) {
  let sum = 0;
  for (let start = 0; start < keys.length; start += TOGETHER) {
    const end = Math.min(keys.length, start + TOGETHER);
    /** @type {Promise<number>[]} */
    const promises = [];
    for (let index = start; index < end; index++) promises.push(store.put(keys[index], value));
    for (const version of await Promise.all(promises)) sum += version;
  }
  return sum;
}

/** Writers that each await their own. @param {any} store @param {string[]} keys @param {Uint8Array} value */
async function putsConcurrently(store, keys, value) {
  let sum = 0;
  const writer = async (/** @type {number} */ start) => {
    for (let index = start; index < keys.length; index += TOGETHER) {
      // Not `sum += await`: that would read the sum before others have added to it.
      const version = await store.put(keys[index], value);
      sum += version;
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, (_, start) => writer(start)));
  return sum;
}

/** @param {Context} context */
export async function bufferedWrites(context) {
  const keys = createKeys(context.keys(100_000));
  const writes = new Writes(context, 'buffered', keys);
  const many = context.operations(100_000);
  const size = await sizeOfCommits(context, putCommits());
  const floor = createFloor(context, size, many);
  const { before, after } = floor;
  const rates = await interleave({
    syncNew: writes.work(many, false, putsSyncOneTurn),
    syncOver: writes.work(many, true, putsSyncOneTurn),
    floor: { operations: many, run: floor.writeAndAwait, before, after },
    bareFloor: { operations: many, run: floor.write, before, after },
    awaitNew: writes.work(many, false, putsAwaited),
    awaitOver: writes.work(many, true, putsAwaited),
    together: writes.work(many, false, putsTogether),
  }, { ...context.options, rounds: Math.min(9, context.options.rounds), warmups: Math.min(2, context.options.warmups) });
  floor.close();
  const beside = `the loop that only writes ${size} bytes and awaits: ${asMillions(millions(rates.floor))}; without awaiting: ${asMillions(millions(rates.bareFloor))}`;
  return [
    atLeast('buffered putSync loop, new keys', 'M/s', millions(rates.syncNew), 2),
    atLeast('buffered putSync loop, overwrites', 'M/s', millions(rates.syncOver), 2),
    atLeast('buffered await put, new keys', 'M/s', millions(rates.awaitNew), 0.5),
    atLeast('buffered await put, new keys, of the write alone', '%', share(rates.awaitNew, rates.floor), 75, beside),
    atLeast('buffered await put, overwrites', 'M/s', millions(rates.awaitOver), 0.5),
    atLeast('buffered await put, overwrites, of the write alone', '%', share(rates.awaitOver, rates.floor), 75, beside),
    atLeast('buffered, 64 puts awaited together', 'M/s', millions(rates.together), 1.5),
  ];
}

/** @param {Context} context */
export async function memoryWrites(context) {
  const keys = createKeys(context.keys(100_000));
  const writes = new Writes(context, 'memory', keys);
  const many = context.operations(100_000);
  const rates = await interleave({ fresh: writes.work(many, false, putsSync), over: writes.work(many, true, putsSync) }, context.options);
  return [
    atLeast(':memory: putSync loop, new keys', 'M/s', millions(rates.fresh), 2.5),
    atLeast(':memory: putSync loop, overwrites', 'M/s', millions(rates.over), 2.5),
  ];
}

/** @param {Context} context */
export async function strictWrites(context) {
  const keys = createKeys(context.keys(1_000));
  const few = context.operations(500);
  const many = context.operations(TOGETHER * 200);
  const size = await sizeOfCommits(context, putCommits());
  const floor = createFloor(context, size, few);
  const { before, after } = floor;
  const concurrent = new Writes(context, 'strict', keys);
  const rates = await interleave({
    floor: { operations: few, run: floor.writeAndFlush, before, after },
    blocking: new Writes(context, 'strict', keys, { flush: 'sync' }).work(few, false, putsAwaited),
    free: new Writes(context, 'strict', keys).work(few, false, putsAwaited),
    floorBeside: { operations: few, run: floor.writeAndFlushBeside, before, after },
    concurrent: concurrent.work(many, false, putsConcurrently),
  }, context.options);
  floor.close();
  const beside = `${size} bytes written and flushed, blocking: ${asRate(median(rates.floor))}`;
  return [
    atLeast("strict await put, flush: 'sync', of the raw floor", '%', share(rates.blocking, rates.floor), 90, `${asRate(median(rates.blocking))}; ${beside}`),
    atLeast('strict await put, default flush, of the raw floor', '%', share(rates.free, rates.floor), 70,
      `${asRate(median(rates.free))}; an asynchronous fdatasync alone: ${asRate(median(rates.floorBeside))}`),
    atLeast('strict, 64 concurrent writers', 'K/s', median(rates.concurrent) / 1000, 200, `${concurrent.sharing.toFixed(0)} of them share a flush`),
  ];
}
