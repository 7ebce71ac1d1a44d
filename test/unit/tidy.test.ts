/** The house rules that a program can check. */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

function filesOf(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder)).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(join(root, path)).isDirectory()) return name === 'node_modules' || name === 'results' ? [] : filesOf(path);
    return /\.(ts|mjs)$/.test(name) ? [path] : [];
  });
}

const text = (path: string): string => readFileSync(join(root, path), 'utf8');
const sources = [...filesOf('assembly'), ...filesOf('src')];
const everything = [...sources, ...filesOf('test'), ...filesOf('bench'), ...filesOf('examples')];

function importsOf(path: string): string[] {
  return [...text(path).replace(/import type .*/g, '').matchAll(/(?:from|(?<!typeof )import\()\s*'([^']+)'/g)].map(([, target]) => (target!.startsWith('.') ? relative(root, join(root, path, '..', target!)) : target!));
}

test('every file begins with what it is for', () => {
  for (const path of everything) expect(text(path).replace(/^#!.*\n/, '').trimStart().startsWith('/**'), path).toBe(true);
});

test('source files are short enough to be one noun', () => {
  for (const path of sources) expect(text(path).split('\n').length, path).toBeLessThanOrEqual(430);
});

test('the core holds its functions to what they promise one another of pointers and lengths', () => {
  let lines = 0;
  let assertions = 0;
  for (const path of filesOf('assembly').filter((one) => !one.startsWith(join('assembly', 'shared')) && !one.endsWith('contract.ts'))) {
    const code = text(path).replace(/\/\*\*[\s\S]*?\*\//g, '').split('\n').filter((line) => line.trim() !== '' && !/^\s*(\/\/|import )/.test(line));
    lines += code.length;
    assertions += code.filter((line) => /\b(assert|requires\w*|ensures)\(/.test(line)).length;
  }
  const density = Math.round((1000 * assertions) / lines);
  process.stdout.write(`assertions: ${assertions} in ${lines} lines of the core's code, ${density} for 1,000\n`);
  expect(density).toBeGreaterThanOrEqual(85);
});

test('nothing was left lying about', () => {
  const marks = new RegExp(`\\b(${['TO', 'DO'].join('')}|${['FIX', 'ME'].join('')}|${['X', 'XX'].join('')})\\b|\\.only\\(|debugger;`);
  for (const path of everything) if (!path.endsWith('tidy.test.ts')) expect(text(path), path).not.toMatch(marks);
});

test('one folder knows WebAssembly, one the platforms', () => {
  for (const path of filesOf('src')) {
    if (!path.startsWith(join('src', 'engine'))) {
      expect(text(path), `${path}: instances and memories belong to src/engine`).not.toMatch(/new WebAssembly\.(Instance|Memory|Module)\b/);
      for (const target of importsOf(path)) expect(target, `${path} goes around the engine`).not.toMatch(/engine\/(core|module)\.js$(?<!options\.ts)/);
    }
    if (!path.startsWith(join('src', 'device'))) expect(text(path), path).not.toMatch(/'node:|\bprocess\./);
    for (const target of importsOf(path)) expect(target, `${path}: no static import of a platform's module`).not.toMatch(/^node:/);
  }
});

test('the core knows nothing of the facade, codecs nothing of the engine, devices nothing of the log', () => {
  for (const path of filesOf('assembly')) for (const target of importsOf(path)) expect(target, path).toMatch(/^assembly\//);
  for (const path of filesOf('src/codec')) for (const target of importsOf(path)) expect(target, path).not.toMatch(/src\/(engine|device|durability|store)/);
  for (const path of filesOf('src/device')) for (const target of importsOf(path)) expect(target, path).not.toMatch(/src\/(engine|codec|durability|store)/);
});

test('the shared numbers are constants and nothing else', () => {
  for (const path of filesOf('assembly/shared')) {
    const lines = text(path).replace(/\/\*\*[\s\S]*?\*\//g, '').split('\n').filter((line) => line.trim() !== '' && !line.startsWith('//'));
    for (const line of lines) expect(line, path).toMatch(/^export const [A-Z][A-Z0-9_]* = -?(0x[0-9a-f]+|\d+);( \/\/.*)?$/);
  }
});
