/**
 * The floors in memory: what the machine and the runtime alone take for what an operation cannot do without. An empty call into Wasm, words read at random places of as much memory as the store has, and bytes copied
 * to where none were. Each folds what it did, so that nobody can leave it out.
 */
import { createRandom } from '../harness/data.mjs';
import { mustBe } from '../harness/measure.mjs';

/** @typedef {import('../harness/measure.mjs').Work} Work */

/** A module with one function, `f(i32) → i32`, that gives its parameter back. */
const EMPTY = new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, // magic and version
  0x01, 0x06, 0x01, 0x60, 0x01, 0x7f, 0x01, 0x7f, // a type: i32 → i32
  0x03, 0x02, 0x01, 0x00, // a function of it
  0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00, // exported as f
  0x0a, 0x06, 0x01, 0x04, 0x00, 0x20, 0x00, 0x0b, // local.get 0
]);

/** Calls of a function of Wasm that does nothing. @param {number} operations @param {number} each calls for one operation @returns {Work} */
export function emptyCalls(operations, each) {
  const call = /** @type {(value: number) => number} */ (new WebAssembly.Instance(new WebAssembly.Module(EMPTY)).exports.f);
  const count = operations * each;
  return {
    operations,
    run: () => {
      let sum = 0;
      for (let index = 0; index < count; index++) sum += call(index & 1);
      return sum;
    },
    after: (computed) => mustBe('the fold of empty calls', computed, Math.floor(count / 2)),
  };
}

const WORD_SIZE = 4;

/**
 * Words read at places that are in no order, each of which names the next, so that no two reads overlap.
 * @param {number} operations @param {number} each reads for one operation @param {number} bytes of memory @returns {Work}
 */
export function randomReads(operations, each, bytes) {
  // One word in every 64 bytes is used: a line of the cache each.
  const stride = 16;
  const places = Math.max(2, Math.floor(bytes / (stride * WORD_SIZE)));
  const words = new Uint32Array(places * stride);
  const random = createRandom(places);
  const order = Uint32Array.from({ length: places }, (_, index) => index);
  // Sattolo's shuffle: one cycle through all places.
  for (let index = places - 1; index > 0; index--) {
    const other = random.below(index);
    [order[index], order[other]] = [order[other], order[index]];
  }
  order.forEach((next, place) => { words[place * stride] = next * stride; });
  const count = operations * each;
  let expected = 0;
  for (let index = 0; index < count; index++) expected = words[expected];
  return {
    operations,
    run: () => {
      let at = 0;
      for (let index = 0; index < count; index++) at = words[at];
      return at;
    },
    after: (computed) => mustBe('where a walk through memory ends', computed, expected),
  };
}

/** Copies of so many bytes, one behind the other. @param {number} operations @param {number} bytes of one operation @returns {Work} */
export function copies(operations, bytes) {
  const source = new Uint8Array(bytes).fill(0x5a);
  const room = Math.min(operations, Math.max(1, Math.floor((64 << 20) / bytes)));
  const target = new Uint8Array(room * bytes);
  return {
    operations,
    before: () => { source.fill((source[0] + 1) & 0xff); },
    run: () => {
      for (let index = 0; index < operations; index++) target.set(source, (index % room) * bytes);
      return target.length;
    },
    after: (computed) => {
      mustBe('bytes of the target', computed, target.length);
      for (const at of [0, target.length >> 1, target.length - 1]) mustBe('a byte that was copied', target[at], source[0]);
    },
  };
}
