/** What a Node program imports: the package and what it depends on, bundled and minified, with the Wasm in it, in bytes after gzip. `node bench/size.mjs` prints it. */
import { build } from 'esbuild';
import { gzipSync, constants } from 'node:zlib';
import { fileURLToPath } from 'node:url';
import { readFileSync } from 'node:fs';

export const SIZE_MAX = 30_000;

/** @returns {Promise<{ gzipped: number, minified: number, wasm: number }>} */
export async function measureSize() {
  const result = await build({
    stdin: { contents: "export * from 'varve';", resolveDir: fileURLToPath(new URL('../', import.meta.url)) },
    bundle: true, minify: true, format: 'esm', platform: 'node', target: 'node20', charset: 'utf8', write: false, logLevel: 'warning',
  });
  const bytes = result.outputFiles[0].contents;
  return {
    gzipped: gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION }).length,
    minified: bytes.length,
    wasm: readFileSync(new URL('../dist/varve.wasm', import.meta.url)).length,
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { gzipped, minified, wasm } = await measureSize();
  process.stdout.write(`${gzipped} bytes minified and gzipped (${minified} before gzip, the Wasm alone ${wasm}), of at most ${SIZE_MAX}\n`);
  process.exitCode = gzipped <= SIZE_MAX ? 0 : 1;
}
