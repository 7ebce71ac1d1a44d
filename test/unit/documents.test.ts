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

/** The tables of FORMAT.md, with the bytes that there are for the fields of each. */
const TABLES = [['SUPERBLOCK', format.SUPERBLOCK_RECORD_SIZE], ['SEGMENT', format.SEGMENT_HEADER_SIZE], ['FRAME', format.FRAME_HEAD_SIZE], ['RECORD', format.RECORD_HEADER_SIZE], ['IMAGE', format.IMAGE_HEADER_SIZE],
  ['FACTS', format.FACTS_SIZE], ['PAGE', format.PAGE_HEADER_SIZE], ['KEPT', format.KEPT_SIZE]] as const;

for (const [prefix, size] of TABLES) {
  test(`the table of the ${prefix.toLowerCase()} in FORMAT.md is that of the constants`, () => {
    const rows = tableOf(read('FORMAT.md'), prefix);
    expect(rows.length).toBeGreaterThan(3);
    let end = 0;
    for (const { field, offset, bits } of rows) {
      expect(constants[`${prefix}_${field}`], `${prefix}_${field}`).toBe(offset);
      expect(offset, `${field} begins behind the field before it`).toBeGreaterThanOrEqual(end);
      end = offset + bits / 8;
    }
    expect(end).toBeLessThanOrEqual(size);
  });
}

/** The bytes of a 32-bit constant in the order of the file: in hexadecimal, and as text. */
const bytesOf = (word: number): number[] => [0, 8, 16, 24].map((shift) => (word >>> shift) & 0xff);
const hexOf = (word: number): string => bytesOf(word).map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
const textOf = (word: number): string => String.fromCharCode(...bytesOf(word));

/** How FORMAT.md states a constant that is no field of a table. */
const STATED: Record<string, (value: number) => string> = {
  FORMAT_VERSION: (value) => `format version ${value}`,
  ADDRESS_UNIT_SHIFT: (value) => `offset in the segment / ${2 ** value}`,
  WORD_FIELD_BITS: (value) => `An **address** is ${value} bits`,
  SECTOR_SIZE: (value) => `A **sector** of ${value} bytes`,
  SECTOR_SHIFT: (value) => `A **sector** of ${2 ** value} bytes`,
  SEGMENT_SIZE_SHIFT_MIN: (value) => `log2 of the segment size: ${value} to`,
  SEGMENT_SIZE_SHIFT_MAX: (value) => `log2 of the segment size: ${format.SEGMENT_SIZE_SHIFT_MIN} to ${value}`,
  SUPERBLOCK_SIZE: (value) => `| ${value} | ${value} | superblock 1 |`,
  SUPERBLOCK_COPY_STRIDE: (value) => `at 0 and at ${value}`,
  SLOTS_OFFSET: (value) => `| ${value} + n × segment size |`,
  SUPERBLOCK_MAGIC_LOW: (value) => `\`${hexOf(value)} `,
  SUPERBLOCK_MAGIC_HIGH: (value) => ` ${hexOf(value)}\``,
  SUPERBLOCK_RECORD_SIZE: (value) => `its record of ${value} bytes`,
  SUPERBLOCK_FLAG_CLEAN: (value) => `${value}: closed in order`,
  SEGMENT_MAGIC_LOW: (value) => `"${textOf(value)}`,
  SEGMENT_MAGIC_HIGH: (value) => `${textOf(value)}"`,
  SEGMENT_HEADER_SIZE: (value) => `The list follows at ${value}.`,
  IMAGE_CHUNK_SIZE: (value) => `chunks of ${value / 1024} KiB`,
  IMAGE_MAGIC_LOW: (value) => `"${textOf(value)}`,
  IMAGE_MAGIC_HIGH: (value) => `${textOf(value)}"`,
  IMAGE_HEADER_SIZE: (value) => `which follow at ${value} |`,
  ENTRY_FACTS: (value) => `the facts, ${format.FACTS_SIZE} bytes of which the first is ${value}:`,
  FACTS_SIZE: (value) => `the facts, ${value} bytes`,
  ENTRY_SEGMENT: (value) => `An entry is ${format.KEPT_SIZE} bytes, of which the first is ${value}:`,
  KEPT_SIZE: (value) => `An entry is ${value} bytes`,
  ENTRY_PAGE: (value) => `It begins with ${format.PAGE_HEADER_SIZE} bytes, of which the first is ${value}:`,
  PAGE_HEADER_SIZE: (value) => `It begins with ${value} bytes`,
  FRAME_MAGIC_VALUE: (value) => `\`${value.toString(16)}\``,
  FRAME_HEAD_SIZE: (value) => `A frame takes ${value} + BODY_SIZE bytes`,
  FRAME_FLAG_END: (value) => `${value} END`,
  FRAME_FLAG_COMPACTION: (value) => `${value} COMPACTION`,
  FRAME_FLAG_SEAL: (value) => `${value} SEAL`,
  DECLARATION_SIZE: (value) => `${value} for each and ${value} for their hash`,
  DECLARATION_SINGLE_BIT: (value) => `(bit ${value} set`,
  RECORD_HEADER_SIZE: (value) => `The header is ${value} bytes.`,
  RECORD_EXPIRY_SIZE: (value) => `With EXPIRY, ${value} bytes`,
  RECORD_KIND_MASK: (value) => `bits 0–${Math.log2(value + 1) - 1}: the kind`,
  RECORD_FLAG_TOMBSTONE: (value) => ` ${Math.log2(value)} TOMBSTONE`,
  RECORD_FLAG_EXPIRY: (value) => ` ${Math.log2(value)} EXPIRY`,
  RECORD_FLAG_PART: (value) => ` ${Math.log2(value)} PART`,
  RECORD_FLAG_LARGE: (value) => ` ${Math.log2(value)} LARGE`,
  RECORD_FLAG_TIME: (value) => ` ${Math.log2(value)} TIME`,
  RECORD_KEY_SIZE_HIGH_SHIFT: (value) => `${value}–${value + 1}: bits 16–17 of the key's size`,
};

test('FORMAT.md has each constant of the format: as a row of a table, or in a sentence', () => {
  const document = read('FORMAT.md');
  const fields = new Set(TABLES.flatMap(([prefix]) => tableOf(document, prefix).map(({ field }) => `${prefix}_${field}`)));
  for (const [name, value] of Object.entries(constants)) {
    if (fields.has(name)) continue;
    const statement = name.startsWith('SEED_') ? `${name} \`${textOf(value).split('').reverse().join('')}\`` : STATED[name]?.(value);
    expect(statement, `${name} has a row in FORMAT.md, or is stated in it`).toBeDefined();
    expect(document, name).toContain(statement);
  }
});

test('the README names every error class, and no other', () => {
  const named = new Set(read('README.md').match(/\b[A-Z]\w+Error\b/g));
  const exported = new Set(Object.keys(varve).filter((name) => name.endsWith('Error') && name !== 'VarveError'));
  expect([...named].sort()).toEqual([...exported].sort());
});

test('docs/errors.md has every error class with its code and its fields, and no other', () => {
  const rows = new Map([...read('docs/errors.md').matchAll(/^\| `(\w+Error)` `(VARVE_\w+)`((?:,| or| `\w+`)*) \|/gm)].map(([, name, code, fields]) => [name!, { code, fields: fields!.match(/\w+(?=`)/g) ?? [] }]));
  const classes = Object.entries(varve).filter(([name]) => name.endsWith('Error') && name !== 'VarveError') as [string, { prototype: { code: string } }][];
  expect([...rows.keys()].sort()).toEqual(classes.map(([name]) => name).sort());
  const declared = read('src/errors.ts');
  for (const [name, { prototype }] of classes) {
    expect(rows.get(name)!.code, name).toBe(prototype.code);
    const body = declared.slice(declared.indexOf(`class ${name} `), declared.indexOf(`define(${name}`));
    const own = [...body.matchAll(/^ {2}readonly (\w+):/gm)].map(([, field]) => field);
    expect(rows.get(name)!.fields.filter((field) => field !== 'cause').sort(), name).toEqual(own.sort());
  }
});

test('the longest keys in docs/files.md fit, and longer ones do not', async () => {
  const rows = [...read('docs/files.md').matchAll(/^\| (\d+) KiB(?: and more)? \| ([\d,]+) bytes \|/gm)];
  expect(rows.length).toBe(7);
  for (const [, segment, figure] of rows) {
    const segmentSize = Number(segment) * 1024;
    const longest = Number(figure!.replaceAll(',', ''));
    const db = await varve.open(':memory:', { segmentSize, memory: { initial: 1 << 20 } });
    // A text takes a byte more than its letters.
    const put = (size: number): number => db.putSync('k'.repeat(size - 1), new Uint8Array(segmentSize));
    expect(put(longest)).toBe(1);
    expect(() => put(Math.ceil(longest * 1.04)), `${segment} KiB`).toThrow(varve.TooLargeError);
    await db.close();
  }
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

test('every heading that a link leads to is there', () => {
  for (const name of DOCUMENTS) {
    for (const [, path, anchor] of read(name).matchAll(/\]\(([^)#\s]*)#([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(path!)) continue;
      const target = path === '' ? name : new URL(path!, new URL(name, 'file:///')).pathname.slice(1);
      const anchors = [...read(target).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading!.toLowerCase().replace(/[^\p{L}\p{N}\s-]/gu, '').replaceAll(' ', '-'));
      expect(anchors, `${name} leads to ${target}#${anchor}`).toContain(anchor);
    }
  }
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
