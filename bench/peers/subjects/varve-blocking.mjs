/** The store with flushes that block the event loop, which is how most peers flush. */
import { open } from '../../subjects/varve.mjs';
import { VarveHandle } from './varve-handle.mjs';
import { subject as plain } from './varve.mjs';

/** @type {import('./subject.mjs').Subject} */
export const subject = {
  version: plain.version,
  how: "flush: 'sync'",
  durabilities: ['strict'],
  open: async (path, durability) => new VarveHandle(await open(path, { durability, flush: 'sync' })),
};
