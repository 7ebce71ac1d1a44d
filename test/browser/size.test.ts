/** What a page loads for a store: its client, the worker's program and the core, all in one bundle, minified and gzipped. */
import { build } from 'esbuild';
import { gzipSync, constants } from 'node:zlib';
import { expect, test } from 'vitest';
import { deflatedCore } from '../../build/small.js';
import { wasmText } from '../../build/wasm.js';
import { root } from './site.js';

/** In bytes. What it comes to is printed; raise this only for what is worth it to everyone who waits for a page. */
const SIZE_MAX = 84_500;

test('a page loads no more than it should', async () => {
  const { outputFiles } = await build({
    stdin: { contents: "import { open } from 'varve'; globalThis.open = open;", resolveDir: root }, bundle: true, minify: true, format: 'esm', platform: 'browser', charset: 'utf8', write: false, logLevel: 'error',
  });
  const text = outputFiles[0]!.text;
  const size = gzipSync(outputFiles[0]!.contents, { level: constants.Z_BEST_COMPRESSION }).length;
  process.stdout.write(`a page loads ${size} bytes for a store, of at most ${SIZE_MAX}\n`);
  expect(size).toBeLessThanOrEqual(SIZE_MAX);
  expect(text, 'nothing of Node is in it').not.toContain('node:');
  // The page compiles the core and hands it to the worker, whose program has none of its own.
  expect(text.split(deflatedCore)).toHaveLength(2);
  expect(text).not.toContain(wasmText.slice(0, 8));
});
