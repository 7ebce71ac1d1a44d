/** A small site on this machine for pages of a browser: scripts that are bundled from the project's sources, and files. Everything that it gives is in memory. */
import { build } from 'esbuild';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install } from '../runtimes/executables.mjs';

const here = fileURLToPath(new URL('./', import.meta.url));
const root = fileURLToPath(new URL('../../', import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** @typedef {{ body: string | Uint8Array, type: string, headers?: Record<string, string> }} Answer */

/** What differs between Node and browsers is chosen when a bundle is built. @type {import('esbuild').Plugin} */
const forBrowsers = {
  name: 'for-browsers',
  setup(builder) {
    builder.onResolve({ filter: /\/garbage\.mjs$/ }, () => ({ path: join(here, 'garbage.mjs') }));
  },
};

/** The package's own names, which the package of this folder stands in the way of. */
const alias = { 'varve/direct': join(root, 'dist/index.js'), 'varve/browser': join(root, 'dist/browser.js') };

/** Scripts by the names of their entries: each a bundle of its own. @param {Record<string, string>} entries paths in the project by names @returns {Promise<Record<string, Answer>>} */
export async function bundle(entries) {
  const { outputFiles } = await build({
    entryPoints: Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, join(root, path)])), outdir: root, bundle: true, write: false, format: 'esm', platform: 'browser', target: 'es2022', charset: 'utf8', minifySyntax: true,
    define: { VARVE_VERSION: JSON.stringify(version) }, plugins: [forBrowsers], alias, logLevel: 'error',
  });
  return Object.fromEntries(outputFiles.map(({ path, contents }) => [`/${path.slice(root.length)}`, { body: contents, type: 'text/javascript' }]));
}

/** What pages need that hold a contest: the scripts of its workers, the worker of the store, and SQLite. Installs SQLite, if it is not there yet. @returns {Promise<Record<string, Answer>>} */
export async function contestFiles() {
  install(here);
  return {
    ...await bundle({ 'bench-worker': 'bench/browser/worker.mjs', 'bench-opening-worker': 'bench/browser/opening-worker.mjs' }),
    '/varve-worker.js': { body: readFileSync(join(root, 'dist/worker.js')), type: 'text/javascript' },
    '/sqlite3.wasm': { body: readFileSync(join(here, 'node_modules/@sqlite.org/sqlite-wasm/dist/sqlite3.wasm')), type: 'application/wasm' },
  };
}

/**
 * Serves answers on this machine alone. Localhost counts as secure without a certificate.
 * @param {Record<string, Answer>} answers by path @param {number} port 0 for any that is free
 * @returns {Promise<{ address: string, stop: () => Promise<void> }>}
 */
export async function serve(answers, port = 0) {
  const server = createServer((request, response) => {
    const answer = answers[new URL(request.url ?? '/', 'http://localhost').pathname];
    if (answer === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': answer.type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...answer.headers }).end(answer.body);
  });
  await /** @type {Promise<void>} */ (new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  }));
  return {
    address: `http://localhost:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The site of the benchmark alone. */
export async function benchSite() {
  return serve({
    '/': { body: '<!doctype html><html lang="en"><meta charset="utf-8"><title>varve: benchmark</title><script type="module" src="/bench.js"></script>', type: 'text/html; charset=utf-8' },
    ...await bundle({ bench: 'bench/browser/entry.mjs' }), ...await contestFiles(),
  });
}
