/** What stands beside rows of files: the floors of the operating system. Browsers, where rivals stand there, have `bench/browser/beside.mjs` in its place. */
import fs from 'node:fs';
import { mustBe } from '../harness/measure.mjs';
import { sizeOfCommits } from './commit-size.mjs';
import { createFloor } from './disk.mjs';

/** @typedef {import('../harness/context.mjs').Context} Context */
/** @typedef {import('../harness/measure.mjs').Work} Work */
/** @typedef {import('../suites/kv/loops.mjs').Mode} Mode */

/** What a durable row is compared with: writes of as many bytes as its commits. @param {Context} context @param {Mode} mode @param {number} operations @param {import('../suites/kv/fresh-store.mjs').Commits} commits */
export async function floorBeside(context, mode, operations, commits) {
  const floor = createFloor(context, await sizeOfCommits(context, commits), operations);
  const { before, after } = floor;
  /** @type {Record<string, Work>} */
  const beside = mode === 'strict'
    ? { 'write + fdatasync': { operations, run: floor.writeAndFlush, before, after }, 'write + asynchronous fdatasync': { operations, run: floor.writeAndFlushBeside, before, after } }
    : { 'write': { operations, run: floor.write, before, after }, 'write + await': { operations, run: floor.writeAndAwait, before, after } };
  return { beside, close: floor.close };
}

/** Reads a file into memory that is already there. @param {string} path @param {Uint8Array} target */
function readAll(path, target) {
  const descriptor = fs.openSync(path, 'r');
  let read = 0;
  while (read < target.length) read += fs.readSync(descriptor, target, read, target.length - read, read);
  fs.closeSync(descriptor);
  return read;
}

/** What the opening of a file is compared with. @param {string} image its path @param {number} operations @returns {Record<string, Work>} */
export function readingBeside(image, operations) {
  const size = fs.statSync(image).size;
  const bytes = new Uint8Array(size);
  return {
    'reading the file': {
      operations,
      run: () => readAll(image, bytes),
      after: (computed) => {
        mustBe('bytes read', computed, size);
        mustBe('the bytes read', Buffer.compare(bytes, fs.readFileSync(image)), 0);
      },
    },
  };
}
