/** The examples, and the code of the README, run as a newcomer would run them: as programs, on the built package. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'varve-examples-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(args: string[], cwd = root): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8', timeout: 100_000 });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout;
}

test('basics.mjs does what its comments say', () => {
  const output = run(['examples/basics.mjs']);
  expect(output).toContain("name: 'Ada'");
  expect(output).toContain('false undefined');
  expect(output).toContain('true false true');
  expect(output).toContain("key: [ 'order', 2026, 11n, true ]");
  expect(output).toContain('[ 1, Uint8Array(3) [ 1, 2, 3 ], undefined ]');
  expect(output).toContain('1003 keys');
  expect(output).toContain('VARVE_INVALID_ARGUMENT');
  expect(output).toContain('true 0');
});

test('start.mjs is killed in the middle and loses nothing', () => {
  const output = run(['examples/start.mjs', '--records', '20000']);
  const acknowledged = /acknowledged ([\d,]+) puts/.exec(output)?.[1]?.replaceAll(',', '');
  expect(Number(acknowledged)).toBeGreaterThanOrEqual(10_000);
  expect(Number(acknowledged)).toBeLessThan(20_000);
  expect(output).toContain(`proof: all ${Number(acknowledged).toLocaleString('en-US')} acknowledged puts`);
  expect(output).toMatch(/proof: [\d,]+ more were on their way/);
  expect(output).toContain('Updated 1,000 with cas');
  for (const figure of output.matchAll(/(?:commits|writes|reads|recovery|disk|memory).*? {2}([\d,]+) /g)) expect(Number(figure[1]!.replaceAll(',', ''))).toBeGreaterThan(0);
});

test('the programs of the README run as they stand', () => {
  const programs = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/```js\n([\s\S]*?)```/g)].map(([, program]) => program!);
  expect(programs.length).toBeGreaterThan(0);
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules', 'varve'));
  for (const [index, program] of programs.entries()) {
    const file = join(folder, `readme-${index}.mjs`);
    writeFileSync(file, program);
    run([file], folder);
  }
});
