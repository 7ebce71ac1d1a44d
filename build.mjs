/**
 * Builds what is missing or out of date: dependencies, the core in both forms, the module that carries its bytes, the bundle and its
 * types. Uses nothing but Node, so that it can run on a fresh clone. `--force` builds everything anew.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync, copyFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

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
for (const target of ['release', 'debug']) {
  const output = target === 'release' ? 'build/varve.wasm' : 'build/varve.debug.wasm';
  const entries = target === 'release' ? ['assembly/index.ts'] : ['assembly/index.ts', 'test/assembly/inside.ts'];
  // The release build has no contracts: what the debug build holds callers to.
  const transform = target === 'release' ? ['--transform', './assembly/verify/without-contracts.mjs'] : [];
  if (isStale(output, 'assembly', 'asconfig.json', ...entries)) run(process.execPath, [asc, ...entries, '--target', target, ...transform]);
}

if (isStale('build/wasm.js', 'build/varve.wasm', 'build.mjs')) {
  // A character for each byte, 35 above it: printable, never the quote, and once compressed a quarter smaller than base64, which hides repetitions.
  const text = Array.from(readFileSync('build/varve.wasm'), (byte) => String.fromCharCode(byte + 35)).join('').replaceAll('\\', '\\\\');
  writeFileSync('build/wasm.js', `/** The core, compiled, each byte as the character 35 above it: made by build.mjs. */\nexport const wasmText = "${text}";\n`);
  writeFileSync('build/wasm.d.ts', 'export declare const wasmText: string;\n');
}

/** Bundles for browsers carry nothing of Node: what differs between platforms is chosen when they are built, not when they run. */
const forBrowsers = {
  name: 'for-browsers',
  setup(build) {
    build.onResolve({ filter: /\/device\/platform\.js$|^\.\/platform\.js$/ }, () => ({ path: join(root, 'src/device/web-platform.ts') }));
  },
};
/** The worker of a page is handed the compiled core, and so carries no bytes of it. */
const withoutCore = {
  name: 'without-core',
  setup(build) {
    build.onResolve({ filter: /build\/wasm\.js$/ }, () => ({ path: 'wasm', namespace: 'without-core' }));
    build.onLoad({ filter: /.*/, namespace: 'without-core' }, () => ({ contents: "export const wasmText = '';" }));
  },
};

if (isStale('build/worker.js', 'src', 'assembly/shared', 'build.mjs')) {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: ['src/worker/main.ts'], bundle: true, minify: true, write: false, format: 'iife', charset: 'utf8', target: 'es2022', platform: 'browser', plugins: [forBrowsers, withoutCore],
    logLevel: 'warning',
  });
  writeFileSync('build/worker.js', `/** The program of the worker that has a page's store: made by build.mjs. */\nexport const workerText = ${JSON.stringify(outputFiles[0].text)};\n`);
  writeFileSync('build/worker.d.ts', 'export declare const workerText: string;\n');
}

if (isStale('dist/index.js', 'src', 'assembly/shared', 'build/wasm.js', 'build/worker.js', 'build.mjs')) {
  rmSync('dist', { recursive: true, force: true });
  const { build } = await import('esbuild');
  const common = { bundle: true, format: 'esm', charset: 'utf8', target: 'es2022', logLevel: 'warning' };
  await build({ ...common, entryPoints: ['src/index.ts'], outfile: 'dist/index.js', platform: 'neutral', external: ['@assemblyscript/loader', '@msgpack/msgpack'] });
  // A page may load these as they are, so they carry what they depend on.
  await build({ ...common, entryPoints: ['src/browser.ts'], outfile: 'dist/browser.js', platform: 'browser', minifySyntax: true, minifyWhitespace: true, plugins: [forBrowsers] });
  await build({ ...common, entryPoints: ['src/worker/main.ts'], outfile: 'dist/worker.js', platform: 'browser', minify: true, plugins: [forBrowsers, withoutCore] });
  copyFileSync('build/varve.wasm', 'dist/varve.wasm');
  run(process.execPath, [join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json']);
}
