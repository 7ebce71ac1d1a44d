/**
 * What the store aims at beside its peers, and what it reached: one line a row of the table of aims. A factor is how many times as fast as the peer the store must be; what is measured in milliseconds or bytes
 * must not be above its bound.
 */
import { median } from '../harness/statistics.mjs';
import { ratioOf } from '../contest/contest.mjs';

/**
 * @typedef {object} Aim
 * @property {string} row
 * @property {string} peer
 * @property {number} factor
 * @property {string} [subject] which of the store's own forms, where it is not the plain one
 */

/** @param {string} row @param {string} peer @param {number} factor @param {string} [subject] @returns {Aim} */
const aim = (row, peer, factor, subject = 'varve') => ({ row, peer, factor, subject });

/** @type {Aim[]} */
export const AIMS = [
  aim('get/uniform', 'lmdb', 4), aim('get/uniform', 'Map', 0.6),
  aim('get/hot', 'bun:sqlite', 5), aim('get/into a buffer', 'lmdb', 4), aim('get/missing', 'lmdb', 2), aim('get/snapshot', 'lmdb', 3),
  // The strongest peer with the same promise, and the one that is faster by promising less, within a tie.
  aim('put/overwrite', 'rocksdb', 1.8), aim('put/overwrite', 'lmdb', 0.95), aim('put/new', 'rocksdb', 1.8), aim('put/new', 'lmdb', 0.95),
  aim('put/in flight', 'lmdb', 2), aim('delete', 'rocksdb', 3), aim('batch/10', 'lmdb', 4), aim('batch/1000', 'lmdb', 4),
  aim('update/one', 'lmdb', 3), aim('update/64', 'lmdb', 4), aim('cas/success', 'lmdb', 4), aim('cas/failure', 'bun:sqlite', 2.5),
  aim('scan/100', 'bun:sqlite', 1.2), aim('scan/all', 'bun:sqlite', 1.2),
  aim('put/1024', 'lmdb', 1.5), aim('put/4096', 'lmdb', 1.5), aim('put/16384', 'lmdb', 1.5),
  aim('durable/one', 'floor', 0.9, 'varve, blocking'), aim('durable/one', 'floor', 0.7), aim('durable/64', 'lmdb', 2),
  aim('reopen/crash', 'classic-level', 1),
];

const CLEAN_MILLISECONDS_MAX = 50;
const MEMORY_BYTES_MAX = 64;

/**
 * @typedef {object} Judgement
 * @property {string} row
 * @property {number} keys
 * @property {string} peer
 * @property {string} aim
 * @property {string} reached
 * @property {boolean} isMet
 */

/**
 * Holds the aims against what was measured; those whose row or peer was not measured are left out.
 * @param {Record<string, Record<string, import('../contest/contest.mjs').Standing>>} standings by row and subject
 * @param {Record<string, { keys: number, isOrdered: boolean, resident: number, own?: number }>} memory by subject
 * @returns {Judgement[]}
 */
export function judge(standings, memory) {
  /** @type {Judgement[]} */
  const judgements = [];
  for (const { row, peer, factor, subject = 'varve' } of AIMS) {
    const [ours, theirs] = [standings[row]?.[subject], standings[row]?.[peer]];
    if (ours === undefined || theirs === undefined) continue;
    const reached = ratioOf(ours, theirs);
    judgements.push({ row: subject === 'varve' ? row : `${row} (${subject})`, keys: ours.label.keys, peer, aim: `≥ ${factor} ×`, reached: `${reached.toFixed(2)} ×`, isMet: reached >= factor });
  }
  const clean = standings['reopen/close']?.varve;
  if (clean !== undefined) {
    const milliseconds = 1000 / median(clean.rates);
    judgements.push({ row: 'reopen/close', keys: clean.label.keys, peer: '–', aim: `≤ ${CLEAN_MILLISECONDS_MAX} ms`, reached: `${milliseconds.toFixed(0)} ms`, isMet: milliseconds <= CLEAN_MILLISECONDS_MAX });
  }
  const ours = memory.varve;
  if (ours?.own !== undefined) {
    const others = Object.entries(memory).filter(([name]) => name !== 'varve').map(([name, { resident }]) => `${name} ${resident.toFixed(0)} B`);
    judgements.push({
      row: 'memory a key, with the order, beyond key and value', keys: ours.keys, peer: others.join(', '), aim: `≤ ${MEMORY_BYTES_MAX} B`,
      reached: `${ours.own.toFixed(0)} B (the process: ${ours.resident.toFixed(0)} B)`, isMet: ours.own <= MEMORY_BYTES_MAX,
    });
  }
  return judgements;
}
