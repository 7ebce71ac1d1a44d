/**
 * The aims of the engine, measured as they are worded: each figure has a bound, and is met or not. Keys are strings of 16 characters, values `Uint8Array`s of 100
 * bytes, unless a figure says otherwise. Rates are medians over rounds; shares are medians of the rounds' own ratios.
 */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createCoreRecovery } from '../harness/core.mjs';
import { createKeys, createRandom, freshKeys, keyFor, uniformOrder, valueFor, KEY_SIZE, VALUE_SIZE } from '../harness/data.mjs';
import { asMillions, asRate, atLeast, atMost, millions, share } from '../harness/figures.mjs';
import { collectGarbage } from '../harness/garbage.mjs';
import { interleave, mustBe } from '../harness/measure.mjs';
import { median } from '../harness/statistics.mjs';
import { measureSize, SIZE_MAX } from '../size.mjs';
import { createFloor } from '../subjects/floors.mjs';
import { filledMap, readMap } from '../subjects/map.mjs';
import { checkAll, checkDurable, checkPut, discard, fill, flushCount, open, openNew } from '../subjects/varve.mjs';
import { commitSize, putsAwaited, putsSync, readStore, sumOf, sumOfVersions } from './kv.mjs';
import { copyFlushed } from './recovery.mjs';
import { scanAims } from './targets-scans.mjs';
import { transactionAims } from './targets-transactions.mjs';

/** @typedef {import('../harness/context.mjs').Context} Context */
/** @typedef {import('../harness/measure.mjs').Work} Work */
/** @typedef {import('../harness/figures.mjs').Figure} Figure */

// ── Reading ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** @param {Map<string, Uint8Array>} map @param {string[]} keys @param {Uint32Array} order */
function measureMapLengths(map, keys, order) {
  let sum = 0;
  for (let index = 0; index < order.length; index++) sum += map.get(keys[order[index]])?.length ?? 0;
  return sum;
}

/** @param {any} store @param {string[]} keys @param {Uint32Array} order */
function measureLengths(store, keys, order) {
  let sum = 0;
  for (let index = 0; index < order.length; index++) sum += store.get(keys[order[index]]).length;
  return sum;
}

/** @param {any} store @param {string[]} keys @param {Uint32Array} order @param {Uint8Array} target */
function readInto(store, keys, order, target) {
  let sum = 0;
  for (let index = 0; index < order.length; index++) {
    mustBeFull(store.getInto(keys[order[index]], target));
    sum += target[0];
  }
  return sum;
}

/** @param {number} size */
function mustBeFull(size) {
  if (size !== VALUE_SIZE) throw new Error(`getInto returned ${size}`);
}

/** @param {Context} context */
async function reads(context) {
  const keys = createKeys(context.keys(100_000));
  const store = await openNew(context, 'memory');
  fill(store, keys);
  const map = filledMap(keys);
  const operations = context.operations(100_000);
  const order = uniformOrder(operations, keys.length, createRandom(context.seed));
  const missing = keys.map((_, index) => keyFor('none:', index));
  const hot = new Uint32Array(operations).fill(keys.length >> 1);
  const target = new Uint8Array(VALUE_SIZE);
  const work = (/** @type {number} */ expected, /** @type {() => number} */ run) => ({ operations, run, after: (/** @type {number} */ computed) => mustBe('the fold', computed, expected) });
  const rates = await interleave({
    map: work(sumOf(order), () => readMap(map, keys, order)),
    get: work(sumOf(order), () => readStore(store, keys, order)),
    mapLength: work(operations * VALUE_SIZE, () => measureMapLengths(map, keys, order)),
    getLength: work(operations * VALUE_SIZE, () => measureLengths(store, keys, order)),
    getInto: work(sumOf(order), () => readInto(store, keys, order, target)),
    mapMiss: work(operations * 256, () => readMap(map, missing, order)),
    miss: work(operations * 256, () => readStore(store, missing, order)),
    hot: work(sumOf(hot), () => readStore(store, keys, hot)),
  }, context.options);
  await discard(store);
  return [
    atLeast(`get, uniform over ${keys.length.toLocaleString('en')} string keys, of Map.get`, '%', share(rates.get, rates.map), 60,
      `${asMillions(millions(rates.get))}, Map ${asMillions(millions(rates.map))}; one byte of each value is read. Only its length: ${share(rates.getLength, rates.mapLength).toFixed(0)} % of ${asMillions(millions(rates.mapLength))}`),
    atLeast('get of a hot key', 'M/s', millions(rates.hot), 8),
    atLeast('get of a missing key, of Map.get', '%', share(rates.miss, rates.mapMiss), 100, `${asMillions(millions(rates.miss))}, Map ${asMillions(millions(rates.mapMiss))}`),
    atLeast('getInto, uniform, of Map.get (no aim of its own: that of get)', '%', share(rates.getInto, rates.map), 60, asMillions(millions(rates.getInto))),
  ];
}

// ── Writing ────────────────────────────────────────────────────────────────────────────────────────────────────────

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
async function bufferedWrites(context) {
  const keys = createKeys(context.keys(100_000));
  const writes = new Writes(context, 'buffered', keys);
  const many = context.operations(100_000);
  const size = await commitSize(context);
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
  }, { rounds: Math.min(9, context.options.rounds), warmups: Math.min(2, context.options.warmups) });
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
async function memoryWrites(context) {
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
async function strictWrites(context) {
  const keys = createKeys(context.keys(1_000));
  const few = context.operations(500);
  const many = context.operations(TOGETHER * 200);
  const size = await commitSize(context);
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

// ── Recovery ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Loads a store in another process and kills that. @param {Context} context @param {number} count @param {'settled' | 'midway'} mode */
async function crashed(context, count, mode) {
  const path = context.path('crashed');
  const child = spawn(process.execPath, [fileURLToPath(new URL('../harness/loader.mjs', import.meta.url)), path, String(count), mode], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)));
  await Promise.race([new Promise((resolve) => child.stdout.once('data', resolve)), ended]);
  child.kill('SIGKILL');
  mustBe('how the loader ended', await ended, 'SIGKILL');
  return path;
}

/** Opens copies of a crashed store, each in a new process. @param {Context} context @param {string} image @param {number} count @param {number} rounds */
function reopenedAlone(context, image, count, rounds) {
  const milliseconds = [];
  let rewritten = 0;
  for (let round = 0; round < rounds; round++) {
    const path = context.path();
    copyFlushed(image, path);
    const result = spawnSync(process.execPath, [fileURLToPath(new URL('../harness/reopen.mjs', import.meta.url)), path, String(count)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
    mustBe('how the new process ended', result.status, 0);
    const found = JSON.parse(result.stdout);
    milliseconds.push(found.milliseconds);
    rewritten = found.recovery.rewritten;
    mustBe('records recovered', found.recovery.records, count);
    fs.rmSync(path, { force: true });
  }
  return { milliseconds: median(milliseconds), rewritten };
}

/** Opens copies of a crashed store in this process. @param {Context} context @param {string} image @param {string[]} keys @param {number} rounds */
async function reopenedHere(context, image, keys, rounds) {
  const milliseconds = [];
  for (let round = 0; round < rounds; round++) {
    const path = context.path();
    copyFlushed(image, path);
    collectGarbage();
    const began = performance.now();
    const store = await open(path, { durability: 'buffered' });
    const value = /** @type {Uint8Array} */ (store.get(keys[keys.length - 1]));
    milliseconds.push(performance.now() - began);
    mustBe('the size of the last value', value.length, VALUE_SIZE);
    checkAll(store, keys, (index) => ({ number: index, version: index + 1 }));
    await discard(store);
  }
  return median(milliseconds.slice(Math.min(1, rounds - 1)));
}

/** @param {Context} context */
async function recovery(context) {
  const count = context.keys(1_000_000);
  const keys = createKeys(count);
  const rounds = context.smoke ? 1 : 5;
  const settled = await crashed(context, count, 'settled');
  const alone = reopenedAlone(context, settled, count, rounds);
  const here = await reopenedHere(context, settled, keys, rounds);
  fs.rmSync(settled, { force: true });
  const midway = await crashed(context, count, 'midway');
  const torn = reopenedAlone(context, midway, count, context.smoke ? 1 : 3);
  fs.rmSync(midway, { force: true });
  const rate = (/** @type {number} */ milliseconds) => count / milliseconds / 1000;
  return [
    atLeast(`recovery of ${count.toLocaleString('en')} records after a SIGKILL, open to first get`, 'M/s', rate(alone.milliseconds), 5,
      `${alone.milliseconds.toFixed(0)} ms in a new process each time; ${here.toFixed(0)} ms (${asMillions(rate(here))}) in a process that has opened one before; ` +
      `killed with ${(torn.rewritten / 1e6).toFixed(1)} MB not yet flushed, which open writes anew: ${torn.milliseconds.toFixed(0)} ms`),
    await coreRecovery(context),
  ];
}

const SMALL_VALUE_SIZE = 8;

/** A copy with one bit of the bytes of a key turned, wherever it stands. @param {Uint8Array} bytes @param {string} key */
function changed(bytes, key) {
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(key);
  if (at < 0) throw new Error('the key to change is not in the file');
  const copy = bytes.slice();
  copy[at] ^= 1;
  return copy;
}

/** Whether recovery refuses the file as damaged, or leaves records out. Any other failure is one of the benchmark. @param {() => boolean} recoverAll */
function isRefused(recoverAll) {
  try {
    return !recoverAll();
  } catch (error) {
    if (/** @type {{ code?: string }} */ (error).code !== 'VARVE_CORRUPTION') throw error;
    return true;
  }
}

/** @param {Context} context */
async function coreRecovery(context) {
  const count = context.keys(50_000);
  const keys = createKeys(count);
  const store = await openNew(context, 'buffered');
  for (let index = 0; index < count; index++) store.putSync(keys[index], valueFor(index, SMALL_VALUE_SIZE));
  await store.flush();
  const bytes = new Uint8Array(fs.readFileSync(store.name));
  await discard(store);
  const { recover, check } = await createCoreRecovery();
  const expected = (/** @type {number} */ index) => valueFor(index, SMALL_VALUE_SIZE);
  // Only recovery itself counts here, not the reading back: this shows that what is timed does check the hashes.
  mustBe('recovery notices a bit that was turned', isRefused(() => recover(changed(bytes, keys[count >> 1])).records === count), true);
  const scans = [];
  const links = [];
  const totals = [];
  const whole = [];
  for (let round = 0; round < (context.smoke ? 2 : 60); round++) {
    collectGarbage();
    const recovered = recover(bytes);
    check(recovered, keys, expected);
    const { scan, link, all } = recovered;
    scans.push(scan);
    links.push(link);
    totals.push(scan + link);
    whole.push(all);
  }
  const skip = Math.min(15, totals.length - 1);
  const middle = (/** @type {number[]} */ times) => median(times.slice(skip));
  const nanoseconds = (/** @type {number} */ milliseconds) => `${((milliseconds * 1e6) / count).toFixed(1)} ns`;
  return atLeast(`${count.toLocaleString('en')} records of 16 + 8 bytes in the core: scan and link`, 'M/s', count / middle(totals) / 1000, 50,
    `a record: scan ${nanoseconds(middle(scans))}, link ${nanoseconds(middle(links))}; with reading superblocks and segments from memory ${asMillions(count / middle(whole) / 1000)}`);
}

// ── Space ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** @param {any} store @param {number} count @returns {Promise<{ memory: number, disk: number, diskOpen: number, idle: number }>} bytes a record beyond key and value */
async function spaceOf(store, count) {
  await store.flush();
  const stats = store.stats();
  mustBe('the keys', stats.keys, count);
  const diskOpen = fs.statSync(store.name).size;
  await store.close();
  const disk = fs.statSync(store.name).size;
  fs.rmSync(store.name, { force: true });
  const beyond = (/** @type {number} */ bytes) => bytes / count - KEY_SIZE - VALUE_SIZE;
  return { memory: beyond(stats.memory.bytes), disk: beyond(disk), diskOpen: beyond(diskOpen), idle: stats.memory.idleBytes / count };
}

/** @param {Context} context */
async function space(context) {
  const count = context.keys(1_000_000);
  const keys = createKeys(count);
  const batched = await openNew(context, 'buffered');
  fill(batched, keys);
  const inBatches = await spaceOf(batched, count);
  const single = await openNew(context, 'buffered');
  mustBe('the versions', await putsAwaited(single, keys, valueFor(1)), sumOfVersions(0, count));
  const oneByOne = await spaceOf(single, count);
  const of = `${count.toLocaleString('en')} records`;
  const idle = (/** @type {{ idle: number }} */ found) => `of which ${found.idle.toFixed(1)} idle`;
  const whileOpen = (/** @type {{ diskOpen: number }} */ found) => `closed; ${found.diskOpen.toFixed(1)} while it is open, with slots prepared`;
  return [
    atMost(`memory a record beyond key and value, ${of}, batches of 1,000`, 'bytes', inBatches.memory, 48, idle(inBatches)),
    atMost(`disk a record beyond key and value, ${of}, batches of 1,000`, 'bytes', inBatches.disk, 32, whileOpen(inBatches)),
    atMost(`memory a record beyond key and value, ${of}, one commit at a time`, 'bytes', oneByOne.memory, 120, idle(oneByOne)),
    atMost(`disk a record beyond key and value, ${of}, one commit at a time`, 'bytes', oneByOne.disk, 88, whileOpen(oneByOne)),
  ];
}

// ── Pauses ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const PAUSE_MAX = 3;

/** Times every put on its own. @param {any} store @param {string[]} keys @param {Uint8Array} value */
function timeEach(store, keys, value) {
  const times = new Float64Array(keys.length);
  let before = performance.now();
  for (let index = 0; index < keys.length; index++) {
    store.putSync(keys[index], value);
    const now = performance.now();
    times[index] = now - before;
    before = now;
  }
  mustBe('the keys', store.stats().keys, keys.length);
  return times;
}

/** Notes the slowest of the calls that a store makes to the file system, until `restore`. */
function watchDevice() {
  const names = /** @type {const} */ (['writeSync', 'fdatasyncSync', 'ftruncateSync']);
  const originals = names.map((name) => fs[name]);
  let slowest = 0;
  let slowestName = 'none';
  names.forEach((name, index) => {
    const original = /** @type {(...parameters: any[]) => any} */ (originals[index]);
    // The store takes its functions from the same module object.
    fs[name] = (/** @type {any[]} */ ...parameters) => {
      const began = performance.now();
      const result = original(...parameters);
      const elapsed = performance.now() - began;
      if (elapsed > slowest) {
        slowest = elapsed;
        slowestName = name;
      }
      return result;
    };
  });
  return {
    slowest: () => {
      mustBe('that calls to the device were seen', slowest > 0, true);
      return { milliseconds: slowest, name: slowestName };
    },
    restore: () => names.forEach((name, index) => { Object.assign(fs, { [name]: originals[index] }); }),
  };
}

/** @param {Context} context */
async function pauses(context) {
  const keys = createKeys(context.keys(1_000_000));
  const value = valueFor(1);
  const rounds = context.smoke ? 1 : 5;
  const slowest = [];
  const idle = [];
  /** @type {number[][]} */
  const maxima = [];
  for (let round = 0; round < rounds; round++) {
    const store = await openNew(context, 'memory');
    collectGarbage();
    const began = performance.now();
    const found = chunkMaxima(timeEach(store, keys, value));
    idle.push(slowestIdle(performance.now() - began));
    maxima.push(found);
    slowest.push(Math.max(...found));
    await discard(store);
  }
  const recurring = Math.max(...maxima[0].map((_, chunk) => Math.min(...maxima.map((found) => found[chunk]))));
  const inFile = [];
  for (let round = 0; round < rounds; round++) {
    const watch = watchDevice();
    try {
      const store = await openNew(context, 'buffered');
      collectGarbage();
      const times = timeEach(store, keys, value);
      const device = watch.slowest();
      inFile.push({ put: Math.max(...chunkMaxima(times)), device, stalls: store.stats().file?.slotStalls ?? 0 });
      await discard(store);
    } finally {
      watch.restore();
    }
  }
  inFile.sort((left, right) => left.put - left.device.milliseconds - (right.put - right.device.milliseconds));
  const middle = inFile[inFile.length >> 1];
  return [
    atMost(`slowest putSync of ${keys.length.toLocaleString('en')} new keys in :memory:`, 'ms', median(slowest), PAUSE_MAX, `runs: ${slowest.map((time) => time.toFixed(2)).join(', ')} ms; a loop that only reads the clock, as long: ${idle.map((time) => time.toFixed(2)).join(', ')} ms; what every run has in the same thousand keys: ${recurring.toFixed(2)} ms`),
    atMost(`slowest putSync of ${keys.length.toLocaleString('en')} new keys in a file, beyond the slowest device call`, 'ms', Math.max(0, middle.put - middle.device.milliseconds), PAUSE_MAX,
      `put ${middle.put.toFixed(2)} ms, ${middle.device.name} ${middle.device.milliseconds.toFixed(2)} ms; ${middle.stalls} writes prepared a slot themselves`),
  ];
}

/** How long the machine keeps a loop from running that does nothing but look at the clock: what no store can be blamed for. @param {number} duration in milliseconds */
function slowestIdle(duration) {
  let slowest = 0;
  let before = performance.now();
  const end = before + duration;
  while (before < end) {
    const now = performance.now();
    slowest = Math.max(slowest, now - before);
    before = now;
  }
  return slowest;
}

/** The maximum of every thousand: few enough to spread. @param {Float64Array} times */
function chunkMaxima(times) {
  const maxima = [];
  for (let start = 0; start < times.length; start += 1000) maxima.push(times.subarray(start, start + 1000).reduce((most, time) => Math.max(most, time), 0));
  return maxima;
}

// ── Size ───────────────────────────────────────────────────────────────────────────────────────────────────────────

async function size() {
  const { gzipped, minified, wasm } = await measureSize();
  return [atMost('what a Node program imports, minified and gzipped', 'bytes', gzipped, SIZE_MAX, `${minified} before gzip, the Wasm alone ${wasm}`)];
}

/** Each job runs in a process of its own. @type {Record<string, (context: Context) => Promise<Figure[]>>} */
export const jobs = { reads, bufferedWrites, memoryWrites, strictWrites, recovery, space, pauses, size, ...transactionAims, ...scanAims };
