/** The aims of recovery: a store of a million records that a killed process left, and the core's part alone. */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createCoreRecovery } from '../../harness/core.mjs';
import { copyFlushed } from '../../harness/copy.mjs';
import { createKeys, VALUE_SIZE, valueFor } from '../../harness/data.mjs';
import { asMillions, atLeast } from '../../harness/figures.mjs';
import { collectGarbage } from '../../harness/garbage.mjs';
import { mustBe } from '../../harness/measure.mjs';
import { median } from '../../harness/statistics.mjs';
import { checkAll, discard, open, openNew } from '../../subjects/varve.mjs';

/** @typedef {import('../../harness/context.mjs').Context} Context */

/** Loads a store in another process and kills that. @param {Context} context @param {number} count @param {'settled' | 'midway'} mode */
async function crashed(context, count, mode) {
  const path = context.path('crashed');
  const child = spawn(process.execPath, [fileURLToPath(new URL('../../harness/loader.mjs', import.meta.url)), path, String(count), mode], { stdio: ['ignore', 'pipe', 'inherit'] });
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
    const result = spawnSync(process.execPath, [fileURLToPath(new URL('../../harness/reopen.mjs', import.meta.url)), path, String(count)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
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
export async function recovery(context) {
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
