/**
 * What the library draws at random, in tests: numbers from a seed, `VARVE_SEED` or 1, that each test begins anew under its own name. So a test that opens stores in the usual way repeats too, by itself
 * or among others; the seed of one that fails is printed. Processes that tests start draw as ever.
 */
import { beforeEach } from 'vitest';
import { Random, seedOf } from './random.js';

const seed = seedOf(1);
let random = new Random(seed);

/** FNV-1a of a name, mixed into the seed. */
function seedFor(name: string): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let index = 0; index < name.length; index++) hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

crypto.getRandomValues = <T extends ArrayBufferView | null>(target: T): T => {
  if (target !== null) new Uint8Array(target.buffer, target.byteOffset, target.byteLength).set(random.bytes(target.byteLength));
  return target;
};

beforeEach(({ task, onTestFailed }) => {
  random = new Random(seedFor(task.name));
  onTestFailed(() => void process.stdout.write(`to see it again: VARVE_SEED=${seed}\n`));
});
