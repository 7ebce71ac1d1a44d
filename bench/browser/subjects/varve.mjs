/** The store itself, in the worker that has the file alone. The bundle says which version it is. */
import { open } from 'varve/direct';
import { VarveHandle } from '../../peers/subjects/varve-handle.mjs';
import { removeFile } from './subject.mjs';

/** The store, with what only blocks. */
export class DirectHandle extends VarveHandle {
  /** @param {string} key @param {Uint8Array} value */
  putNow(key, value) {
    this.store.putSync(key, value);
  }
}

/** @type {import('./subject.mjs').Subject} */
export const varve = {
  how: '`varve/direct` in a worker, its file in OPFS',
  pace: 1,
  isBlocking: true,
  open: async (name, durability) => new DirectHandle(await open(`${name}.varve`, { durability })),
  remove: (name) => removeFile(`${name}.varve`),
  version: () => VARVE_VERSION,
};
