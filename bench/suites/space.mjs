/**
 * What endless overwrites cost: `node bench/suites/space.mjs [--keys N] [--rounds N]`. Keys of 12 bytes, values of 100, written uniformly or with a zipfian distribution (0.99), `buffered`, a turn of the event loop every 200 writes.
 * Write amplification counts what compaction copies, and not the zeros that slots are filled with; images of the index stand beside it. Sizes are shares of the live data, counted as key, value and 32 bytes a record.
 * Then pauses: as many writes at half of the rate that the store sustains, each held against the slowest call of the file system that the thread has made meanwhile.
 */
import fs from 'node:fs';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { open } from '../../dist/index.js';
import { createRandom } from '../harness/data.mjs';

const { values: options } = parseArgs({ options: { keys: { type: 'string', default: '100000' }, rounds: { type: 'string', default: '10' } } });
const KEY_COUNT = Number(options.keys);
const ROUNDS = Number(options.rounds);
const VALUE_SIZE = 100;
const KEY_SIZE = 12;
const LIVE_SIZE = KEY_COUNT * (KEY_SIZE + VALUE_SIZE + 32);
/** What a record takes in the log. */
const RECORD_SIZE = 136;
const SKEW = 0.99;
const WRITES_PER_TURN = 200;

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Draws keys uniformly. */
function uniform(random) {
  return () => random.below(KEY_COUNT);
}

/** Draws keys by a zipfian distribution, scattered over all of them. */
function zipfian(random) {
  const sums = new Float64Array(KEY_COUNT);
  let sum = 0;
  for (let rank = 0; rank < KEY_COUNT; rank++) sums[rank] = sum += (rank + 1) ** -SKEW;
  return () => {
    const wanted = (random.next() / 2 ** 32) * sum;
    let low = 0;
    let high = KEY_COUNT - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle] < wanted) low = middle + 1;
      else high = middle;
    }
    return (low * 7919) % KEY_COUNT;
  };
}

const keys = Array.from({ length: KEY_COUNT }, (_, index) => `key-${String(index).padStart(KEY_SIZE - 4, '0')}`);

/** Runs something with a store of all keys, and gives the path of its file and the folder back. */
async function withStore(options, run) {
  const folder = mkdtempSync(join(tmpdir(), 'varve-space-'));
  const path = join(folder, 'space.varve');
  try {
    const db = await open(path, { durability: 'buffered', ...options });
    const value = new Uint8Array(VALUE_SIZE);
    for (let index = 0; index < KEY_COUNT; index++) {
      db.putSync(keys[index], value);
      if (index % WRITES_PER_TURN === 0) await turn();
    }
    await run(db, path, value);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measure(name, draw, utilisation) {
  await withStore({ compaction: { utilisation } }, async (db, path, value) => {
    let movedBefore = 0;
    const latencies = new Float64Array(KEY_COUNT);
    for (let round = 0; round < ROUNDS; round++) {
      movedBefore = db.stats().compaction.movedBytes;
      for (let index = 0; index < KEY_COUNT; index++) {
        const key = keys[draw()];
        value[0] = index;
        const begin = performance.now();
        db.putSync(key, value);
        latencies[index] = performance.now() - begin;
        if (index % WRITES_PER_TURN === 0) await turn();
      }
    }
    const { compaction, memory, file } = db.stats();
    await db.verify();
    await db.close();
    latencies.sort();
    const percentile = (share) => `${(latencies[Math.floor(KEY_COUNT * share)] * 1000).toFixed(0)} µs`;
    process.stdout.write(`${name}, kept ${utilisation} live: write amplification ${(1 + (compaction.movedBytes - movedBefore) / (KEY_COUNT * RECORD_SIZE)).toFixed(2)}, ` +
      `images ${(file.images.bytes / (KEY_COUNT * (ROUNDS + 1) * RECORD_SIZE)).toFixed(2)}, file when closed ${((statSync(path).blocks * 512) / LIVE_SIZE).toFixed(2)}, memory ${(memory.bytes / LIVE_SIZE).toFixed(2)}, putSync p99 ${percentile(0.99)}, p99.9 ${percentile(0.999)}\n`);
  });
}

/** Notes how long the slowest of the calls of the file system takes that the store makes in this thread. Returns how to read it, in milliseconds, and to end that. */
function watchDevice() {
  let slowest = 0;
  const before = {};
  for (const name of ['readSync', 'writeSync', 'fdatasyncSync', 'ftruncateSync']) {
    const call = (before[name] = fs[name]);
    fs[name] = (...parameters) => {
      const begin = performance.now();
      try {
        return call(...parameters);
      } finally {
        slowest = Math.max(slowest, performance.now() - begin);
      }
    };
  }
  return () => {
    Object.assign(fs, before);
    return slowest;
  };
}

/** Overwrites keys, `rate` in a millisecond. Returns how long each write took, and all of them, in milliseconds. */
async function overwrite(db, draw, value, count, rate) {
  const latencies = new Float64Array(count);
  const began = performance.now();
  for (let index = 0; index < count; index++) {
    const key = keys[draw()];
    value[0] = index;
    const begin = performance.now();
    db.putSync(key, value);
    latencies[index] = performance.now() - begin;
    if (index % WRITES_PER_TURN !== 0) continue;
    do await turn(); while (performance.now() - began < index / rate);
  }
  return { latencies: latencies.sort(), milliseconds: performance.now() - began };
}

async function measurePauses(name, draw) {
  await withStore({}, async (db, _, value) => {
    const count = KEY_COUNT * ROUNDS;
    const sustained = count / (await overwrite(db, draw, value, count, Infinity)).milliseconds;
    const slowestCall = watchDevice();
    const { latencies } = await overwrite(db, draw, value, count, sustained / 2);
    const slowest = slowestCall();
    await db.close();
    process.stdout.write(`${name}, ${(sustained / 2).toFixed(0)} writes a millisecond, half of what it sustains: putSync p99.9 ${(latencies[Math.floor(count * 0.999)] * 1000).toFixed(0)} µs, ` +
      `longest ${latencies[count - 1].toFixed(1)} ms, slowest call of the file system ${slowest.toFixed(1)} ms\n`);
  });
}

for (const utilisation of [0.75, 0.8]) {
  await measure('uniform', uniform(createRandom(1)), utilisation);
  await measure('zipfian', zipfian(createRandom(1)), utilisation);
}
await measurePauses('uniform', uniform(createRandom(2)));
await measurePauses('zipfian', zipfian(createRandom(2)));
