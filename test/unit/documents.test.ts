/** The documents hold what the code holds: the format's tables against its constants, the README's words against what exists. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as format from '../../assembly/shared/format.js';
import * as varve from '../../src/index.js';

const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
const constants = format as Record<string, number>;

/** The rows of the table that stands behind a marker: field, offset and bits. */
function tableOf(document: string, prefix: string): { field: string; offset: number; bits: number }[] {
  const begin = document.indexOf(`<!-- table: ${prefix} -->`);
  expect(begin, `FORMAT.md has a table ${prefix}`).toBeGreaterThan(0);
  const rows: { field: string; offset: number; bits: number }[] = [];
  for (const line of document.slice(begin).split('\n').slice(3)) {
    if (!line.startsWith('|')) break;
    const [, field, offset, bits] = line.split('|').map((cell) => cell.trim());
    rows.push({ field: field!, offset: Number(offset), bits: Number(bits) });
  }
  return rows;
}

for (const [prefix, size] of [['SUPERBLOCK', format.SUPERBLOCK_RECORD_SIZE], ['SEGMENT', format.SEGMENT_HEADER_SIZE], ['FRAME', format.FRAME_HEAD_SIZE], ['RECORD', format.RECORD_HEADER_SIZE],
  ['IMAGE', format.IMAGE_HEADER_SIZE], ['FACTS', format.FACTS_SIZE], ['KEPT', format.KEPT_SIZE]] as const) {
  test(`the table of the ${prefix.toLowerCase()} in FORMAT.md is that of the constants`, () => {
    const rows = tableOf(read('FORMAT.md'), prefix);
    expect(rows.length).toBeGreaterThan(4);
    let end = 0;
    for (const { field, offset, bits } of rows) {
      expect(constants[`${prefix}_${field}`], `${prefix}_${field}`).toBe(offset);
      expect(offset, `${field} begins behind the field before it`).toBeGreaterThanOrEqual(end);
      end = offset + bits / 8;
    }
    expect(end).toBeLessThanOrEqual(size);
  });
}

test('FORMAT.md states sizes, flags and the version as the constants have them', () => {
  const document = read('FORMAT.md');
  expect(document).toContain(`format version ${format.FORMAT_VERSION}`);
  expect(document).toContain(`| ${format.SLOTS_OFFSET} + n × segment size |`);
  expect(document).toContain(`${format.FRAME_FLAG_END} END`);
  expect(document).toContain(`${format.FRAME_FLAG_COMPACTION} COMPACTION`);
  expect(document).toContain(`${format.FRAME_FLAG_SEAL} SEAL`);
  for (const [name, flag] of [['TOMBSTONE', format.RECORD_FLAG_TOMBSTONE], ['EXPIRY', format.RECORD_FLAG_EXPIRY], ['PART', format.RECORD_FLAG_PART], ['LARGE', format.RECORD_FLAG_LARGE]] as const) {
    expect(document, name).toMatch(new RegExp(`\\b${Math.log2(flag)} ${name}`));
  }
});

test('the README names every error class, and no other', () => {
  const named = new Set(read('README.md').match(/\b[A-Z]\w+Error\b/g));
  const exported = new Set(Object.keys(varve).filter((name) => name.endsWith('Error') && name !== 'VarveError'));
  expect([...named].sort()).toEqual([...exported].sort());
});

const DOCUMENTS = ['README.md', 'ARCHITECTURE.md', 'FORMAT.md', 'CHANGELOG.md', 'test/torture/README.md', ...readdirSync(new URL('../../docs/', import.meta.url)).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];
/** The folders that documents name files in, with or without a slash before them. */
const PATH = /^(?:assembly|bench|docs|examples|src|test|build|dist|\.ci)(?:\/[\w.-]+)+\/?$/;
/** What a build makes. */
const BUILT = /^(build|dist|bench\/results)\//;

/** What a document names as a path of the project: between backticks, or as the target of a link. */
function pathsIn(name: string): string[] {
  const text = read(name);
  const quoted = [...text.matchAll(/`([^`\s]+)`/g)].map(([, path]) => path!).filter((path) => PATH.test(path));
  const linked = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, path]) => path!).filter((path) => !/^[a-z]+:/.test(path));
  return [...quoted, ...linked.map((path) => new URL(path, new URL(name, 'file:///')).pathname.slice(1))].filter((path) => !BUILT.test(path));
}

test('every file and folder that a document names is there', () => {
  let count = 0;
  for (const name of DOCUMENTS) {
    for (const path of pathsIn(name)) {
      count++;
      expect(existsSync(new URL(`../../${path}`, import.meta.url)), `${name} names ${path}`).toBe(true);
    }
  }
  expect(count).toBeGreaterThan(30);
});

test('every command that a document names is one', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const tools = new Set(readdirSync(new URL('../tools/', import.meta.url)).map((name) => name.replace(/\.ts$/, '')));
  for (const name of DOCUMENTS) {
    for (const [command, script] of read(name).matchAll(/npm run ([\w-]+)/g)) expect(scripts[script!], `${name}: ${command}`).toBeDefined();
    for (const [command, tool] of read(name).matchAll(/node test\/run\.mjs ([\w-]+)/g)) expect(tools.has(tool!), `${name}: ${command}`).toBe(true);
  }
});

test('no document names a place that only its writer had', () => {
  for (const name of DOCUMENTS) expect(read(name), name).not.toMatch(/\/work\/|\/root\/|registry\.npmjs/);
});
