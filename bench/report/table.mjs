/** Tables for people: plain text that is Markdown too. */
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

/** @param {number | undefined} rate */
const threshold = (rate) => (rate === undefined ? '–' : formatRate(rate));

/** What names a row of a table and of a baseline. @param {Result} result */
export function identityOf(result) {
  return `${result.name} · ${result.durability} · ${result.what}`;
}

/**
 * One table of results.
 * @param {Result[]} results
 * @param {Record<string, number> | undefined} baseline rates by identity
 */
export function resultsTable(results, baseline) {
  const head = ['row', 'call', 'durability', 'keys', 'value', 'time', 'rate', 'spread', 'bytes/s', 'ok', 'stretch', 'status', 'beside it', 'against baseline'];
  const rows = results.map((result) => {
    const before = baseline?.[identityOf(result)];
    const compared = before === undefined ? undefined : compareRates(result.rate, before);
    return [
      result.name, result.what, result.durability, result.keys.toLocaleString('en'), `${result.valueSize}`, formatTime(result.rate), formatRate(result.rate),
      `±${(result.spread * 100).toFixed(0)} %`, result.name.startsWith('put_bytes') ? `${significant((result.rate * result.valueSize) / 1e6)} MB/s` : '–',
      threshold(result.threshold.ok), threshold(result.threshold.stretch), statusOf(result.rate, result.threshold),
      [...Object.entries(result.beside).map(([name, other]) => `${(other.share * 100).toFixed(0)} % of ${name} (${formatRate(other.rate)})`),
        ...Object.entries(result.figures).map(([name, value]) => `${significant(value)} ${name}`)].join('; ') || '–',
      compared === undefined ? '–' : `${compared.change >= 0 ? '+' : ''}${(compared.change * 100).toFixed(0)} % ${compared.verdict}`,
    ];
  });
  return table(head, rows, [3, 4, 5, 6, 7, 8, 9, 10]);
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
