/** Not a store: what OPFS alone takes for the bytes that one commit of the store hands to it, on bytes that were written and flushed before, as the store's are. */
import { open } from 'varve/direct';
import { freshKeys, VALUE_SIZE } from '../../harness/data.mjs';
import { mustBe } from '../../harness/measure.mjs';
import { median } from '../../harness/statistics.mjs';
import { VALUE } from '../rows/store.mjs';
import { newName, removeFile } from './subject.mjs';

/** @typedef {import('../../harness/sizes.mjs').Plan} Plan */
/** @typedef {import('../../contest/commands.mjs').Prepared} Prepared */

/** The bytes that one awaited put hands to the handle: what most of some took. */
async function commitSize() {
  const name = `${newName()}.varve`;
  const db = await open(name, { durability: 'buffered' });
  const handles = FileSystemSyncAccessHandle.prototype;
  const { write } = handles;
  /** @type {number[]} */
  const sizes = [];
  handles.write = function (...parameters) {
    const size = write.apply(this, parameters);
    sizes.push(size);
    return size;
  };
  try {
    for (const key of freshKeys(31)) await db.put(key, VALUE);
  } finally {
    handles.write = write;
  }
  await db.close();
  await removeFile(name);
  return median(sizes);
}

/** @param {string} name @param {string} what @param {number} wanted @param {boolean} isFlushed @param {string} durability */
function floorOf(name, what, wanted, isFlushed, durability) {
  return async (/** @type {Plan} */ plan) => {
    const count = plan.operations(wanted);
    const size = await commitSize();
    const path = `${newName()}.floor`;
    const handle = await (await (await navigator.storage.getDirectory()).getFileHandle(path, { create: true })).createSyncAccessHandle();
    handle.write(new Uint8Array(size * count), { at: 0 });
    handle.flush();
    const source = new Uint8Array(size);
    const found = new Uint8Array(size);
    let turn = 0;
    const run = async () => {
      let written = 0;
      for (let index = 0; index < count; index++) {
        written += handle.write(source, { at: index * size });
        if (isFlushed) handle.flush();
        // Who is told of a write by a promise waits for a turn of the microtask queue.
        await undefined;
      }
      return written;
    };
    return {
      works: {
        [name]: {
          operations: count,
          before: () => { source.fill(++turn & 0xff); },
          run,
          after: (written) => {
            mustBe('bytes written', written, size * count);
            for (const index of [0, count >> 1, count - 1]) {
              mustBe('bytes read back', handle.read(found, { at: index * size }), size);
              mustBe(`record ${index} of the floor`, String(found), String(source));
            }
          },
        },
      },
      labels: { [name]: { what: `${what} of ${size} bytes`, keys: 0, valueSize: VALUE_SIZE, durability } },
      dispose: async () => {
        handle.close();
        await removeFile(path);
      },
    };
  };
}

/** The floor of a row, by the group that the row is in. @type {Record<string, (plan: Plan) => Promise<Prepared>>} */
export const FLOORS = {
  writes: floorOf('put/one', 'a raw write', 20_000, false, 'buffered'),
  durable: floorOf('durable/one', 'a raw write and a flush', 1_500, true, 'strict'),
};
