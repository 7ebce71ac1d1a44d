/** Tables for people: plain text that is Markdown too. */
import { identityOf } from './identity.mjs';
import { compareRates, statusOf } from './status.mjs';

/** @typedef {import('../harness/measure.mjs').Result} Result */
/** @typedef {import('../harness/figures.mjs').Figure} Figure */

/**
 * @param {string[]} head
 * @param {string[][]} rows
 * @param {number[]} right positions of the columns that are set to the right
 */
export function table(head, rows, right = []) {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column].length)));
  const line = (/** @type {string[]} */ cells) => `| ${cells.map((cell, column) => (right.includes(column) ? cell.padStart(widths[column]) : cell.padEnd(widths[column]))).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => (right.includes(column) ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2))).join('|')}|`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

/** Three figures that matter, and a unit. @param {number} value */
function significant(value) {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** @param {number} rate operations a second */
export function formatTime(rate) {
  const nanoseconds = 1e9 / rate;
  if (nanoseconds < 1e3) return `${significant(nanoseconds)} ns`;
  if (nanoseconds < 1e6) return `${significant(nanoseconds / 1e3)} µs`;
  return `${significant(nanoseconds / 1e6)} ms`;
}

/** @param {number} rate */
export function formatRate(rate) {
  if (rate >= 1e6) return `${significant(rate / 1e6)} M/s`;
  return rate >= 1e3 ? `${significant(rate / 1e3)} K/s` : `${significant(rate)}/s`;
}

/** How a rate stands to a threshold. @param {number} rate @param {number | undefined} wanted */
const against = (rate, wanted) => (wanted === undefined ? '–' : `${significant(rate / wanted)} × ${formatRate(wanted)}`);

/** The share of its floor that a row reaches. @param {Result} result */
function floorOf({ floor, beside }) {
  if (floor === undefined) return '–';
  const { share, rate } = beside[floor];
  return `${share < 0.01 ? (share * 100).toFixed(1) : (share * 100).toFixed(0)} % of ${floor} (${formatRate(rate)})`;
}

/**
 * One table of results.
 * @param {Result[]} results
 * @param {Record<string, number> | undefined} baseline rates by identity
 * @param {boolean} isJudged not so in a smoke run
 */
export function resultsTable(results, baseline, isJudged = true) {
  const head = ['row', 'call', 'durability', 'keys', 'value', 'time', 'rate', 'spread', 'bytes/s', 'of its floor', 'against ok', 'against stretch', 'status', 'against baseline', 'beside it'];
  const rows = results.map((result) => {
    const before = baseline?.[identityOf(result)];
    const compared = before === undefined ? undefined : compareRates(result.rate, before);
    return [
      result.name, result.what, result.durability, result.keys.toLocaleString('en'), `${result.valueSize}`, formatTime(result.rate), formatRate(result.rate),
      `±${(result.spread * 100).toFixed(0)} %`, result.name.startsWith('put_bytes') ? `${significant((result.rate * result.valueSize) / 1e6)} MB/s` : '–',
      floorOf(result), against(result.rate, result.threshold.ok), against(result.rate, result.threshold.stretch), isJudged ? statusOf(result.rate, result.threshold) : 'not judged',
      compared === undefined ? '–' : `${compared.change >= 0 ? '+' : ''}${(compared.change * 100).toFixed(0)} % ${compared.verdict}`,
      [...Object.entries(result.beside).filter(([name]) => name !== result.floor).map(([name, other]) => `${(other.share * 100).toFixed(0)} % of ${name} (${formatRate(other.rate)})`),
        ...Object.entries(result.figures).map(([name, value]) => `${significant(value)} ${name}`)].join('; ') || '–',
    ];
  });
  return table(head, rows, [3, 4, 5, 6, 7, 8]);
}

/** Whether a figure keeps its bound. @param {Figure} figure */
export function isMet(figure) {
  return figure.isCeiling ? figure.reached <= figure.bound : figure.reached >= figure.bound;
}

/** Aims are worded for full sizes: a run of other sizes is not judged by them. @param {Figure[]} figures @param {boolean} isJudged */
export function figuresTable(figures, isJudged = true) {
  const amount = (/** @type {number} */ value, /** @type {string} */ unit) => `${unit === 'bytes' && value >= 1000 ? value.toLocaleString('en') : significant(value)} ${unit}`;
  return table(['figure', 'aim', 'reached', 'met', 'note'], figures.map((figure) => [
    figure.aim, `${figure.isCeiling ? '≤' : '≥'} ${amount(figure.bound, figure.unit)}`, amount(figure.reached, figure.unit), isJudged ? (isMet(figure) ? 'yes' : 'NO') : 'not judged', figure.note,
  ]), [1, 2]);
}
