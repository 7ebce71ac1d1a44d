/**
 * What a workload of YCSB does, operation by operation, drawn before anything is timed, with what its reads must find. A record is one value of 10 fields of 100 bytes; as YCSB's bindings for
 * stores of bytes do it, an update reads the record, changes one field, and writes the record.
 */
import { uniformOrder } from '../../harness/data.mjs';
import { createZipfian, scatter } from './zipfian.mjs';

export const FIELD_COUNT = 10;
export const FIELD_SIZE = 100;
export const RECORD_SIZE = FIELD_COUNT * FIELD_SIZE;
const SCAN_MAX = 100;

/** @typedef {'read' | 'update' | 'insert' | 'scan' | 'modify'} Kind */

/**
 * The shares of the operations, and how keys are chosen: `scattered` by popularity, `latest` by age.
 * @type {Record<string, { shares: Partial<Record<Kind, number>>, choice: 'scattered' | 'latest', what: string }>}
 */
export const WORKLOADS = {
  A: { shares: { read: 50, update: 50 }, choice: 'scattered', what: '50 % reads, 50 % updates' },
  B: { shares: { read: 95, update: 5 }, choice: 'scattered', what: '95 % reads, 5 % updates' },
  C: { shares: { read: 100 }, choice: 'scattered', what: 'reads' },
  D: { shares: { read: 95, insert: 5 }, choice: 'latest', what: '95 % reads of the latest, 5 % inserts' },
  E: { shares: { scan: 95, insert: 5 }, choice: 'scattered', what: '95 % scans of up to 100, 5 % inserts' },
  F: { shares: { read: 50, modify: 50 }, choice: 'scattered', what: '50 % reads, 50 % read-modify-write' },
};

/** The first byte of a field of a record that was loaded. @param {number} record @param {number} field */
const byteOf = (record, field) => (Math.imul(record, 31) + field * 7) & 0xff;

/** The value of a record that was loaded. @param {number} record */
export function recordFor(record) {
  const value = Buffer.alloc(RECORD_SIZE, 0x5a);
  for (let field = 0; field < FIELD_COUNT; field++) value[field * FIELD_SIZE] = byteOf(record, field);
  return value;
}

/** The first bytes of all fields, added up. @param {Uint8Array} value */
export function foldRecord(value) {
  let sum = 0;
  for (let at = 0; at < RECORD_SIZE; at += FIELD_SIZE) sum += value[at];
  return sum;
}

/**
 * What the records hold, as far as their folds tell: kept beside the store, and moved on by each plan.
 * @param {number} count
 */
export function createLedger(count) {
  const bytes = new Uint8Array(count * FIELD_COUNT);
  for (let record = 0; record < count; record++) for (let field = 0; field < FIELD_COUNT; field++) bytes[record * FIELD_COUNT + field] = byteOf(record, field);
  return bytes;
}

/**
 * @typedef {object} Plan
 * @property {Kind[]} kinds
 * @property {Uint32Array} records the record that each operation is of: for a scan the first
 * @property {Uint8Array} amounts the field that is changed, or how many entries are scanned
 * @property {number} inserted how many records are new; they are numbered on from `count`
 * @property {number} expected what all reads and scans add up to
 */

/**
 * @param {keyof typeof WORKLOADS} name
 * @param {number} count records in the store
 * @param {number} operations
 * @param {Uint8Array} ledger
 * @param {{ next(): number, below(limit: number): number }} random
 * @param {() => number} draw a rank, as `createZipfian` gives it
 * @returns {Plan}
 */
export function createPlan(name, count, operations, ledger, random, draw) {
  const { shares, choice } = WORKLOADS[name];
  const wheel = /** @type {Kind[]} */ (Object.entries(shares).flatMap(([kind, share]) => Array.from({ length: share }, () => kind)));
  const kinds = Array.from(uniformOrder(operations, wheel.length, random), (at) => wheel[at]);
  const records = new Uint32Array(operations);
  const amounts = new Uint8Array(operations);
  let inserted = 0;
  let expected = 0;
  const fold = (/** @type {number} */ record) => {
    // Records that are inserted stand behind all others, so a scan meets them only at its end.
    if (record >= count) return foldRecord(recordFor(record));
    let sum = 0;
    for (let field = 0; field < FIELD_COUNT; field++) sum += ledger[record * FIELD_COUNT + field];
    return sum;
  };
  for (let index = 0; index < operations; index++) {
    const kind = kinds[index];
    const there = count + inserted;
    const record = kind === 'insert' ? there : choice === 'latest' ? Math.max(0, there - 1 - draw()) : scatter(draw(), count);
    records[index] = record;
    if (kind === 'insert') inserted++;
    else if (kind === 'scan') {
      amounts[index] = 1 + random.below(SCAN_MAX);
      for (let at = record; at < Math.min(there, record + amounts[index]); at++) expected += at < count ? ledger[at * FIELD_COUNT] : byteOf(at, 0);
    } else {
      expected += fold(record);
      if (kind !== 'read') {
        amounts[index] = random.below(FIELD_COUNT);
        const at = record * FIELD_COUNT + amounts[index];
        ledger[at] = (ledger[at] + 1) & 0xff;
      }
    }
  }
  return { kinds, records, amounts, inserted, expected };
}

/** Ranks for a store of so many records. @param {number} count @param {{ next(): number }} random */
export const createDraw = (count, random) => createZipfian(count, random);
