/** Charts as SVG, drawn on the server by Observable Plot, in colors that the page's style sheet sets: so one page is light or dark. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

const { document } = parseHTML('<!doctype html><html><body></body></html>');

const WIDTH = 520;
const ROW_HEIGHT = 19;
const TICKS_MAX = 4;
const MARGINS = { marginTop: 28, marginBottom: 34, marginRight: 18 };

/** The color of each series, by its place. @param {number} index */
export const colorOf = (index) => `var(--series-${index})`;

/** @param {Plot.PlotOptions} options */
function draw(options) {
  const svg = Plot.plot({ document, width: WIDTH, style: { background: 'none', fontSize: '11px', overflow: 'visible' }, ...MARGINS, ...options });
  return svg.outerHTML;
}

/** @param {number} value */
const multiple = (value) => `${value >= 1 ? value.toLocaleString('en', { maximumFractionDigits: 0 }) : value.toLocaleString('en', { maximumFractionDigits: 6 })}×`;
/** @param {number} rate */
export const rateLabel = (rate) => (rate >= 1e6 ? `${rate / 1e6} M/s` : rate >= 1e3 ? `${rate / 1e3} K/s` : `${rate}/s`);
/** @param {number} nanoseconds */
const durationLabel = (nanoseconds) => (nanoseconds >= 1e9 ? `${nanoseconds / 1e9} s` : nanoseconds >= 1e6 ? `${nanoseconds / 1e6} ms` : nanoseconds >= 1e3 ? `${nanoseconds / 1e3} µs` : `${nanoseconds} ns`);

/** The powers of ten from below the least to above the most. @param {number[]} values */
function decades(values) {
  const from = Math.floor(Math.log10(Math.min(...values)));
  const to = Math.ceil(Math.log10(Math.max(...values)));
  return Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index));
}

/**
 * Points on rows, along a scale of multiples of something.
 * @param {{ row: string, series: string, value: number }[]} points
 * @param {string[]} series in the order of their colors
 * @param {string} label of the scale
 */
export function multiples(points, series, label) {
  const rows = [...new Set(points.map(({ row }) => row))];
  const all = decades([...points.map(({ value }) => value), 1]);
  // Labels of more would run into each other.
  const ticks = all.length <= TICKS_MAX ? all : all.filter((tick) => Math.round(Math.log10(tick)) % 2 === 0);
  return draw({
    height: rows.length * ROW_HEIGHT + 62, marginLeft: 12 + 6.1 * Math.max(...rows.map(({ length }) => length)),
    x: { type: 'log', label, ticks, tickFormat: multiple, domain: [all[0], all[all.length - 1]] }, y: { domain: rows, label: null, tickSize: 0 },
    marks: [
      Plot.gridX({ ticks, stroke: 'var(--line)', strokeOpacity: 1 }),
      Plot.ruleY(rows, { stroke: 'var(--line)' }),
      Plot.ruleX([1], { stroke: 'var(--ink)', strokeWidth: 1.5 }),
      Plot.dot(points, { x: 'value', y: 'row', r: 4.5, fill: ({ series: name }) => colorOf(series.indexOf(name)), stroke: 'var(--paper)', strokeWidth: 1, title: ({ row, series: name, value }) => `${row}, ${name}: ${value.toPrecision(3)}×` }),
    ],
  });
}

/**
 * Bars of rates, a group of series under one another.
 * @param {{ row: string, series: string, value: number }[]} points @param {string[]} series
 */
export function bars(points, series) {
  const shown = series.filter((name) => points.some((point) => point.series === name));
  const rows = [...new Set(points.map(({ row }) => row))];
  return draw({
    height: rows.length * (shown.length * 13 + 14) + 60, marginLeft: 56,
    x: { label: 'operations a second', tickFormat: rateLabel, ticks: 5 }, y: { domain: shown, axis: null }, fy: { domain: rows, label: null, padding: 0.18 },
    marks: [
      Plot.gridX({ ticks: 5, stroke: 'var(--line)', strokeOpacity: 1 }),
      Plot.barX(points, { x: 'value', y: 'series', fy: 'row', fill: ({ series: name }) => colorOf(series.indexOf(name)), title: ({ row, series: name, value }) => `${row}, ${name}: ${Math.round(value).toLocaleString('en')}/s` }),
      Plot.ruleX([0], { stroke: 'var(--ink)' }),
    ],
  });
}

/** Shares of something, as bars up to the whole. @param {{ row: string, value: number, what: string }[]} points */
export function shares(points) {
  const rows = points.map(({ row }) => row);
  return draw({
    height: rows.length * ROW_HEIGHT + 62, marginLeft: 12 + 6.1 * Math.max(...rows.map(({ length }) => length)),
    x: { label: 'share of the floor', domain: [0, 1], tickFormat: (/** @type {number} */ share) => `${Math.round(100 * share)} %`, ticks: 5, clamp: true }, y: { domain: rows, label: null, tickSize: 0 },
    marks: [
      Plot.gridX({ ticks: 5, stroke: 'var(--line)', strokeOpacity: 1 }),
      Plot.barX(points, { x: 'value', y: 'row', fill: colorOf(0), insetTop: 3, insetBottom: 3, title: ({ row, value, what }) => `${row}: ${(100 * value).toFixed(1)} % of ${what}` }),
      Plot.text(points, { x: 'value', y: 'row', text: ({ what }) => what, textAnchor: 'start', dx: 5, fill: 'var(--soft)', fontSize: 9 }),
    ],
  });
}

/**
 * Latencies by the share of operations that take at most so long; the scale stretches the slow end.
 * @param {{ series: string, share: number, nanoseconds: number }[]} points @param {string[]} series
 */
export function latencies(points, series) {
  const tails = [1, 0.1, 0.01, 0.001, 0.0001];
  const ticks = decades(points.map(({ nanoseconds }) => nanoseconds));
  return draw({
    height: 250, marginLeft: 56,
    x: { type: 'log', domain: [1, 0.0001], ticks: tails, tickFormat: (/** @type {number} */ tail) => `${(100 * (1 - tail)).toFixed(tail < 0.01 ? (tail < 0.001 ? 2 : 1) : 0)} %`, label: 'of operations take at most' },
    y: { type: 'log', domain: [ticks[0], ticks[ticks.length - 1]], ticks, tickFormat: durationLabel, label: null },
    marks: [
      Plot.gridY({ ticks, stroke: 'var(--line)', strokeOpacity: 1 }),
      Plot.line(points, { x: ({ share }) => Math.max(1e-4, 1 - share), y: 'nanoseconds', z: 'series', stroke: ({ series: name }) => colorOf(series.indexOf(name)), strokeWidth: 2 }),
    ],
  });
}

/**
 * Lines over the number of keys.
 * @param {{ series: string, keys: number, value: number }[]} points @param {string[]} series @param {(value: number) => string} format
 */
export function growth(points, series, format) {
  const values = points.map(({ value }) => value);
  const ticks = decades(values);
  const counts = decades(points.map(({ keys }) => keys));
  return draw({
    height: 260, marginLeft: 64,
    x: { type: 'log', ticks: counts, tickFormat: (/** @type {number} */ count) => (count >= 1e6 ? `${count / 1e6} M` : count >= 1e3 ? `${count / 1e3} K` : `${count}`), label: 'keys' },
    y: { type: 'log', ticks, domain: [ticks[0], ticks[ticks.length - 1]], tickFormat: format, label: null },
    marks: [
      Plot.gridY({ ticks, stroke: 'var(--line)', strokeOpacity: 1 }),
      Plot.line(points, { x: 'keys', y: 'value', z: 'series', stroke: ({ series: name }) => colorOf(series.indexOf(name)), strokeWidth: 2 }),
      Plot.dot(points, { x: 'keys', y: 'value', r: 4, fill: ({ series: name }) => colorOf(series.indexOf(name)), title: ({ series: name, keys, value }) => `${name}, ${keys.toLocaleString('en')} keys: ${format(Number(value.toPrecision(3)))}` }),
    ],
  });
}
