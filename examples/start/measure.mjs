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

/** Durable commits a second, one awaited after the other. @param {import('varve').Store<unknown>} db */
export async function measureCommits(db) {
  const began = performance.now();
  for (let number = 0; number < FLOOR_WRITES; number++) await db.put(['visit', number], number);
  return (FLOOR_WRITES / (performance.now() - began)) * 1000;
}
