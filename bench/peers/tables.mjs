/** The tables of the peers' run. */
import { ratioOf } from '../contest/contest.mjs';
import { median, spreadOf } from '../harness/statistics.mjs';
import { formatRate, formatTime, table } from '../report/table.mjs';

/** @typedef {import('../contest/contest.mjs').Standing} Standing */
/** @typedef {Record<string, Record<string, Standing>>} Standings */

/** Two rates nearer than this are a tie. */
const TIE = 0.05;

/** A ratio in as many digits as matter. @param {number} ratio */
export const formatRatio = (ratio) => `${ratio >= 10 ? ratio.toFixed(0) : ratio >= 1 ? ratio.toFixed(1) : ratio.toFixed(2)} ×`;

/** @param {string} row @param {Standing} standing */
function amount(row, { rates }) {
  const rate = median(rates);
  return `${/^(re)?open\//.test(row) ? formatTime(rate) : formatRate(rate)} ±${(100 * spreadOf(rates)).toFixed(0)} %`;
}

/**
 * One row a line, one subject a column: its rate, and how many times as fast the store is.
 * @param {Standings} standings @param {string[]} subjects
 */
export function peersTable(standings, subjects) {
  const shown = subjects.filter((subject) => Object.values(standings).some((among) => among[subject] !== undefined));
  const rows = Object.entries(standings).map(([row, among]) => {
    const label = Object.values(among)[0].label;
    return [row, label.keys.toLocaleString('en'), `${label.valueSize}`, label.durability, ...shown.map((subject) => {
      const standing = among[subject];
      if (standing === undefined) return '–';
      return subject === 'varve' || among.varve === undefined ? amount(row, standing) : `${amount(row, standing)}: ${formatRatio(ratioOf(among.varve, standing))}`;
    })];
  });
  return table(['row', 'keys', 'value', 'durability', ...shown], rows, [1, 2]);
}

/** The rows on which a peer is faster, by more than a tie. The `Map` is no store, and the floor no peer. @param {Standings} standings */
export function lossesOf(standings) {
  const losses = [];
  for (const [row, among] of Object.entries(standings)) {
    if (among.varve === undefined) continue;
    for (const [subject, standing] of Object.entries(among)) {
      if (['varve', 'varve, blocking', 'Map', 'floor'].includes(subject)) continue;
      const ratio = ratioOf(among.varve, standing);
      if (ratio < 1 - TIE) losses.push({ row, subject, ratio });
    }
  }
  return losses;
}

/** @param {number} nanoseconds */
const formatLatency = (nanoseconds) => (nanoseconds >= 1e6 ? `${(nanoseconds / 1e6).toFixed(2)} ms` : nanoseconds >= 1e3 ? `${(nanoseconds / 1e3).toFixed(1)} µs` : `${nanoseconds} ns`);

/** Throughput and latencies, a workload and a subject a line. @param {Standings} standings @param {Record<string, Record<string, { percentiles: Record<string, number> }>>} latencies by row and subject */
export function latencyTable(standings, latencies) {
  const rows = Object.entries(latencies).flatMap(([row, bySubject]) => Object.entries(bySubject).map(([subject, { percentiles }]) => {
    const { rates, label } = standings[row][subject];
    return [row, label.what, subject, formatRate(median(rates)), ...['50', '90', '99', '99.9', '100'].map((percentile) => formatLatency(percentiles[percentile]))];
  }));
  return table(['workload', 'what', 'subject', 'throughput', 'p50', 'p90', 'p99', 'p99.9', 'slowest'], rows, [3, 4, 5, 6, 7, 8]);
}
