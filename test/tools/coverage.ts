/**
 * Which branches of the shipped core the tests take: `node test/run.mjs coverage [--list] [--last] [test file …]`. Runs tests on the core with a counter at each way of each branch, and prints, by source file, how many of
 * the ways were gone. The compiler copies functions to where they are called: a way of the source is gone where one of its copies was. What was not is held against `test/coverage/unreached.txt`, which gives the reason for each: ends with code 1 where a way is missing there. `--list` prints them all in the form of that file, `--last` judges the last run again.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { instrument, isBranch } from '../support/instrument.js';
import { mapCore, type Place } from '../support/source-map.js';

/** The tests that go everywhere in the core and take minutes, not more. */
const TESTS = [
  ...[
    'backup', 'commit-time', 'deleted', 'exhausted-memory', 'expiry', 'forgery', 'golden', 'history', 'history-reopened', 'hostile-files', 'invariants', 'keyspace', 'long-keys', 'many-segments', 'memory-refused', 'moved-values', 'paging', 'ranges', 'read-ahead', 'removed-slots', 'repair',
    'reentrancy', 'rewritten', 'scan-keys', 'session-scans', 'stale-bytes', 'store-values', 'transactions', 'watch', 'watch-commit', 'watch-waiting',
  ].map((name) => `test/unit/${name}.test.ts`),
  ...['compaction', 'damage', 'durability', 'failures', 'images', 'model', 'order', 'reused-slots', 'salvage-ends', 'scans', 'shown', 'snapshots', 'tears', 'transactions', 'unlisted', 'world'].map((name) => `test/simulation/${name}.test.ts`),
];
const LIST = new URL('../coverage/unreached.txt', import.meta.url);
const LAST = 'build/coverage.counts';

interface Missed {
  readonly line: number;
  readonly ways: string[];
}

const { values: options, positionals } = parseArgs({ allowPositionals: true, options: { list: { type: 'boolean', default: false }, last: { type: 'boolean', default: false } } });
const print = (line: string): void => void process.stdout.write(`${line}\n`);

function runTests(files: readonly string[], folder: string): void {
  const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', '--reporter=dot', '--testTimeout=600000', ...files], {
    env: { ...process.env, VARVE_COVERAGE: folder }, stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) print('some of these tests fail on the core with counters: run them without, and look');
}

/** The lines of the list: file, the line's text, and the reason, between bars. */
function readList(): Map<string, string> {
  const lines = readFileSync(LIST, 'utf8').split('\n').filter((line) => line.includes(' | '));
  return new Map(lines.map((line) => {
    const [file, text, reason] = line.split(' | ');
    return [`${file} | ${text}`, reason ?? ''];
  }));
}

const shipped = readFileSync('build/varve.wasm');
const { arms } = instrument(shipped, 'none');
const placeOf = mapCore(shipped);
const began = performance.now();
const counts = options.last ? new Uint8Array(readFileSync(LAST)) : countAnew(positionals.length === 0 ? TESTS : positionals);

function countAnew(tests: readonly string[]): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'varve-coverage-'));
  runTests(tests, folder);
  const found = new Uint8Array(arms.length);
  for (const name of readdirSync(folder)) for (const [arm, count] of readFileSync(join(folder, name)).entries()) found[arm]! |= count;
  rmSync(folder, { recursive: true });
  writeFileSync(LAST, found);
  return found;
}

/** The ways of the source: whether one of the copies of each was gone. */
const ways = new Map<string, { readonly kind: string; readonly place: Place; isGone: boolean }>();
let copies = 0;
let copiesGone = 0;
for (const [index, arm] of arms.entries()) {
  // An assertion that fails is a fault of the core: its way is there so that it is never gone. What the compiler adds, such as checks for null, has no place.
  const place = isBranch(arm) && !arm.isTrap ? placeOf(arm.offset) : undefined;
  if (place === undefined) continue;
  copies++;
  if (counts[index] !== 0) copiesGone++;
  const key = `${place.file}:${place.line}:${place.column}:${arm.kind}`;
  const way = ways.get(key) ?? { kind: arm.kind, place, isGone: false };
  ways.set(key, way);
  way.isGone ||= counts[index] !== 0;
}

const files = new Map<string, { gone: number; all: number }>();
const missed = new Map<string, Missed>();
const sources = new Map<string, readonly string[]>();
const linesOf = (file: string): readonly string[] => {
  if (!sources.has(file)) sources.set(file, readFileSync(file, 'utf8').split('\n'));
  return sources.get(file)!;
};
for (const { kind, place: { file, line }, isGone } of ways.values()) {
  const figures = files.get(file) ?? { gone: 0, all: 0 };
  files.set(file, figures);
  figures.all++;
  if (isGone) {
    figures.gone++;
    continue;
  }
  const text = linesOf(file)[line - 1]!.trim().replaceAll(' | ', ' or ');
  const key = `${file} | ${text}`;
  const one = missed.get(key) ?? { line, ways: [] };
  missed.set(key, one);
  one.ways.push(kind);
}

const list = options.list ? new Map<string, string>() : readList();
const share = ({ gone, all }: { gone: number; all: number }): string => `${((100 * gone) / all).toFixed(1).padStart(5)} %  ${String(gone).padStart(4)} of ${String(all).padStart(4)}`;
for (const [file, figures] of [...files].sort(([one], [other]) => (one < other ? -1 : 1))) print(`${share(figures)}  ${file}`);
const total = [...files.values()].reduce((sum, { gone, all }) => ({ gone: sum.gone + gone, all: sum.all + all }), { gone: 0, all: 0 });
const unexplained = [...missed].filter(([key]) => !list.has(key));
if (options.list) for (const [key, one] of missed) print(`${key} | ${one.ways.join(', ')}`);
print(`branches of the shipped core: ${share(total).trim()} ways of the source gone, ${copiesGone} of ${copies} with all their copies; ${missed.size} places with one that was not, of which ${missed.size - unexplained.length} have a reason; ${((performance.now() - began) / 1000).toFixed(0)} s`);
for (const [key, one] of options.list ? [] : unexplained) print(`without a reason: ${key} (line ${one.line}: ${one.ways.join(', ')})`);
process.exitCode = options.list || unexplained.length === 0 ? 0 : 1;
