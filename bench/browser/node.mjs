/** The contestant in Node: the store itself in the process that was started, with its file in a folder of the operating system. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { open } from '../subjects/varve.mjs';
import { VarveHandle } from '../peers/subjects/varve-handle.mjs';
import { preparing } from './contender.mjs';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

class NodeHandle extends VarveHandle {
  /** @param {string} key @param {Uint8Array} value */
  putNow(key, value) {
    this.store.putSync(key, value);
  }
}

/** @param {{ group: string }} task @param {import('../harness/context.mjs').Settings} settings */
export function prepare(task, settings) {
  const pathOf = (/** @type {string} */ name) => join(settings.folder, `${name}.varve`);
  return preparing({
    how: `the store in Node ${process.versions.node}`,
    pace: 1,
    isBlocking: true,
    open: async (name, durability) => new NodeHandle(await open(pathOf(name), { durability })),
    remove: (name) => rmSync(pathOf(name), { force: true }),
    version: () => version,
  })(task, settings);
}
