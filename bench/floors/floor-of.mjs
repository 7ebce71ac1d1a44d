/**
 * The floor of each row: what it cannot be faster than, because it must do at least that. Rows that write files have theirs beside them already, a write of as many bytes with or without its flush; those in memory get what
 * the machine takes for the calls, the reads at random places or the copies that the row is made of. A floor is a floor of what is asked, not of how the store does it.
 */
import { copies, emptyCalls, randomReads } from './memory.mjs';

/** @typedef {import('../harness/measure.mjs').Row} Row */
/** @typedef {import('../harness/measure.mjs').Work} Work */

/** What a record takes in memory beyond key and value, near enough for the size of a working set. */
const OVERHEAD = 40;
const KEY_SIZE = 16;

/** @param {Row} row */
const recordSize = ({ valueSize }) => KEY_SIZE + valueSize;
/** @param {Row} row */
const storeSize = (row) => row.keys * (recordSize(row) + OVERHEAD);

/** @typedef {(row: Row, count: number) => { name: string, work: Work }} Maker `count` is how many an operation needs */

/** @type {Maker} */
const calls = ({ work }, count) => ({ name: count === 1 ? 'an empty Wasm call' : `${count} empty Wasm calls`, work: emptyCalls(work.operations, count) });
/** @type {Maker} */
const reads = (row, count) => ({ name: count === 1 ? 'a random read of memory' : `${count} random reads of memory`, work: randomReads(row.work.operations, count, storeSize(row)) });
/** @type {Maker} */
const copied = (row, count) => ({ name: `memcpy of ${(count * recordSize(row)).toLocaleString('en')} bytes`, work: copies(row.work.operations, count * recordSize(row)) });

/** By the beginning of a row's name; the first that fits. A number in the name is how many there are of what is timed. @type {[RegExp, Maker][]} */
const RULES = [
  [/^kv_get\/(uniform|key_scaling)/, (row) => reads(row, 1)],
  [/^growth\/get/, (row) => reads(row, 1)],
  [/^growth\/put/, (row) => copied(row, 1)],
  [/^(kv_get|memory_overhead)\//, (row) => calls(row, 1)],
  [/^kv_put\/delete/, (row) => calls(row, 1)],
  [/^(kv_put|put_bytes)\//, (row) => copied(row, 1)],
  [/^transaction_commit\/multi_key_put\/(\d+)/, copied],
  [/^transaction_commit\/readN_write1\/(\d+)/, reads],
  [/^transaction_commit\//, (row) => copied(row, 1)],
  [/^cas\/failure/, (row) => calls(row, 1)],
  [/^cas\//, (row) => copied(row, 1)],
  [/^snapshot_read\/(?:multi_read|read_only)_(\d+)/, reads],
  [/^snapshot_read\/single_read/, (row) => reads(row, 1)],
  [/^snapshot_read\/read_your_writes/, (row) => copied(row, 1)],
  [/^snapshot_read\/after_versions/, (row) => calls(row, 1)],
  [/^conflict_detection\//, (row) => copied(row, 1)],
  [/^version_growth\/txn/, (row) => copied(row, 1)],
  [/^version_growth\//, (row) => reads(row, 1)],
  [/^scan\/prefix_(\d+)/, copied],
  [/^scan\//, (row) => copied(row, 1)],
];

/** Floors that rows have beside them, the one that fits best first. */
const ON_DISK = ['write + fdatasync', 'write + await', 'write', 'reading the file'];

/** A row with its floor beside it. @param {Row} row @returns {Row} */
export function withFloor(row) {
  const there = ON_DISK.find((name) => row.beside?.[name] !== undefined);
  if (there !== undefined) return { ...row, floor: there };
  for (const [pattern, make] of RULES) {
    const found = pattern.exec(row.name);
    if (found === null) continue;
    const { name, work } = make(row, Number(found[1] ?? 1));
    return { ...row, floor: name, beside: { ...row.beside, [name]: work } };
  }
  throw new Error(`${row.name} has no floor.`);
}
