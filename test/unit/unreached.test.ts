/** The list of the branches of the core that tests leave out cannot rot: each line names a place that is there, once, and says why in words that stand at the top of the list. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);
const lines = readFileSync(new URL('test/coverage/unreached.txt', root), 'utf8').trimEnd().split('\n');
const entries = lines.filter((line) => line.startsWith('assembly/')).map((line) => line.split(' | '));
const reasons = lines.filter((line) => line.startsWith('- ')).map((line) => line.slice(2));
const textsOf = new Map<string, ReadonlySet<string>>();

function hasLine(file: string, text: string): boolean {
  if (!textsOf.has(file)) textsOf.set(file, new Set(readFileSync(new URL(file, root), 'utf8').split('\n').map((line) => line.trim().replaceAll(' | ', ' or '))));
  return textsOf.get(file)!.has(text);
}

test('every line is a file, the text of a line of it, and a reason', () => {
  expect(entries.length).toBeGreaterThan(50);
  for (const entry of entries) {
    expect(entry.length, entry.join(' | ')).toBe(3);
    const [file, text, reason] = entry as [string, string, string];
    expect(hasLine(file, text), `${file} has no line "${text}" any more: look at the place again, with node test/run.mjs coverage`).toBe(true);
    expect(reasons, `${file} | ${text}`).toContain(reason);
  }
});

test('no place stands there twice, and they are in order', () => {
  const places = entries.map(([file, text]) => `${file} | ${text}`);
  expect(places).toEqual([...new Set(places)].sort());
});

test('every reason is given somewhere, and is one', () => {
  for (const reason of reasons) {
    expect(entries.some(([, , given]) => given === reason), reason).toBe(true);
    expect(reason.split(' ').length, reason).toBeGreaterThan(5);
  }
});

test('nothing else stands in the list than what it is, its reasons and its places', () => {
  const others = lines.slice(1).filter((line) => line !== '' && !line.startsWith('assembly/') && !line.startsWith('- '));
  expect(others).toEqual([]);
});
