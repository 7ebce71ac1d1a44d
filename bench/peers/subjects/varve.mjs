/** The store itself, as users get it. */
import { createRequire } from 'node:module';
import { open } from '../../subjects/varve.mjs';
import { VarveHandle } from './varve-handle.mjs';

const { version } = createRequire(import.meta.url)('../../../package.json');

/** @type {import('./subject.mjs').Subject} */
export const subject = {
  version,
  how: 'the default flush, which does not block the event loop',
  durabilities: ['memory', 'buffered', 'strict'],
  open: async (path, durability) => new VarveHandle(durability === 'memory' ? await open(':memory:') : await open(path, { durability })),
};
