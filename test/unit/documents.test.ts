/** The documents hold what the code holds: the format's tables against its constants, the README's words against what exists. */
import { readFileSync } from 'node:fs';
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

test('no document names a place that only its writer had', () => {
  for (const name of ['README.md', 'ARCHITECTURE.md', 'FORMAT.md', 'CHANGELOG.md']) expect(read(name), name).not.toMatch(/\/work\/|\/root\/|registry\.npmjs/);
});
