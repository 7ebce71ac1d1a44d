/** What stands beside rows that write: the floors of the operating system. */
import { createFloor } from '../../floors/disk.mjs';

/** @typedef {import('../../harness/context.mjs').Context} Context */
/** @typedef {import('../../harness/measure.mjs').Work} Work */
/** @typedef {import('./loops.mjs').Mode} Mode */

/** A sample of strict writes takes as long as the disk likes: fewer of them keep the whole run within minutes. */
export const STRICT_ROUNDS_MAX = 7;

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

/** @param {(() => unknown)[]} disposals */
export async function disposeAll(disposals) {
  for (const dispose of disposals) await dispose();
}
