/** The browsers of the tests, for programs that are no tests: how they are found and started is said in one place, which is TypeScript, and so is bundled first. */
import { build } from 'esbuild';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** @typedef {'chromium' | 'firefox'} BrowserName */

/** Chromium collects garbage when it is asked to, and keeps code that it has compiled, as Node does here: a row whose turn comes seldom would be compiled anew in its own time. */
export const CHROMIUM_FLAGS = ['--js-flags=--expose-gc,--no-flush-bytecode'];

/** @returns {Promise<typeof import('../../test/browser/browsers.js')>} */
export async function loadBrowsers() {
  const outfile = `${root}build/tools/browsers.mjs`;
  await build({ entryPoints: [`${root}test/browser/browsers.ts`], outfile, bundle: true, format: 'esm', platform: 'node', target: 'node20', packages: 'external', logLevel: 'warning' });
  return import(pathToFileURL(outfile).href);
}
