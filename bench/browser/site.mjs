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

/** What differs between Node and browsers: files beside this one take the places of others. @type {Record<string, string>} */
const TWINS = { 'bench/harness/garbage.mjs': 'garbage.mjs', 'bench/harness/platform.mjs': 'platform.mjs', 'bench/subjects/build.mjs': 'build.mjs', 'bench/floors/beside.mjs': 'beside.mjs' };

/** It is chosen when a bundle is built. @type {import('esbuild').Plugin} */
const forBrowsers = {
  name: 'for-browsers',
  setup(builder) {
    const twins = new Map(Object.entries(TWINS).map(([path, twin]) => [join(root, path), join(here, twin)]));
    builder.onResolve({ filter: /^\.\.?\/.*\.mjs$/ }, ({ resolveDir, path }) => {
      const twin = twins.get(join(resolveDir, path));
      return twin === undefined ? undefined : { path: twin };
    });
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

/** A page of the benchmark, which does nothing until it is driven. @type {Answer} */
const PAGE = { body: '<!doctype html><html lang="en"><meta charset="utf-8"><title>varve: benchmark</title><script type="module" src="/bench.js"></script>', type: 'text/html; charset=utf-8' };

/** The site of the benchmark alone. */
export async function benchSite() {
  return serve({
    '/': PAGE,
    ...await bundle({ bench: 'bench/browser/entry.mjs' }), ...await contestFiles(),
  });
}

/** Clocks go in small steps only in pages that are kept apart from other sites'. */
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };

/** The site of the suites: a page, and the worker in which a job runs. */
export async function suiteSite() {
  const answers = { '/': PAGE, ...await bundle({ bench: 'bench/browser/suite-entry.mjs', 'suite-worker': 'bench/browser/suite-worker.mjs' }) };
  return serve(Object.fromEntries(Object.entries(answers).map(([path, answer]) => [path, { ...answer, headers: ISOLATED }])));
}
