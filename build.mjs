/**
 * Builds what is missing or out of date: dependencies, the core in its forms, the modules that carry its bytes, the bundles and their
 * types. Uses nothing but Node, so that it can run on a fresh clone. `--force` builds everything anew.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync, copyFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { constants, deflateRawSync } from 'node:zlib';

const root = dirname(fileURLToPath(import.meta.url));
const isForced = process.argv.includes('--force');
process.chdir(root);

function run(command, parameters) {
  const result = spawnSync(command, parameters, { stdio: ['ignore', 'inherit', 'inherit'], shell: process.platform === 'win32' });
  if (result.status !== 0) {
    process.stderr.write(`build: ${command} ${parameters.join(' ')} failed\n`);
    process.exit(1);
  }
}

function newestIn(...paths) {
  let newest = 0;
  for (const path of paths) {
    const status = statSync(path);
    if (!status.isDirectory()) newest = Math.max(newest, status.mtimeMs);
    else for (const name of readdirSync(path)) newest = Math.max(newest, newestIn(join(path, name)));
  }
  return newest;
}

function isStale(target, ...sources) {
  return isForced || !existsSync(target) || statSync(target).mtimeMs < newestIn(...sources);
}

if (!existsSync('node_modules/.package-lock.json') || statSync('node_modules/.package-lock.json').mtimeMs < statSync('package.json').mtimeMs) {
  run('npm', ['install', '--no-audit', '--no-fund']);
}

mkdirSync('build', { recursive: true });
const asc = join('node_modules', 'assemblyscript', 'bin', 'asc.js');
/** The core as programs have it, as pages have it, and with the contracts that its callers are held to. */
const CORES = [['release', 'build/varve.wasm'], ['small', 'build/varve.small.wasm'], ['debug', 'build/varve.debug.wasm']];
for (const [target, output] of CORES) {
  const isDebug = target === 'debug';
  const entries = isDebug ? ['assembly/index.ts', 'test/assembly/inside.ts'] : ['assembly/index.ts'];
  const transform = isDebug ? [] : ['--transform', './assembly/verify/without-contracts.mjs'];
  if (isStale(output, 'assembly', 'asconfig.json', ...entries)) run(process.execPath, [asc, ...entries, '--target', target, ...transform]);
}

/** Writes a module of one constant, and its type. */
function writeText(path, comment, name, text) {
  writeFileSync(`${path}.js`, `/** ${comment}: made by build.mjs. */\nexport const ${name} = "${text}";\n`);
  writeFileSync(`${path}.d.ts`, `export declare const ${name}: string;\n`);
}

if (isStale('build/wasm.js', 'build/varve.wasm', 'build.mjs')) {
  // A character for each byte, 35 above it: printable, never the quote, and once compressed a quarter smaller than base64, which hides repetitions.
  const text = Array.from(readFileSync('build/varve.wasm'), (byte) => String.fromCharCode(byte + 35)).join('').replaceAll('\\', '\\\\');
  writeText('build/wasm', 'The core, compiled, each byte as the character 35 above it', 'wasmText', text);
}
if (isStale('build/small.js', 'build/varve.small.wasm', 'build.mjs')) {
  const text = deflateRawSync(readFileSync('build/varve.small.wasm'), { level: constants.Z_BEST_COMPRESSION }).toString('base64');
  writeText('build/small', 'The core of pages, compiled, deflated, in base64', 'deflatedCore', text);
}

if (isStale('build/worker.js', 'src', 'assembly/shared', 'build.mjs', 'platform-bundles.mjs')) {
  const { bundleWorker } = await import('./platform-bundles.mjs');
  writeFileSync('build/worker.js', `/** The program of the worker that has a page's store: made by build.mjs. */\nexport const workerText = ${JSON.stringify(await bundleWorker())};\n`);
  writeFileSync('build/worker.d.ts', 'export declare const workerText: string;\n');
}

if (isStale('dist/index.js', 'src', 'assembly/shared', 'build/wasm.js', 'build/small.js', 'build/worker.js', 'build.mjs', 'platform-bundles.mjs')) {
  rmSync('dist', { recursive: true, force: true });
  const { build } = await import('esbuild');
  const { writePlatformBundles } = await import('./platform-bundles.mjs');
  await build({
    entryPoints: ['src/index.ts'], outfile: 'dist/index.js', bundle: true, format: 'esm', charset: 'utf8', target: 'es2022', platform: 'neutral', external: ['@assemblyscript/loader', '@msgpack/msgpack'], logLevel: 'warning',
  });
  await writePlatformBundles('dist');
  copyFileSync('build/varve.wasm', 'dist/varve.wasm');
  run(process.execPath, [join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json']);
}
