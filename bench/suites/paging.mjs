/**
 * Stores larger than their memory, and how fast they open: `node bench/suites/paging.mjs`. Figures are of the processor's time, user and system, so that what else the machine does counts less;
 * reads of the file come from the page cache, which is where a lookup costs most beside them.
 */
import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from '../../dist/index.js';

const LIMIT = 32 << 20;
const VALUE_SIZE = 1024;
const KEY_COUNT = Math.floor((10 * LIMIT) / VALUE_SIZE);
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
function timeOf(call) {
  const begin = process.cpuUsage();
  for (let count = 0; count < CALLS; count++) call();
  const { user, system } = process.cpuUsage(begin);
  return (user + system) / CALLS;
}

const median = (figures) => figures.toSorted((left, right) => left - right)[figures.length >> 1];

function print(name, figure, unit) {
  process.stdout.write(`${name.padEnd(64)}${figure.padStart(9)} ${unit}\n`);
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

  const many = join(folder, 'many.varve');
  const making = await open(many, { durability: 'relaxed' });
  for (let key = 0; key < RECORDS; key++) making.putSync(`key${String(key).padStart(8, '0')}`, value.subarray(0, 100));
  await making.close();
  const times = [];
  for (let round = 0; round < ROUNDS; round++) {
    const begin = process.cpuUsage();
    const store = await open(many);
    store.get('key00500000');
    const { user, system } = process.cpuUsage(begin);
    times.push((user + system) / 1000);
    await store.close();
  }
  print('open of 1,000,000 records after an orderly close, to first get', median(times).toFixed(1), 'ms');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
