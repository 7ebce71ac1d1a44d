/** How the library is bundled for platforms other than Node: what pages import, the program of the worker that has their store, and stores in memory for workerd. */
import { build } from 'esbuild';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('.', import.meta.url));

/** Bundles for browsers carry nothing of Node: what differs between platforms is chosen when they are built, not when they run. */
const forBrowsers = {
  name: 'for-browsers',
  setup(build) {
    build.onResolve({ filter: /\/device\/platform\.js$|^\.\/platform\.js$/ }, () => ({ path: join(root, 'src/device/web-platform.ts') }));
    build.onResolve({ filter: /^@assemblyscript\/loader$/ }, () => ({ path: join(root, 'src/engine/web-loader.ts') }));
  },
};
/** Neither pages nor their workers have the core that programs have: a worker is handed the one of its page, compiled. */
const withoutCore = {
  name: 'without-core',
  setup(build) {
    build.onResolve({ filter: /build\/wasm\.js$/ }, () => ({ path: 'wasm', namespace: 'without-core' }));
    build.onLoad({ filter: /.*/, namespace: 'without-core' }, () => ({ contents: "export const wasmText = '';" }));
  },
};
/** In workerd nothing is compiled while a program runs: the core is a module of the program, which lies beside this one. */
const withCoreModule = {
  name: 'with-core-module',
  setup(build) {
    build.onResolve({ filter: /^\.\/compile\.js$/ }, () => ({ path: 'core', namespace: 'with-core-module' }));
    build.onResolve({ filter: /\/varve\.wasm$/ }, () => ({ path: './varve.wasm', external: true }));
    build.onLoad({ filter: /.*/, namespace: 'with-core-module' }, () => ({ contents: "import core from './varve.wasm';\nexport const compiledCore = () => core;" }));
  },
};
const common = { bundle: true, charset: 'utf8', target: 'es2022', platform: 'browser', absWorkingDir: root, logLevel: 'warning' };
const worker = { ...common, entryPoints: ['src/worker/main.ts'], minify: true, plugins: [forBrowsers, withoutCore] };

/** The program of the worker, as a page starts it from a Blob. */
export async function bundleWorker() {
  const { outputFiles } = await build({ ...worker, format: 'iife', write: false });
  return outputFiles[0].text;
}

/** Writes them. Pages may load theirs as they are, so these carry what they depend on; names are left alone, for whoever looks into them. */
export async function writePlatformBundles(folder) {
  await build({
    ...common, entryPoints: ['src/browser.ts'], outdir: folder, splitting: true, chunkNames: 'browser-[hash]', format: 'esm', minifySyntax: true, minifyWhitespace: true, plugins: [forBrowsers, withoutCore],
  });
  await build({ ...worker, outfile: join(folder, 'worker.js'), format: 'esm' });
  await build({ ...common, entryPoints: ['src/index.ts'], outfile: join(folder, 'workerd.js'), format: 'esm', external: ['@msgpack/msgpack'], plugins: [forBrowsers, withCoreModule] });
}
