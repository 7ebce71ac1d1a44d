/**
 * Stores larger than their memory, and how fast they open: `node bench/suites/paging.mjs`. Figures are of the processor's time, user and system, so that what else the machine does counts less;
 * reads of the file come from the page cache, which is where a lookup costs most beside them.
 */
import fs from 'node:fs';
import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from '../../dist/index.js';
import { copyFlushed } from '../harness/copy.mjs';

const LIMIT = 32 << 20;
const VALUE_SIZE = 1024;
const KEY_COUNT = Math.floor((10 * LIMIT) / VALUE_SIZE);
/** Values that are scanned are larger: the first scan puts all keys in order, in memory. */
const SCAN_VALUE_SIZE = 4096;
const SCAN_COUNT = Math.floor((10 * LIMIT) / SCAN_VALUE_SIZE);
const WORKING_SET = 12_000;
const CALLS = 50_000;
const ROUNDS = 5;
const RECORDS = 1_000_000;

let state = 2463534242;
/** A number below `limit`, from a generator that repeats (Marsaglia, 2003). */
function below(limit) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % limit;
}

/** The processor's time of a call, in microseconds. */
function timeOf(call, calls = CALLS) {
  const begin = process.cpuUsage();
  for (let count = 0; count < calls; count++) call();
  const { user, system } = process.cpuUsage(begin);
  return (user + system) / calls;
}

const median = (figures) => figures.toSorted((left, right) => left - right)[figures.length >> 1];

/** What stores cost to open that have no image of their index: those that keep a history, and those with values in parts. */
async function measureWithoutImage(path) {
  const stores = {
    'open of 250,000 versions of 50,000 keys, all kept': { options: { history: 'all' }, fill: (store) => { for (let step = 0; step < 250_000; step++) store.putSync(`key00${String(step % 50_000).padStart(6, '0')}`, new Uint8Array(100)); } },
    'open of 200 values of 1 MiB, each in parts': { options: {}, fill: (store) => { for (let key = 0; key < 200; key++) store.putSync(key, new Uint8Array(1 << 20)); } },
  };
  for (const [name, { options, fill }] of Object.entries(stores)) {
    const filling = await open(path, { ...options, durability: 'relaxed' });
    fill(filling);
    await filling.close();
    const times = [];
    for (let round = 0; round < ROUNDS; round++) times.push(await timeOfOpen(path, undefined, options));
    print(name, median(times).toFixed(1), 'ms');
    rmSync(path);
  }
}

/** The processor's time of opening a store, to its first `get`, in milliseconds. */
async function timeOfOpen(path, look = () => undefined, options = {}) {
  const begin = process.cpuUsage();
  const store = await open(path, options);
  store.get('key00500000');
  const { user, system } = process.cpuUsage(begin);
  look(store);
  await store.close();
  return (user + system) / 1000;
}

function print(name, figure, unit) {
  process.stdout.write(`${name.padEnd(64)}${figure.padStart(9)} ${unit}\n`);
}

/** Scans of all that a store of ten times its limit holds, against reading the whole file in order, 64 KiB at a time. */
async function measureScans(path) {
  const filling = await open(path, { durability: 'relaxed' });
  for (let key = 0; key < SCAN_COUNT; key++) filling.putSync(key, new Uint8Array(SCAN_VALUE_SIZE));
  await filling.close();
  const bounded = await open(path, { memory: { limit: LIMIT } });
  const descriptor = openSync(path, 'r');
  const { size } = fstatSync(descriptor);
  const block = new Uint8Array(64 << 10);
  const figures = { pread: [], forward: [], backward: [] };
  let reads = 0;
  const { readSync: read } = fs;
  fs.readSync = (...parameters) => {
    reads++;
    return read(...parameters);
  };
  const scanned = (reverse) => {
    let bytes = 0;
    for (const value of bounded.values({ reverse })) bytes += value.length;
    return bytes;
  };
  // The first scan puts the keys in order.
  bounded.count();
  reads = 0;
  for (let round = 0; round < ROUNDS; round++) {
    figures.pread.push(timeOf(() => { for (let at = 0; at < size; at += block.length) readSync(descriptor, block, 0, block.length, at); }, 1));
    figures.forward.push(timeOf(() => scanned(false), 1));
    figures.backward.push(timeOf(() => scanned(true), 1));
  }
  const perValue = (times) => (median(times) / SCAN_COUNT).toFixed(2);
  print('pread of the whole file in order, for each value in it', perValue(figures.pread), 'µs');
  print('scan of that store in the order of its log, for each value', perValue(figures.forward), 'µs');
  print('  and in reverse', perValue(figures.backward), 'µs');
  print('  of the speed of pread', ((100 * median(figures.pread)) / median(figures.forward)).toFixed(0), '%');
  print('  reads of the file for each value', (reads / (2 * ROUNDS * SCAN_COUNT)).toFixed(2), '');
  fs.readSync = read;
  closeSync(descriptor);
  await bounded.close();
  rmSync(path);
}

const folder = mkdtempSync(join(tmpdir(), 'varve-paging-'));
try {
  const path = join(folder, 'large.varve');
  const value = new Uint8Array(VALUE_SIZE);
  const filling = await open(path, { durability: 'relaxed' });
  for (let key = 0; key < KEY_COUNT; key++) filling.putSync(key, value);
  await filling.close();

  const bounded = await open(path, { memory: { limit: LIMIT } });
  const whole = await open(':memory:');
  for (let key = 0; key < WORKING_SET; key++) whole.putSync(key, value);
  const descriptor = openSync(path, 'r');
  const { size } = fstatSync(descriptor);
  const target = new Uint8Array(VALUE_SIZE);
  const figures = { pread: [], uniform: [], near: [], all: [] };
  for (let round = 0; round < ROUNDS; round++) {
    figures.pread.push(timeOf(() => readSync(descriptor, target, 0, VALUE_SIZE, below(size - VALUE_SIZE))));
    figures.uniform.push(timeOf(() => bounded.getInto(below(KEY_COUNT), target)));
    for (let pass = 0; pass < 3; pass++) for (let key = 0; key < WORKING_SET; key++) bounded.getInto(key, target);
    for (let key = 0; key < WORKING_SET; key++) whole.getInto(key, target);
    figures.near.push(timeOf(() => bounded.getInto(below(WORKING_SET), target)));
    figures.all.push(timeOf(() => whole.getInto(below(WORKING_SET), target)));
  }
  print('pread of 1,024 bytes at random', median(figures.pread).toFixed(2), 'µs');
  print('getInto, uniform, of a store of 10 times its limit', median(figures.uniform).toFixed(2), 'µs');
  print('  of the speed of pread', ((100 * median(figures.pread)) / median(figures.uniform)).toFixed(0), '%');
  print('getInto of a working set that fits, of that store', median(figures.near).toFixed(2), 'µs');
  print('getInto of as many keys of a store that fits', median(figures.all).toFixed(2), 'µs');
  print('  of the speed of a store that fits', ((100 * median(figures.all)) / median(figures.near)).toFixed(0), '%');
  print('memory touched', (bounded.stats().memory.bytes / (1 << 20)).toFixed(1), `MiB of ${LIMIT >> 20}`);
  closeSync(descriptor);
  await bounded.close();
  await whole.close();

  await measureScans(join(folder, 'scanned.varve'));

  const many = join(folder, 'many.varve');
  const making = await open(many, { durability: 'relaxed' });
  for (let key = 0; key < RECORDS; key++) making.putSync(`key${String(key).padStart(8, '0')}`, value.subarray(0, 100));
  await making.close();
  const times = [];
  for (let round = 0; round < ROUNDS; round++) times.push(await timeOfOpen(many));
  print('open of 1,000,000 records after an orderly close, to first get', median(times).toFixed(1), 'ms');

  // A copy of the file of a store that runs is what a crash leaves of it. Its log has grown by half of that since it was closed.
  const running = await open(many, { durability: 'relaxed' });
  for (let step = 0; step < RECORDS / 2; step++) running.putSync(`key${String(below(RECORDS)).padStart(8, '0')}`, value.subarray(0, 100));
  await running.flush();
  const crashed = join(folder, 'crashed.varve');
  const afterCrash = [];
  let recovery;
  for (let round = 0; round < ROUNDS; round++) {
    copyFlushed(many, crashed);
    afterCrash.push(await timeOfOpen(crashed, (store) => ({ recovery } = store)));
  }
  print('  and after a crash, when half as many were overwritten', median(afterCrash).toFixed(1), 'ms');
  print('  of which were replayed', String(recovery.records), 'records');
  const { images } = running.stats().file;
  print('  images of the index that were written meanwhile', String(images.written), `of ${(images.bytes / (1 << 20)).toFixed(1)} MiB in all`);
  await running.close();

  await measureWithoutImage(join(folder, 'whole.varve'));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
