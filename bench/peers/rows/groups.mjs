/** The groups of rows. A group runs in processes of its own, one a subject, so that no row sees what another group did to a heap, a compiler or a page cache. */
import { memory } from './memory.mjs';
import { reads } from './reads.mjs';
import { reopen } from './reopen.mjs';
import { additions, durable, exchanges, overwrites, removals } from './writes.mjs';
import { ycsbGroup } from '../ycsb/ycsb.mjs';
import { WORKLOADS } from '../ycsb/plan.mjs';

/** @typedef {import('../subjects/subject.mjs').SubjectName} SubjectName */

/** @type {SubjectName[]} */
const STORES = ['varve', 'lmdb', 'rocksdb', 'classic-level', 'better-sqlite3', 'node:sqlite', 'bun:sqlite'];

/**
 * Who takes part in each group, and how many rounds it takes at most.
 * @type {Record<string, { prepare: (context: import('./store.mjs').Context, subject: import('./store.mjs').Subject) => Promise<import('../../contest/contestant.mjs').Prepared>, subjects: SubjectName[], roundsMax: number }>}
 */
export const GROUPS = {
  reads: { prepare: reads, subjects: [...STORES, 'Map'], roundsMax: 9 },
  overwrites: { prepare: overwrites, subjects: [...STORES, 'Map'], roundsMax: 9 },
  additions: { prepare: additions, subjects: [...STORES, 'Map', 'floor'], roundsMax: 7 },
  removals: { prepare: removals, subjects: [...STORES, 'Map'], roundsMax: 7 },
  exchanges: { prepare: exchanges, subjects: STORES, roundsMax: 7 },
  durable: { prepare: durable, subjects: [...STORES, 'varve, blocking', 'floor'], roundsMax: 9 },
  reopen: { prepare: reopen, subjects: STORES, roundsMax: 5 },
  memory: { prepare: memory, subjects: ['varve', 'Map', 'better-sqlite3'], roundsMax: 1 },
  ...Object.fromEntries(Object.keys(WORKLOADS).map((name) => [`ycsb-${name}`, { prepare: ycsbGroup(name), subjects: STORES, roundsMax: 5 }])),
};
