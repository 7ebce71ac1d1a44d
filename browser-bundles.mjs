/** How the library is bundled for browsers: the program of the worker that has a store, and what pages import. */
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
/** The worker of a page is handed the compiled core, and so carries no bytes of it. */
const withoutCore = {
  name: 'without-core',
  setup(build) {
    build.onResolve({ filter: /build\/wasm\.js$/ }, () => ({ path: 'wasm', namespace: 'without-core' }));
    build.onLoad({ filter: /.*/, namespace: 'without-core' }, () => ({ contents: "export const wasmText = '';" }));
  },
};
const common = { bundle: true, charset: 'utf8', target: 'es2022', platform: 'browser', absWorkingDir: root, logLevel: 'warning' };
const worker = { ...common, entryPoints: ['src/worker/main.ts'], minify: true, plugins: [forBrowsers, withoutCore] };

/** The program of the worker, as a page starts it from a Blob. */
export async function bundleWorker() {
  const { outputFiles } = await build({ ...worker, format: 'iife', write: false });
  return outputFiles[0].text;
}

/** Writes what a page may load as it is, so that it carries what it depends on: names are left alone, for whoever looks into it. */
export async function writeBrowserBundles(folder) {
  await build({ ...common, entryPoints: ['src/browser.ts'], outfile: join(folder, 'browser.js'), format: 'esm', minifySyntax: true, minifyWhitespace: true, plugins: [forBrowsers] });
  await build({ ...worker, outfile: join(folder, 'worker.js'), format: 'esm' });
}
