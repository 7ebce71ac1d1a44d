/** What a page loads for a store: its client, the worker's program and the core, minified and gzipped, file by file. */
import { build } from 'esbuild';
import { basename } from 'node:path';
import { gzipSync, constants } from 'node:zlib';
import { expect, test } from 'vitest';
import { deflatedCore } from '../../build/small.js';
import { wasmText } from '../../build/wasm.js';
import { root } from './site.js';

/** In bytes. What it comes to is printed; raise this only for what is worth it to everyone who waits for a page. */
const SIZE_MAX = 94_000;

test('a page loads no more than it should', async () => {
  const { outputFiles, metafile } = await build({
    stdin: { contents: "import { open } from 'varve'; globalThis.open = open;", resolveDir: root }, bundle: true, splitting: true, outdir: '/page', metafile: true, minify: true, format: 'esm', platform: 'browser', charset: 'utf8',
    write: false, logLevel: 'error',
  });
  const files = new Map(outputFiles.map((file) => [basename(file.path), file]));
  const imports = new Map(Object.entries(metafile.outputs).map(([path, output]) => [basename(path), output.imports]));
  const sizeOf = (name: string): number => gzipSync(files.get(name)!.contents, { level: constants.Z_BEST_COMPRESSION }).length;
  /** What a page loads with a file: those that it imports at once. */
  const loaded = new Set(['stdin.js']);
  for (const name of loaded) for (const { kind, path } of imports.get(name)!) if (kind === 'import-statement') loaded.add(basename(path));
  const sum = (names: Iterable<string>): number => Array.from(names, sizeOf).reduce((total, size) => total + size, 0);
  const size = sum(loaded);
  const later = Array.from(files.keys()).filter((name) => !loaded.has(name));
  process.stdout.write(`a page loads ${size} bytes for a store, of at most ${SIZE_MAX}, and ${sum(later)} more for its first backup, export, import or restore\n`);
  expect(size).toBeLessThanOrEqual(SIZE_MAX);
  expect(later.length, 'what is seldom used is loaded when it is').toBeGreaterThan(0);
  const texts = outputFiles.map(({ text }) => text).join('\n');
  expect(texts, 'nothing of Node is in it').not.toContain('node:');
  // The page compiles the core and hands it to the worker, whose program has none of its own.
  expect(texts.split(deflatedCore)).toHaveLength(2);
  expect(texts).not.toContain(wasmText.slice(0, 8));
});
