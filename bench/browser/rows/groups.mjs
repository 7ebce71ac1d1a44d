/** The groups of rows, where each runs, and who takes part. `Node` is the store in Node, whose rate a browser's is held against. */
import { page } from './page.mjs';
import { reads } from './reads.mjs';
import { durable, writes } from './writes.mjs';

/**
 * @typedef {'Node' | 'varve' | 'IndexedDB' | 'SQLite' | 'OPFS'} SubjectName
 * @type {Record<string, {
 *   prepare: (plan: import('../../harness/sizes.mjs').Plan, subject: import('../subjects/subject.mjs').Subject) => Promise<import('../../contest/commands.mjs').Prepared>,
 *   place: 'worker' | 'page', subjects: SubjectName[], roundsMax: number,
 * }>}
 */
export const GROUPS = {
  reads: { prepare: reads, place: 'worker', subjects: ['Node', 'varve', 'SQLite', 'IndexedDB'], roundsMax: 15 },
  writes: { prepare: writes, place: 'worker', subjects: ['Node', 'varve', 'SQLite', 'IndexedDB', 'OPFS'], roundsMax: 9 },
  durable: { prepare: durable, place: 'worker', subjects: ['Node', 'varve', 'SQLite', 'IndexedDB', 'OPFS'], roundsMax: 9 },
  page: { prepare: page, place: 'page', subjects: ['varve', 'IndexedDB'], roundsMax: 9 },
};
