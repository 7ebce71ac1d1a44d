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

const { build } = await import('esbuild');

/** Bundles for browsers carry nothing of Node: what differs between platforms is chosen when they are built, not when they run. */
const forBrowsers = {
  name: 'for-browsers',
  setup({ onResolve }) {
    onResolve({ filter: /\/device\/platform\.js$|^\.\/platform\.js$/ }, () => ({ path: join(root, 'src/device/web-platform.ts') }));
    onResolve({ filter: /^@assemblyscript\/loader$/ }, () => ({ path: join(root, 'src/engine/web-loader.ts') }));
  },
};
/** Neither pages nor their workers have the core that programs have: a worker is handed the one of its page, compiled. */
const withoutCore = {
  name: 'without-core',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /build\/wasm\.js$/ }, () => ({ path: 'wasm', namespace: 'without-core' }));
    onLoad({ filter: /.*/, namespace: 'without-core' }, () => ({ contents: "export const wasmText = '';" }));
  },
};
/** In workerd nothing is compiled while a program runs: the core is a module of the program, which lies beside this one. */
const withCoreModule = {
  name: 'with-core-module',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.\/compile\.js$/ }, () => ({ path: 'core', namespace: 'with-core-module' }));
    onResolve({ filter: /\/varve\.wasm$/ }, () => ({ path: './varve.wasm', external: true }));
    onLoad({ filter: /.*/, namespace: 'with-core-module' }, () => ({ contents: "import core from './varve.wasm';\nexport const compiledCore = () => core;" }));
  },
};
const common = { bundle: true, format: 'esm', charset: 'utf8', target: 'es2022', logLevel: 'warning' };
const forPages = { ...common, platform: 'browser', plugins: [forBrowsers, withoutCore] };
const worker = { ...forPages, entryPoints: ['src/worker/main.ts'], minify: true };

if (isStale('build/worker.js', 'src', 'assembly/shared', 'build.mjs')) {
  // As a page starts it from a Blob.
  const { outputFiles } = await build({ ...worker, format: 'iife', write: false });
  writeFileSync('build/worker.js', `/** The program of the worker that has a page's store: made by build.mjs. */\nexport const workerText = ${JSON.stringify(outputFiles[0].text)};\n`);
  writeFileSync('build/worker.d.ts', 'export declare const workerText: string;\n');
}

if (isStale('dist/index.js', 'src', 'assembly/shared', 'build/wasm.js', 'build/small.js', 'build/worker.js', 'build.mjs')) {
  rmSync('dist', { recursive: true, force: true });
  await build({ ...common, entryPoints: ['src/index.ts'], outfile: 'dist/index.js', platform: 'neutral', external: ['@assemblyscript/loader', '@msgpack/msgpack'] });
  // A page may load these as they are, so they carry what they depend on; names are left alone, for whoever looks into them.
  await build({ ...forPages, entryPoints: ['src/browser.ts'], outdir: 'dist', splitting: true, chunkNames: 'browser-[hash]', minifySyntax: true, minifyWhitespace: true });
  await build({ ...worker, outfile: 'dist/worker.js' });
  await build({ ...common, entryPoints: ['src/index.ts'], outfile: 'dist/workerd.js', platform: 'browser', external: ['@msgpack/msgpack'], plugins: [forBrowsers, withCoreModule] });
  copyFileSync('build/varve.wasm', 'dist/varve.wasm');
  run(process.execPath, [join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json']);
}
