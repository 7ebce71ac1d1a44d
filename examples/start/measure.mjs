/** What the same disk does without a store, and small rounds of the store's own operations. */
import { closeSync, fdatasyncSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { must } from './proof.mjs';

/** Writes of the floor, and the commits of one writer that stand beside it. */
export const FLOOR_WRITES = 1000;
const FLOOR_SIZE = 256;

/** Commits a second of a bare write and fdatasync, one by one, on blocks that were allocated and flushed before. @param {string} path */
export function measureFloor(path) {
  const descriptor = openSync(path, 'w');
  try {
    writeSync(descriptor, new Uint8Array(FLOOR_WRITES * FLOOR_SIZE));
    fsyncSync(descriptor);
    const bytes = new Uint8Array(FLOOR_SIZE).fill(1);
    const began = performance.now();
    for (let number = 0; number < FLOOR_WRITES; number++) {
      writeSync(descriptor, bytes, 0, FLOOR_SIZE, number * FLOOR_SIZE);
      fdatasyncSync(descriptor);
    }
    return (FLOOR_WRITES / (performance.now() - began)) * 1000;
  } finally {
    closeSync(descriptor);
    rmSync(path);
  }
}

/**
 * Durable commits a second by so many writers, each of which awaits one put after the other.
 * @param {import('varve').Store<unknown>} db @param {number} writerCount @param {number} commitCount
 */
export async function measureCommits(db, writerCount, commitCount) {
  const versions = new Set();
  const writer = async (/** @type {number} */ writerNumber) => {
    for (let number = writerNumber; number < commitCount; number += writerCount) versions.add(await db.put(['visit', writerCount, number], number));
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: writerCount }, (_, number) => writer(number)));
  const rate = (commitCount / (performance.now() - began)) * 1000;
  must(versions.size === commitCount, 'two commits were given one version');
  return rate;
}
