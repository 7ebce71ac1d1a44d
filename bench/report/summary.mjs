/** The summary in the README: made from the peers' raw results, between two markers, and never typed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { median } from '../harness/statistics.mjs';
import { formatRate, formatTime, table } from './table.mjs';

const README = new URL('../../README.md', import.meta.url);
export const BEGIN = '<!-- benchmarks: written by `npm run bench:page -- --readme` -->';
export const END = '<!-- end of benchmarks -->';

/** Rows of the summary, with what they are in plain words. */
export const ROWS = {
  'get/uniform': 'lookup, uniform', 'get/missing': 'lookup of a missing key', 'scan/100': 'scan of 100', 'put/overwrite': 'overwrite, awaited one by one', 'put/in flight': 'new key, many in flight', 'put/16384': 'new key with 16 KiB, awaited one by one', 'batch/1000': 'atomic batch of 1,000',
  'update/one': 'read-modify-write transaction', 'durable/one': 'durable write, one by one', 'durable/64': 'durable write, 64 in flight', 'reopen/crash': 'reopening after a crash', 'ycsb/A': 'YCSB A', 'ycsb/E': 'YCSB E',
};
export const COLUMNS = ['varve', 'lmdb', 'rocksdb', 'classic-level', 'better-sqlite3', 'bun:sqlite'];

/** @param {{ environment: Record<string, string>, subjects: Record<string, { version: string }>, standings: Record<string, Record<string, import('../contest/contest.mjs').Standing>> }} peers */
export function summarize({ environment, subjects, standings }) {
  const rows = Object.entries(ROWS).map(([row, words]) => {
    const among = standings[row] ?? {};
    return [among.varve === undefined ? words : `${words}, ${among.varve.label.keys.toLocaleString('en')} keys`, ...COLUMNS.map((name) => (among[name] === undefined ? '–' : row.startsWith('reopen/') ? formatTime(median(among[name].rates)) : formatRate(median(among[name].rates))))];
  });
  const versions = COLUMNS.slice(1).map((name) => `${name} ${subjects[name]?.version ?? ''}`.trim()).join(', ');
  return `${table(['', ...COLUMNS], rows, COLUMNS.map((_, index) => index + 1))}\n\n${environment.date.slice(0, 10)}, ${environment.machine}, ${environment.runtime.split(',')[0]}, ${environment.files.replace(/^\S+ \((.*)\)$/, 'files on $1')}, load ${environment.load.split(' ', 1)[0]} as it began; ${environment.sizes}; ${versions}.`;
}

/** Puts the summary between the markers of the README. @param {string} summary */
export function writeSummary(summary) {
  const text = readFileSync(README, 'utf8');
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error('README.md has no place for the summary: its markers are missing.');
  writeFileSync(README, `${text.slice(0, begin + BEGIN.length)}\n${summary}\n${text.slice(end)}`);
}
