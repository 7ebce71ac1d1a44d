/** What the same disk does without a store, and small rounds of the store's own operations. */
import { closeSync, fdatasyncSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';

const FLOOR_WRITES = 1000;
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

/** Durable commits a second by so many writers, each of which awaits one put after the other. @param {import('varve').Store<unknown>} db @param {number} writerCount */
export async function measureCommits(db, writerCount) {
  const count = COMMITS_A_WRITER * Math.ceil(Math.sqrt(writerCount));
  const writer = async (/** @type {number} */ writerNumber) => {
    for (let number = 0; number < count / writerCount; number++) await db.put(['visit', writerNumber, number], number);
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: writerCount }, (_, number) => writer(number)));
  return (count / (performance.now() - began)) * 1000;
}
