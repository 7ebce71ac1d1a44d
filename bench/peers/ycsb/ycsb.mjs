/**
 * YCSB, workloads A to F: one client, 100,000 records of 10 × 100 bytes, keys drawn by Zipf's law (θ = 0.99), writes with the operating system when they are acknowledged. The throughput is that of samples in which
 * nothing but the operations runs; latencies are those of further samples, in which each operation is timed on its own.
 */
import { createKeys, createRandom, keyFor } from '../../harness/data.mjs';
import { mustBe } from '../../harness/measure.mjs';
import { fill, openNew } from '../rows/store.mjs';
import { createDraw, createLedger, createPlan, FIELD_SIZE, foldRecord, recordFor, RECORD_SIZE, WORKLOADS } from './plan.mjs';

/** @typedef {import('../rows/store.mjs').Handle} Handle */
/** @typedef {import('../../contest/contestant.mjs').Prepared} Prepared */
/** @typedef {import('./plan.mjs').Plan} Plan */

const NANOSECONDS = 1e6;
const SLOWEST = 10_000_000_000;
const PERCENTILES = [50, 90, 99, 99.9, 99.99, 100];

/**
 * Does one operation after the other.
 * @param {Handle} handle @param {string[]} keys @param {Plan} plan @param {Buffer[]} values those of new records, in order
 * @param {(nanoseconds: number) => void} [note] is told how long each took
 */
async function perform(handle, keys, { kinds, records, amounts }, values, note) {
  const scratch = Buffer.alloc(RECORD_SIZE);
  let sum = 0;
  let insertions = 0;
  /** @param {Uint8Array} found @param {number} field */
  const changed = (found, field) => {
    sum += foldRecord(found);
    scratch.set(found);
    scratch[field * FIELD_SIZE]++;
    return scratch;
  };
  let field = 0;
  const change = (/** @type {Uint8Array} */ found) => changed(found, field);
  for (let index = 0; index < kinds.length; index++) {
    const began = note === undefined ? 0 : performance.now();
    const key = keys[records[index]];
    const kind = kinds[index];
    if (kind === 'read') {
      sum += foldRecord(/** @type {Uint8Array} */ (handle.get(key)));
    } else if (kind === 'scan') {
      const found = /** @type {NonNullable<Handle['fold']>} */ (handle.fold)(key, amounts[index]);
      // Not `sum += await`: that would read the sum before others have added to it.
      const more = typeof found === 'number' ? found : await found;
      sum += more;
    } else {
      field = amounts[index];
      const pending = kind === 'insert' ? handle.put(key, values[insertions++])
        : kind === 'modify' && handle.update !== undefined ? handle.update(key, change) : handle.put(key, change(/** @type {Uint8Array} */ (handle.get(key))));
      if (pending !== undefined) await pending;
    }
    note?.((performance.now() - began) * NANOSECONDS);
  }
  return sum;
}

/** @param {keyof typeof WORKLOADS} name */
export function ycsbGroup(name) {
  return async (/** @type {import('../rows/store.mjs').Context} */ context, /** @type {import('../rows/store.mjs').Subject} */ subject) => {
    // Only these groups need it: the others run where no peer is installed.
    const { build } = await import('hdr-histogram-js');
    const count = context.keys(100_000);
    const keys = createKeys(count);
    const { handle, discard } = await openNew(context, subject, 'buffered', { valueSize: RECORD_SIZE });
    if (WORKLOADS[name].shares.scan !== undefined && handle.fold === undefined) return { works: {}, dispose: discard };
    await fill(handle, keys, recordFor);
    const operations = context.operations(WORKLOADS[name].shares.scan === undefined ? 20_000 : 2_000);
    const random = createRandom(context.seed);
    const draw = createDraw(count, random);
    const ledger = createLedger(count);
    const histogram = build({ lowestDiscernibleValue: 1, highestTrackableValue: SLOWEST, numberOfSignificantValueDigits: 3 });
    /** @type {Plan} */
    let plan;
    /** @type {Buffer[]} */
    let values = [];
    const work = (/** @type {((nanoseconds: number) => void) | undefined} */ note) => ({
      operations,
      before: () => {
        plan = createPlan(name, count, operations, ledger, random, draw);
        values = Array.from({ length: plan.inserted }, (_, index) => recordFor(count + index));
        for (let index = keys.length; index < count + plan.inserted; index++) keys.push(keyFor('user:', index));
      },
      run: () => perform(handle, keys, plan, values, note),
      after: async (/** @type {number} */ computed) => {
        mustBe(`what workload ${name} has read`, computed, plan.expected);
        // The next sample begins with as many records: what this one added goes.
        for (let index = count; index < count + plan.inserted; index++) await handle.remove(keys[index]);
      },
    });
    const timed = work((nanoseconds) => histogram.recordValue(Math.max(1, Math.round(nanoseconds))));
    let samples = 0;
    const label = { what: WORKLOADS[name].what, keys: count, valueSize: RECORD_SIZE, durability: 'buffered' };
    /** @type {Prepared['works']} */
    const works = {
      [`ycsb/${name}`]: work(undefined),
      [`ycsb/${name}, timed`]: {
        ...timed,
        after: async (computed) => {
          // The first sample warms up, so its times count for nobody.
          if (samples++ === 0) histogram.reset();
          await timed.after(computed);
        },
      },
    };
    return {
      works,
      labels: { [`ycsb/${name}`]: label, [`ycsb/${name}, timed`]: { ...label, isTimed: true } },
      figures: () => ({ latency: { count: histogram.totalCount, percentiles: Object.fromEntries(PERCENTILES.map((percentile) => [percentile, histogram.getValueAtPercentile(percentile)])), curve: curveOf(histogram) } }),
      dispose: discard,
    };
  };
}

/** The distribution in points that a chart can draw: nanoseconds by share of operations. @param {import('hdr-histogram-js').Histogram} histogram */
function curveOf(histogram) {
  const points = [];
  for (let tail = 1; tail >= 1e-4; tail /= 1.5) points.push([1 - tail, histogram.getValueAtPercentile(100 * (1 - tail))]);
  return points;
}
