/** The aims of space: bytes of memory and of disk, and of what a program imports. */
import fs from 'node:fs';
import { createKeys, KEY_SIZE, VALUE_SIZE, valueFor } from '../../harness/data.mjs';
import { atMost } from '../../harness/figures.mjs';
import { mustBe } from '../../harness/measure.mjs';
import { measureSize, SIZE_MAX } from '../../size.mjs';
import { fill, openNew } from '../../subjects/varve.mjs';
import { putsAwaited, sumOfVersions } from '../kv/loops.mjs';

/** @typedef {import('../../harness/context.mjs').Context} Context */

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
export async function space(context) {
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

export async function size() {
  const { gzipped, minified, wasm } = await measureSize();
  return [atMost('what a Node program imports, minified and gzipped', 'bytes', gzipped, SIZE_MAX, `${minified} before gzip, the Wasm alone ${wasm}`)];
}
